"""Means that agree with forecasts of the totals themselves, where replay shows that this helps.

In: what the combination and cheap models of totals would have said at earlier cutoffs, and what came. Out: means of the lowest level, moved
towards agreement with the totals' own forecasts (MinT), or left as they are (bottom-up), and why. The choice is made from earlier cutoffs
alone. Draws are made around these means afterwards, so that they stay counts, never negative, and add up. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from demand.combine import combined
from demand.cube import Cube
from demand.events import Event
from demand.hierarchy import HierarchySpec
from demand.models import Forecaster, Prediction, build
from demand.replay import BUDGET, Origins, Task, replay, rough_seconds
from demand.sums import Sums, mint_gains, summed, sums_of
from demand.tables import History

__all__ = ["CHOICES", "Choice", "Totals", "reconcile"]

CHOICES = Literal["auto", "bottom_up", "mint"]
CLOSE, MAIN = ("theta", "ces"), ("ets",)
"""Models of totals, averaged: cheap ones at many cutoffs, ETS at main ones; of those too slow for so many totals the first alone."""
MOST = 12
"""Cutoffs, beside the main ones, at which totals are replayed."""
MOST_TOTALS = 200
"""Totals that are forecast by themselves: the upper ones."""
ENOUGH, JUDGED = 3, 5
"""Fewest earlier cutoffs from which weights of MinT are learnt, and fewest judged ones on which the choice rests."""
GAIN, LOSS, MOSTLY = 0.03, 0.0, 0.75
"""MinT is taken where the error of totals falls by the first at least, that of the series rises by no more than the second, and totals are
nearer at so many of the cutoffs."""
NEAR = 2.0
"""No mean is moved by more than this factor, either way."""


@dataclass(frozen=True)
class Choice:
    """Means of the lowest level, and why they are what they are.

    Parameters
    ----------
    mean : numpy.ndarray
        Shape (series, horizon).
    used : bool
        Whether they were reconciled.
    note : str
        Empty where there was nothing to choose.
    """

    mean: np.ndarray
    used: bool = False
    note: str = ""

    def noted(self, notes: pd.DataFrame) -> pd.DataFrame:
        """Put why behind the notes of a forecast."""
        told = pd.DataFrame([("", "combined", self.note)] if self.note else [], columns=notes.columns)
        return pd.concat([notes, told], ignore_index=True) if self.note else notes


@dataclass(frozen=True)
class _OfSums:
    """A model of the totals of a history of the lowest level."""

    model: Forecaster
    sums: Sums

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

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
        """Add the history up and say what to expect of the totals (see `Forecaster`); drivers and parts are not used."""
        del drivers, explain, saved
        whole = summed(history, self.sums)
        if whole is None:
            return Prediction(pd.DataFrame({"unique_id": [], "ds": pd.DatetimeIndex([]), "mean": np.empty(0)}))
        return self.model.predict(whole, horizon, seed=seed, jobs=jobs)


@dataclass(frozen=True)
class Totals:
    """The totals of the lowest level, and what cheap models say about them.

    Parameters
    ----------
    sums : Sums
    jobs : int
    """

    sums: Sums
    jobs: int = 1

    @classmethod
    def of(cls, history: History, hierarchy: HierarchySpec, how: CHOICES, *, jobs: int = 1) -> Totals:
        """Give the totals that may be forecast by themselves: none where parts are to be added up, the upper ones where there are many."""
        sums = sums_of(history.series, hierarchy)
        most = 0 if how == "bottom_up" else MOST_TOTALS
        return cls(Sums(sums.ids[:most], sums.matrix[:most], sums.series, sums.labels.iloc[:most]), jobs)

    def build(self, name: str) -> Forecaster:
        """Give a model of the totals."""
        return _OfSums(build(name), self.sums)

    def plan(self, cutoffs: Sequence[pd.Timestamp], of: Origins, history: History) -> list[Task]:
        """Say which model of the totals is replayed where, within the budget of any model (see `demand.replay.plan`)."""
        each = {m: rough_seconds(m, history, len(self.sums.ids)) for m in (*CLOSE, *MAIN)}
        tasks: list[Task] = []
        for model in CLOSE:
            most = int(np.clip(BUDGET["close"] / max(each[model], 1e-9) - len(of.main), ENOUGH, MOST))
            some = sorted({*map(pd.Timestamp, cutoffs[:: -max(1, -(-len(cutoffs) // most))]), *of.main})
            if model == CLOSE[0] or each[model] * len(some) <= BUDGET["close"]:
                tasks += [Task(model, c) for c in some]
        return tasks + [Task(m, c) for m in MAIN if each[m] * len(of.main) <= BUDGET["main"] for c in of.main]

    def replayed(
        self,
        replays: pd.DataFrame,
        of: Origins,
        history: History,
        *,
        seed: int,
        events: Sequence[Event],
        progress: Callable[[str, float], None] | None = None,
    ) -> pd.DataFrame:
        """Give REPLAYS with those of the totals behind them, at some of their cutoffs."""
        if not self.sums.ids or replays.empty:
            return replays
        tasks = self.plan([c for c in sorted(replays["cutoff"].unique()) if c <= of.main[-1]], of, history)  # whole paths
        told = None if progress is None else lambda what, share: progress(f"{what} of totals", share)
        more = replay(history, self.build, tasks, steps=of.steps, seed=seed, events=events, jobs=self.jobs, progress=told)
        return pd.concat([replays, more], ignore_index=True)

    def ahead(
        self, seen: Callable[[], History], horizon: int, *, replays: pd.DataFrame, cutoff: pd.Timestamp | None, seed: int
    ) -> np.ndarray:
        """Give what is expected of the totals, shape (totals, horizon); NaN where a total was seldom counted whole.

        What all their models said at `cutoff` is taken from REPLAYS where it is there; else they are asked.
        """
        mine = replays[replays["unique_id"].isin(self.sums.ids)]
        models, then = [m for m in (*CLOSE, *MAIN) if m in set(mine["model"])], mine[mine["cutoff"] == cutoff]
        if cutoff is not None and set(models) == set(then["model"]) and then["ds"].nunique() >= horizon:
            every = then.groupby(["unique_id", "ds"])["mean"].mean().unstack("ds").iloc[:, :horizon]
            return np.asarray(every.reindex(self.sums.ids).to_numpy())
        known = seen()
        if summed(known, self.sums) is None or not models:
            return np.full((len(self.sums.ids), horizon), np.nan)
        said = [self.build(m).predict(known, horizon, seed=seed, jobs=self.jobs).means for m in models]
        every = pd.concat(said).groupby(["unique_id", "ds"])["mean"].mean().unstack("ds")
        return np.asarray(every.reindex(self.sums.ids).to_numpy())

    def said(self, replays: pd.DataFrame, cube: Cube) -> np.ndarray:
        """Give what was expected of the totals at the cutoffs of the cube, shape (cutoffs, totals, steps)."""
        mine = replays[replays["unique_id"].isin(self.sums.ids)]
        shape = (len(cube.cutoffs), len(self.sums.ids), cube.y.shape[2])
        if mine.empty:
            return np.full(shape, np.nan)
        means = mine.groupby(["cutoff", "unique_id", "ds"], as_index=False)["mean"].mean()
        c = cube.cutoffs.get_indexer(pd.DatetimeIndex(means["cutoff"]))
        g = pd.Index(self.sums.ids).get_indexer(means["unique_id"])
        h = means.groupby(["cutoff", "unique_id"])["ds"].rank().to_numpy().astype(int) - 1
        found = np.full(shape, np.nan)
        inside = (c >= 0) & (h < shape[2])
        found[c[inside], g[inside], h[inside]] = means["mean"].to_numpy()[inside]
        return found


def reconcile(
    cube: Cube,
    weights: Mapping[str, float],
    mean: np.ndarray,
    *,
    totals: Totals,
    replays: pd.DataFrame,
    seen: Callable[[], History],
    how: CHOICES = "auto",
    cutoff: pd.Timestamp | None = None,
    seed: int = 1,
) -> Choice:
    """Choose between the means as they are and means that agree with the totals' own forecasts.

    Parameters
    ----------
    cube : Cube
        What was known when the forecast was made.
    weights : mapping of str to float
    mean : numpy.ndarray
        Shape (series, horizon): the combination's means.
    totals : Totals
    replays : pandas.DataFrame
        REPLAYS, with those of the totals.
    seen : callable
        Gives the history of the lowest level that models see; asked only where totals are to be forecast.
    how : "auto", "bottom_up" or "mint"
    cutoff : pandas.Timestamp, optional
        The last period that was known, where REPLAYS may say what was expected of the totals from there.
    seed : int

    Returns
    -------
    Choice

    Notes
    -----
    At each earlier cutoff the weights of MinT come from the errors that had come by then, and both ways are held against what came.
    """
    sums = totals.sums
    if not sums.ids or len(cube.at) == 0 or not any(w > 0 and m in cube.means for m, w in weights.items()):
        return Choice(mean)
    bottom, said = combined(cube.means, weights), totals.said(replays, cube)
    note, used = (
        ("means agree with forecasts of the totals (MinT), as asked", True) if how == "mint" else _weighed(cube, bottom, said, sums)
    )
    if not used:
        return Choice(mean, note=note)
    ahead = totals.ahead(seen, mean.shape[1], replays=replays, cutoff=cutoff, seed=seed)
    moved = _moved(cube.y - bottom, _whole(cube.y, sums) - said, sums, mean, ahead)
    return Choice(mean) if moved is None else Choice(moved, used=True, note=note)


def _weighed(cube: Cube, bottom: np.ndarray, said: np.ndarray, sums: Sums) -> tuple[str, bool]:
    """Hold both ways against what came, at earlier cutoffs, and say which is taken."""
    judged = _judged(cube, bottom, said, sums)
    if len(judged) < JUDGED:
        return "", False
    totals, series = (1 - judged[f"{n}_mint"].sum() / max(judged[f"{n}_plain"].sum(), 1e-12) for n in ("totals", "series"))
    better = (judged["totals_mint"] < judged["totals_plain"]).mean()
    used = bool(totals >= GAIN and series >= -LOSS and better >= MOSTLY)
    told = "means agree with forecasts of the totals (MinT)" if used else "totals are the sums of their parts"
    at = f"at {len(judged)} earlier cutoffs"
    return f"{told}: {at} MinT changed the error of totals by {-totals:+.1%} and that of series by {-series:+.1%}", used


def _whole(y: np.ndarray, sums: Sums) -> np.ndarray:
    """Add up series, shape (..., series, steps), to totals; NaN where a part is not known."""
    return np.asarray(sums.matrix @ np.where(np.isnan(y), 0.0, y) + _missing(y, sums))


def _missing(values: np.ndarray, sums: Sums) -> np.ndarray:
    """Give NaN for totals of which a part is missing, else 0."""
    return np.where(sums.matrix @ np.isnan(values).astype(float) > 0, np.nan, 0.0)


def _moved(errors: np.ndarray, of_totals: np.ndarray, sums: Sums, mean: np.ndarray, ahead: np.ndarray) -> np.ndarray | None:
    """Move means towards the totals' forecasts; None where errors were seen at too few cutoffs."""
    seen = np.isfinite(of_totals).any(axis=2).sum(axis=0) >= ENOUGH
    there = seen & np.isfinite(ahead).all(axis=1) & np.isfinite(_missing(mean, sums)).all(axis=1)
    if not there.any():
        return None
    flat, above = (e.transpose(0, 2, 1).reshape(-1, e.shape[1]) for e in (errors, of_totals[:, there]))
    gains = mint_gains(flat, above, sums.matrix[there], overlap=errors.shape[2])
    known = np.where(np.isfinite(mean), mean, 0.0)
    moved = mean + gains @ (ahead[there] - sums.matrix[there] @ known)
    return np.asarray(np.clip(moved, mean / NEAR, mean * NEAR))


def _judged(cube: Cube, bottom: np.ndarray, said: np.ndarray, sums: Sums) -> pd.DataFrame:
    """Give the errors of both ways at each cutoff that had enough behind it: of totals and of series, scaled by their usual size."""
    truth = _whole(cube.y, sums)
    plain_totals = _whole(bottom, sums)
    size = {"totals": _size(truth - plain_totals), "series": _size(cube.y - bottom)}
    steps, rows = np.arange(1, cube.y.shape[2] + 1), []
    for k, place in enumerate(cube.at):
        before = cube.at < place
        if before.sum() < ENOUGH or not np.isfinite(said[k]).any():
            continue
        late = (cube.at[before][:, None] + steps[None, :] > place)[:, None, :]
        errors, of_totals = (np.where(late, np.nan, e[before]) for e in (cube.y - bottom, truth - said))
        moved = _moved(errors, of_totals, sums, bottom[k], said[k])
        if moved is None or not np.isfinite(truth[k] - plain_totals[k]).any():
            continue
        row = {"at": float(place)}
        for name, mean in (("plain", bottom[k]), ("mint", moved)):
            whole = _whole(mean, sums)
            row[f"totals_{name}"] = float(np.nanmean(np.abs(truth[k] - whole) / size["totals"]))
            row[f"series_{name}"] = float(np.nanmean(np.abs(cube.y[k] - mean) / size["series"]))
        rows.append(row)
    return pd.DataFrame(rows)


def _size(errors: np.ndarray) -> np.ndarray:
    """Give the usual size of errors, shape (rows, 1)."""
    seen = np.isfinite(errors)
    size = np.where(seen, np.abs(errors), 0.0).sum(axis=(0, 2)) / np.maximum(seen.sum(axis=(0, 2)), 1)
    return np.asarray(np.maximum(size, 0.1 * size.mean() + 1e-9)[:, None])
