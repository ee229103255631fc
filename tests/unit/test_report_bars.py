"""Bars and steps: drawn whatever the amounts are."""

import io
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from demand.report.bars import bars, ranges, steps
from demand.report.figures import several


@pytest.mark.parametrize("amounts", [[0.0, 0.0], [0.0, -5.0], [3.0, 0.0]])
def test_amounts_of_nought_are_drawn(amounts) -> None:
    frame = pd.DataFrame({"name": ["one", "two"], "amount": amounts})
    assert "<svg" in steps(frame, title="the change", start=0.0, money=True, total="All").svg
    assert "<svg" in bars(frame.rename(columns={"amount": "value"}), title="effects", of="driver", money=False).svg


def test_a_bar_that_is_low_carries_its_number_and_not_the_budget() -> None:
    frame = pd.DataFrame({"name": ["2026-27"], "mean": [2e5], "low": [1e5], "high": [3e5], "mark": [15e5]})
    svg = ranges(frame, title="spending", of="year", money=True).svg
    number = float(re.search(r'y="([0-9.]+)"[^>]*>£200,000<', svg)[1])
    foot, top = (float(re.search(rf'y="([0-9.]+)"[^>]*>{said}<', svg)[1]) for said in ("£0", "£1.6m"))
    assert foot > number > (foot + top) / 2


def test_what_is_told_as_nought_has_no_plus_and_no_chance_is_certain() -> None:
    frame = pd.DataFrame({"name": ["one", "two"], "value": [0.01, 3.0]})
    assert "one 0 and two +3" in bars(frame, title="effects", of="driver", money=False).alt
    chances = bars(frame.assign(value=[0.0, 1.0]), title="chances", of="line", money=False, share=True)
    assert "one &lt;5%" in chances.alt.replace("<", "&lt;")
    assert "two >95%" in chances.alt


@pytest.mark.parametrize("names", [["Rents 10% higher"], [f"{i} A very long scenario name about accommodation costs" for i in range(10)]])
def test_names_of_scenarios_stay_inside_the_picture(names: list[str]) -> None:
    months = pd.date_range("2026-01-01", periods=12, freq="MS")
    frame = pd.concat([pd.DataFrame({"name": name, "ds": months, "mean": 1280.0}) for name in names])
    counted = pd.DataFrame({"ds": pd.date_range("2025-01-01", periods=12, freq="MS"), "y": 1000.0})
    picture = np.asarray(Image.open(io.BytesIO(several(frame, counted, title="people", write=str).png)).convert("L"))
    assert (picture[:, -3:] == 255).all()
    assert (picture[-3:] == 255).all()
