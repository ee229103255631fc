"""The stock from flow beside two published packages.

python benchmarks/caseload_peers.py --demand-model PYTHON --cs-demand-model PYTHON [--seeds N] [--services A,B] [--sample]

Each peer is run by the Python of an environment of its own (demand-model 0.2.0, cs-demand-model 0.5.1). At each cutoff all see the
placements as they were known then and say the stock by type 6 and 12 months on; what is scored is the mean absolute error over types,
cutoffs and seeds. Councils are the example's, seeds 1, 2, 3... as many as are asked for; cutoffs are every half year whose year ahead
lies outside the lockdowns. cs-demand-model learns from the last year (the default of its application) and from the last half year (the
default of its command line); demand-model has no estimates of its own and is given daily rates and entrants of the last year by age
band and type. `--sample` compares on the placements that ship inside cs-demand-model. Exits 1 where the error is more than 0.9 of a
peer's on the example, or more than its on the sample.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from demand.calendar import Frequency
from demand.caseload.model import CaseloadSpec, caseload_of
from demand.caseload.spells import as_known, spells_of
from demand.data.example import example_council
from demand.data.people import CountSpec, count_episodes
from demand.events import Event

MONTHLY, STEPS, TARGET = Frequency("M"), (6, 12), 0.9
CUTOFFS = [*pd.date_range("2018-03-01", "2019-03-01", freq="6MS"), *pd.date_range("2021-09-01", "2025-03-01", freq="6MS")]
SAMPLE_CUTOFFS = list(pd.date_range("2018-03-01", "2021-03-01", freq="6MS"))
PLACES = {"foster": "U1", "residential": "K2", "kinship": "H5"}
"""Types of the example as codes of the English return, so that each has a category of its own in cs-demand-model."""
BANDS = np.array([0, 1, 5, 10, 16, 200.0])

CS = """
import json, sys, tempfile
from pathlib import Path
import pandas as pd
from dateutil.relativedelta import relativedelta
from cs_demand_model import DemandModellingDataContainer, ModelPredictor, PopulationStats
from cs_demand_model.config import Config
from cs_demand_model.datastore import fs_datastore

job = json.loads(Path(sys.argv[1]).read_text())
config = Config()
if job["sample"]:
    view = DemandModellingDataContainer(fs_datastore("sample://combined"), config).enriched_view
    view = view.assign(type=view.placement_type.apply(lambda p: p.name))[["CHILD", "DOB", "DECOM", "DEC", "type", "PLACE"]]
    view.to_csv(job["dump"], index=False, date_format="%Y-%m-%d")
    every = view.drop(columns="type")
else:
    every = pd.read_csv(job["episodes"], parse_dates=["DOB", "DECOM", "DEC"])
said = []
for text in job["days"]:
    day = pd.Timestamp(text)
    known = every[every.DECOM <= day].copy()
    known["DEC"] = known["DEC"].where(known["DEC"] <= day)
    with tempfile.TemporaryDirectory() as folder:
        out = known.assign(**{c: known[c].dt.strftime("%d/%m/%Y") for c in ("DOB", "DECOM", "DEC")})
        year = Path(folder) / str(day.year)
        year.mkdir()
        head = out.drop_duplicates("CHILD")
        extra = {c: "" for c in ("SEX", "ETHNIC", "UPN", "MOTHER", "MC_DOB")}
        head.assign(**extra)[["CHILD", "SEX", "DOB", "ETHNIC", "UPN", "MOTHER", "MC_DOB"]].to_csv(year / "header.csv", index=False)
        more = {c: "" for c in ("RNE", "LS", "CIN", "PLACE_PROVIDER", "REC", "REASON_PLACE_CHANGE", "HOME_POST", "PL_POST", "URN")}
        names = ["CHILD", "DECOM", "DEC", "PLACE", *more]
        out.assign(**more)[names].to_csv(year / "episodes.csv", index=False)
        container = DemandModellingDataContainer(fs_datastore(folder), config)
        stats = PopulationStats(container.enriched_view, config)
        for months in (12, 6):
            model = ModelPredictor.from_model(stats, day - relativedelta(months=months), day, prediction_start=day)
            last = (day + relativedelta(months=12)).date()
            path = model.predict((last - day.date()).days)
            path.index = pd.DatetimeIndex(path.index)
            for step in job["steps"]:
                then = path.loc[:day + relativedelta(months=step)].iloc[-1]
                by = then.groupby([s[1] for s in then.index]).sum()
                said += [(text, months, step, t, float(v)) for t, v in by.items()]
print(json.dumps(said))
"""
DM = """
import json, sys
from datetime import date, timedelta
from pathlib import Path
import pandas as pd
from demand_model import MultinomialPredictor

said = []
for one in json.loads(Path(sys.argv[1]).read_text()):
    state = lambda s: tuple(s) if s else tuple()
    numbers = pd.Series({(tuple(), tuple(s)): v for s, v in one["entrants"]})
    rates = pd.Series({(tuple(a), state(b)): v for a, b, v in one["rates"]})
    people = pd.Series({tuple(s): v for s, v in one["people"]})
    for series in (numbers, rates):
        series.index = pd.MultiIndex.from_tuples(series.index)
    people.index = pd.Index(list(people.index), tupleize_cols=False)
    start = date.fromisoformat(one["day"])
    path = MultinomialPredictor(people, rates, numbers, start_date=start).predict(max(one["days"])).population
    for step, days in zip(one["steps"], one["days"]):
        then = path.iloc[days - 1]
        for t in one["types"]:
            said.append((one["day"], step, t, float(sum(v for s, v in then.items() if s and s[1] == t))))
print(json.dumps(said))
"""


def ask(python: str, code: str, job: object) -> list[list[object]]:
    """Run a peer and read what it says."""
    with tempfile.TemporaryDirectory() as folder:
        path, script = Path(folder) / "job.json", Path(folder) / "peer.py"
        path.write_text(json.dumps(job))
        script.write_text(code)
        done = subprocess.run([python, "-W", "ignore", str(script), str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"a peer failed:\n{done.stderr[-2000:]}")
    found: list[list[object]] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def last_day(cutoff: pd.Timestamp) -> pd.Timestamp:
    """Give the last day of a month."""
    return pd.Timestamp(MONTHLY.end_of(pd.DatetimeIndex([cutoff]))[0])


def came(spells: pd.DataFrame, cutoffs: list[pd.Timestamp]) -> pd.DataFrame:
    """Give the stock by type that came: cutoff, step, type, y."""
    rows = []
    for cutoff in cutoffs:
        for step in STEPS:
            day = last_day(cutoff + pd.DateOffset(months=step))
            there = spells[(spells["opened"] <= day) & ~(spells["closed"] <= day)]["type"].value_counts()
            rows += [(cutoff, step, t, float(there.get(t, 0))) for t in sorted(spells["type"].unique())]
    return pd.DataFrame(rows, columns=["cutoff", "step", "type", "y"])


def ours(people: pd.DataFrame, counts: list[CountSpec], keys: list[str], cutoffs: list[pd.Timestamp], **about: object) -> pd.DataFrame:
    """Say the stock by type with the model `caseload` alone."""
    history = count_episodes(people, counts, keys=keys, frequency=MONTHLY, first=about["first"], last=about["last"])
    spec, events = CaseloadSpec(leaves_at=about.get("leaves_at")), [Event.model_validate(e) for e in about.get("events", [])]
    model = caseload_of(people, counts, keys=keys, history=history, spec=spec, events=events)
    rows = []
    for cutoff in cutoffs:
        said = model.predict(history.until(cutoff), 12, seed=1).means
        by = said.assign(type=said["unique_id"].map(model.kinds)).groupby(["ds", "type"])["mean"].sum()
        for step in STEPS:
            at = by.loc[cutoff + pd.DateOffset(months=step)]
            rows += [(cutoff, step, t, float(v)) for t, v in at.items()]
    return pd.DataFrame(rows, columns=["cutoff", "step", "type", "ours"])


def rates_of(spells: pd.DataFrame, cutoff: pd.Timestamp, *, aged: bool) -> dict[str, object]:
    """Give what demand-model needs: people, daily rates and entrants of the last year, by age band (of children) and type."""
    day = last_day(cutoff)
    known, begin = as_known(spells, day), day - pd.DateOffset(years=1)
    opened, closed = known["opened"], known["closed"].fillna(day + pd.Timedelta(days=1))
    low, high = opened.clip(lower=begin), closed.clip(upper=day)
    people: dict[tuple[str, str], float] = {}
    time: dict[tuple[str, str], float] = {}
    out: dict[tuple[tuple[str, str], tuple[str, str] | tuple[()]], float] = {}
    entrants: dict[tuple[str, str], float] = {}
    names = dict(zip(known["unique_id"], known["type"], strict=True))
    for row, a, b in zip(known.itertuples(), low, high, strict=True):
        if b < a:
            continue
        birth = row.opened - pd.Timedelta(days=(row.age + 0.5) * 365.25) if aged else None
        age = (a - birth).days / 365.25 if aged else 0.0
        state = (str(np.searchsorted(BANDS, age, side="right")), row.type)
        time[state] = time.get(state, 0.0) + (b - a).days
        if pd.isna(row.closed):
            now = (str(np.searchsorted(BANDS, (day - birth).days / 365.25, side="right")) if aged else state[0], row.type)
            people[now] = people.get(now, 0.0) + 1
        elif row.closed > begin:
            to = (state[0], names.get(row.goes, "")) if row.goes else ()
            out[(state, to)] = out.get((state, to), 0.0) + 1
        if row.came == "" and row.opened > begin:
            entrants[state] = entrants.get(state, 0.0) + 1 / 365.25
    rates = [[list(a), list(b), n / max(time[a], 1.0)] for (a, b), n in out.items()]
    if aged:
        width = np.diff(BANDS)
        rates += [[list(s), [str(int(s[0]) + 1), s[1]], 1 / (width[int(s[0]) - 1] * 365.25)] for s in time if int(s[0]) < len(width)]
    ahead = [(last_day(cutoff + pd.DateOffset(months=s)) - day).days for s in STEPS]
    return {
        "day": f"{day:%Y-%m-%d}", "people": [[list(s), n] for s, n in people.items()], "rates": rates,
        "entrants": [[list(s), n] for s, n in entrants.items()], "steps": STEPS, "days": ahead, "types": sorted(known["type"].unique()),
    }  # fmt: skip


def by_demand_model(python: str, spells: pd.DataFrame, cutoffs: list[pd.Timestamp], *, aged: bool) -> pd.DataFrame:
    """Say the stock with demand-model."""
    said = ask(python, DM, [rates_of(spells, c, aged=aged) for c in cutoffs])
    table = pd.DataFrame(said, columns=["day", "step", "type", "demand-model"])
    return table.assign(cutoff=pd.to_datetime(table.pop("day")).dt.to_period("M").dt.to_timestamp())


def by_cs(python: str, job: dict[str, object], types: dict[str, str]) -> pd.DataFrame:
    """Say the stock with cs-demand-model, by both of its default windows."""
    table = pd.DataFrame(ask(python, CS, job), columns=["day", "months", "step", "type", "value"])
    table = table.assign(cutoff=pd.to_datetime(table["day"]).dt.to_period("M").dt.to_timestamp(), type=table["type"].map(types))
    wide = table.dropna(subset=["type"]).pivot_table(index=["cutoff", "step", "type"], columns="months", values="value", aggfunc="sum")
    return wide.rename(columns={12: "cs-demand-model, a year", 6: "cs-demand-model, half a year"}).reset_index()


def council(service: str, seed: int, options: argparse.Namespace) -> pd.DataFrame:
    """Compare on one council."""
    one = example_council(seed, "standard", service=service)
    plan, people = one.plan(service), one.people(service)
    spells = spells_of(people, keys=one.keys(service), where={"service": [plan.stock]})
    shocks = [e for e in one.events if e["kind"] == "shock"]
    found = came(spells, CUTOFFS).merge(
        ours(
            people, one.counts(service), one.keys(service), CUTOFFS, first=one.first, last=one.last, leaves_at=plan.leaves_at, events=shocks
        )
    )
    aged = service == "children"
    if options.demand_model:
        found = found.merge(by_demand_model(options.demand_model, spells, CUTOFFS, aged=aged), how="left")
    if options.cs_demand_model and aged:
        lives = one.lives(service)
        kept = one.in_extract(service) & (lives.type >= 0)
        birth = pd.Timestamp(0) + pd.to_timedelta(lives.birth[lives.person[kept]], unit="D")
        days = [pd.Timestamp(0) + pd.to_timedelta(d[kept], unit="D") for d in (lives.opened, lives.closed)]
        codes = np.array([PLACES[t] for t in plan.prices])[lives.type[kept]]
        table = pd.DataFrame({"CHILD": lives.person[kept], "DOB": birth, "DECOM": days[0], "DEC": days[1], "PLACE": codes})
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "episodes.csv"
            table.to_csv(path, index=False, date_format="%Y-%m-%d")
            job = {"sample": False, "episodes": str(path), "days": [f"{last_day(c):%Y-%m-%d}" for c in CUTOFFS], "steps": STEPS}
            types = {"FOSTERING": "foster", "RESIDENTIAL": "residential", "SUPPORTED": "kinship"}
            found = found.merge(by_cs(options.cs_demand_model, job, types), how="left")
    return found.assign(service=service, seed=seed)


def sample(options: argparse.Namespace) -> pd.DataFrame:
    """Compare on the placements that ship inside cs-demand-model."""
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / "view.csv"
        days = [f"{last_day(c):%Y-%m-%d}" for c in SAMPLE_CUTOFFS]
        said = by_cs(options.cs_demand_model, {"sample": True, "dump": str(dump), "days": days, "steps": STEPS},
                     {n: n for n in ("FOSTERING", "RESIDENTIAL", "SUPPORTED", "OTHER")})  # fmt: skip
        view = pd.read_csv(dump, parse_dates=["DOB", "DECOM", "DEC"])
    people = view.rename(columns={"CHILD": "person_id", "DECOM": "opened", "DEC": "closed"}).assign(service="care")
    people["age"] = np.floor((people["opened"] - people["DOB"]).dt.days / 365.25)
    spells = spells_of(people, keys=["type"])
    about = {"first": pd.Timestamp("2017-04-01"), "last": pd.Timestamp("2022-03-31"), "leaves_at": 18}
    mine = ours(people, [CountSpec(kind="stock", unit="children")], ["type"], SAMPLE_CUTOFFS, **about)
    return came(spells, SAMPLE_CUTOFFS).merge(mine, how="left").merge(said, how="left").assign(service="sample", seed=0)


def told(found: pd.DataFrame, target: float) -> bool:
    """Print errors and ratios; say whether the target is met."""
    met, peers = True, [c for c in found if "demand-model" in c]
    for service, rows in found.groupby("service"):
        for peer in peers:
            both = rows.dropna(subset=[peer, "ours"])
            if both.empty:
                continue
            for name, part in [("6 months", both[both["step"] == 6]), ("12 months", both[both["step"] == 12]), ("both", both)]:
                mine, theirs = ((part[c] - part["y"]).abs().mean() for c in ("ours", peer))
                print(
                    f"{service:14}{peer:32}{name:10} ours {mine:7.2f}  theirs {theirs:7.2f}  ratio {mine / theirs:.3f}  ({len(part)} rows)"
                )
            met &= bool(mine <= target * theirs)
    return met


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demand-model", default="", help="the Python of an environment with demand-model 0.2.0")
    parser.add_argument("--cs-demand-model", default="", help="the Python of an environment with cs-demand-model 0.5.1")
    parser.add_argument("--seeds", type=int, default=5, help="how many councils: seeds 1, 2, 3...")
    parser.add_argument("--services", default="children,homelessness,adult_care")
    parser.add_argument("--sample", action="store_true", help="the sample inside cs-demand-model instead")
    options = parser.parse_args()
    if options.sample:
        sys.exit(0 if told(sample(options), 1.0) else 1)
    parts = [council(service, seed, options) for service in options.services.split(",") for seed in range(1, options.seeds + 1)]
    sys.exit(0 if told(pd.concat(parts, ignore_index=True), TARGET) else 1)


if __name__ == "__main__":
    main()
