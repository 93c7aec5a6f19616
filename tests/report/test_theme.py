"""A figure for a page is well-formed, takes its colours from the page, and shares no id with another figure."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure

from spikinggamma.report.theme import PALETTE, SERIES, draw_svg, log_axis, shade, tidy


def _draw(figure: Figure) -> None:
    ax = figure.add_subplot()
    ax.plot([0.0, 1.0], [2.0, 3.123456], color=SERIES[1])
    ax.pcolormesh([0, 1, 2], [0, 1], shade(np.array([[0.5, -1.0]]), SERIES[0], SERIES[1]), rasterized=True)
    tidy(ax, x="time [ms]", y="ŷ & <ϑ>")


def test_it_is_well_formed_and_scales_with_the_page() -> None:
    root = ET.fromstring(draw_svg("one", _draw, width=300.0, height=200.0))
    assert root.attrib["viewBox"] == "0 0 300 200"
    assert "width" not in root.attrib
    assert "height" not in root.attrib
    assert "ŷ & <ϑ>" in "".join(root.itertext())


def test_colours_are_the_pages() -> None:
    svg = draw_svg("one", _draw)
    assert "var(--s1)" in svg
    assert not [light for light, _ in PALETTE.values() if light in svg]
    assert "font-family" not in svg


def test_nothing_is_fetched() -> None:
    places = re.findall(r'href="([^"]*)"', draw_svg("one", _draw))
    assert any(place.startswith("data:image/png;base64,") for place in places)
    assert all(place.startswith(("#", "data:")) for place in places)


def test_figures_share_no_id() -> None:
    ids = [set(re.findall(r'\bid="([^"]+)"', draw_svg(name, _draw))) for name in ("one", "two")]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_the_same_figure_is_drawn_the_same_way_twice() -> None:
    assert draw_svg("one", _draw) == draw_svg("one", _draw)


def test_the_light_and_dark_colours_of_the_page_can_be_told_apart_from_it() -> None:
    for light, dark in PALETTE.values():
        if light != PALETTE["grid"][0]:
            assert _contrast(light, "#ffffff") > 3.0
            assert _contrast(dark, "#171b21") > 3.0


@pytest.mark.parametrize(("value", "hue", "opacity"), [(0.0, 0, 0.0), (0.5, 0, 0.5), (-1.0, 1, 1.0), (7.0, 0, 1.0)])
def test_the_sign_is_the_hue_and_the_size_the_opacity(value: float, hue: int, opacity: float) -> None:
    image = shade(np.array([[value]]), "#000000", "#ffffff")
    assert image[0, 0].tolist() == [float(hue)] * 3 + [opacity]


def _contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, as the Web Content Accessibility Guidelines define it."""
    levels = []
    for colour in (one, other):
        channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        levels.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(levels) + 0.05) / (min(levels) + 0.05)


@pytest.mark.parametrize(
    ("low", "high", "ticks"), [(0.4, 30.0, "0.5 1 2 5 10 20"), (4e5, 3e6, "500 000 1 000 000 2 000 000")]
)
def test_logarithmic_axes_have_plain_numbers(low: float, high: float, ticks: str) -> None:
    def draw(figure: Figure) -> None:
        ax = figure.add_subplot()
        ax.set_xscale("log")
        ax.set_xlim(low, high)
        ax.set_yticks([])
        log_axis(ax.xaxis)

    words = [text.strip() for text in ET.fromstring(draw_svg("one", draw)).itertext() if text.strip()]
    assert " ".join(words).replace("\u202f", " ") == ticks
