"""The same run on other computers: the only file that knows Dask.

In: what the config says under `compute`. Out: a context in which all that can be done side by side is done by the cluster's workers.
Refuses an address where nobody answers, a computer without the extra `cluster`, and workers that have another version of this package.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from demand.errors import Fault, SettingsError, listed
from pipelines.config import ComputeSpec

__all__ = ["computing"]

PATIENCE = "10s"
"""How long the cluster may take to answer."""


@contextmanager
def computing(spec: ComputeSpec, jobs: int) -> Iterator[int]:
    """Let the cluster do the work, where the config names one.

    Parameters
    ----------
    spec : ComputeSpec
    jobs : int
        Cores of this computer.

    Yields
    ------
    int
        How many may work at once: the cluster's threads, or `jobs`.

    Raises
    ------
    SettingsError
        Where Dask is not installed, nobody answers, or the cluster has no workers.
    """
    if not spec.dask:
        yield jobs
        return
    try:
        from distributed import Client
    except ImportError:
        fault = Fault("Dask is not installed", where="compute > dask", do_next="pip install demand[cluster], or leave `compute` out")
        raise SettingsError(fault) from None
    try:
        client: Any = Client(spec.dask, timeout=PATIENCE, set_as_default=True)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        fault = Fault(
            f"no Dask scheduler answers at {spec.dask}",
            where="compute > dask",
            allowed=f"An address such as tcp://10.0.0.1:8786 ({error})",
            do_next="Start the scheduler, or leave `compute` out: the same run then uses this computer's cores",
        )
        raise SettingsError(fault) from None
    from joblib import parallel_config

    with client:
        jobs = _workers(client, spec.dask)
        with parallel_config(backend="dask"):
            yield jobs


def _version() -> str:
    from demand import __version__

    return __version__


def _workers(client: Any, address: str) -> int:
    """Count the cluster's threads, and see that every worker has this version of the package: a task that cannot be read there is lost."""
    threads = sum(client.nthreads().values())
    if threads == 0:
        raise SettingsError(Fault(f"the Dask scheduler at {address} has no workers", where="compute > dask", do_next="Start workers"))
    try:
        found = set(client.run(_version).values())
    except ImportError:
        found = {"none"}
    if found != {_version()}:
        what = f"workers at {address} have version {listed(sorted(found))} of demand"
        raise SettingsError(Fault(what, where="compute > dask", allowed=_version(), do_next="Install the same version on every worker"))
    return max(int(threads), 2)
