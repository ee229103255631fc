"""Bars and steps: drawn whatever the amounts are."""

import re

import pandas as pd
import pytest

from demand.report.bars import bars, ranges, steps


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
