"""The rules of the house hold, and each of them finds a violation that is planted for it."""

from pathlib import Path

import pytest
from architecture_rules import MOST_LINES, RULES, Source, sources

ROOT = Path(__file__).resolve().parents[2]
TOLD = '"""A file that says what it is."""\n\n__all__ = []\n\n'
PLANTED = {
    "one_engine_one_file": [
        ("demand/budget.py", "def f():\n    import mlflow\n"),
        ("pipelines/run.py", "def f():\n    from mlflow import client\n"),
        ("demand/forecast.py", "from importlib import import_module\n\nimport_module('prophet')\n"),
        ("pipelines/store.py", "def f():\n    from ruamel.yaml import YAML\n"),
        ("demand/models/boosted.py", "import lightgbm\n"),
    ],
    "engines_wait": [
        ("demand/trees.py", "import shap\n"),
        ("demand/data/read.py", "try:\n    from sklearn import cluster\nfinally:\n    pass\n"),
    ],
    "sizes": [
        ("demand/budget.py", "# a line\n" * (MOST_LINES["file"] + 1)),
        ("pipelines/forecast.py", "# a line\n" * (MOST_LINES["verb"] + 1)),
        ("demand/budget.py", "def f():\n" + "    x = 1\n" * MOST_LINES["function"]),
        ("demand/budget.py", 'def f():\n    """Say much.\n' + "\n    words" * 75 + '\n    """\n    return 1\n'),
        ("demand/budget.py", "def f(a, b, c, d, e, *, f, g, h, i, j): ...\n"),
    ],
    "no_broad_except": [
        ("demand/budget.py", "try:\n    x = 1\nexcept Exception:\n    x = 2\n"),
        ("demand/budget.py", "try:\n    x = 1\nexcept:\n    x = 2\n"),
        ("pipelines/run.py", "try:\n    x = 1\nexcept (ValueError, BaseException):\n    x = 2\n"),
    ],
    "nothing_pickled": [
        ("demand/trees.py", "import pickle\n"),
        ("pipelines/store.py", "def f(model, path):\n    import joblib\n    joblib.dump(model, path)\n"),
        ("pipelines/store.py", "def f(table, path):\n    table.to_pickle(path)\n"),
        ("pipelines/store.py", "x = np.load(path, allow_pickle=True)\n"),
    ],
    "no_clock": [
        ("demand/budget.py", "from datetime import date\n\ntoday = date.today()\n"),
        ("demand/budget.py", "import pandas as pd\n\nnow = pd.Timestamp.now()\n"),
        ("demand/budget.py", "import pandas as pd\n\nnow = pd.to_datetime('today')\n"),
    ],
    "chance_by_name": [
        ("demand/forecast.py", "rng = np.random.default_rng(1)\n"),
        ("demand/forecast.py", "np.random.seed(1)\n"),
        ("demand/data/example.py", "import random\n"),
    ],
    "no_neutral_fill": [
        ("demand/tables.py", "y = y.fillna(0)\n"),
        ("demand/tables.py", "y = y.fillna(value=1.0)\n"),
        ("demand/tables.py", "y = np.nan_to_num(y)\n"),
    ],
    "library_writes_nothing": [
        ("demand/report/html.py", "path.write_text(page)\n"),
        ("demand/budget.py", "table.to_parquet(path)\n"),
        ("demand/budget.py", "with open(path, 'w') as f:\n    f.write('x')\n"),
        ("demand/budget.py", "with path.open('wb') as f:\n    f.write(b'x')\n"),
    ],
    "no_assert": [("pipelines/run.py", "assert config, 'a config is needed'\n"), ("demand/budget.py", "assert x is not None and x > 0\n")],
    "says_what_it_is": [("demand/budget.py", "x = 1\n"), ("demand/budget.py", '"""Prices."""\n')],
    "raises_are_told": [
        ("demand/budget.py", 'def price(x):\n    """Price."""\n    raise BudgetError("no price")\n'),
        ("demand/budget.py", 'def price(x):\n    """Price."""\n    _check(x)\n\n\ndef _check(x):\n    raise_all(x, BudgetError)\n'),
        ("demand/budget.py", 'class Line:\n    """A line."""\n\n    def __post_init__(self):\n        raise BudgetError("no")\n'),
    ],
    "same_on_windows": [
        ("pipelines/store.py", "import fcntl\n"),
        ("pipelines/store.py", "def f():\n    from resource import getrusage\n"),
        ("pipelines/store.py", "text = path.read_text()\n"),
        ("pipelines/store.py", "path.write_text(text, newline='')\n"),
        ("pipelines/store.py", "with open(path) as f:\n    f.read()\n"),
        ("pipelines/store.py", "with path.open('w') as f:\n    f.write('')\n"),
        ("pipelines/key.py", "with os.fdopen(handle, 'w') as f:\n    f.write('')\n"),
        ("pipelines/run.py", "subprocess.run(words, text=True)\n"),
        ("pipelines/run.py", f"place = '/{'tmp'}/demand'\n"),
        ("pipelines/run.py", "def alive(number):\n    os.kill(number, 0)\n"),
        ("pipelines/store.py", "def sync(path):\n    with path.open('rb') as f:\n        os.fsync(f.fileno())\n"),
    ],
}
INNOCENT = [
    ("demand/models/additive.py", "import numpy as np\n\n\ndef f():\n    import prophet\n\n    np.random.seed(1)\n    return prophet\n"),
    ("demand/tables.py", "import numpy as np\nimport pandas as pd\n\n\ndef f(y):\n    return y.fillna(y.mean()).rename({'a': 'b'})\n"),
    (
        "demand/budget.py",
        'def price(x):\n    """Price.\n\n    Raises\n    ------\n    BudgetError\n        None.\n    """\n    raise BudgetError("")\n',
    ),
    ("demand/tables.py", "# A day without an opening is a day with none.\ny = y.fillna(0)\nz = y.fillna(0)  # as above\n"),
    ("demand/budget.py", "assert x is not None and y is not None\n"),
    ("pipelines/reading.py", "from ruamel.yaml import YAML\n"),
    (
        "pipelines/run.py",
        "def f(number):\n    if os.name == 'posix':\n        os.kill(number, 0)\n    return os.open(path, 0), subprocess.run(words)\n",
    ),
    ("demand/data/read.py", "def f(path):\n    with path.open('rb') as file:\n        return file.read()\n"),
]


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_holds(rule: str) -> None:
    faults = [f"{source.path}: {fault}" for source in sources(ROOT) for fault in RULES[rule](source)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(("rule", "path", "text"), [(rule, *case) for rule, cases in PLANTED.items() for case in cases])
def test_a_planted_violation_is_found(rule: str, path: str, text: str) -> None:
    assert list(RULES[rule](Source(path, text)))


@pytest.mark.parametrize(("path", "text"), INNOCENT)
def test_innocent_code_passes(path: str, text: str) -> None:
    source = Source(path, TOLD + text)
    assert [fault for rule in RULES.values() for fault in rule(source)] == []


def test_every_rule_has_a_planted_violation() -> None:
    assert set(PLANTED) == set(RULES)
