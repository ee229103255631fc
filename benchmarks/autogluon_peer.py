"""AutoGluon-TimeSeries with its fast preset, in an environment of its own: python autogluon_peer.py KNOWN.parquet SAID.parquet WORDS.

In: a long table unique_id, ds, y, and as JSON the horizon, the frequency and the quantiles. Out: a long table with a column a quantile,
and on the last line printed the seconds that fit and forecast took, imports apart.
Nothing is downloaded: the preset's models that need pretrained weights (Chronos and others of its kind) are left out.
Needs `pip install autogluon.timeseries`, in another environment than the package's, because it pins older engines.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time

os.environ.update({"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"})

import pandas as pd

REFUSED = 3
PRETRAINED = ["Chronos", "Chronos2", "Toto2"]


def main() -> int:
    """Fit, forecast, write."""
    from autogluon.timeseries import TimeSeriesDataFrame, TimeSeriesPredictor

    known, said, words = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    table = pd.read_parquet(known).rename(columns={"unique_id": "item_id", "ds": "timestamp", "y": "target"})
    data = TimeSeriesDataFrame.from_data_frame(table)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        predictor = TimeSeriesPredictor(
            path=folder,
            prediction_length=words["horizon"],
            freq=words["freq"],
            quantile_levels=words["quantiles"],
            eval_metric="WQL",
            verbosity=1,
        )
        try:
            predictor.fit(data, presets="fast_training", excluded_model_types=PRETRAINED, random_seed=1)
            found = predictor.predict(data, random_seed=1).reset_index()
        except (ValueError, RuntimeError) as error:
            print(error, file=sys.stderr)
            return REFUSED
    seconds = time.perf_counter() - start
    names = {"item_id": "unique_id", "timestamp": "ds", **{str(q): f"q{q:g}" for q in words["quantiles"]}}
    found.rename(columns=names)[list(names.values())].to_parquet(said)
    print(seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
