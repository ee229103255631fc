"""Tables that leave together are read together: nothing that one hides is told by another, nor by what they add up to."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from demand.disclosure import POLICIES, DisclosureSpec, Leaving, protect, protect_people, protect_together, recovered_together
from demand.disclosure.people import leaving_people
from demand.spec import stream

PROTECTING = sorted(set(POLICIES) - {"internal"})


def made(seed: int) -> dict[str, pd.DataFrame]:
    """The tables of a few people by segment, as a run stores them."""
    rng = stream(seed, "joined")
    n = int(rng.choice([10, 16, 25, 60]))
    people = pd.DataFrame(
        {
            "segment": rng.choice(list("ABC"), n, p=[0.5, 0.35, 0.15]),
            "need": rng.choice(["yes", "no"], n, p=[0.2, 0.8]),
            "sex": rng.choice(["female", "male", ""], n, p=[0.5, 0.46, 0.04]),
            "to": rng.choice(list("ABC"), n, p=[0.7, 0.2, 0.1]),
            "area": rng.choice(list("xyz"), n),
        }
    )
    by = people.groupby("segment")
    rows = [
        {"segment": s, "feature": f, "level": level, "people": int((own[f] == level).sum()), "known": int((own[f] != "").sum()),
         "segment_people": len(own), "missing_share": float((own[f] == "").mean())}
        for s, own in by for f in ("need", "sex") for level in sorted(set(people[f]) - {""})
    ]  # fmt: skip
    profile = pd.DataFrame(rows).assign(share_or_mean=0.5, average=0.5, index=100.0, low=0.1, high=0.9, used=True)
    sex = profile[profile["feature"] == "sex"].rename(columns={"feature": "column", "share_or_mean": "share"})
    equality = sex.drop(columns=["index", "used", "missing_share"]).assign(characteristic="sex", differs=False).reset_index(drop=True)
    use = pd.DataFrame([*({"segment": s, "people": len(own)} for s, own in by), {"segment": "everybody", "people": n}])
    moves = people.groupby(["segment", "to"]).size().rename("people").reset_index().rename(columns={"segment": "from"})
    moves["of"] = moves.groupby("from")["people"].transform("sum")
    whole = by.size().rename("people").reset_index().assign(by="segment", level=lambda t: t["segment"])
    parts = people.groupby(["segment", "area"]).size().rename("people").reset_index().rename(columns={"area": "level"}).assign(by="area")
    expected = pd.concat([whole, parts], ignore_index=True).assign(expected=1.0, per_person=0.1)
    return {
        "segment_profile": profile,
        "segment_equality": equality,
        "segment_use": use.assign(repeat_share=0.3),
        "segment_expected": expected,
        "segment_transitions": moves.assign(rate=0.5, low=0.1, high=0.9),
    }


def back(table: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(table.to_csv(index=False)), dtype=str, keep_default_na=False)


def attacked(tables: dict[str, pd.DataFrame], policy: str, *, together: bool) -> tuple[int, int]:
    """Write the tables, read them again, and count hidden figures and those that joining the files gives away."""
    known = leaving_people(tables)
    alone = {name: protect(one.table, counts=one.counts, values=one.values, plain=one.plain, policy=policy) for name, one in known.items()}
    out = {name: back(table) for name, table in (protect_people(tables, policy=policy) if together else alone).items()}
    hidden = sum(int((out[name][c] == POLICIES[policy].mark).sum()) for name, one in known.items() for c in one.counts)
    return hidden, recovered_together(list(known.values()), list(out.values()), [POLICIES[policy]] * len(out))


def unpicked(policy: str, sets: int) -> tuple[int, int, int]:
    found = np.array(
        [[*attacked(made(seed), policy, together=True), attacked(made(seed), policy, together=False)[1]] for seed in range(sets)]
    )
    hidden, together, alone = found.sum(axis=0)
    return int(hidden), int(together), int(alone)


def test_joining_the_tables_of_segments_tells_nothing_that_they_hide() -> None:
    hidden, together, alone = unpicked("wales_homelessness", 6)
    assert hidden > 50
    assert together == 0
    assert alone > 0  # or the attack is asleep


@pytest.mark.long
@pytest.mark.parametrize("policy", PROTECTING)
def test_joining_five_hundred_sets_of_tables_tells_nothing_that_they_hide(policy: str) -> None:
    hidden, together, _ = unpicked(policy, 500)
    assert hidden > 1000
    assert together == 0


def test_a_count_that_one_table_hides_and_another_shows_is_hidden_in_both() -> None:
    exact = POLICIES["wales"].model_copy(update={"round_to": 1})
    who = [frozenset({("area", a)}) for a in ("x", "y", "z")]
    whole = pd.DataFrame({"area": ["x", "y", "z", "all"], "people": [3, 40, 50, 93]})
    one = Leaving(whole, ["people"], who={"people": [*who, frozenset()]})
    other = Leaving(pd.DataFrame({"place": ["x", "y", "z"], "people": [3, 40, 50]}), ["people"], who={"people": who})
    out = protect_together({"one": one, "other": other}, policy=exact)
    assert out["one"]["people"].tolist()[:3] == out["other"]["people"].tolist()
    assert (out["one"]["people"] == "*").sum() >= 2
    assert (protect(other.table, counts=["people"], policy=exact)["people"] == "*").sum() == 1
    assert recovered_together([one, other], [back(t) for t in out.values()], [exact, exact]) == 0


def test_parts_of_one_segment_do_not_add_up_to_what_each_hides() -> None:
    row = {"segment": "A", "feature": "need", "share_or_mean": 0.5, "average": 0.5, "index": 100.0, "low": 0.1, "high": 0.9, "used": True}
    table = pd.DataFrame([{**row, "level": level, "people": 4, "known": 8, "segment_people": 30} for level in ("yes", "no")])
    shown = protect_people({"segment_profile": table}, policy="wales")["segment_profile"]
    assert shown["people"].tolist() == ["*", "*"]
    assert not (shown["known"] == 10).any()  # 8 to 12 in two groups of at most 4


def test_tables_of_the_same_people_take_one_policy() -> None:
    # 13 is shown as 15 to the nearest 5 and as 12 to the nearest 3: together they leave 13 alone.
    told = [POLICIES["wales"].told(15), POLICIES["wales_homelessness"].told(12)]
    assert max(low for low, _ in told) == min(high for _, high in told) == 13
    spec = DisclosureSpec.model_validate({"policy": "wales_homelessness", "tables": {"history": "wales"}})
    assert [spec.of(n).name for n in ("counts", "history", "segments", "forecast")] == ["wales", "wales", *["wales_homelessness"] * 2]
    spec = DisclosureSpec.model_validate({"tables": {"segment_use": "tre", "segment_profile": "wales"}})
    assert {spec.of(n).name for n in ("segments", "segment_equality")} == {"tre"}
    with pytest.raises(ValueError, match="Did you mean 'segment_profile'"):
        DisclosureSpec.model_validate({"tables": {"segment_profiel": "tre"}})


def real(seed: int) -> dict[str, pd.DataFrame]:
    """The tables of few people with the shares that they really have, as a run stores them."""
    tables = made(seed)
    for name, share in (("segment_profile", "share_or_mean"), ("segment_equality", "share")):
        table, of = tables[name], ["feature" if name == "segment_profile" else "column", "level"]
        sums = table.groupby(of)[["people", "known"]].transform("sum")
        tables[name] = table.assign(**{share: table["people"] / table["known"]}, average=sums["people"] / sums["known"])
    use, moves, coming = tables["segment_use"], tables["segment_transitions"], tables["segment_expected"]
    shares = {"share_of_people": use["people"] / use["people"].max(), "nearest_share": use["people"] / use["people"].max()}
    tables["segment_use"] = use.assign(**shares, repeat_share=np.ceil(use["people"] / 4) / use["people"])
    tables["segment_transitions"] = moves.assign(rate=moves["people"] / moves["of"])
    tables["segment_expected"] = coming.assign(per_person=0.13, expected=0.13 * coming["people"])
    return tables


def told_by_shares(stored: dict[str, pd.DataFrame], written: dict[str, pd.DataFrame], policy: str) -> int:
    """Count rounded figures that a share beside them narrows to the one true count: part / whole must round to what is shown.

    A share made from the figures that are shown fits them exactly; only one that fits another count, and not them, tells anything.
    """
    told = 0
    for name, part, whole, share in (
        ("segment_profile", "people", "known", "share_or_mean"), ("segment_equality", "people", "known", "share"),
        ("segment_transitions", "people", "of", "rate"),
    ):  # fmt: skip
        for exact, row in zip(stored[name].to_dict("records"), written[name].to_dict("records"), strict=True):
            if isinstance(row[part], str) or isinstance(row[whole], str) or pd.isna(row[share]) or not row[whole]:
                continue
            spans = [range(lo, hi + 1) for lo, hi in (POLICIES[policy].told(int(row[c])) for c in (part, whole))]
            step = 0.0005 if row[share] < 0.1 else 0.005
            fits = {p for p in spans[0] for n in spans[1] if n and p <= n and abs(p / n - row[share]) <= step}
            told += int(fits == {exact[part]} and abs(min(row[part] / row[whole], 1) - row[share]) > step)
    return told


def test_no_share_tells_the_count_that_is_rounded_beside_it() -> None:
    before = after = 0
    for seed in range(12):
        stored = real(seed)
        known = leaving_people(stored)
        exact = {n: protect(one.table, counts=one.counts, values=one.values, plain=one.plain, policy="wales") for n, one in known.items()}
        before += told_by_shares(stored, exact, "wales")
        after += told_by_shares(stored, protect_people(stored, policy="wales"), "wales")
    assert before > 5  # or the attack is asleep
    assert after == 0


def test_a_share_of_which_few_are_left_is_withheld() -> None:
    use = pd.DataFrame(
        {"segment": ["A", "B", "everybody"], "people": [40, 60, 100], "repeat_share": [0.05, 0.5, 0.32], "share_of_people": [0.4, 0.6, 1.0]}
    )
    shown = protect_people({"segment_use": use}, policy="wales")["segment_use"]["repeat_share"]
    assert shown.isna().tolist() == [True, False, False]


def test_a_second_release_of_tables_of_segments_tells_no_change_of_few() -> None:
    first = made(3)
    second = {name: table.copy() for name, table in first.items()}
    use = second["segment_use"]
    use.loc[use["segment"].isin([use["segment"].iloc[0], "everybody"]), "people"] += 1
    out = protect_people(first, policy="wales")
    before = {name: back(table) for name, table in out.items()}
    after = protect_people(second, policy="wales", earlier=before)["segment_use"]
    assert back(after)["people"].tolist() == before["segment_use"]["people"].tolist()
