"""A folder of wrong configs, one fault each: exit status 2, one clear message, nothing half-written, no traceback.

The first lines of each file say what the message must hold: `# says: ...`; a line `# verb: check` names another verb than `forecast`.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.console import carry_out

CONFIGS = sorted((Path(__file__).parent / "configs").glob("*.yaml"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    months = pd.date_range("2021-01-01", periods=48, freq="MS").strftime("%Y-%m-%d")
    rng = np.random.default_rng(3)
    rows = [
        pd.DataFrame({"unique_id": f"{a}/shelter", "ds": months, "y": rng.poisson(40, 48), "area": a, "service": "shelter"})
        for a in ("North", "South")
    ]
    good = pd.concat(rows)
    good.to_csv(tmp_path / "counts.csv", index=False)
    good.assign(ds=[*good["ds"][:-1], "31st of June"]).to_csv(tmp_path / "bad_date.csv", index=False)
    good.assign(y=[*good["y"][:-1], -4]).to_csv(tmp_path / "negative.csv", index=False)
    pd.concat([good, good.tail(1)]).to_csv(tmp_path / "doubled.csv", index=False)
    good.drop(index=10).to_csv(tmp_path / "gaps.csv", index=False)
    good.groupby("unique_id").head(1).to_csv(tmp_path / "short.csv", index=False)
    drivers = pd.DataFrame({"ds": months, "name": "rent", "value": np.linspace(600, 800, 48)})
    drivers.to_csv(tmp_path / "rent.csv", index=False)
    drivers.head(7).to_csv(tmp_path / "rent_without_future.csv", index=False)
    return tmp_path


@pytest.mark.parametrize("config", CONFIGS, ids=lambda p: p.stem)
def test_wrong_config(config: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = config.read_text(encoding="utf-8")
    said = re.findall(r"^# says: (.*)$", text, re.M)
    verb = (re.findall(r"^# verb: (.*)$", text, re.M) or ["forecast"])[0]
    path = folder / config.name
    path.write_text(text, encoding="utf-8")
    status = carry_out(verb, str(path), data_dir="", output=str(folder / "out"), jobs=1, changes=["tracking.uri=none"], quiet=True)
    shown = capsys.readouterr().err
    assert status == 2, shown
    assert said, "the file does not say what its message must hold"
    for part in said:
        assert part in shown, shown
    assert "Traceback" not in shown
    left = [p.name for p in (folder / "out").rglob("*")] if (folder / "out").exists() else []
    assert not [n for n in left if n.startswith(".") or "forecast" in n or "demand" in n], left
