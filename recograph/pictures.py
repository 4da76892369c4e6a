"""Small pictures as SVG, for places that show Markdown: bars of several colours, a grid, boxes with arrows.

A picture is a data address within an image of Markdown, as Dagster's UI shows it; nothing is fetched from anywhere.
"""

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from recograph.text import markdown

COLOURS = ("#1e88e5", "#f59f00", "#d81b60", "#2e9e5b", "#7e57c2", "#8d6e63", "#00838f", "#6b7280")
"""Told apart by those who see few colours too; a ninth thing begins anew."""
GOOD, BAD, NOTHING = "#2e9e5b", "#d81b60", "#d5dae0"
_TEXT = "#5b6673"
_HEIGHT = 120


def image(svg: str, words: str) -> str:
    """A picture as Markdown.

    Args:
        svg: what one of the functions below returned.
        words: what it shows, for those who can't see it.
    """
    return f"![{markdown(words)}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def colour(at: int) -> str:
    """The colour of the so many-th of several things."""
    return COLOURS[at % len(COLOURS)]


def stacked_bars(bars: Mapping[str, Sequence[int]], parts: Sequence[str] = ()) -> str:
    """Standing bars by name, each of several parts, with a legend where the parts have names."""
    width, most = 26, max((sum(values) for values in bars.values()), default=0) or 1
    shapes = []
    for at, (name, values) in enumerate(bars.items()):
        x, y = 10.0 + at * width, 20.0 + _HEIGHT
        for part, value in enumerate(values):
            height = _HEIGHT * value / most
            y -= height
            shapes.append(_box(x, y, width - 6, height, colour(part)))
        shapes.append(_text(x + 10, 34 + _HEIGHT, name, "middle", 9))
        shapes.append(_text(x + 10, y - 4, f"{sum(values):,}", "middle", 8))
    for at, words in enumerate(parts):
        shapes.append(_box(10 + at * 90, 46 + _HEIGHT, 9, 9, colour(at)))
        shapes.append(_text(23 + at * 90, 54 + _HEIGHT, words, "start", 10))
    return _svg(max(20 + len(bars) * width, 20 + len(parts) * 90), 64 + _HEIGHT, shapes)


def histogram(distribution: Mapping[int, int]) -> str:
    """How many things have how many of something; ranges double, since most have few and some have very many.

    Args:
        distribution: things by how many each of them has.
    """
    buckets: dict[int, int] = {}
    for count, things in distribution.items():
        buckets[count.bit_length()] = buckets.get(count.bit_length(), 0) + things
    ranges = {at: "0" if at == 0 else f"{2 ** (at - 1)}+" for at in range(max(buckets, default=0) + 1)}
    return stacked_bars({name: [buckets.get(at, 0)] for at, name in ranges.items()})


def grid(rows: Mapping[str, Sequence[str]], columns: Sequence[str]) -> str:
    """Squares in the colours that are given by row, under the names of columns, which stand on end."""
    left, shapes = 10 + 7 * max((len(name) for name in rows), default=0), []
    for at, name in enumerate(columns):
        x = left + at * 18 + 11
        shapes.append(f'<g transform="rotate(-60 {x} 52)">{_text(x, 52, name, "start", 9)}</g>')
    for at, (name, colours) in enumerate(rows.items()):
        y = 60 + at * 18
        shapes.append(_text(left - 6, y + 11, name, "end", 11))
        shapes += [_box(left + column * 18, y, 14, 14, fill) for column, fill in enumerate(colours)]
    return _svg(left + len(columns) * 18 + 40, 66 + len(rows) * 18, shapes)


def network(nodes: Sequence[str], arrows: Iterable[tuple[str, str, str]]) -> str:
    """Named circles on a ring, and named arrows between them.

    Args:
        nodes: their names.
        arrows: start, end, and what the arrow is called.
    """
    size, radius = 460, 160
    places = {
        name: (
            size / 2 + radius * math.sin(2 * math.pi * at / len(nodes)),
            size / 2 - radius * math.cos(2 * math.pi * at / len(nodes)),
        )
        for at, name in enumerate(nodes)
    }
    called: dict[tuple[str, str], list[str]] = {}
    for start, end, name in arrows:
        called.setdefault((start, end), []).append(name)
    shapes = []
    for (start, end), names in called.items():
        (x1, y1), (x2, y2) = places[start], places[end]
        label = ", ".join(names)
        if start == end:
            shapes.append(f'<circle cx="{x1}" cy="{y1 - 38:.1f}" r="16" fill="none" stroke="#9aa5b1"/>')
            shapes.append(_text(x1, y1 - 60, label, "middle", 10))
            continue
        shapes.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#9aa5b1" marker-end="url(#tip)"/>'
        )
        shapes.append(_text((x1 + x2) / 2, (y1 + y2) / 2 - 4, label, "middle", 10))
    for at, (name, (x, y)) in enumerate(places.items()):
        shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="32" fill="{colour(at)}"/>')
        shapes.append(_text(x, y + 4, name, "middle", 11, "#ffffff"))
    tip = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="44" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#9aa5b1"/></marker></defs>'
    )
    return _svg(size, size, [tip, *shapes])


def _box(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'


def _text(x: float, y: float, text: str, anchor: str, size: int, fill: str = _TEXT) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{fill}"'
    return f"<text {place}>{escape(text)}</text>"


def _svg(width: float, height: float, shapes: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif"><rect width="100%" height="100%" fill="#ffffff"/>{"".join(shapes)}</svg>'
    )
