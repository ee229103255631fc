"""Joint draws: whole numbers where counts are, the right zeros, correlation that is kept, spread that grows."""

from __future__ import annotations

import numpy as np
import pytest

from demand.swings import Swings, swings
from demand.uncertainty import draw_paths, learn_errors


def past(mean: float, *, cutoffs: int = 24, series: int = 6, steps: int = 8, common: float = 0.0, seed: int = 0):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(cutoffs, 1, 1)) * common
    said = np.full((cutoffs, series, steps), mean)
    return rng.poisson(np.clip(said * np.exp(shared), 0, None)).astype(float), said


def test_low_counts_are_counts_with_the_right_share_of_zeros() -> None:
    y, said = past(2.0)
    whole = np.ones(6, dtype=bool)
    errors = learn_errors(y, said, horizon=8, whole=whole)
    draws = draw_paths(said[0], errors, whole=whole, draws=2000, seed=1)
    np.testing.assert_array_equal(draws, np.rint(draws))
    assert (draws == 0).mean() == pytest.approx(np.exp(-2), abs=0.04)
    assert draws.mean() == pytest.approx(2.0, abs=0.1)
    assert draws.var() == pytest.approx(2.0, rel=0.25)


def test_a_mean_of_zero_gives_zeros() -> None:
    y, said = past(0.0)
    whole = np.ones(6, dtype=bool)
    errors = learn_errors(y, said, horizon=8, whole=whole)
    assert (draw_paths(said[0], errors, whole=whole, draws=50, seed=1) == 0).all()


def test_ranges_hold_what_they_say() -> None:
    y, said = past(200.0, cutoffs=150, common=0.1)
    whole = np.ones(6, dtype=bool)
    errors = learn_errors(y, said, horizon=8, whole=whole)
    draws = draw_paths(said[0], errors, whole=whole, draws=1000, seed=1)
    new, _ = past(200.0, cutoffs=300, common=0.1, seed=9)
    low, high = np.quantile(draws, [0.1, 0.9], axis=2)
    assert ((new >= low) & (new <= high)).mean() == pytest.approx(0.8, abs=0.06)
    sums = np.quantile(draws.sum(axis=(0, 1)), [0.1, 0.9])
    every = new.sum(axis=(1, 2))
    assert ((every >= sums[0]) & (every <= sums[1])).mean() == pytest.approx(0.8, abs=0.12)


def test_series_move_together_as_they_did() -> None:
    y, said = past(200.0, common=0.3)
    whole = np.ones(6, dtype=bool)
    together = draw_paths(said[0], learn_errors(y, said, horizon=8, whole=whole), whole=whole, draws=800, seed=1)
    y, said = past(200.0, common=0.0)
    apart = draw_paths(said[0], learn_errors(y, said, horizon=8, whole=whole), whole=whole, draws=800, seed=1)
    assert np.corrcoef(together.sum(axis=1))[0, 1] > 0.7
    assert abs(np.corrcoef(apart.sum(axis=1))[0, 1]) < 0.35


@pytest.mark.parametrize("off", [0.0, 1.0, 10.0, 100.0])
def test_no_error_more_makes_ranges_jump(off: float) -> None:
    known, scales = Swings(np.full((1, 1), 1.0), np.full((1, 1), 40)), []
    for count in range(1, 9):
        said = np.full((1, 1, count), 100.0)
        errors = learn_errors(said + off, said, horizon=12, whole=np.ones(1, dtype=bool), swung=known)
        scales.append(float(errors.scale[0]))
    np.testing.assert_allclose(scales[5:], scales[5], rtol=1e-12)  # beliefs are gone
    if off:  # from one error to six by less than 1.7 times a step
        assert np.abs(np.diff(np.log(scales[:6]))).max() < np.log(1.7)
    else:  # a lucky one or two are no reason to be sure
        assert (np.diff(scales[:6]) < 0).all()
        assert scales[1] > 0.05


def test_spread_grows_beyond_what_was_seen() -> None:
    rng = np.random.default_rng(4)
    said = np.full((24, 5, 6), 300.0)
    y = said + np.cumsum(rng.normal(scale=10, size=said.shape), axis=2)
    errors = learn_errors(y, said, horizon=18, whole=np.zeros(5, dtype=bool))
    assert errors.growth.shape == (5, 18)
    assert (np.diff(errors.growth) >= 0).all()
    assert (errors.growth[:, 17] > 1.3 * errors.growth[:, 5]).all()


def drawn(y: np.ndarray, said: np.ndarray, *, horizon: int, kinds: np.ndarray | None = None) -> np.ndarray:
    """Draw what lies ahead of levels that stay as they are, with errors learnt from these."""
    whole = np.zeros(said.shape[1], dtype=bool)
    errors = learn_errors(y, said, horizon=horizon, whole=whole, kinds=kinds)
    return draw_paths(np.repeat(said[0, :, :1], horizon, axis=1), errors, whole=whole, draws=2000, seed=1)


def test_flows_do_not_err_as_stocks_do() -> None:
    """Errors of the one come and go from month to month, those of the other add up: a year of flows is surer than its stocks."""
    rng, said = np.random.default_rng(6), np.full((24, 8, 12), 300.0)
    noise = rng.normal(scale=20, size=said.shape)
    y, kinds = said + noise, np.repeat([0, 1], 4)
    y[:, 4:] = said[:, 4:] + np.cumsum(noise[:, 4:], axis=2)
    flows = drawn(y, said, horizon=12, kinds=kinds)[:4]
    assert flows.std(axis=2)[:, -1].mean() == pytest.approx(20, rel=0.35)
    assert flows.sum(axis=1).std(axis=1).mean() < 1.5 * 20 * 12**0.5
    mixed = drawn(y, said, horizon=12)[:4]
    assert mixed.sum(axis=1).std(axis=1).mean() > 2.5 * 20 * 12**0.5
    stocks = drawn(y, said, horizon=12, kinds=kinds)[4:]
    assert stocks.std(axis=2)[:, -1].mean() == pytest.approx(20 * 12**0.5, rel=0.35)


def test_a_few_series_that_err_apart_do_not_add_up_as_if_they_erred_together() -> None:
    rng, said = np.random.default_rng(7), np.full((24, 3, 6), 300.0)
    values = drawn(said + rng.normal(scale=20, size=(24, 3, 1)), said, horizon=6)
    apart = np.sqrt((values.sum(axis=1).var(axis=1)).sum())
    assert values.sum(axis=(0, 1)).std() == pytest.approx(apart, rel=0.15)


def test_noise_goes_on_as_noise_beyond_the_steps_that_were_seen() -> None:
    """One last error carried on would make a long total as unsure as if all its months erred alike."""
    rng, said = np.random.default_rng(9), np.full((24, 6, 12), 300.0)
    total = drawn(said + rng.normal(scale=20, size=said.shape), said, horizon=36).sum(axis=1).std(axis=1).mean()
    assert total < 2.2 * 20 * 36**0.5
    level = drawn(said + rng.normal(scale=20, size=(24, 6, 1)), said, horizon=36).sum(axis=1).std(axis=1).mean()
    assert level > 0.9 * 20 * 36


def test_without_errors_the_spread_is_assumed_and_said() -> None:
    nothing = np.full((0, 3, 4), np.nan)
    errors = learn_errors(nothing, nothing, horizon=4, whole=np.ones(3, dtype=bool))
    assert errors.assumed
    draws = draw_paths(np.full((3, 4), 50.0), errors, whole=np.ones(3, dtype=bool), draws=200, seed=1)
    assert draws.std(axis=2).min() > 5


def test_a_series_without_errors_borrows_from_the_others() -> None:
    y, said = past(100.0)
    y[:, 2] = np.nan
    whole = np.ones(6, dtype=bool)
    errors = learn_errors(y, said, horizon=8, whole=whole)
    assert errors.scale[2] == pytest.approx(np.median(errors.scale), rel=0.3)
    draws = draw_paths(said[0], errors, whole=whole, draws=300, seed=1)
    assert np.isfinite(draws).all()
    assert draws[2].std() == pytest.approx(draws.std(axis=(1, 2)).mean(), rel=0.4)


def test_the_level_of_a_new_series_is_wrong_alike_in_all_months() -> None:
    y, said = past(100.0, cutoffs=30)
    y[:, 2] = np.nan
    whole, counts = np.ones(6, dtype=bool), np.full((1, 6), 60.0)
    counts[0, 2] = 0.0  # changes: one count alone
    known = Swings(np.where(counts > 0, 0.56, np.nan).repeat(30, axis=0), counts.repeat(30, axis=0))
    errors = learn_errors(y, said, horizon=8, whole=whole, swung=known)
    totals = draw_paths(said[0], errors, whole=whole, draws=2000, seed=1, swung=known.at(-1)).sum(axis=1).std(axis=1)
    assert totals[2] > 2 * np.delete(totals, 2).mean()  # one error for all eight, beside eight of their own
    assert totals[2] == pytest.approx(1.1 * 10 * 72**0.5, rel=0.3)


def test_a_series_that_swings_more_is_drawn_wider_though_replays_are_few() -> None:
    rng = np.random.default_rng(5)
    history = np.column_stack([200 + rng.normal(0, 4, 120), 200 + rng.normal(0, 40, 120), 200 + rng.normal(0, 12, 120)])
    y, said = history[-8:].T[None].copy(), np.full((1, 3, 8), 200.0)
    whole = np.zeros(3, dtype=bool)
    known = swings(history, 12)
    errors = learn_errors(y, said, horizon=8, whole=whole, swung=known.at(np.array([111])))
    draws = draw_paths(said[0], errors, whole=whole, draws=1000, seed=1, swung=known.at(-1))
    calm, wild, _ = draws.std(axis=(1, 2))
    assert wild > 4 * calm
    plain = draw_paths(said[0], learn_errors(y, said, horizon=8, whole=whole), whole=whole, draws=1000, seed=1).std(axis=(1, 2))
    assert plain[1] < 3 * plain[0]


def test_swings_know_nothing_of_what_comes_later_and_leave_the_season_out() -> None:
    months = np.arange(72)
    values = np.column_stack([100 + 50 * np.sin(2 * np.pi * months / 12), 100 + 10.0 * (months % 2)])
    found = swings(values, 12)
    assert found.size[-1, 0] < 0.01  # the same every year: no swing
    assert np.isnan(found.size[0]).all()
    later = values.copy()
    later[40:] *= 3
    np.testing.assert_array_equal(found.size[:40], swings(later, 12).size[:40])


def test_a_nought_in_one_month_does_not_make_a_year_of_noughts() -> None:
    rng = np.random.default_rng(8)
    y = rng.poisson(2.0, (12, 8, 12)).astype(float)
    said = np.full((12, 8, 12), 2.0)
    y[:, 1:] = rng.poisson(200, (12, 7, 1)) + rng.poisson(3, (12, 7, 12))  # the others' errors last the whole year
    said[:, 1:] = 203.0
    whole = np.ones(8, dtype=bool)
    draws = draw_paths(said[0], learn_errors(y, said, horizon=12, whole=whole), whole=whole, draws=2000, seed=1)[0]
    assert draws.sum(axis=0).std() < 1.6 * 24**0.5  # of independent months it would be the square root of 24
    assert (draws.sum(axis=0) == 0).mean() < 0.002
    assert (draws == 0).mean() == pytest.approx(np.exp(-2.0), abs=0.06)


@pytest.mark.parametrize("gone", [[0], [0, 1, 2], [3], [7]])
def test_a_step_whose_errors_an_event_set_aside_keeps_its_width(gone: list[int]) -> None:
    rng = np.random.default_rng(2)
    said = np.full((10, 6, 8), 100.0)
    y = said + rng.normal(0, 12, said.shape)
    whole = np.ones(6, dtype=bool)
    usual = draw_paths(said[0], learn_errors(y, said, horizon=8, whole=whole), whole=whole, draws=600, seed=1).std(axis=2).mean(axis=0)
    y[:, :, gone] = np.nan
    errors = learn_errors(y, said, horizon=8, whole=whole)
    width = draw_paths(said[0], errors, whole=whole, draws=600, seed=1).std(axis=2).mean(axis=0)
    np.testing.assert_allclose(width, usual, rtol=0.4)


@pytest.mark.parametrize(("steps", "gap"), [(1, 1), (1, 10), (3, 10), (12, 5), (28, 65)])
def test_short_paths_after_a_long_history_leave_many_cutoffs_that_count(steps: int, gap: int) -> None:
    y = 400 + np.random.default_rng(3).normal(0, 40, (24, 2, steps))
    said, aged = np.full_like(y, 400.0), gap * np.arange(24)[::-1] + steps
    chances = learn_errors(y, said, horizon=steps, whole=np.zeros(2, dtype=bool), aged=aged).chances
    assert 1 / (chances**2).sum() >= 12
    assert chances[-1] > chances[0]


def test_recent_errors_count_more_than_old_ones() -> None:
    rng = np.random.default_rng(3)
    size, aged = np.where(np.arange(20) < 10, 20.0, 60.0), np.arange(20)[::-1] * 4 + 4
    said = np.full((20, 6, 4), 400.0)
    y, whole = np.rint(said + rng.normal(size=said.shape) * size[:, None, None]), np.ones(6, dtype=bool)
    every, recent = (learn_errors(y, said, horizon=4, whole=whole, aged=a) for a in (None, aged))
    np.testing.assert_allclose(every.chances, 1 / 20)
    assert recent.chances[10:].sum() > 0.7
    spread = [draw_paths(said[0], e, whole=whole, draws=800, seed=1).std() for e in (every, recent)]
    assert spread[1] > 1.1 * spread[0]


def test_paths_that_have_hardly_come_tell_how_large_errors_are_and_are_not_drawn() -> None:
    rng = np.random.default_rng(4)
    said = np.full((12, 6, 8), 400.0)
    y, aged, whole = np.rint(said + 40 * rng.normal(size=said.shape)), np.arange(12, 0, -1), np.ones(6, dtype=bool)
    y = np.where(aged[:, None, None] < np.arange(1, 9), np.nan, y)
    before = learn_errors(y, said, horizon=8, whole=whole, aged=aged)
    assert len(before.paths) == (aged >= 4).sum()
    restless = y.copy()
    restless[aged < 4] = 400 + 3 * (y[aged < 4] - 400)
    after = learn_errors(restless, said, horizon=8, whole=whole, aged=aged)
    assert (after.scale > 1.05 * before.scale).all()


def test_a_small_series_of_amounts_is_as_wide_beside_a_large_one_of_other_units() -> None:
    values, at = 2.0 + np.random.default_rng(4).normal(0, 0.1, (40, 5)), np.arange(4, 32, 3)
    y, whole = np.stack([values[k : k + 8].T for k in at]), np.zeros(5, dtype=bool)
    widths = []
    for unit in (np.ones(5), np.array([1.0, 1.0, 1.0, 1.0, 1e7])):
        known, said = swings(values * unit, 1), np.full(y.shape, 2.0) * unit[None, :, None]
        errors = learn_errors(y * unit[None, :, None], said, horizon=8, whole=whole, swung=known.at(at - 1))
        widths.append(draw_paths(said[0], errors, whole=whole, draws=500, seed=1, swung=known.at(-1)).std(axis=2)[:4])
    np.testing.assert_allclose(widths[1], widths[0], rtol=0.3)
