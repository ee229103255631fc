"""What a picture is drawn on: our colours and letters, the place that each part takes, and the bytes of the picture.

In: a function that draws. Out: SVG or PNG. Places are found in one pass, by measuring what stands outside each pair of axes; a layout
solver draws every picture twice to find the same. Refuses nothing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from demand.languages import months_short, spoken
from demand.report.words import pounds_short

__all__ = [
    "BLUE",
    "GREY",
    "INK",
    "LINES",
    "ORANGE",
    "PALE",
    "PALER",
    "PINK",
    "PURPLE",
    "SOFT",
    "TURQUOISE",
    "dates",
    "drawn",
    "label_ends",
    "legend_below",
    "number_axis",
    "percent_axis",
]

BLUE, TURQUOISE, PINK, ORANGE, GREY, PURPLE = "#12436D", "#28A197", "#801650", "#F46A25", "#3D3D3D", "#A285D1"
"""https://analysisfunction.civilservice.gov.uk/policy-store/data-visualisation-colours-in-charts/"""
PALE, PALER, INK, SOFT = "#9DB9D3", "#D3E0EC", "#0B0C0C", "#505A5F"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FONTS = b"DejaVu Sans,Verdana,Geneva,sans-serif"
"""Letters of about the same width, so that labels keep to their places: the first is what pictures are laid out for."""
LINES = 12
"""Lines of letters that stand one above the other beside a picture."""
PAD, APART = 3.0, 12.0
"""Points between what is drawn and the edge, and between neighbours."""
STYLE: Any = {
    "svg.hashsalt": "demand",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#6F777B",
    "axes.labelcolor": INK,
    "axes.titley": 1.0,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#DEE0E2",
    "axes.axisbelow": True,
    "figure.facecolor": "white",
    "text.color": INK,
    "text.parse_math": False,
}


def drawn(draw: Callable[[Any], None], kind: str = "svg", *, size: tuple[float, float] = (5.8, 3.1)) -> bytes:
    """Draw with our style on a figure of its own, without the global state of pyplot, and give it as `svg` or `png`."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas

    with mpl.rc_context(STYLE):
        canvas = Canvas(figsize=size, dpi=72)
        draw(canvas)
        _place(canvas)
        out = io.BytesIO()
        about = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
        canvas.savefig(out, format=kind, metadata=about, dpi=200)
    content = out.getvalue()
    return _smaller(content[content.index(b"<svg") :]) if kind == "svg" else content


def legend_below(canvas: Any, *, columns: int = 3, long: bool = False) -> float:
    """Say under a picture what its lines are, once each, and give the inches it takes; `long` where dashes have to be told apart."""
    named = {label: mark for axes in canvas.axes for mark, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    if not named:
        return 0.0
    legend = _legend(canvas, named, columns, long)
    while columns > 1 and legend.get_window_extent(_ruler(canvas)).width > canvas.bbox.width:
        columns -= 1
        legend.remove()
        legend = _legend(canvas, named, columns, long)
    return float(legend.get_window_extent(_ruler(canvas)).height / canvas.dpi)


def _legend(canvas: Any, named: dict[str, Any], columns: int, long: bool) -> Any:
    return canvas.legend(
        named.values(), named, loc="lower center", ncols=columns, frameon=False, fontsize=10, borderpad=0, borderaxespad=0.3,
        handlelength=3 if long else 1.5, columnspacing=1.2,
    )  # fmt: skip


def _ruler(canvas: Any) -> Any:
    """What measures letters as they stand in an SVG."""
    from matplotlib.backends.backend_svg import RendererSVG

    renderer: Any = RendererSVG
    return renderer(canvas.bbox.width, canvas.bbox.height, io.StringIO())


def percent_axis(axis: Any) -> None:
    """Write a share of 1 as per cent along an axis."""
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def number_axis(axis: Any, money: bool, *, places: int = 5) -> None:
    """Write counts or pounds along an axis, at a few round places."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=places, min_n_ticks=3, integer=not money))
    axis.set_major_formatter(FuncFormatter(lambda v, _: pounds_short(v) if money else f"{v:,.0f}"))


def dates(axes: Any) -> None:
    """Write dates along the lower axis, at a few places."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator: Any = AutoDateLocator
    formatter: Any = ConciseDateFormatter
    where = locator(minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(where)
    axes.xaxis.set_major_formatter(formatter(where, show_offset=False) if spoken() == "en" else _months_said(formatter(where)))


def _months_said(formatter: Any) -> Any:
    """Write the dates along an axis with the months of the language that is spoken."""
    own = months_short()
    formatter.show_offset = False
    found = formatter.format_ticks

    def said(values: Any) -> list[str]:
        return [next((t.replace(m, own[i]) for i, m in enumerate(MONTHS, start=1) if m in t), t) for t in found(values)]

    formatter.format_ticks = said
    return formatter


def label_ends(axes: Any, ends: dict[str, tuple[float, str]]) -> None:
    """Write at the right of each line what it is, one above the other where lines end together: label -> (value, colour)."""
    axes.margins(x=0)
    low, high = axes.get_ylim()
    line, at = (high - low) / max(LINES, sum(label.count("\n") + 1 for label in ends)), low
    beside, places = axes.get_yaxis_transform(), []
    for label, (value, colour) in sorted(ends.items(), key=lambda item: item[1][0]):
        tall = line * (label.count("\n") + 1)
        at = max(value - tall / 2, at)
        places.append((label, value, colour, at + tall / 2))
        at += tall
    down = max(at - high, 0.0)
    for label, value, colour, middle in places:
        axes.plot([1.0, 1.04], [value, middle - down], color=colour, lw=1.2, transform=beside, clip_on=False)
        axes.text(1.05, middle - down, label, transform=beside, va="center", fontsize=9.5, linespacing=1.0)
    axes.set_ylim(low, high)


def _place(canvas: Any) -> None:
    """Leave each pair of axes the room that its labels take, and the legend its own at the foot."""
    width, height = canvas.bbox.width, canvas.bbox.height
    ruler = _ruler(canvas)
    foot = min(sum(legend.get_window_extent(ruler).height + APART / 2 for legend in canvas.legends), 0.7 * height)
    spec = canvas.axes[0].get_subplotspec().get_gridspec()
    over = np.zeros((4, spec.nrows, spec.ncols))  # left, right, foot, head
    for axes in canvas.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if not axis.get_label_text():
                axis.set_label_coords(0.5, 0.0)  # a label that is not there needs no place
        where, own = axes.get_subplotspec(), axes.get_window_extent(ruler)
        around = axes.get_tightbbox(ruler, for_layout_only=True)
        over[:, where.rowspan.start, where.colspan.start] = np.maximum(
            [own.x0 - around.x0, around.x1 - own.x1, own.y0 - around.y0, around.y1 - own.y1], 0.0
        )
    most = np.array([0.6 * width / spec.ncols, 0.35 * width / spec.ncols, 0.4 * height / spec.nrows, 0.2 * height / spec.nrows])
    left, right, below, above = np.minimum(over, most[:, None, None])  # a name without end leaves room for what it names
    across = (right.max(axis=0)[:-1] + left.max(axis=0)[1:]).max(initial=0.0) + APART
    down = (below.max(axis=1)[:-1] + above.max(axis=1)[1:]).max(initial=0.0) + APART
    ends = {
        "left": left[:, 0].max() + PAD,
        "right": width - right[:, -1].max() - PAD,
        "bottom": below[-1].max() + PAD + foot,
        "top": height - above[0].max() - PAD,
    }
    cell_width = max((ends["right"] - ends["left"] - across * (spec.ncols - 1)) / spec.ncols, 1.0)
    cell_height = max((ends["top"] - ends["bottom"] - down * (spec.nrows - 1)) / spec.nrows, 1.0)
    canvas.subplots_adjust(
        **{k: v / (width if k in ("left", "right") else height) for k, v in ends.items()},
        wspace=across / cell_width,
        hspace=down / cell_height,
    )


def _smaller(svg: bytes) -> bytes:
    """Write a picture in fewer bytes: places to a hundredth of a point, no description of the file, no indents."""
    short = re.sub(rb"<metadata>.*?</metadata>", b"", svg, flags=re.DOTALL)
    short = re.sub(rb' transform="rotate\(-0 [^"]*"', b"", short)
    short = re.sub(rb' (d|x|y|transform)="[^"]*"', _places, short).replace(b"'DejaVu Sans'", FONTS)
    return re.sub(rb"\s*\n\s*", b" ", short)


def _places(found: re.Match[bytes]) -> bytes:
    rounded = re.sub(rb"(?<=\d\.\d\d)\d+", b"", found[0])
    return re.sub(rb"\s*([MLQCz])\s*", rb"\1", rounded) if found[1] == b"d" else rounded
