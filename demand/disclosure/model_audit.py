"""What a saved model would tell of the people it was made from.

In: the bytes of a model: segment_model.json, model_parts.json, LightGBM's text, Prophet's JSON. Out: what it holds of few people, and
whether it may leave. Fails closed: what cannot be read as one of these does not leave.

The rules are those of the GRAIMATTER and SACRO projects (arXiv 2211.01656; structural attack of SACRO-ML) where they meet these models:
leaves with few rows, rare categories, extremes of single people, and the data itself kept inside.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Revealed", "audit_model"]

FEWEST = 10
"""People or rows behind a leaf, a level or a band (the rule of 10 of the SDAP handbook)."""
MOST_LEVELS = 50
"""A column with more categories is taken for a place or a reference."""


@dataclass(frozen=True)
class Revealed:
    """One thing that a model tells.

    Parameters
    ----------
    what : str
    grave : bool
        Whether the model must stay because of it.
    """

    what: str
    grave: bool = True


def audit_model(name: str, content: bytes) -> list[Revealed]:
    r"""Look into a model.

    Parameters
    ----------
    name : str
        Of the file, to say where something was found.
    content : bytes

    Returns
    -------
    list of Revealed
        Without values of people. Empty where nothing stands against its leaving.

    Examples
    --------
    >>> [r.grave for r in audit_model("model.pkl", b"\x80\x05...")]
    [True]
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return [Revealed(f"{name} is not text: nobody can see what it holds (a pickle also runs code when it is read)")]
    return list(_text(name, text))


def _text(name: str, text: str) -> Iterator[Revealed]:
    if text.startswith("tree\n"):
        yield from _trees(name, text)
        return
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        found = None
    if isinstance(found, str):  # Prophet's JSON inside JSON
        yield from _text(name, found)
    elif isinstance(found, dict) and "labels" in found and "attributes" in found:
        yield from _segments(name, found)
    elif isinstance(found, dict) and ("history" in found or "changepoints" in found):
        yield Revealed(f"{name}: Prophet keeps the whole series that it was fitted to")
    elif isinstance(found, dict) and found and all(isinstance(v, str) for v in found.values()):
        for inner, part in found.items():
            yield from _text(f"{name} > {inner}", part)
    elif found == {}:
        return
    else:
        yield Revealed(f"{name} is no model that this package knows: nobody can say what it holds")


def _trees(name: str, text: str) -> Iterator[Revealed]:
    counts = [int(n) for line in re.findall(r"^leaf_count=(.*)$", text, re.MULTILINE) for n in line.split()]
    small = sum(1 for n in counts if 0 < n < FEWEST)
    if small:
        yield Revealed(f"{name}: {small} of {len(counts)} leaves hold fewer than {FEWEST} rows")
    if not counts:
        yield Revealed(f"{name}: the trees do not say how many rows their leaves hold")
    columns = re.findall(r"^feature_names=(.*)$", text, re.MULTILINE)
    ranges = re.findall(r"^feature_infos=(.*)$", text, re.MULTILINE)
    for column, told in zip(columns[0].split() if columns else [], ranges[0].split() if ranges else [], strict=False):
        if told.startswith("["):
            yield Revealed(f"{name}: the least and the greatest value of '{column}' stand in it, which are those of single rows")
        elif ":" in told and len(told.split(":")) > MOST_LEVELS:
            yield Revealed(f"{name}: '{column}' has more than {MOST_LEVELS} categories")
    for listed in re.findall(r"^pandas_categorical:(.*)$", text, re.MULTILINE):
        levels = json.loads(listed) if listed.strip() not in ("", "null") else []
        for k, names in enumerate(levels or []):
            yield Revealed(f"{name}: every value of categorical column {k + 1} stands in it ({len(names)} values), rare ones too")


def _segments(name: str, model: dict[str, Any]) -> Iterator[Revealed]:
    counts = dict((model.get("reference") or {}).get("counts") or {})
    people = int(model.get("people") or 0)
    for column, numbers in counts.items():
        few = sum(1 for n in numbers if 0 < n < FEWEST)
        if few:
            yield Revealed(f"{name}: {few} of the counts of '{column}' stand for fewer than {FEWEST} people")
    if not counts:
        yield Revealed(f"{name}: it does not say how many people stand behind its levels")
    weights = model.get("parameters", {}).get("weights") or []
    small = sum(1 for w in weights if isinstance(w, int | float) and w * people < FEWEST)
    if small:
        yield Revealed(f"{name}: {small} segments hold fewer than {FEWEST} people")
    for attribute in model.get("attributes", ()):
        levels, column = attribute.get("levels") or (), attribute.get("name")
        if len(levels) > MOST_LEVELS:
            yield Revealed(f"{name}: '{column}' has {len(levels)} levels")
        if attribute.get("joined"):
            yield Revealed(f"{name}: rare values of '{column}' stand in it as digests, which a list of all possible values gives away")
        if attribute.get("kind") in ("number", "banded") and attribute.get("high", 0) > attribute.get("low", 0):
            yield Revealed(f"{name}: the limits of '{column}' stand in it: are they those of single people?", False)
