"""From a config file to one frozen `RunConfig` made of each room's own settings.

In: what `read_config` reads. Out: RunConfig, in which every name of the ledger has become the number that it stands for. Refuses unknown
keys and names (with the nearest one) and values out of bounds: all faults of a file at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, field_validator, model_validator

from demand.assumptions import numbers_in
from demand.budget import BudgetSpec, FixedCost, Grant, IncomeRule, Item, Saving, StartPrices, StepCost, UnitCost
from demand.budget.allocation import AllocationSpec
from demand.caseload.model import CaseloadSpec
from demand.data.areas import ComparatorsSpec
from demand.data.drivers import DriversSpec
from demand.data.extracts import PeopleSpec, PlacesSpec
from demand.data.identities import LinkageSpec
from demand.data.ledger import ActualsSpec
from demand.data.outturns import OutturnSpec
from demand.data.policies import QualitySpec
from demand.data.read import HistorySpec
from demand.disclosure import DisclosureSpec
from demand.disclosure.open_data import PublishSpec
from demand.errors import SettingsError, did_you_mean
from demand.forecast import ForecastSpec
from demand.hierarchy import HierarchySpec
from demand.report import ReportSpec
from demand.report.governance import GovernanceSpec
from demand.scenario import Scenario, Sweep
from demand.segments.find import SegmentSpec
from demand.spec import LEDGER, Assumption, Spec, Where
from pipelines.reading import example_configs, read_config
from pipelines.wrong_settings import told

__all__ = ["RESERVED", "ComputeSpec", "DataSpec", "ExampleSpec", "RunConfig", "TrackingSpec", "example_configs", "load_config"]

RISING = ("costs", "income", "fixed_costs", "step_costs")
"""The sections in which an uplift may be the name of a path."""


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
    snapshots: str | list[str] | None = None
    """Earlier extracts of the same table: a folder, or files, with the day on which each was made in its name. From them it is seen how
    much of the last months is recorded late, and these months are counted as they will be."""
    places: PlacesSpec | None = None
    """One row an area, to be segmented."""
    drivers: DriversSpec | None = None
    """What may move demand: rents, unemployment, population."""
    outturn: OutturnSpec | None = None
    """The ledger of years that are over: what was counted is held against it."""
    actuals: ActualsSpec | None = None
    """The ledger in the year: budgets, what has been spent to the end of a finance period, and what is committed, by line."""
    mapping: str | None = None
    """A mapping.yaml that `demand check` wrote and somebody looked through: its codes and other names of columns are used, and columns that
    have changed since are named."""
    comparators: ComparatorsSpec | None = None
    """A table of other areas, to see ours beside."""
    quality: QualitySpec = QualitySpec()
    """What is done about what the checks find."""

    @model_validator(mode="after")
    def _something(self) -> DataSpec:
        given = [n for n in ("history", "people", "places") if getattr(self, n) is not None]
        if self.example is None and not given:
            raise ValueError("no data is named. Give 'history', 'people', 'places' or 'example'.")
        if self.snapshots is not None and (self.people is None or self.people.opened is None):
            raise ValueError("'snapshots' are earlier extracts of 'people' with 'opened', and there are none. Add them, or take it out.")
        if self.example is not None and (given or self.drivers is not None):
            raise ValueError("'example' stands in place of files. Take it out, or take out the others.")
        return self


class TrackingSpec(Spec):
    """Where runs are recorded."""

    uri: str = "auto"
    """An MLflow address; auto = MLFLOW_TRACKING_URI if set, else a local SQLite file; none = not recorded."""
    patience_seconds: int = Field(default=300, ge=1)
    """How long recording may take. Results are complete before it begins; a run that was not recorded in time is recorded by the next."""


class ComputeSpec(Spec):
    """Which computers do the work; the numbers do not depend on it."""

    dask: str = ""
    """The address of a Dask scheduler, such as tcp://10.0.0.1:8786: its workers, which must have this package, replay and fit. Data travels
    to them, counts only: never people, so that it does not go together with a `caseload`, which learns from every single placement."""


RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))})
"""No file or folder can be called so on Windows, on which a config may be opened next."""


class RunConfig(Spec):
    """Everything that one run is told."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    """A short name for files and folders: letters, digits, - and _; none that Windows keeps for itself, such as con or nul."""
    title: str = ""
    """What people read at the top of the report; the name where it is empty."""
    seed: int = Field(default=1, ge=0)
    """The same seed, data and settings give the same results to the last digit."""
    as_of: date | None = None
    """Nothing later is used; default: the end of the data."""
    data: DataSpec
    """Where the data comes from."""
    since: str | None = None
    """A frozen run of this config: what has moved since is told. `demand update` names it."""
    segments: SegmentSpec | None = None
    """How service users are grouped."""
    linkage: LinkageSpec | None = None
    """Which columns tell people apart, for `demand link`: it finds those who stand in the extracts twice."""
    forecast: ForecastSpec | None = None
    """How demand is forecast."""
    caseload: CaseloadSpec | None = None
    """How stocks are worked out from who comes and how long they stay, beside the other models. Left out: they are not; `{}` will do."""
    assumptions: dict[str, Assumption] = Field(default_factory=dict)
    """The ledger: numbers by name, here or in a file. Wherever a number with its source is asked for, its name will do, and wherever it
    stands it is the same number in each possible future. Names that are not here are looked up in the ledger that travels with the package
    (configs/assumptions.yaml)."""
    scenarios: dict[str, Scenario] = Field(default_factory=dict)
    """What if: by name. `library:NAME` takes one of those that travel with the package (configs/scenarios)."""
    sweeps: list[Sweep] = Field(default_factory=list)
    """Scenarios at every combination of one or two of their numbers: a line or a table of what comes of it."""
    costs: list[UnitCost] = Field(default_factory=list)
    """What one person, household, night or week costs."""
    prices: StartPrices | None = None
    """Prices that are taken from the extract, in place of unit costs."""
    uplifts: dict[str, dict[str, Assumption]] = Field(default_factory=dict)
    """Paths that prices may follow, by name: {pay award: {2026-27: ..., 2027-28: ...}}."""
    grants: list[Grant] = Field(default_factory=list)
    """What others pay towards a line, by financial year, and when that ends."""
    income: list[IncomeRule] = Field(default_factory=list)
    """What comes in by rule: housing benefit subsidy, contributions with a cap, shares of cost."""
    fixed_costs: list[FixedCost] = Field(default_factory=list)
    """What is paid however many come: GBP a year."""
    step_costs: list[StepCost] = Field(default_factory=list)
    """What is paid in whole steps: another hostel for every 30 places."""
    savings: list[Saving] = Field(default_factory=list)
    """What is to be saved, and how likely that is."""
    budget: BudgetSpec | None = None
    """The money that is set aside, by line and financial year."""
    allocation: AllocationSpec | None = None
    """How an envelope is shared out among the lines, and what prevention may do."""
    report: ReportSpec = ReportSpec()
    """Who reads it, in which languages."""
    disclosure: DisclosureSpec = DisclosureSpec()
    """What may leave the building."""
    publish: PublishSpec = PublishSpec()
    """What others are told of the figures that leave as open data."""
    governance: GovernanceSpec = GovernanceSpec()
    """What only people know for the records in governance.md."""
    compute: ComputeSpec = ComputeSpec()
    """Which computers do the work."""
    tracking: TrackingSpec = TrackingSpec()
    """Where runs are recorded."""

    @field_validator("name")
    @classmethod
    def _usable(cls, name: str) -> str:
        if name.lower() in RESERVED:
            raise ValueError(f"Windows keeps the name '{name}' for itself. Take another one.")
        return name

    @model_validator(mode="before")
    @classmethod
    def _names(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        scenarios, paths, entries = (data.get(key) for key in ("scenarios", "uplifts", "assumptions"))
        if isinstance(entries, dict):
            data = {**data, "assumptions": {name: _one(str(name), entry) for name, entry in entries.items()}}
        if isinstance(scenarios, dict):
            data = {**data, "scenarios": {k: {"name": k, **v} if isinstance(v, dict) else v for k, v in scenarios.items()}}
        for section in RISING:
            if isinstance(data.get(section), list) and isinstance(paths, dict):
                data = {**data, section: [_on_path(entry, paths) for entry in data[section]]}
        if isinstance(data.get("prices"), dict) and isinstance(paths, dict):
            data = {**data, "prices": _on_path(data["prices"], paths)}
        return data

    @model_validator(mode="after")
    def _consistent(self) -> RunConfig:
        if self.scenarios and self.forecast is None:
            raise ValueError("there are scenarios but no 'forecast' for them to change. Add a 'forecast' section.")
        if self.sweeps and not self.scenarios:
            raise ValueError("there are 'sweeps' but no 'scenarios' to try. Add the 'scenarios' section.")
        if self.compute.dask and self.caseload is not None:
            raise ValueError(
                f"'compute > dask' names the cluster {self.compute.dask} and there is a 'caseload': it learns from single people, who do "
                "not leave this computer. Take out 'compute', and this computer's cores do the work, or take out 'caseload'."
            )
        if "baseline" in self.scenarios:
            raise ValueError("a scenario may not be called 'baseline': that is the forecast itself. Rename it.")
        if self.budget is not None and self.budget.lines and not (self.costs or self.prices):
            raise ValueError("there is a 'budget' but no 'costs' to hold against it. Add the 'costs' section.")
        lines = [line.name for line in self.budget.lines] if self.budget else []
        if self.data.actuals is not None and not lines:
            raise ValueError("there is a ledger ('data > actuals') and no line of a 'budget' for it. Add the 'budget' section.")
        for item in self.items:
            if lines and item.line not in lines:
                known = did_you_mean(item.line, lines)
                raise ValueError(f"'{item.name}' is of the line '{item.line}', which the budget does not have. {known}")
            lost = [name for name in item.scenarios if name not in ("baseline", *self.scenarios)]
            if lost:
                known = did_you_mean(lost[0], ("baseline", *self.scenarios))
                raise ValueError(f"'{item.name}' counts under the scenario '{lost[0]}', which there is not. {known}")
        asked = self.allocation
        if asked is not None and (unknown := [n for n in asked.lines if n not in lines]):
            known = did_you_mean(unknown[0], lines) if lines else "Add the 'budget' section."
            raise ValueError(f"the allocation speaks of the line '{unknown[0]}', which the budget does not have. {known}")
        if asked is not None and asked.scenario not in ("baseline", *self.scenarios):
            known = did_you_mean(asked.scenario, ("baseline", *self.scenarios))
            raise ValueError(f"the allocation is for the scenario '{asked.scenario}', which there is not. {known}")
        names = Counter(name for parts in self.numbers().values() for part in parts for name, _ in numbers_in(part))
        if twice := [name for name, count in names.items() if count > 1]:
            raise ValueError(
                f"two numbers are called '{twice[0]}', so that no ledger tells them apart. Rename what one of them belongs to."
            )
        return self

    @property
    def items(self) -> list[Item]:
        """What stands beside the series in the budget; what counts under a scenario counts under those that combine it."""
        found: list[Item] = [*self.grants, *self.income, *self.fixed_costs, *self.step_costs, *self.savings]
        return [item.model_copy(update={"scenarios": self._with_combined(item.scenarios)}) if item.scenarios else item for item in found]

    def _with_combined(self, names: list[str]) -> list[str]:
        """Add the scenarios that combine any of some."""
        known, before = dict.fromkeys(names), 0
        while len(known) > before:
            before = len(known)
            known |= dict.fromkeys(name for name, scenario in self.scenarios.items() if set(scenario.combines) & set(known))
        return list(known)

    @property
    def heading(self) -> str:
        """The title, or the name where there is none."""
        return self.title or self.name

    def numbers(self) -> dict[str, list[Spec]]:
        """Give the parts of the config that hold assumptions, by where they are used."""
        budget = [self.budget] if self.budget else []
        parts: dict[str, list[Spec]] = {"costs": [*self.costs], "scenarios": [*self.scenarios.values()], "items": [*self.items]}
        return {**parts, "budget": [*budget], "allocation": [*self.allocation.prevention] if self.allocation else []}

    def selectors(self) -> Iterator[tuple[str, Where]]:
        """Give every place where the config says which series it means."""
        for name, scenario in self.scenarios.items():
            for k, change in enumerate(scenario.changes):
                yield f"scenarios > {name} > changes[{k}].where", change.where
                yield f"scenarios > {name} > changes[{k}].to", (change.to or {}) if change.effect == "moves" else {}
        if self.caseload is not None:
            yield "caseload.moves_to", self.caseload.moves_to
        for k, cost in enumerate(self.costs):
            yield f"costs[{k}].where", cost.where
        for item in (*self.income, *self.step_costs):
            yield f"{item.section} > {item.name} > where", item.where
        for k, line in enumerate(self.budget.lines if self.budget else ()):
            yield f"budget > lines[{k}].where", line.where
            yield f"budget > lines[{k}].starts", line.starts
        for k, event in enumerate(self.forecast.events if self.forecast else ()):
            yield f"forecast > events[{k}].where", event.where


def _one(name: str, entry: Any) -> Any:
    """Let an entry of the ledger be one number wherever its name is written: it is drawn once, unless it says what it moves with."""
    return {**entry, "moves_with": name} if isinstance(entry, dict) and not entry.get("moves_with") else entry


def _on_path(entry: Any, paths: dict[Any, Any]) -> Any:
    """Put the rates of a path in the place of its name."""
    name = entry.get("uplift") if isinstance(entry, dict) else None
    return {**entry, "uplift": paths[name]} if isinstance(name, str) and name in paths else entry


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
    written = read_config(str(source), changes=changes)
    known = {name: _checked(_one(name, entry)) for name, entry in {**written.shipped, **written.ledger}.items()}
    try:
        return RunConfig.model_validate(written.content, context={LEDGER: known}), written.path.parent
    except ValidationError as error:
        faults = [told(written, dict(e), RunConfig) for e in error.errors(include_url=False) if e["type"] != LEDGER]
        raise SettingsError(sorted(set(faults), key=str), during=f"reading {written.path.name}") from error


def _checked(entry: Any) -> Assumption | None:
    """Give an entry of the ledger; None where it has faults, which are told once, at the entry itself."""
    try:
        return TypeAdapter(Assumption).validate_python(entry)
    except ValidationError:
        return None
