"""The rules of the house, each a function from one source file to the faults in it.

In: a `Source`, a file of `demand/` or `pipelines/` with its place. Out: sentences, one a fault, each with its line. Every rule
has a planted violation in test_rules.py that it must find, so that no rule can fall asleep.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

MOST_LINES = {"file": 400, "function": 60, "function with its docstring": 70, "verb": 80, "arguments": 9}
HOMES = {
    "mlflow": "pipelines/mlflow_home.py",
    "ruamel": "pipelines/reading.py",
    "yaml": "pipelines/reading.py",
    "lightgbm": "demand/trees.py",
    "shap": "demand/trees.py",
    "dask": "pipelines/cluster.py",
    "distributed": "pipelines/cluster.py",
    "mlforecast": "demand/models/boosted.py",
    "prophet": "demand/models/additive.py",
    "cmdstanpy": "demand/models/additive.py",
    "statsforecast": "demand/models/baselines.py",
    "hierarchicalforecast": "demand/hierarchy.py",
    "stepmix": "demand/segments/mixture.py",
    "matplotlib": "demand/report/canvas.py",
    "jinja2": "demand/report/html.py",
    "docx": "demand/report/document.py",
    "xlsxwriter": "demand/report/workbook.py",
    "openpyxl": "demand/data/read.py",
}
"""Engine -> the one file that may import it, at its top or inside a function."""
EAGER = frozenset({"numpy", "pandas", "pyarrow", "xarray", "pydantic", "pydantic_core", "typer", "scipy"})
"""Foreign packages that may be imported at the top of a file; all others wait until a function needs them."""
SERIALISERS = frozenset({"pickle", "cloudpickle", "dill", "shelve", "marshal", "skops"})
WRITERS = frozenset(
    {"write_text", "write_bytes", "to_parquet", "to_excel", "to_feather", "to_hdf", "to_sql", "to_netcdf", "mkdir", "unlink"}
)
CLOCKS = (
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "Timestamp.now",
    "Timestamp.today",
    "Timestamp.utcnow",
    "time.time",
)
POSIX_ONLY = frozenset({"fcntl", "resource", "pwd", "grp", "termios", "pty", "tty", "posix", "syslog", "readline", "crypt"})
POSIX_CALLS = frozenset({"fork", "getuid", "geteuid", "setsid", "mkfifo", "chown", "kill", "killpg", "nice", "O_RDONLY"})
"""What Windows has not, or does otherwise: os.kill(process, 0) ends a process there."""
GUARDS = ("os.name", 'hasattr(os, "')
VERBS = ("run", "check", "segment", "forecast", "backtest", "explain", "scenario", "budget", "report", "publish", "link")
"""The commands that take a config; each has a file of its own in pipelines/, which only wires."""


@dataclass(frozen=True)
class Source:
    """One file: its place below the top of the checkout, with forward slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def in_library(self) -> bool:
        return self.path.startswith("demand/")


@cache
def sources(root: Path) -> list[Source]:
    """Read all the files that the rules are about, once for all rules."""
    files = sorted(p for package in ("demand", "pipelines") for p in (root / package).rglob("*.py"))
    return [Source(p.relative_to(root).as_posix(), p.read_text(encoding="utf-8")) for p in files]


def dotted(node: ast.AST) -> str:
    """Give `a.b.c` as it is written, and "" for what is not a name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else node.attr
    return ""


def imported(node: ast.AST) -> list[str]:
    """Give the modules that a statement or a call imports, however lazily."""
    if isinstance(node, ast.Import):
        return [a.name for a in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    if isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] in {"import_module", "__import__", "find_spec"} and node.args:
        name = node.args[0]
        return [name.value] if isinstance(name, ast.Constant) and isinstance(name.value, str) else []
    return []


def one_engine_one_file(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        for module in imported(node):
            home = HOMES.get(module.split(".")[0])
            if home and home != source.path:
                yield f"line {node.lineno}: imports {module}, which only {home} may"


def engines_wait(source: Source) -> Iterator[str]:
    for node in _at_the_top(source.tree):
        for module in imported(node):
            top = module.split(".")[0]
            mine = source.path == HOMES["ruamel"] and top == "ruamel"  # nothing loads reading.py before it reads a config
            if top not in EAGER | {"demand", "pipelines", "__future__"} and not mine and not _is_standard(top):
                yield f"line {node.lineno}: imports {module} at the top; import it inside the function that uses it"


def sizes(source: Source) -> Iterator[str]:
    lines = len(source.text.splitlines())
    kind = "verb" if source.path in {f"pipelines/{verb}.py" for verb in VERBS} else "file"
    if lines > MOST_LINES[kind]:
        yield f"{lines} lines; a {kind} has at most {MOST_LINES[kind]}"
    for node in _functions(source.tree):
        whole = (node.end_lineno or node.lineno) - node.lineno + 1
        docstring = node.body[0] if ast.get_docstring(node) else None
        code = whole - (docstring.end_lineno - docstring.lineno + 1 if docstring else 0)
        if code > MOST_LINES["function"] or whole > MOST_LINES["function with its docstring"]:
            yield f"line {node.lineno}: {node.name} has {code} lines, {whole} with its docstring; at most 60, and 70"
        count = len([*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs])
        if count > MOST_LINES["arguments"]:
            yield f"line {node.lineno}: {node.name} takes {count} arguments; at most {MOST_LINES['arguments']}"


def no_broad_except(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            types = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(t is None or dotted(t) in {"Exception", "BaseException"} for t in types):
                yield f"line {node.lineno}: catches everything; name the errors that are meant"


def nothing_pickled(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        for module in imported(node):
            if module.split(".")[0] in SERIALISERS:
                yield f"line {node.lineno}: imports {module}; nothing is pickled"
        name = dotted(node.func) if isinstance(node, ast.Call) else ""
        if name in {"joblib.dump", "joblib.load"} or name.split(".")[-1] in {"to_pickle", "read_pickle"}:
            yield f"line {node.lineno}: {name}: nothing is pickled"
        if (
            isinstance(node, ast.keyword)
            and node.arg == "allow_pickle"
            and not (isinstance(node.value, ast.Constant) and node.value.value is False)
        ):
            yield f"line {node.value.lineno}: allow_pickle: nothing is pickled"


def no_clock(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree) if source.in_library else ():
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            said = node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value in {"now", "today"}
            if any(name == c or name.endswith("." + c) for c in CLOCKS) or (said and name.split(".")[-1] in {"to_datetime", "Timestamp"}):
                yield f"line {node.lineno}: {name} reads the clock; as_of is an argument"


def chance_by_name(source: Source) -> Iterator[str]:
    """Randomness comes from demand.spec.stream; additive.py alone seeds, and restores, numpy's global state."""
    allowed = {"Generator", "SeedSequence"} | ({"default_rng"} if source.path == "demand/spec.py" else set())
    if source.path == HOMES["prophet"]:
        allowed |= {"seed", "get_state", "set_state"}
    for node in ast.walk(source.tree):
        if "random" in [m.split(".")[0] for m in imported(node)]:
            yield f"line {node.lineno}: imports random; use demand.spec.stream"
        if isinstance(node, ast.Attribute) and dotted(node.value) in {"np.random", "numpy.random"} and node.attr not in allowed:
            yield f"line {node.lineno}: np.random.{node.attr}; use demand.spec.stream"


def no_neutral_fill(source: Source) -> Iterator[str]:
    """A gap filled with a number says in a comment, on its line or the one above, why that number is true."""
    lines = ["", *source.text.splitlines()]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            first = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg == "value"), None)
            number = isinstance(first, ast.Constant) and isinstance(first.value, int | float) and not isinstance(first.value, bool)
            filled = (node.func.attr == "fillna" and number) or node.func.attr == "nan_to_num"
            if filled and "  # " not in lines[node.lineno] and not lines[node.lineno - 1].lstrip().startswith("# "):
                yield f"line {node.lineno}: {node.func.attr} with a number, and no comment that says why it is true"


def library_writes_nothing(source: Source) -> Iterator[str]:
    """Only the example council writes, where it is asked for files."""
    if not source.in_library or source.path.startswith("demand/data/example"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            name = dotted(node.func).split(".")[-1]
            given = [*node.args[:2], *(k.value for k in node.keywords)]
            opened = name == "open" and any(isinstance(a, ast.Constant) and a.value in {"w", "wb", "a", "ab", "x", "xb"} for a in given)
            if opened or (name in WRITERS and isinstance(node.func, ast.Attribute)):
                yield f"line {node.lineno}: {name} writes; rooms return, only pipelines write"


def no_assert(source: Source) -> Iterator[str]:
    """Only `assert x is not None` may stand, which tells the type checker what was seen to before."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assert) and not _narrows(node.test):
            yield f"line {node.lineno}: assert; raise an error that says what to do next"


def says_what_it_is(source: Source) -> Iterator[str]:
    if not ast.get_docstring(source.tree):
        yield "line 1: the file does not say what it is"
    if source.path.endswith(("__init__.py", "__main__.py")):
        return
    exported = [n for n in source.tree.body if isinstance(n, ast.Assign) and dotted(n.targets[0]) == "__all__"]
    if not exported:
        yield "line 1: no __all__"


def raises_are_told(source: Source) -> Iterator[str]:
    """A public function names, under Raises, each error that it or a private function of its file raises."""
    tree = source.tree
    private = {n.name: n for n in _functions(tree) if n.name.startswith("_") and not n.name.startswith("__")}
    for owner in [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_"))]:
        for node in (n for n in owner.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)):
            making = node.name in {"__init__", "__post_init__", "__new__"}
            if node.name.startswith("_") and not making:
                continue
            told = _raises_section(ast.get_docstring(node)) + (_raises_section(ast.get_docstring(owner)) if making else "")
            for error in sorted(_raised(node, private, frozenset())):
                if error not in told and "DemandError" not in told:
                    yield f"line {node.lineno}: {node.name} raises {error} and does not say so under Raises"


def same_on_windows(source: Source) -> Iterator[str]:
    """Text has its encoding named, nothing of POSIX is taken for granted, and what is flushed to the disk was opened for writing."""
    for node in ast.walk(source.tree):
        if any(name.split(".")[0] in POSIX_ONLY for name in imported(node)):
            yield f"line {node.lineno}: a module that Windows does not have"
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.match(r"/(?:tmp|dev)(?:/|$)", node.value):
            yield f"line {node.lineno}: {node.value} is no place on Windows"
        if isinstance(node, ast.Call) and _text_unsaid(node):
            yield f"line {node.lineno}: text without an encoding, which is another on Windows"
    for function in _functions(source.tree):
        own = list(ast.walk(function))
        named = {n.attr for n in own if isinstance(n, ast.Attribute) and dotted(n).startswith("os.")}
        if named & POSIX_CALLS and not any(guard in ast.unparse(function).replace("'", '"') for guard in GUARDS):
            yield f"line {function.lineno}: {', '.join(sorted(named & POSIX_CALLS))} is not the same on Windows: ask os.name first"
        modes = {
            a.value
            for n in own
            if isinstance(n, ast.Call) and dotted(n.func).endswith("open")
            for a in n.args
            if isinstance(a, ast.Constant)
        }
        if "fsync" in named and "rb" in modes:
            yield f"line {function.lineno}: Windows flushes no file that was opened for reading: open it with r+b"


def _text_unsaid(call: ast.Call) -> bool:
    name, keys = dotted(call.func), {k.arg for k in call.keywords}
    if "encoding" in keys or None in keys:
        return False
    if name.endswith((".read_text", ".write_text")):
        return not (name.endswith(".read_text") and call.args)
    if name.startswith("subprocess."):
        return bool(keys & {"text", "universal_newlines"})
    modes = [a.value for a in (*call.args[:2], *(k.value for k in call.keywords if k.arg == "mode")) if isinstance(a, ast.Constant)]
    mode = next((m for m in modes if isinstance(m, str) and re.fullmatch(r"[rwax]\+?[bt]?\+?", m)), "r")
    if name in {"open", "os.fdopen"}:
        return "b" not in mode
    return name.endswith(".open") and isinstance(call.func, ast.Attribute) and bool(modes) and mode in modes and "b" not in mode


RULES: dict[str, Callable[[Source], Iterator[str]]] = {
    rule.__name__: rule
    for rule in (
        one_engine_one_file, engines_wait, sizes, no_broad_except, nothing_pickled, no_clock, chance_by_name, no_neutral_fill,
        library_writes_nothing, no_assert, says_what_it_is, raises_are_told, same_on_windows,
    )
}  # fmt: skip


def _narrows(test: ast.expr) -> bool:
    parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]
    return all(
        isinstance(p, ast.Compare)
        and isinstance(p.ops[0], ast.IsNot)
        and dotted(p.comparators[0]) == ""
        and isinstance(p.comparators[0], ast.Constant)
        and p.comparators[0].value is None
        for p in parts
    )


def _is_standard(top: str) -> bool:
    return top in sys.stdlib_module_names


def _functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def _at_the_top(tree: ast.Module) -> Iterator[ast.AST]:
    """Give the statements that run on import: not those in functions, nor those for type checkers alone."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and dotted(node.test).endswith("TYPE_CHECKING"):
            waiting.extend(node.orelse)
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


def _own(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield child
            yield from _own(child)


def _raised(function: ast.AST, private: dict[str, ast.FunctionDef | ast.AsyncFunctionDef], seen: frozenset[str]) -> set[str]:
    found: set[str] = set()
    for node in _own(function):
        if isinstance(node, ast.Raise) and node.exc is not None:
            name = dotted(node.exc.func if isinstance(node.exc, ast.Call) else node.exc).split(".")[-1]
            found |= {name} if name[:1].isupper() else set()
        elif isinstance(node, ast.Call):
            name = dotted(node.func).split(".")[-1]
            if name == "raise_all" and len(node.args) > 1:
                found.add(dotted(node.args[1]).split(".")[-1])
            elif name in private and name not in seen:
                found |= _raised(private[name], private, seen | {name})
    return found


def _raises_section(docstring: str | None) -> str:
    match = re.search(r"^Raises\n-+\n(.*?)(?=^\w[\w ]*\n-{3,}|\Z)", docstring or "", re.MULTILINE | re.DOTALL)
    return match.group(1) if match else ""
