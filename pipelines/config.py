"""The only file that knows YAML: from a config file to one frozen `RunConfig` made of each room's own settings.

In: a path, or `example:NAME` for a config that travels with the package, and `key=value` words that change it. Out: RunConfig. Refuses
unknown and doubled keys (with the nearest name), aliases, files over 1 MB, and values out of bounds: all faults of a file at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from demand.budget import BudgetSpec, UnitCost
from demand.data.extracts import DriversSpec, PeopleSpec, PlacesSpec
from demand.data.read import HistorySpec
from demand.disclosure import DisclosureSpec
from demand.errors import Fault, SettingsError, did_you_mean
from demand.forecast import ForecastSpec
from demand.hierarchy import HierarchySpec
from demand.report import ReportSpec
from demand.scenario import Scenario
from demand.segments.find import SegmentSpec
from demand.spec import Spec, Where

__all__ = ["ComputeSpec", "DataSpec", "ExampleSpec", "RunConfig", "TrackingSpec", "example_configs", "load_config", "schema"]

MOST_BYTES = 1_000_000


class ExampleSpec(Spec):
    """The example council that travels with the package."""

    name: Literal["council"] = "council"
    """Which example: there is one, a fictional Welsh council."""
    service: Literal["homelessness", "children", "adult_care"] = "homelessness"
    """Which of its services."""
    size: Literal["tiny", "standard", "large"] | int = "standard"
    """How big: a word, or a number of people."""
    seed: int = 2026
    """Another seed is another council."""


class DataSpec(Spec):
    """Where the data comes from: the example council, or your own extracts."""

    example: ExampleSpec | None = None
    """The example council instead of files."""
    history: HistorySpec | None = None
    """Counts by series and period."""
    hierarchy: HierarchySpec = "auto"
    """Which series add up to what."""
    people: PeopleSpec | None = None
    """Episodes of people, to be segmented and counted."""
    places: PlacesSpec | None = None
    """One row an area, to be segmented."""
    drivers: DriversSpec | None = None
    """What may move demand: rents, unemployment, population."""

    @model_validator(mode="after")
    def _something(self) -> DataSpec:
        given = [n for n in ("history", "people", "places") if getattr(self, n) is not None]
        if self.example is None and not given:
            raise ValueError("no data is named. Give 'history', 'people', 'places' or 'example'.")
        if self.example is not None and (given or self.drivers is not None):
            raise ValueError("'example' stands in place of files. Take it out, or take out the others.")
        return self


class TrackingSpec(Spec):
    """Where runs are recorded."""

    uri: str = "auto"
    """An MLflow address; auto = MLFLOW_TRACKING_URI if set, else a local SQLite file; none = not recorded."""


class ComputeSpec(Spec):
    """Which computers do the work; the numbers do not depend on it."""

    dask: str = ""
    """The address of a Dask scheduler, such as tcp://10.0.0.1:8786: its workers, which must have this package, replay and fit. Data travels
    to them, counts only: never people."""


class RunConfig(Spec):
    """Everything that one run is told."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    """A short name for files and folders: letters, digits, - and _."""
    title: str = ""
    """What people read at the top of the report; the name where it is empty."""
    seed: int = Field(default=1, ge=0)
    """The same seed, data and settings give the same results to the last digit."""
    as_of: date | None = None
    """Nothing later is used; default: the end of the data."""
    data: DataSpec
    """Where the data comes from."""
    segments: SegmentSpec | None = None
    """How service users are grouped."""
    forecast: ForecastSpec | None = None
    """How demand is forecast."""
    scenarios: dict[str, Scenario] = Field(default_factory=dict)
    """What if: by name."""
    costs: list[UnitCost] = Field(default_factory=list)
    """What one person, household, night or week costs."""
    budget: BudgetSpec | None = None
    """The money that is set aside, by line and financial year."""
    report: ReportSpec = ReportSpec()
    """Who reads it, in which languages."""
    disclosure: DisclosureSpec = DisclosureSpec()
    """What may leave the building."""
    compute: ComputeSpec = ComputeSpec()
    """Which computers do the work."""
    tracking: TrackingSpec = TrackingSpec()
    """Where runs are recorded."""

    @model_validator(mode="before")
    @classmethod
    def _names(cls, data: Any) -> Any:
        scenarios = data.get("scenarios") if isinstance(data, dict) else None
        if isinstance(scenarios, dict):
            named = {k: {"name": k, **v} if isinstance(v, dict) else v for k, v in scenarios.items()}
            return {**data, "scenarios": named}
        return data

    @model_validator(mode="after")
    def _consistent(self) -> RunConfig:
        if self.scenarios and self.forecast is None:
            raise ValueError("there are scenarios but no 'forecast' for them to change. Add a 'forecast' section.")
        if "baseline" in self.scenarios:
            raise ValueError("a scenario may not be called 'baseline': that is the forecast itself. Rename it.")
        if self.budget is not None and self.budget.lines and not self.costs:
            raise ValueError("there is a 'budget' but no 'costs' to hold against it. Add the 'costs' section.")
        return self

    @property
    def heading(self) -> str:
        """The title, or the name where there is none."""
        return self.title or self.name

    def selectors(self) -> Iterator[tuple[str, Where]]:
        """Give every place where the config says which series it means."""
        for name, scenario in self.scenarios.items():
            for k, change in enumerate(scenario.changes):
                yield f"scenarios > {name} > changes[{k}].where", change.where
        for k, cost in enumerate(self.costs):
            yield f"costs[{k}].where", cost.where
        for k, line in enumerate(self.budget.lines if self.budget else ()):
            yield f"budget > lines[{k}].where", line.where
        for k, event in enumerate(self.forecast.events if self.forecast else ()):
            yield f"forecast > events[{k}].where", event.where


def example_configs() -> dict[str, Path]:
    """Give the configs that travel with the package, by name."""
    travelling, beside = Path(__file__).parent / "configs", Path(__file__).parents[1] / "configs"
    folder = travelling if travelling.is_dir() else beside
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load_config(source: str | Path, *, changes: Sequence[str] = ()) -> tuple[RunConfig, Path]:
    """Read a config.

    Parameters
    ----------
    source : str or Path
        A YAML file, or `example:NAME`.
    changes : sequence of str
        Words such as `forecast.horizon=24`, applied before the config is checked.

    Returns
    -------
    config : RunConfig
    folder : Path
        Where its relative paths are looked up, unless another folder is given.

    Raises
    ------
    SettingsError
        With every fault of the file.

    Examples
    --------
    >>> load_config("example:homelessness", changes=["forecast.horizon=24"])[0].forecast.horizon
    24
    """
    path = _find(str(source))
    content = _parse(path)
    for change in changes:
        _set(content, change)
    try:
        return RunConfig.model_validate(content), path.parent
    except ValidationError as error:
        faults = [_fault(path.name, dict(e)) for e in error.errors(include_url=False)]
        raise SettingsError(sorted(set(faults), key=str), during=f"reading {path.name}") from error


def schema() -> dict[str, Any]:
    """Give the JSON schema of a config, made from the rooms' own settings."""
    made = RunConfig.model_json_schema()
    scenario = made["$defs"]["Scenario"]
    scenario["required"] = [k for k in scenario.get("required", []) if k != "name"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A config of demand",
        **{k: v for k, v in made.items() if k != "title"},
    }


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
        fault = Fault(
            f"this cannot be read: {error.problem}", where=f"{name} > line {line}", do_next="Look at the indentation and at ':' in texts"
        )
        raise SettingsError(fault) from error
    except YAMLError as error:
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


def _fault(file: str, error: dict[str, Any]) -> Fault:
    place, keys = [file], [k for k in error["loc"] if not _is_type_name(k)]
    for key in keys:
        if isinstance(key, int):
            place[-1] += f"[{key}]"
        else:
            place.append(str(key))
    where = " > ".join(place)
    if error["type"] == "extra_forbidden":
        known = sorted(_known_keys(RunConfig, keys[:-1]))
        return Fault("this key is not known", where=where, allowed=did_you_mean(str(keys[-1]), known))
    if error["type"] == "missing":
        return Fault("this key is missing", where=where, do_next="Add it")
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    value = error.get("input")
    shown = f" (found: {value!r})" if isinstance(value, str | int | float | bool | date) else ""
    return Fault(f"{message}{shown}", where=where)


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
