"""How long the whole chain takes, and how much memory: python benchmarks/chain.py [CONFIG] [--set key=value ...].

Runs the standard example (or another config) into an empty folder, with all cores, and prints seconds, by stage and in all, and the peak
memory of the largest process. Exits 1 where the standard example takes more than 90 seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STANDARD = "example:homelessness"
MOST_SECONDS = 90.0


def peak_mebibytes() -> float:
    """Give the peak memory of the largest process that was waited for, where the system tells."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows keeps no such count
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 2**20


def main() -> int:
    """Run the chain once and print what it took."""
    config, *more = sys.argv[1:] or [STANDARD]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "results"
        place = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/tracking.db", "DEMAND_KEY_FILE": f"{folder}/key"}
        command = [sys.executable, "-m", "pipelines", "run", config, "--output", str(output), "--quiet", *more]
        start = time.perf_counter()
        subprocess.run(command, check=True, env={**os.environ, **place})
        spent = time.perf_counter() - start
        timings = json.loads((output / "manifest.json").read_text(encoding="utf-8")).get("timings", {})
        size = sum(p.stat().st_size for p in output.rglob("*") if p.is_file()) / 2**20
    for stage, value in timings.items():
        print(f"  {stage:12} {value if isinstance(value, str) else f'{float(value):6.1f} s'}")
    print(f"{config}: {spent:.1f} s on {os.cpu_count()} cores, {peak_mebibytes():.0f} MiB at the peak, {size:.1f} MiB of results")
    return int(config == STANDARD and not more and spent > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
