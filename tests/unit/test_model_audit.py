"""What saved models would tell of people."""

from __future__ import annotations

import json

import lightgbm
import numpy as np
import pandas as pd
import pytest

from demand.disclosure.model_audit import audit_model
from demand.spec import stream


def trees(least: int, **columns: object) -> bytes:
    rng = stream(1, "audit")
    table = pd.DataFrame({"age": rng.integers(18, 90, 400).astype(float), **columns})
    table.loc[0, "age"] = 117.0
    data = lightgbm.Dataset(table, rng.poisson(table["age"] / 20))
    settings = {"objective": "poisson", "min_data_in_leaf": least, "verbose": -1, "num_threads": 1}
    return lightgbm.train(settings, data, num_boost_round=10).model_to_string().encode()


def told(name: str, content: bytes) -> str:
    return " | ".join(r.what for r in audit_model(name, content) if r.grave)


def test_small_leaves_extremes_and_categories_of_trees_are_found_and_not_repeated() -> None:
    place = pd.Categorical(["CF10 1AA", *["Castle", "Harbour"] * 199, "Castle"])
    found = told("m.txt", trees(1, place=place))
    assert "leaves hold fewer than 10 rows" in found
    assert "greatest value of 'age'" in found
    assert "categorical column 1" in found
    assert "117" not in found
    assert "CF10" not in found
    assert "leaves hold fewer" not in told("m.txt", trees(20))


def test_parts_of_a_forecast_are_looked_into() -> None:
    parts = {
        "lightgbm.txt": trees(1).decode(),
        "prophet.json": json.dumps({"Castle/A": json.dumps({"history": "...", "changepoints": []})}),
    }
    found = told("model_parts.json", json.dumps(parts).encode())
    assert "model_parts.json > lightgbm.txt" in found
    assert "Prophet keeps the whole series" in found
    assert audit_model("model_parts.json", b"{}") == []


@pytest.mark.parametrize("content", [b"\x80\x05\x95pickle", b"PK\x03\x04", b"what is this", b"[1, 2]", b'{"a": 1}'])
def test_what_nobody_knows_does_not_leave(content: bytes) -> None:
    assert told("model", content)


def segments(**changes: object) -> bytes:
    attribute = {"name": "tenure", "kind": "category", "levels": ["owned", "rented"], "joined": None}
    model = {"labels": ["A", "B"], "attributes": [attribute], "people": 200, "parameters": {"weights": [0.6, 0.4]},
             "reference": {"counts": {"tenure": [120, 80, 0], "(segments)": [120, 80]}}}  # fmt: skip
    return json.dumps({**model, **changes}).encode()


def test_segments_leave_only_where_many_stand_behind_everything() -> None:
    assert audit_model("segment_model.json", segments()) == []
    assert "1 of the counts of 'tenure'" in told("s", segments(reference={"counts": {"tenure": [193, 7, 0]}}))
    assert "1 segments hold fewer" in told("s", segments(parameters={"weights": [0.99, 0.01]}))
    assert "does not say how many people" in told("s", segments(reference=None))
    many = {"name": "place", "kind": "category", "levels": [str(i) for i in np.arange(60)], "joined": ["ab"]}
    assert "60 levels" in told("s", segments(attributes=[many]))
    assert "digests" in told("s", segments(attributes=[many]))
