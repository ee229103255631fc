"""The one call that makes a forecast: replay, weights, means, joint draws.

In: a HISTORY and settings. Out: `Forecast`: DRAWS and all that is needed to explain, to evaluate and to trust them. Declared totals are
not forecast (their parts are added up), and series that ended are listed, not forecast. Refuses an unknown model, a driver whose future
cannot be known, and a history of which nothing is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from pydantic import BeforeValidator, Field, model_validator

from demand.combine import combined, joint_draws, model_shares, scores, unused, weigh
from demand.counts import to_counts
from demand.cube import Cube
from demand.data.quality import impossible, spikes
from demand.driver_futures import Futures, driver_futures, spread_by_drivers
from demand.driver_use import driver_use
from demand.ended import named_ended
from demand.errors import DataError, Fault, SettingsError, did_you_mean, listed, raise_all
from demand.events import Event, check_events, clean, factors, read_day, remarks
from demand.hierarchy import HierarchySpec, declared
from demand.models import AUTO, MODELS, Forecaster, Prediction
from demand.models.additive import blocked
from demand.nested import Widths, stretches, whole_numbers, widths
from demand.people import ALONE, Beside
from demand.processes import WORTH, apart, many
from demand.reconcile import CHOICES, Totals, reconcile
from demand.replay import RACED, Origins, cube_of, cutoffs_at, origins, plan, replay, rough_seconds
from demand.spec import Spec, fingerprint, stream
from demand.tables import BOUNDS, History, make_draws

__all__ = ["BacktestSpec", "Earlier", "Event", "Forecast", "ForecastSpec", "forecast", "raced_of"]

ENDED = {"D": 28, "W": 8, "M": 6, "Q": 3, "Y": 2}
"""A series without a count in so many last periods has ended."""
FEWEST = 3
"""Where no series has so many counts, nothing can be learnt, not even how far apart counts are."""

Day = Annotated[date, BeforeValidator(lambda v: read_day(v, end=True))]
Builder = Callable[[str], Forecaster]
Progress = Callable[[str, float], None]


class BacktestSpec(Spec):
    """How far back forecasts are replayed."""

    windows: Annotated[int, Field(ge=1, le=60)] | Literal["auto"] = "auto"
    """Cutoffs at which every model is replayed; auto: up to five, as the history allows."""
    cutoffs: Annotated[list[Day], Field(min_length=1, max_length=60)] | None = None
    """Dates at which the forecast is judged, in place of its own: [2022-03, 2023-03]. Of each, the last period that had ended is known;
    2022-03 means 31 March 2022. They change what is said of the forecast, not the forecast."""


class ForecastSpec(Spec):
    """How demand is forecast."""

    horizon: int = Field(ge=1, le=3700)
    """Periods ahead."""
    models: Literal["auto"] | Annotated[list[str], Field(min_length=1), BeforeValidator(lambda v: [v] if isinstance(v, str) else v)] = (
        "auto"
    )
    """auto, or names of models; each is weighted by what replay says. Under auto a slow one takes part where it is clearly better."""
    draws: int = Field(default=500, ge=2, le=100_000)
    """Joint futures drawn."""
    events: list[Event] = Field(default_factory=list)
    """What happened, or will, and that counts alone do not tell."""
    backtest: BacktestSpec = BacktestSpec()
    """How far back forecasts are replayed."""
    per: str | None = None
    """The population, by its name among the drivers, that demand is forecast per: demand = rate x people, both uncertain."""
    reconcile: CHOICES = "auto"
    """Whether means agree with forecasts of the totals themselves: mint, bottom_up (parts are added up), or auto, as replay says. With
    `per` it is bottom_up: forecasts of totals know nothing of where people will live."""

    @model_validator(mode="before")
    @classmethod
    def _parts_per_head(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not given.get("per"):
            return given
        if given.get("reconcile") == "mint":
            raise ValueError("with `per`, `reconcile` must be bottom_up: forecasts of totals know nothing of where people will live.")
        return given | {"reconcile": "bottom_up"}


@dataclass(frozen=True)
class Earlier:
    """What an earlier forecast learnt: its REPLAYS, and its models as text, where they are to be used again."""

    replays: pd.DataFrame
    saved: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Forecast:
    """A forecast and what it was made of.

    Parameters
    ----------
    draws : xarray.DataArray
        DRAWS.
    components : pandas.DataFrame
        unique_id, ds, model, feature, value, contribution: already weighted.
    means : pandas.DataFrame
        unique_id, ds, model, mean, weight.
    replays : pandas.DataFrame
        REPLAYS: unique_id, ds, cutoff, model, y, mean.
    weights : dict of str to float
    notes : pandas.DataFrame
        unique_id ("" for all), model, note.
    not_forecast : pandas.DataFrame
        unique_id, last, reason.
    effects : pandas.DataFrame
        EFFECTS: what each driver does to each series, with as many draws.
    driver_futures : pandas.DataFrame
        ds, name, value, low, high, source: each driver to the end of the horizon.
    driver_use : pandas.DataFrame
        driver, model, weight, used, and the model's own response beside EFFECTS (see `demand.driver_use`).
    saved : dict of str to str
        Models as text: file name to content.
    settings : dict
        What the forecast was made with, as plain data.
    beside : Beside
        The model of stocks from flow (it knows people) and the counts of other areas that took part; neither is stored.
    """

    draws: xr.DataArray
    components: pd.DataFrame
    means: pd.DataFrame
    replays: pd.DataFrame
    weights: dict[str, float]
    notes: pd.DataFrame
    not_forecast: pd.DataFrame
    effects: pd.DataFrame
    driver_futures: pd.DataFrame
    driver_use: pd.DataFrame
    saved: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    beside: Beside = field(default=ALONE, repr=False)


def forecast(
    history: History,
    spec: ForecastSpec,
    *,
    seed: int,
    drivers: pd.DataFrame | None = None,
    hierarchy: HierarchySpec = "auto",
    jobs: int = 1,
    earlier: Earlier | None = None,
    beside: Beside = ALONE,
    progress: Progress | None = None,
) -> Forecast:
    """Forecast every series of a history, jointly.

    Parameters
    ----------
    history, spec, hierarchy : History, ForecastSpec, HierarchySpec
    seed, jobs : int
        The same seed gives the same draws, to the bit, whatever `jobs` (cores) is.
    drivers, earlier : optional
        DRIVERS; one that ends before the horizon does is forecast from its own past (see `demand.driver_futures`). `Earlier`, of the same
        history and settings: used instead of replaying and fitting.
    beside, progress : optional
        A model of stocks from flow and counts of other areas, which take part; a callable that is told what is done, and what share of it.

    Returns
    -------
    Forecast

    Raises
    ------
    DataError
        Where no series is left, a driver has no future and cannot be forecast, or a count is a thousand times all others of its series.
    ScenarioError, SettingsError
        Where an event concerns no series; where a model is not known.
    """
    lowest, left_out = _lowest_level(history, hierarchy)
    check_events(history, spec.events)
    seen, totals = _seen(lowest, spec), Totals.of(lowest, hierarchy, spec.reconcile, jobs=jobs)
    ahead = driver_futures(drivers, seen, spec.horizon, draws=spec.draws, seed=seed, per=spec.per).beside(beside)
    models, of = _models(spec, beside), _origins(seen, spec)
    if earlier is None:
        tasks, build = plan(seen, models, of), ahead.people.build
        replays = replay(
            lowest, build, tasks, steps=of.steps, seed=seed, events=spec.events, drivers=ahead.given, jobs=jobs, progress=progress
        )
        earlier = Earlier(totals.replayed(replays, of, lowest, seed=seed, events=spec.events, progress=progress))
    cube = cube_of(earlier.replays, lowest, steps=of.steps, events=spec.events)
    weights = weigh(cube, models, stretches=stretches(cube), raced=raced_of(spec))
    said = _predict(seen, weights, spec.horizon, seed=seed, ahead=ahead, saved=earlier.saved, jobs=jobs, progress=progress)
    mean = combined({m: _array(p, lowest, spec.horizon) for m, p in said.items()}, weights)
    agreed = reconcile(cube, weights, mean, totals=totals, replays=earlier.replays, seen=lambda: seen, how=spec.reconcile, seed=seed)
    values, wide = _drawn(cube, weights, agreed.mean, lowest, ahead, spec, seed=seed)
    used = driver_use(said, weights, ahead, history=seen, horizon=spec.horizon, seed=seed)
    draws, effect = _with_events(values, agreed.mean, lowest, spec, seed=seed, weights=weights)
    return Forecast(
        draws.assign_attrs(named_ended(left_out)),
        components=_components(said, weights, effect, _change(draws, agreed.mean - mean)),
        means=_means(said, weights),
        replays=earlier.replays,
        weights=weights,
        notes=wide.noted(used.noted(agreed.noted(_notes(said, weights, cube, of, seen, lowest, spec)))),
        not_forecast=left_out,
        effects=ahead.effects,
        driver_futures=ahead.table,
        driver_use=used.table,
        saved={name: text for p in said.values() for name, text in p.saved.items()},
        settings=_settings(spec, seed, weights, cube, of) | wide.settings | {"people": dict(ahead.people.of)},
        beside=beside,
    )


def raced_of(spec: ForecastSpec) -> tuple[str, ...]:
    """Give the models that must earn their place: slow ones, under auto. Who names a model gets it, unless it is far off."""
    return RACED if spec.models == "auto" else ()


def _models(spec: ForecastSpec, beside: Beside) -> list[str]:
    more = [] if beside.stocks is None else [beside.stocks.name]
    wanted = [*AUTO, *more] if spec.models == "auto" else list(dict.fromkeys(spec.models))
    known = [*MODELS, *more]
    faults = [Fault(f"'{m}' is not a model", where="forecast > models", allowed=did_you_mean(m, known)) for m in wanted if m not in known]
    raise_all(faults, SettingsError, during="choosing models")
    if "prophet" in wanted and blocked():
        wanted.remove("prophet")
    if not wanted:
        raise SettingsError(Fault(f"Prophet cannot be started here: {blocked()}", where="forecast > models", do_next="Name other models"))
    return wanted


def _absent(spec: ForecastSpec) -> list[tuple[str, str]]:
    """Say loudly which model that was asked for could not take part."""
    if "prophet" not in (AUTO if spec.models == "auto" else spec.models) or not blocked():
        return []
    return [("", f"PROPHET WAS LEFT OUT: its program cannot be started on this computer ({blocked()}); the other models went on")]


def _lowest_level(history: History, hierarchy: HierarchySpec) -> tuple[History, pd.DataFrame]:
    """Leave out declared totals and series that ended."""
    sums = declared(history, hierarchy)
    wide, span = history.wide, ENDED[history.frequency.family]
    reasons: dict[str, str] = {}
    for name in history.ids:
        if name in sums:
            reasons[name] = "declared as a total: it is the sum of its parts"
        elif not wide[name].notna().any():
            reasons[name] = "never counted"
        elif not wide[name].tail(span).notna().any():
            reasons[name] = f"ended: no count in the last {span} periods"
    if len(reasons) == len(history.ids):
        raise DataError(Fault("no series is left to forecast", allowed=f"Left out: {listed(f'{n} ({r})' for n, r in reasons.items())}"))
    kept = wide[[n for n in history.ids if n not in reasons]]
    if kept.notna().sum().max() < FEWEST:
        told = f"The longest series has {int(kept.notna().sum().max())}"
        raise DataError(Fault(f"every series is too short: fewer than {FEWEST} counts", allowed=told, do_next="Give a longer history"))
    last = [wide[name].last_valid_index() for name in reasons]
    table = pd.DataFrame({"unique_id": list(reasons), "last": pd.to_datetime(last), "reason": list(reasons.values())})
    return history.only(set(history.ids) - set(reasons)), table


def _seen(lowest: History, spec: ForecastSpec) -> History:
    """Give the history that models learn from; a slip of the keyboard that no event sets aside stops here."""
    seen = clean(lowest, spec.events)
    raise_all(impossible(seen), DataError, during="looking at the counts")
    return seen


def _origins(seen: History, spec: ForecastSpec) -> Origins:
    cutoffs_at(seen, spec.backtest.cutoffs or [])
    return origins(seen, spec.horizon, windows=None if spec.backtest.windows == "auto" else spec.backtest.windows)


def _predict(
    seen: History,
    weights: Mapping[str, float],
    horizon: int,
    *,
    seed: int,
    ahead: Futures,
    saved: Mapping[str, str] | None,
    jobs: int,
    progress: Progress | None,
) -> dict[str, Prediction]:
    used = [m for m, w in weights.items() if w > 0]
    each = [rough_seconds(m, seen, len(seen.ids)) for m in used]
    together = max(each) < WORTH and apart(jobs, items=len(used), seconds=sum(each))

    about: dict[str, Any] = {"seed": seed, "drivers": ahead.given, "explain": True, "saved": saved, "jobs": 1 if together else jobs}

    def one(name: str) -> Prediction:
        return ahead.people.build(name).predict(seen, horizon, **about)

    said: dict[str, Prediction] = {}
    for name, prediction in zip(used, many(one, used, jobs=jobs if together else 1), strict=True):
        said[name] = prediction
        if progress is not None:
            progress(f"forecast {name}", len(said) / len(used))
    return said


def _array(said: Prediction, history: History, horizon: int) -> np.ndarray:
    wide = said.means.pivot(index="unique_id", columns="ds", values="mean").reindex(history.ids)
    return np.asarray(wide.to_numpy().reshape(len(history.ids), horizon))


def _drawn(
    cube: Cube, weights: Mapping[str, float], mean: np.ndarray, history: History, ahead: Futures, spec: ForecastSpec, *, seed: int
) -> tuple[np.ndarray, Widths]:
    """Draw joint futures around the means, widened where earlier ranges failed, with what the drivers may do."""
    whole, by = whole_numbers(history), widths(history, cube, list(weights), raced=raced_of(spec), horizon=spec.horizon, seed=seed)
    values = joint_draws(cube, weights, mean, whole=whole, draws=spec.draws, seed=seed, widen=by.series.factor)
    values = by.applied(values, history.series, whole=whole, seed=seed)
    return spread_by_drivers(values, ahead, history=history, cutoffs=cube.cutoffs, whole=whole, seed=seed), by


def _with_events(
    values: np.ndarray, mean: np.ndarray, history: History, spec: ForecastSpec, *, seed: int, weights: Mapping[str, float]
) -> tuple[xr.DataArray, pd.DataFrame | None]:
    """Let the events of the periods ahead act on every draw, and tell what they do to the mean."""
    ds, effect = history.frequency.after(history.last, spec.horizon), None
    if (by := factors(history, spec.events, ds, draws=spec.draws, seed=seed)) is not None:
        values = values * by
        for row in np.flatnonzero(whole_numbers(history)):
            values[row] = to_counts(values[row], stream(seed, "events", history.ids[row]))
        index = pd.MultiIndex.from_product([history.ids, ds], names=["unique_id", "ds"]).to_frame(index=False)
        change = (mean * (by.mean(axis=2) - 1)).reshape(-1)
        effect = index.assign(model="combined", feature="events", value=np.nan, contribution=change)
    mark = fingerprint(history.fingerprint, spec.fingerprint, seed, dict(weights))
    made = make_draws(values, history.series, ds, frequency=history.frequency, cutoff=history.last, seed=seed, fingerprint=mark)
    return made, effect


def _change(draws: xr.DataArray, change: np.ndarray) -> pd.DataFrame:
    """Give what making totals agree changed, as a part of the forecast."""
    index = pd.MultiIndex.from_product([draws["series"].to_numpy(), draws["ds"].to_numpy()], names=["unique_id", "ds"]).to_frame(
        index=False
    )
    return index.assign(model="combined", feature="reconciliation", value=np.nan, contribution=change.reshape(-1))


def _components(said: Mapping[str, Prediction], weights: Mapping[str, float], *more: pd.DataFrame | None) -> pd.DataFrame:
    columns = ["unique_id", "ds", "model", "feature", "value", "contribution"]
    tables, shares = [], model_shares({m: one.means["unique_id"] for m, one in said.items()}, weights)
    for name, one in said.items():
        parts = one.means.rename(columns={"mean": "contribution"}).assign(feature="level", value=np.nan) if one.parts is None else one.parts
        tables.append(parts.assign(model=name, contribution=parts["contribution"] * parts["unique_id"].map(shares[name])))
    return pd.concat([t[columns] for t in [*tables, *(m for m in more if m is not None)]], ignore_index=True)


def _means(said: Mapping[str, Prediction], weights: Mapping[str, float]) -> pd.DataFrame:
    shares = model_shares({m: one.means["unique_id"] for m, one in said.items()}, weights)
    tables = [one.means.assign(model=name, weight=one.means["unique_id"].map(shares[name])) for name, one in said.items()]
    return pd.concat(tables, ignore_index=True)[["unique_id", "ds", "model", "mean", "weight"]]


def _notes(
    said: Mapping[str, Prediction],
    weights: Mapping[str, float],
    cube: Cube,
    of: Origins,
    seen: History,
    lowest: History,
    spec: ForecastSpec,
) -> pd.DataFrame:
    rows = [(n.unique_id, n.model, n.text) for one in said.values() for n in one.notes]
    rows += [(unique_id, "combined", told) for unique_id, told in remarks(lowest, spec.events) + _absent(spec)]
    counts = seen.wide.notna().sum()
    text = "only one or two counts: season, growth and range are those of the other series"
    rows += [(str(i), "combined", text) for i in counts.index[counts < FEWEST]]
    far = seen.wide.columns[spikes(seen.wide).any(axis=0)]
    text = "a count lies far from those around it: mistyped, or an event to be declared? It was learnt from"
    rows += [(str(i), "combined", text) for i in far]
    if set(BOUNDS) <= set(seen.table.columns):
        hidden = seen.table.loc[seen.table[BOUNDS[0]] < seen.table[BOUNDS[1]], "unique_id"].unique()
        rows += [(str(i), "combined", "some counts are hidden: learnt from the middle of each, with wider ranges") for i in hidden]
    rows += [("", model, f"not used: {why}") for model, why in unused(cube, weights, raced=raced_of(spec)).items()]
    if not scores(cube, list(weights)):
        rows.append(("", "combined", "too short to replay: weights and ranges are assumed, not measured"))
    elif of.steps < len(said[next(iter(said))].means["ds"].unique()):
        rows.append(("", "combined", f"errors could be measured to {of.steps} periods ahead; ranges further on carry that growth on"))
    return pd.DataFrame(rows, columns=["unique_id", "model", "note"])


def _settings(spec: ForecastSpec, seed: int, weights: Mapping[str, float], cube: Cube, of: Origins) -> dict[str, Any]:
    return {
        **spec.model_dump(mode="json"),
        "seed": seed,
        "weights": dict(weights),
        "cutoffs": [str(c.date()) for c in cube.cutoffs],
        "main_cutoffs": [str(c.date()) for c in of.main],
        "steps": of.steps,
    }
