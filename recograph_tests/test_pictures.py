"""Pictures are whole SVG with what they shall show, and nothing of a text becomes markup."""

import base64
import re
import xml.etree.ElementTree as ET

import pytest

from recograph.pictures import BAD, COLOURS, GOOD, colour, grid, histogram, image, network, stacked_bars

_SVG = "{http://www.w3.org/2000/svg}"


def words(svg: str) -> list[str]:
    """The texts of a picture, which must be XML."""
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{_SVG}text")]


def fills(svg: str) -> list[str | None]:
    return [element.get("fill") for element in ET.fromstring(svg).iter(f"{_SVG}rect")][1:]


def test_bars_have_parts_sums_and_a_legend() -> None:
    svg = stacked_bars({"11-01": [3, 1], "11-02": [0, 2]}, ["added", "removed"])
    assert words(svg) == ["11-01", "4", "11-02", "2", "added", "removed"]
    assert fills(svg) == [*COLOURS[:2], *COLOURS[:2], *COLOURS[:2]]
    assert words(stacked_bars({})) == []


def test_a_histogram_doubles_its_ranges() -> None:
    assert words(histogram({0: 5, 1: 4, 2: 2, 3: 1, 9: 1})) == ["0", "5", "1+", "4", "2+", "3", "4+", "0", "8+", "1"]


def test_a_grid_has_a_square_for_each_day() -> None:
    svg = grid({"customer_1": [GOOD, BAD], "customer_2": [GOOD, GOOD]}, ["11-01", "11-02"])
    assert words(svg) == ["11-01", "11-02", "customer_1", "customer_2"]
    assert fills(svg) == [GOOD, BAD, GOOD, GOOD]


def test_a_network_has_any_number_of_labels() -> None:
    names = [f"Label {at}" for at in range(12)]
    svg = network(
        names, [(names[0], names[1], "KNOWS"), (names[0], names[1], "LIKES"), (names[2], names[2], "IS_LIKE")]
    )
    assert words(svg) == ["KNOWS, LIKES", "IS_LIKE", *names]
    assert colour(8) == colour(0)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a & b", '"quoted"'])
def test_texts_are_only_text(text: str) -> None:
    assert words(stacked_bars({text: [1]}))[0] == text
    shown = image(stacked_bars({text: [1]}), f"]( {text}")
    match = re.fullmatch(r"!\[.*\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", shown)
    assert match
    assert base64.b64decode(match[1]).startswith(b"<svg")
