"""What drivers may do in the periods ahead, as draws, and what that adds to the spread of demand.

In: DRIVERS, some with a published future and its range, some that stop where they were last published. Out: `Futures`: a central path for
every driver to the end of the horizon, and draws of whole paths around it; and draws of demand in which they act through EFFECTS, one draw
of the driver with one draw of its elasticity. Refuses ranges that do not hold their value, and drivers without a future that cannot be
forecast from their own past.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from demand.counts import to_counts
from demand.effects import EFFECT_COLUMNS, estimate_effects
from demand.errors import DataError, Fault, listed, raise_all
from demand.models import build
from demand.people import Beside, People, people_of
from demand.replay import cube_of, drivers_as_known, origins, plan, replay
from demand.spec import EIGHTY, stream
from demand.tables import History
from demand.uncertainty import draw_paths, learn_errors

__all__ = ["FUTURE_COLUMNS", "Futures", "driver_futures", "followed", "spread_by_drivers"]

FUTURE_COLUMNS = ("ds", "name", "value", "low", "high", "source")
OWN = "theta"
"""The model by which a driver without a published future is forecast: cheap, so that many cutoffs measure its errors."""
FEWEST = 8
"""Figures below which a driver is not forecast from its own past."""
WALK = 0.5
"""How a range is shared out over paths: with 1 each period adds a surprise of its own (a random walk), with 0 a path that begins high stays
as high; a publisher's range says neither. Half way, the spread of a year's total is within 8 % of both."""
LEAST_KEPT = 0.5
"""Least share of its own deviations that a series keeps beside its drivers' futures."""


@dataclass(frozen=True)
class Futures:
    """What drivers may do.

    Parameters
    ----------
    table : pandas.DataFrame
        DRIVERS with a value in every period to the end of the horizon, and `source`: known, published, assumed certain, own forecast.
    paths : mapping of str to numpy.ndarray
        By driver: log of a draw over the central path, shape (periods ahead, draws); drivers without uncertainty are not in it.
    effects : pandas.DataFrame
        EFFECTS, with as many draws.
    notes : tuple of str
    people : People
        Whose figures each series is forecast per.
    """

    table: pd.DataFrame
    paths: Mapping[str, np.ndarray] = field(repr=False)
    effects: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()
    people: People = field(default_factory=People)

    def beside(self, beside: Beside) -> Futures:
        """Give the same with what takes part beside our own counts."""
        return replace(self, people=replace(self.people, beside=beside))

    @property
    def given(self) -> pd.DataFrame | None:
        """The drivers as models see them; None where there are none."""
        return None if self.table.empty else self.table


def driver_futures(
    drivers: pd.DataFrame | None, history: History, horizon: int, *, draws: int, seed: int, per: str | None = None
) -> Futures:
    """Draw what the drivers may do in the periods ahead, and estimate what they do to demand.

    Where a range is given it is taken for an 80 % range, with two halves of normals on the scale of logs (Wallis 2014, see `Assumption`),
    and a draw is a whole path: neighbouring periods hang together, see `WALK`. Where a future is not given, or ends early, the driver is
    forecast from its own figures, and its errors in replays say how far off that may be. A future given without a range is taken as known.

    Parameters
    ----------
    drivers : pandas.DataFrame or None
        ds, name, value, and low and high where there are any.
    history : History
        Of demand, cleaned of events.
    horizon : int
    draws, seed : int
    per : str, optional
        The population that demand is forecast per.

    Returns
    -------
    Futures

    Raises
    ------
    DataError
        Where a driver has two figures for a period, or one that is not finite; a range does not hold its value; a driver without a future
        cannot be forecast; or people are not known.
    SettingsError
        Where no driver is the population.
    """
    people, drivers = people_of(drivers, per, history)
    if drivers is None or drivers.empty:
        return Futures(pd.DataFrame(columns=list(FUTURE_COLUMNS)), {}, pd.DataFrame(columns=list(EFFECT_COLUMNS)))
    given = drivers.reindex(columns=["ds", "name", "value", "low", "high"]).dropna(subset=["value"])
    ahead = history.frequency.after(history.last, horizon)
    raise_all(_figure_faults(given) or _range_faults(given[given["ds"] > history.last]), DataError, during="checking the drivers")
    own = _from_own_past(given, history, ahead[-1], draws=draws, seed=seed)
    tables, paths, notes = [], {}, []
    for name, rows in given.groupby("name", sort=True):
        table, path = _one(rows, history.last, own.get(str(name)), seed=seed, draws=draws)
        tables.append(table.assign(name=name))
        if (table["value"] > 0).all() and path.reindex(ahead).to_numpy().any():
            paths[str(name)] = path.reindex(ahead, fill_value=0.0).to_numpy()
        notes += [(str(name), text) for text in (_note(table, str(name), own), _note_on_reach(table, history.last)) if text]
    table = pd.concat(tables, ignore_index=True)[list(FUTURE_COLUMNS)]
    table.attrs.update(drivers.attrs)
    others = given if not people.per else given[~given["name"].isin(set(people.of.values()))]
    effects = estimate_effects(people.today(history, given), others, draws=draws, seed=seed, signs=drivers.attrs.get("signs"))
    every = [e for e in (effects, people.effects(history.ids, draws, given)) if len(e)]
    effects = pd.concat(every, ignore_index=True) if every else pd.DataFrame(columns=list(EFFECT_COLUMNS))
    return Futures(table, paths, effects, _told(notes), people)


def _figure_faults(rows: pd.DataFrame) -> list[Fault]:
    """Name the drivers with two figures for one period, or one that is not finite; an end of a range may be missing."""
    endless = np.isinf(rows[["value", "low", "high"]].astype(float)).any(axis=1)
    wrong = {"two figures": rows.duplicated(["name", "ds"]), "a figure that is not finite": endless}
    first = [(what, rows[at].drop_duplicates("name")) for what, at in wrong.items()]
    allowed = "One finite figure for each period"
    return [
        Fault(f"{what} for {row.ds:%Y-%m-%d}", f"drivers > {row.name}", allowed)
        for what, part in first
        for row in part.itertuples(index=False)
    ]


def _range_faults(rows: pd.DataFrame) -> list[Fault]:
    faults = []
    for name, part in rows.groupby("name", sort=True):
        ranged = part[part["low"].notna() | part["high"].notna()]
        wrong = ranged[~((ranged["low"] <= ranged["value"]) & (ranged["value"] <= ranged["high"]))]
        wrong = pd.concat([wrong, ranged[(ranged["value"] > 0) & (ranged["low"] <= 0)]]).drop_duplicates()
        if len(wrong):
            row = wrong.iloc[0]
            found = f"{len(wrong)} rows whose range does not hold the value: on {row['ds']:%Y-%m-%d} {row['low']:g} to {row['high']:g}"
            faults.append(
                Fault(f"{found}, value {row['value']:g}", where=f"drivers > {name}", allowed="Above 0: low, value, high, in this order")
            )
    return faults


def _from_own_past(
    given: pd.DataFrame, history: History, end: pd.Timestamp, *, draws: int, seed: int
) -> dict[str, tuple[pd.Series, pd.DataFrame]]:
    """Forecast the drivers that stop too early: their central paths, and logs of draws over them; drivers that stop together, together."""
    frequency, reach = history.frequency, given.groupby("name")["ds"].max()
    short = reach[reach < end]
    raise_all(_cannot(given, short, history), DataError, during="checking the drivers")
    found = {}
    for last, names in short.groupby(short).groups.items():
        rows = given[given["name"].isin(list(names))].rename(columns={"name": "unique_id", "value": "y"})
        past = History.of(rows, frequency, kind="stock", unit="figures")
        ds = frequency.between(frequency.after(pd.Timestamp(last), 1)[0], end)
        chance = int(stream(seed, "driver futures", last).integers(2**31))
        of = origins(past, len(ds))
        replays = replay(past, build, plan(past, [OWN], of), steps=of.steps, seed=chance)
        cube, whole = cube_of(replays, past, steps=of.steps), np.zeros(len(past.ids), dtype=bool)
        said = build(OWN).predict(past, len(ds), seed=chance).means["mean"].to_numpy().reshape(len(past.ids), len(ds))
        least = past.wide.min().to_numpy()[:, None] / 10
        mean = np.maximum(said, least)
        of_own = cube.means.get(OWN, np.full(cube.y.shape, np.nan))
        errors = learn_errors(cube.y, of_own, horizon=len(ds), whole=whole, aged=cube.now - cube.at)
        drawn = np.maximum(draw_paths(mean, errors, whole=whole, draws=draws, seed=chance, keys=past.ids), least[:, :, None])
        for k, name in enumerate(past.ids):
            found[name] = pd.Series(mean[k], index=ds), pd.DataFrame(np.log(drawn[k] / mean[k][:, None]), index=ds)
    return found


def _cannot(given: pd.DataFrame, short: pd.Series, history: History) -> list[Fault]:
    """Say which drivers without a future cannot be forecast either."""
    faults = []
    for name, last in short.items():
        values = given.loc[given["name"] == name, "value"]
        behind = max(len(history.frequency.between(last, history.last)) - 1, 0)
        why = ""
        if (values <= 0).any():
            why = "it is not always above 0"
        elif len(values) < FEWEST:
            why = f"it has {len(values)} figures, and {FEWEST} are needed"
        elif behind > max(round(history.frequency.per_year), 2):
            why = f"it ends {behind} periods before the history does"
        if why:
            faults.append(
                Fault(
                    f"the driver '{name}' has no future: its last value is for {last:%Y-%m-%d}",
                    where="data > drivers",
                    allowed=f"It cannot be forecast from its own past either: {why}",
                    do_next="Add a published projection, with low and high, or leave the driver out",
                )
            )
    return faults


def _one(
    rows: pd.DataFrame, known_until: pd.Timestamp, own: tuple[pd.Series, pd.DataFrame] | None, *, seed: int, draws: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give one driver's table to the end of the horizon, and logs of its draws over the central path."""
    rows = rows.sort_values("ds").set_index("ds")
    ahead = rows[rows.index > known_until]
    ranged = ahead["low"].notna() & ahead["high"].notna()
    source = pd.Series("known", index=rows.index).mask(rows.index > known_until, "assumed certain")
    source.loc[ranged.index[ranged]] = "published"
    path = _paths_in_range(ahead, str(rows["name"].iloc[0]), seed=seed, draws=draws)
    table = rows[["value", "low", "high"]].assign(source=source)
    if own is not None:
        mean, drawn = own
        path = pd.concat([path, drawn + (path.iloc[-1] if len(path) else 0.0)])
        low, high = (mean * np.exp(path.loc[mean.index].quantile(q, axis=1)) for q in (0.1, 0.9))
        table = pd.concat([table, pd.DataFrame({"value": mean, "low": low, "high": high, "source": "own forecast"})])
    return table.rename_axis("ds").reset_index(), path


def _paths_in_range(ahead: pd.DataFrame, name: str, *, seed: int, draws: int) -> pd.DataFrame:
    """Draw paths of which four in five lie between low and high in each period; 0 where no range is given."""
    ranged = (ahead["low"].notna() & ahead["high"].notna() & (ahead["low"] > 0)).to_numpy()
    value, low, high = (np.where(ranged, ahead[c], 1.0) for c in ("value", "low", "high"))
    below, above = np.log(value / low)[:, None] / EIGHTY, np.log(high / value)[:, None] / EIGHTY
    width, rng = np.log(high / low), stream(seed, "driver", name)
    z, paths = np.zeros(draws), np.zeros((len(ahead), draws))
    for t in range(len(ahead)):
        # A Gaussian process on the scale of the range's width: with WALK = 1 exactly the walk whose spread grows as the range does.
        before, now = (width[t - 1], width[t]) if t else (0.0, width[t])
        kept = (min(before, now) / max(before, now)) ** WALK if before > 0 and now > 0 else 0.0
        fresh = rng.standard_normal(draws)
        z = kept * z + np.sqrt(1 - kept**2) * fresh if now > 0 else z
        paths[t] = np.where(z < 0, below[t] * z, above[t] * z)
    return pd.DataFrame(paths, index=ahead.index)


def _note(table: pd.DataFrame, name: str, own: Mapping[str, object]) -> str:
    if (table["value"] <= 0).any():
        return "not always above 0, so that no elasticity is known: what is uncertain about it is not in the ranges"
    if name in own:
        mine = table[table["source"] == "own forecast"]
        first, end = mine["ds"].iloc[0], mine.iloc[-1]
        value, low, high = (_figure(end[c]) for c in ("value", "low", "high"))
        reach = f"{value} by {end['ds']:%B %Y}, in 4 draws of 5 between {low} and {high}"
        return f"no published future from {first:%B %Y} on: forecast from its own past ({OWN}) to {reach}"
    if (table["source"] == "published").any():
        return "the future is drawn from the published low to high, and acts on the ranges through its elasticity"
    return "the future is taken as known, because no low and high are given"


def _figure(value: float) -> str:
    """Write a figure so that nobody has to count noughts."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _note_on_reach(table: pd.DataFrame, known_until: pd.Timestamp) -> str:
    """Say so where a driver goes where it was never observed."""
    seen, ahead = table.loc[table["ds"] <= known_until, "value"], table.loc[table["ds"] > known_until, "value"]
    if not len(ahead) or not len(seen) or (ahead.max() <= seen.max() and ahead.min() >= seen.min()):
        return ""
    to, seen_to = (f"{_figure(v.min())} to {_figure(v.max())}" for v in (ahead, seen))
    return f"goes to {to} in the periods ahead, outside the {seen_to} that was observed: what it does there is a guess"


def _told(notes: list[tuple[str, str]]) -> tuple[str, ...]:
    """Say the same thing about several drivers once."""
    by: dict[str, list[str]] = {}
    for name, text in notes:
        by.setdefault(text, []).append(name)
    return tuple(f"driver{'s' if len(names) > 1 else ''} {listed(names)}: {text}" for text, names in by.items())


def spread_by_drivers(
    values: np.ndarray, futures: Futures, *, history: History, cutoffs: pd.DatetimeIndex, whole: np.ndarray, seed: int
) -> np.ndarray:
    """Let the drivers' drawn futures act on the draws of demand; the mean over the draws stays what it was.

    Each draw is multiplied by (driver drawn / central path) ^ elasticity, draw by draw, over all drivers; of a stock, by its moving average
    with the half-life that EFFECTS drew. Models were replayed with drivers as they stood at each cutoff, so their errors already hold what
    drivers did unforeseen then. As much of that variance as the drawn futures bring is taken out of a series' own deviations first:
    nothing is counted twice, and no range becomes narrower.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (series, periods, draws); not changed.
    futures : Futures
    history : History
        Of the series, in their order.
    cutoffs : pandas.DatetimeIndex
        Of the replays that the deviations were learnt from.
    whole : numpy.ndarray
        bool, shape (series,): series of whole numbers stay counts.
    seed : int

    Returns
    -------
    numpy.ndarray
        Shape (series, periods, draws).
    """
    moved = values.copy()
    for i, push, seen in _pushes(futures, history, cutoffs, values.shape[1]):
        moved[i] = _multiplied(values[i], push, seen)
        if whole[i]:
            moved[i] = to_counts(moved[i], stream(seed, "driver futures", history.ids[i]))
    return moved


def _pushes(futures: Futures, history: History, cutoffs: pd.DatetimeIndex, periods: int) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Give for each series that a driver moves its place, the log of the factor on each draw, and the variance of it that replays held.

    People whom demand is forecast per act one for one; what replays held of them, who move slowly, is left in.
    """
    effects, people = futures.effects, futures.people
    names = sorted({str(n) for n in pd.unique(effects["driver"])} & set(futures.paths) - {people.per}) if len(effects) else []
    mine = effects[effects["driver"].isin(names)].sort_values(["unique_id", "driver", "draw"], kind="stable")
    place = {str(i): k for k, i in enumerate(pd.unique(mine["unique_id"]))}
    shape, none = (len(place), len(names), -1), np.zeros(periods)
    elasticity, half_life = (mine[c].to_numpy(dtype=float).reshape(shape) for c in ("elasticity", "half_life")) if names else (none, none)
    ahead = np.stack([futures.paths[n] for n in names]) if names else none
    past = _unforeseen(futures.table, names, history, cutoffs, periods) if names else none
    done: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}
    for i, unique_id in enumerate(history.ids):
        own = futures.paths.get(people.of.get(unique_id, ""))
        if unique_id not in place:
            if own is not None:
                yield i, own, none
            continue
        each, slow = elasticity[place[unique_id]], half_life[place[unique_id], 0]
        if slow.tobytes() not in done:
            seen = followed(past, np.full(past.shape[2], np.median(slow)))
            done[slow.tobytes()] = followed(ahead, slow), _variances(seen)
        paths, before = done[slow.tobytes()]
        middle = each.mean(axis=1)
        push = np.einsum("nd,ntd->td", each, paths)
        yield i, push if own is None else push + own, np.einsum("n,tnm,m->t", middle, before, middle)


def _multiplied(values: np.ndarray, push: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Multiply draws by exp(push), after taking `seen`, the variance of logs that they already hold, out of their deviations."""
    mean, variance = values.mean(axis=1, keepdims=True), values.var(axis=1)
    double = np.minimum(seen, push.var(axis=1)) * mean[:, 0] ** 2 / np.where(variance > 0, variance, np.inf)
    kept = np.sqrt(np.clip(1 - double, LEAST_KEPT**2, 1.0))[:, None]
    product = (mean + kept * (values - mean)) * np.exp(push)
    now = product.mean(axis=1, keepdims=True)
    return np.asarray(product * np.where(now > 0, mean / np.where(now > 0, now, 1.0), 1.0))


def followed(paths: np.ndarray, half_life: np.ndarray) -> np.ndarray:
    """Let paths of shape (drivers, periods, draws) be followed slowly, from nothing; a half-life of 0 follows at once."""
    share = np.where(half_life > 0, 1 - 0.5 ** (1 / np.where(half_life > 0, half_life, 1.0)), 1.0)
    if (share == 1).all():
        return paths
    slow, now = np.empty_like(paths), np.zeros((len(paths), paths.shape[2]))
    for t in range(paths.shape[1]):
        now = now + share * (paths[:, t] - now)
        slow[:, t] = now
    return slow


def _unforeseen(table: pd.DataFrame, names: list[str], history: History, cutoffs: pd.DatetimeIndex, periods: int) -> np.ndarray:
    """Give the log of what drivers were over what was known of them at earlier cutoffs; (drivers, periods, cutoffs), NaN: not known."""
    truth = table[table["ds"] <= history.last].pivot(index="ds", columns="name", values="value").reindex(columns=names)
    found = np.full((len(names), periods, len(cutoffs)), np.nan)
    for c, cutoff in enumerate(cutoffs):
        ds = history.frequency.after(pd.Timestamp(cutoff), periods)
        known = drivers_as_known(table, pd.Timestamp(cutoff), ds)
        if known is not None and len(known):
            then = known.pivot(index="ds", columns="name", values="value").reindex(index=ds, columns=names)
            found[:, :, c] = np.log(truth.reindex(ds).to_numpy() / then.to_numpy()).T
    return found


def _variances(paths: np.ndarray) -> np.ndarray:
    """Give variances and covariances over the cutoffs, by period: shape (periods, drivers, drivers).

    Around the mean over the cutoffs: a steady rise is no surprise to a model with a trend. 0 where fewer than two cutoffs tell; beyond
    the last period that is known, the variance of that one.
    """
    drivers, periods, _ = paths.shape
    found, last = np.zeros((periods, drivers, drivers)), np.zeros((drivers, drivers))
    for t in range(periods):
        told = paths[:, t][:, np.isfinite(paths[:, t]).all(axis=0)]
        if told.shape[1] > 1:
            centred = told - told.mean(axis=1, keepdims=True)
            last = centred @ centred.T / told.shape[1]
        found[t] = last
    return found
