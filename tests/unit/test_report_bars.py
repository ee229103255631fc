"""Bars and steps: drawn whatever the amounts are."""

import pandas as pd
import pytest

from demand.report.bars import bars, steps


@pytest.mark.parametrize("amounts", [[0.0, 0.0], [0.0, -5.0], [3.0, 0.0]])
def test_amounts_of_nought_are_drawn(amounts) -> None:
    frame = pd.DataFrame({"name": ["one", "two"], "amount": amounts})
    assert "<svg" in steps(frame, title="the change", start=0.0, money=True, total="All").svg
    assert "<svg" in bars(frame.rename(columns={"amount": "value"}), title="effects", of="driver", money=False).svg
