"""The example council's ledger, drivers and return of referrals as they really arrive.

In: tables of text. Out: the bytes of messy files, and where each fault was planted. Refuses nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demand.data.example_messy import DAY, Made, Messy, as_csv

__all__ = ["drivers", "ledger", "referrals"]

TEAMS = ("Front door", "Early help", "Hospital", "Youth")
MONTHS = 96


def ledger(m: Messy) -> Made:
    """The ledger as finance writes it: credits in brackets and with the minus behind, in thousands, remarks for amounts, subtotals."""
    t = m.table.reset_index(drop=True)
    amounts = t["actual"].astype(float)
    credit = m.rng.choice(np.flatnonzero(amounts > 1000), size=6, replace=False)
    again = t.loc[credit].assign(subjective_description="correction", activity="0")
    t = pd.concat([t, again, again], ignore_index=True)
    figures = pd.concat([amounts, amounts[credit], -amounts[credit]], ignore_index=True) / 1000
    behind = m.rng.random(len(t)) < 0.5
    written = [f"({-v:,.5f})" if v < 0 and not b else f"{-v:,.5f}-" if v < 0 else f"{v:,.5f}" for v, b in zip(figures, behind, strict=True)]
    t["actual"] = [f"£{w}" if m.rng.random() < 0.1 and w[0] != "(" else w for w in written]
    remarks = t.loc[m.rng.choice(len(t), size=int(m.rng.integers(2, 6)), replace=False)].assign(actual="see tab", activity="")
    m.table = pd.concat([t, remarks], ignore_index=True).rename(columns={"actual": "actual £000"})
    m.plant("not_a_number", "actual £000", np.arange(len(t), len(m.table)))
    totals = [(str(line), f"{figures[(t['cc_description'] == line).to_numpy()].sum():,.3f}") for line in t["cc_description"].unique()[:2]]
    bare = pd.DataFrame([{"service_area": f"Total {line}", "actual £000": amount} for line, amount in totals]).reindex(
        columns=m.table.columns
    )
    first = len(m.table)
    m.table = pd.concat([m.table, bare.fillna("")], ignore_index=True)
    m.plant("total_rows", "", np.arange(first, len(m.table)))
    return as_csv(m, "utf-8-sig", title=["Budget monitoring", "All figures in £000"])


def drivers(m: Messy) -> Made:
    """Drivers from several publications: names written two ways, marks behind figures, a figure that is still to come."""
    t = m.table
    t["value"] = [f"{float(v):,.2f}" for v in t["value"]]
    final = np.flatnonzero(t["status"] == "final")
    marked = m.some(final, 4, 10)
    m.plant(
        "marked_number",
        "value",
        marked,
        [f"{v} {s}" for v, s in zip(t["value"][marked], m.rng.choice(["[r]", "[p]", "†"], len(marked)), strict=True)],
    )
    spelt = m.some(final, 3, 6)
    m.plant("mixed_codes", "name", spelt, [n.replace("_", " ").capitalize() for n in t["name"][spelt]])
    m.plant("not_a_number", "value", m.some(final, 2, 4), str(m.rng.choice(["tbc", "awaiting release", "n.a. yet"])))
    return as_csv(m, "utf-8", title=["Drivers, from several sources"], separator=";")


def referrals(m: Messy) -> Made:
    """A return of referrals by team: another definition, another system, three zeros too many, and a month that is still being entered."""
    months = pd.date_range(end="2026-03-31", periods=MONTHS, freq="ME")
    season = 1 + 0.08 * np.sin(2 * np.pi * months.month.to_numpy() / 12)
    counts = m.rng.poisson(m.rng.uniform(180, 420, size=(len(TEAMS), 1)) * season)
    redefined, renamed, mistyped = m.rng.permutation(len(TEAMS))[:3]
    since, moved, slip = int(m.rng.integers(30, 50)), int(m.rng.integers(58, 70)), int(m.rng.integers(8, 88))
    counts[redefined, since:] = (counts[redefined, since:] * m.rng.uniform(1.6, 2.4)).astype(int)
    counts[mistyped, slip] *= 1000
    counts[:, -1] = counts[:, -1] * m.rng.uniform(0.2, 0.35)
    names = np.repeat(np.array(TEAMS, dtype=object)[:, None], MONTHS, axis=1)
    names[renamed, moved:] = str(m.rng.choice(["Tîm Cymorth Cynnar", "Team 0417 (new system)", "Single point of access"]))
    m.table = pd.DataFrame({
        "Month ending": np.tile(months.strftime(DAY), len(TEAMS)), "Team": names.reshape(-1), "Referrals": counts.reshape(-1).astype(str),
    }).astype(object)  # fmt: skip
    rules = ["event_proposed", "system_change", "ended_series", "spike", "late_month"]
    m.planted += [(rule, "Referrals", -1) for rule in rules]
    return as_csv(m, "cp1252", title=["Referrals by team"], total="Month ending", separator=";")
