"""Who is there: how they run off and who comes, how long stays last and how they end, and what returns ask for. The page and the sheet.

In: a `ReportInput`, or the open book. Out: a `Section` (None where no stocks were worked out from people, or where the report is for the
public: these tables count few), or a sheet. Refuses nothing.
"""

from __future__ import annotations

import re

import pandas as pd

from demand.languages import message, say
from demand.report import words
from demand.report.book import Book
from demand.report.inputs import ReportInput
from demand.report.laid import Laid, sheet_of
from demand.report.parts import Block, Figure, Section, Table

__all__ = ["caseload_section", "caseload_sheet", "caseload_tables"]

TOTAL = "total"
AFTER = 365
"""Days after which the page says how stays have ended."""
LEAD = message("Who is there now runs on at their own prices; new starts come from the forecast. Stays count those who are still there.")
NOT_GIVEN = message("(not given)")
COUNTED = {"opened": message("Openings"), "closed": message("Closings")}
ITEMS = {
    "open now": message("Open now"),
    "new starts": message("New starts"),
    TOTAL: message("Total"),
}
"""What commitments.csv calls its parts; known changes have the config's names."""
LEFT = {"left": message("Left")}


def caseload_section(inputs: ReportInput) -> Section | None:
    """Show who is there, for how long, and how that ends."""
    tables = caseload_tables(inputs)
    if not tables:
        return None
    parts: list[Table | Figure | Block] = [t.table for t in tables]
    return Section("caseload", say("Who is there, and for how long"), tuple(parts), say(LEAD))


def caseload_sheet(book: Book) -> None:
    """Write the same tables."""
    sheet_of(book, caseload_tables(book.inputs), name="Who is there", title="Who is there, and for how long", note=LEAD)


def caseload_tables(inputs: ReportInput) -> list[Laid]:
    """Give the tables that the run has, in the order of reading; none for the public."""
    if inputs.spec.audience == "public":
        return []
    made = [*_run_off(inputs), *_stays(inputs), *_ends(inputs), *_goes_with(inputs), *_returns(inputs), *_recording(inputs)]
    return [t for t in made if not t.frame.empty]


def _run_off(inputs: ReportInput) -> list[Laid]:
    """Those who are there and those who come, at the end of each financial year."""
    table = inputs.commitments
    if table is None or table.empty:
        return []
    ds = pd.DatetimeIndex(table["ds"])
    begins = ds.year - (ds.month < inputs.start_month)
    year = [f"{y}-{(y + 1) % 100:02d}" for y in begins]
    rows = table.assign(year=year, item=[say(ITEMS[i]) if i in ITEMS else _label(i, inputs) for i in table["item"]])
    order = list(dict.fromkeys(rows["item"]))
    last = rows[rows["ds"] == rows.groupby("year")["ds"].transform("max")]
    by = ["year", "item"]
    told = rows.groupby(by, sort=False)["pounds"].sum().to_frame().join(last.groupby(by, sort=False)["people"].sum()).reset_index()
    told = told.sort_values(by, key=lambda c: c.map(order.index) if c.name == "item" else c, ignore_index=True)
    names = {"year": "Financial year", "item": "Who", "people": "There at its end", "pounds": "Cost in the year"}
    note = message(
        "Expected values, of the months that are forecast. Total is the sum of the others; the forecast itself also weighs other models."
    )
    return [Laid(message("Run-off and new starts"), told, names, {"people": "count", "pounds": "exact"}, note)]


def _stays(inputs: ReportInput) -> list[Laid]:
    table = inputs.stays
    if table is None:
        return []
    rows = table.assign(by=_labels(table["by"], inputs), group=_labels(table["group"], inputs))
    names = {"by": "By", "group": "Group", "spells": "Stays", "ends": "Ended", "days_quarter": "A quarter have left after",
             "days_half": "Half have left after", "half_low": "Low", "half_high": "High",
             "days_three_quarters": "Three quarters have left after"}  # fmt: skip
    note = message("Days (Kaplan-Meier). Low to high: 95 % for the half. Empty: fewer had left.")
    return [Laid(message("Lengths of stay"), rows, names, dict.fromkeys([c for c in names if c not in ("by", "group")], "count"), note)]


def _ends(inputs: ReportInput) -> list[Laid]:
    table = inputs.stay_ends
    if table is None:
        return []
    rows = table[table["days"] == AFTER].assign(
        type=lambda t: _labels(t["type"], inputs),
        ends_in=lambda t: [say(LEFT[e]) if e in LEFT else _label(e, inputs) for e in t["ends_in"]],
    )
    wide = rows.pivot_table(index="type", columns="ends_in", values="share", sort=False, fill_value=0.0).reset_index()
    ways = [c for c in wide.columns if c != "type"]
    names = {"type": "Type", **{c: str(c) for c in ways}}
    note = message("Shares of stays (Aalen-Johansen); the rest are still there. Left: out of the service; else moved to that type.")
    return [Laid(message("How stays have ended after a year"), wide, names, dict.fromkeys(ways, "percent"), note)]


def _goes_with(inputs: ReportInput) -> list[Laid]:
    table = inputs.stay_features
    if table is None:
        return []
    names = {"feature": "Feature", "ratio": "Times as likely to leave on a day", "low": "Low", "high": "High"}
    rows = table.assign(feature=[_feature(str(f), inputs) for f in table["feature"]])
    note = message("Above 1: shorter stays, all else equal (Cox, each type with a course of its own). It says what goes together, not why.")
    return [
        Laid(message("What goes with length of stay"), rows, names, dict.fromkeys(("ratio", "low", "high"), lambda v: f"{v:.2f}"), note)
    ]


def _returns(inputs: ReportInput) -> list[Laid]:
    found = []
    if inputs.returns_monthly is not None:
        rows = inputs.returns_monthly.sort_values("ds", ascending=False).assign(month=lambda t: [words.month(d) for d in t["ds"]])
        names = {"month": "Month", "occurrences": "New in the month", "individuals": "There at its end"}
        note = message("As monthly returns count: individuals; new without those who moved from one place to another.")
        found.append(
            Laid(message("For the monthly return"), rows, names, dict.fromkeys(("occurrences", "individuals"), "count"), note, most=13)
        )
    if inputs.returns_yearly is not None:
        rows = inputs.returns_yearly.sort_values("day", ascending=False).assign(on=lambda t: [words.day(d) for d in t["day"]])
        names = {"on": "Day", "households": "Households"}
        found.append(Laid(message("For the yearly return"), rows, names, {"households": "count"}, message("Households, each once.")))
    return found


def _feature(name: str, inputs: ReportInput) -> str:
    """Say what `demand.caseload.lengths` compares: a value beside the commonest one, or ten more of a number."""
    if found := re.fullmatch(r"(\S+) (.+) \(beside (.+)\)", name):
        column, value, other = (words.label(say(NOT_GIVEN) if t == NOT_GIVEN else t, inputs.spec.names) for t in found.groups())
        return words.capital(say("{what}: {value} (beside {other})", what=column, value=value, other=other))
    if name.endswith(", ten more"):
        return words.capital(say("{what}, ten more", what=words.label(name.removesuffix(", ten more"), inputs.spec.names)))
    return _label(name, inputs)


def _recording(inputs: ReportInput) -> list[Laid]:
    found = []
    silent = inputs.no_activity
    if silent is not None:
        rows = silent.assign(name=_labels(silent["unique_id"], inputs))
        names = {"name": "Series", "open": "Open", "with_activity": "With activity", "without_activity": "Without"}
        note = message("Open cases in which nothing has happened for long are perhaps forgotten: they are counted, and shown apart here.")
        found.append(Laid(message("Open cases with no activity"), rows, names, dict.fromkeys(list(names)[1:], "count"), note))
    late = inputs.late_recording
    if late is not None:
        rows = late.assign(
            month=[words.month(d) for d in late["ds"]], what=[say(COUNTED[d]) for d in late["day"]], count=_labels(late["count"], inputs)
        )
        names = {"count": "Count", "what": "What", "month": "Month", "recorded": "Recorded so far", "expected": "Expected in the end",
                 "low": "Low", "high": "High"}  # fmt: skip
        note = message("From earlier extracts. The forecast starts from what is expected. Low to high: 4 in 5.")
        found.append(Laid(message("Recorded late"), rows, names, dict.fromkeys(("recorded", "expected", "low", "high"), "count"), note))
    return found


def _labels(column: pd.Series, inputs: ReportInput) -> list[str]:
    return [_label(v, inputs) for v in column]


def _label(value: object, inputs: ReportInput) -> str:
    return words.capital(words.label(value, inputs.spec.names))
