"""The example council: ten years of a place that does not exist, for learning, for tests, and for measuring speed.

In: a seed and a size. Out: a `Council`; with `files=True` also its extracts, written as a council's systems would write them. Refuses sizes
and services that it does not know. The same seed and size always give the same council.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from demand.data.example_council import EXAMPLE_KEY, Council, Truth
from demand.data.example_files import extracts
from demand.data.example_mess import mess_up
from demand.data.example_register import registers
from demand.data.example_truth import PLANS
from demand.errors import Fault, SettingsError, did_you_mean

__all__ = ["EXAMPLE_KEY", "SIZES", "Council", "Truth", "example_council"]

SIZES = {"tiny": 2_000, "standard": 12_000, "large": 100_000}
"""About how many people come to each service in ten years (one sixth of that for children)."""


def example_council(
    seed: int = 2026,
    size: str | int = "standard",
    *,
    service: str | Sequence[str] | None = None,
    files: bool = False,
    mess: bool = False,
    folder: Path | str | None = None,
) -> Council:
    """Make a fictional Welsh council: ten years to March 2026 of homelessness, children looked after, and adult social care.

    Parameters
    ----------
    seed : int
        Another seed, another council.
    size : str or int
        tiny, standard or large, or about how many people come to each service in the ten years.
    service : str or sequence of str, optional
        homelessness, children, adult_care: only these. All by default.
    files : bool
        Whether to write the extracts as a council would have them.
    mess : bool
        Whether to write them as they really arrive: below titles, in several encodings and types, with faults; and `mess_truth.csv`, which
        says where each fault was planted.
    folder : path, optional
        Where to write them; it is made where it is not there.

    Returns
    -------
    Council

    Raises
    ------
    SettingsError
        Where the size or a service is not known, or files are asked for without a folder.

    Examples
    --------
    >>> council = example_council(size="tiny")
    >>> council.history("homelessness").frequency.code
    'M'
    """
    if isinstance(size, str) and size not in SIZES:
        raise SettingsError(Fault(f"'{size}' is not a size of the example", allowed=did_you_mean(size, SIZES) + " Or a number of people"))
    people = SIZES[size] if isinstance(size, str) else size
    if people < 500:
        raise SettingsError(Fault(f"an example of {people} people", allowed="500 or more, so that every kind of place has somebody"))
    wanted = [service] if isinstance(service, str) else list(service or PLANS)
    unknown = [Fault(f"'{s}' is not a service of the example", allowed=did_you_mean(s, PLANS)) for s in wanted if s not in PLANS]
    if unknown:
        raise SettingsError(unknown)
    council = Council(seed, people, tuple(wanted), tiny=people <= SIZES["tiny"])
    if files:
        _write(council, folder, messy=mess)
    return council


def _write(council: Council, folder: Path | str | None, *, messy: bool) -> None:
    if folder is None:
        raise SettingsError(Fault("files are asked for, but no folder", do_next="Give folder='...'"))
    Path(folder).mkdir(parents=True, exist_ok=True)
    tables = extracts(council)
    if messy:
        held = registers(tables, council.seed)
        contents, truth = mess_up(tables, council.seed)
        for name, content in contents.items():
            (Path(folder) / name).write_bytes(content)
        tables = (
            {n: t for n, t in tables.items() if n.split(".")[0] not in {c.split(".")[0] for c in contents}}
            | held
            | {"mess_truth.csv": truth}
        )
    for name, table in tables.items():
        table.to_csv(Path(folder) / name, index=False, lineterminator="\n", date_format="%d/%m/%Y")
