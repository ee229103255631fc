"""A folder of wrong scenario files, one fault each: `demand check` ends with status 2 and one clear message, before any model is fitted.

The first lines of each file say what the message must hold: `# says: ...`. Data and forecast are the same for all of them.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.console import carry_out

FILES = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))
DATA = """
name: {name}
data: {{history: {{path: counts.csv, frequency: M, kind: stock, unit: households, keys: [area, service]}}}}
forecast: {{horizon: 24, models: [theta]}}
tracking: {{uri: none}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found, rng = tmp_path_factory.mktemp("scenarios"), np.random.default_rng(3)
    months = pd.date_range("2022-04-01", periods=48, freq="MS").strftime("%Y-%m-%d")
    areas = [
        {"unique_id": f"{a}/shelter", "ds": months, "y": rng.poisson(40, 48), "area": a, "service": "shelter"} for a in ("North", "South")
    ]
    pd.concat([pd.DataFrame(a) for a in areas]).to_csv(found / "counts.csv", index=False)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda p: p.stem)
def test_wrong_scenario(file: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = file.read_text(encoding="utf-8")
    said = re.findall(r"^# says: (.*)$", text, re.M)
    path = folder / file.name
    path.write_text(text + DATA.format(name=file.stem), encoding="utf-8")
    status = carry_out("check", str(path), data_dir="", output=str(folder / "out"), jobs=1, changes=[], quiet=True)
    shown = capsys.readouterr().err
    assert status == 2, shown
    assert said, "the file does not say what its message must hold"
    for part in said:
        assert part in shown, shown
    assert "Traceback" not in shown


def test_the_same_data_with_a_right_scenario_is_not_refused(folder: Path) -> None:
    size = "{value: 0.9, low: 0.8, high: 1, unit: ratio, source: plan, as_of: 2026-03-31, owner: housing}"
    right = f"scenarios:\n  s: {{changes: [{{name: fewer, effect: multiply, where: {{area: North}}, size: {size}}}]}}\n"
    (folder / "right.yaml").write_text(right + DATA.format(name="right"), encoding="utf-8")
    assert carry_out("check", str(folder / "right.yaml"), data_dir="", output=str(folder / "out"), jobs=1, changes=[], quiet=True) == 0
