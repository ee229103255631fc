"""The faults that were planted in the example council's messy extracts are found, and little else is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.data.example import example_council
from demand.data.outturns import OutturnSpec, read_outturns
from demand.data.policies import QualitySpec
from demand.data.quality import Finding, ReadingError, judge
from demand.data.read import DriversSpec, HistorySpec, PeopleSpec, read_drivers, read_history, read_people
from demand.data.systems import renamed_series
from demand.events import clean
from demand.proposals import proposed_findings

KEY = b"a published key for tests"
PEOPLE = {
    "homelessness_cases.csv": {
        "id": "case_ref", "person": "applicant_id", "opened": "date_presented", "closed": "closed_date", "activity": "last_updated",
        "keys": ["area"],
        "attributes": ["household_type", "household_size", "n_dependent_children", "last_tenure", "main_reason_loss", "age", "uprn",
                       "last_settled_la", "lsoa", "ethnic_group"],
    },
    "ta_placements.xlsx": {
        "id": "placement_id", "person": "household_ref", "opened": "start_date", "closed": "end_date", "keys": ["ta_type", "area"],
        "attributes": ["self_contained", "n_children"], "price": "weekly_charge",
    },
    "children_placements.csv": {
        "id": "episode ref", "person": "child id", "opened": "placement start", "closed": "placement end",
        "keys": ["placement type", "area"], "attributes": ["sex", "need category", "legal status"], "price": "weekly fee",
    },
    "adult_packages.csv": {
        "id": "line_id", "person": "person_id", "opened": "line_start", "closed": "line_end", "keys": ["service_type", "locality"],
        "attributes": ["client_group", "mobility"], "price": "weekly_gross",
    },
}  # fmt: skip
RETURN = HistorySpec(
    path="ta_return.xlsx",
    date="month_end",
    value="households",
    frequency="M",
    keys=["ta_type"],
    kind="stock",
    unit="households",
    gaps="leave",
)
REFERRALS = HistorySpec(path="referrals_return.csv", date="Month ending", value="Referrals", frequency="M", keys=["Team"])
LEDGER = OutturnSpec(path="ledger_monitoring.csv", line="cc_description", amount="actual £000")
LINES = ["temporary accommodation", "prevention", "placements", "assessments", "referrals", "packages"]
TOLD = {"encoding", "assumed", "gap", "several_at_once", "ledger_line", "driver_mean"}
"""What is said about a file and is no fault of it."""


def readings(folder: Path) -> list[tuple[str, Callable[[], list[Finding]]]]:
    """Each file with what is said of it when it is read; the referrals are judged as a history, too."""
    people = [
        (name, partial(read_people, PeopleSpec(path=name, extracted="2026-03-31", **about), folder, key=KEY))
        for name, about in PEOPLE.items()
    ]
    others = [(RETURN.path, partial(read_history, RETURN, folder)), (LEDGER.path, partial(read_outturns, LEDGER, folder, lines=LINES)),
              ("drivers.csv", partial(read_drivers, DriversSpec(path="drivers.csv"), folder, frequency=Frequency("M")))]  # fmt: skip
    return [(name, lambda read=read: read()[1]) for name, read in [*people, *others]] + [(REFERRALS.path, lambda: referrals(folder))]


def referrals(folder: Path) -> list[Finding]:
    history, findings = read_history(REFERRALS, folder)
    return [*findings, *judge(history), *renamed_series(history), *proposed_findings(clean(history, []))]


def found(folder: Path) -> set[tuple[str, str, str]]:
    """File, rule and row; the row is empty where something is said of a whole file."""
    told = []
    for name, read in readings(folder):
        try:
            told.append((name, read()))
        except ReadingError as error:
            told.append((name, [*error.findings, *map(Finding.of_fault, error.faults)]))
    rows = [(name, f, f.rows or (("",) if f.severity != "note" else ())) for name, findings in told for f in findings]
    return {(name, f.rule, str(row)) for name, f, several in rows if f.rule not in TOLD for row in several}


def measured(folder: Path, seed: int) -> tuple[float, float]:
    """Give precision and recall, by file, rule and row."""
    example_council(seed, "tiny", files=True, mess=True, folder=folder)
    truth = pd.read_csv(folder / "mess_truth.csv", dtype=str, keep_default_na=False)
    planted, told = set(truth[["file", "rule", "row"]].itertuples(index=False, name=None)), found(folder)
    assert len(planted) > 150
    return len(told & planted) / len(told), len(told & planted) / len(planted)


@pytest.mark.parametrize("seed", [31, 32])
def test_planted_faults_are_found_and_little_else(tmp_path: Path, seed: int) -> None:
    precision, recall = measured(tmp_path, seed)
    assert precision >= 0.95
    assert recall >= 0.95


@pytest.mark.long
def test_planted_faults_are_found_over_many_councils(tmp_path: Path) -> None:
    each = [measured(tmp_path / str(seed), seed) for seed in range(100, 120)]
    assert min(p for p, _ in each) >= 0.95
    assert min(r for _, r in each) >= 0.95


def test_rows_that_cannot_be_used_are_left_out_when_the_config_says_so(tmp_path: Path) -> None:
    example_council(33, "tiny", service="homelessness", files=True, mess=True, folder=tmp_path)
    spec = PeopleSpec(path="ta_placements.xlsx", extracted="2026-03-31", **PEOPLE["ta_placements.xlsx"])
    with pytest.raises(ReadingError):
        read_people(spec, tmp_path, key=KEY)
    rules = {"ended_before_started": "leave_out", "date_format": "leave_out", "duplicate_episode": "leave_out"}
    people, findings = read_people(spec, tmp_path, key=KEY, quality=QualitySpec(rules=rules))
    truth = pd.read_csv(tmp_path / "mess_truth.csv", dtype=str, keep_default_na=False)
    out = truth[(truth["file"] == spec.path) & truth["rule"].isin(list(rules))]["row"].nunique()
    clean = example_council(33, "tiny", service="homelessness").people("homelessness")
    copies = int(((truth["file"] == spec.path) & (truth["rule"] == "duplicate_episode")).sum())
    assert len(people) == int(clean["price"].notna().sum()) + copies - out
    assert (people["closed"].isna() | (people["closed"] >= people["opened"])).all()
    assert {f.rule for f in findings if "left out, as the config says" in f.message} == set(rules)


def test_a_messy_ledger_adds_up_to_the_clean_one(tmp_path: Path) -> None:
    example_council(35, "tiny", files=True, folder=tmp_path / "clean")
    example_council(35, "tiny", files=True, mess=True, folder=tmp_path / "messy")
    clean, _ = read_outturns(LEDGER.model_copy(update={"amount": "actual"}), tmp_path / "clean", lines=LINES)
    messy, findings = read_outturns(LEDGER.model_copy(update={"missing": ["see tab"]}), tmp_path / "messy", lines=LINES)
    pd.testing.assert_frame_equal(messy, clean, atol=0.005)
    assert {f.rule for f in findings} >= {"title_rows", "total_rows", "footer"}


def test_the_same_seed_plants_the_same_faults(tmp_path: Path) -> None:
    for place in ("a", "b"):
        example_council(34, "tiny", files=True, mess=True, folder=tmp_path / place)
    for name in ("mess_truth.csv", *PEOPLE):
        if not name.endswith(".xlsx"):  # a workbook holds the time at which it was written
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
