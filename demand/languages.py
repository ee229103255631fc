"""The language in which results are told: messages, plurals and dates.

In: English messages with named fields. Out: the same in the language that is spoken now, from the catalogues in locale/ (gettext, read by
Babel); English where a catalogue has nothing. Refuses nothing. Messages are found in the source by the names of these functions, so they
are written out where they are said: `say("In {year} we expect {number}.", year=..., number=...)`.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import cache
from importlib.resources import files

__all__ = ["CODES", "NAMES", "date_written", "message", "months_short", "say", "say_many", "speaking", "spoken"]

NAMES = {"en": "English", "cy": "Cymraeg"}
"""The languages, as each calls itself."""
CODES = {"en": "en-GB", "cy": "cy"}
"""As HTML names them: https://www.rfc-editor.org/info/bcp47."""
_SPOKEN: ContextVar[str] = ContextVar("spoken", default="en")


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak a language for a while: en or cy.

    Examples
    --------
    >>> with speaking("cy"):
    ...     say("What will happen?")
    'Beth fydd yn digwydd?'
    """
    before = _SPOKEN.set(language)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def spoken() -> str:
    """Give the language that is spoken now."""
    return _SPOKEN.get()


def say(text: str, /, **fields: object) -> str:
    """Say a message, with its fields filled in.

    Examples
    --------
    >>> say("between {low} and {high}", low=3, high=5)
    'between 3 and 5'
    """
    found = _catalogue(_SPOKEN.get()).gettext(text) if text else text
    return found.format(**fields) if fields else found


def say_many(one: str, many: str, number: float, /, **fields: object) -> str:
    """Say a message in the form that goes with a number; Welsh has six.

    Examples
    --------
    >>> say_many("{number} test", "{number} tests", 1, number=1)
    '1 test'
    """
    return _catalogue(_SPOKEN.get()).ngettext(one, many, int(number)).format(**fields)


def message(text: str) -> str:
    """Mark a text as a message that is said elsewhere, as `say(variable)`."""
    return text


def date_written(value: date, pattern: str) -> str:
    """Write a date by a pattern of Unicode's (https://unicode.org/reports/tr35/tr35-dates.html).

    Examples
    --------
    >>> with speaking("cy"):
    ...     date_written(date(2026, 4, 1), "d MMMM y")
    '1 Ebrill 2026'
    """
    from babel.dates import format_date

    return format_date(value, pattern, locale=_locale())


def months_short() -> dict[int, str]:
    """Give the short names of the months."""
    from babel.dates import get_month_names

    return dict(get_month_names("abbreviated", context="stand-alone", locale=_locale()))


def _locale() -> str:
    return CODES[_SPOKEN.get()].replace("-", "_")


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    """Read the messages of a language."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    if language == "en":
        return gettext.NullTranslations()
    content = files("demand").joinpath("locale", language, "LC_MESSAGES", "messages.po").read_bytes()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(content), locale=language))
    return gettext.GNUTranslations(io.BytesIO(compiled.getvalue()))
