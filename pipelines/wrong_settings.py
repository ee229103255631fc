"""What is wrong with a setting, in the words of its reader: where it stands, what was found, what it may be, and the nearest name.

In: an error of pydantic's, and the config as it was read. Out: a fault. Refuses nothing.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from demand.errors import Fault, did_you_mean
from demand.scenario import Scenario
from demand.secrets import redacted
from pipelines.reading import Written

__all__ = ["told"]

PLAIN = {
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), "a whole number is needed, such as 24"),
    **dict.fromkeys(("float_parsing", "float_type"), "a number is needed, such as 0.03"),
    **dict.fromkeys(("bool_parsing", "bool_type"), "true or false is needed"),
    **dict.fromkeys(("date_from_datetime_parsing", "date_parsing", "date_type"), "a date is needed, such as 2026-03-31"),
    "string_type": "a word is needed; where it looks like a number or a date, put it in quotes",
    "list_type": "a list is needed: [one, another]",
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "a section is needed: {key: value}"),
}
"""What pydantic's kinds of errors come to."""


def told(written: Written, error: dict[str, Any], model: type[BaseModel]) -> Fault:
    """Say what is wrong with one setting, where it stands, what it may be, and the nearest name.

    Parameters
    ----------
    written : Written
        The config as it was read.
    error : dict
        One of pydantic's.
    model : type of pydantic.BaseModel
        The settings as a whole: known keys are looked up in it.

    Returns
    -------
    Fault
    """
    own = len(error["loc"]) - 1 if error["type"] in ("extra_forbidden", "missing") else -1  # a key of the file, whatever it looks like
    keys = [k for i, k in enumerate(error["loc"]) if i == own or not _is_type_name(k)]
    place = [written.file_of(keys)]
    for key in keys:
        if isinstance(key, int):
            place[-1] += f"[{key}]"
        else:
            place.append(str(key))
    where = " > ".join(place)
    if error["type"] == "extra_forbidden":
        known = sorted(_known_keys(model, keys[:-1]))
        return Fault(
            "this key is not known", where=where, allowed=did_you_mean(str(keys[-1]), known), do_next=_elsewhere(model, keys, known)
        )
    if error["type"] == "missing":
        return Fault("this key is missing", where=where, do_next="Add it")
    value = error.get("input")
    if error["type"] == "literal_error" and isinstance(value, str):
        return Fault(f"'{redacted(value)}' is not one of the words that it may be", where=where, allowed=_words(error, value))
    message = PLAIN.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    shown = f" (found: {redacted(value)!r})" if isinstance(value, str | int | float | bool | date) else ""
    return Fault(f"{message}{shown}", where=where)


def _words(error: dict[str, Any], value: str) -> str:
    return did_you_mean(value, re.findall(r"'([^']*)'", error["ctx"]["expected"]))


def _elsewhere(model: type[BaseModel], keys: list[Any], known: list[str]) -> str:
    """Say under which section a key is known that stands at the top, where nothing there is called alike."""
    if len(keys) != 1 or get_close_matches(str(keys[0]), known, cutoff=0.6):
        return ""
    sections = [s for s in known if keys[0] in _known_keys(model, [s])]
    return f"Write {' or '.join(f'{s}.{keys[0]}' for s in sections)}" if sections else ""


def _is_type_name(key: object) -> bool:
    return isinstance(key, str) and (
        key.endswith("Spec") or "[" in key or key.startswith(("function-", "literal", "constrained-", "tagged-"))
    )


def _known_keys(model: type[BaseModel], keys: Sequence[object]) -> set[str]:
    models = {model}
    for key in keys:
        if isinstance(key, int):
            continue
        inner = {m for one in models if key in one.model_fields for m in _models_in(one.model_fields[str(key)].annotation)}
        models = inner or models
    return {name for one in models for name in one.model_fields if not (one is Scenario and name == "name")}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and get_origin(annotation) is None and issubclass(annotation, BaseModel):
        yield annotation
    else:
        for inner in get_args(annotation):
            yield from _models_in(inner)
