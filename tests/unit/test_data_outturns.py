"""The ledger of years that are over."""

import pandas as pd
import pytest

from demand.budget import BudgetLine, BudgetSpec
from demand.budget.reconciliation import with_outturns
from demand.data.example import example_council
from demand.data.outturns import OutturnSpec, read_outturns
from demand.errors import DataError

LINES = ["temporary accommodation", "prevention"]


def read(folder, text, **more):
    (folder / "ledger.csv").write_text(text, encoding="utf-8")
    return read_outturns(OutturnSpec(path="ledger.csv", **more), folder, lines=LINES)


def test_numbers_as_finance_writes_them_are_added_up_by_line_and_year(tmp_path) -> None:
    text = 'cc,financial_year,actual\nTA1,2024-25,"£1,234.50"\nTA1,2024-25,(234.50)\nTA2,2024-25,100-\nTA2,2025-26,7\n'
    table, notes = read(tmp_path, text, line="cc", lines={"temporary accommodation": ["TA1", "TA2"]})
    assert table.to_dict("records") == [
        {"line": "temporary accommodation", "financial_year": "2024-25", "outturn": pytest.approx(900.0)},
        {"line": "temporary accommodation", "financial_year": "2025-26", "outturn": 7.0},
    ]
    assert notes == []


def test_thousands_and_rows_of_no_line(tmp_path) -> None:
    table, notes = read(tmp_path, "line,financial_year,actual £000\nprevention,2025-26,1.6\nparks,2025-26,9\n", amount="actual £000")
    assert table["outturn"].tolist() == [1600.0]
    assert "1 rows are of no budget line and were left out ('parks'; 9,000 GBP)" in notes[0].message


def test_every_fault_is_named_with_its_row(tmp_path) -> None:
    with pytest.raises(DataError) as error:
        read(
            tmp_path,
            "line,financial_year,actual\nprevention,2025/26,5\nprevention,2024-25,lots\nprevention,,4\n",
            lines={"homes": ["x"], "prevention": ["prevention"]},
        )
    told = str(error.value)
    assert "'2025/26' is not a financial year" in told
    assert "no amount in row 3" in told
    assert "no year in row 4" in told
    assert "'homes' is not a line of the budget" in told


def test_the_ledger_of_the_example_council_reads(tmp_path) -> None:
    example_council(size="tiny", files=True, folder=tmp_path)
    path = tmp_path / "ledger_monitoring.csv"
    table, _ = read_outturns(OutturnSpec(path=path.name, line="cc_description"), path.parent, lines=LINES)
    assert table["line"].nunique() == 2
    assert table["financial_year"].nunique() == 10


def test_what_a_line_says_itself_comes_first() -> None:
    spec = BudgetSpec(lines=(BudgetLine(name="prevention", outturn={"2025-26": 1.0}),))
    ledger = pd.DataFrame({"line": ["prevention"] * 2, "financial_year": ["2024-25", "2025-26"], "outturn": [5.0, 9.0]})
    assert with_outturns(spec, ledger).lines[0].outturn == {"2024-25": 5.0, "2025-26": 1.0}
