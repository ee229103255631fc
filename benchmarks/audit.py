"""What the package is built on: licences of all pinned packages, and known faults in them: python benchmarks/audit.py.

Prints a line a package, names licences to look at, and exits 1 where pip-audit knows of a fault in one of them. Where pip-audit is not
installed, or its database cannot be reached, this is said loudly, and the licences are listed all the same.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

PINNED = Path(__file__).parents[1] / "constraints.txt"
PLAIN = re.compile(r"MIT|BSD|Apache|PSF|Python Software|MPL|Mozilla|ISC|Zlib|HPND|Unlicense|CC0|0BSD|LGPL|Boost", re.IGNORECASE)
"""Licences that let others use, change and pass on: whatever else is used is named apart."""


def pinned() -> dict[str, str]:
    """Give the pinned version of each package."""
    lines = [line.split(";")[0].strip() for line in PINNED.read_text(encoding="utf-8").splitlines()]
    return dict(line.split("==") for line in lines if "==" in line)


def licence(name: str) -> str | None:
    """Give the licence that an installed package states; None where it is not installed, "" where it states none."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    classed = [c.split(" :: ")[-1] for c in about.get_all("Classifier") or [] if c.startswith("License ::") and c.count("::") > 1]
    stated = (about.get("License-Expression") or "; ".join(classed) or about.get("License") or "").strip()
    return stated.splitlines()[0][:80] if stated else ""


def known_faults() -> dict[str, list[str]] | None:
    """Give the faults that pip-audit knows of, by package; None where it cannot be asked."""
    words = [sys.executable, "-m", "pip_audit", "-r", str(PINNED), "--no-deps", "--disable-pip", "--progress-spinner", "off", "-f", "json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if not done.stdout.strip().startswith("{"):
        print(f"NOT AUDITED: {(done.stderr.strip().splitlines() or ['pip-audit says nothing'])[-1]}")
        return None
    looked = json.loads(done.stdout)["dependencies"]
    skipped = [one for one in looked if "skip_reason" in one]
    if len(skipped) == len(looked):
        print(
            f"NOT AUDITED: the database of faults cannot be reached ({skipped[0]['skip_reason'] if skipped else 'nothing was looked at'})"
        )
        return None
    if skipped:
        print(f"NOT AUDITED, {len(skipped)} of {len(looked)}: {', '.join(one['name'] for one in skipped)}")
    return {one["name"]: [v["id"] for v in one["vulns"]] for one in looked if one.get("vulns")}


def main() -> int:
    """List the licences, then the faults."""
    found = {name: licence(name) for name in sorted(pinned())}
    for name, version in sorted(pinned().items()):
        print(f"{name:32} {version:16} {'(not installed here)' if found[name] is None else found[name] or 'NOT STATED'}")
    apart = [name for name, told in found.items() if told is not None and not PLAIN.search(told)]
    print(f"{len(found)} packages; licences to look at: {', '.join(apart) or 'none'}")
    faults = known_faults()
    for name, ids in (faults or {}).items():
        print(f"FAULT {name} {pinned()[name]}: {', '.join(ids)}")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
