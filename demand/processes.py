"""The same work on many items, in other processes or on other computers where that is worth their start (joblib).

In: a function, items, how many at once. Out: its answers, in the order of the items: numbers never depend on where they were worked out.
Who has put joblib on a cluster (`joblib.parallel_config(backend="dask")`) has the work done there. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["WORTH", "apart", "many"]

WORTH = 15.0
"""Rough seconds of work from which other processes are started: each takes some seconds to import the engines."""
WORTH_SENDING = 0.05
"""Rough seconds of work that are sent to processes which run already."""


@dataclass
class _Workers:
    running: bool = False


WORKERS = _Workers()
"""Whether joblib has started processes here: it keeps them for what follows. What is worked out does not depend on it."""
T = TypeVar("T")
U = TypeVar("U")


def apart(jobs: int, *, items: int, seconds: float) -> bool:
    """Say whether work is to be done in other processes.

    Parameters
    ----------
    jobs : int
        How many may work at once.
    items : int
    seconds : float
        Rough length of the work on one core.

    Returns
    -------
    bool
        On a cluster always: its processes run already.
    """
    if jobs < 2 or items < 2:
        return False
    if seconds > (WORTH_SENDING if WORKERS.running else WORTH):
        return True
    from joblib.parallel import DEFAULT_BACKEND, get_active_backend

    backend, _ = get_active_backend()
    return not type(backend).__name__.lower().startswith((DEFAULT_BACKEND, "sequential"))


def many(function: Callable[[T], U], items: Sequence[T], *, jobs: int, threads: bool = False, here: bool = False) -> Iterator[U]:
    """Do the same to all items, several at once.

    Parameters
    ----------
    function : callable
    items : sequence
    jobs : int
    threads : bool
        True where the work is done outside Python anyway; on a cluster it makes no difference.
    here : bool
        True where the items hold single people: they never leave this computer, whatever cluster there is.

    Returns
    -------
    iterator
        An answer an item, in order, each as soon as it and all before it are there.
    """
    from joblib import Parallel, cpu_count, delayed

    WORKERS.running = WORKERS.running or (jobs > 1 and not threads)
    at = {"backend": "loky", "n_jobs": min(jobs, cpu_count())} if here else {"prefer": "threads" if threads else None, "n_jobs": jobs}
    done: Iterator[U] = Parallel(**at, return_as="generator")(delayed(function)(i) for i in items)
    return done
