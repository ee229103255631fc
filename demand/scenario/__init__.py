"""What if: changes, scenarios, and what they do to demand, draw by draw.

In: DRAWS, `Scenario`s and EFFECTS. Out: DEMAND, what was applied, and waterfalls that add up. Acts on draws, never on models: a forecast
that came from a spreadsheet can be planned with too. Refuses what it cannot apply, with every fault at once.
"""

from demand.scenario.application import Outcome, apply, resized, under
from demand.scenario.case import WhatIf
from demand.scenario.change import BASELINE, Change, Scenario, Variant, by_name, unfold
from demand.scenario.comparison import INTERACTION, WATERFALL, compare, demand_table, exposure_of, measured, steps
from demand.scenario.exposure import AVERAGE, Exposure

__all__ = [
    "AVERAGE",
    "BASELINE",
    "INTERACTION",
    "WATERFALL",
    "Change",
    "Exposure",
    "Outcome",
    "Scenario",
    "Variant",
    "WhatIf",
    "apply",
    "by_name",
    "compare",
    "demand_table",
    "exposure_of",
    "measured",
    "resized",
    "steps",
    "under",
    "unfold",
]
