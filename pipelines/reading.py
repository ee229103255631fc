"""The only file that knows YAML: what was written in a config, its ledger and the scenarios that it takes from the library.

In: a path, or `example:NAME` for a config that travels with the package, and `key=value` words that change it. Out: `Written`: plain data,
not yet checked against any settings. Refuses doubled keys, aliases, files over 1 MB, and names of what does not travel with the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from demand.errors import Fault, SettingsError, did_you_mean, raise_all

__all__ = ["LIBRARY", "Written", "example_configs", "library", "read_config", "read_scenario"]

MOST_BYTES = 1_000_000
LEDGER_FILE = "assumptions.yaml"
LIBRARY = "library:"
"""What the name of a scenario of the library begins with."""


@dataclass(frozen=True)
class Written:
    """What was written, as plain data.

    Parameters
    ----------
    content : dict
        The config, with its ledger and the scenarios of the library in their places.
    path : Path
        The config's file.
    shipped : dict
        The ledger that travels with the package.
    files : dict
        Which other files parts of the content come from: ("assumptions",) or ("scenarios", name) -> the file's name.
    """

    content: dict[str, Any]
    path: Path
    shipped: dict[str, Any]
    files: dict[tuple[object, ...], str]

    @property
    def ledger(self) -> dict[str, Any]:
        """The config's own ledger."""
        own = self.content.get("assumptions")
        return own if isinstance(own, dict) else {}

    def file_of(self, keys: Sequence[object]) -> str:
        """Give the name of the file in which a key is written."""
        return next((name for place, name in self.files.items() if tuple(keys[: len(place)]) == place), self.path.name)


def example_configs() -> dict[str, Path]:
    """Give the configs that travel with the package, by name."""
    return {path.stem: path for path in sorted(_shipped().glob("*.yaml")) if path.name != LEDGER_FILE}


def library() -> dict[str, Path]:
    """Give the scenarios that travel with the package, by name."""
    return {path.stem: path for path in sorted((_shipped() / "scenarios").glob("*.yaml"))}


def read_scenario(name: str) -> dict[str, Any]:
    """Read one scenario of the library.

    Raises
    ------
    SettingsError
        Where there is none of this name.
    """
    known = library()
    if name not in known:
        raise SettingsError(Fault(f"the library has no scenario '{name}'", allowed=did_you_mean(name, known)))
    return _parse(known[name])


def read_config(source: str, *, changes: Sequence[str] = ()) -> Written:
    """Read a config, the ledger that it names and the scenarios that it takes from the library.

    Parameters
    ----------
    source : str
        A YAML file, or `example:NAME`.
    changes : sequence of str
        Words such as `forecast.horizon=24`.

    Returns
    -------
    Written

    Raises
    ------
    SettingsError
        Where a file cannot be read, or a name stands for nothing.
    """
    path = _find(source)
    content = _parse(path)
    for change in changes:
        _set(content, change)
    files: dict[tuple[object, ...], str] = {}
    if isinstance(content.get("assumptions"), str):
        ledger = path.parent / content["assumptions"]
        if not ledger.is_file():
            raise SettingsError(Fault(f"there is no file '{ledger.name}'", f"{path.name} > assumptions", "A YAML file beside the config"))
        content["assumptions"], files["assumptions",] = _parse(ledger), ledger.name
    _take_in(content, path.name, files)
    _map(content, path)
    return Written(content, path, _parse(_shipped() / LEDGER_FILE), files)


def _take_in(content: dict[str, Any], name: str, files: dict[tuple[object, ...], str]) -> None:
    """Put scenarios of the library where the config names them."""
    scenarios, faults = content.get("scenarios"), []
    if not isinstance(scenarios, dict):
        return
    for key, written in scenarios.items():
        if isinstance(written, str):
            wanted, known = written.removeprefix(LIBRARY), library()
            if written.startswith(LIBRARY) and wanted in known:
                scenarios[key], files["scenarios", key] = _parse(known[wanted]), known[wanted].name
            else:
                found = f"'{written}' is not a scenario of the library"
                allowed = f"Write {LIBRARY}NAME. {did_you_mean(wanted, known)}"
                faults.append(Fault(found, where=f"{name} > scenarios > {key}", allowed=allowed))
    raise_all(faults, SettingsError, during=f"reading {name}")


def _map(content: dict[str, Any], path: Path) -> None:
    """Give the tables of the data the codes and columns of the mapping that the config names; what the config itself says goes before."""
    data = content.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("mapping"), str):
        return
    file = path.parent / data["mapping"]
    if not file.is_file():
        raise SettingsError(Fault(f"there is no file '{file.name}'", f"{path.name} > data > mapping", "A mapping.yaml beside the config"))
    for table, about in _parse(file).items():
        if isinstance(about, dict) and isinstance(data.get(table), dict):
            known = {key: about[key] for key in ("columns", "codes", "seen") if about.get(key)}
            data[table] = {**known, **data[table]}


def _shipped() -> Path:
    travelling, beside = Path(__file__).parent / "configs", Path(__file__).parents[1] / "configs"
    return travelling if travelling.is_dir() else beside


def _find(source: str) -> Path:
    if source.startswith("example:"):
        known, name = example_configs(), source.removeprefix("example:")
        if name not in known:
            raise SettingsError(Fault(f"no config '{name}' travels with the package", allowed=did_you_mean(name, known)))
        return known[name]
    path = Path(source)
    if not path.is_file():
        near = did_you_mean(path.name, [p.name for p in sorted(path.parent.glob("*.y*ml"))]) if path.parent.is_dir() else ""
        fault = Fault(
            "there is no such config", where=str(path), allowed=near, do_next="To try the package out: demand run example:homelessness"
        )
        raise SettingsError(fault)
    return path.resolve()


def _parse(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MOST_BYTES:
        raise SettingsError(Fault("a config of more than 1 MB", where=path.name, do_next="Name the data in the config; do not put it in"))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(Fault("the config is not UTF-8 text", where=path.name, do_next="Save it again as UTF-8")) from error
    content = _yaml(text, path.name)
    if not isinstance(content, dict):
        raise SettingsError(
            Fault("a config is made of keys and values", where=path.name, allowed="It begins for example with 'name: homelessness'")
        )
    return content


def _yaml(text: str, name: str) -> Any:
    loader = YAML(typ="safe", pure=True)
    loader.version = (1, 2)
    try:
        if any(type(event).__name__ == "AliasEvent" for event in YAML(typ="safe", pure=True).parse(text)):
            raise SettingsError(Fault("aliases (*name) are not read", where=name, do_next="Write the part out where it is used"))
        return loader.load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        key = str(error.problem).split('"')[1] if '"' in str(error.problem) else "a key"
        raise SettingsError(
            Fault(f"the key '{key}' is there twice", where=f"{name} > line {line}", do_next="Keep one of the two")
        ) from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        found, mend = f"this cannot be read: {error.problem}", "Look at the indentation and at ':' in texts"
        if "'\\t'" in str(error.problem):
            found, mend = "there is a tab at the beginning of this line", "Indent with blanks: two for each step"
        raise SettingsError(Fault(found, where=f"{name} > line {line}", do_next=mend)) from error
    except (YAMLError, ValueError, TypeError, OverflowError, RecursionError) as error:  # such as 30 February
        raise SettingsError(Fault(f"this cannot be read: {error}", where=name)) from error


def _set(content: dict[str, Any], change: str) -> None:
    path, equals, value = change.partition("=")
    if not equals or not path:
        raise SettingsError(
            Fault(f"'{change}' changes nothing", where="--set", allowed="Write key=value, for example --set forecast.horizon=24")
        )
    *parents, last = path.strip().split(".")
    here = content
    for name in parents:
        inner = here.setdefault(name, {})
        if not isinstance(inner, dict):
            raise SettingsError(Fault(f"'{name}' in '{path}' holds no keys", where="--set", allowed="Only keys inside keys can be set"))
        here = inner
    here[last] = _yaml(value, f"--set {path}")
