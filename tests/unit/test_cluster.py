"""The same forecast on a Dask cluster of processes, and what is said where there is none."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from demand.calendar import Frequency
from demand.errors import SettingsError
from demand.forecast import ForecastSpec, forecast
from demand.processes import apart, many
from demand.tables import History
from pipelines.cluster import computing
from pipelines.config import ComputeSpec

HISTORY_MONTHS, SERIES = 48, 6


def history() -> History:
    rng = np.random.default_rng(3)
    months = pd.date_range("2020-04-01", periods=HISTORY_MONTHS, freq="MS")
    table = pd.DataFrame({"unique_id": np.repeat([f"area {i}" for i in range(SERIES)], HISTORY_MONTHS), "ds": np.tile(months, SERIES)})
    table["y"] = rng.poisson(np.tile(40 + 8 * np.sin(np.arange(HISTORY_MONTHS) / 12 * 2 * np.pi), SERIES)).astype(float)
    return History.of(table, Frequency("M"), kind="flow")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as made:
        yield made


def test_a_cluster_of_processes_gives_the_same_draws_to_the_bit(cluster: Any) -> None:
    spec = ForecastSpec(horizon=6, models=["seasonal_naive", "theta", "prophet"], draws=50)
    here = forecast(history(), spec, seed=4, jobs=1)
    with computing(ComputeSpec(dask=cluster.scheduler_address), jobs=1) as jobs:
        there = forecast(history(), spec, seed=4, jobs=jobs)
    assert jobs == 2
    np.testing.assert_array_equal(here.draws.to_numpy(), there.draws.to_numpy())
    pd.testing.assert_frame_equal(here.replays, there.replays)


def test_the_work_is_done_by_the_workers_and_not_here(cluster: Any) -> None:
    with computing(ComputeSpec(dask=cluster.scheduler_address), jobs=1) as jobs:
        assert apart(jobs, items=2, seconds=0.0)
        who = set(many(lambda _: os.getpid(), [1, 2, 3, 4], jobs=jobs))
        stayed = set(many(lambda _: os.getpid(), [1, 2, 3, 4], jobs=jobs, here=True))
    workers = {nanny.pid for nanny in cluster.workers.values()}
    assert who <= workers
    assert not stayed & workers  # single people stay on this computer
    assert not apart(2, items=2, seconds=0.0)  # without a cluster, little work stays here


def test_without_a_cluster_this_computer_does_the_work() -> None:
    with computing(ComputeSpec(), jobs=3) as jobs:
        assert jobs == 3


def test_an_address_where_nobody_answers_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    monkeypatch.setattr("pipelines.cluster.PATIENCE", "1s")
    with (
        pytest.raises(SettingsError, match="no Dask scheduler answers at tcp"),
        computing(ComputeSpec(dask="tcp://127.0.0.1:9"), jobs=1),
    ):
        pass


def test_an_address_that_is_none_is_refused_in_words() -> None:
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    with pytest.raises(SettingsError, match="no Dask scheduler answers at nonsense"), computing(ComputeSpec(dask="nonsense://x"), jobs=1):
        pass
