"""A workbook as LibreOffice works it out."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openpyxl import load_workbook


def recalculated(tool: Callable[[str], str], source: Path, folder: Path) -> Any:
    """Let LibreOffice open a workbook, work its formulas out again, and save it; gives the values."""
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [tool("soffice"), profile, "--headless", "--norestore", "--convert-to", "xlsx", "--outdir", str(folder / "out"), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    return load_workbook(folder / "out" / source.name, data_only=True)
