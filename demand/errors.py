"""What the package says when it cannot go on.

In: a fault found somewhere. Out: one family of exceptions whose text has four parts: found, where, allowed, what to do next.

All faults of one file are collected and raised once. Refuses nothing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = [
    "BudgetError",
    "DataError",
    "DemandError",
    "DisclosureError",
    "Fault",
    "ModelError",
    "Row",
    "ScenarioError",
    "SettingsError",
    "StoreError",
    "did_you_mean",
    "listed",
    "raise_all",
]

Row = int | str
"""A row as a spreadsheet numbers it; with its sheet before it where a workbook has several: 'May 2024!7'."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, told so that its reader can mend it.

    Parameters
    ----------
    found : str
        What was found, with the value.
    where : str
        The place: file > key > row, column or series.
    allowed : str
        What would have been right.
    do_next : str
        What the reader can do now.
    rule : str
        The gate that found it, where a gate did: date_format, negative...
    rows : tuple
        The rows of the file, where it has any.
    """

    found: str
    where: str = ""
    allowed: str = ""
    do_next: str = ""
    rule: str = ""
    rows: tuple[Row, ...] = ()

    def __str__(self) -> str:
        """Give the fault as one paragraph: where, found, allowed, do next."""
        head = f"{self.where}: {self.found}" if self.where else self.found
        return " ".join(part for part in (_sentence(head), _sentence(self.allowed), _sentence(self.do_next)) if part)


class DemandError(Exception):
    """The parent of every error that this package raises on purpose.

    Parameters
    ----------
    faults : Fault, str or a sequence of them
        What is wrong; several faults of one input are raised together.
    during : str
        What was being done, for example "reading homelessness.yaml".
    """

    def __init__(self, faults: Fault | str | Sequence[Fault | str], *, during: str = "") -> None:
        several = [faults] if isinstance(faults, Fault | str) else list(faults)
        self.faults: tuple[Fault, ...] = tuple(f if isinstance(f, Fault) else Fault(f) for f in several)
        self.during = during
        super().__init__(self._text())

    def _text(self) -> str:
        if len(self.faults) == 1:
            return str(self.faults[0])
        head = f"{len(self.faults)} faults" + (f" while {self.during}" if self.during else "")
        return "\n".join([head + ":", *(f"  - {fault}" for fault in self.faults)])


class SettingsError(DemandError):
    """A config or a setting that cannot be used."""


class DataError(DemandError):
    """A table or a file that cannot be used."""


class ModelError(DemandError):
    """A model that cannot be fitted, or that gave what cannot be true."""


class ScenarioError(DemandError):
    """A change or a scenario that cannot be applied."""


class BudgetError(DemandError):
    """A price, a budget line or an envelope that cannot be used."""


class DisclosureError(DemandError):
    """Something that must not leave the building."""


class StoreError(DemandError):
    """Results that cannot be written, read or trusted."""


def raise_all(faults: Sequence[Fault], kind: type[DemandError], *, during: str = "") -> None:
    """Raise one error with all the faults that were collected, or do nothing where there are none.

    Parameters
    ----------
    faults : sequence of Fault
    kind : type of DemandError
    during : str
        What was being done.

    Raises
    ------
    DemandError
        Of the given kind, where `faults` is not empty.
    """
    if faults:
        raise kind(faults, during=during)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest known name, and list what is known.

    Parameters
    ----------
    name : str
        What was asked for.
    known : iterable of str
        What there is.

    Returns
    -------
    str
        For example "Known: 'North', 'South'. Did you mean 'North'?".

    Examples
    --------
    >>> did_you_mean("Nortth", ["North", "South"])
    "Known: 'North', 'South'. Did you mean 'North'?"
    """
    names = [str(k) for k in known]
    folded = {n.casefold(): n for n in names}
    near = difflib.get_close_matches(str(name).casefold(), list(folded), n=1, cutoff=0.6)
    whole = [n for n in folded if str(name).casefold() in re.split(r"[^\w]+|_", n)]  # 'need' is nearer to 'support need' than to 'opened'
    near = whole if len(whole) == 1 else near
    return f"Known: {listed(names, most=12)}." + (f" Did you mean '{folded[near[0]]}'?" if near else "")


def listed(names: Iterable[object], *, most: int = 5) -> str:
    """Give names in quotes, at most so many of them, then how many more there are.

    Examples
    --------
    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    everything = [f"'{n}'" for n in names]
    if not everything:
        return "none"
    rest = len(everything) - most
    return ", ".join(everything[:most]) + (f" and {rest} more" if rest > 0 else "")


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "?", "!")) else text + "."
