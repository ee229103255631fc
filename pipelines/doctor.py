"""What this computer would stumble over, found before a run does.

In: the folder for results. Out: findings, each with what to do. Refuses nothing; nothing is changed.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Examined", "examine", "on_network", "synced"]

SYNCED = ("onedrive", "dropbox", "google drive", "googledrive", "icloud", "nextcloud", "owncloud", "sharepoint", "box sync")
NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afpfs", "davfs"})
LONGEST = 200
"""Windows refuses paths of more than 260 signs; a run adds about 50."""
LEAST_FREE_MB = 500


@dataclass(frozen=True)
class Examined:
    """One finding.

    Parameters
    ----------
    what, do_next : str
    grave : bool
    """

    what: str
    do_next: str = ""
    grave: bool = True

    @property
    def mark(self) -> str:
        """LOOK where something is in the way, else ok."""
        return "LOOK" if self.grave else "ok"


def examine(folder: Path) -> list[Examined]:
    """Look at the computer.

    Parameters
    ----------
    folder : Path
        Where results are to lie.

    Returns
    -------
    list of Examined
    """
    return [*_python(), *_prophet(), *_folder(folder), *_open_files(folder), *_fonts(), *_tracking(), *_key()]


def _python() -> Iterator[Examined]:
    told = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    fits = sys.version_info >= (3, 11)
    yield Examined(told, "" if fits else "Python 3.11 or later is needed.", not fits)


def _prophet() -> Iterator[Examined]:
    from demand.models.additive import blocked

    why = blocked()
    if why:
        yield Examined(f"Prophet's program cannot be started: {why}.", "Runs leave Prophet out and say so; the other models go on.")
    else:
        yield Examined("Prophet's program starts", grave=False)


def synced(folder: Path) -> bool:
    """Say whether a folder is kept in step with a cloud."""
    parts = [p.lower() for p in folder.resolve().parts]
    roots = [Path(os.environ[n]).resolve() for n in ("OneDrive", "OneDriveCommercial", "OneDriveConsumer") if os.environ.get(n)]
    return any(word in part for part in parts for word in SYNCED) or any(folder.resolve().is_relative_to(root) for root in roots)


def on_network(folder: Path) -> bool:
    """Say whether a folder lies on another computer."""
    place = folder.resolve()
    if str(place).startswith("\\\\"):
        return True
    mounts = Path("/proc/mounts")
    if not mounts.is_file():
        return False
    known = [line.split()[1:3] for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    under = [(where, kind) for where, kind in known if place.is_relative_to(where.replace("\\040", " "))]
    return bool(under) and max(under, key=lambda found: len(found[0]))[1] in NETWORK


def _folder(folder: Path) -> Iterator[Examined]:
    there = next(p for p in (folder.resolve(), *folder.resolve().parents) if p.exists())
    if synced(folder):
        yield Examined(f"{folder} is kept in step with a cloud: people's data would be copied there, and files locked meanwhile.",
                       "Give a folder of this computer with --output.")  # fmt: skip
    if on_network(folder):
        yield Examined(
            f"{folder} lies on another computer: slower, and files may be locked.", "Give a folder of this computer with --output."
        )
    if len(str(folder.resolve())) > LONGEST:
        yield Examined(
            f"The path of the output folder has {len(str(folder.resolve()))} signs.", "Windows refuses long paths: take a shorter one."
        )
    if not os.access(there, os.W_OK):
        yield Examined(f"{there} cannot be written to.", "Give another folder with --output.")
    free = shutil.disk_usage(there).free // 2**20
    yield Examined(
        f"{free:,} MB are free in {there}", "A run of a council needs about 500 MB." if free < LEAST_FREE_MB else "", free < LEAST_FREE_MB
    )


def _open_files(folder: Path) -> Iterator[Examined]:
    """Office programs leave a file beside the one that they hold open; Windows itself refuses to open it for writing."""
    for path in sorted(folder.rglob("*.xlsx")) if folder.is_dir() else ():
        held = [p for p in (path.with_name(f"~${path.name}"), path.with_name(f".~lock.{path.name}#")) if p.exists()]
        try:
            with path.open("r+b"):
                locked = bool(held)
        except PermissionError:
            locked = True
        if locked:
            yield Examined(f"{path} is open in another program.", "Close it before the next run, which could not replace it.")


def _fonts() -> Iterator[Examined]:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        font = Path(str(distribution("matplotlib").locate_file("matplotlib/mpl-data/fonts/ttf/DejaVuSans.ttf")))
    except PackageNotFoundError:
        font = Path("DejaVuSans.ttf")
    if font.is_file():
        yield Examined("The font of the pictures is there", grave=False)
    else:
        yield Examined("The font of the pictures (DejaVu Sans) is missing: letters such as ŵ may be boxes.", "Install matplotlib again.")


def _tracking() -> Iterator[Examined]:
    address = os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"
    if address.startswith("sqlite:///"):
        place = Path(address.removeprefix("sqlite:///")).resolve().parent
        if on_network(place) or synced(place):
            yield Examined(f"MLflow's database would lie in {place}, on a network or synced folder: SQLite loses data there.",
                           "Set MLFLOW_TRACKING_URI to a folder of this computer, or tracking.uri to none.")  # fmt: skip
        else:
            yield Examined("MLflow's database lies on this computer", grave=False)
    elif not address.startswith("https://"):
        yield Examined("MLflow's server is not reached by https: what is sent can be read on the way.", "Ask for an address with https.")


def _key() -> Iterator[Examined]:
    named = os.environ.get("DEMAND_KEY_FILE")
    if named and not Path(named).exists():
        there = next(p for p in Path(named).absolute().parents if p.exists())
        shut = not os.access(there, os.W_OK)
        told = (
            "Give a folder that can be written to."
            if shut
            else "Put the earlier key there first, where there is one: pseudonyms then match."
        )
        yield Examined("DEMAND_KEY_FILE names no file yet: the first run of people makes a key there", told, shut)
    elif named and os.name == "posix" and Path(named).stat().st_mode & 0o077:
        yield Examined("The key for pseudonyms can be read by others.", f"chmod 600 {named}")
