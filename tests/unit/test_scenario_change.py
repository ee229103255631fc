"""Changes and scenarios as settings: dates, fingerprints, combinations."""

from datetime import date

from planning_cases import change, number

from demand.scenario import Scenario, by_name, unfold
from demand.scenario.change import places


def test_a_month_means_its_first_day_as_a_start_and_its_last_as_an_end() -> None:
    found = change(start="2027-04", end="2028-02")
    assert (found.start, found.end) == (date(2027, 4, 1), date(2028, 2, 29))
    assert change(start="2027-04-15", end=date(2028, 2, 3)).end == date(2028, 2, 3)


def test_the_size_is_no_part_of_a_changes_identity() -> None:
    one, other = change(size=number(0.9, 0.8, 0.95)), change(size=number(0.7, 0.6, 0.8))
    assert one.identity == other.identity
    assert one.fingerprint != other.fingerprint
    assert one.fixed("size", 0.5).size.low == one.fixed("size", 0.5).size.high == 0.5


def test_a_combination_unfolds_into_each_change_once() -> None:
    rents, early = Scenario(name="rents", changes=(change("up"),)), Scenario(name="early", changes=(change("down"),))
    both = Scenario(name="both", combines=("rents", "early", "inner"), changes=(change("own"),), together="add")
    inner = Scenario(name="inner", combines=("rents",))
    known = by_name([rents, early, both, inner])
    assert set(unfold(both, known)) == {"up", "down", "own"}
    assert places(both, known)["up"] == "scenarios > rents > changes[0]"


def test_changes_of_one_name_are_told_apart_by_their_scenario() -> None:
    a, b = Scenario(name="a", changes=(change("x"),)), Scenario(name="b", changes=(change("x", size=number(0.5)),))
    both = Scenario(name="both", combines=("a", "b"), together="multiply")
    assert set(unfold(both, by_name([a, b, both]))) == {"a: x", "b: x"}
