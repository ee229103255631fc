"""Models of counts: how much a person is expected to use, by four models.

In: columns, counts and segments of people. Out: `Fitted`, which gives the expected count of other people by every model of `MODELS`, and
what the trees look at. Refuses nothing; what the models are worth is for `expected` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.segments.columns import by_attribute
from demand.spec import stream
from demand.trees import Trees, TreeSettings, fit_trees

__all__ = ["MODELS", "Fitted", "deviance", "drivers_of_use", "fit_counts"]

MOST_ROWS = 20_000
ROUNDS, GROWN = (60, 120, 250), 3
MODELS = ("segment average", "Poisson regression", "LightGBM", "mean of the two models")
"""The first is what the others are held against; of two models that err in different ways the mean often errs least."""
Predict = Callable[[pd.DataFrame], np.ndarray]


@dataclass(frozen=True)
class Fitted:
    """The models of one set of people."""

    means: pd.Series
    mean: float
    regression: Predict
    trees: tuple[Trees, ...]

    def predict(self, table: pd.DataFrame, segment: np.ndarray) -> dict[str, np.ndarray]:
        """Give the expected use of each row by every model of `MODELS`."""
        # Who is in a segment that the fit did not have is expected to use what everybody does.
        average = pd.Series(segment).map(self.means).fillna(self.mean).to_numpy(dtype=float)
        plain, grown = self.regression(table), np.mean([t.predict(table) for t in self.trees], axis=0)
        made = (average, plain, grown, (plain + grown) / 2)
        return {name: np.maximum(values, 1e-6) for name, values in zip(MODELS, made, strict=True)}


def fit_counts(table: pd.DataFrame, use: np.ndarray, segment: np.ndarray, seed: int) -> Fitted:
    """Fit all models.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns of numbers; NaN is not known.
    use : numpy.ndarray
        Counts, by row.
    segment : numpy.ndarray
        The segment of each row.
    seed : int

    Returns
    -------
    Fitted
    """
    at = np.sort(stream(seed, "segments", "use rows").permutation(len(table))[:MOST_ROWS])
    shown, counted = table.iloc[at], use[at]
    return Fitted(pd.Series(use).groupby(segment).mean(), float(use.mean()), _regression(shown, counted), _trees(shown, counted, seed))


def _trees(table: pd.DataFrame, use: np.ndarray, seed: int) -> tuple[Trees, ...]:
    """Grow trees a few times from other random numbers; how many of them, a quarter of the people decides."""
    held = stream(seed, "segments", "use rounds").permutation(len(table)) % 4 == 0
    most = _grown(table[~held], use[~held], max(ROUNDS), seed)
    tried = [most.predict(table[held], first=rounds) for rounds in ROUNDS]
    rounds = ROUNDS[int(np.argmin([deviance(use[held], np.maximum(t, 1e-6)).sum() for t in tried]))]
    return tuple(_grown(table, use, rounds, seed + k) for k in range(GROWN))


def _grown(table: pd.DataFrame, use: np.ndarray, rounds: int, seed: int) -> Trees:
    least = int(np.clip(len(table) // 100, 20, 200))
    settings = TreeSettings(objective="poisson", rounds=rounds, leaves=5, rows_per_leaf=least)
    return fit_trees(table.reset_index(drop=True), use, settings=settings, seed=seed)


def _regression(table: pd.DataFrame, use: np.ndarray) -> Predict:
    """Fit a plain Poisson regression; what is not known is the mean, with a column that says so."""
    from sklearn.linear_model import PoissonRegressor

    centre, spread = table.mean(), table.std().replace(0.0, 1.0)
    holes = [c for c in table if table[c].isna().any()]

    def design(t: pd.DataFrame) -> np.ndarray:
        # A standardised column has its mean at 0: that is where those not known are put, and the extra column tells them apart.
        known = ((t - centre) / spread).clip(-10, 10).fillna(0.0)
        return np.column_stack([known.to_numpy(), t[holes].isna().to_numpy(dtype=float)])

    fitted = PoissonRegressor(alpha=1e-3, max_iter=500).fit(design(table), use)
    most = max(float(use.max()), 1.0)
    return lambda t: np.clip(fitted.predict(design(t)), 1e-6, most)


def deviance(use: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Give the Poisson deviance by person, 2 (y log(y / mu) - y + mu): McCullagh and Nelder (1989), Generalized linear models, ch. 2."""
    return np.asarray(2 * (np.where(use > 0, use * np.log(np.maximum(use, 1e-12) / mean), 0.0) - use + mean))


def drivers_of_use(table: pd.DataFrame, owners: Sequence[str], use: np.ndarray, seed: int) -> pd.DataFrame:
    """Say what the trees look at: the share of each feature in the mean absolute SHAP values, over people and never of one.

    Parameters
    ----------
    table : pandas.DataFrame
    owners : sequence of str
        By column, the feature that it belongs to.
    use : numpy.ndarray
    seed : int

    Returns
    -------
    pandas.DataFrame
        feature, share; largest first.
    """
    at = np.sort(stream(seed, "segments", "use rows").permutation(len(table))[: MOST_ROWS // 2])
    shown = table.iloc[at].reset_index(drop=True)
    sizes = by_attribute(_grown(shown, use[at], ROUNDS[1], seed).contributions(shown)[0], owners)
    return pd.DataFrame({"feature": sizes.index, "share": (sizes / max(sizes.sum(), 1e-12)).to_numpy()})
