"""The SVG picture: well-formed, exact, every text within its box."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
from PIL import ImageFont

from autograd import graph
from autograd.view import Drawing
from autograd.view.picture import KINDS, draw, legend
from autograd.view.scale import NOT_FINITE, ZERO, colour
from tests.view.graphs import ALL, arrays, chain, hostile, leaf, needs_graphviz, product_of_sum, shared_node, twice

pytestmark = needs_graphviz

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
Element = ElementTree.Element
Span = tuple[float, float]


def parsed(svg: str) -> Element:
    """The picture as XML, without its namespace."""
    return ElementTree.fromstring(svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1))


def groups(picture: Element, kind: str) -> list[Element]:
    return [group for group in picture.iter("g") if kind in group.get("class", "").split()]


def words(group: Element, kind: str) -> str:
    found = [text for text in group.iter("text") if text.get("class") == kind]
    assert len(found) <= 1
    return found[0].text or "" if found else ""


def cards(picture: Element) -> dict[str, tuple[str, str]]:
    """Title, and value and gradient."""
    return {words(g, "title"): (words(g, "value"), words(g, "gradient")) for g in groups(picture, "node")}


def extent(text: Element, size: float) -> Span:
    """From where to where a text goes, in a real font."""
    face = "DejaVuSansMono-Bold.ttf" if text.get("font-weight") else "DejaVuSansMono.ttf"
    scale = float(text.get("font-size") or size) / 100
    width = ImageFont.truetype(str(FONTS / face), 100).getlength(text.text or "") * scale
    left = float(text.get("x", "")) - width * {"middle": 0.5, "end": 1.0}.get(text.get("text-anchor", ""), 0.0)
    return left, left + width


def box(rectangle: Element) -> tuple[float, float, float, float]:
    x, y, width, height = (float(rectangle.get(name, "0")) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def moved(group: Element) -> Span:
    x, y = re.fullmatch(r"translate\((\S+) (\S+)\)", group.get("transform", "")).groups()  # type: ignore[union-attr]
    return float(x), float(y)


def leaving(picture: Element) -> Iterator[str]:
    """Texts that leave their box, or overlap another on their line."""
    for group in groups(picture, "node"):
        _, _, width, height = next(box(r) for r in group.iter("rect") if r.get("class") == "border")
        rows: dict[str, list[Span]] = {}
        for text in group.iter("text"):
            left, right = extent(text, 12)
            row = rows.setdefault(text.get("y", ""), [])
            crossed = any(left < other[1] and other[0] < right for other in row)
            row.append((left, right))
            if left < 2 or right > width - 2 or float(text.get("y", "")) > height - 3 or crossed:
                yield text.text or ""
    for group in groups(picture, "edge"):
        chips = [box(r) for r in group.iter("rect")]
        texts = list(group.iter("text"))
        assert len(chips) == len(texts)
        for chip, text in zip(chips, texts):
            left, right = extent(text, 12)
            if left < chip[0] + 1 or right > chip[2] - 1 or not chip[1] + 9 < float(text.get("y", "")) < chip[3] - 2:
                yield text.text or ""


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
@pytest.mark.parametrize("made", ALL)
def test_no_text_leaves_its_box(made: Callable[[], Drawing], rankdir: str) -> None:
    picture = parsed(made().svg(rankdir=rankdir))
    assert groups(picture, "node")
    assert not list(leaving(picture))


def test_a_text_that_leaves_its_box_is_found() -> None:
    svg = product_of_sum().svg()
    assert list(leaving(parsed(svg.replace(">−12<", ">−12345678<")))) == ["−12345678"]
    assert list(leaving(parsed(svg.replace(">×−4<", ">×−44<")))) == ["×−44"]


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
@pytest.mark.parametrize("made", ALL)
def test_cards_lie_apart_within_the_picture(made: Callable[[], Drawing], rankdir: str) -> None:
    picture = parsed(made().svg(rankdir=rankdir))
    _, _, width, height = map(float, picture.get("viewBox", "").split())
    shift = moved(next(picture.iter("g")))
    places = []
    for group in groups(picture, "node"):
        x, y = (a + b for a, b in zip(moved(group), shift))
        _, _, w, h = next(box(r) for r in group.iter("rect") if r.get("class") == "border")
        assert x >= 0 <= y
        assert x + w <= width
        assert y + h <= height
        assert not any(x < b[2] and b[0] < x + w and y < b[3] and b[1] < y + h for b in places)
        places.append((x, y, x + w, y + h))
    key = groups(picture, "legend")[0]
    left, top = moved(key)
    assert top > max(place[3] for place in places)
    for text in key.findall("text"):
        assert left + extent(text, 10)[1] <= width
        assert top + float(text.get("y", "")) <= height


def test_product_of_a_sum() -> None:
    picture = parsed(product_of_sum().svg())
    assert cards(picture) == {
        "x": ("−2", "−4"),
        "y": ("5", "−4"),
        "z": ("−4", "3"),
        "q = +": ("3", "−4"),
        "f = ×": ("−12", "1"),
    }
    edges = {
        (g.get("data-source"), g.get("data-target")): (words(g, "local"), words(g, "contribution"))
        for g in groups(picture, "edge")
    }
    ids = {words(g, "title"): g.get("data-id") for g in groups(picture, "node")}
    assert edges == {
        (ids["x"], ids["q = +"]): ("×1", "−4"),
        (ids["y"], ids["q = +"]): ("×1", "−4"),
        (ids["q = +"], ids["f = ×"]): ("×−4", "−4"),
        (ids["z"], ids["f = ×"]): ("×3", "3"),
    }


def test_contributions_to_a_shared_node() -> None:
    drawing = shared_node()
    a = next(node.id for node in drawing.nodes if node.name == "a")
    arriving = [g for g in groups(parsed(drawing.svg()), "edge") if g.get("data-source") == a]
    assert sorted(words(g, "contribution") for g in arriving) == sorted(["−4", "2", "−6"])
    tips = [g.findtext("title", "") for g in arriving]
    assert any(tip.endswith("upstream × local = contribution: 2 × −3 = −6") for tip in tips)


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
def test_parallel_edges_are_kept_apart(rankdir: str) -> None:
    one, other = groups(parsed(twice().svg(rankdir=rankdir)), "edge")
    assert [words(g, "contribution") for g in (one, other)] == ["1", "1"]
    curves = [g.find("path").get("d") for g in (one, other)]  # type: ignore[union-attr]
    tips = [g.find("polygon").get("points", "").split()[0] for g in (one, other)]  # type: ignore[union-attr]
    assert curves[0] != curves[1]
    assert tips[0] != tips[1]
    chips = sorted(box(next(g.iter("rect"))) for g in (one, other))
    assert chips[0][2] <= chips[1][0] or abs(chips[0][1] - chips[1][1]) >= 18


@pytest.mark.parametrize("made", ALL)
def test_edges_carry_their_number_and_one_path(made: Callable[[], Drawing]) -> None:
    drawing = made()
    small = drawing.fitting[0]
    edges = groups(parsed(drawing.svg()), "edge")
    assert [g.get("data-edge") for g in edges] == [str(index) for index in range(len(small.edges))]
    assert [(g.get("data-source"), g.get("data-target")) for g in edges] == [(e.source, e.target) for e in small.edges]
    assert all(len(g.findall("path")) == len(g.findall("polygon")) == 1 for g in edges)


def test_arrows_run_from_argument_to_result() -> None:
    picture = parsed(product_of_sum().svg())
    places = {g.get("data-id"): moved(g) for g in groups(picture, "node")}
    for edge in groups(picture, "edge"):
        start = re.match(r"M(\S+)", edge.find("path").get("d", ""))[1]  # type: ignore[union-attr, index]
        tip = edge.find("polygon").get("points", "").split(",")[0]  # type: ignore[union-attr]
        assert places[edge.get("data-source")][0] < float(start) < float(tip)
        assert abs(float(tip) - places[edge.get("data-target")][0]) < 2


def test_shapes_and_colours_of_arrays() -> None:
    drawing = arrays()
    picture = parsed(drawing.svg())
    assert cards(picture)["x"] == ("[3×4] rms 6.494", "rms 0.002")
    assert cards(picture)["weight"][0] == "[4×2] rms 1e−09"
    assert cards(picture)["bias"] == ("[2] rms 0.7071", "rms ∞")
    fills = {
        words(g, "title"): next(path.get("fill") for path in g.iter("path") if path.get("class") == "colour")
        for g in groups(picture, "node")
    }
    assert fills["bias"] == NOT_FINITE
    assert fills["x"] == colour(0.002)
    assert fills["constant"] == "#ffffff"


def test_exact_zero_is_grey() -> None:
    picture = parsed(graph(leaf(3.0, "x") * 0.0).svg())
    card = next(g for g in groups(picture, "node") if words(g, "title") == "x")
    assert words(card, "gradient") == "0"
    assert ZERO in {path.get("fill") for path in card.iter("path")}


def test_kinds_are_told_apart_by_more_than_colour() -> None:
    assert len({look[1:] for look in KINDS.values()}) == len(KINDS)
    assert len({look.colour for look in KINDS.values()}) == len(KINDS)


def test_the_legend_names_what_is_there() -> None:
    texts = [t.text for t in groups(parsed(product_of_sum().svg()), "legend")[0].iter("text")]
    assert texts == ["leaf", "op", "output", "|grad|", "0", "≤1e−8", *(f"1e−{i}" for i in range(7, 0, -1)), "1e0",
                     "1e1", "1e2", "1e3", "≥1e4", "NaN ∞"]  # fmt: skip


def test_the_scale_takes_two_lines_where_there_is_little_room() -> None:
    wide, narrow = legend(["op"], "", 1000.0), legend(["op"], "", 420.0)
    assert narrow.width <= 420 < wide.width
    assert narrow.height == wide.height + 18
    assert len(narrow.lines) == len(wide.lines)


@pytest.mark.parametrize("text", legend(list(KINDS), "", 1000.0).lines)
def test_texts_of_the_legend_fit_on_their_swatch(text: str) -> None:
    element = ElementTree.fromstring(text) if text.startswith("<text") else None
    if element is not None and element.get("text-anchor") == "middle":
        left, right = extent(element, 10)
        assert right - left <= 40


def test_labels_are_escaped() -> None:
    svg = hostile().svg()
    titles = list(cards(parsed(svg)))
    assert "<&\"'>\\ --> ]|`#" in titles
    assert "line break 中文 é" in titles
    assert max(map(len, titles)) <= 32
    assert not re.search(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]", svg)
    svg.encode("utf-8")


def test_no_ids_that_could_clash() -> None:
    assert not re.search(r"\s(id|xlink:href|href)=|url\(", product_of_sum().svg())


def test_the_picture_is_described_in_words() -> None:
    assert parsed(product_of_sum().svg()).get("aria-label") == "Graph of f = × = −12: 5 nodes, 4 edges"


def test_large_graphs_say_what_was_done() -> None:
    drawing = chain()
    small, note = drawing.fitting
    picture = parsed(drawing.svg())
    assert len(small.nodes) <= 80 < len(drawing.nodes)
    assert words(groups(picture, "legend")[0], "note") == note != ""
    assert Counter(g.get("class") for g in groups(picture, "node"))["node module"] >= 1


def test_a_direction_that_is_none() -> None:
    drawing = product_of_sum()
    for do in (drawing.svg, drawing.to_dot, drawing.to_mermaid):
        with pytest.raises(ValueError, match=r"^rankdir must be 'LR' or 'TB', got 'RL'$"):
            do(rankdir="RL")


@pytest.mark.parametrize("made", ALL)
def test_the_same_graph_gives_the_same_bytes(made: Callable[[], Drawing]) -> None:
    assert draw(made().fitting[0]) == draw(made().fitting[0])


def test_another_process_gives_the_same_bytes() -> None:
    command = "from tests.view.graphs import arrays; print(ascii(arrays().svg()))"
    pictures = {
        subprocess.run(
            [sys.executable, "-c", command],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(pictures) == 1
