"""Low counts: the mean stays what was expected while the share of noughts is moved, and what counting adds comes anew in flows alone."""

from __future__ import annotations

import numpy as np
import pytest

from demand.low_counts import draw_low, more_noughts

DRAWS = 20_000


def drawn(mean: float, spread: float, *, noughts: float = 0.0, anew: bool = True, steps: int = 6) -> np.ndarray:
    z = np.repeat(np.random.default_rng(3).normal(size=(1, DRAWS)), steps, axis=0)  # errors that last
    rng = np.random.default_rng(4)
    return draw_low(np.full(steps, mean), np.full(steps, spread), z, rng, safety=1.0, anew=anew, noughts=noughts)


@pytest.mark.parametrize(
    ("mean", "spread", "noughts"), [(2.0, 2.0, 0.4), (2.0, 2.0, -0.5), (0.3, 0.7, 1.0), (6.0, 4.0, 2.0), (2.0, 1.5, 0.0)]
)
def test_the_mean_stays_when_noughts_are_moved(mean: float, spread: float, noughts: float) -> None:
    plain, moved = drawn(mean, spread), drawn(mean, spread, noughts=noughts)
    assert moved.mean() == pytest.approx(mean, rel=0.04)
    odds = [(v == 0).mean() / (v > 0).mean() for v in (plain, moved)]
    assert np.log(odds[1] / odds[0]) == pytest.approx(noughts, abs=0.12)


def test_fewer_than_one_a_period_cannot_do_without_noughts() -> None:
    values = drawn(0.3, 0.6, noughts=-5.0)
    assert (values == 0).mean() > 0.7
    assert values.mean() == pytest.approx(0.3, rel=0.05)


def test_a_year_of_a_flow_is_surer_than_its_months_and_a_year_of_a_stock_is_not() -> None:
    flow, stock = (drawn(4.0, 2.2, anew=anew).mean(axis=0).std() for anew in (True, False))
    assert flow < 0.65 * stock
    assert stock == pytest.approx(2.2, rel=0.1)


def test_more_noughts_than_counting_has_are_found_and_drawn_together() -> None:
    rng, said = np.random.default_rng(6), np.full((10, 8, 6), 2.0)
    came = rng.poisson(4.0, said.shape) * (rng.random(said.shape) < 0.5)
    spread = np.full(said.shape, came.std())
    assert more_noughts(came, said, spread, safety=1.0).mean() > 0.2
    assert abs(more_noughts(rng.poisson(2.0, said.shape), said, np.full(said.shape, 2**0.5), safety=1.0).mean()) < 0.2
    one = came.copy()
    one[:, 0] = rng.poisson(2.0, (10, 6))
    found = more_noughts(one, said, spread, safety=1.0)
    assert found[0] < found[1:].mean()
    assert (more_noughts(came + 100.0, said + 100.0, spread, safety=1.0) == 0).all()
