"""The key that turns references into pseudonyms: the analyst's own, made once and kept apart from the data.

In: DEMAND_KEY_FILE, or the user's folder for settings. Out: bytes. Refuses a key too short to protect anybody.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from demand.errors import DataError, Fault

__all__ = ["pseudonym_key"]


def pseudonym_key() -> bytes:
    """Give the key that turns references into pseudonyms: of DEMAND_KEY_FILE, else one made once for this user.

    Returns
    -------
    bytes
        At least 16.

    Raises
    ------
    DataError
        Where the key file is too short to protect anybody, or cannot be written.
    """
    import typer

    named = os.environ.get("DEMAND_KEY_FILE")
    path = Path(named) if named else Path(typer.get_app_dir("demand")) / "pseudonym.key"
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32))
            typer.echo(f"A key for pseudonyms was made in {path}. Keep it: without it next year's pseudonyms will not match.", err=True)
        key = path.read_bytes().strip()
    except OSError as error:
        raise DataError(
            Fault(f"the key for pseudonyms cannot be used: {error.strerror}", where=str(path), do_next="Set DEMAND_KEY_FILE")
        ) from error
    if len(key) < 16:
        raise DataError(
            Fault(f"the key has {len(key)} bytes", where=str(path), allowed="At least 16", do_next="Name another in DEMAND_KEY_FILE")
        )
    return key
