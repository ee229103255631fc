"""The example council's extracts as they really arrive, with the faults that systems and spreadsheets leave, and where each was planted.

In: the clean extracts and a seed. Out: the bytes of messy files, and the truth: file, rule, column and row of every fault. Refuses nothing.
The faults are those that analysts in housing and social care report; how many, where and how large is drawn.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.data.codes import ETHNIC_GROUPS, WELSH_AUTHORITIES
from demand.data.example_mess_counts import drivers, ledger, referrals
from demand.data.example_messy import DAY, Made, Messy, as_csv, as_excel
from demand.spec import stream

__all__ = ["MESSY", "mess_up"]

MESSY = ("homelessness_cases.csv", "ta_placements.xlsx", "children_placements.csv", "adult_packages.csv", "ta_return.xlsx",
         "ledger_monitoring.csv", "drivers.csv", "referrals_return.csv")  # fmt: skip
"""The files that are written."""
NOT_KNOWN = ("NK", "N/K", "Not known", "-", "Refused")
TYPED_OVER = {
    "bed_and_breakfast": ("Bed and breakfast", "B&B", "BB", "bed & breakfast"),
    "private_leased": ("Private leased", "PSL", "private-leased"),
    "hostel": ("Hostel", "hostel", "Hostle"),
    "foster": ("Foster care", "foster-care", "Fostercare"),
    "residential": ("Residential", "RESIDENTIAL", "Residental"),
    "kinship": ("Kinship care", "kinship-care"),
    "homecare": ("Home care", "Homecare", "home-care"),
    "direct_payment": ("Direct payment", "DP", "direct payments"),
}
"""What the system writes, and what people type over it."""


def mess_up(tables: dict[str, pd.DataFrame], seed: int) -> tuple[dict[str, bytes], pd.DataFrame]:
    """Make the extracts messy.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        The clean extracts, by file name.
    seed : int

    Returns
    -------
    files : dict of str to bytes
    truth : pandas.DataFrame
        file, rule, column, row (as a spreadsheet numbers it; with its sheet before it where a workbook has several; empty where a fault is
        of the whole file).
    """
    files, truth = {}, []
    makers = {"homelessness_cases.csv": _cases, "ta_placements.csv": _placements, "children_placements.csv": _children,
              "adult_packages.csv": _packages, "ta_return.csv": _return, "ledger_monitoring.csv": ledger, "drivers.csv": drivers,
              "referrals_return.csv": referrals}  # fmt: skip
    tables = tables | {"referrals_return.csv": pd.DataFrame()}
    for name in sorted(makers.keys() & tables.keys()):
        text = tables[name].reset_index(drop=True)
        text = text.assign(**{c: text[c].dt.strftime(DAY) for c in text.columns if pd.api.types.is_datetime64_any_dtype(text[c])})
        text = text.astype(object).where(text.notna(), "")
        messy, content, rows = makers[name](Messy(name, text.map(_written), stream(seed, "example", "mess", name)))
        files[messy.name] = content
        truth += [(messy.name, *where) for where in rows]
    return files, pd.DataFrame(truth, columns=["file", "rule", "column", "row"])


def _written(value: object) -> str:
    return (
        f"{value:.2f}"
        if isinstance(value, float) and not value.is_integer()
        else f"{value:.0f}"
        if isinstance(value, float)
        else str(value)
    )


def _cases(m: Messy) -> Made:
    """Homelessness cases: references that Excel cut, forgotten cases, closures typed in batches, words for not known."""
    t = m.table
    t["case_ref"] = [f"{n:08d}" for n in m.rng.permutation(20_000_000)[: len(t)] + 5_000]
    t["age"] = ((m.days("date_presented") - m.days("main_app_dob")).dt.days // 365).astype(int).astype(str)
    closed = m.days("closed_date")
    lately = pd.Series(closed.max() - pd.to_timedelta(m.rng.integers(0, 90, len(t)), unit="D"))
    t["last_updated"] = closed.where(closed.notna(), lately).dt.strftime(DAY)
    _typed_over_area(m, "area")
    alone = _alone(t, "applicant_id")
    ended = alone[closed[alone].notna().to_numpy()]
    early = ended[(m.days("date_presented")[ended] < m.days("date_presented").min() + pd.Timedelta(days=1500)).to_numpy()]
    ghosts = m.some(early, 3, 9)
    m.plant("forgotten", "closed_date", ghosts, "")
    _never_ended(m, "closed_date", alone[closed[alone].isna().to_numpy()])
    _backwards(m, "date_presented", "closed_date", ended)
    day = closed[ended].sort_values().iloc[int(len(ended) * m.rng.uniform(0.3, 0.8))]
    late = ended[((closed[ended] > day - pd.Timedelta(days=150)) & (closed[ended] <= day)).to_numpy()]
    late = np.array([i for i in late if i not in m.used])
    t.loc[late, "closed_date"] = day.strftime(DAY)
    m.used.update(int(i) for i in late)
    m.plant("batch_day", "closed_date", np.flatnonzero(t["closed_date"] == day.strftime(DAY)))
    m.plant("implausible_value", "age", m.some(alone), m.rng.choice(["123", "-1", "999"]))
    m.plant("implausible_value", "household_size", m.some(alone), "0")
    unknown = m.some(alone, 12, 20)
    words = m.rng.choice(np.array(NOT_KNOWN, dtype=object), size=len(unknown))
    m.plant("mixed_codes", "last_tenure", [r for r, w in zip(unknown, words, strict=True) if w != _commonest(words)])
    t.loc[unknown, "last_tenure"] = words
    short = m.some(np.flatnonzero(t["case_ref"].str.startswith("0")), 4, 12)
    m.plant("lost_zeros", "case_ref", short, t.loc[short, "case_ref"].str.lstrip("0"))
    _codes(m, alone)
    _twice(m, "case_ref", "applicant_id", alone)
    return as_csv(m, "utf-8-sig", title=["Homelessness applications: all cases", "", "Parameters: opened since April 2016"], blanks=True)


def _codes(m: Messy, alone: np.ndarray) -> None:
    """Give cases the codes of national lists: of properties, areas and ethnic groups, and spoil some as typing and Excel do."""
    t, n = m.table, len(m.table)
    uprn = pd.Series([f"{u:012d}" for u in np.where(m.rng.random(n) < 0.7, 100_000_000_000, 10_000_000_000) + m.rng.integers(1, 10**9, n)])
    t["uprn"] = uprn
    m.plant("uprn", "uprn", m.some(alone), str(m.rng.choice(["1.00012E+11", "1.0009E+11", "100012 345"])))
    short = m.some(np.flatnonzero(uprn.str.startswith("0")), 3, 9)
    m.plant("uprn_padded", "uprn", short, uprn[short].str.lstrip("0"))
    t["last_settled_la"] = m.rng.choice(np.array([*WELSH_AUTHORITIES, "E06000023", "E08000003"], dtype=object), size=n)
    m.plant("gss_code", "last_settled_la", m.some(alone), m.rng.choice(["W06000007", "W06000017", "W06000031", "W06O00015", "W0600015"]))
    t["lsoa"] = [f"W01{i:06d}" for i in m.rng.integers(1, 1900, n)]
    m.plant("gss_code", "lsoa", m.some(alone), m.rng.choice(["W02000123", "W01009876", "W0100123", "WO1000456", "W06000015"]))
    groups = np.array(
        [f"{broad}: {g}" if "ethnic" not in broad else g for broad, several in ETHNIC_GROUPS.items() for g in several], dtype=object
    )
    t["ethnic_group"] = m.rng.choice(groups, size=n)
    m.plant("ethnic_group", "ethnic_group", m.some(alone), m.rng.choice(["WBRI", "A9", "Cornish pasty", "Group 17"]))


def _placements(m: Messy) -> Made:
    """Temporary accommodation, in Excel: double bookings, moves the next day, kinds typed over, three zeros too many, days as numbers."""
    t = m.table
    _typed_over(m, "ta_type")
    _neighbours(m, "household_ref", "start_date", "end_date")
    alone = _alone(t, "household_ref")
    open_now = alone[(t.loc[alone, "end_date"] == "").to_numpy()]
    _never_ended(m, "end_date", open_now)
    _backwards(m, "start_date", "end_date", alone[(t.loc[alone, "end_date"] != "").to_numpy()])
    slips = m.some(alone)
    m.plant("price_slip", "weekly_charge", slips, (t.loc[slips, "weekly_charge"].astype(float) * 1000).map("{:.0f}".format))
    pretty = m.some(alone, 20, 40)
    t.loc[pretty, "weekly_charge"] = t.loc[pretty, "weekly_charge"].astype(float).map("£{:,.2f}".format)
    _twice(m, "placement_id", "household_ref", alone)
    days = m.some(alone, 4, 9)
    serial = (m.days("start_date")[days] - pd.Timestamp("1899-12-30")).dt.days
    m.plant(
        "date_format",
        "start_date",
        days,
        serial.astype(object) if m.rng.random() < 0.5 else m.days("start_date")[days].dt.strftime("%d %b %y"),
    )
    m.name = "ta_placements.xlsx"
    return as_excel(m, {"Placements": np.arange(len(m.table))}, title=["Temporary accommodation placements", ""])


def _children(m: Messy) -> Made:
    """Children looked after: a child twice, fees to be confirmed, letters damaged on the way."""
    t = m.table
    _typed_over_area(m, "area")
    _typed_over(m, "placement_type")
    _neighbours(m, "child_id", "placement_start", "placement_end")
    alone = _alone(t, "child_id")
    _backwards(m, "placement_start", "placement_end", alone[(t.loc[alone, "placement_end"] != "").to_numpy()])
    m.plant("not_a_number", "weekly_fee", m.some(alone), m.rng.choice(["tbc", "see tab", "TBC"]))
    first = m.some(alone, 2, 4)
    copies = _copied(m, first)
    m.plant("doubled_reference", "episode_ref", [*first, *copies])
    return as_csv(m, "utf-16", title=["Children looked after"], total="placement_start", separator="\t", two_rows=True)


def _packages(m: Messy) -> Made:
    """Care packages: lines counted twice, damaged names, rows pushed along by a comma."""
    t = m.table
    _typed_over(m, "service_type")
    alone = _alone(t, "person_id")
    _backwards(m, "line_start", "line_end", alone[(t.loc[alone, "line_end"] != "").to_numpy()])
    slips = m.some(alone)
    m.plant("price_slip", "weekly_gross", slips, (t.loc[slips, "weekly_gross"].astype(float) * 1000).map("{:.0f}".format))
    later = m.some(alone[(t.loc[alone, "line_end"] == "").to_numpy()])
    m.plant(
        "later_than_extract",
        "line_end",
        later,
        (pd.Timestamp("2026-04-01") + pd.Timedelta(days=int(m.rng.integers(30, 400)))).strftime(DAY),
    )
    _twice(m, "line_id", "person_id", alone)
    since = m.days("line_start").quantile(m.rng.uniform(0.45, 0.75))
    recoded = np.flatnonzero((m.days("line_start") >= since) & (m.table["service_type"] == "Home care"))
    m.table.loc[recoded, "service_type"] = str(m.rng.choice(["Domiciliary support", "Cymorth yn y cartref", "Service line 0417"]))
    m.planted.append(("system_change", "service_type", -1))
    pushed = m.some(alone, 2, 4)
    m.plant("shifted_row", "", pushed)
    return as_csv(m, "cp1252", title=["Packages of care é ô â", "£ a week"], total="line_start", pushed=pushed)


def _return(m: Messy) -> Made:
    """The monthly return, a sheet a financial year: hidden and revised counts, totals, remarks."""
    t = m.table
    counts = t["households"].astype(int)
    small = m.some(np.flatnonzero(counts < 5), 3, 8)
    m.plant("suppressed", "households", small, m.rng.choice(["<5", "*", "[c]"], size=len(small)))
    marked = m.some(np.flatnonzero(counts >= 5), 3, 6)
    m.plant("marked_number", "households", marked, [f"{n} [r]" for n in counts[marked]])
    year = m.days("month_end")
    begins = np.where(year.dt.month >= 4, year.dt.year, year.dt.year - 1)
    m.name = "ta_return.xlsx"
    return as_excel(m, {f"{y}-{(y + 1) % 100:02d}": np.flatnonzero(begins == y) for y in np.unique(begins)}, title=["TA return", ""])


def _alone(t: pd.DataFrame, person: str) -> np.ndarray:
    """Rows of people with one episode alone: a change there changes nothing beside it."""
    return np.flatnonzero(~t[person].duplicated(keep=False).to_numpy())


def _typed_over(m: Messy, column: str) -> None:
    """Give kinds the system's own label, and type another over some of them."""
    for kind, (label, *typed) in TYPED_OVER.items():
        rows = np.flatnonzero(m.table[column] == kind)
        if not len(rows):
            continue
        m.table.loc[rows, column] = label
        some = m.rng.choice(rows, size=min(len(rows) // 20, int(m.rng.integers(2, 12))), replace=False)
        m.plant("mixed_codes", column, some, m.rng.choice(np.array(typed, dtype=object), size=len(some)))
        clean = [r for r, c in zip(some, m.table.loc[some, column], strict=True) if c.strip() == label]
        m.planted = [p for p in m.planted if not (p[0] == "mixed_codes" and p[1] == column and p[2] in clean)]


def _typed_over_area(m: Messy, column: str) -> None:
    """Give an area its Welsh name, which some export has damaged."""
    name = str(m.rng.choice(["Tŷ Castell", "Llŷn a'r Castell", "Y Castell Ŵyn"]))
    rows = np.flatnonzero(m.table[column] == "Castle")
    m.table.loc[rows, column] = name
    bad = name.encode().decode("cp1252", errors="replace").replace("\ufffd", "·")
    m.plant("damaged_letters", column, m.some(rows, 3, 8), bad)


def _commonest(words: np.ndarray) -> str:
    counted = pd.Series(words).value_counts()
    return str(min(counted.index[counted == counted.max()]))


def _never_ended(m: Messy, column: str, open_now: np.ndarray) -> None:
    """Write the days that systems write for: still open."""
    m.plant("far_future", column, m.some(open_now, 2, 6), str(m.rng.choice(["31/12/9999", "31/12/2099"])))
    m.plant("far_past", column, m.some(open_now, 1, 4), "01/01/1900")


def _backwards(m: Messy, opened: str, closed: str, ended: np.ndarray) -> None:
    rows = m.some(ended)
    back = m.days(opened)[rows] - pd.to_timedelta(m.rng.integers(1, 300, len(rows)), unit="D")
    m.plant("ended_before_started", closed, rows, back.dt.strftime(DAY))


def _neighbours(m: Messy, person: str, opened: str, closed: str) -> None:
    """Make double bookings and moves the next day of moves on the same day."""
    begins, ends = m.days(opened), m.days(closed)
    order = m.table.assign(_o=begins).sort_values([person, "_o"], kind="stable").index.to_numpy()
    first, then = order[:-1], order[1:]
    pair = (m.table[person].to_numpy()[first] == m.table[person].to_numpy()[then]) & (begins.to_numpy()[then] == ends.to_numpy()[first])
    long = (ends.to_numpy()[then] - begins.to_numpy()[then] > np.timedelta64(25, "D")) | np.isnat(ends.to_numpy()[then])
    pair &= long & (ends.to_numpy()[first] - begins.to_numpy()[first] > np.timedelta64(2, "D"))
    several = pd.Series(then[pair])
    single = several[~m.table.loc[several, person].duplicated(keep=False).to_numpy()].to_numpy()
    before = dict(zip(then, first, strict=True))
    for rule, shift in (("overlap", int(m.rng.integers(2, 20))), ("next_day_move", -1)):
        rows = m.some(single, 3, 9)
        earlier = [before[r] for r in rows]
        m.used.update(int(r) for r in earlier)
        m.table.loc[earlier, closed] = (ends[earlier] + pd.Timedelta(days=shift)).dt.strftime(DAY).to_numpy()
        m.plant(rule, opened, rows)


def _copied(m: Messy, rows: np.ndarray) -> np.ndarray:
    """Write rows again at the end."""
    again = np.arange(len(m.table), len(m.table) + len(rows))
    m.table = pd.concat([m.table, m.table.loc[rows]], ignore_index=True)
    m.used.update(int(r) for r in again)
    copy = dict(zip((int(r) for r in rows), again, strict=True))
    m.planted += [(rule, column, int(copy[row])) for rule, column, row in m.planted if row in copy]
    return again


def _twice(m: Messy, reference: str, person: str, alone: np.ndarray) -> None:
    """Enter some episodes again under another reference."""
    again = _copied(m, m.some(alone, 3, 8))
    top = m.table[reference].astype(str)
    digits = top.str.extract(r"(\d+)")[0].astype(int).max()
    head, width = str(top.iloc[0]).rstrip("0123456789"), len(str(top.iloc[0]).lstrip("PLE"))
    m.plant("duplicate_episode", person, again)
    m.table.loc[again, reference] = [f"{head}{digits + i + 1:0{width}d}" for i in range(len(again))]
