"""What a report is made from: the tables that a run has stored, and what is said about the run.

In: tables of the run by their stored names, any of which may be missing. Out: one frozen `ReportInput` that every page and sheet reads.
Refuses languages and audiences that it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import pandas as pd
from pydantic import Field, model_validator

from demand.calendar import Frequency
from demand.disclosure import policy_named, protect_people
from demand.disclosure.open_data import ALL, PublishSpec, counts_table
from demand.languages import message, say
from demand.report import words
from demand.spec import NameList, Spec
from demand.tables import BOUNDS, History

__all__ = ["ReportInput", "ReportSpec"]

PLACEHOLDER, PAST_REVIEW = message("PLACEHOLDER"), message("PAST REVIEW")
"""How numbers are marked that nobody has given yet, and those that should have been looked at again by now."""
PEOPLE = ("segment_profile", "segment_equality", "segment_use", "segment_expected", "segment_transitions")
"""Tables of people by segment: they tell of the same people."""
BASELINE = "baseline"
"""The scenario in which nothing is changed."""


class ReportSpec(Spec):
    """For whom the report is written, and in which language."""

    languages: list[Literal["en", "cy"]] = Field(default=["en"], min_length=1)
    """The languages of what people read, the first of which is shown first: [en], [en, cy], [cy, en] or [cy]."""
    audience: Literal["council", "public"] = "council"
    """council: an internal paper, and stamped so. public: small numbers of people are protected by the disclosure policy."""
    names: dict[str, str] = Field(default_factory=dict)
    """Words for the codes of the data: {ta: temporary accommodation}."""
    names_in: dict[Literal["cy"], dict[str, str]] = Field(default_factory=dict)
    """The same in another language, and what the title, scenarios and events are called in it: {cy: {ta: llety dros dro}}."""
    hide: NameList = Field(default_factory=list)
    """Sections to leave out, by the last part of their address: quality, segments..."""

    @model_validator(mode="after")
    def _each_language_once(self) -> ReportSpec:
        if len(set(self.languages)) < len(self.languages):
            raise ValueError("languages must hold each language once: [en], [cy], [en, cy] or [cy, en]")
        return self

    def words_in(self, language: str) -> dict[str, str]:
        """Give the words for the codes of the data in a language."""
        return {**self.names, **next((own for key, own in self.names_in.items() if key == language), {})}


@dataclass(frozen=True)
class ReportInput:
    """The stored results of one run, as the report and the workbook read them.

    Every table has the columns of the stored file of the same name; a table that a run has not made is None, and its section says so or is
    left out.

    Parameters
    ----------
    title : str
        The service, in words: it heads the page.
    run : mapping
        What is known of the run. Read where present: name, seed, as_of, cutoff, frequency, year_end_month, start_month, horizon, draws,
        models, widened (factors on ranges), fingerprint, config_hash, data (file -> hash), versions (package -> version),
        record (of the forecast of record: name, by, note, approved, hash). All else is left alone.
    spec : ReportSpec
    policy : str
        The disclosure policy that a public report applies to counts of people.
    policies : mapping
        Other policies for single tables: "segments" for all that is told of people by segment.
    counted : pandas.DataFrame, optional
        The counts as they leave, for a public report: what it draws of the past is in no contradiction to what is published beside it.
    before : mapping
        The tables of people by segment as they left before.
    history : pandas.DataFrame, optional
        unique_id, ds, y, the key columns, kind, unit.
    forecast, totals, effects, explanation, demand, waterfall, cost, budget, sensitivity, risk : optional
        As stored. `totals` may have a column scenario; `waterfall` may have low and high of the paired difference.
    backtest, backtest_summary, backtest_sums : optional
        As stored.
    segment_profile : pandas.DataFrame, optional
        segment, feature, level, people, share_or_mean, average, index, low, high, missing_share.
    segment_use : pandas.DataFrame, optional
        segment, people, share_of_people, episodes_per_person, repeat_share, open_now, median_stay_days, share_of_cost, cost_per_person,
        nearest_share (of everybody, each in the likeliest segment: the base of segment_cost).
    segment_equality : pandas.DataFrame, optional
        characteristic, column, segment, level, people, known, segment_people, share, average, low, high, differs.
    segment_expected : pandas.DataFrame, optional
        by, level, segment, people, expected, per_person.
    segment_transitions : pandas.DataFrame, optional
        from, to, people, rate, low, high, of.
    segment_cost : pandas.DataFrame, optional
        scenario, segment, financial_year, expected_pence, p10_pence, p90_pence, share.
    segment_portraits : tuple of mapping
        The content of segment_portraits.json.
    segment_evidence, segment_clustergram : pandas.DataFrame, optional
        As stored: what was tried, and how segments split as their number grows.
    segment_notes : tuple of str
        What was left out, done and found when segments were looked for.
    assumptions : pandas.DataFrame, optional
        name, value, unit, low, high, source, as_of, owner, placeholder, used_in.
    price_quantities, price_draws : pandas.DataFrame, optional
        As stored: what the workbook works with.
    inputs_changes : pandas.DataFrame, optional
        As stored: what finance changed in a workbook that was read back.
    applied : pandas.DataFrame, optional
        What each scenario changed: old -> new, and warnings.
    not_forecast : pandas.DataFrame, optional
        unique_id, last, reason: series that ended.
    events : pandas.DataFrame, optional
        name, start, end, kind and, where some concern certain series only, where: key -> values.
    unpriced : pandas.DataFrame, optional
        unique_id, reason: series without a unit cost.
    finance_periods : pandas.DataFrame, optional
        As stored: what each line costs, pays and owes by finance period.
    reconciliation, mtfp, bridge, backcast, allocation : pandas.DataFrame, optional
        As stored: counted at its price against the ledger, increments for the medium-term plan, from the last year to the next, what the
        budget would have been in each past April, and who gets how much.
    start_prices : pandas.DataFrame, optional
        As stored: what those who are there and new starts cost by type, where prices are taken from the extract.
    sweep : pandas.DataFrame, optional
        As stored: a scenario at every combination of some of its numbers.
    levers : pandas.DataFrame, optional
        As stored: people and pounds by part and year, as numbers of scenarios are moved.
    driver_windows : pandas.DataFrame, optional
        As stored: the place of each driver when it is estimated anew.
    outturn : pandas.DataFrame, optional
        As stored: by line, what the year will have cost, from the ledger and the forecast of the months after.
    comparators : pandas.DataFrame, optional
        As stored: our rate beside those of other areas, with funnel limits.
    comparator_notes : tuple of str
        The same in a sentence.
    commitments, stays, stay_ends, stay_features, returns_monthly, returns_yearly, no_activity, late_recording : optional
        As stored, where stocks are worked out from people.
    moved, said : pandas.DataFrame, optional
        As stored: what moved the expected cost of each line since an earlier run, and what each forecast of this year said.
    moved_since : mapping
        As stored: the run that they are held against: name, by, gone, on.
    quality : mapping, optional
        The content of quality.json.
    notes : tuple of str
        What the models did that a reader must know: fallbacks, drivers that were ignored.
    track_record : tuple of str
        Sentences of the evaluation.
    questions : mapping
        Scenario -> the question that it answers.
    parts : mapping
        Declared total -> the series that it is the sum of.
    """

    title: str
    run: Mapping[str, Any] = field(default_factory=dict)
    spec: ReportSpec = field(default_factory=ReportSpec)
    policy: str = "wales"
    policies: Mapping[str, str] = field(default_factory=dict)
    counted: pd.DataFrame | None = None
    before: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    history: pd.DataFrame | None = None
    forecast: pd.DataFrame | None = None
    totals: pd.DataFrame | None = None
    effects: pd.DataFrame | None = None
    backtest: pd.DataFrame | None = None
    backtest_summary: pd.DataFrame | None = None
    backtest_sums: pd.DataFrame | None = None
    explanation: pd.DataFrame | None = None
    demand: pd.DataFrame | None = None
    waterfall: pd.DataFrame | None = None
    cost: pd.DataFrame | None = None
    budget: pd.DataFrame | None = None
    sensitivity: pd.DataFrame | None = None
    risk: pd.DataFrame | None = None
    segment_profile: pd.DataFrame | None = None
    segment_use: pd.DataFrame | None = None
    segment_equality: pd.DataFrame | None = None
    segment_expected: pd.DataFrame | None = None
    segment_transitions: pd.DataFrame | None = None
    segment_cost: pd.DataFrame | None = None
    segment_portraits: tuple[Mapping[str, Any], ...] = ()
    segment_evidence: pd.DataFrame | None = None
    segment_clustergram: pd.DataFrame | None = None
    segment_notes: tuple[str, ...] = ()
    assumptions: pd.DataFrame | None = None
    price_quantities: pd.DataFrame | None = None
    price_draws: pd.DataFrame | None = None
    inputs_changes: pd.DataFrame | None = None
    applied: pd.DataFrame | None = None
    not_forecast: pd.DataFrame | None = None
    events: pd.DataFrame | None = None
    unpriced: pd.DataFrame | None = None
    finance_periods: pd.DataFrame | None = None
    reconciliation: pd.DataFrame | None = None
    mtfp: pd.DataFrame | None = None
    bridge: pd.DataFrame | None = None
    backcast: pd.DataFrame | None = None
    allocation: pd.DataFrame | None = None
    start_prices: pd.DataFrame | None = None
    sweep: pd.DataFrame | None = None
    levers: pd.DataFrame | None = None
    driver_windows: pd.DataFrame | None = None
    outturn: pd.DataFrame | None = None
    moved: pd.DataFrame | None = None
    said: pd.DataFrame | None = None
    moved_since: Mapping[str, Any] = field(default_factory=dict)
    comparators: pd.DataFrame | None = None
    comparator_notes: tuple[str, ...] = ()
    commitments: pd.DataFrame | None = None
    stays: pd.DataFrame | None = None
    stay_ends: pd.DataFrame | None = None
    stay_features: pd.DataFrame | None = None
    returns_monthly: pd.DataFrame | None = None
    returns_yearly: pd.DataFrame | None = None
    no_activity: pd.DataFrame | None = None
    late_recording: pd.DataFrame | None = None
    quality: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    track_record: tuple[str, ...] = ()
    questions: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def named_in(self, language: str) -> ReportInput:
        """Give the same with the names that a language has for the title and the codes of the data."""
        own = next((names for key, names in self.spec.names_in.items() if key == language), {})
        if not own:
            return self
        spec = self.spec.model_copy(update={"names": self.spec.words_in(language)})
        events = None if self.events is None else self.events.assign(name=[own.get(str(n), n) for n in self.events["name"]])
        asked = {name: own.get(question, question) for name, question in self.questions.items()}
        return replace(self, spec=spec, title=own.get(self.title, self.title), events=events, questions=asked)

    @property
    def counted_in(self) -> Mapping[str, str]:
        """Say of each series what it counts: people at one time, or a month. Numbers of different kinds are never added."""
        each = {"D": message("a day"), "W": message("a week"), "M": message("a month"), "Q": message("a quarter"), "Y": message("a year")}
        found = {}
        for row in () if self.history is None else self.history.drop_duplicates("unique_id").itertuples():
            unit = words.label(row.unit, self.spec.names)
            said = f"{unit} {say(each[self.frequency.family])}" if row.kind == "flow" else say("{what} at one time", what=unit)
            found[str(row.unique_id)] = words.capital(said)
        return found

    def in_words(self, text: str) -> str:
        """Give a stored sentence with the names of series and drivers as readers know them in the place of quoted codes, and £ for GBP."""
        known = set(self.spec.names) | (set() if self.history is None else set(map(str, self.history["unique_id"].unique())))

        def name(found: re.Match[str]) -> str:
            code = found[1]
            return words.label(code, self.spec.names) if code in known or re.fullmatch("[a-z0-9]+(_[a-z0-9]+)+", code) else found[0]

        return re.sub(r"(\d[\d,]*) GBP\b", r"£\1", re.sub("'([^']+)'", name, text))

    @property
    def people_policy(self) -> str:
        """The policy for what is told of people by segment."""
        return self.policies.get("segments", self.policy)

    @cached_property
    def people(self) -> Mapping[str, pd.DataFrame]:
        """The tables of people by segment as the readers may have them: for the public protected, all of them together."""
        named = {name: getattr(self, name) for name in PEOPLE}
        there = {name: table for name, table in named.items() if table is not None and not table.empty}
        if self.spec.audience == "council":
            return there
        rules = {policy_named(self.policies.get(name, self.policy)).name for name in ("counts", "segments")}
        # Those who are here now are counted in both: rounded in two ways they would be told, and one withholds what the other does.
        if "segment_use" in there and (len(rules) > 1 or self._now_withheld):
            there["segment_use"] = there["segment_use"].drop(columns="open_now", errors="ignore")
        return protect_people(there, policy=self.people_policy, earlier=self.before)

    @property
    def _now_withheld(self) -> bool:
        """Whether the counts that leave do not tell how many are here now in all."""
        stocks = self.public_counts[self.public_counts["kind"] == "stock"]
        now = stocks[stocks["period"] == stocks["period"].max()]
        keys = [c for c in now.columns if c not in ("kind", "unit", "period", "counted") and not c.endswith("_code")]
        told = now.loc[(now[keys] == ALL).all(axis=1), "counted"] if keys else now["counted"]
        return bool(len(now) and (told.empty or pd.to_numeric(told, errors="coerce").isna().any()))

    @cached_property
    def public_counts(self) -> pd.DataFrame:
        """The counts as they leave: those that are published beside the report, else protected as they would be."""
        if self.counted is not None:
            return self.counted
        if self.history is None:
            return pd.DataFrame(columns=["kind", "unit", "period", "counted"])
        whole = History.of(self.history.assign(y=self.history["y"].round()), self.frequency, keys=self.keys)
        return counts_table(whole, PublishSpec(), policy_named(self.policies.get("counts", self.policy)))

    @property
    def keys(self) -> list[str]:
        """The key columns of the history."""
        known = {"unique_id", "ds", "y", "y_joined", "kind", "unit", *BOUNDS}
        return [] if self.history is None else [str(c) for c in self.history.columns if c not in known]

    @property
    def frequency(self) -> Frequency:
        """How often the series are counted; months where the run does not say."""
        return Frequency(str(self.run.get("frequency", "M")), int(self.run.get("year_end_month", 12)))

    @property
    def start_month(self) -> int:
        """The month in which financial years begin."""
        return int(self.run.get("start_month", 4))

    @property
    def scenarios(self) -> list[str]:
        """The scenarios that were priced or forecast, without the baseline, in their order."""
        names: dict[str, None] = dict.fromkeys(self.questions)
        for table in (self.budget, self.demand):
            if table is not None:
                names.update(dict.fromkeys(map(str, table["scenario"].unique())))
        return [n for n in names if n != BASELINE]

    @property
    def placeholders(self) -> pd.DataFrame:
        """The assumptions that nobody has given yet; empty where all have a source."""
        if self.assumptions is None or "placeholder" not in self.assumptions:
            return pd.DataFrame(columns=["name", "used_in"])
        return self.assumptions[self.assumptions["placeholder"].astype(bool)]

    @property
    def overdue(self) -> pd.DataFrame:
        """The assumptions whose review is overdue."""
        if self.assumptions is None or "overdue" not in self.assumptions:
            return pd.DataFrame(columns=["name", "used_in"])
        return self.assumptions[self.assumptions["overdue"].astype(bool)]

    @property
    def warnings(self) -> list[str]:
        """What was said of scenarios that go beyond what has been observed, each thing once."""
        if self.applied is None or "warning" not in self.applied:
            return []
        said = [str(w).strip() for w in self.applied["warning"].dropna()]
        return list(dict.fromkeys(w for w in said if w))

    def marked(self, *uses: str) -> str:
        """Give the mark of pages that rest on placeholders, or on numbers past their review, in any of these parts of the work.

        A number that does not say where it is used counts everywhere; without `uses` every number counts.
        """
        return " · ".join(
            say(mark) for mark, table in ((PLACEHOLDER, self.placeholders), (PAST_REVIEW, self.overdue)) if _used(table, uses)
        )

    def events_of(self, series: pd.DataFrame) -> pd.DataFrame | None:
        """Give the events that concern any of these series (a row each, with the key columns); one without `where` concerns all."""
        if self.events is None or "where" not in self.events:
            return self.events
        return self.events[[_concerned(series, where) for where in self.events["where"]]]


def _used(table: pd.DataFrame, uses: tuple[str, ...]) -> bool:
    """Say whether any of these assumptions is used in one of these parts of the work."""
    if table.empty or "used_in" not in table or not uses:
        return not table.empty
    used = ["" if pd.isna(u) else str(u).lower().strip() for u in table["used_in"]]
    return any(not u or any(use in u for use in uses) for u in used)


def _concerned(series: pd.DataFrame, where: object) -> bool:
    if not isinstance(where, Mapping):
        return True
    for key, values in where.items():
        named = [values] if isinstance(values, str) else list(values)
        series = series[series[key].astype(str).isin(named)] if key in series else series
    return len(series) > 0 or not where
