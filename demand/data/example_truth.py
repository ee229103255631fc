"""The truth that is planted in the example council: who comes, why, how often, for how long, and at what price.

In: nothing. Out: `PLANS`, one plan a service, as plain numbers that tests can ask for. Refuses nothing: these are the numbers themselves.
Every number is invented; the sizes are of the kind that councils publish, so that the example feels real, and no place or person is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["AREAS", "FIRST", "LAST", "NOT_COLLECTED", "PLANS", "RECORDING_CHANGE", "SHOCK", "Attribute", "Plan", "Segment"]

AREAS = ("Harbour", "Castle", "Riverside", "Uplands")
"""Four areas of a council that does not exist."""
AREA_SHARES = (0.38, 0.27, 0.21, 0.14)
FIRST, LAST = "2016-04-01", "2026-03-01"
"""First days of the first and last month of the history: ten financial years."""
SHOCK = ("2020-03-01", "2021-06-01")
"""First days of the first and last month of a shock like the lockdowns."""
RECORDING_CHANGE = "2022-10-01"
"""From this day a new case system records what the old one left out."""
NOT_COLLECTED = ("2020-04-01", "2022-03-01")
"""First days of the first and last month for which the return to the government was not collected."""


@dataclass(frozen=True)
class Attribute:
    """One thing that is recorded about a person.

    Parameters
    ----------
    name : str
    kind : str
        category: shares of `levels`; yes_no: (share of yes,); number: (mean, spread, lowest, highest); amount: (median, share above
        nothing); count: (mean,), Poisson; band: (middle, spread) on the scale of the numbers of `levels`, which are in order.
    by_segment : tuple of tuples
        The numbers for each segment, in the order of the plan's segments; one tuple alone is for all.
    levels : tuple of str
    missing : float
        The share that is "not known".
    """

    name: str
    kind: str
    by_segment: tuple[tuple[float, ...], ...]
    levels: tuple[str, ...] = ()
    missing: float = 0.0


@dataclass(frozen=True)
class Segment:
    """One of the groups of people that really exist in the example.

    Parameters
    ----------
    name : str
    share : float
        Of the people who come for the first time, in April 2016.
    growth : float
        A year, of first entries, apart from what drivers do.
    age : tuple of float
        Mean, spread, lowest and highest age at the first entry, in years.
    enters : float
        The share of entries that lead to a place or a package.
    returns, gap_days : float
        The share who come back after an end, and after how many days on average (exponential).
    routes : mapping of type to share
        The first type of place or package.
    stays : mapping of type to days
        The median length of stay at the first day of the history.
    price_factor : float
        How much dearer than others of the type.
    """

    name: str
    share: float
    growth: float
    age: tuple[float, float, float, float]
    enters: float
    returns: float
    gap_days: float
    routes: Mapping[str, float]
    stays: Mapping[str, float]
    price_factor: float = 1.0


@dataclass(frozen=True)
class Plan:
    """All that is planted for one service.

    Parameters
    ----------
    unit : str
        What is counted: households, children, people.
    front, front_type : str
        Values of the key columns `service` and `type` of the flow that is counted first.
    front_days : float
        Median days of such an episode; 0 where it lasts as long as the whole period of need.
    stock : str
        Value of `service` of the stock that follows.
    prices : mapping of type to GBP a week
        For an episode that begins in March 2026.
    segments : tuple of Segment
    attributes : tuple of Attribute
    season : tuple of 12 floats
        January to December, multiplying entries; the mean is 1.
    elasticities : mapping of driver to float
        Entries change by this many per cent where the driver of the same month changes by 1 %.
    shock : float
        The share of entries that is missing at the deepest point of the shock.
    recording : float
        Entries recorded after the change for one that was recorded before, all else equal.
    moves : mapping of type to (share, type)
        Of the stays that end, those that end in a move to another type on the same day.
    people_share : float
        People of this service for one of the size that was asked for.
    stay_growth, stay_sigma : float
        Growth of the stays a year; spread of their logarithm.
    price_growth, price_sigma : float
        Growth of prices a year; spread of their logarithm between places of one type.
    noise : float
        Spread of the common month-to-month noise of entries, a logarithm that forgets 40 % a month.
    leaves_at : int or None
        Birthday at which every stay ends.
    front_cost : float
        GBP for each first contact, in March 2026.
    lines : mapping of budget line to selectors
        What each line of the budget pays for.
    budget_step : float
        What the council adds to a line each year, from what last year cost.
    owner : str
        The team that answers for prices and budget.
    tiny_places : mapping of type to areas
        Where the smallest example has places of each type; elsewhere every area has all.
    """

    unit: str
    front: str
    front_type: str
    front_days: float
    stock: str
    prices: Mapping[str, float]
    segments: tuple[Segment, ...]
    attributes: tuple[Attribute, ...]
    season: tuple[float, ...]
    elasticities: Mapping[str, float]
    shock: float
    recording: float
    moves: Mapping[str, tuple[float, str]]
    people_share: float
    stay_growth: float
    stay_sigma: float
    price_growth: float
    price_sigma: float
    noise: float
    leaves_at: int | None
    front_cost: float
    lines: Mapping[str, Mapping[str, tuple[str, ...]]]
    budget_step: float
    owner: str
    tiny_places: Mapping[str, tuple[str, ...]]


HOMELESSNESS = Plan(
    unit="households",
    front="prevention",
    front_type="advice",
    front_days=52,
    stock="ta",
    prices={"bed_and_breakfast": 485, "hostel": 412, "private_leased": 318},
    segments=(
        Segment("families_priced_out", 0.42, 0.005, (34, 8, 18, 70), 0.34, 0.14, 420,
                {"bed_and_breakfast": 0.35, "hostel": 0.10, "private_leased": 0.55},
                {"bed_and_breakfast": 60, "hostel": 120, "private_leased": 260}, 1.12),
        Segment("young_and_single", 0.33, -0.010, (22, 3, 16, 34), 0.22, 0.22, 330,
                {"bed_and_breakfast": 0.30, "hostel": 0.55, "private_leased": 0.15},
                {"bed_and_breakfast": 45, "hostel": 110, "private_leased": 150}, 0.90),
        Segment("several_needs", 0.25, 0.015, (43, 10, 18, 75), 0.40, 0.42, 240,
                {"bed_and_breakfast": 0.52, "hostel": 0.42, "private_leased": 0.06},
                {"bed_and_breakfast": 75, "hostel": 170, "private_leased": 190}, 1.00),
    ),
    attributes=(
        Attribute("household_type", "category",
                  ((0.04, 0.05, 0.55, 0.33, 0.03), (0.78, 0.14, 0.05, 0.01, 0.02), (0.88, 0.06, 0.03, 0.01, 0.02)),
                  ("single", "couple", "lone_parent", "couple_with_children", "other")),
        Attribute("dependent_children", "count", ((1.9,), (0.06,), (0.05,))),
        Attribute("employment", "category",
                  ((0.43, 0.32, 0.17, 0.03, 0.05), (0.35, 0.45, 0.05, 0.14, 0.01), (0.05, 0.42, 0.48, 0.01, 0.04)),
                  ("employed", "unemployed", "unable_to_work", "student", "retired"), 0.06),
        Attribute("income_band", "band", ((2.6, 1.0), (1.3, 0.9), (1.0, 0.7)),
                  ("under 100", "100 to 199", "200 to 299", "300 to 449", "450 or more"), 0.15),
        Attribute("last_tenure", "category",
                  ((0.68, 0.14, 0.13, 0.02, 0.01, 0.02), (0.18, 0.05, 0.70, 0.00, 0.04, 0.03), (0.16, 0.17, 0.22, 0.01, 0.22, 0.22)),
                  ("private_rented", "social_rented", "family_or_friends", "owner", "institution", "rough_sleeping"), 0.04),
        Attribute("main_reason", "category",
                  ((0.52, 0.09, 0.14, 0.17, 0.02, 0.06), (0.10, 0.56, 0.17, 0.06, 0.05, 0.06), (0.08, 0.19, 0.17, 0.14, 0.30, 0.12)),
                  ("end_of_tenancy", "family_unwilling", "relationship_breakdown", "rent_arrears", "left_institution", "other"), 0.05),
        Attribute("mental_health", "yes_no", ((0.17,), (0.26,), (0.74,)), missing=0.08),
        Attribute("substance_use", "yes_no", ((0.04,), (0.11,), (0.58,)), missing=0.12),
        Attribute("domestic_abuse", "yes_no", ((0.29,), (0.08,), (0.13,)), missing=0.09),
        Attribute("care_leaver", "yes_no", ((0.01,), (0.15,), (0.08,)), missing=0.03),
        Attribute("rent_arrears", "amount", ((1150, 0.55), (300, 0.20), (520, 0.42)), missing=0.18),
        Attribute("preferred_language", "category", ((0.86, 0.09, 0.05),), ("English", "Welsh", "other"), 0.10),
    ),
    season=(1.16, 1.04, 1.02, 0.96, 0.97, 0.98, 1.00, 0.99, 1.10, 1.06, 0.97, 0.75),
    elasticities={"private_rent_median": 0.8, "unemployment_claimants": 0.4, "population_18_64": 1.0},
    shock=0.40,
    recording=1.25,
    moves={"bed_and_breakfast": (0.35, "private_leased"), "hostel": (0.15, "private_leased")},
    people_share=1.0,
    stay_growth=0.03,
    stay_sigma=0.8,
    price_growth=0.035,
    price_sigma=0.18,
    noise=0.03,
    leaves_at=None,
    front_cost=640,
    lines={"temporary accommodation": {"service": ("ta",)}, "prevention": {"service": ("prevention",)}},
    budget_step=0.05,
    owner="housing finance",
    tiny_places={"bed_and_breakfast": ("Harbour",), "hostel": ("Harbour",), "private_leased": ("Castle",)},
)  # fmt: skip

CHILDREN = Plan(
    unit="children",
    front="entries",
    front_type="started",
    front_days=0,
    stock="looked_after",
    prices={"kinship": 292, "foster": 648, "residential": 5650},
    segments=(
        Segment("young_children", 0.56, -0.010, (5.0, 2.6, 0, 12), 1.0, 0.12, 500,
                {"kinship": 0.42, "foster": 0.56, "residential": 0.02}, {"kinship": 420, "foster": 520, "residential": 200}, 0.94),
        Segment("adolescents", 0.30, 0.020, (14.2, 1.4, 10, 17.2), 1.0, 0.22, 260,
                {"kinship": 0.16, "foster": 0.52, "residential": 0.32}, {"kinship": 240, "foster": 310, "residential": 420}, 1.10),
        Segment("alone_from_abroad", 0.14, 0.040, (16.2, 0.7, 14, 17.5), 1.0, 0.02, 300,
                {"kinship": 0.03, "foster": 0.77, "residential": 0.20}, {"kinship": 300, "foster": 480, "residential": 300}, 0.90),
    ),
    attributes=(
        Attribute("sex", "category", ((0.49, 0.51), (0.52, 0.48), (0.10, 0.90)), ("female", "male")),
        Attribute("need_category", "category",
                  ((0.80, 0.09, 0.09, 0.02), (0.42, 0.30, 0.24, 0.04), (0.08, 0.01, 0.02, 0.89)),
                  ("abuse_or_neglect", "family_dysfunction", "acute_stress", "absent_parenting"), 0.03),
        Attribute("legal_status", "category",
                  ((0.42, 0.44, 0.14), (0.36, 0.20, 0.44), (0.02, 0.01, 0.97)),
                  ("full_care_order", "interim_care_order", "voluntary"), 0.04),
        Attribute("disability", "yes_no", ((0.07,), (0.19,), (0.03,)), missing=0.11),
        Attribute("unaccompanied", "yes_no", ((0.00,), (0.01,), (0.97,)), missing=0.02),
        Attribute("siblings_in_care", "count", ((1.5,), (0.5,), (0.05,))),
        Attribute("difficulties_score", "number", ((11, 5, 0, 40), (20, 6, 0, 40), (12, 5, 0, 40)), missing=0.34),
        Attribute("exclusion_band", "band", ((0.1, 0.5), (1.6, 1.0), (0.3, 0.6)),
                  ("none", "1 to 5 days", "6 to 15 days", "over 15 days"), 0.16),
        Attribute("preferred_language", "category", ((0.84, 0.13, 0.03), (0.85, 0.12, 0.03), (0.30, 0.00, 0.70)),
                  ("English", "Welsh", "other"), 0.07),
    ),
    season=(1.02, 0.98, 1.08, 0.97, 1.02, 1.06, 1.03, 0.86, 1.03, 1.06, 1.03, 0.86),
    elasticities={"unemployment_claimants": 0.3, "population_0_17": 1.0},
    shock=0.25,
    recording=1.15,
    moves={"kinship": (0.22, "foster"), "foster": (0.10, "residential"), "residential": (0.16, "foster")},
    people_share=1 / 6,
    stay_growth=0.01,
    stay_sigma=0.9,
    price_growth=0.05,
    price_sigma=0.30,
    noise=0.03,
    leaves_at=18,
    front_cost=8200,
    lines={
        "family placements": {"service": ("looked_after",), "type": ("foster", "kinship")},
        "residential placements": {"service": ("looked_after",), "type": ("residential",)},
        "assessments and court": {"service": ("entries",)},
    },
    budget_step=0.06,
    owner="children's finance",
    tiny_places={"kinship": ("Harbour",), "foster": ("Harbour", "Castle"), "residential": ("Castle",)},
)  # fmt: skip

ADULT_CARE = Plan(
    unit="people",
    front="requests",
    front_type="assessment",
    front_days=34,
    stock="packages",
    prices={"homecare": 312, "residential": 905, "direct_payment": 384},
    segments=(
        Segment("frail_older", 0.47, 0.000, (83, 6, 65, 102), 0.55, 0.24, 260,
                {"homecare": 0.78, "residential": 0.18, "direct_payment": 0.04},
                {"homecare": 270, "residential": 480, "direct_payment": 420}, 0.92),
        Segment("memory_loss", 0.23, 0.015, (84, 6, 62, 102), 0.70, 0.12, 210,
                {"homecare": 0.45, "residential": 0.52, "direct_payment": 0.03},
                {"homecare": 240, "residential": 640, "direct_payment": 360}, 1.08),
        Segment("learning_disability", 0.11, 0.010, (30, 11, 18, 64), 0.85, 0.10, 400,
                {"homecare": 0.24, "residential": 0.20, "direct_payment": 0.56},
                {"homecare": 700, "residential": 1100, "direct_payment": 950}, 1.20),
        Segment("mental_ill_health", 0.19, 0.010, (46, 12, 18, 70), 0.40, 0.34, 300,
                {"homecare": 0.58, "residential": 0.12, "direct_payment": 0.30},
                {"homecare": 240, "residential": 360, "direct_payment": 420}, 1.00),
    ),
    attributes=(
        Attribute("sex", "category", ((0.64, 0.36), (0.66, 0.34), (0.42, 0.58), (0.53, 0.47)), ("female", "male")),
        Attribute("support_reason", "category",
                  ((0.84, 0.04, 0.00, 0.03, 0.09), (0.14, 0.80, 0.00, 0.03, 0.03), (0.08, 0.00, 0.86, 0.04, 0.02),
                   (0.12, 0.03, 0.02, 0.81, 0.02)),
                  ("physical", "memory", "learning", "mental_health", "sensory"), 0.06),
        Attribute("memory_problem", "yes_no", ((0.14,), (0.93,), (0.06,), (0.08,)), missing=0.07),
        Attribute("help_at_night", "yes_no", ((0.16,), (0.62,), (0.30,), (0.03,)), missing=0.05),
        Attribute("lives_alone", "yes_no", ((0.62,), (0.35,), (0.12,), (0.55,)), missing=0.09),
        Attribute("has_carer", "yes_no", ((0.45,), (0.72,), (0.80,), (0.22,)), missing=0.14),
        Attribute("mobility", "band", ((1.9, 0.7), (1.2, 0.8), (0.6, 0.7), (0.3, 0.5)),
                  ("independent", "with an aid", "with help", "cared for in bed"), 0.12),
        Attribute("hospital_stays", "count", ((1.5,), (0.8,), (0.3,), (0.6,))),
        Attribute("hours_assessed", "number", ((10, 3, 3, 60), (15, 4, 4, 60), (25, 6, 8, 84), (6, 1.5, 2, 40)), missing=0.10),
        Attribute("capital_band", "band", ((1.7, 1.0), (1.8, 1.0), (0.2, 0.5), (0.3, 0.6)),
                  ("under 10,000", "10,000 to 23,999", "24,000 to 49,999", "50,000 or more"), 0.22),
        Attribute("preferred_language", "category", ((0.78, 0.19, 0.03),), ("English", "Welsh", "other"), 0.08),
    ),
    season=(1.10, 1.05, 1.04, 0.98, 0.97, 0.96, 0.97, 0.94, 0.99, 1.03, 1.04, 0.93),
    elasticities={"population_85_plus": 1.0, "hospital_delays": 0.35},
    shock=0.30,
    recording=1.20,
    moves={"homecare": (0.14, "residential"), "direct_payment": (0.06, "residential")},
    people_share=1.0,
    stay_growth=0.0,
    stay_sigma=0.9,
    price_growth=0.045,
    price_sigma=0.22,
    noise=0.03,
    leaves_at=None,
    front_cost=540,
    lines={
        "care at home": {"service": ("packages",), "type": ("direct_payment", "homecare")},
        "care homes": {"service": ("packages",), "type": ("residential",)},
        "assessments": {"service": ("requests",)},
    },
    budget_step=0.06,
    owner="adults' finance",
    tiny_places={"homecare": ("Harbour",), "residential": ("Harbour",), "direct_payment": ("Castle",)},
)  # fmt: skip

PLANS: Mapping[str, Plan] = {"homelessness": HOMELESSNESS, "children": CHILDREN, "adult_care": ADULT_CARE}
"""What is planted, by service."""
