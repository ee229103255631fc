"""The page: six answers, nothing from outside, every picture with words and a table, small numbers protected."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pandas as pd
import pytest
from report_made import made

from demand.report import ReportInput, ReportSpec
from demand.report.answers import answers
from demand.report.facts import lines
from demand.report.html import quality_page, report_page
from demand.report.parts import Block, Table
from demand.report.people_tables import asked_tables
from demand.report.record import held, misses
from demand.report.sections import sections
from demand.report.words import banned_in

NASTY = ("</script><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "=HYPERLINK(1)", "$x^2$ & <b>", "a$b")
HIDDEN = ("style", "title", "script")


class Reader(HTMLParser):
    """Collect tags with their attributes, and the text that a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._hidden = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden += tag in HIDDEN

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in HIDDEN

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@cache
def whole() -> str:
    return report_page(made())


def test_nothing_comes_from_outside_and_nothing_runs() -> None:
    page = Reader(whole())
    policy = next(str(m["content"]) for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    (data, code), texts = page.all("script"), re.findall(r"<script>(.*?)</script>", whole(), re.DOTALL)
    assert (data, code) == ({"type": "application/json", "id": "texts"}, {})
    assert f"script-src 'sha256-{base64.b64encode(hashlib.sha256(texts[0].encode()).digest()).decode()}';" in policy
    assert not re.search(r"eval|Function\(|innerHTML|fetch|XMLHttp|import\(|document\.write", texts[0])
    assert not page.all("link")
    assert not page.all("iframe")
    assert all(str(i["src"]).startswith("data:image/svg+xml") for i in page.all("img"))
    assert all(str(a["href"]).startswith("#") for a in page.all("a"))
    assert "http" not in re.sub(r"data:image/[^\"]*", "", whole()).replace("http-equiv", "")


def test_the_first_page_answers_six_questions_with_a_number_a_range_and_a_picture() -> None:
    found = answers(made())
    assert [a.question for a in found] == [
        "What will happen?",
        "How sure are we?",
        "Why?",
        "What will it cost?",
        "What could be done?",
        "Were we right before?",
    ]
    for answer in found:
        assert answer.number
        assert re.search(r"\d", answer.number)
        assert re.search(r"\bbetween\b", answer.range, re.IGNORECASE)
        assert answer.sentence.endswith(".")
        assert answer.figure is not None


def test_the_first_page_is_plain_english() -> None:
    first = whole()[: whole().index('<nav class="contents"')]
    page = Reader(first)
    alts = [str(i["alt"]) for i in page.all("img")]
    assert banned_in(" ".join([*page.words, *alts])) == []


def test_the_numbers_of_the_first_page_are_those_of_the_run() -> None:
    inputs = made()
    found = {a.question: a for a in answers(inputs)}
    totals, budget = inputs.totals, inputs.budget
    assert totals is not None
    assert budget is not None
    year = totals[(totals["level"] == "total") & (totals["kind"] == "stock") & (totals["financial_year"] == "2026-27")].iloc[0]
    assert found["What will happen?"].number == f"{year['mean']:,.0f}"
    assert f"{year['q0.1']:,.0f}" in found["What will happen?"].range
    assert f"{year['q0.9']:,.0f}" in found["What will happen?"].range
    pence = budget[(budget["scenario"] == "baseline") & (budget["line"] == "total") & (budget["financial_year"] == "2026-27")].iloc[0]
    assert found["What will it cost?"].number == f"£{pence['expected_pence'] / 1e8:.2f} million"


def test_the_reasons_add_up_to_the_change() -> None:
    why = next(a for a in answers(made()) if a.question == "Why?")
    assert why.figure is not None
    amounts = [float(row[1].replace(",", "")) for row in why.figure.table.rows]
    assert sum(amounts) == pytest.approx(float(why.number.split()[0]), abs=0.6)


def test_every_picture_says_what_it_shows_and_has_its_table() -> None:
    page = Reader(whole())
    images = page.all("img")
    assert len(images) > 12
    for image in images:
        assert re.search(r"chart", str(image["alt"]))
        assert len(str(image["alt"])) > 60
        assert re.search(r"\d", str(image["alt"]))
    figures = re.findall(r"<figure.*?</figure>", whole(), re.DOTALL)
    assert len(figures) == len(images)
    assert all("<details><summary>The figures behind this picture</summary>" in f and "<table>" in f for f in figures)


def test_tables_have_captions_and_headings_and_ids_are_single() -> None:
    tables = re.findall(r"<table>.*?</table>", whole(), re.DOTALL)
    assert all("<caption>" in t and 'scope="col"' in t for t in tables)
    ids = re.findall(r'\bid="([^"]+)"', whole())
    assert len(ids) == len(set(ids))
    assert all(str(a["href"])[1:] in ids for a in Reader(whole()).all("a"))


def test_the_page_is_the_same_twice() -> None:
    assert report_page(made()) == whole()


def test_placeholders_are_marked_at_the_top_and_where_they_are_used() -> None:
    text = whole()
    assert "Contains placeholders." in text
    marked = {s.id for s in sections(made()) if s.mark}
    assert {"budget", "scenarios", "sensitivity", "risk", "assumptions"} <= marked
    assert not {"forecast", "segments", "track"} & marked
    assert [a.question for a in answers(made()) if a.mark] == ["What will it cost?", "What could be done?"]
    ledger = made().assumptions
    assert ledger is not None
    clean = made(assumptions=ledger.assign(placeholder=False))
    assert not [p for p in (*answers(clean), *sections(clean)) if p.mark]


def test_a_range_that_was_not_tested_says_so() -> None:
    base = made()
    assert base.budget is not None
    far = made(budget=base.budget.assign(tested=base.budget["financial_year"] < "2027"))
    cost = {a.question: a for a in answers(far)}["What will it cost?"]
    assert "could not be tested" not in cost.range
    budget = next(s for s in sections(far) if s.id == "budget")
    told = {row[1]: " ".join(row) for p in budget.parts if isinstance(p, Table) for row in p.rows}
    assert "not tested" in told["2028-29"]
    assert "not tested" not in told["2026-27"]
    none = made(budget=base.budget.assign(tested=False))
    assert "could not be tested" in {a.question: a for a in answers(none)}["What will it cost?"].range


def test_a_council_paper_is_stamped_and_a_public_one_is_not() -> None:
    assert '<p class="stamp">Internal</p>' in whole()
    assert "Internal" not in " ".join(Reader(report_page(ReportInput("For all", spec=ReportSpec(audience="public")))).words)


def test_a_public_report_hides_small_numbers_of_people_and_rounds_the_others() -> None:
    table = portraits("public")
    own = {r[:3]: r for r in portraits("council").rows}
    assert own["C", "Household", "single"][3] == "2"
    public = {r[:3]: r for r in table.rows}
    assert public["C", "Household", "single"][3:5] == ("*", "hidden")
    assert all(int(r[3].replace(",", "")) % 5 == 0 for r in table.rows if r[3] != "*")
    assert "hidden because few people stand behind them" in table.note


def portraits(audience: str) -> Table:
    """Give the table of the portraits, as one audience has it."""
    section = next(s for s in sections(made(spec=ReportSpec.model_validate({"audience": audience}))) if s.id == "segments")
    return next(p for p in section.parts if isinstance(p, Table))


@pytest.mark.parametrize(
    ("audience", "people", "rule"), [("council", "12 people.", "catches 60%"), ("public", "10 people.", "Too few people")]
)
def test_portraits_in_words_say_what_the_policy_leaves(audience: str, people: str, rule: str) -> None:
    condition = {"feature": "mental_health", "kind": "is", "values": ["yes"]}
    judged = {"held_out": 400, "in_segment": 5, "caught": 4, "both": 3, "intervals": [0.2, 0.9, 0.3, 0.95]}
    portrait = {
        "segment": "C",
        "people": 12,
        "everybody": 1242,
        "rule": judged | {"rule": {"segment": "C", "least": 1, "conditions": [condition]}},
    }
    inputs = made(spec=ReportSpec.model_validate({"audience": audience}), segment_portraits=(portrait,))
    section = next(s for s in sections(inputs) if s.id == "segments")
    told = next(p for p in section.parts if isinstance(p, Block) and p.heading == "Segment C")
    assert told.lines[0] == people
    assert "Rule: mental health is yes." in told.lines[-1]
    assert rule in told.lines[-1]


def test_the_public_reads_no_figure_of_a_rule_from_exact_counts() -> None:
    condition = {"feature": "mental_health", "kind": "is", "values": ["yes"]}
    judged = {"held_out": 402, "in_segment": 63, "caught": 52, "both": 38, "intervals": [0.111, 0.922, 0.222, 0.999]}
    rule = judged | {"rule": {"segment": "C", "least": 1, "conditions": [condition]}}
    trees = {"found_again": 0.77, "balanced_accuracy": 0.7, "chance": 0.25}
    portrait = {"segment": "C", "people": 62, "everybody": 1242, "rule": rule, **trees}
    inputs = made(spec=ReportSpec(audience="public"), segment_portraits=(portrait,))
    section = next(s for s in sections(inputs) if s.id == "segments")
    block = next(p for p in section.parts if isinstance(p, Block) and p.heading == "Segment C")
    told = " ".join(block.lines).replace(" %", "%")
    assert "(95% interval 49% to 72%)" in told  # Wilson of 40 in 65, not of 38 in 63
    assert not any(exact in told for exact in ("11%", "92%", "22%", "100%"))
    assert "put 83% of the segment back" in told  # 50 in 60, not 48 in 62
    thin = portrait | {"people": 12, "found_again": 0.25}
    inputs = made(spec=ReportSpec(audience="public"), segment_portraits=(thin,))
    section = next(s for s in sections(inputs) if s.id == "segments")
    assert not any("Small trees" in line for p in section.parts if isinstance(p, Block) for line in p.lines)


@pytest.mark.parametrize(
    ("kind", "lead"),
    [
        ({}, "People were put into groups that are alike, by what was known when they first came."),
        ({"groups": False}, "People were put into bands for convenience"),
        ({"noun": "places"}, "Places were put into groups that are alike, by what is recorded of them."),
        ({"segment": "all", "groups": False}, "No groups were found: all people are described together."),
    ],
)
def test_the_lead_says_what_segments_are(kind: dict[str, object], lead: str) -> None:
    portrait = {"segment": "C", "people": 62, "everybody": 1242} | kind
    section = next(s for s in sections(made(segment_portraits=(portrait,))) if s.id == "segments")
    assert section.lead.startswith(lead)


@pytest.mark.parametrize(("audience", "few", "many"), [("council", "12", "1,203"), ("public", "10", "1,205")])
def test_tables_of_segments_go_through_the_policy(audience: str, few: str, many: str) -> None:
    expected = pd.DataFrame({"by": "segment", "level": ["A", "C"], "segment": ["A", "C"], "people": [1203, 12], "expected": [411.2, 3.0],
                             "per_person": [0.34, 0.25]})  # fmt: skip
    row = {"characteristic": "sex", "segment": "C", "known": 12, "average": 0.5, "low": 0.1, "high": 0.6, "differs": False}
    mix = pd.DataFrame([{**row, "level": "female", "people": 3, "share": 0.25}, {**row, "level": "male", "people": 9, "share": 0.75}])
    cost = pd.DataFrame({"scenario": ["baseline", "other"], "segment": "A", "financial_year": "2026-27", "expected_pence": 1_000_000,
                         "p10_pence": 900_000, "p90_pence": 1_100_000, "share": 0.6})  # fmt: skip
    spec = ReportSpec.model_validate({"audience": audience})
    moves = pd.DataFrame({"from": "A", "to": ["A", "C"], "people": [601, 4], "rate": [0.993, 0.007], "low": 0.4, "high": 0.6, "of": 605})
    kept = {"segment_expected": expected, "segment_equality": mix, "segment_cost": cost, "segment_transitions": moves}
    money, use, movement, equal = (list(t.rows) for t in asked_tables(made(spec=spec, **kept)))
    assert [r[2:4] for r in movement] == ([("601", "99%"), ("4", "0.7%")] if audience == "council" else [("600", "99%"), ("*", "–")])
    assert len(money) == 1
    assert [r[3] for r in use] == [many, few]
    assert equal[0][3] == ("3" if audience == "council" else "*")
    assert equal[0][4] == ("25%" if audience == "council" else "–")


def test_a_public_report_rounds_what_was_counted() -> None:
    base = made(spec=ReportSpec(audience="public"))
    assert base.history is not None
    small = replace(base, history=base.history.assign(y=base.history["y"].where(base.history["ds"] < "2026-03-01", 1.0)))
    line = next(found for found in lines(small) if found.kind == "flow")
    assert (line.past["y"].dropna() % 5 == 0).all()
    assert line.past["y"].isna().sum() == 1


def test_text_of_the_data_stays_text() -> None:
    base, nasty = made(), " ".join(NASTY)
    assert base.assumptions is not None
    assert base.segment_profile is not None
    inputs = replace(
        base,
        title=nasty,
        questions={"early_help": nasty},
        notes=(nasty,),
        assumptions=base.assumptions.assign(source=nasty),
        segment_profile=base.segment_profile.assign(level=nasty),
        events=pd.DataFrame([{"name": nasty, "start": "2020-03-01", "end": "2020-06-01", "kind": "shock"}]),
    )
    page = Reader(report_page(inputs))
    assert page.all("script") == Reader(whole()).all("script")
    assert not [attrs for _, attrs in page.tags if "onerror" in attrs]
    assert nasty in " ".join(page.words)


@pytest.mark.parametrize(
    "without",
    [
        ("budget", "cost", "risk", "sensitivity", "waterfall"),
        ("demand", "waterfall"),
        ("backtest", "backtest_summary"),
        ("explanation",),
        ("segment_profile",),
        ("assumptions",),
        ("totals", "forecast", "budget", "demand"),
        ("history",),
        ("quality", "events"),
    ],
)
def test_a_run_that_did_less_still_has_a_page(without: tuple[str, ...]) -> None:
    inputs = made(**dict.fromkeys(without))
    assert len(answers(inputs)) == 6
    assert sections(inputs)


def test_an_empty_run_has_a_page_that_says_so() -> None:
    page = report_page(ReportInput("Nothing yet"))
    assert "Not forecast" in page
    assert "Not priced" in page


def test_the_quality_page_says_what_was_found_and_where() -> None:
    quality = made().quality
    assert quality is not None
    page = quality_page(quality)
    assert "One month is far from its neighbours" in page
    assert "ta/hostel/Harbour" in page
    assert "default-src 'none'" in page


def _alone(number: int) -> ReportInput:
    """A run that adds nothing up: the totals have the years of each series and no periods."""
    base = made()
    assert base.forecast is not None
    assert base.history is not None
    names = sorted(base.forecast["unique_id"].unique())[-number:]
    forecast, history = (t[t["unique_id"].isin(names)] for t in (base.forecast, base.history))
    columns = [c for c in base.forecast.columns if c == "mean" or c.startswith("q0")]
    years = (
        forecast.assign(financial_year="2026-27")[forecast["ds"] < "2027-04-01"].groupby(["unique_id", "financial_year"])[columns].mean()
    )
    about = history.drop(columns=["ds", "y"]).drop_duplicates()
    totals = years.reset_index().merge(about, on="unique_id").assign(level="series", ds=pd.NaT, months_actual=0)
    return made(forecast=forecast, history=history, totals=totals, cost=None, budget=None)


def test_a_run_without_a_total_speaks_of_its_largest_series_by_name() -> None:
    inputs = _alone(3)
    title = lines(inputs)[0].title
    assert inputs.forecast is not None
    largest = inputs.forecast.groupby("unique_id")["mean"].mean().idxmax()
    assert lines(inputs)[0].series == largest
    found = {a.question: a for a in answers(inputs)}
    for question in ("What will happen?", "How sure are we?", "Why?", "What could be done?", "Were we right before?"):
        assert title in found[question].sentence
        assert found[question].figure is not None
    assert "of its 3 series this page speaks of the largest" in found["What will happen?"].more


def test_a_run_of_one_series_needs_no_total_and_no_name() -> None:
    found = {a.question: a for a in answers(_alone(1))}
    assert re.search(r"\d", found["What will happen?"].number)
    assert "adds nothing up" not in found["What will happen?"].more


def test_a_past_too_short_to_test_a_range_is_told_with_the_range() -> None:
    base = made()
    summary = base.backtest_summary
    assert summary is not None
    assert not any("could not be tested" in a.range for a in answers(base))
    bare = answers(made(backtest_summary=summary[~summary["measure"].str.startswith("coverage")]))
    assert [a.question for a in bare if "could not be tested: too few earlier forecasts" in a.range] == [
        "What will happen?",
        "How sure are we?",
    ]


def test_an_event_is_drawn_only_for_the_series_that_it_concerns() -> None:
    wheres: list[dict[str, list[str]]] = [{}, {"service": ["prevention"]}, {"area": ["Harbour"]}]
    events = pd.DataFrame({"name": ["all", "prevention", "Harbour"], "start": "2020-04-01", "end": "2020-09-01", "kind": "shock"})
    top = lines(made(events=events.assign(where=wheres)))
    told = {line.kind: list(line.events["name"]) for line in top if line.events is not None}
    assert told == {"stock": ["all", "Harbour"], "flow": ["all", "prevention", "Harbour"]}
    whole = lines(made(events=events))[0].events
    assert whole is not None
    assert len(whole) == 3


def test_per_cent_stands_close_to_its_number() -> None:
    page = report_page(made(track_record=("It would have been within 8 % in 4 of 5 years.",)))
    assert "within 8% in 4 of 5" in page


def test_an_earlier_date_counts_only_where_the_whole_year_after_it_was_counted() -> None:
    base = made()
    line = lines(base)[0]
    before = misses(base, line)
    cutoff, rows = before["cutoff"].max(), base.backtest
    assert rows is not None
    late = (rows["cutoff"] == cutoff) & (rows["ds"] > cutoff + pd.DateOffset(months=3))
    after = misses(replace(base, backtest=rows.assign(y=rows["y"].mask(late))), line)
    assert set(after["cutoff"]) == set(before["cutoff"]) - {cutoff}
    assert after.groupby("cutoff").size().nunique() == 1


def test_beside_the_range_of_a_year_stands_how_often_such_ranges_held() -> None:
    base = made()
    sure = next(a for a in answers(base) if a.question == "How sure are we?")
    assert sure.more == "At earlier dates the range of the year that came next held in 4 of 5 years."
    assert held(base, level="total", name="", kind="stock", unit="households", span="year 1") == (4, 5)
    assert held(base, level="total", name="", kind="stock", unit="households", span="year 3") is None
    tables = {t.caption: t for s in sections(base) for t in s.parts if isinstance(t, Table)}
    years = tables["Expected numbers by financial year"]
    column = years.columns.index("Such a range held")
    row = next(r for r in years.rows if r[0] == "All together" and "on average" in " ".join(r))
    assert row[column] == "4 of 5"
    ranges = tables["How often ranges held"]
    assert [r[:3] for r in ranges.rows] == [
        ("Each series", "Single periods", "81%: holds"),
        ("All together", "Single periods", "81%: holds"),
        ("All together", "The financial year that comes next", "4 of 5"),
    ]


def test_without_earlier_sums_no_record_is_claimed() -> None:
    sure = next(a for a in answers(made(backtest_sums=None)) if a.question == "How sure are we?")
    assert not sure.more


def test_joined_counts_are_shown_beside_the_raw_ones() -> None:
    raw = made()
    assert raw.history is not None
    assert "Counts that were joined" not in whole()
    first = raw.history["unique_id"].iloc[0]
    early = (raw.history["unique_id"] == first) & (raw.history["ds"] < "2022-10-01")
    history = raw.history.assign(y_joined=raw.history["y"] * early.map({True: 1.25, False: 1.0}))
    events = pd.DataFrame([{"name": "new case system", "start": "2022-10-01", "end": None, "kind": "recording"}])
    page = report_page(replace(raw, history=history, events=events))
    found = next(s for s in sections(replace(raw, history=history, events=events)) if s.id == "joined")
    assert "new case system (October 2022)" in found.lead
    table = next(p for p in found.parts if isinstance(p, Table))
    assert [row[0] for row in table.rows] == [first.replace("/", ", ")]
    assert table.rows[0][-1] == "1.25"
    assert "as counted and as joined" in page
    for_all = replace(raw, history=history, events=events, spec=ReportSpec(audience="public"))
    assert [s.parts for s in sections(for_all) if s.id == "joined"] == [()]  # a picture has its exact counts behind it
    assert "as counted and as joined" not in report_page(for_all)


def test_a_widened_range_is_labelled() -> None:
    base = made()
    wide = replace(base, run={**base.run, "widened": {"series": 1.0, "total": 1.42}})
    told = next(a for a in answers(wide) if a.question == "How sure are we?").more
    assert told.endswith("Ranges are made 1.4 times as wide as past errors alone would make them, because earlier ones held too seldom.")
    assert not banned_in(told)
    narrow = replace(base, run={**base.run, "widened": {"series": 0.85, "total": 1.0}})
    told = next(a for a in answers(narrow) if a.question == "How sure are we?").more
    assert told.endswith("as past errors alone would make them, because earlier ones held more often than they said.")


def test_a_placeholder_among_grants_and_savings_marks_the_budget_that_rests_on_it() -> None:
    ledger = made().assumptions
    assert ledger is not None
    hollow = made(assumptions=ledger.assign(placeholder=[i == 0 for i in range(len(ledger))], used_in="items"))
    assert {"budget", "risk", "sensitivity"} <= {s.id for s in sections(hollow) if s.mark}
    assert "What will it cost?" in [a.question for a in answers(hollow) if a.mark]
