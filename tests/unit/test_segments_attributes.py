"""Reading columns as councils have them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand.segments.attributes import encode, normal_text, protected, read_attributes


@pytest.mark.parametrize(
    ("name", "kin"),
    [
        ("age", "age"), ("age_band", "age"), ("share_age18_24", "age"), ("dob", "age"), ("Sex", "sex"), ("gender_id", "sex"),
        ("genderReassignment", "gender reassignment"), ("ethnic_group", "race"), ("EthnicGroup", "race"), ("disabled", "disability"),
        ("marital_status", "marriage and civil partnership"), ("pregnant", "pregnancy and maternity"), ("religion", "religion or belief"),
        ("sexual_orientation", "sexual orientation"), ("first_language", "language"), ("welsh_speaker", "language"), ("iaith", "language"),
        ("CountryOfBirth", "race"), ("gender_identity", "gender reassignment"),
        ("dyddiad_geni", "age"), ("rhyw", "sex"), ("crefydd", "religion or belief"), ("iaith_gyntaf", "language"), ("agency", None),
        ("manager", None), ("average_rent", None), ("package", None), ("trace", None), ("transport", None), ("essex", None),
        ("ageband", "age"), ("agegroup", "age"), ("AGEBAND", "age"), ("agegrp", "age"), ("ageatreferral", "age"), ("yob", "age"),
        ("yearofbirth", "age"), ("dateofbirth", "age"), ("ethnicorigin", "race"), ("eth", "race"), ("eth_cat", "race"),
        ("maritalstatus", "marriage and civil partnership"), ("hasdisability", "disability"), ("lang", "language"),
        ("first_lang", "language"), ("main_lang", "language"), ("eal", "language"), ("preg", "pregnancy and maternity"),
        ("sexid", "sex"), ("learning_difficulty", "disability"), ("marriage_cert", "marriage and civil partnership"),
        ("storage", None), ("usage", None), ("average", None), ("percentage", None), ("village", None), ("stage", None),
        ("sector", None), ("message", None), ("mortgage", None), ("method", None), ("meal_code", None), ("attribute", None),
        ("ageattribute", None), ("first_contact", None), ("home_type", None), ("debt_status", None), ("coverage_band", None),
    ],
)  # fmt: skip
def test_protected_characteristics_are_known_by_name(name: str, kin: str | None) -> None:
    assert protected(name) == kin


def people(n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "person_id": [f"p{i}" for i in range(n)],
            "case_ref": [f"REF{i:06d}" for i in rng.permutation(n)],
            "nhs_number": rng.permutation(np.arange(9_000_000_000, 9_000_000_000 + 7 * n, 7)),
            "income": rng.normal(300, 40, n),
            "band": rng.choice(["under 18", "18-24", "25-34", "65 and over"], n),
            "severity": rng.choice(["mild", "severe", "none", "moderate"], n),
            "constant": "x",
            "empty": [None] * n,
            "moved_in": rng.choice(["2024-01-31", "2023-02-28"], n),
            "need": rng.choice(["Yes", "no", "not known"], n),
            "need_again": "?",
            "age": rng.integers(18, 90, n),
            "diagnosis": [f"code{i}" for i in rng.integers(0, 120, n)],
            "area": rng.choice(["Castle", "Harbour"], n),
        }
    ).assign(need_again=lambda t: t["need"])


def test_each_column_that_is_left_out_is_named_with_the_reason() -> None:
    reading = read_attributes(people(), None)
    assert [a.name for a in reading.attributes] == ["income", "band", "severity", "need"]
    text = "\n".join(reading.notes)
    for name, reason in [("case_ref", "identifier"), ("nhs_number", "identifier"), ("constant", "same value"),
                         ("empty", "empty"),
                         ("moved_in", "dates"), ("need_again", "same as 'need'"), ("age", "protected"),
                         ("diagnosis", "too many")]:  # fmt: skip
        assert any(f"'{name}'" in note and reason in note for note in reading.notes), (name, text)


def test_bands_are_put_in_their_order() -> None:
    read = {a.name: a for a in read_attributes(people(), None).attributes}
    assert read["band"].levels == ("under 18", "18-24", "25-34", "65 and over")
    assert read["severity"].levels == ("none", "mild", "moderate", "severe")
    assert read["need"].levels == ("no", "yes")


def test_not_known_is_not_no() -> None:
    assert normal_text(pd.Series(["Yes", "N", "not known", "", None, "refused"])).tolist() == ["yes", "no", None, None, None, None]


def test_text_does_not_depend_on_how_the_file_was_read() -> None:
    as_numbers, as_text = normal_text(pd.Series([1.0, 2.0, np.nan])), normal_text(pd.Series(["1", "2", None]))
    assert as_numbers.tolist() == as_text.tolist()
    assert normal_text(pd.Series([True, False])).tolist() == normal_text(pd.Series(["yes", "N"])).tolist()


def test_new_levels_and_words_among_numbers_are_counted_as_new() -> None:
    table = people()
    attributes = read_attributes(table, ["income", "need", "band"]).attributes
    coded = encode(
        table.head(3).assign(income=["n/a", "a lot", 300], need=["maybe", "yes", None], band=["70-79", None, "18-24"]), attributes
    )
    assert coded.new == {"income": 1, "need": 1, "band": 1}
    assert coded.missing == {"income": 1, "need": 1, "band": 1}


def test_whole_numbers_that_measure_are_no_identifier() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"income": rng.permutation(np.arange(0, 2_000_00, 1000))})
    assert [a.name for a in read_attributes(table, None).attributes] == ["income"]


def test_a_number_that_piles_up_is_taken_in_bands() -> None:
    visits = np.array([0] * 60 + [1] * 20 + [2] * 8 + [3] * 6 + [4] * 3 + [9] * 3)
    (read,) = read_attributes(pd.DataFrame({"visits": visits}), None).attributes
    assert read.kind == "banded"
    assert read.levels == ("0", "1", "2 and over")
    coded = encode(pd.DataFrame({"visits": [0, 1, 2, 50, None, -1]}), [read])
    assert coded.codes[:, 0].tolist() == [0, 1, 2, 2, -1, 0]
    assert coded.numbers.shape == (6, 0)


def test_a_number_spread_out_is_no_band() -> None:
    ages = np.random.default_rng(0).integers(18, 90, 200)
    assert read_attributes(pd.DataFrame({"years": ages}), None).attributes[0].kind == "number"


def test_no_value_of_an_identifier_is_repeated() -> None:
    table = people()
    text = "\n".join(read_attributes(table, None).notes)
    assert "REF0" not in text
    assert not any(str(n) in text for n in table["nhs_number"].head(50))


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("household_ref", [f"h{i // 2}" for i in range(300)], "identifier"),
        ("case_ref", [f"X{i}" for i in range(15)], "identifier"),
        ("seen_on", [20240101 + i % 28 for i in range(300)], "dates"),
        ("seen", [f"{1 + i % 28}-Jan-2024" for i in range(300)], "dates"),
        ("ward_code", [6000 + i % 40 for i in range(300)], "codes"),
        ("postcode", [f"AB{i} 1CD" for i in range(300)], "identifier"),
        ("notes", [f"came about {i}" for i in range(300)], "free text"),
    ],
)
def test_columns_that_compare_nothing_are_named_with_the_reason(name: str, values: list[object], reason: str) -> None:
    reading = read_attributes(pd.DataFrame({name: values, "visits": [i % 7 for i in range(len(values))]}), None)
    assert [a.name for a in reading.attributes] == ["visits"]
    assert any(f"'{name}'" in note and reason in note for note in reading.notes)


def test_columns_that_say_one_thing_twice_are_named() -> None:
    rng = np.random.default_rng(4)
    weekly, home = rng.gamma(2.0, 90.0, 400), rng.choice(["rent", "own", "none"], 400)
    table = pd.DataFrame({"weekly": weekly, "yearly": np.round(weekly * 52, -1), "home": home,
                          "tenure": pd.Series(home).map({"rent": "T", "own": "O", "none": "N"})})  # fmt: skip
    reading = read_attributes(table, None)
    assert [a.name for a in reading.attributes] == ["weekly", "home"]
    assert any("'yearly'" in n and "'weekly'" in n for n in reading.notes)
    assert any("'tenure'" in n and "'home'" in n for n in reading.notes)


def test_slips_among_numbers_and_codes_for_not_known_are_named() -> None:
    rng = np.random.default_rng(6)
    rent = pd.Series(rng.normal(120, 20, 500).round()).astype(object)
    rent[3], rent[4], rent[5:25] = "see file", 9e9, -1
    reading = read_attributes(pd.DataFrame({"rent": rent}), None)
    assert reading.attributes[0].kind == "number"
    text = "\n".join(reading.notes)
    assert "'rent' holds numbers but for less than 1 % that are words; those count as not known." in text
    assert "'rent' is -1 for 4 % of the known" in text
    assert "'rent' is far from all others for less than 1 %" in text
    assert encode(pd.DataFrame({"rent": ["see file", 100]}), reading.attributes).new == {"rent": 1}
