"""How good forecasts have been: the forecast itself, replayed at earlier dates with what was known then.

In: a history and a forecast with its replays. Out: `Backtest`: what was said and what came for every series, group and year; accuracy,
coverage and bias; the track record in words.
"""

from demand.evaluation.accuracy import scale_of
from demand.evaluation.backtest import Backtest, backtest
from demand.nested import ENOUGH

__all__ = ["ENOUGH", "Backtest", "backtest", "scale_of"]
