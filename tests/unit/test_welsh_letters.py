"""Welsh letters come through whatever they are read from and written to: CSV, Excel, HTML, SQLite, MLflow."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.data.read import HistorySpec, read_history
from pipelines.console import carry_out

NAMES = ["Tŷ Ŵyn", "Llŷn", "Môn â Gŵyr", "Ynys Wêr ï"]
ABOUT = {"date": "Mis", "value": "Cyfrif", "frequency": "M", "keys": ["Ardal ŷ"]}


def table(names: list[str]) -> pd.DataFrame:
    months = pd.date_range("2022-01-01", periods=30, freq="MS").strftime("%d/%m/%Y")
    rng = np.random.default_rng(1)
    return pd.concat([pd.DataFrame({"Ardal ŷ": n, "Mis": months, "Cyfrif": rng.poisson(60, 30)}) for n in names], ignore_index=True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_from_text_in_any_encoding_that_has_them(tmp_path: Path, encoding: str, separator: str) -> None:
    text = "Adroddiad: tŷ a llety\n\n" + table(NAMES).to_csv(index=False, sep=separator)
    (tmp_path / "h.csv").write_bytes(text.encode(encoding))
    history, _ = read_history(HistorySpec(path="h.csv", **ABOUT), tmp_path)
    assert sorted(history.ids) == sorted(NAMES)


def test_from_an_old_windows_file_with_the_letters_that_it_has(tmp_path: Path) -> None:
    names = ["Môn", "Gwên", "Pentrefêl", "Tîr Dû ÿ"]
    (tmp_path / "h.csv").write_bytes(table(names).rename(columns={"Ardal ŷ": "Ardal"}).to_csv(index=False).encode("cp1252"))
    history, findings = read_history(HistorySpec(path="h.csv", **(ABOUT | {"keys": ["Ardal"]})), tmp_path)
    assert sorted(history.ids) == sorted(names)
    assert "encoding" in {f.rule for f in findings}


def test_from_excel_and_from_a_database(tmp_path: Path) -> None:
    table(NAMES).to_excel(tmp_path / "h.xlsx", sheet_name="Tŷ", index=False)
    with sqlite3.connect(tmp_path / "h.db") as base:
        table(NAMES).to_sql("tŷ", base, index=False)
    for source in ({"path": "h.xlsx", "sheet": "Tŷ"}, {"url": f"sqlite:///{tmp_path / 'h.db'}", "sql": 'SELECT * FROM "tŷ"'}):
        history, _ = read_history(HistorySpec(**source, **ABOUT), tmp_path)
        assert sorted(history.ids) == sorted(NAMES)


def test_into_every_file_of_a_check_and_into_mlflow(tmp_path: Path) -> None:
    counts = table(NAMES)
    counts.loc[12, "Cyfrif"] = 6000  # a spike, so that the series is named
    counts.to_csv(tmp_path / "h.csv", index=False)
    base = tmp_path / "runs.db"
    config = {"name": "cymru", "title": "Tŷ Ŵyn: digartrefedd", "data": {"history": {"path": "h.csv", **ABOUT}},
              "tracking": {"uri": f"sqlite:///{base.as_posix()}"}}  # fmt: skip
    (tmp_path / "cymru.yaml").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
    assert carry_out("check", str(tmp_path / "cymru.yaml"), data_dir="", output=str(tmp_path / "out"), jobs=1, changes=[], quiet=True) == 0
    for name in ("quality.json", "quality.html"):
        assert "Tŷ Ŵyn" in (tmp_path / "out" / name).read_text(encoding="utf-8").replace("\\u0177", "ŷ").replace("\\u0174", "Ŵ")
    assert "Ardal ŷ" in (tmp_path / "out" / "mapping.yaml").read_text(encoding="utf-8")
    with sqlite3.connect(base) as runs:
        rows = [str(v) for part in ("params", "tags") for (v,) in runs.execute(f"SELECT value FROM {part}")]
    assert any("Tŷ Ŵyn" in v for v in rows)
