"""What every model gives back, and the one way in which it is asked.

In: a model's paths. Out: `Prediction`, with means that are finite, never negative and there for every series; `Note`, what a model has to
say about a series; `Forecaster`, the protocol. Refuses paths that break this contract: a model mends them first (see
`demand.models.track`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from demand.errors import Fault, ModelError, listed
from demand.tables import History

__all__ = ["PART_COLUMNS", "Forecaster", "Note", "Prediction", "ignored", "logarithmic_mean", "means_table", "parts_table"]

PART_COLUMNS = ("unique_id", "ds", "feature", "value", "contribution")


@dataclass(frozen=True)
class Note:
    """What a model says about one series: it fell back, bridged gaps, ignored a driver.

    Parameters
    ----------
    unique_id : str
        The series; "" where the note is about all of them.
    model : str
    text : str
        In words that an analyst understands.
    """

    unique_id: str
    model: str
    text: str


@dataclass(frozen=True)
class Prediction:
    """What a model expects.

    Parameters
    ----------
    means : pandas.DataFrame
        unique_id, ds, mean: one row a series and future period, sorted.
    parts : pandas.DataFrame or None
        unique_id, ds, feature, value, contribution: per series and period the contributions add up to the mean (1e-6). `value` is what
        the feature was, NaN where it has none.
    notes : tuple of Note
    saved : dict of str to str
        File name to text: what is needed to predict the same again without fitting (LightGBM text, Prophet JSON). Empty for models that
        are fitted anew each time.

    Raises
    ------
    ModelError
        Where a mean is missing, infinite or negative.
    """

    means: pd.DataFrame
    parts: pd.DataFrame | None = None
    notes: tuple[Note, ...] = ()
    saved: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the contract."""
        values = self.means["mean"].to_numpy()
        if not np.isfinite(values).all() or (values < 0).any():
            raise ModelError(
                Fault("a model gave means that are negative or not finite", do_next="This is a fault of the package: please report it")
            )


@runtime_checkable
class Forecaster(Protocol):
    """A model: counts in, expected counts out."""

    @property
    def name(self) -> str:
        """The model's name in a config and in results."""
        ...

    def predict(
        self,
        history: History,
        horizon: int,
        *,
        seed: int,
        drivers: pd.DataFrame | None = None,
        explain: bool = False,
        saved: Mapping[str, str] | None = None,
        jobs: int = 1,
    ) -> Prediction:
        """Say what to expect in the `horizon` periods after the last one of the history, for every series.

        Parameters
        ----------
        history : History
            Cleaned of events. Series may be short, have gaps, be all zero, or end before the others.
        horizon : int
            Periods.
        seed : int
            Of all that is random; the same seed gives the same numbers whatever `jobs` is.
        drivers : pandas.DataFrame, optional
            ds, name, value, low, high: past and future.
        explain : bool
            Whether `parts` are wanted.
        saved : mapping of str to str, optional
            What an earlier prediction handed back as `saved`: used instead of fitting.
        jobs : int
            How many cores may be used.

        Returns
        -------
        Prediction
        """
        ...


def ignored(drivers: pd.DataFrame | None, model: str) -> list[Note]:
    """Say that a model does not use the drivers that it was given."""
    if drivers is None or drivers.empty:
        return []
    return [Note("", model, f"does not use the drivers {listed(drivers['name'].unique())}")]


def means_table(ids: list[str], ds: pd.DatetimeIndex, values: np.ndarray) -> pd.DataFrame:
    """Make the table of means from an array of shape (series, periods)."""
    index = pd.MultiIndex.from_product([ids, ds], names=["unique_id", "ds"])
    return index.to_frame(index=False).assign(mean=np.asarray(values, dtype=np.float64).reshape(-1))


def parts_table(ids: list[str], ds: pd.DatetimeIndex, *, parts: Mapping[str, np.ndarray], values: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Make the table of parts from arrays of shape (series, periods), one a feature; `values` where the feature has any."""
    index = pd.MultiIndex.from_product([ids, ds], names=["unique_id", "ds"]).to_frame(index=False)
    nothing = np.full(len(index), np.nan)
    tables = [
        index.assign(feature=name, value=np.asarray(values.get(name, nothing), dtype=float).reshape(-1), contribution=array.reshape(-1))
        for name, array in parts.items()
    ]
    return pd.concat(tables, ignore_index=True)[list(PART_COLUMNS)].sort_values(["unique_id", "ds"], kind="stable", ignore_index=True)


def logarithmic_mean(a: np.ndarray, b: float) -> np.ndarray:
    """Give L(a, b) = (a - b) / (ln a - ln b), and a where both are the same: what turns a difference of logs exactly into one of people.

    Parameters
    ----------
    a : numpy.ndarray
        Above 0.
    b : float
        Above 0.

    Returns
    -------
    numpy.ndarray
    """
    ratio = np.log(a) - np.log(b)
    near = np.abs(ratio) < 1e-9
    return np.where(near, (a + b) / 2, (a - b) / np.where(near, 1.0, ratio))
