"""The people of the example council: when they come, what they need, how long they stay, when they come back.

In: a plan of `example_truth`, how many people, a seed. Out: `Lives`, every episode from the burn-in to five years after the history, as
arrays. Refuses nothing. All is drawn in whole arrays, so that a million people take seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand.data.example_drivers import MONTHS_AHEAD, driver_paths
from demand.data.example_truth import AREA_SHARES, AREAS, FIRST, LAST, RECORDING_CHANGE, SHOCK, Attribute, Plan
from demand.spec import stream

__all__ = ["Lives", "attributes_of", "intensity", "live"]

BURN_IN_YEARS = 6
"""Years that are lived before the history begins, so that its first month already finds people in places."""
ROUNDS, MOVES = 6, 2
"""How often people come back, and move on within one stay in the service, at most."""
YEAR = 365.25
PER_ENTRY = {"households": 0.98, "children": 1.16, "people": 1.07}
"""People in the extract for each first entry in its ten years: some came before and are still there, some were never recorded."""


@dataclass(frozen=True)
class Lives:
    """Everybody who ever came, and their episodes; days are counted from 1 January 1970.

    Parameters
    ----------
    segment, area, birth : numpy.ndarray
        One value a person: number of the true segment, number of the home area, day of birth.
    person, spell, type, place, opened, closed, price : numpy.ndarray
        One value an episode: number of the person; how many times they came before; number of the type (-1 is the first contact, the
        flow); number of the area of the place; first and last day; GBP a week (missing for a first contact).
    recorded : numpy.ndarray
        One value an episode: False where the old case system left it out.
    """

    segment: np.ndarray
    area: np.ndarray
    birth: np.ndarray
    person: np.ndarray
    spell: np.ndarray
    type: np.ndarray
    place: np.ndarray
    opened: np.ndarray
    closed: np.ndarray
    price: np.ndarray
    recorded: np.ndarray


def months_lived() -> pd.DatetimeIndex:
    """Give all months that are lived: burn-in, history and future."""
    last = pd.Timestamp(LAST) + pd.DateOffset(months=MONTHS_AHEAD)
    return pd.date_range(pd.Timestamp(FIRST) - pd.DateOffset(years=BURN_IN_YEARS), last, freq="MS")


def intensity(plan: Plan, *, seed: int) -> pd.DataFrame:
    """Give how strong the entries of each segment are, month by month; 1 is April 2016 without season.

    Parameters
    ----------
    plan : Plan
    seed : int

    Returns
    -------
    pandas.DataFrame
        A row a month, a column a segment: growth x season x drivers^elasticity x shock x common noise.
    """
    months = months_lived()
    past = np.asarray(months < FIRST)
    paths = driver_paths(seed)
    drivers = np.zeros(len(months))
    for name, elasticity in plan.elasticities.items():
        level = np.log(paths[name] / paths[name].iloc[:12].mean()).reindex(months).to_numpy()
        drivers += elasticity * np.where(past, 0.0, level)
    rng = stream(seed, "example", plan.front, "noise")
    noise = np.zeros(len(months))
    for t, step in enumerate(rng.standard_normal(len(months)) * plan.noise * 0.8):
        noise[t] = step + 0.6 * noise[t - 1] if t else step
    season = np.log(np.asarray(plan.season))[months.month - 1]
    years = np.where(past, 0.0, np.arange(len(months)) / 12 - BURN_IN_YEARS)
    growth = np.outer(years, [s.growth for s in plan.segments])
    strength = np.exp(growth + (season + drivers + noise)[:, None]) * shock_factor(plan, months)[:, None]
    return pd.DataFrame(strength, index=months, columns=[s.name for s in plan.segments])


def shock_factor(plan: Plan, months: pd.DatetimeIndex) -> np.ndarray:
    """Give the share of entries that the shock leaves: deepest at its beginning, half as deep at its end, 1 elsewhere."""
    inside = np.asarray((months >= SHOCK[0]) & (months <= SHOCK[1]))
    done = np.cumsum(inside) / max(inside.sum(), 1)
    return np.where(inside, 1 - plan.shock * (1 - 0.5 * done), 1.0)


def live(plan: Plan, people: int, *, seed: int, tiny: bool = False) -> Lives:
    """Live the lives of everybody who comes to one service.

    Parameters
    ----------
    plan : Plan
    people : int
        About how many are seen in the ten years of the history.
    seed : int
    tiny : bool
        Whether the council has two areas alone, and not every type in each.

    Returns
    -------
    Lives
        In the order of the people's first contact.
    """
    rng = stream(seed, "example", plan.front, "lives")
    months = months_lived()
    strength = intensity(plan, seed=seed)
    segment, area, first = _first_entries(plan, people, strength, rng, 2 if tiny else len(AREAS))
    age = np.array([s.age for s in plan.segments])[segment]
    birth = (first - YEAR * np.clip(rng.normal(age[:, 0], age[:, 1]), age[:, 2], age[:, 3])).astype(np.int64)
    last_day = _days(months)[-1] + 31
    who, start, rows = np.arange(len(segment)), first, []
    relative = _beside_then(strength)
    for spell in range(ROUNDS):
        rounds, ends = _one_spell(plan, rng, segment[who], birth[who], start)
        rows += [{"person": who[r.pop("row")], "spell": np.full(len(r["opened"]), spell), **r} for r in rounds]
        back = ends + _of(plan, "gap_days")[segment[who]] * rng.exponential(size=len(who))
        month = np.searchsorted(_days(months), np.minimum(back, last_day), side="right") - 1
        chance = _of(plan, "returns")[segment[who]] * relative[month, segment[who]]
        again = (rng.random(len(who)) < chance) & (back <= last_day) & _young_enough(plan, back - birth[who])
        who, start = who[again], back[again].astype(np.int64)
    table = {name: np.concatenate([r[name] for r in rows]) for name in ("person", "spell", "type", "opened", "closed")}
    keep = table["opened"] <= last_day
    table = {name: column[keep] for name, column in table.items()}
    order = np.lexsort((table["type"], table["opened"], table["person"]))
    return _furnish(plan, {n: c[order] for n, c in table.items()}, (segment, area, birth), rng, tiny=tiny)


def _beside_then(strength: pd.DataFrame) -> np.ndarray:
    """Give how strong entries are beside the two years before, when those who come back now were here: else growth would feed on itself."""
    return np.asarray(strength / strength.rolling(24, min_periods=1).mean())


def _first_entries(
    plan: Plan, people: int, strength: pd.DataFrame, rng: np.random.Generator, areas: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw who comes for the first time, and on which day; in order of the day."""
    months = pd.DatetimeIndex(strength.index)
    window = np.asarray((months >= FIRST) & (months <= LAST))
    shares = _of(plan, "share") * strength.to_numpy()
    weights = np.array(AREA_SHARES[:areas]) / sum(AREA_SHARES[:areas])
    rate = people / PER_ENTRY[plan.unit] / shares[window].sum()
    counts = rng.poisson(rate * shares[:, :, None] * weights)
    month, segment, area = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(counts.shape))
    day = _days(months)[month] + np.floor(rng.random(len(month)) * months.days_in_month.to_numpy()[month]).astype(np.int64)
    order = np.argsort(day, kind="stable")
    return segment[order], area[order], day[order]


def _one_spell(
    plan: Plan, rng: np.random.Generator, segment: np.ndarray, birth: np.ndarray, start: np.ndarray
) -> tuple[list[dict[str, np.ndarray]], np.ndarray]:
    """Draw the episodes of one period of need: first contact, then places; give them and the day on which all ends."""
    n, types = len(segment), list(plan.prices)
    cap = birth + int(plan.leaves_at * YEAR) if plan.leaves_at else np.full(n, np.iinfo(np.int64).max)
    front_end = start + np.ceil(max(plan.front_days, 1.0) * np.exp(0.6 * rng.standard_normal(n))).astype(np.int64)
    enters = rng.random(n) < _of(plan, "enters")[segment]
    delay = np.floor(rng.random(n) * plan.front_days * 0.6).astype(np.int64)
    routes = np.array([[s.routes[t] for t in types] for s in plan.segments]).cumsum(axis=1)
    kind = (rng.random(n)[:, None] > routes[segment]).sum(axis=1).clip(max=len(types) - 1)
    medians = np.array([[s.stays[t] for t in types] for s in plan.segments])
    row, opened, ends, episodes = np.flatnonzero(enters), (start + delay)[enters], front_end.copy(), []
    for _ in range(MOVES + 1):
        years = np.clip((opened - _days(pd.DatetimeIndex([FIRST]))[0]) / YEAR, 0, None)
        stay = medians[segment[row], kind[row]] * np.exp(plan.stay_growth * years + plan.stay_sigma * rng.standard_normal(len(row)))
        closed = np.maximum(np.minimum(opened + np.ceil(stay).astype(np.int64), cap[row]), opened + 1)
        episodes.append({"row": row, "type": kind[row], "opened": opened, "closed": closed})
        ends[row] = np.maximum(ends[row], closed) if plan.front_days else closed
        chance = np.array([plan.moves.get(t, (0.0, ""))[0] for t in types])
        target = np.array([types.index(plan.moves[t][1]) if t in plan.moves else 0 for t in types])
        moves = (rng.random(len(row)) < chance[kind[row]]) & (closed < cap[row])
        row, opened = row[moves], closed[moves]
        kind[row] = target[kind[row]]
    front = {"row": np.arange(n), "type": np.full(n, -1), "opened": start, "closed": front_end if plan.front_days else ends}
    return [front, *episodes], ends


def _furnish(
    plan: Plan, table: dict[str, np.ndarray], people: tuple[np.ndarray, np.ndarray, np.ndarray], rng: np.random.Generator, *, tiny: bool
) -> Lives:
    """Add to each episode the area of its place, its price, and whether it was recorded."""
    segment, area, birth = people
    types, n = list(plan.prices), len(table["type"])
    home = area[table["person"]]
    places = np.arange(len(AREAS))[None, :].repeat(len(types) + 1, axis=0)
    if tiny:
        for number, name in enumerate(types):
            allowed = [AREAS.index(a) for a in plan.tiny_places[name]]
            places[number] = [a if a in allowed else allowed[0] for a in range(len(AREAS))]
    years = (table["opened"] - _days(pd.DatetimeIndex([LAST]))[0]) / YEAR
    level = np.array([*plan.prices.values(), np.nan])[table["type"]] * _of(plan, "price_factor")[segment[table["person"]]]
    spread = np.exp(plan.price_sigma * rng.standard_normal(n) - plan.price_sigma**2 / 2)
    left_out = (table["type"] < 0) & (table["opened"] < _days(pd.DatetimeIndex([RECORDING_CHANGE]))[0])
    recorded = ~left_out | (rng.random(n) < 1 / plan.recording)
    price = np.round(level * spread * np.exp(plan.price_growth * years), 2)
    return Lives(segment, area, birth, **table, place=places[table["type"], home], price=price, recorded=recorded)


def attributes_of(plan: Plan, segment: np.ndarray, *, seed: int) -> dict[str, pd.Series]:
    """Give what is recorded about people, by their true segment.

    Parameters
    ----------
    plan : Plan
    segment : numpy.ndarray
        The number of each person's segment.
    seed : int

    Returns
    -------
    dict of name to pandas.Series
        One value a person: text, "yes" or "no", numbers, or an ordered category for bands; missing where it is not known.
    """
    return {a.name: _attribute(a, segment, stream(seed, "example", plan.front, "attribute", a.name)) for a in plan.attributes}


def _attribute(attribute: Attribute, segment: np.ndarray, rng: np.random.Generator) -> pd.Series:
    n = len(segment)
    numbers = np.array(attribute.by_segment)[segment if len(attribute.by_segment) > 1 else np.zeros(n, dtype=np.int64)]
    unknown = rng.random(n) < attribute.missing
    levels = np.array([*(attribute.levels or ("no", "yes")), None], dtype=object)
    if attribute.kind == "category":
        code = (rng.random(n)[:, None] > numbers.cumsum(axis=1)).sum(axis=1).clip(max=len(levels) - 2)
    elif attribute.kind == "yes_no":
        code = (rng.random(n) < numbers[:, 0]).astype(np.int64)
    elif attribute.kind == "band":
        code = np.rint(rng.normal(numbers[:, 0], numbers[:, 1])).clip(0, len(levels) - 2).astype(np.int64)
        return pd.Series(pd.Categorical.from_codes(np.where(unknown, -1, code), list(attribute.levels), ordered=True))
    else:
        values = _number(attribute.kind, numbers, rng)
        return pd.Series(np.where(unknown, np.nan, values) if attribute.missing else values.astype(np.int64))
    return pd.Series(levels[np.where(unknown, len(levels) - 1, code)])


def _number(kind: str, numbers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if kind == "count":
        return rng.poisson(numbers[:, 0]).astype(np.float64)
    if kind == "amount":
        some = rng.random(len(numbers)) < numbers[:, 1]
        return np.round(np.where(some, numbers[:, 0] * np.exp(0.9 * rng.standard_normal(len(numbers))), 0.0))
    return np.rint(rng.normal(numbers[:, 0], numbers[:, 1])).clip(numbers[:, 2], numbers[:, 3])


def _young_enough(plan: Plan, age_days: np.ndarray) -> np.ndarray:
    return age_days < plan.leaves_at * YEAR - 30 if plan.leaves_at else np.ones(len(age_days), dtype=bool)


def _of(plan: Plan, field: str) -> np.ndarray:
    """Give one number of every segment."""
    return np.array([getattr(s, field) for s in plan.segments], dtype=np.float64)


def _days(dates: pd.DatetimeIndex) -> np.ndarray:
    """Give days since 1 January 1970."""
    return np.asarray(dates.as_unit("s").asi8 // 86_400)
