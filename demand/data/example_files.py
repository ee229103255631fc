"""The extracts of the example council, as a council's systems would write them.

In: a `Council`. Out: tables with the columns of real extracts: homelessness cases, placements, looked-after placements, care packages,
ledger and fee schedule, drivers, and a return. Refuses nothing. Written as CSV, dates are day/month/year; an empty cell is not known, or
has not happened; references are the council's own (fictional), not pseudonyms.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from demand.data.example_council import Council
from demand.data.example_truth import PLANS
from demand.spec import stream

__all__ = ["extracts"]

AREA_CODES = {"Harbour": "X06000091", "Castle": "X06000092", "Riverside": "X06000093", "Uplands": "X06000094"}
"""Of the shape of the statistics office's codes, beginning with X so that they are nobody's."""
DRIVER_UNITS = {"private_rent_median": "GBP/month", "unemployment_claimants": "people", "hospital_delays": "people"}


def extracts(council: Council) -> dict[str, pd.DataFrame]:
    """Give the extracts of 31 March 2026.

    Parameters
    ----------
    council : Council

    Returns
    -------
    dict of file name to pandas.DataFrame
        In order of the names.
    """
    tables: dict[str, Callable[[Council], pd.DataFrame]] = {
        "ledger_monitoring.csv": _ledger,
        "fee_schedule.csv": _fees,
        "drivers.csv": _drivers,
    }
    if "homelessness" in council.services:
        tables |= {"homelessness_cases.csv": _cases, "ta_placements.csv": _placements, "ta_return.csv": _return}
    if "children" in council.services:
        tables |= {"children_placements.csv": _children}
    if "adult_care" in council.services:
        tables |= {"adult_packages.csv": _packages}
    return {name: tables[name](council) for name in sorted(tables)}


def _episodes(council: Council, service: str, *, front: bool) -> pd.DataFrame:
    """Give the episodes of the extract with the council's own references and what only its systems know."""
    lives, keep = council.lives(service), council.in_extract(service)
    rows = np.flatnonzero(keep)
    people = council.people(service).drop(columns=["person_id", "episode_id"])
    person = lives.person[rows]
    # A case is one person's one period of need: its number stays the same in cases, placements and packages.
    case = pd.Series(person).astype(str).str.zfill(7) + "-" + pd.Series(lives.spell[rows] + 1).astype(str)
    table = people.assign(
        reference=council.references(service, person),
        case_ref=case.to_numpy(),
        row=rows,
        born=lives.birth[person].astype("datetime64[D]").astype("datetime64[ns]"),
    )
    last = pd.Series(rows).groupby([person, lives.spell[rows]]).transform("max").to_numpy() == rows
    return table.assign(moves_on=~last)[(lives.type[rows] < 0) == front].reset_index(drop=True)


def _choose(council: Council, purpose: str, choices: list[str], shares: list[float], n: int) -> np.ndarray:
    """Draw what does not matter for demand, but stands in every extract."""
    rng = stream(council.seed, "example", "files", purpose)
    return np.asarray(rng.choice(np.array(choices, dtype=object), size=n, p=shares))


def _only(values: np.ndarray, when: pd.Series) -> pd.Series:
    """Leave a cell empty where what it tells has not happened."""
    return pd.Series(values, index=when.index, dtype=object).where(when)


def _cases(council: Council) -> pd.DataFrame:
    """One row a household's application."""
    t = _episodes(council, "homelessness", front=True)
    n, children = len(t), t["dependent_children"]
    done = t["closed"].notna()
    lives = council.lives("homelessness")
    went_on = np.isin(lives.person[t["row"]] * 100 + lives.spell[t["row"]], (lives.person * 100 + lives.spell)[lives.type >= 0])
    outcome = np.where(
        went_on, "homeless: relief duty", _choose(council, "outcome", ["homelessness prevented", "withdrawn"], [0.8, 0.2], n)
    )
    relief = t["closed"].where(went_on)
    relief_ends = relief + pd.Timedelta(days=56)
    return pd.DataFrame({
        "case_ref": t["case_ref"], "applicant_id": t["reference"], "main_app_dob": t["born"], "approach_date": t["opened"],
        "date_presented": t["opened"], "date_assessed": t["opened"] + pd.Timedelta(days=4), "area": t["area"],
        "lsoa": t["area"].map(AREA_CODES), "household_type": t["household_type"],
        "household_size": 1 + children + t["household_type"].isin(["couple", "couple_with_children"]),
        "n_dependent_children": children, "preferred_language": t["preferred_language"], "last_tenure": t["last_tenure"],
        "main_reason_loss": t["main_reason"], "mental_health": t["mental_health"], "substance": t["substance_use"],
        "domestic_abuse": t["domestic_abuse"], "care_leaver": t["care_leaver"], "employment_status": t["employment"],
        "gross_income_weekly_band": t["income_band"], "rent_arrears": t["rent_arrears"],
        "previous_application": np.where(t["times_before"] > 0, "Y", "N"), "n_previous_applications": t["times_before"],
        "duty_s66_start": t["opened"], "duty_s66_end": t["closed"], "s66_outcome": _only(outcome, done),
        "duty_s73_start": relief, "duty_s73_end": relief_ends.where(relief_ends <= council.extracted),
        "discharge_reason": _only(outcome, done & ~went_on), "closed_date": t["closed"],
        "case_status": np.where(done, "closed", "open"), "team": t["area"] + " housing options",
    })  # fmt: skip


def _placements(council: Council) -> pd.DataFrame:
    """One row a placement in temporary accommodation."""
    t = _episodes(council, "homelessness", front=False)
    n = len(t)
    nightly = (t["price"] / 7).round(2)
    left = _choose(council, "end reason", ["moved to settled", "lost contact", "abandoned", "duty ended"], [0.66, 0.12, 0.08, 0.14], n)
    reason = np.where(t["moves_on"], "moved TA", left)
    return pd.DataFrame({
        "placement_id": "P" + t["row"].astype(str).str.zfill(8), "case_ref": t["case_ref"], "household_ref": t["reference"],
        "placement_no": t.groupby("case_ref").cumcount() + 1, "ta_type": t["type"], "area": t["area"],
        "provider_code": _choose(council, "provider", ["PR01", "PR02", "PR03", "PR04"], [0.4, 0.3, 0.2, 0.1], n),
        "self_contained": np.where(t["type"] == "private_leased", "Y", "N"),
        "in_county": _choose(council, "in county", ["Y", "N"], [0.9, 0.1], n), "start_date": t["opened"], "end_date": t["closed"],
        "n_adults": 1 + t["household_type"].isin(["couple", "couple_with_children"]).astype(int), "n_children": t["dependent_children"],
        "nightly_rate": nightly, "rate_basis": "per unit", "weekly_charge": t["price"],
        "hb_eligible": _choose(council, "housing benefit", ["Y", "N"], [0.87, 0.13], n),
        "end_reason": _only(reason, t["closed"].notna()),
    })  # fmt: skip


def _return(council: Council) -> pd.DataFrame:
    """The monthly return on temporary accommodation; the months that were not collected have no rows."""
    table = council.returns.table.dropna(subset=["y"])
    month = pd.DatetimeIndex(table["ds"])
    return pd.DataFrame({
        "return": "TA households", "month_end": month + pd.offsets.MonthEnd(0), "ta_type": table["unique_id"].str.partition("/")[2],
        "households": table["y"].astype(int),
    })  # fmt: skip


def _children(council: Council) -> pd.DataFrame:
    """One row a placement of a child who is looked after."""
    t = _episodes(council, "children", front=False)
    n, first = len(t), t.groupby("case_ref")["opened"].transform("min")
    ends = _choose(council, "ceased", ["returned home", "adopted", "SGO", "independent living"], [0.52, 0.14, 0.20, 0.14], n)
    of_age = (t["closed"] - t["born"]).dt.days >= 17.99 * 365.25
    reason = np.select([t["moves_on"], of_age], ["next episode", "adult services"], ends)
    sector = np.where(
        t["type"] == "residential", _choose(council, "sector", ["LA", "not-for-profit", "for-profit"], [0.15, 0.15, 0.7], n), "LA"
    )
    return pd.DataFrame({
        "child_id": t["reference"], "dob": t["born"], "sex": t["sex"], "uasc": t["unaccompanied"], "disability": t["disability"],
        "need_category": t["need_category"], "episode_ref": "E" + t["row"].astype(str).str.zfill(8), "period_of_care": t["case_ref"],
        "area": t["area"], "episode_start": first, "legal_status": t["legal_status"], "placement_start": t["opened"],
        "placement_type": t["type"], "provider_sector": sector,
        "placement_location": _choose(council, "location", ["inside LA", "other Wales", "England"], [0.68, 0.25, 0.07], n),
        "placement_end": t["closed"], "end_reason": _only(reason, t["closed"].notna()),
        "cease_care_date": t["closed"].where(~t["moves_on"]), "weekly_fee": t["price"], "n_siblings_in_care": t["siblings_in_care"],
        "difficulties_score": t["difficulties_score"], "school_exclusion_band": t["exclusion_band"],
        "language": t["preferred_language"], "n_previous_periods": t["times_before"], "cost_centre": "C" + t["type"].str[:3].str.upper(),
        "social_work_team": t["area"] + " children's team",
    })  # fmt: skip


def _packages(council: Council) -> pd.DataFrame:
    """One row a service line of an adult's care."""
    t = _episodes(council, "adult_care", front=False)
    n, first = len(t), t.groupby("case_ref")["opened"].transform("min")
    ends = _choose(council, "closure", ["died", "recovered", "moved away", "declined"], [0.55, 0.25, 0.1, 0.1], n)
    hours = t["hours_assessed"].where(t["type"] != "residential")
    return pd.DataFrame({
        "person_id": t["reference"], "dob": t["born"], "gender": t["sex"], "language": t["preferred_language"],
        "client_group": t["support_reason"], "locality": t["area"], "assessment_date": first - pd.Timedelta(days=14), "plan_start": first,
        "plan_closed": t["closed"].where(~t["moves_on"]),
        "closure_reason": _only(ends, t["closed"].notna() & ~t["moves_on"]), "line_id": "L" + t["row"].astype(str).str.zfill(8),
        "service_type": t["type"], "in_county": _choose(council, "care in county", ["Y", "N"], [0.93, 0.07], n), "line_start": t["opened"],
        "line_end": t["closed"], "units": np.where(t["type"] == "residential", 7, hours),
        "unit": np.where(t["type"] == "residential", "nights", "hours"), "weekly_gross": t["price"],
        "memory_problem": t["memory_problem"], "help_at_night": t["help_at_night"], "lives_alone": t["lives_alone"],
        "has_carer": t["has_carer"], "mobility": t["mobility"], "n_hospital_stays": t["hospital_stays"], "capital_band": t["capital_band"],
        "n_previous_requests": t["times_before"], "cost_centre": "A" + t["type"].str[:3].str.upper(),
    })  # fmt: skip


def _ledger(council: Council) -> pd.DataFrame:
    """One row a budget line, year and period: what was budgeted and what was spent, from the counts and the prices of the time."""
    rows = []
    for service in council.services:
        plan, history = PLANS[service], council.history(service)
        table = history.table.merge(history.series.reset_index(), on="unique_id")
        ds = pd.DatetimeIndex(table["ds"])
        price = table["type"].map({t: p.value for t, p in council.prices[service].items()})
        years_ago = (council.last - ds).days.to_numpy() / 365.25
        weeks = np.where(table["kind"] == "stock", ds.days_in_month.to_numpy() / 7, 1.0)
        table = table.assign(spent=table["y"] * weeks * price * np.exp(-plan.price_growth * years_ago))
        for line, where in plan.lines.items():
            meant = np.logical_and.reduce([table[c].isin(v) for c, v in where.items()])
            rows.append(table[meant].groupby("ds", as_index=False)[["spent", "y"]].sum().assign(service_area=service, line=line))
    long = pd.concat(rows, ignore_index=True)
    ds = pd.DatetimeIndex(long["ds"])
    begins = ds.year - (ds.month < 4)
    budget = long.groupby(["line", begins])["spent"].transform("sum") / 12
    return pd.DataFrame({
        "service_area": long["service_area"], "cc_description": long["line"], "subjective_description": "third party payments",
        "financial_year": begins.astype(str) + "-" + pd.Series((begins + 1) % 100).astype(str).str.zfill(2),
        "period": "P" + pd.Series((ds.month - 4) % 12 + 1).astype(str).str.zfill(2), "profiled_budget": (budget * 0.98).round(2),
        "actual": long["spent"].round(2), "activity": long["y"].astype(int),
    })  # fmt: skip


def _fees(council: Council) -> pd.DataFrame:
    """One row a price, for each of the ten years."""
    rows = []
    for service, prices in council.prices.items():
        for kind, price in prices.items():
            for year in range(council.first.year, council.last.year):
                rate = price.value * np.exp(-PLANS[service].price_growth * (council.last.year - 1 - year))
                unit = "week" if price.unit.endswith("week") else "case"
                rows.append((service, kind, unit, round(rate, 2), f"01/04/{year}", f"31/03/{year + 1}", "spot", price.source, price.owner))
    columns = ["service", "placement_type", "unit", "rate", "rate_from", "rate_to", "block_or_spot", "source", "approved_by"]
    return pd.DataFrame(rows, columns=columns)


def _drivers(council: Council) -> pd.DataFrame:
    """One row a driver and month, published and projected."""
    table = pd.concat([council.drivers(s) for s in council.services]).drop_duplicates(["name", "ds"]).sort_values(["name", "ds"])
    projected = table["low"].notna()
    return pd.DataFrame({
        "ds": table["ds"], "name": table["name"], "area_code": "X06000090", "value": table["value"],
        "unit": table["name"].map(DRIVER_UNITS).fillna("people"), "status": np.where(projected, "projection", "final"), "low": table["low"],
        "high": table["high"],
    })  # fmt: skip
