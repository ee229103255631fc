"""How long segments take at scale: python benchmarks/scale.py [PEOPLE] [--only-search].

Makes people with 20 mixed attributes and planted groups, a tenth of the values missing. In one process finds segments and puts everybody
into them (full search, all cores); in another fits MiniBatchKMeans with as many groups to the one-hot matrix. Prints seconds, the ratio,
peak memory and the agreement with the planted groups; then the same full search on 10,000 people. Exits 1 where a million people take more
than five times as long as MiniBatchKMeans (making the one-hot matrix, fitting and assigning), or more than 4 GiB, or 10,000 people two
minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd

MILLION, SMALL = 1_000_000, 10_000
MOST_TIMES, MOST_GIBIBYTES, MOST_SECONDS = 5.0, 4.0, 120.0


def people(n: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Make people of four groups: eight numbers and counts, twelve needs and categories."""
    rng = np.random.default_rng(3)
    group = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    columns: dict[str, object] = {}
    for j in range(8):
        centre = rng.permutation(4) * 0.8
        values = rng.poisson(np.exp(centre * 0.6)[group]) if j % 2 else np.round(rng.normal(centre[group]), 2)
        columns[f"number_{j}"] = np.where(rng.random(n) < 0.1, np.nan, values)
    for j in range(12):
        size = 2 + j % 5
        shares = rng.dirichlet(np.ones(size) * 1.2, 4)
        level = (shares[group].cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, size - 1)
        words = np.array(["yes", "no"] if size == 2 else [f"answer {a}" for a in "abcdef"[:size]], dtype=object)
        values = words[level]
        values[rng.random(n) < 0.1] = None
        columns[f"answer_{j}"] = values
    return pd.DataFrame({"person_id": [f"p{i:07d}" for i in range(n)], **columns}), group


def peak_gibibytes() -> float:
    """Give the peak memory of this process, where the system tells."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows keeps no such count
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def segments(n: int) -> dict[str, float]:
    """Find segments and put everybody into them."""
    from sklearn.metrics import adjusted_rand_score

    from demand.segments.find import find_segments

    table, group = people(n)
    start = time.perf_counter()
    found = find_segments(table, seed=1, jobs=os.cpu_count() or 1)
    spent = time.perf_counter() - start
    told = adjusted_rand_score(group, found.members["segment"])
    return {"seconds": spent, "gibibytes": peak_gibibytes(), "count": len(found.model.labels), "agreement": told}


def kmeans(n: int, count: int) -> dict[str, float]:
    """Make the one-hot matrix, fit MiniBatchKMeans to it and assign everybody."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.metrics import adjusted_rand_score

    table, group = people(n)
    start = time.perf_counter()
    numbers = [c for c in table if str(c).startswith("number")]
    scaled = (table[numbers] - table[numbers].mean()) / table[numbers].std()
    answers = [c for c in table if str(c).startswith("answer")]
    matrix = np.column_stack([scaled.fillna(0.0), pd.get_dummies(table[answers], dtype=np.float64)])
    made = time.perf_counter() - start
    labels = MiniBatchKMeans(count, n_init=3, random_state=1).fit(matrix).predict(matrix)
    spent = time.perf_counter() - start
    return {"seconds": spent, "matrix": made, "gibibytes": peak_gibibytes(), "agreement": adjusted_rand_score(group, labels)}


def child(*words: str) -> dict[str, float]:
    """Run one part in a process of its own, so that its memory is its own.

    Engines are held to one thread: on a computer that does other things, many threads wait for each other, k-means' most of all.
    """
    held = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, __file__, "--part", *words], check=True, capture_output=True, text=True, env=held)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    """Run both on the same people and compare."""
    words = sys.argv[1:]
    if words[:1] == ["--part"]:
        part, n = words[1], int(words[2])
        print(json.dumps(segments(n) if part == "segments" else kmeans(n, int(words[3]))))
        return 0
    n = int(words[0]) if words and words[0].isdigit() else MILLION
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    small = child("segments", str(SMALL))
    print(f"{SMALL:,} people, full search: {small['seconds']:.1f} s, agreement {small['agreement']:.2f}; {load}", flush=True)
    if "--only-search" in words:
        return int(small["seconds"] > MOST_SECONDS)
    ours = child("segments", str(n))
    theirs = child("kmeans", str(n), str(max(int(ours["count"]), 2)))
    times = ours["seconds"] / theirs["seconds"]
    alone = ours["seconds"] / (theirs["seconds"] - theirs["matrix"])
    print(
        f"{n:,} people, search, fit and assignment: {ours['seconds']:.1f} s, {ours['gibibytes']:.2f} GiB, agreement {ours['agreement']:.2f}"
    )
    print(f"MiniBatchKMeans: {theirs['seconds']:.1f} s, {theirs['gibibytes']:.2f} GiB, agreement {theirs['agreement']:.2f}; "
          f"of it {theirs['matrix']:.1f} s for the one-hot matrix")  # fmt: skip
    print(f"{times:.1f} times as long; {alone:.1f} times its fit and assignment alone")
    late = n == MILLION and (times > MOST_TIMES or ours["gibibytes"] > MOST_GIBIBYTES)
    return int(late or small["seconds"] > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
