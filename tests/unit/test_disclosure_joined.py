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
