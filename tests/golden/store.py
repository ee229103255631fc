"""Write the stored results anew, after looking at what changed: python tests/golden/store.py (from the top of the checkout)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from test_tiny_council import SERVICES, STORED, TABLES


def main() -> None:
    for service in SERVICES:
        with tempfile.TemporaryDirectory() as place:
            words = [
                "run",
                f"example:{service}",
                "--output",
                place,
                "--set",
                "data.example.size=tiny",
                "--set",
                "tracking.uri=none",
                "--jobs",
                "1",
            ]
            subprocess.run([sys.executable, "-m", "pipelines", *words], check=True)
            (STORED / service).mkdir(parents=True, exist_ok=True)
            for name in TABLES:
                (STORED / service / name).write_bytes((Path(place) / name).read_bytes())


if __name__ == "__main__":
    main()
