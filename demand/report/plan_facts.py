"""What the tables of the budget round say, looked up and put into sentences.

In: a `ReportInput` with reconciliation, bridge, mtfp and backcast as stored. Out: rows in pounds for the page and the workbook, and the
sentences that stand on the first page. Refuses nothing; what a run does not have is empty.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from demand.languages import message, say, say_many
from demand.report import words
from demand.report.facts import TOTAL
from demand.report.inputs import BASELINE, ReportInput
from demand.report.money_sections import money_measure

__all__ = [
    "backcast_held",
    "backcast_off",
    "backcast_rows",
    "bridge_rows",
    "cliffs",
    "difference_or_cost",
    "gap_rows",
    "gap_sentence",
    "last_gap",
    "ledger_caveat",
    "ledger_off",
    "net_rows",
    "plan_rows",
    "step_name",
]

STEPS = {
    "interaction": message("working together"),
    "volume": message("how many are there"),
    "starts": message("how many come"),
    "length of stay": message("how long they stay"),
    "mix": message("which kinds of place"),
    "price": message("prices"),
    "prices and uplift": message("prices and uplift"),
    "demand": message("how many and which kinds"),
    "not explained by volume x price": message("not explained by numbers and prices"),
    "outturn": message("what the ledger says"),
    "volume x price": message("what was counted, at its price"),
    "forecast": message("what we expect"),
}
"""Names of steps, as people say them."""
FAR = 2
"""How many times the accepted gap is far more than it."""
MOST = 0.9
"""Up to which share explained "only" is said of it."""
PARTS = ("gross_pence", "income_pence", "grant_pence", "saving_pence", "expected_pence")
WAYS = {
    "forecast": message("The forecast"),
    "last year plus 3 %": message("The year before plus 3%"),
    "budget that was set": message("The budget that was set"),
}


def step_name(inputs: ReportInput, name: object) -> str:
    """Say what a step of a bridge or a row of the plan is."""
    known = STEPS.get(str(name))
    return words.capital(words.label(name, inputs.spec.names) if known is None else say(known))


def _pounds(table: pd.DataFrame) -> pd.DataFrame:
    """Give amounts in pounds beside those in pence."""
    more = {c.removesuffix("_pence"): pd.to_numeric(table[c]).astype(float) / 100 for c in table.columns if c.endswith("_pence")}
    return table.assign(**more, whole=table["line"].astype(str).str.lower().isin(TOTAL))


def _named(inputs: ReportInput, table: pd.DataFrame) -> pd.DataFrame:
    said = [
        say("All lines") if whole else words.capital(words.label(n, inputs.spec.names))
        for n, whole in zip(table["line"], table["whole"], strict=True)
    ]
    return table.assign(name=said)


def _told(inputs: ReportInput, table: pd.DataFrame | None) -> pd.DataFrame:
    """Give a stored table in pounds, with lines as they are said; empty where there is none."""
    return pd.DataFrame() if table is None or table.empty else _named(inputs, _pounds(table))


def gap_rows(inputs: ReportInput) -> pd.DataFrame:
    """Give what was counted at its price against the ledger, by line and year."""
    return _told(inputs, inputs.reconciliation)


def gap_sentence(inputs: ReportInput) -> str:
    """Say how much of the last year's spending is not explained; empty where no outturn was given."""
    row = last_gap(inputs.reconciliation)
    if row is None:
        return ""
    gap, share = row["gap_pence"] / 100, float(row["gap_share"])
    lines = [words.label(name, inputs.spec.names) for name in row["lines"]]
    said = say(
        "Of the {spent} that the ledger says were spent{of} in {year}, counted numbers at their prices explain {explained}",
        spent=words.pounds(row["outturn_pence"] / 100),
        of=say(" for {what}", what=words.join(lines)) if lines else "",
        year=row["financial_year"],
        explained=words.pounds(row["modelled_pence"] / 100),
    )
    money = words.pounds(abs(gap))
    return say(
        "{said}: {change} ({share}), {within} the {tolerance} that is accepted. The gap is shown, not hidden in prices.",
        said=said,
        change=say("{money} less", money=money) if gap >= 0 else say("{money} more", money=money),
        share=words.percent(abs(share)),
        within=say("within") if row["within"] else say("far more than") if abs(share) > FAR * float(row["tolerance"]) else say("more than"),
        tolerance=words.percent(row["tolerance"]),
    )


def last_gap(table: pd.DataFrame | None) -> dict[str, Any] | None:
    """Give the last year's check against the ledger: of all lines together, or else the sum of those checked, with their names.

    What is accepted of a sum is that of its lines, each weighted by its outturn.
    """
    if table is None or table.empty:
        return None
    last = table[table["financial_year"] == table["financial_year"].max()]
    whole = last["line"].astype(str).str.lower().isin(TOTAL)
    if whole.any():
        return {**{str(k): v for k, v in last[whole].iloc[0].items()}, "lines": []}
    modelled, outturn, weight = last["modelled_pence"].sum(), last["outturn_pence"].sum(), last["outturn_pence"].abs()
    gap, accepted = outturn - modelled, float((weight * last["tolerance"]).sum() / max(weight.sum(), 1))
    return {
        "lines": list(last["line"]),
        "financial_year": last["financial_year"].iloc[0],
        "modelled_pence": modelled,
        "outturn_pence": outturn,
        "gap_pence": gap,
        "gap_share": gap / abs(outturn) if outturn else float("nan"),
        "tolerance": accepted,
        "within": bool(abs(gap) <= accepted * abs(outturn)),
    }


def ledger_off(table: pd.DataFrame | None) -> dict[str, Any] | None:
    """Give the last year's check and the share that is explained, where it is outside what was allowed and does not read as 100%."""
    row = last_gap(table)
    if row is None or row["within"] or not row["outturn_pence"] > 0:
        return None
    share = row["modelled_pence"] / row["outturn_pence"]
    return None if words.percent(share) == words.percent(1) else {**row, "share": share}


def ledger_caveat(inputs: ReportInput) -> str:
    """Say that the cost cannot be held against the budget yet; empty where the ledger's check is within what was allowed."""
    row = ledger_off(inputs.reconciliation)
    if row is None:
        return ""
    if row["share"] <= MOST:
        said = message(
            "These counts and prices explain only {share} of what was spent on these lines in {year}: hold the cost against the budget "
            "only once that is cleared up."
        )
    else:
        said = message(
            "These counts and prices come to {share} of what was spent on these lines in {year}: hold the cost against the budget only "
            "once that is cleared up."
        )
    return say(said, share=words.percent(row["share"]), year=row["financial_year"])


def bridge_rows(inputs: ReportInput, scenario: str = BASELINE) -> pd.DataFrame:
    """Give the steps from one year to the next under a scenario."""
    rows = _told(inputs, inputs.bridge)
    if rows.empty:
        return rows
    mine = rows[rows["scenario"] == scenario]
    return mine.assign(said=[step_name(inputs, s) for s in mine["step"]])


def plan_rows(inputs: ReportInput, scenario: str = BASELINE) -> pd.DataFrame:
    """Give the increments of the medium-term plan under a scenario, without those that are nought in every year."""
    rows = _told(inputs, inputs.mtfp)
    if rows.empty:
        return rows
    mine = rows[rows["scenario"] == scenario]
    some = mine.groupby(["line", "item"])[["low", "medium", "high"]].transform(lambda v: v.abs().max()).max(axis=1) >= 0.5
    mine = mine[some]
    return mine.assign(said=[step_name(inputs, i) for i in mine["item"]])


def difference_or_cost(inputs: ReportInput, scenario: str, year: str, row: pd.Series) -> str:
    """Say how sure the difference is that a scenario makes, within the same futures; where the run has no range of it, that of its cost."""
    table = inputs.waterfall
    if table is not None and {"difference_low", "difference_high"} <= set(table):
        mine = table[(table["measure"] == money_measure(table)) & (table["from"] == BASELINE) & (table["to"] == scenario)]
        for low, high in mine.loc[mine["financial_year"].astype(str) == year, ["difference_low", "difference_high"]].dropna().to_numpy():
            return _more_or_less(float(low), float(high))
    return words.spread(row["low"], row["expected"], row["high"], money=True) if pd.notna(row["low"]) else words.pounds(row["expected"])


def _more_or_less(low: float, high: float) -> str:
    if words.pounds(abs(low)) == words.pounds(abs(high)) == words.pounds(0):
        return say("about the same; 4 years in 5")
    low, high = (0.0 if words.pounds(abs(v)) == words.pounds(0) else v for v in (low, high))
    if low < 0 < high:
        return say("between {low} less and {high} more; 4 years in 5", low=words.pounds(-low), high=words.pounds(high))
    ends = words.between(*sorted((abs(low), abs(high))), money=True)
    return say("{range} more; 4 years in 5", range=ends) if low >= 0 else say("{range} less; 4 years in 5", range=ends)


def cliffs(inputs: ReportInput) -> list[str]:
    """Say which grants end, and what is missing from then on."""
    rows = plan_rows(inputs)
    if rows.empty:
        return []
    ends = rows[(rows["kind"] == "grant") & ~rows["recurring"].astype(bool) & (rows["medium"] > 0) & ~rows["whole"]]
    return [
        say(
            "{name} ends: from {year} on, {money} a year more has to be found for {what}, or the grant renewed.",
            name=r.said,
            year=r.financial_year,
            money=words.pounds(r.medium),
            what=words.label(r.line, inputs.spec.names),
        )
        for r in ends.itertuples()
    ]


def backcast_rows(inputs: ReportInput) -> pd.DataFrame:
    """Give what each past April would have budgeted, by way of deciding, and what was needed."""
    rows = _told(inputs, inputs.backcast)
    return rows if rows.empty else rows.assign(way=[say(WAYS.get(str(m), str(m))) for m in rows["method"]])


def backcast_held(inputs: ReportInput) -> str:
    """Say in how many past years the range held in pounds, without those that a shock fell into; empty where none could be judged."""
    rows = _total(backcast_rows(inputs))
    judged = rows[rows["calibrated"].astype(bool)].dropna(subset=["inside"]) if len(rows) else rows
    if judged.empty:
        return ""
    shock = judged["shock"].fillna("").astype(str) if "shock" in judged else pd.Series("", index=judged.index)
    aside, judged = judged[shock != ""], judged[shock == ""]
    each = words.join(f"{r.financial_year} ({words.label(r.shock, inputs.spec.names)})" for r in aside.itertuples())
    without = "" if aside.empty else say("Set aside, as no forecast could know of them: {years}.", years=each)
    if judged.empty:
        return without
    held = int(judged["inside"].astype(bool).sum())
    said = say_many(
        "In pounds: what was needed lay inside the range said each April in {held} of {number} year.",
        "In pounds: what was needed lay inside the range said each April in {held} of {number} years.",
        len(judged),
        held=held,
        number=len(judged),
    )
    return f"{said} {without}".strip()


def backcast_off(inputs: ReportInput) -> str:
    """Say how far off each way of setting budgets was on average; empty where nothing was replayed."""
    rows = _total(backcast_rows(inputs))
    if rows.empty:
        return ""
    off = rows.assign(off=rows["error"].abs()).groupby("way", sort=False)["off"].mean()
    each = [say("{way} was off by {money}", way=f"{str(w)[0].lower()}{str(w)[1:]}", money=words.pounds(v)) for w, v in off.items()]
    return say("On average {each}.", each=words.join(each))


def _total(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the rows of all lines together, or of the only line."""
    if rows.empty:
        return rows
    return rows[rows["whole"]] if rows["whole"].any() else rows[rows["line"] == rows["line"].iloc[0]]


def net_rows(inputs: ReportInput) -> pd.DataFrame:
    """Give gross, income, grants and savings by line and year, under every scenario; empty where nothing comes in."""
    table = inputs.budget
    if table is None or table.empty or not set(PARTS) <= set(table.columns):
        return pd.DataFrame()
    rows = _told(inputs, table)
    return rows if (rows[["income", "grant", "saving"]].abs() > 0).any(axis=None) else pd.DataFrame()
