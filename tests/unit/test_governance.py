"""Records that write themselves, and never call themselves complete while a field is empty."""

from __future__ import annotations

import pandas as pd
import pytest

from demand.report.governance import REQUIRED, GovernanceSpec, governance_page
from demand.report.inputs import ReportInput, ReportSpec

PEOPLE = {
    "purpose": "planning homes",
    "lawful_basis": "UK GDPR article 6(1)(e)",
    "retention": "two years",
    "keys": ["area"],
    "attributes": ["need"],
}
FILES = {"segments.parquet": {"class": "person-level"}, "report.html": {"class": "internal"}}
FULL = dict.fromkeys(REQUIRED, "filled")


def made(**changes: object) -> ReportInput:
    assumptions = [
        {
            "name": "price",
            "value": 10.0,
            "unit": "GBP",
            "low": 9.0,
            "high": 11.0,
            "source": "ledger",
            "owner": "finance",
            "placeholder": False,
        },
        {"name": "effect", "value": 0.9, "unit": "ratio", "low": 0.5, "high": 1.2, "source": "?", "owner": "nobody", "placeholder": True},
    ]
    moved = [{"assumption": "effect", "financial_year": "2026-27", "low_pence": -500_000, "high_pence": 500_000}]
    mix = [
        {"characteristic": "race", "segment": "A", "level": level, "people": n, "known": 100, "share": n / 100, "average": average}
        for level, n, average in (("Roma", 1, 0.01), ("White", 99, 0.99))
    ]
    tables = {"assumptions": pd.DataFrame(assumptions), "sensitivity": pd.DataFrame(moved), "segment_equality": pd.DataFrame(mix)}
    return ReportInput(**{"title": "Homes | <b>", **tables, **changes})  # type: ignore[arg-type]


def page(fields: dict[str, str], people: dict[str, object] | None = PEOPLE, **changes: object) -> str:
    return governance_page(made(**changes), GovernanceSpec(fields=fields), people=people, files=FILES)


def test_nothing_is_called_complete_while_a_field_is_empty() -> None:
    assert "Every required field is filled" in page(FULL)
    for name in REQUIRED:
        told = page({**FULL, name: " "})
        assert "DRAFT, NOT COMPLETE: 1 field " in told
        assert "Every required field is filled" not in told
    assert "DRAFT, NOT COMPLETE" in page(FULL, {**PEOPLE, "lawful_basis": ""})
    for word in ("TBC", "tbc.", "To be confirmed", "?", "-", "..."):
        told = page({**FULL, "controller": word}, {**PEOPLE, "retention": word})
        assert "DRAFT, NOT COMPLETE: 2 fields to be filled by a person.** controller, retention." in told
    assert "Every required field is filled" in page(FULL, None)


def test_a_record_beside_a_welsh_report_says_what_is_owed_in_welsh() -> None:
    owed = ("Welsh Language Standards", "Safonau'r Gymraeg")
    assert [[text in page({}, spec=ReportSpec(languages=of)) for text in owed] for of in (["cy", "en"], ["cy"], ["en"])] == [
        [True, True],
        [False, True],
        [False, False],
    ]


def test_what_the_run_knows_is_filled() -> None:
    told = page(FULL)
    assert "- purpose: planning homes" in told
    assert "area, need; all others are never loaded" in told
    assert "Files that tell of persons and stay: segments.parquet" in told
    assert "| Race | held |" in told
    assert told.count("not recorded: nobody can say") == 8
    lines = [line for line in told.splitlines() if line.startswith(("| effect", "| price"))]
    assert [line.split("|")[4].strip() for line in lines] == ["PLACEHOLDER", "sourced"]
    assert "£10,000" in lines[0]


def test_columns_of_health_and_of_disadvantage_are_named() -> None:
    told = page(FULL, {**PEOPLE, "attributes": ["mental_health", "income_band", "household_type"]})
    assert "offence data, by their names: mental\\_health\n" in told
    assert "| Socio-economic disadvantage \\(duty in Wales\\) | told in part by income\\_band; see socio\\_economic\\_impact |" in told
    large = pd.DataFrame([{"name": "half", "value": 4e5, "unit": "GBP", "low": 2.5e5, "high": 7e5, "source": "a", "owner": "b"}])
    assert "400,000 GBP" in page(FULL, assumptions=large)


def test_a_single_person_of_a_group_is_held_back_and_texts_are_escaped() -> None:
    told = page(FULL)
    assert "| race | A | Roma | not enough data | held back |" in told
    assert "| race | A | White | 100 | 99% |" in told
    assert "# Records of Homes \\| &lt;b&gt;" in told
    assert "&lt;script&gt;" in page({**FULL, "phase": "<script>\n| x |"})


@pytest.mark.parametrize(("share", "told"), [(40, "Female: 10%"), (20, "Female: not enough data")])
def test_errors_are_told_by_group_where_counts_are_kept_by_it(share: int, told: str) -> None:
    history = pd.DataFrame({"unique_id": ["a", "b"], "ds": pd.Timestamp("2026-01-01"), "y": 1.0, "sex": ["Female", "Male"]})
    backtest = pd.DataFrame({"unique_id": ["a", "b"], "model": "combined", "y": [float(share), 90.0], "mean": [share * 1.1, 81.0]})
    assert told in page(FULL, history=history, backtest=backtest)
    assert "Male: 10%" in page(FULL, history=history, backtest=backtest)
