"""The theme of figures: roles and colours, which the page replaces for light and dark screens.

Figures are drawn with the light colours. In an inline SVG each of them is then replaced by a CSS variable of the page, so that
one drawing serves both modes. Series colours follow Okabe and Ito's palette, which colour-blind readers can distinguish, and
images encode their values as opacity, so that the background of either mode is visible.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, PercentFormatter

__all__ = [
    "GRID",
    "INK",
    "MUTED",
    "PALETTE",
    "SERIES",
    "STYLE",
    "Panel",
    "Section",
    "draw_svg",
    "grouped",
    "legend",
    "log_axis",
    "percent_axis",
    "shade",
    "tidy",
]

INK, MUTED, GRID = "#1c2127", "#59636e", "#dde2e8"
SERIES = ("#0072b2", "#d55e00", "#00855f", "#b5548a", "#a87400", "#6b5fb5", "#7a6a58")
_DARK = ("#5cb3ec", "#f58b4c", "#3cc79b", "#e39ac5", "#e0b545", "#aaa0f0", "#c0ae9a")

# Colours of each role on a light and on a dark page; the page declares them as CSS variables.
PALETTE: dict[str, tuple[str, str]] = {
    "ink": (INK, "#e7eaee"),
    "muted": (MUTED, "#a3adb9"),
    "grid": (GRID, "#343b44"),
    **{f"s{index}": pair for index, pair in enumerate(zip(SERIES, _DARK, strict=True))},
}

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # a wide font, so that labels fit in any font of the reader
    "font.size": 10.5,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.labelcolor": MUTED,
    "axes.labelsize": 10.5,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "patch.linewidth": 0.0,
    "path.simplify": False,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 10.0,
    "ytick.labelsize": 10.0,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
}


class Panel(NamedTuple):
    """A figure of the page: heading, a caption of one sentence, and the drawing."""

    title: str
    caption: str
    svg: str


class Section(NamedTuple):
    """A group of figures; `note` says what is missing and how to get it."""

    key: str
    title: str
    intro: str
    panels: Sequence[Panel] = ()
    note: str = ""
    columns: int = 3  # on a wide screen


def draw_svg(name: str, draw: Callable[[Figure], None], *, width: float = 325.0, height: float = 215.0) -> str:
    """Draw a figure and return it as an SVG element for a page.

    Args:
        name: A name that is unique on the page, used for the ids inside the figure.
        draw: A function that draws into the figure.
        width: Width in CSS pixels, before the page scales it.
        height: Height in CSS pixels, before the page scales it.

    Example:
        >>> draw_svg("dot", lambda figure: None)[:4]
        '<svg'
    """
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(width / 72.0, height / 72.0))
        FigureCanvasSVG(figure)
        draw(figure)
        # The layout runs once here, as a figure that keeps its layout engine is drawn twice.
        ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03).execute(figure)
        stream = io.StringIO()
        # Images inside are drawn at three times the resolution of CSS pixels, for dense screens.
        figure.savefig(stream, format="svg", dpi=216, metadata={"Date": None})
    return _for_page(stream.getvalue(), name)


def tidy(ax: Axes, *, x: str = "", y: str = "", grid: str = "y") -> None:
    """Set axis labels, and a faint grid behind the data along one axis (or "none")."""
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.set_axisbelow(True)
    if grid != "none":
        ax.grid(True, axis="x" if grid == "x" else "y")


def percent_axis(axis: Axis) -> None:
    """Format the shares of an axis as per cent."""
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))


def grouped(number: float) -> str:
    """Return a number with separated thousands.

    Example:
        >>> grouped(1234567).split("\u202f"), grouped(0.25)
        (['1', '234', '567'], '0.25')
    """
    return f"{number:,.10g}".replace(",", "\u202f")


def log_axis(axis: Axis) -> None:
    """Set plain numbers at 1, 2 and 5 of each decade on a logarithmic axis."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda number, place: grouped(number)))
    axis.set_minor_locator(NullLocator())


def legend(ax: Axes, entries: Sequence[tuple[str, str]], *, columns: int = 0) -> None:
    """Write names in their colours, (text, colour), above the axes, in one row or in rows of `columns`."""
    handles = [Line2D([], [], color=colour, linewidth=2.0, label=text) for text, colour in entries]
    ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=columns or len(handles),
        frameon=False,
        labelcolor="linecolor",
        handlelength=1.2,
        borderaxespad=0.2,
        borderpad=0.0,
        columnspacing=1.4,
        fontsize=10.0,
    )


def shade(
    values: Float[np.ndarray, "rows columns"], positive: str, negative: str
) -> Float[np.ndarray, "rows columns 4"]:
    """Return values from -1 to 1 as colours, where the sign gives the hue and the size the opacity.

    Example:
        >>> shade(np.array([[0.0, 1.0, -0.5]]), SERIES[0], SERIES[1]).shape
        (1, 3, 4)
    """
    image = np.empty((*values.shape, 4))
    image[..., :3] = np.where((values >= 0)[..., None], to_rgb(positive), to_rgb(negative))
    image[..., 3] = np.clip(np.abs(values), 0.0, 1.0)
    return image


def _for_page(svg: str, name: str) -> str:
    """Remove what the page does not need, and let its style sheet set colours and font."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
    head, body = svg.split(">", 1)
    svg = re.sub(r' (?:width|height)="[^"]*"', "", head) + ">" + body
    svg = re.sub(r' transform="rotate\(-0 [^"]*"', "", svg)
    svg = re.sub(r" font-family: [^;\"]*;", "", svg)
    svg = re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", svg)  # ids of groups, to which nothing refers
    # A precision of a hundredth of a pixel is finer than any screen, and halves the size of a raster.
    svg = re.sub(r'\b(d|x|y)="[^"]*"', lambda found: re.sub(r"(\.\d\d)\d+", r"\1", found.group()), svg)
    for role, (light, _) in PALETTE.items():
        svg = svg.replace(light, f"var(--{role})")
    svg = re.sub(r">\s+<", "><", svg).strip()
    return svg.replace("<svg", f'<svg data-figure="{name}"', 1)
