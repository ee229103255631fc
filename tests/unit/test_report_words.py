"""Numbers, money, dates and codes as people say them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pandas as pd
import pytest

from demand.report import words

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "£0"),
        (0.4, "£0"),
        (-0.4, "£0"),
        (999, "£999"),
        (9_999, "£9,999"),
        (10_499, "£10,000"),
        (999_499, "£999,000"),
        (999_500, "£1.00 million"),
        (4_100_000, "£4.10 million"),
        (9_994_999, "£9.99 million"),
        (9_995_000, "£10.0 million"),
        (57_550_000, "£57.6 million"),
        (412_500, "£413,000"),
        (1_234_567_890, "£1.23 billion"),
        (-2_500_000, "-£2.50 million"),
    ],
)
def test_money_is_said_as_people_say_it(value: float, said: str) -> None:
    assert words.pounds(value) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0.04, "0"), (-0.04, "0"), (0.5, "0.5"), (3.0, "3"), (9.94, "9.9"), (9.96, "10"), (1234.5, "1,234")]
)
def test_counts_are_whole_from_ten(value: float, said: str) -> None:
    assert words.count(value) == said


def test_what_is_not_known_is_said_so() -> None:
    assert {words.pounds(float("nan")), words.count(float("nan")), words.percent(float("nan")), words.chance(float("nan"))} == {"not known"}


def test_dates_are_written_out() -> None:
    assert words.day("2026-04-01") == "1 April 2026"
    assert words.day(pd.Timestamp("2026-12-31 00:00")) == "31 December 2026"
    assert words.period("2025-04-01", "Y") == "year to 31 March 2026"
    assert words.period("2025-01-01", "Y") == "2025"
    assert words.period("2026-04-01", "D") == "1 April 2026"


def test_a_range_has_its_middle_and_its_chance() -> None:
    assert words.spread(410, 460, 520) == "between 410 and 520, on average about 460; 4 years in 5"
    assert words.spread(4_000_000, 4_000_100, 4_000_200, money=True) == "about £4.00 million, with next to no doubt"


def test_codes_become_words_and_own_names_win() -> None:
    assert words.label("ta/private_leased") == "temporary accommodation, private leased"
    assert words.label("TA", {"ta": "emergency housing"}) == "emergency housing"
    assert words.feature("lag_12") == "recent counts"
    assert words.feature("seasonal_rolling_mean") == "recent counts" or words.feature("seasonal_rolling_mean") == "season"


@pytest.mark.parametrize("text", ["the P90", "500 draws", "MASE of 1", "A quantile", "quantiles", "unique_id", "SHAP-values", "conformal"])
def test_words_of_the_trade_are_found(text: str) -> None:
    assert words.banned_in(text)


def test_errors_are_told_without_words_of_the_trade() -> None:
    """Every text that is given to a `Fault`, without what it quotes: names of keys, columns and files."""
    found = [
        (f"{path.name}:{call.lineno}", told)
        for path in [*(ROOT / "demand").rglob("*.py"), *(ROOT / "pipelines").rglob("*.py")]
        for call in faults(path.read_text(encoding="utf-8"))
        if (told := trade(call))
    ]
    assert found == []
    assert trade(faults("Fault('no quantile of `draws`', do_next=f'look at the {x} residuals')")[0]) == ["quantile", "residual"]


def faults(code: str) -> list[ast.Call]:
    return [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "Fault"]


def trade(call: ast.Call) -> list[str]:
    said = [*call.args, *(k.value for k in call.keywords if k.arg != "where")]
    texts = [n.value for a in said for n in ast.walk(a) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return words.banned_in(re.sub(r"`[^`]*`|'[^']*'|\S*[._]\S*", "", " ".join(texts)))


@pytest.mark.parametrize("text", ["withdraws his claim", "4 years in 5", "the P905 form", "shaped"])
def test_plain_words_are_left_alone(text: str) -> None:
    assert words.banned_in(text) == []
