"""What the report is told: the stored tables, the notes, and what is known of the run.

In: a config, and the folder in which its stages have been done. Out: `ReportInput`; declared totals are left out of its history, so that
nothing is counted twice. What a config has no section for is left out, never made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from demand.disclosure.open_data import counts_table
from demand.hierarchy import declared
from demand.report.inputs import ReportInput
from demand.spec import fingerprint
from pipelines.config import RunConfig
from pipelines.frozen import recorded
from pipelines.results import load_history, start_month
from pipelines.store import SHARE, Store, versions

__all__ = ["PUBLISHED_PEOPLE", "cleared_counts", "report_input"]

PUBLISHED = SHARE + "counts.csv"
PUBLISHED_PEOPLE = "published_people.json"
"""The tables of people by segment as a public report last told them; internal, to compare the next with."""

TABLES = {
    **dict.fromkeys(("backtest", "backtest_sums"), "parquet"),
    **dict.fromkeys(
        (
            *("history", "forecast", "totals", "effects", "explanation", "demand", "cost", "not_forecast"),
            *("price_quantities", "price_draws", "levers"),
        ),
        "parquet",
    ),
    **dict.fromkeys(
        (
            "backtest_summary",
            "waterfall",
            "budget",
            "sensitivity",
            "risk",
            "segment_profile",
            "segment_use",
            "segment_equality",
            "segment_expected",
            "segment_transitions",
            "segment_cost",
            "segment_evidence",
            "segment_clustergram",
            "assumptions",
            "unpriced",
            "finance_periods",
            "reconciliation",
            "mtfp",
            "bridge",
            "backcast",
            "allocation",
            "sweep",
            "driver_windows",
            "start_prices",
            "inputs_changes",
            "outturn",
            "moved",
            "said",
            "comparators",
            "commitments",
            *("stays", "stay_ends", "stay_features", "returns_monthly", "returns_yearly", "no_activity", "late_recording"),
        ),
        "csv",
    ),
}
"""The stored tables that are handed over under their own names."""


def report_input(
    config: RunConfig,
    store: Store,
    data: Mapping[str, str],
    *,
    made_with: Mapping[str, str] | None = None,
    record: Mapping[str, object] | None = None,
) -> ReportInput:
    """Gather what the other stages stored, and what is known of the run.

    Parameters
    ----------
    config : RunConfig
    store : Store
    data : mapping of str to str
        A hash of every source.
    made_with : mapping of str to str, optional
        The versions with which the run was made, where that is not now.
    record : mapping, optional
        The forecast of record, where the run is about to become it.

    Returns
    -------
    ReportInput
    """
    tables = {name: store.table(f"{name}.{kind}") for name, kind in TABLES.items() if store.has(f"{name}.{kind}")}
    sums = declared(load_history(store.folder), config.data.hierarchy) if "history" in tables else {}
    if sums:
        tables["history"] = tables["history"][~tables["history"]["unique_id"].isin(list(sums))]
    events = [e.model_dump(include={"name", "start", "end", "kind", "where"}) for e in config.forecast.events] if config.forecast else []
    return ReportInput(
        title=config.heading,
        run=_about(config, store, data, made_with or versions(), record or recorded(store)),
        spec=config.report,
        policy=config.disclosure.policy,
        policies={name: config.disclosure.of(name).name for name in ("counts", "segments")},
        counted=cleared_counts(config, store) if config.report.audience == "public" and "history" in tables else None,
        before=told_before(store),
        **tables,
        applied=store.table("scenario_changes.csv") if store.has("scenario_changes.csv") else None,
        events=pd.DataFrame(events) if events else None,
        quality=store.json("quality.json"),
        segment_notes=_stored(store, "segment_notes.json"),
        notes=(*_model_notes(store), *(t for n in ("scenario", "budget") for t in _stored(store, f"{n}_notes.json"))),
        comparator_notes=_stored(store, "comparator_notes.json"),
        moved_since=store.json("moved_since.json") if store.has("moved_since.json") else {},
        segment_portraits=_stored(store, "segment_portraits.json"),
        track_record=_stored(store, "track_record.json"),
        parts=sums,
        questions={name: s.question for name, s in config.scenarios.items()},
    )


def told_before(store: Store) -> dict[str, pd.DataFrame]:
    """Give the tables of people by segment as they left before."""
    if PUBLISHED_PEOPLE not in store.manifest.get("files", {}):
        return {}
    return {name: pd.DataFrame(rows) for name, rows in store.json(PUBLISHED_PEOPLE).items()}


def cleared_counts(config: RunConfig, store: Store) -> pd.DataFrame:
    """Give the counts as they leave, held against those that left before.

    Raises
    ------
    DisclosureError
        Where counts are no whole numbers.
    StoreError
        Where what left before was changed or taken away since: nothing can be compared with it, and nothing leaves.
    """
    history = load_history(store.folder)
    single = history.only(set(history.ids) - set(declared(history, config.data.hierarchy)))
    earlier = store.table(PUBLISHED) if PUBLISHED in store.manifest.get("files", {}) else None
    return counts_table(single, config.publish, config.disclosure.of("counts"), earlier)


def _model_notes(store: Store) -> list[str]:
    """What models said: each thing once, with the models and how many series it concerns."""
    if not store.has("notes.parquet"):
        return []
    told = []
    for note, rows in store.table("notes.parquet").groupby("note", sort=False):
        models = ", ".join(dict.fromkeys(m for m in rows["model"] if m and m != "combined"))
        series = list(dict.fromkeys(i for i in rows["unique_id"] if i))
        where = f" ({len(series)} series)" if len(series) > 3 else f" ({', '.join(series)})" if series else ""
        told.append(f"{models}: {note}{where}" if models else f"{note}{where}")
    return told


def _stored(store: Store, name: str) -> tuple[Any, ...]:
    return tuple(store.json(name)) if store.has(name) else ()


def _about(
    config: RunConfig, store: Store, data: Mapping[str, str], made_with: Mapping[str, str], record: Mapping[str, object]
) -> dict[str, object]:
    """What is known of the run: no clock, so that the same run gives the same page."""
    about: dict[str, object] = {
        "name": config.name,
        "seed": config.seed,
        "as_of": config.as_of,
        "start_month": start_month(config),
        "data": data,
        "versions": made_with,
        "config_hash": config.fingerprint,
        "fingerprint": fingerprint(config.fingerprint, data, made_with),
        "record": record,
    }
    if not store.has("model_settings.json"):
        return about
    settings = store.json("model_settings.json")
    made = settings["made"]
    models = [name for name, weight in settings["weights"].items() if weight > 0]
    cutoff = store.table("history.parquet")["ds"].max()
    return {
        **about,
        **{k: settings[k] for k in ("frequency", "year_end_month")},
        **{k: made[k] for k in ("horizon", "draws")},
        "models": models,
        "widened": made.get("widened", {}),
        "cutoff": cutoff,
    }
