"""Models behind one protocol: counts in, expected counts out.

In: the name of a model. Out: a `Forecaster`. Refuses names that nobody knows. Engines are imported when a model is first asked to
predict.
"""

from __future__ import annotations

from demand.errors import Fault, ModelError, did_you_mean
from demand.models.additive import Additive
from demand.models.baselines import STATISTICAL, Statistical
from demand.models.boosted import Boosted
from demand.models.prediction import Forecaster, Note, Prediction
from demand.models.working_days import OnWorkingDays

__all__ = ["AUTO", "CHEAP", "MODELS", "Forecaster", "Note", "Prediction", "build"]

MODELS: tuple[str, ...] = (*STATISTICAL, "prophet", "lightgbm")
"""Every model that a config may name."""
AUTO: tuple[str, ...] = ("seasonal_naive", "ets", "theta", "ces", "prophet", "lightgbm")
"""The models of `models: auto`."""
CHEAP: tuple[str, ...] = ("seasonal_naive", "theta", "ces")
"""Models that take less than ten milliseconds a series: many cutoffs of them can be replayed."""


def build(name: str) -> Forecaster:
    """Give the model of that name.

    Parameters
    ----------
    name : str
        One of `MODELS`.

    Returns
    -------
    Forecaster

    Raises
    ------
    ModelError
        Where no model has that name.

    Examples
    --------
    >>> build("theta").name
    'theta'
    """
    if name in STATISTICAL:
        return OnWorkingDays(Statistical(name))
    if name == "lightgbm":
        return OnWorkingDays(Boosted())
    if name == "prophet":
        return OnWorkingDays(Additive())
    raise ModelError(Fault(f"'{name}' is not a model", where="forecast > models", allowed=did_you_mean(name, MODELS)))
