"""What other areas teach, on children's social care in England: trees that see them too are nearer where our own years are few."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from demand.calendar import Frequency
from demand.people import Beside, People
from demand.tables import History

YEARS = Frequency("Y", 3)
OURS, OTHERS, COUNTS, AHEAD = 8, 30, 8, 3


def history(table: pd.DataFrame) -> History:
    return History.of(table[["unique_id", "ds", "y", "measure", "la_code"]], YEARS, keys=["measure", "la_code"])


def error(told: pd.DataFrame, truth: pd.DataFrame) -> float:
    both = told.merge(truth, on=["unique_id", "ds"])
    return float(((both["mean"] - both["y"]).abs() / both.groupby("unique_id")["y"].transform("mean")).mean())


def test_trees_that_learn_from_other_authorities_err_less_on_eight_years_of_one(real_data: Path) -> None:
    rows = pd.read_csv(real_data / "childrens_social_care_england_annual.csv", parse_dates=["ds"])
    rows = rows[rows.groupby("unique_id")["y"].transform("count") >= 12].assign(ds=lambda t: YEARS.start_of(pd.DatetimeIndex(t["ds"])))
    areas = np.array(sorted(rows["la_code"].unique()))
    np.random.default_rng(7).shuffle(areas)
    others = history(rows[rows["la_code"].isin(areas[OURS : OURS + OTHERS])])
    last = sorted(rows["ds"].unique())[-AHEAD - 1]
    errors = []
    for area in areas[:OURS]:
        mine = rows[rows["la_code"] == area]
        past = history(mine[mine["ds"] <= last].groupby("unique_id").tail(COUNTS))
        errors.append(
            [error(People(beside=Beside(others=o)).build("lightgbm").predict(past, AHEAD, seed=1).means, mine) for o in (None, others)]
        )
    alone, pooled = np.mean(errors, axis=0)
    assert pooled < 0.95 * alone
