"""What episodes say of each other, where cells of them are empty."""

from __future__ import annotations

import warnings
from pathlib import Path

import pandas as pd
import pytest

from demand.data.read import PeopleSpec, read_people
from demand.errors import DataError


def test_open_episodes_of_nobody_are_refused_in_our_own_words(tmp_path):
    rows = {"id": ["1", "2", "3", "4"], "who": ["a", None, None, "b"], "start": ["2024-01-01"] * 4, "end": [None, None, None, "2024-02-01"]}
    pd.DataFrame(rows).to_csv(tmp_path / "p.csv", index=False)
    spec = PeopleSpec(path="p.csv", id="id", person="who", opened="start", closed="end")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError, match="an empty cell in rows 3, 4"):
            read_people(spec, tmp_path, key=b"a published key for tests")


def test_the_number_of_a_row_is_one_though_such_a_number_says_nothing_elsewhere(tmp_path: Path) -> None:
    """Row 3 of another extract is somebody else; of this one it is somebody."""
    spec = PeopleSpec(path="p.csv", id="row", attributes=("need",), missing=("3",))
    every = []
    for needs in (("few", "many", "few"), ("few", "few", "many")):
        (tmp_path / "p.csv").write_text("need\n" + "\n".join(needs) + "\n", encoding="utf-8")
        people, _ = read_people(spec, tmp_path, key=b"a published key for tests")
        assert people["person_id"].notna().all()
        every += list(people["person_id"])
    assert len(set(every)) == 6
