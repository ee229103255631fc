"""The messages of the report as its source has them, and the catalogues that are kept of them.

`python tests/messages.py` puts new messages into every catalogue, each to be translated and checked, and takes out those that nobody says.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOM = ROOT / "demand"
TO_BE_CHECKED = "to be checked by a Welsh speaker"
Message = str | tuple[str, str]


@cache
def in_source() -> dict[Message, list[str]]:
    """Give message -> the files that say it; one with a plural is a pair."""
    found: dict[Message, list[str]] = {}
    for path in sorted(ROOM.rglob("*.py")):
        for one in _said(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(one, []).append(path.name)
    for path in sorted((ROOM / "report" / "templates").glob("*.j2")):
        for one in _in_template(path):
            found.setdefault(one, []).append(path.name)
    return {one: sorted(set(names)) for one, names in found.items() if one}


def _said(tree: ast.AST) -> Iterator[Message]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if node.func.id in ("say", "message") and texts:
                yield texts[0]
            elif node.func.id == "say_many" and len(texts) > 1:
                yield texts[0], texts[1]
        # What tables are headed with is said where they are made: `names` is column -> heading.
        if isinstance(node, ast.Assign | ast.keyword):
            name = node.arg if isinstance(node, ast.keyword) else getattr(node.targets[0], "id", "")
            if name == "names":
                yield from (
                    v.value
                    for d in ast.walk(node.value)
                    if isinstance(d, ast.Dict)
                    for v in d.values
                    if isinstance(v, ast.Constant) and isinstance(v.value, str)
                )


def _in_template(path: Path) -> Iterator[Message]:
    from jinja2.ext import babel_extract

    with path.open("rb") as file:
        for _, name, found, _ in babel_extract(file, ("say", "say_many"), (), {}):
            texts = [t for t in ([found] if isinstance(found, str) else found) if isinstance(t, str)]
            if texts:
                yield (texts[0], texts[1]) if name == "say_many" else texts[0]


def update(path: Path) -> None:
    """Bring a catalogue up to date."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po, write_po

    with path.open("rb") as file:
        old = read_po(file, locale=path.parents[1].name)
    new = Catalog(locale=old.locale, header_comment=old.header_comment, creation_date=old.creation_date, fuzzy=False)
    new.mime_headers = old.mime_headers  # with the rule of its plurals
    for one, names in sorted(in_source().items(), key=lambda item: (item[1][0], str(item[0]))):
        known = old.get(one[0] if isinstance(one, tuple) else one)
        empty = [""] * new.num_plurals if isinstance(one, tuple) else ""
        comments = [TO_BE_CHECKED] if known is None else known.user_comments
        new.add(one, known.string if known else empty, locations=[(n, None) for n in names], user_comments=comments)
    with path.open("wb") as file:
        write_po(file, new, width=120, include_lineno=False)


if __name__ == "__main__":
    for catalogue in sorted(ROOM.glob("locale/*/LC_MESSAGES/messages.po")):
        update(catalogue)
        sys.stdout.write(f"{catalogue}\n")
