"""What if: changes, scenarios, and what they do to demand, draw by draw.

In: DRAWS, `Scenario`s and EFFECTS. Out: DEMAND, what was applied, and waterfalls that add up. Acts on draws, never on models: a forecast
that came from a spreadsheet can be planned with too. Refuses what it cannot apply, with every fault at once.
"""

from demand.scenario.application import PRICES, Outcome, apply, price_factors, resized, under
from demand.scenario.case import WhatIf
from demand.scenario.change import BASELINE, Change, Scenario, Variant, by_name, standing, unfold
from demand.scenario.comparison import (
    INTERACTION,
    WATERFALL,
    Measure,
    baseline_of,
    compare,
    demand_table,
    differences,
    exposure_of,
    measured,
    steps,
    taken_together,
)  # fmt: skip
from demand.scenario.exposure import AVERAGE, Exposure
from demand.scenario.flows import Flows
from demand.scenario.sweep import Lever, Sweep, grid, sweep_faults

__all__ = [
    "AVERAGE",
    "BASELINE",
    "INTERACTION",
    "PRICES",
    "WATERFALL",
    "Change",
    "Exposure",
    "Flows",
    "Lever",
    "Measure",
    "Outcome",
    "Scenario",
    "Sweep",
    "Variant",
    "WhatIf",
    "apply",
    "baseline_of",
    "by_name",
    "compare",
    "demand_table",
    "differences",
    "exposure_of",
    "grid",
    "measured",
    "price_factors",
    "resized",
    "standing",
    "steps",
    "sweep_faults",
    "taken_together",
    "under",
    "unfold",
]
