"""The output folder: every stage's files whole or not at all, each with its hash, and what can be reused.

In: tables, text and bytes from the verbs. Out: files, and manifest.json, which is written last and is the truth. Refuses to hand out a file
whose bytes are not the ones that were written.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demand.errors import Fault, StoreError
from demand.spec import fingerprint
from pipelines.cells import as_given, neutral
from pipelines.replacing import HALF, alone, swap, sync_folder, write_synced

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["MEMBERS_BEFORE", "Store", "Writer", "as_written", "file_class", "source_hash", "versions"]

MEMBERS_BEFORE = "segments_before.parquet"
"""Who was in which segment in the run before."""
PERSON_LEVEL = frozenset({"segments.parquet", MEMBERS_BEFORE, "links.parquet"})
IMPORTS = re.compile(
    r"^[ \t]*(?:import[ \t]+((?:demand|pipelines)[\w.]*)|from[ \t]+((?:demand|pipelines)[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*))",
    re.MULTILINE,
)
"""How a module of ours names another."""
SHARE = "share/"
"""The part of the output folder that holds only what was cleared to leave."""
ENGINES = (
    *("demand", "numpy", "pandas", "scipy", "xarray", "pyarrow", "statsforecast", "mlforecast", "lightgbm", "prophet"),
    *("scikit-learn", "stepmix", "mlflow"),
)


def file_class(name: str) -> str:
    """Say who may have a file: person-level, internal, or cleared (what passed disclosure control into share/)."""
    return "person-level" if name in PERSON_LEVEL else "cleared" if name.startswith(SHARE) else "internal"


class Writer:
    """Where a stage puts its files; they are seen by others only when the stage has ended well.

    Parameters
    ----------
    folder : Path
        A hidden folder inside the output folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def table(self, name: str, table: pd.DataFrame | pa.Table) -> None:
        """Write a table, as Parquet with page checksums or as CSV by the ending of its name.

        Parameters
        ----------
        name : str
            The file's name: forecast.parquet, budget.csv.
        table : pandas.DataFrame or pyarrow.Table
        """
        import pandas as pd

        if name.endswith(".csv"):
            frame = neutral(table if isinstance(table, pd.DataFrame) else table.to_pandas())
            frame.to_csv(self._place(name), index=False, lineterminator="\n", date_format="%Y-%m-%d")
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrow = table if isinstance(table, pa.Table) else pa.Table.from_pandas(table, preserve_index=False)
        pq.write_table(arrow, self._place(name), compression="zstd", write_page_checksum=True)

    def json(self, name: str, content: Any) -> None:
        """Write plain data as JSON."""
        self.text(name, json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True, default=str) + "\n")

    def text(self, name: str, content: str) -> None:
        """Write text as UTF-8."""
        self._place(name).write_text(content, encoding="utf-8", newline="\n")

    def bytes(self, name: str, content: bytes) -> None:
        """Write bytes."""
        self._place(name).write_bytes(content)

    def _place(self, name: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class Store:
    """One output folder and its manifest.

    Parameters
    ----------
    folder : Path
        Made with the first stage that ends well.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: dict[str, Any] = self._read_manifest()

    def fresh(self, stage: str, key: str) -> bool:
        """Say whether a stage's earlier results can stand: the same key, and every file as it was written."""
        before = self.manifest.get("stages", {}).get(stage)
        return bool(before) and before["key"] == key and all(self._intact(name) for name in before["files"])

    @contextmanager
    def writing(self, stage: str, key: str) -> Iterator[Writer]:
        """Give a Writer; when the block ends well its files replace the earlier ones, and the manifest follows.

        Parameters
        ----------
        stage : str
        key : str
            What the results depend on, as a hash.

        Yields
        ------
        Writer

        Raises
        ------
        StoreError
            Where the folder cannot be written to; earlier results stay as they were.
        """
        made = not self.folder.exists()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with alone(self.folder), tempfile.TemporaryDirectory(dir=self.folder, prefix=HALF) as place:
                yield Writer(Path(place))
                self._publish(stage, key, Path(place))
        except OSError as error:
            raise StoreError(_cannot_write(error, self.folder)) from error
        finally:
            if made and self.folder.exists() and not any(self.folder.iterdir()):
                self.folder.rmdir()

    def forget(self, stages: Iterable[str]) -> None:
        """Stop vouching for the results of stages that rest on something that has changed; their files stay until the stage writes anew."""
        known, stages = self.manifest.get("stages", {}), set(stages)
        left = {stage: about["files"] for stage, about in known.items() if stage in stages}
        gone = {n for names in left.values() for n in names}
        kept = {k: v for k, v in known.items() if k not in stages}
        files = {n: about for n, about in self.manifest.get("files", {}).items() if n not in gone}
        self.manifest = {**self.manifest, "stages": kept, "files": files, "left": {**self.manifest.get("left", {}), **left}}

    def update(self, about: Mapping[str, Any]) -> None:
        """Add facts to the manifest and write it.

        Raises
        ------
        StoreError
            Where it cannot be written.
        """
        self.manifest = {**self.manifest, **about}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_synced(self._beside, self._text())
            self._beside.replace(self.folder / "manifest.json")
        except OSError as error:
            self._beside.unlink(missing_ok=True)
            raise StoreError(_cannot_write(error, self.folder)) from error

    def erase(self, tables: Mapping[str, pd.DataFrame], *, drop: Iterable[str], forget: Iterable[str]) -> None:
        """Put tables in the place of stored ones, drop files, and stop vouching for the results of stages.

        Parameters
        ----------
        tables : mapping
            Name of a file -> its new content.
        drop : iterable of str
            Names of files that go.
        forget : iterable of str
            Stages that are to be done again.

        Raises
        ------
        StoreError
            Where a file cannot be written; all are then as they were.
        """
        gone, files = set(drop), dict(self.manifest.get("files", {}))
        try:
            with alone(self.folder), tempfile.TemporaryDirectory(dir=self.folder, prefix=HALF) as place:
                writer = Writer(Path(place))
                for name, table in tables.items():
                    writer.table(name, table)
                    files[name] = {"sha256": _sha256(writer.folder / name), "class": file_class(name)}
                swap(Path(place), self.folder, list(tables), gone=sorted(gone))
        except OSError as error:
            raise StoreError(_cannot_write(error, self.folder)) from error
        stages = {k: v for k, v in self.manifest.get("stages", {}).items() if k not in set(forget)}
        self.update({"files": {n: about for n, about in files.items() if n not in gone}, "stages": stages})

    def has(self, name: str) -> bool:
        """Say whether a file is there as it was written."""
        return name in self.manifest.get("files", {}) and self._intact(name)

    def path(self, name: str) -> Path:
        """Give the path of a file whose bytes are the ones that were written.

        Raises
        ------
        StoreError
            Where the file is missing or has been changed.
        """
        if not self.has(name):
            what = "has been changed since it was written" if (self.folder / name).exists() else "is not there"
            raise StoreError(Fault(f"{name} {what}", where=str(self.folder), do_next="Run the stage that writes it again"))
        return self.folder / name

    def table(self, name: str) -> pd.DataFrame:
        """Read a table back.

        Raises
        ------
        StoreError
            Where the file is missing or has been changed.
        """
        import pandas as pd

        path = self.path(name)
        if not name.endswith(".csv"):
            return pd.read_parquet(path, page_checksum_verification=True)
        return as_given(pd.read_csv(path, keep_default_na=True, float_precision="round_trip"))

    def arrow(self, name: str) -> pa.Table:
        """Read a Parquet file back as an Arrow table.

        Raises
        ------
        StoreError
            Where the file is missing or has been changed.
        """
        import pyarrow.parquet as pq

        return pq.read_table(self.path(name), page_checksum_verification=True)

    def json(self, name: str) -> Any:
        """Read JSON back.

        Raises
        ------
        StoreError
            Where the file is missing or has been changed.
        """
        return json.loads(self.path(name).read_text(encoding="utf-8"))

    def _publish(self, stage: str, key: str, place: Path) -> None:
        names = sorted(p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file())
        for name in names:
            _sync(place / name)
        hashes = {name: {"sha256": _sha256(place / name), "class": file_class(name)} for name in names}
        before = self.manifest.get("stages", {}).get(stage, {"files": []})
        files = {n: about for n, about in self.manifest.get("files", {}).items() if n not in before["files"]}
        stages = {**self.manifest.get("stages", {}), stage: {"key": key, "files": names}}
        earlier, left = self.manifest, dict(self.manifest.get("left", {}))
        gone = {*before["files"], *left.pop(stage, ())} - {*names, *files}
        self.manifest = {**earlier, "stages": stages, "files": {**files, **hashes}, "left": left}
        try:
            write_synced(self._beside, self._text())  # while nothing has been replaced yet: the disk may be full
            swap(place, self.folder, names, gone=sorted(gone))
            self._beside.replace(self.folder / "manifest.json")
            sync_folder(self.folder)
        except OSError:
            self.manifest = earlier
            self._beside.unlink(missing_ok=True)
            raise

    @property
    def _beside(self) -> Path:
        return self.folder / ".manifest.json.new"

    def _text(self) -> str:
        return json.dumps(self.manifest, indent=2, ensure_ascii=False, sort_keys=True, default=str) + "\n"

    def _intact(self, name: str) -> bool:
        about, path = self.manifest.get("files", {}).get(name), self.folder / name
        return about is not None and path.is_file() and _sha256(path) == about["sha256"]

    def _read_manifest(self) -> dict[str, Any]:
        path = self.folder / "manifest.json"
        if not path.is_file():
            return {}
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError):
            return {}
        return content if isinstance(content, dict) else {}


def as_written(file: Path) -> Path:
    """Give a file of some run's folder, once its bytes are found to be those that the run wrote; a file of no run as it is.

    Raises
    ------
    StoreError
        Where the file is missing or has been changed.
    """
    store = Store(file.parent)
    return store.path(file.name) if file.name in store.manifest.get("files", {}) else file


@cache
def versions() -> dict[str, str]:
    """Give the installed versions of the package and its engines."""
    found = {}
    for name in ENGINES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


@cache
def source_hash(module: str) -> str:
    """Give a hash of the source of a module and of all modules of ours that it imports, directly or not, and of their templates.

    Parameters
    ----------
    module : str
        For example "pipelines.forecast".

    Returns
    -------
    str
    """
    texts, todo = {}, [module]
    while todo:
        name = todo.pop()
        path = _origin(name) if name not in texts else None
        if path is None:
            continue
        texts[name] = path.read_text(encoding="utf-8")
        todo += _imported(texts[name])
        texts |= {str(t.name): t.read_text(encoding="utf-8") for t in sorted(path.parent.glob("templates/*")) if t.is_file()}
    return fingerprint(texts)


@cache
def _imported(text: str) -> frozenset[str]:
    """Give the modules of ours that a module's text names in its imports; a word too many, from a docstring, only means one file more."""
    names: set[str] = set()
    for one, whole, parts in IMPORTS.findall(text):
        names |= {one} if one else {whole, *(f"{whole}.{part}" for part in re.findall(r"\w+", parts))}
    return frozenset(n for n in names if _origin(n) is not None)


@cache
def _origin(name: str) -> Path | None:
    """Say where a module of ours lies, without importing the package that it is in."""
    package, *below = name.split(".")
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    place = Path(spec.origin).parent.joinpath(*below)
    return next((path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()), None)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    with path.open("r+b") as file:  # Windows flushes no file that is open for reading only
        os.fsync(file.fileno())


def _cannot_write(error: OSError, folder: Path) -> Fault:
    free = shutil.disk_usage(folder).free // 2**20 if folder.exists() else 0
    if isinstance(error, FileExistsError | NotADirectoryError):
        return Fault("the output folder is a file, or lies below one", where=str(folder), do_next="Give another folder with --output")
    what = error.strerror or str(error)
    name = Path(error.filename).name if isinstance(error.filename, str) else folder.name
    hint = "Close the file if it is open in another program, or" if isinstance(error, PermissionError) else f"{free} MB are free there;"
    return Fault(
        f"'{name}' cannot be written: {what}",
        where=str(folder),
        do_next=f"{hint} give another folder with --output. Earlier results are as they were",
    )
