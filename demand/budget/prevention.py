"""What spending on prevention now saves later: response curves, and how much to spend in each year.

In: programmes with their curves as assumptions, and what is lost under a plan. Out: the share of each line's cost that remains, draw by
draw, and the spending that loses least. Refuses curves that avoid more than everything, and units that do not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from pydantic import Field, model_validator

from demand.spec import Assumption, Spec, Unit

__all__ = ["Prevention", "Programmes", "least_loss"]

MONTHS_A_YEAR = 12
STEPS = (0.1, 0.03, 0.01, 0.003, 0.001)
"""Steps of the last search, as shares of what may be spent on a programme in a year."""


class Prevention(Spec):
    """A programme that makes a budget line cheaper later.

    Of the line's cost, x pounds a year avoid `avoids` x (1 - 2 ^ (-x / half)): each further pound does less, the first `half` pounds half
    of all that can be done. What is spent in a year acts for a year, `lag` months later; to go on, it has to be spent again.
    """

    name: str
    """What it is called in tables."""
    line: str
    """The budget line that it makes cheaper."""
    avoids: Assumption
    """The share of the line's cost that it could avoid at most: 0.15 ratio."""
    half: Assumption
    """GBP/year that avoid half of that."""
    lag: Assumption
    """Months from the spending to the saving."""
    least: float = Field(default=0, ge=0)
    """GBP a year that are spent on it in any case."""
    most: float = Field(gt=0)
    """GBP a year that can be spent on it at most."""

    @model_validator(mode="after")
    def _holds(self) -> Prevention:
        for key, unit in (("avoids", ("ratio", ())), ("half", ("GBP", ("year",))), ("lag", ("month", ()))):
            number = getattr(self, key)
            found = Unit.parse(number.unit)
            if (found.of, found.per) != unit:
                raise ValueError(f"'{key}' of '{self.name}' is in '{number.unit}'. Write '{'/'.join((unit[0], *unit[1]))}'.")
        if self.avoids.low < 0 or self.avoids.high > 1:
            raise ValueError(f"'{self.name}' cannot avoid {self.avoids.low:g} to {self.avoids.high:g} of a cost. 0.15 is 15 in a hundred.")
        if self.half.low <= 0 or self.lag.low < 0:
            raise ValueError(f"'half' of '{self.name}' has to be above zero, and 'lag' not below.")
        if self.least > self.most:
            raise ValueError(f"'{self.name}' has to have at least {self.least:,.0f} GBP and may have at most {self.most:,.0f}.")
        return self


@dataclass(frozen=True)
class Programmes:
    """Programmes with their curves drawn.

    Parameters
    ----------
    specs : sequence of Prevention
    lines : sequence of str
        The budget lines, in order.
    years : int
        How many financial years are planned.
    draws : int
    seed : int
        The run's seed.
    """

    specs: Sequence[Prevention]
    lines: Sequence[str]
    years: int
    draws: int
    seed: int
    _avoids: np.ndarray = field(init=False, repr=False)
    _half: np.ndarray = field(init=False, repr=False)
    _acts: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Draw the curves: of a programme of the same name, the same in every run."""
        drawn = {key: np.array([getattr(p, key).draw(self.draws, seed=self.seed, name=f"prevention {p.name} {key}") for p in self.specs])
                 for key in ("avoids", "half", "lag")}  # fmt: skip
        shape = (len(self.specs), self.draws)
        least = np.array([0.01 * p.half.value for p in self.specs]).reshape(-1, 1)
        object.__setattr__(self, "_avoids", np.clip(drawn["avoids"].reshape(shape), 0.0, 1.0))
        object.__setattr__(self, "_half", np.maximum(drawn["half"].reshape(shape), least))
        object.__setattr__(self, "_acts", _acting(np.maximum(drawn["lag"].reshape(shape), 0.0), self.years))

    def remains(self, spent: np.ndarray, *, without: int | None = None) -> np.ndarray:
        """Give the share of each line's cost that remains.

        Parameters
        ----------
        spent : numpy.ndarray
            GBP, shape (programmes, years).
        without : int, optional
            A programme that is left out.

        Returns
        -------
        numpy.ndarray
            Shape (lines, years, draws). Two programmes of one line act one after the other: the second on what the first has left.
        """
        share = np.ones((len(self.lines), self.years, self.draws))
        for p, spec in enumerate(self.specs):
            if p != without:
                reached = 1 - 2.0 ** (-spent[p][:, None] / self._half[p])
                share[list(self.lines).index(spec.line)] *= 1 - self._avoids[p] * np.einsum("std,sd->td", self._acts[p], reached)
        return share


def _acting(lag: np.ndarray, years: int) -> np.ndarray:
    """Say which share of what is spent evenly over a year acts in each year: shape (programmes, spent in, acts in, draws)."""
    whole, part = np.divmod(lag / MONTHS_A_YEAR, 1.0)
    acts = np.zeros((lag.shape[0], years, years, lag.shape[1]))
    for s in range(years):
        for t in range(s, years):
            acts[:, s, t] = np.where(whole == t - s, 1 - part, 0.0) + np.where(whole + 1 == t - s, part, 0.0)
    return acts


def least_loss(loss: Callable[[np.ndarray], float], low: np.ndarray, high: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Find how much to spend on each programme in each year, so that least is lost.

    Where `loss` is convex, what is found is the best there is. An expected shortfall under a fixed total is: each programme leaves a sum
    of a constant and falling exponentials of its spending, which is log-convex, as is the product of several; a shortfall is convex and
    rising in what remains.

    Parameters
    ----------
    loss : callable
        From GBP of shape (programmes, years) to what is lost, in GBP.
    low, high : numpy.ndarray
        Bounds, same shape.
    room : numpy.ndarray
        GBP that all programmes together may have, shape (years,).

    Returns
    -------
    numpy.ndarray
        GBP, shape (programmes, years).
    """
    from scipy.optimize import minimize

    wide = np.maximum(high - low, 0.0)
    size = max(abs(loss(low)), 1.0)
    if not wide.any():
        return low

    def at(u: np.ndarray) -> np.ndarray:
        spent = low + np.clip(u.reshape(low.shape), 0.0, 1.0) * wide
        extra = np.maximum((spent - low).sum(axis=0), 1e-9)
        return np.asarray(low + (spent - low) * np.minimum(1.0, np.maximum(room - low.sum(axis=0), 0.0) / extra))

    def left(u: np.ndarray) -> np.ndarray:
        return np.asarray((room - (low + u.reshape(low.shape) * wide).sum(axis=0)) / size)

    found = []
    for start in (0.0, 0.3):
        end = minimize(lambda u: loss(at(u)) / size, np.full(low.size, start), method="SLSQP", bounds=[(0, 1)] * low.size,
                       constraints=[{"type": "ineq", "fun": left}], options={"eps": 1e-4, "maxiter": 60, "ftol": 1e-10})  # fmt: skip
        found.append(np.clip(end.x, 0.0, 1.0))
    best = min([np.zeros(low.size), *found], key=lambda u: loss(at(u)))
    for step in STEPS:
        best = _walked(lambda u: loss(at(u)), best, step)
    return at(best)


def _walked(loss: Callable[[np.ndarray], float], start: np.ndarray, step: float) -> np.ndarray:
    """Walk along the axes while that loses less: what is left where draws make corners on which a gradient stops."""
    best, least = start, loss(start)
    for _ in range(50):
        tries = [np.clip(best + sign * step * axis, 0.0, 1.0) for axis in np.eye(len(best)) for sign in (-1, 1)]
        losses = [loss(u) for u in tries]
        if min(losses) >= least - 1e-9 * abs(least):
            return best
        best, least = tries[int(np.argmin(losses))], min(losses)
    return best
