"""The luck of each person: random numbers that are theirs alone, so that what happens to others does not change them.

In: a seed and what people are told apart by. Out: keys, one a person, and numbers between 0 and 1 for each key. Refuses nothing.

The n-th number of a key is that of the generator SplitMix64 with the key as its state: Steele, G., Lea, D. and Flood, C. (2014). Fast
splittable pseudorandom number generators. OOPSLA 2014.
"""

from __future__ import annotations

import numpy as np

from demand.spec import stream

__all__ = ["lots_of", "split", "uniform"]

STEP, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
LARGEST = 2.0**-53


def lots_of(seed: int, *what: object) -> np.ndarray:
    """Give the key of a lot of people, shape (1,)."""
    return stream(seed, "caseload", *what).integers(0, 2**64, 1, dtype=np.uint64)


def split(keys: np.ndarray, numbers: np.ndarray | int) -> np.ndarray:
    """Give keys that belong to keys: of the persons of a lot by their number, or of a person's next stay."""
    mixed = keys + (np.atleast_1d(numbers).astype(np.uint64) + np.uint64(1)) * STEP  # wraps round, as it should
    mixed ^= mixed >> np.uint64(30)
    mixed *= FIRST
    mixed ^= mixed >> np.uint64(27)
    mixed *= SECOND
    mixed ^= mixed >> np.uint64(31)
    return np.asarray(mixed)


def uniform(keys: np.ndarray, number: int) -> np.ndarray:
    """Give each key's number of that number, between 0 and 1, 1 left out."""
    return np.asarray((split(keys, number) >> np.uint64(11)) * LARGEST)
