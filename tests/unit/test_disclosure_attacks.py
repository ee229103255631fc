"""What somebody with the written file, whole numbers and patience can work out: nothing that the policy hides."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from demand.disclosure import POLICIES, Policy, cleared_sentences, dominated, protect, ranges, recovered, relations

EXACT = POLICIES["wales"].model_copy(update={"name": "exact", "round_to": 1})
RULES = {"wales": POLICIES["wales"], "wales_homelessness": POLICIES["wales_homelessness"], "opensafely": POLICIES["opensafely"],
         "tre": POLICIES["tre"], "exact": EXACT}  # fmt: skip


def made(seed: int) -> pd.DataFrame:
    """Counts by area and kind with both totals, as a council would publish them."""
    rng = np.random.default_rng(seed)
    rows, columns = int(rng.integers(2, 6)), int(rng.integers(2, 5))
    inner = rng.poisson(float(rng.choice([2, 8, 20])) * rng.gamma(1.0, 1.0, (rows, columns)))
    table = pd.DataFrame(inner, columns=[f"kind {j}" for j in range(columns)])
    table.insert(0, "area", [f"area {i}" for i in range(rows)])
    table["all"] = inner.sum(axis=1)
    table.loc[rows] = ["Wales", *inner.sum(axis=0), inner.sum()]
    return table


def sums(table: pd.DataFrame) -> list[tuple[int, tuple[int, ...]]]:
    """The attacker's own account of what adds up, from how the table is laid out."""
    height, width = len(table), table.shape[1] - 1
    cells = np.arange(height * width).reshape(height, width)
    across = [(int(row[-1]), tuple(map(int, row[:-1]))) for row in cells]
    return across + [(int(column[-1]), tuple(map(int, column[:-1]))) for column in cells.T]


def attacked(table: pd.DataFrame, rule: Policy) -> tuple[int, int]:
    """Write the protected table, read it again, and count hidden cells and those that an attack on the file recovers."""
    counts = list(table.columns[1:])
    text = protect(table, counts=counts, policy=rule).to_csv(index=False)
    shown = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)[counts].to_numpy().ravel()
    hidden = np.array([not s.isdigit() for s in shown])
    exact = table[counts].to_numpy(dtype=float).ravel()
    known = [r for r in sums(table) if shown[r[0]] != ""]
    return int(hidden.sum()), int(recovered(exact, hidden, known, rule).sum())


def unpicked(rule: Policy, tables: int) -> tuple[int, int]:
    found = [attacked(made(seed), rule) for seed in range(tables)]
    return sum(h for h, _ in found), sum(r for _, r in found)


@pytest.mark.parametrize("name", RULES)
def test_no_hidden_count_of_a_written_table_is_recovered(name: str) -> None:
    hidden, recovered_cells = unpicked(RULES[name], 8)
    assert hidden > 20
    assert recovered_cells == 0


@pytest.mark.long
@pytest.mark.parametrize("name", RULES)
def test_no_hidden_count_of_five_hundred_written_tables_is_recovered(name: str) -> None:
    hidden, recovered_cells = unpicked(RULES[name], 500)
    assert hidden > 1000
    assert recovered_cells == 0


def test_sums_of_nobody_are_sums_too() -> None:
    table = made(191)
    assert table["kind 0"].tolist() == [0, 0, 0]
    assert set(sums(table)) <= set(relations(table, counts=list(table.columns[1:]), keys=["area"]))
    assert attacked(table, RULES["wales_homelessness"])[1] == 0


def test_the_attack_finds_what_hiding_small_counts_alone_leaves_open() -> None:
    found = 0
    for seed in range(8):
        table = made(seed)
        exact = table[list(table.columns[1:])].to_numpy(dtype=float).ravel()
        found += int(recovered(exact, EXACT.hides(exact), sums(table), EXACT).sum())
    assert found > 10


@pytest.mark.parametrize(
    ("counts", "rule"),
    [([4, 4, 8], "wales"), ([1, 1, 2], "wales_homelessness"), ([1, 1, 1, 1, 4], "wales"), ([3, 40, 43], "exact"), ([2, 0, 0, 2], "exact")],
)
def test_tables_that_rounding_alone_gives_away(counts: list[int], rule: str) -> None:
    table = pd.DataFrame({"area": [f"area {i}" for i in range(len(counts) - 1)] + ["all"], "people": counts})
    shown = protect(table, counts=["people"], policy=RULES[rule])["people"]
    hidden = np.array([isinstance(v, str) for v in shown.fillna("")])
    known = relations(table, counts=["people"], keys=["area"]) if pd.notna(shown.iloc[-1]) else []
    assert not recovered(np.array(counts, dtype=float), hidden, known, RULES[rule]).any()


def test_ranges_are_what_sums_leave() -> None:
    left = ranges(np.array([1.0, 1.0, 5.0]), np.array([4.0, 4.0, 7.0]), [(2, (0, 1))], [0, 1])
    assert left.tolist() == [[1.0, 4.0], [1.0, 4.0]]
    assert np.isnan(ranges(np.array([1.0, 9.0]), np.array([4.0, 9.0]), [(1, (0,))], [0])).any()


@pytest.mark.parametrize("name", RULES)
def test_two_releases_differ_by_nothing_small(name: str) -> None:
    rule = RULES[name]
    for seed in range(8):
        first, rng = made(seed), np.random.default_rng(seed)
        second, kinds = first.copy(), [c for c in first.columns if c.startswith("kind")]
        people = [(i, c) for i in range(len(first) - 1) for c in kinds if first.loc[i, c] > 0]
        i, kind = people[int(rng.integers(len(people)))]
        for row in (i, len(first) - 1):
            second.loc[row, [kind, "all"]] -= 1
        counts = list(first.columns[1:])
        before = pd.read_csv(io.StringIO(protect(first, counts=counts, policy=rule).to_csv(index=False)))
        after = protect(second, counts=counts, policy=rule, earlier=before)
        one, other = (t[counts].apply(pd.to_numeric, errors="coerce").to_numpy() for t in (before, after))
        moved = np.abs(one - other)
        assert not ((moved > 0) & (moved < min(rule.hide_below, rule.round_to) if rule.round_to > 1 else moved > 0)).any()
        assert not (np.isnan(one) & ~np.isnan(other)).any()
        hidden = np.isnan(other).ravel()
        assert not recovered(second[counts].to_numpy(dtype=float).ravel(), hidden, sums(second), rule).any()


def differenced(seed: int, rule: Policy) -> tuple[int, int]:
    """Publish, let few people leave or come, publish again; count changes, and those that both files together give away.

    The attack knows the sums of both tables and how figures are held, and asks of each cell for the least and the greatest change.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    first, rng = made(seed), np.random.default_rng(seed)
    second, kinds = first.copy(), [c for c in first.columns if c.startswith("kind")]
    for _ in range(int(rng.integers(1, 4))):
        i, kind, step = int(rng.integers(len(first) - 1)), str(rng.choice(kinds)), int(rng.choice([-1, 1]))
        if second.loc[i, kind] + step >= 0:
            for row in (i, len(first) - 1):
                second.loc[row, [kind, "all"]] += step
    counts = list(first.columns[1:])
    before = pd.read_csv(io.StringIO(protect(first, counts=counts, policy=rule).to_csv(index=False)))
    after = protect(second, counts=counts, policy=rule, earlier=before)
    one, other = (t[counts].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float).ravel() for t in (before, after))
    gone = [t[counts].isna().to_numpy().ravel() for t in (before, after)]
    exact = [t[counts].to_numpy(dtype=float).ravel() for t in (first, second)]
    size, large = len(one), float(3 * exact[0].sum() + 100)
    low, high = np.zeros(2 * size), np.full(2 * size, large)
    for k, value in enumerate([*one, *other]):
        if not np.isnan(value):
            least, greatest = rule.told(int(value))
            held = rule.round_to - 1 if rule.round_to > 1 and k >= size and value == one[k - size] and value > 0 else 0
            low[k], high[k] = (
                (max(min(least, value - held), rule.hide_below, 1), max(greatest, value + held)) if held else (least, greatest)
            )
    rows = [(t + size * r, [p + size * r for p in parts]) for r in (0, 1) for t, parts in sums(first) if not gone[r][t]]
    adds = np.zeros((len(rows), 2 * size))
    for n, (t, parts) in enumerate(rows):
        adds[n, t], adds[n, parts] = -1, 1
    changed = exact[1] - exact[0]
    moved, told = np.flatnonzero((changed != 0) & (np.abs(changed) < max(rule.hide_below, 2))), 0
    for cell in moved:
        ends = []
        for sign in (1.0, -1.0):
            aim = np.zeros(2 * size)
            aim[cell], aim[cell + size] = -sign, sign
            found = milp(aim, constraints=LinearConstraint(adds, 0, 0), bounds=Bounds(low, high), integrality=np.ones(2 * size))
            assert found.x is not None
            ends.append(sign * found.fun)
        told += ends[0] == ends[1] == changed[cell]
    return len(moved), int(told)


@pytest.mark.parametrize("name", RULES)
def test_no_change_of_few_people_is_told_by_two_releases(name: str) -> None:
    found = np.array([differenced(seed, RULES[name]) for seed in range(4)])
    assert found[:, 0].sum() > 4
    assert found[:, 1].sum() == 0


@pytest.mark.long
@pytest.mark.parametrize("name", RULES)
def test_no_change_of_few_people_is_told_by_two_releases_of_two_hundred_tables(name: str) -> None:
    found = np.array([differenced(seed, RULES[name]) for seed in range(200)])
    assert found[:, 0].sum() > 400
    assert found[:, 1].sum() == 0


def test_an_earlier_release_with_other_columns_is_refused() -> None:
    from demand.errors import DisclosureError

    table = pd.DataFrame({"area": ["a", "b"], "people": [10, 20]})
    with pytest.raises(DisclosureError, match="earlier release has no column 'people'"):
        protect(table, counts=["people"], policy="wales", earlier=table.rename(columns={"people": "households"}))


def test_few_contributors_dominate_an_amount() -> None:
    assert dominated([900, 50, 30, 20], "tre")
    assert dominated([100, 0.5, 0.3], "tre")
    assert not dominated([10] * 30, "tre")
    assert not dominated([900, 1], "wales")


def test_an_amount_that_few_make_is_withheld_and_so_is_one_of_which_nobody_knows_who_makes_it() -> None:
    table = pd.DataFrame({"area": ["a", "b"], "people": [30, 30], "cost": [1000.0, 1000.0]})
    given = {"cost": [[900.0, *[100 / 29] * 29], [1000 / 30] * 30]}
    shown = protect(table, counts=["people"], values=["cost"], policy="tre", amounts=given)["cost"]
    assert shown.isna().tolist() == [True, False]
    assert protect(table, counts=["people"], values=["cost"], policy="tre", amounts={"cost": None})["cost"].isna().all()
    assert protect(table, counts=["people"], values=["cost"], policy="wales", amounts={"cost": None})["cost"].notna().all()


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("13 people were left out", "15 people were left out"),
        ("2,057 people, 3 of whom are unclear", "2,055 people, fewer than 5 of whom are unclear"),
        ("In all 146 were expected", "In all 145 were expected"),
        ("in 8 of 10 tenths, since 2023, for 12 % (19 in 20)", "in 8 of 10 tenths, since 2023, for 12 % (19 in 20)"),
        ("stability 0.98, 3 segments", "stability 0.98, 3 segments"),
        ("by 31 March 2026 there were 7", "by 31 March 2026 there were 5"),
        ("3 cases, in 3 areas", "fewer than 5 cases, in 3 areas"),
        ("2 line managers and 1 level-headed child", "fewer than 5 line managers and fewer than 5 level-headed child"),
        ("Three people, 3-4 tenants", "fewer than 5 people, fewer than 5 tenants"),
        ("at least 3 children, the first 2 families", "at least fewer than 5 children, the first fewer than 5 families"),
        ("Two care-experienced children were placed.", "fewer than 5 care-experienced children were placed."),
        ("Both children left, both of them in May", "fewer than 5 children left, fewer than 5 of them in May"),
        ("both rents and children", "both rents and children"),
        ("No more than 3 were placed, more than 3 moved on", "fewer than 5 were placed, more than fewer than 5 moved on"),
        ("at least 3 of them moved, the last 2 left", "at least fewer than 5 of them moved, the last fewer than 5 left"),
        ("at least 2 years, the last 3 months, more than 5 series", "at least 2 years, the last 3 months, more than 5 series"),
        ("3 group homes, 1 group of series", "fewer than 5 group homes, 1 group of series"),
        ("4 in segment B, 3 in 4 areas, in May 3 moved", "fewer than 5 in segment B, fewer than 5 in 4 areas, in May fewer than 5 moved"),
        ("Eleven children, a dozen families, twenty-three boys", "10 children, 10 families, 25 boys"),
        ("one in 3 children, 1 in 4 women", "one in 3 children, 1 in 4 women"),
        ("between 2 and 4 children, 13 to 16 people", "fewer than 5 children, 15 people"),
        ("2 were aged 16, towards 16 and 17 year olds", "fewer than 5 were aged 16, towards 16 and 17 year olds"),
        ("One was moved, the latest one was fitted", "fewer than 5 was moved, the latest one was fitted"),
        ("Harbour had one; 2,057 people", "Harbour had fewer than 5; 2,055 people"),
        ("2,3 children came", "fewer than 5, fewer than 5 children came"),
        ("A couple of children, a couple with 3.0 children", "fewer than 5 children, a couple with fewer than 5 children"),
        ("A child was moved; a child is counted once", "fewer than 5 child was moved; a child is counted once"),
        ("The only child left; the only area", "fewer than 5 child left; the only area"),
        ("One (1) person, between one and two children, seven per cent", "fewer than 5 person, fewer than 5 children, seven per cent"),
        ("One mother was moved, a single mother left", "fewer than 5 mother was moved, fewer than 5 single mother left"),
        ("An infant died, one infant died", "fewer than 5 infant died, fewer than 5 infant died"),
        ("A couple were moved; a couple of models", "fewer than 5 couple were moved; a couple of models"),
        ("Both were moved, both brothers; both models", "fewer than 5 were moved, fewer than 5 brothers; both models"),
        ("A trio of siblings, the only one in Splott", "fewer than 5 siblings, fewer than 5 in Splott"),
        ("In 2023 (12) there were 40 cases", "In 2023 (10) there were 40 cases"),
        ("Two hundred and seven children, three thousand two hundred people", "205 children, 3,200 people"),
        ("Two hundred and twenty five children, two hundred twenty-two boys", "225 children, 220 boys"),
        ("Twelve hundred and five people, a thousand and three girls", "1,205 people, 1,005 girls"),
        ("One million, two hundred thousand and three people; a thousand", "1,200,005 people; a thousand"),
        ("A hundred and twenty three thousand three hundred and one cases", "123,300 cases"),
        ("Between one hundred and two hundred and three children, twenty  three men", "Between 100 and 205 children, 25 men"),
        ("One thousand, three children", "1,000, fewer than 5 children"),
        ("In two thousand and five three people left", "In 2,005 fewer than 5 people left"),
        ("In two thousand and twenty three people left", "In 2,020 fewer than 5 people left"),
        ("In the year two thousand three children were moved", "In the year 2,000 fewer than 5 children were moved"),
        ("Of one thousand two hundred three children were moved", "Of 1,200 fewer than 5 children were moved"),
        ("In nineteen hundred three people were placed", "In 1,900 fewer than 5 people were placed"),
        ("Since two thousand two households left", "Since 2,000 fewer than 5 households left"),
        ("By two thousand four were moved, by 200 children", "By 2,000 fewer than 5 were moved, by 200 children"),
        ("Of two hundred and twenty five children, in two hundred children", "Of 225 children, in 200 children"),
        ("£2 hundred, two hundred series, a hundred", "£2 hundred, 200 series, a hundred"),
        ("It says nothing of one person, nor of fewer than 5 people", "It says nothing of one person, nor of fewer than 5 people"),
    ],
)
def test_counts_in_sentences_are_rounded_as_in_tables(told: str, shown: str) -> None:
    assert cleared_sentences([told], "wales") == (shown,)
    assert cleared_sentences([told], "internal") == (told,)
