"""Are groups found where there are some, and none where there are none: python benchmarks/groups.py [null|planted] [--block N] [--cases N].

*null*: people without groups, of ten shapes (correlated normals, skewed counts, independent categories, one trait behind answers, heavy
tails, many noughts...), 300 to 4,000 of them, 0 to 30 % missing; the search should say "none". *planted*: people of two to five groups that
show in needs, in mixed columns, in correlated numbers or in many weak columns, at three separations, 300 to 100,000 people, 0 to 40 %
missing; the adjusted Rand index is held against that of an oracle that knows the generator, and cases count where the oracle reaches 0.6.
A case is told by its number and its block alone, so that a fresh block is a fresh sample. Exits 1 where more than 1 null case in 20 has
groups. What was measured stands in benchmarks/groups.md.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import adjusted_rand_score

SIZES, GAPS, SEPARATIONS = (300, 1000, 3000, 10000), (0.0, 0.2, 0.4), (0.6, 1.0, 1.6)
LARGE, ONE_LARGE = 100_000, 8
"""One planted case in twelve has so many people."""
NEEDED, CLEAR = 0.9, 0.6
LETTERS = np.array(list("uvwxyz"))


def normals(rng: np.random.Generator, n: int, p: int) -> pd.DataFrame:
    """Correlated normals."""
    return pd.DataFrame(rng.normal(size=(n, p)) @ (np.eye(p) + rng.normal(size=(p, p)) * rng.uniform(0.2, 1)))


def counts(rng: np.random.Generator, n: int, p: int) -> pd.DataFrame:
    """Skewed counts that one trait moves."""
    trait = rng.normal(size=n)
    rates = [rng.normal() + rng.uniform(0, 0.8) * trait + rng.uniform(0, 0.8) * rng.normal(size=n) for _ in range(p)]
    return pd.DataFrame(np.column_stack([rng.poisson(np.exp(r)) for r in rates]))


def categories(rng: np.random.Generator, n: int, p: int) -> pd.DataFrame:
    """Independent categories."""
    return pd.DataFrame(
        {i: rng.choice(list("abcdef")[:k], n, p=rng.dirichlet(np.ones(k) * 2)) for i, k in enumerate(rng.integers(2, 6, p))}
    )


def one_trait(rng: np.random.Generator, n: int, p: int) -> pd.DataFrame:
    """One continuous trait behind yes/no and bands."""
    trait, letters = rng.normal(size=n), np.array(list("abcd"))
    cut = [np.digitize(trait * rng.uniform(0.3, 1.2) + rng.normal(size=n), np.sort(rng.normal(size=rng.integers(1, 4)))) for _ in range(p)]
    return pd.DataFrame({i: letters[c] for i, c in enumerate(cut)})


def mixed(rng: np.random.Generator, n: int, p: int) -> pd.DataFrame:
    """Two traits behind numbers, counts, skewed amounts, bands and yes/no."""
    traits, columns = rng.normal(size=(n, 2)), {}
    for i in range(p):
        u = traits @ rng.normal(size=2) * 0.8 + rng.normal(size=n)
        band = np.array(list("abcde"))[np.digitize(u, [-1.5, -0.5, 0.5, 1.5])]
        columns[i] = [u, np.exp(u), rng.poisson(np.exp(0.5 * u)), band, np.where(u > 0.7, "yes", "no")][i % 5]
    return pd.DataFrame(columns)


def heavy(rng: np.random.Generator, n: int, p: int) -> pd.DataFrame:
    """Heavy tails with a common scale."""
    return pd.DataFrame(rng.standard_t(3, size=(n, p)) * np.exp(0.3 * rng.normal(size=(n, 1))))


def lognormal(rng: np.random.Generator, n: int, p: int) -> pd.DataFrame:
    """Correlated amounts, a few very large."""
    return pd.DataFrame(np.exp(rng.normal(size=(n, p)) @ (np.eye(p) + 0.5 * rng.normal(size=(p, p)))))


def noughts(rng: np.random.Generator, n: int, p: int) -> pd.DataFrame:
    """Counts of which half are nought."""
    trait = rng.normal(size=n)
    return pd.DataFrame({i: np.where(rng.random(n) < 0.5, 0, rng.poisson(np.exp(1 + 0.4 * trait))) for i in range(p)})


def uniforms(rng: np.random.Generator, n: int, p: int) -> pd.DataFrame:
    """Independent numbers between 0 and 1, some skewed."""
    return pd.DataFrame(rng.uniform(size=(n, p)) ** rng.uniform(0.3, 3, size=p))


SHAPES = (normals, counts, categories, one_trait, mixed, heavy, lognormal, noughts, uniforms)


def null_case(case: int, block: int) -> tuple[pd.DataFrame, str]:
    """Make people without groups."""
    rng, shape = np.random.default_rng([case, block]), SHAPES[case % len(SHAPES)]
    n = int(rng.choice([300, 600, 1500, 4000]))
    table = shape(rng, n, int(rng.integers(4, 10))).rename(columns=lambda c: f"column_{c}")
    table = table.astype(object).mask(rng.random(table.shape) < rng.choice([0, 0.1, 0.3]))
    return table.assign(person_id=[f"p{i:06d}" for i in range(n)]), f"{shape.__name__}, {n:,} people"


class Planted:
    """People of known groups, and how likely each row is in each: what an oracle knows."""

    def __init__(self, rng: np.random.Generator, n: int, groups: int, separation: float, gaps: float) -> None:
        weights = np.maximum(rng.dirichlet(np.ones(groups) * 6), 0.06)
        self.rng, self.n, self.k, self.separation, self.gaps = rng, n, groups, separation, gaps
        self.group = rng.choice(groups, n, p=weights / weights.sum())
        self.log_density = np.zeros((n, groups)) + np.log(weights / weights.sum())
        self.columns: dict[str, pd.Series] = {}

    def centres(self, apart: float) -> np.ndarray:
        """Put the groups in a line, in any order."""
        return (self.rng.permutation(self.k) - (self.k - 1) / 2) * apart

    def add(self, name: str, values: np.ndarray, log_density: np.ndarray) -> None:
        """Add a column, some of it missing; what is missing tells the oracle nothing."""
        gone = self.rng.random(self.n) < self.gaps
        self.columns[name] = pd.Series(values).astype(object).where(~gone, None)
        self.log_density += np.where(gone[:, None], 0, log_density)

    def number(self, name: str, apart: float) -> None:
        """Add a normal number."""
        c = self.centres(apart)
        x = self.rng.normal(size=self.n) + c[self.group]
        self.add(name, x, stats.norm.logpdf(x[:, None], c))

    def count(self, name: str, apart: float, base: float = 0.8) -> None:
        """Add a count."""
        rate = np.exp(base + self.centres(0.5 * apart).clip(-2, 2))
        x = self.rng.poisson(rate[self.group])
        self.add(name, x, stats.poisson.logpmf(x[:, None], rate))

    def answer(self, name: str, size: int, apart: float) -> None:
        """Add a category."""
        odds = np.exp(self.rng.normal(size=(self.k, size)) * apart)
        share = odds / odds.sum(axis=1, keepdims=True)
        x = (share[self.group].cumsum(axis=1) < self.rng.random((self.n, 1))).sum(axis=1).clip(0, size - 1)
        self.add(name, np.array(["yes", "no"])[x] if size == 2 else LETTERS[x], np.log(share[:, x]).T)

    def correlated(self, p: int, apart: float) -> None:
        """Add numbers that are correlated within each group."""
        root = np.eye(p) + 0.3 * self.rng.normal(size=(p, p))
        cov = root @ root.T
        cov /= np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
        centre = self.rng.normal(size=(self.k, p)) * apart
        x = self.rng.multivariate_normal(np.zeros(p), cov, self.n) + centre[self.group]
        gone = self.rng.random((self.n, p)) < self.gaps
        for pattern in np.unique(gone, axis=0):
            rows, seen = (gone == pattern).all(axis=1), ~pattern
            for j in range(self.k if seen.any() else 0):
                told = stats.multivariate_normal.logpdf(x[np.ix_(rows, seen)], centre[j, seen], cov[np.ix_(seen, seen)])
                self.log_density[rows, j] += told
        for j in range(p):
            self.columns[f"score_{j}"] = pd.Series(x[:, j]).astype(object).where(~gone[:, j], None)

    def table(self) -> pd.DataFrame:
        """Give the people, with three columns that tell nothing."""
        for i in range(2):
            self.add(f"noise_{i}", self.rng.normal(size=self.n), np.zeros((self.n, self.k)))
        self.add("noise_answer", self.rng.choice(list("abc"), self.n), np.zeros((self.n, self.k)))
        return pd.DataFrame(self.columns).assign(person_id=[f"p{i:06d}" for i in range(self.n)])


def planted_case(case: int, block: int) -> tuple[pd.DataFrame, Planted, str]:
    """Make people of known groups, of one of four families."""
    rng, family = np.random.default_rng([case, block]), ("mixed columns", "needs", "correlated numbers", "many weak columns")[case % 4]
    n, separation = int(rng.choice(SIZES)), SEPARATIONS[case // 4 % 3]
    n = LARGE if case % 12 == ONE_LARGE else n
    made = Planted(rng, n, int(rng.integers(2, 6)), separation, float(rng.choice(GAPS)))
    if family == "mixed columns":
        made.number("income", separation)
        made.count("visits", separation)
        for i, size in enumerate((2, 2, 2, 4, 5)):
            made.answer(f"answer_{i}", size, separation)
    elif family == "needs":
        for i in range(10):
            made.answer(f"need_{i}", 2, 1.3 * separation)
        made.count("visits", separation)
    elif family == "correlated numbers":
        made.correlated(5, 1.2 * separation)
    else:
        for i in range(4):
            made.number(f"number_{i}", 0.6 * separation)
            made.count(f"count_{i}", 0.7 * separation, base=0.3)
        for i in range(12):
            made.answer(f"answer_{i}", 2 + i % 4, 0.6 * separation)
    told = f"{family}, {n:,} people, {made.k} groups {separation:g} apart, {made.gaps:.0%} missing"
    return made.table(), made, told


def false_alarms(block: int, cases: int) -> int:
    """Count how often groups are found where there are none."""
    from demand.segments.find import find_segments

    alarms = 0
    for case in range(cases):
        table, told = null_case(case, block)
        labels = find_segments(table, seed=case).model.labels
        alarms += len(labels) > 1
        print(f"null {block}/{case}: {told}: {'none' if len(labels) == 1 else f'{len(labels)} groups  <<<'}", flush=True)
    print(f"Groups found where there are none: {alarms} of {cases} (block {block})", flush=True)
    return alarms


def begun_at_truth(table: pd.DataFrame, made: Planted) -> float:
    """Give the best of two mixtures that begin at the planted groups themselves: what so many people allow, if all else is known."""
    from demand.segments.attributes import encode, read_attributes
    from demand.segments.mixture import fit
    from demand.segments.prepared import Prepared

    read = read_attributes(table.drop(columns="person_id"), None).attributes
    data = Prepared.of(encode(table, read), np.array([a.floor for a in read if a.kind in ("number", "ordered")]))
    fits = [fit(data, way, made.k, made.rng, starts=[made.group]) for way in ("latent_class", "gaussian_mixture")]
    return max(float(adjusted_rand_score(made.group, f.labels)) for f in fits)


def recovered(block: int, cases: int) -> None:
    """Hold what is found against what an oracle finds."""
    from demand.segments.find import find_segments

    reached, judged = 0, 0
    for case in range(cases):
        table, made, told = planted_case(case, block)
        oracle = float(adjusted_rand_score(made.group, made.log_density.argmax(axis=1)))
        if oracle < CLEAR:
            continue
        found = find_segments(table, seed=case)
        ours = float(adjusted_rand_score(made.group, found.members.sort_values("person_id")["segment"]))
        judged, reached = judged + 1, reached + (ours >= NEEDED * oracle)
        line = f"planted {block}/{case}: {told}: {len(found.model.labels)} found by {found.model.method}, {ours:.2f} of {oracle:.2f}"
        print(line if ours >= NEEDED * oracle else f"{line}; begun at the truth {begun_at_truth(table, made):.2f}  <<<", flush=True)
    print(f"At least {NEEDED} of the oracle's adjusted Rand index: {reached} of {judged} (block {block})", flush=True)


def main() -> int:
    """Run one part or both."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("part", nargs="?", choices=("null", "planted"))
    words.add_argument("--block", type=int, default=2026)
    words.add_argument("--cases", type=int, default=20)
    asked = words.parse_args()
    if asked.part != "null":
        recovered(asked.block, asked.cases)
    return int(asked.part != "planted" and false_alarms(asked.block, asked.cases) > asked.cases // 20)


if __name__ == "__main__":
    sys.exit(main())
