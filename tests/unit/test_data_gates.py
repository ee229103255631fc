"""What the gates say of extracts of people, of codes and of columns that name people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from naming import nhs
from pydantic import ValidationError

from demand.data.codes import ETHNIC_GROUPS, WELSH_AUTHORITIES, broader_group, code_gates, proposed_codes, uprn_text
from demand.data.files import FileSpec, open_table
from demand.data.identifiers import identifier_faults
from demand.data.policies import QualitySpec, settled
from demand.data.quality import Finding, ReadingError
from demand.data.read import HistorySpec, PeopleSpec, read_history, read_people
from demand.errors import DataError

KEY = b"a published key for tests"
ROWS = np.arange(2, 200)


def told(folder: Path, text: str, **more: object) -> dict[str, tuple]:
    (folder / "p.csv").write_text("ref,who,start,end,type,fee\n" + text)
    given = {"path": "p.csv", "id": "ref", "person": "who", "opened": "start", "closed": "end", "keys": ["type"], "price": "fee"}
    return {f.rule: f.rows for f in read_people(PeopleSpec(**{**given, **more}), folder, key=KEY)[1]}


def test_neighbouring_episodes_of_one_person(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        "1,A,01/01/2024,10/01/2024,hostel,100\n2,A,05/01/2024,20/01/2024,B&B,100\n"  # two at once
        "3,B,01/01/2024,10/01/2024,hostel,100\n4,B,11/01/2024,20/01/2024,B&B,100\n"  # moved the next day
        "5,C,01/01/2024,10/01/2024,hostel,100\n6,C,10/01/2024,20/01/2024,B&B,100\n"  # moved the same day: as it should be
        "7,D,01/01/2024,10/01/2024,hostel,100\n8,D,01/01/2024,10/01/2024,hostel,100\n",  # told twice
    )
    assert found["overlap"] == (3,)
    assert found["next_day_move"] == (5,)
    assert found["duplicate_episode"] == (9,)


def test_a_second_service_on_the_same_days_is_no_duplicate(tmp_path: Path) -> None:
    found = told(tmp_path, "1,A,01/01/2024,10/01/2024,hostel,\n2,A,01/01/2024,10/01/2024,advice,\n")
    assert "duplicate_episode" not in found


def test_several_at_once_is_how_some_services_work(tmp_path: Path) -> None:
    lines = "".join(f"{i}{k},P{i},01/01/2024,,{t},50\n" for i in range(40) for k, t in enumerate(("home care", "day care")))
    found = told(tmp_path, lines)
    assert len(found["several_at_once"]) == 40
    assert "overlap" not in found


def test_prices_and_days_with_a_slip(tmp_path: Path) -> None:
    usual = "".join(f"{i},P{i},{1 + i % 28:02d}/01/2024,,hostel,{100 + i}\n" for i in range(60))
    found = told(
        tmp_path,
        usual + "98,Q,05/01/2024,,hostel,120000\n99,R,05/01/1920,,hostel,120\n97,S,05/02/2026,,hostel,120\n",
        extracted="2024-03-31",
    )
    assert found["price_slip"] == (62,)
    assert found["implausible_day"] == (63,)
    assert found["later_than_extract"] == (64,)


def test_forgotten_by_activity_and_by_length(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(
        "ref,start,end,seen\n1,01/01/2023,,01/03/2023\n2,01/01/2023,,01/03/2024\n3,01/01/2023,01/02/2023,01/02/2023\n"
    )
    spec = PeopleSpec(path="p.csv", id="ref", opened="start", closed="end", activity="seen", extracted="2024-03-31")
    people, findings = read_people(spec, tmp_path, key=KEY)
    assert [f.rows for f in findings if f.rule == "forgotten"] == [(2,)]
    assert people["activity"].notna().all()
    short = "".join(f"{i},P{i},{1 + i % 28:02d}/01/2023,{1 + i % 28:02d}/02/2023,hostel,\n" for i in range(60))
    assert told(tmp_path, short + "99,Q,01/01/2023,,hostel,\n98,R,20/03/2024,,hostel,\n", extracted="2024-03-31")["forgotten"] == (62,)


NINO = ["AB123456C", "ab 12 34 56 d"]
NHS = ["943 476 5919", "401 023 2137", "4505577104"]
FIRST, LAST = ("Siân", "Owain", "Mary", "John", "Ann"), ("Jones", "O'Neill", "Ŵyn-Davies", "Smith", "Rees")
IDENTIFIERS = {
    "national insurance numbers": [*["yes"] * 20, *NINO],
    "NHS numbers": NHS,
    "postcodes": ["Castle", "CF10 3NQ", "Harbour"],
    "e-mail addresses": ["none", "a.jones@example.org"],
    "phone numbers": ["rang 07700 900123", "none"],
    "names of people": [f"{first} {last}" for first in FIRST for last in LAST],
    "free text": ["came in with her mother and said that the landlord had changed the locks",
                  "was seen again in the office by the team on Monday",
                  "needs help with letters from the bank and the rent team please"],
}  # fmt: skip


@pytest.mark.parametrize("kind", IDENTIFIERS)
def test_columns_that_name_people_are_refused_whatever_they_are_called(tmp_path: Path, kind: str) -> None:
    values = IDENTIFIERS[kind]
    pd.DataFrame({"ref": range(len(values)), "harmless": values}).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(ReadingError) as caught:
        read_people(PeopleSpec(path="p.csv", id="ref", attributes=["harmless"]), tmp_path, key=KEY)
    said = str(caught.value)
    assert f"holds {kind}" in said
    assert not any(v in said for v in values if len(v) > 6)
    people, _ = read_people(PeopleSpec(path="p.csv", id="ref"), tmp_path, key=KEY)
    assert "harmless" not in people


@pytest.mark.parametrize(
    "values",
    [
        ["Lone parent", "Couple with children", "Single male", "Other"] * 10,
        ["CF10", "CF5", "NP20"], [f"W0100{i:04d}" for i in range(40)], [str(1_000_000 + 7919 * i) for i in range(40)],
        ["parent/family no longer willing or able to accommodate the household any more"] * 40, ["01/02/2024", "02/03/2023"],
        [str(i % 90) for i in range(60)], ["Tenancy ended", "Left care"] * 30, ["£1,234.50", "£99.00"], ["2024-04-01T10:00:00"] * 3,
    ],
)  # fmt: skip
def test_columns_that_describe_are_not_refused(values: list[str]) -> None:
    assert identifier_faults(pd.Series(values), ROWS[: len(values)], "p.csv > c") == []


SCHOOLS = [str(6_810_000 + 7919 * i % 89_989) for i in range(70)] * 3
PROVIDERS = [f"1-{120_000_001 + 7919 * i}" for i in range(60)]


@pytest.mark.parametrize("values", [SCHOOLS, PROVIDERS, [100_001 + 7919 * i % 89_989 for i in range(70)] * 3], ids=["7", "cqc", "urn"])
def test_codes_of_organisations_are_taken_where_the_config_says_that_they_are(tmp_path: Path, values: list[object]) -> None:
    pd.DataFrame({"ref": range(len(values)), "school": values, "note": [nhs(i) for i in range(len(values))]}).to_csv(
        tmp_path / "p.csv", index=False
    )
    spec = PeopleSpec(path="p.csv", id="ref", attributes=["school"])
    with pytest.raises(ReadingError, match=r"references of single cases.*name it in 'not_references' \(data > people\)"):
        read_people(spec, tmp_path, key=KEY)
    people, _ = read_people(spec.model_copy(update={"not_references": ["school"]}), tmp_path, key=KEY)
    assert people["school"].nunique() == len(set(values))
    with pytest.raises(ReadingError, match="NHS numbers"):
        read_people(spec.model_copy(update={"attributes": ["note"], "not_references": ["note"]}), tmp_path, key=KEY)


def test_names_of_places_are_taken_where_the_config_says_that_they_are(tmp_path: Path) -> None:
    homes = ["Walker", "Harrison", "Clarke", "Collins"]
    pd.DataFrame({"ref": range(4), "block": homes, "note": [nhs(i) for i in range(4)]}).to_csv(tmp_path / "p.csv", index=False)
    spec = PeopleSpec(path="p.csv", id="ref", attributes=["block"])
    with pytest.raises(ReadingError, match=r"names of people.*name it in 'not_names' \(data > people\)"):
        read_people(spec, tmp_path, key=KEY)
    assert read_people(spec.model_copy(update={"not_names": ["block"]}), tmp_path, key=KEY)[0]["block"].tolist() == homes
    with pytest.raises(ReadingError, match="NHS numbers"):
        read_people(spec.model_copy(update={"attributes": ["note"], "not_names": ["note"]}), tmp_path, key=KEY)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ward", [f"00NA{a}{b}" for a in "ABCDEFGH" for b in "ABCDEFGHJ"]),
        ("savings", [100_001 + 4_513 * i for i in range(199)]),
        ("began", [f"{d:%d%m%y}" for d in pd.date_range("2021-01-10", periods=90, freq="11D")]),
        ("team", [f"Team {i}" for i in range(1, 80)]),
    ],
)
def test_codes_of_places_sums_days_and_teams_are_no_references(name: str, values: list[object]) -> None:
    assert identifier_faults(pd.Series(values), np.arange(len(values)), f"p.csv > {name}") == []
    assert identifier_faults(pd.Series([f"Client {i}" for i in range(1, 80)]), np.arange(79), "p.csv > team")


def test_spellings_that_are_proposed_and_those_that_are_not() -> None:
    typed = (
        ["Bed and breakfast"] * 30 + ["B&B", "BB", "bed & breakfast", "Hostel", "Hostle"] + ["Hostel"] * 40 + ["NK", "Not known", "Refused"]
    )
    assert proposed_codes(typed) == {
        "Bed and breakfast": ["B&B", "BB", "bed & breakfast"],
        "Hostel": ["Hostle"],
        "NK": ["Not known", "Refused"],
    }
    apart = (
        ["section 21"] * 50 + ["section 173", "Male"] + ["Female"] * 50 + ["level 1"] * 50 + ["level 2", "residential", "non-residential"]
    )
    assert proposed_codes(apart) == {}


def test_codes_of_the_statistics_office() -> None:
    assert len(WELSH_AUTHORITIES) == 22
    table = pd.DataFrame(
        {"area": [*list(WELSH_AUTHORITIES)[:9], "W06000007"], "ward": [f"W0500{i:04d}" for i in range(1, 10)] + ["W05 12"]}
    )
    found = {f.where: f.rows for f in code_gates(table, "a.csv", ROWS[:10]) if f.rule == "gss_code"}
    assert found == {"a.csv > area": (11,), "a.csv > ward": (11,)}


def test_ethnic_groups_of_the_census_and_their_broader_ones() -> None:
    groups = pd.Series([g for several in ETHNIC_GROUPS.values() for g in several])
    assert len(groups) == 19
    assert broader_group(groups).tolist() == [wide for wide, several in ETHNIC_GROUPS.items() for _ in several]
    assert broader_group(pd.Series(["White: Irish", "Martian", None])).tolist()[0] == "White"
    assert broader_group(pd.Series(["Martian", None])).isna().all()
    table = pd.DataFrame({"ethnic_group": [*groups, "Martian"]})
    assert [f.rows for f in code_gates(table, "p.csv", ROWS[:20]) if f.rule == "ethnic_group"] == [(21,)]


def test_property_references_are_text_of_twelve_digits() -> None:
    assert uprn_text(pd.Series([199356, "100021066689"])).tolist() == ["000000199356", "100021066689"]
    table = pd.DataFrame({"uprn": ["100021066689", "1.00012E+11", "000000199356"]})
    assert [f.rows for f in code_gates(table, "p.csv", ROWS[:3]) if f.rule == "uprn"] == [(3,)]


def test_the_home_of_a_person_is_kept_as_a_pseudonym(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("ref,uprn\n1,199356\n2,100021066689\n3,000000199356\n4,\n", encoding="utf-8")
    people, _ = read_people(PeopleSpec(path="p.csv", id="ref", attributes=["uprn"]), tmp_path, key=KEY)
    homes = people["uprn"].tolist()
    assert homes[0] == homes[2] != homes[1]
    assert homes[3] is None
    assert not any(h and h.isdigit() and len(h) == 12 for h in homes)


def test_property_references_are_filled_up_where_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "homes.csv").write_text("UPRN,rooms\n199356,2\n100021066689,3\n1.00012E+11,4\n", encoding="utf-8")
    read = open_table(FileSpec(path="homes.csv"), tmp_path, columns={"id": "UPRN", "value": "rooms"})
    assert read.data["UPRN"].tolist()[:3] == ["000000199356", "100021066689", "1.00012E+11"]
    assert [(f.rule, f.severity, f.rows) for f in read.findings] == [("uprn_padded", "note", (2,))]


def test_references_that_lost_their_zeros() -> None:
    refs = [f"{i:06d}" for i in range(5, 400_000, 9_000)]
    table = pd.DataFrame({"ref": [*refs, "77"]})
    assert [f.rows for f in code_gates(table, "p.csv", ROWS[: len(table)]) if f.rule == "lost_zeros"] == [(int(ROWS[len(table) - 1]),)]


def test_policies_change_severities_and_name_rules_that_are_not_known() -> None:
    findings = [
        Finding.of(r, s, "p.csv", message="", rows=(2,)) for r, s in (("overlap", "warn"), ("footer", "note"), ("negative", "stop"))
    ]
    quality = QualitySpec(rules={"overlap": "stop", "footer": "off"})
    assert [(f.rule, f.severity) for f in settled(findings, quality)] == [("overlap", "stop"), ("negative", "stop")]
    with pytest.raises(ValidationError, match="Did you mean 'overlap'"):
        QualitySpec(rules={"overlaps": "stop"})
    with pytest.raises(ValidationError, match="names no rows"):
        QualitySpec(rules={"batch_day": "leave_out"})


@pytest.mark.parametrize("column", ["area", "households"])
@pytest.mark.parametrize(
    "values",
    [[nhs(i) for i in range(12)], [f"CF10 {1 + i % 9}NQ" for i in range(12)], [str(533_380_006 + 7_919_117 * i) for i in range(12)]],
)
def test_counts_and_what_they_are_counted_by_are_no_numbers_of_persons(tmp_path: Path, column: str, values: list[str]) -> None:
    table = pd.DataFrame({"month": [f"2024-{m:02d}" for m in range(1, 13)], "area": "North", "households": 7}).astype(object)
    table.assign(**{column: values}).to_csv(tmp_path / "h.csv", index=False)
    spec = HistorySpec(path="h.csv", date="month", value="households", keys=["area"], frequency="M", gaps="leave")
    with pytest.raises(DataError, match=rf"{column}: the column holds") as caught:
        read_history(spec, tmp_path)
    assert not any(v in str(caught.value) for v in values)
