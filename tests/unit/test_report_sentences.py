"""Each number that is said in words is one of the run's: in alternative texts, in the sentences of every section, on the first page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from plan_made import plan_tables
from report_made import made

from demand.report import ReportInput
from demand.report.answers import answers
from demand.report.parts import Block, Figure, Section, Table
from demand.report.plan_facts import backcast_rows
from demand.report.sections import sections

SCALE = {"million": 1e6, "m": 1e6, "k": 1e3, "billion": 1e9}
SAID = re.compile(r"(?<![\w.])£?(\d[\d,]*(?:\.\d+)?)(?:%|\s?(million|billion|m|k)\b)?")
FIXED = {1, 2, 3, 4, 5, 10, 12, 19, 20, 100}
"""Numbers of turns of phrase: 4 years in 5, 19 times in 20, the first twelve months."""


def numbers(text: str) -> Iterator[tuple[float, float]]:
    """Give each number of a text, with half of the last digit that is said."""
    text = re.sub(r"\b\d{4}-\d{2,4}(-\d{2})?\b|\b(19|20)\d{2}\b|\b\d{1,2} (?=[A-Z][a-z]+ 20)", " ", text)
    for digits, scale in SAID.findall(text):
        plain, times = digits.replace(",", ""), SCALE.get(scale, 1.0)
        whole = plain.rstrip("0") if "." not in plain and times == 1 else plain
        last = 10.0 ** (len(plain) - len(whole)) if "." not in plain else 10.0 ** -len(plain.split(".")[1])
        yield float(plain) * times, 0.5 * last * times


def cells(tables: Iterable[Table]) -> np.ndarray:
    """Give every number that stands in tables."""
    texts = (text for t in tables for text in (t.caption, t.note, *t.columns, *(c for row in t.rows for c in row)))
    return np.array(sorted({value for text in texts for value, _ in numbers(text)}))


@cache
def told() -> tuple[ReportInput, list[Section]]:
    inputs = replace(made(), **plan_tables())
    return inputs, sections(inputs)


def pool(inputs: ReportInput) -> np.ndarray:
    """Give every number that the run has stored, as counts, pounds and per cent, without its sign."""
    found: list[np.ndarray] = []
    for field in fields(inputs):
        table = getattr(inputs, field.name)
        if isinstance(table, pd.DataFrame):
            values = table.select_dtypes("number").to_numpy(dtype=float, na_value=np.nan).ravel()
            found += [np.abs(values), np.abs(values) * 100, np.abs(values) / 100]
    judged = backcast_rows(inputs)
    for rows in (judged, judged[judged["whole"]]):
        found.append(rows["error"].abs().groupby(rows["way"]).mean().to_numpy())
    return np.unique(np.concatenate(found)[np.isfinite(np.concatenate(found))])


def unknown(text: str, known: np.ndarray) -> list[float]:
    """Give the numbers of a text that are none of those known, as far as they are said."""
    wrong = []
    for value, half in numbers(text):
        near = known[np.searchsorted(known, value - half * 1.001) : np.searchsorted(known, value + half * 1.001, side="right")]
        if not len(near) and value not in FIXED:
            wrong.append(value)
    return wrong


def _figures() -> Iterator[tuple[str, Figure]]:
    inputs, found = told()
    for answer in answers(inputs):
        if answer.figure is not None:
            yield answer.question, answer.figure
    for section in found:
        for part in section.parts:
            if isinstance(part, Figure):
                yield section.id, part


def _counted() -> np.ndarray:
    """Give what was counted, added up: pictures go further back than the tables behind them."""
    history = told()[0].history
    assert history is not None
    sums = [history.groupby([*by, "kind", "ds"])["y"].sum() for by in ([], ["type"], ["area"], ["service"]) if set(by) <= set(history)]
    return np.concatenate(sums)


def test_every_number_of_an_alternative_text_stands_in_the_table_behind_the_picture() -> None:
    figures, counted, wrong = list(_figures()), _counted(), {}
    for where, one in figures:
        behind = cells([one.table])
        if one.alt.startswith("Step chart"):
            ends = [next(numbers(row[1].lstrip("-")))[0] * (-1 if row[1].startswith("-") else 1) for row in one.table.rows]
            behind = np.append(behind, abs(ends[-1] - ends[0]))
        wrong[f"{where}: {one.heading}"] = unknown(one.alt, np.unique(np.append(behind, counted)))
    assert len(figures) > 15
    assert {k: v for k, v in wrong.items() if v} == {}


def test_every_number_of_a_sentence_is_one_of_the_run_s_or_of_its_section_s_tables() -> None:
    inputs, found = told()
    stored, wrong, seen = pool(inputs), {}, 0
    for section in found:
        behind = cells([*(p for p in section.parts if isinstance(p, Table)), *(p.table for p in section.parts if isinstance(p, Figure))])
        known = np.unique(np.concatenate([stored, behind]))
        for text in (section.lead, *(line for p in section.parts if isinstance(p, Block) for line in p.lines)):
            seen += len(list(numbers(text)))
            if bad := unknown(text, known):
                wrong[f"{section.id}: {text}"] = bad
    assert seen > 15
    assert wrong == {}


@pytest.mark.parametrize(
    ("text", "wrong"), [("About 460 of 12.4", []), ("It was 461", [461.0]), ("£1.24 million", []), ("£1.3 million", [1.3e6])]
)
def test_the_check_is_awake(text: str, wrong: list[float]) -> None:
    assert unknown(text, np.array([12.42, 455.2, 1_236_000.0])) == wrong
