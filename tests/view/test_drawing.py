"""Drawings: layout by either Graphviz, files, notebooks."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import nn
from autograd import LayoutError, Tensor, graph, no_grad
from autograd.view import Drawing, Graph, drawing
from autograd.view.layout import layout, run_graphviz
from tests.view.graphs import ALL, hostile, leaf, needs_graphviz, product_of_sum, twice


@pytest.fixture
def no_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def no_graphviz(no_program: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)


# Layout


@needs_graphviz
def test_boxes_have_their_size_and_edges_reach_them() -> None:
    placed = layout({"a": (100, 60), "b": (80, 40)}, [("a", "b", 50), ("a", "b", 0)])
    a, b = placed.boxes["a"], placed.boxes["b"]
    assert (a.width, a.height, b.width, b.height) == (100, 60, 80, 40)
    assert a.x + a.width < b.x
    for route in placed.routes:
        assert route.points[0][0] == pytest.approx(a.x + a.width, abs=1)
        assert route.tip[0] == pytest.approx(b.x, abs=1)
    assert placed.routes[0].label is not None
    assert placed.routes[1].label is None


@needs_graphviz
def test_from_top_to_bottom() -> None:
    placed = layout({"a": (100, 60), "b": (80, 40)}, [("a", "b", 0)], "TB")
    assert placed.boxes["a"].y + 60 < placed.boxes["b"].y


def test_the_libraries_of_pygraphviz_do_without_the_program(no_program: None) -> None:
    pytest.importorskip("pygraphviz")
    drawing = product_of_sum()
    picture = ElementTree.fromstring(drawing.svg())
    kinds = [group.get("class") for group in picture.iter("{http://www.w3.org/2000/svg}g")]
    assert kinds.count("edge") == 4
    assert sum(str(kind).startswith("node ") for kind in kinds) == 5


def test_without_graphviz_one_error_names_the_cure(no_graphviz: None) -> None:
    with pytest.raises(LayoutError) as caught:
        product_of_sum().svg()
    assert str(caught.value) == (
        "a picture needs Graphviz for its layout, and none was found: `pip install 'chainrule[view]'` brings it along, "
        "or `apt-get install graphviz` or `brew install graphviz` installs it; print(graph) shows the text tree "
        "without it"
    )


def test_without_graphviz_texts_still_work(no_graphviz: None, tmp_path: Path) -> None:
    drawing = product_of_sum()
    assert str(drawing).startswith("f = multiply")
    for ending in ("dot", "mmd", "json"):
        drawing.save(tmp_path / f"f.{ending}")
        assert (tmp_path / f"f.{ending}").stat().st_size


@needs_graphviz
def test_a_failure_of_graphviz_is_told() -> None:
    with pytest.raises(LayoutError, match=r"^Graphviz could not lay this graph out: "):
        run_graphviz("digraph {")


def test_a_failure_of_the_libraries_is_told(no_program: None) -> None:
    pytest.importorskip("pygraphviz")
    with pytest.raises(LayoutError, match=r"^Graphviz could not lay this graph out: "):
        run_graphviz("digraph {")


# The graph


def test_a_drawing_is_a_graph() -> None:
    drawing = product_of_sum()
    assert isinstance(drawing, Graph)
    assert repr(drawing) == "<Graph of f = ×: 5 nodes, 4 edges>"
    assert Graph.from_json(drawing.to_json()) == drawing


def test_parts_are_drawings_too() -> None:
    model = nn.Sequential(*[nn.Linear(2, 2) for _ in range(5)])
    drawing = graph(np.sum(model(Tensor(np.ones((1, 2)), requires_grad=True, name="x"))))
    collapsed = drawing.collapse(1)
    near = drawing.neighbourhood(drawing.root.id, 1)
    for part in (collapsed, drawing.fold(), near):
        assert isinstance(part, Drawing)
        assert len(part.nodes) < len(drawing.nodes)
    assert [node.kind for node in collapsed.nodes] == ["leaf", "module", "output"]
    assert len(near.nodes) == 2


def test_before_and_after_backward_it_is_the_same() -> None:
    f = leaf(2.0, "x") * leaf(3.0, "y")
    before = graph(f)
    f.backward()
    assert graph(f) == before


# Files


@needs_graphviz
def test_svg(tmp_path: Path) -> None:
    drawing = product_of_sum()
    drawing.save(tmp_path / "f.svg")
    drawing.save(str(tmp_path / "down.SVG"), rankdir="TB")
    assert (tmp_path / "f.svg").read_text("utf-8") == drawing.svg()
    assert (tmp_path / "down.SVG").read_text("utf-8") == drawing.svg(rankdir="TB") != drawing.svg()


@needs_graphviz
def test_html(tmp_path: Path) -> None:
    drawing = product_of_sum()
    drawing.save(tmp_path / "f.html")
    assert (tmp_path / "f.html").read_text("utf-8") == drawing.stepper()
    assert (tmp_path / "f.html").stat().st_size < 30_000


def test_json(tmp_path: Path) -> None:
    drawing = product_of_sum()
    drawing.save(tmp_path / "f.json")
    assert Graph.from_json((tmp_path / "f.json").read_text("utf-8")) == drawing


@needs_graphviz
def test_names_that_no_file_can_hold_are_written_as_they_are_drawn(tmp_path: Path) -> None:
    made = hostile()
    for ending in ("html", "json"):
        made.save(tmp_path / f"f.{ending}")
        text = (tmp_path / f"f.{ending}").read_text("utf-8")
        assert "line break 中文 é" in text
    assert str(made).splitlines()[2].endswith(" · line break 中文 é  2  grad 1")


def cairo_works() -> bool:
    try:
        import cairosvg  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


needs_cairo = pytest.mark.skipif(not cairo_works(), reason="PNG and PDF need CairoSVG")


@needs_graphviz
@needs_cairo
def test_png_has_two_dots_for_a_pixel(tmp_path: Path) -> None:
    made = product_of_sum()
    made.save(tmp_path / "f.png")
    content = (tmp_path / "f.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert dots(content) == tuple(int(2 * number) for number in drawing.size(made.svg()))


def dots(png: bytes) -> tuple[int, int]:
    """The size that the header of a PNG gives."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


@needs_graphviz
@needs_cairo
def test_a_wide_graph_becomes_a_png_that_cairo_can_make(tmp_path: Path) -> None:
    f = leaf(np.arange(3.0), "x")
    for _ in range(77):
        f = np.sin(f)
    wide = graph(f.sum())
    wide.save(tmp_path / "w.png")
    width, height = drawing.size(wide.svg())
    across, down = dots((tmp_path / "w.png").read_bytes())
    assert 2 * width > across == 32_767
    assert down / across == pytest.approx(height / width, rel=0.01)


@needs_graphviz
@needs_cairo
def test_a_large_picture_becomes_a_png_that_viewers_open(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Image.MAX_IMAGE_PIXELS is not None
    assert Image.MAX_IMAGE_PIXELS > drawing.MOST_DOTS  # beyond, Pillow warns
    svg = product_of_sum().svg()
    width, height = drawing.size(svg)
    monkeypatch.setattr(drawing, "MOST_DOTS", width * height)
    assert dots(drawing.converted(svg, "PNG")) == (round(width), round(height))


@needs_graphviz
@needs_cairo
def test_pdf_tells_no_time(tmp_path: Path) -> None:
    product_of_sum().save(tmp_path / "f.pdf")
    content = (tmp_path / "f.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert re.findall(rb"\(D:(\d+)", content) == [b"19700101000000"]


@needs_graphviz
@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_without_cairo_one_error_names_the_cure(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    with pytest.raises(LayoutError) as caught:
        product_of_sum().save(tmp_path / f"f.{ending}")
    assert str(caught.value) == (
        f"a picture becomes a {ending.upper()} by CairoSVG, which was not found: `pip install 'chainrule[view]'` "
        "brings it along, and `apt-get install libcairo2` or `brew install cairo` the library it needs; '.svg' "
        "and '.html' need neither"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["f.gif", "f", ".svg"])
def test_an_ending_that_is_unknown(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with pytest.raises(ValueError, match="a graph is saved as") as caught:
        product_of_sum().save(path)
    assert str(caught.value) == (
        f"a graph is saved as .svg, .png, .pdf, .html, .dot, .mmd, .json, not as {path.suffix!r}: {str(path)!r}"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["svg", "html", "json"])
def test_a_direction_that_is_unknown(ending: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^rankdir must be 'LR' or 'TB', got 'RL'$"):
        product_of_sum().save(tmp_path / f"f.{ending}", rankdir="RL")
    assert not list(tmp_path.iterdir())


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f.json"
    path.write_text("as it was")

    def full(descriptor: int) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space left"):
            product_of_sum().save(path)
    assert path.read_text() == "as it was"
    assert [file.name for file in tmp_path.iterdir()] == ["f.json"]


# Other languages


@needs_graphviz
@pytest.mark.parametrize("made", ALL)
def test_graphviz_reads_the_dot(made: Callable[[], Drawing]) -> None:
    drawing = made()
    read = json.loads(run_graphviz(drawing.to_dot()))
    assert [thing["name"] for thing in read["objects"]] == [node.id for node in drawing.nodes]
    ends = [(f"n{e.source[1:]}", f"n{e.target[1:]}") for e in drawing.edges]
    names = [thing["name"] for thing in read["objects"]]
    assert sorted((names[e["tail"]], names[e["head"]]) for e in read["edges"]) == sorted(ends)


def test_dot() -> None:
    lines = [line.strip() for line in twice().to_dot().splitlines()]
    assert lines[-3:] == ["n0 -> n1 [label=1]", "n0 -> n1 [label=1]", "}"]
    assert "value 3" in lines
    assert "rankdir=TB" in twice().to_dot(rankdir="TB")


def test_dot_is_escaped() -> None:
    assert "&lt;&amp;\\\"'&gt;\\\\ --&gt; ]|`#" in hostile().to_dot()


def test_mermaid() -> None:
    assert product_of_sum().to_mermaid(rankdir="TB").splitlines()[:10] == [
        "flowchart TB",
        '    n0(["x<br/>value −2<br/>grad −4"])',
        '    n1(["y<br/>value 5<br/>grad −4"])',
        '    n2(["z<br/>value −4<br/>grad 3"])',
        '    n3["q = +<br/>value 3<br/>grad −4"]',
        '    n4{{"f = ×<br/>value −12<br/>grad 1"}}',
        '    n3 -->|"−4"| n4',
        '    n2 -->|"3"| n4',
        '    n0 -->|"−4"| n3',
        '    n1 -->|"−4"| n3',
    ]


def test_mermaid_is_escaped() -> None:
    line = hostile().to_mermaid().splitlines()[1]
    assert line == '    n0(["#60;#38;#34;\'#62;#92; --#62; ]|#96;#35;<br/>value 1<br/>grad 2"])'


# Notebooks


class Tags(HTMLParser):
    """Reads which tags open, with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@needs_graphviz
def test_a_notebook_shows_a_picture_below_a_sandboxed_stepper() -> None:
    drawing = product_of_sum()
    shown = drawing._repr_mimebundle_()
    assert set(shown) == {"text/plain", "text/html"}
    assert shown["text/plain"] == str(drawing)
    reader = Tags()
    reader.feed(shown["text/html"])
    assert [tag for tag, _ in reader.tags] == ["div", "div", "img", "iframe"]
    picture, frame = (fields for _, fields in reader.tags[2:])
    kind, data = str(picture["src"]).split(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode("utf-8") == drawing.svg()
    assert picture["alt"] == "Graph of f = × = −12: 5 nodes, 4 edges"
    assert frame["sandbox"] == "allow-scripts"
    assert frame["srcdoc"] == drawing.stepper()


@pytest.mark.parametrize("made", ALL)
def test_showing_never_raises(made: Callable[[], Drawing], no_graphviz: None) -> None:
    shown = made()._repr_html_()
    assert shown.startswith("<pre>")
    assert "pip install &#x27;chainrule[view]&#x27;" in shown
    assert "<" not in shown.removeprefix("<pre>").removesuffix("</pre>")


def test_what_was_not_recorded_has_no_graph() -> None:
    with no_grad():
        f = leaf(1.0, "x") * 2.0
    with pytest.raises(TypeError, match=r"^graph\(\) of .*, which does not require grad"):
        graph(f)
