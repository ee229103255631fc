"""The one script of a page: its text, the hash by which the content policy knows it, and what it has to say.

In: nothing but the package's own file. Out: parts that the templates put in as they are. Refuses nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from demand.languages import CODES, NAMES, say, speaking

__all__ = ["Script", "as_data"]


@dataclass(frozen=True)
class Script:
    """What makes tables sortable, saves them, and moves levers; without it the page is complete and stands still.

    Parameters
    ----------
    code : str
        The script.
    hash : str
        As a content policy names it: https://www.w3.org/TR/CSP3/#external-hash.
    texts : str
        What it says in each language, as JSON.
    """

    code: str = field(repr=False)
    hash: str
    texts: str

    @classmethod
    def of(cls) -> Script:
        """Take the script that travels with the package."""
        code = _code()
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        return cls(code, f"sha256-{digest}", as_data({CODES[language]: _said(language) for language in NAMES}))


def as_data(value: Any) -> str:
    """Write JSON so that nothing in it can end the element that it stands in."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _said(language: str) -> dict[str, str]:
    with speaking(language):
        return {"csv": say("Save as CSV")}


@cache
def _code() -> str:
    return files("demand.report").joinpath("templates", "page.js").read_text(encoding="utf-8")
