"""Secrets: read from the environment when they are needed, and never written down.

In: texts and settings. Out: `${NAME}` filled in from the environment where an address is used; passwords in addresses and values of keys
that sound like secrets blotted out wherever something is written. Refuses a name that the environment does not have.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from demand.errors import Fault, SettingsError

__all__ = ["redacted", "with_secrets", "written_out"]

NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
LOGIN = re.compile(r"(?P<before>[A-Za-z][A-Za-z0-9+.-]*://[^/\s:@]*:)\S*(?=@)")
WORD = re.compile(r"(?P<key>(?:password|passwd|pwd|token|secret|api_?key|access_?key|sig)=)[^&;\s]+", re.IGNORECASE)
KEY = re.compile(r"password|passwd|pwd|token|secret|api_?key|credential", re.IGNORECASE)
BLOT = "***"


def with_secrets(text: str) -> str:
    """Fill in `${NAME}` from the environment.

    Raises
    ------
    SettingsError
        Where the environment has no such name.
    """
    lacking = [name for name in NAME.findall(text) if name not in os.environ]
    if lacking:
        raise SettingsError(Fault(f"the environment has no {lacking[0]}", where=redacted(text), do_next=f"Set {lacking[0]} before the run"))
    return NAME.sub(lambda found: os.environ[found.group(1)], text)


def redacted(content: Any) -> Any:
    """Blot out passwords in addresses, and the values of keys that sound like secrets.

    Parameters
    ----------
    content : text, or mappings and lists of it

    Returns
    -------
    the same, without secrets

    Examples
    --------
    >>> redacted("postgresql://me:hunter2@db/x?sslmode=on&password=y")
    'postgresql://me:***@db/x?sslmode=on&password=***'
    """
    if isinstance(content, str):
        return WORD.sub(rf"\g<key>{BLOT}", LOGIN.sub(rf"\g<before>{BLOT}", content))
    if isinstance(content, Mapping):
        return {k: BLOT if KEY.search(str(k)) and isinstance(v, str) and not NAME.fullmatch(v) else redacted(v) for k, v in content.items()}
    return [redacted(v) for v in content] if isinstance(content, list | tuple) else content


def written_out(text: str) -> bool:
    """Say whether a password stands in an address itself, and not as `${NAME}`.

    Examples
    --------
    >>> [written_out(address) for address in ("x://me:${PASSWORD}@db/cases", "sqlite:///cases.db", "x://me:hunter2@db/cases")]
    [False, False, True]
    """
    bare = NAME.sub(BLOT, text)
    return bool(redacted(bare) != bare)
