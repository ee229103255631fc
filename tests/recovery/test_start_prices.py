"""The growth of prices that is planted in the example council comes back out of its extract, inside its range as often as is said."""

import pytest

from demand.budget import StartPrices
from demand.data.example import PLANS, example_council


@pytest.mark.parametrize("service", ["homelessness", "children", "adult_care"])
def test_the_planted_growth_of_prices_comes_back(service: str) -> None:
    inside, levels, seeds = [], [], range(8)
    for seed in seeds:
        council = example_council(seed, "tiny", service=service)
        series, people = council.history(service).series, council.people(service)
        asked = StartPrices(by="type", owner="tests", years=10)
        made = asked.found(people, series, as_of=council.last, seed=1).table
        grown = PLANS[service].price_growth
        inside += [low <= grown <= high for low, high in zip(made["growth_low"], made["growth_high"], strict=True)]
        level = made.loc[made["open"] >= 5, ["price_of_open", "price_of_start"]]
        levels += (level["price_of_start"] / level["price_of_open"]).tolist()
    assert sum(inside) / len(inside) >= 0.6
    assert sum(levels) / len(levels) == pytest.approx(1.05, abs=0.1)  # those who are there came a while ago, at the prices of then
