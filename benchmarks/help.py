"""How long help takes, beside `import numpy`: python benchmarks/help.py [TIMES].

Prints both medians and their ratio, and exits 1 where help takes more than four times as long.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

MOST = 4.0
COMMANDS = {"demand --help": ["-m", "pipelines", "--help"], "import numpy": ["-c", "import numpy"], "nothing": ["-c", "pass"]}


def seconds(arguments: list[str]) -> float:
    """Run Python once and give the wall time."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> int:
    """Measure in turns, so that a busy computer slows all alike."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(times + 1):
        for name, arguments in COMMANDS.items():
            spent = seconds(arguments)
            if turn:  # the first turn warms the disk
                taken[name].append(spent)
    medians = {name: statistics.median(values) for name, values in taken.items()}
    ratio = medians["demand --help"] / medians["import numpy"]
    for name, value in medians.items():
        print(f"{name:15} {value:6.3f} s")
    print(f"help is {ratio:.2f} x import numpy (at most {MOST:g}), median of {times} turns")
    return int(ratio > MOST)


if __name__ == "__main__":
    sys.exit(main())
