"""What `demand backtest` shows on the screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from pipelines.scoreboard import scoreboard
from pipelines.store import Store


def test_the_main_figures_are_shown(tiny_run: Callable[[str], Path]) -> None:
    folder = tiny_run("homelessness")
    shown = scoreboard(Store(folder))
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    summary = pd.read_csv(folder / "backtest_summary.csv")
    whole = summary[(summary["level"] == "series") & (summary["horizon"] == "all")].set_index(["model", "measure"])["value"]
    first = next(n for n, line in enumerate(lines) if line.startswith("combined the forecast"))
    assert lines[first].startswith(f"combined the forecast {whole['combined', 'mase']:.2f} {whole['combined', 'skill']:+.0%}")
    models = [line.split()[0] for line in lines[first + 1 : first + len(whole.index.unique("model"))]]
    assert models == sorted(models, key=lambda m: whole[m, "mase"])
    year = summary[(summary["level"] == "total") & (summary["horizon"] == "year 1") & (summary["measure"] == "coverage80")].iloc[0]
    told = year["verdict"].split(" figures")[0]  # what follows may stand on the next line
    assert any(line.startswith(f"total the next financial year {told}") for line in lines)
    assert "Had we forecast each April since" in shown


def test_a_history_too_short_to_look_back_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.writing("backtest", "key") as writer:
        writer.table("backtest_summary.csv", pd.DataFrame(columns=["model", "level", "horizon", "measure", "value", "verdict"]))
    assert scoreboard(store) == "The history is too short to look back."
