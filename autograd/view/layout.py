"""Where the cards of a picture lie: Graphviz says it, for sizes that are known before."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from io import StringIO
from typing import Any, NamedTuple

import graphviz

from autograd.errors import LayoutError

ADVANCE = 0.62
"""The width of a character in units of the font size; monospaced fonts have 0.55 to 0.61."""

FONT_SIZE = 12
LABEL_HEIGHT = 18

MISSING = (
    "a picture needs Graphviz for its layout, and none was found: `pip install 'chainrule[view]'` brings it along, or "
    "`apt-get install graphviz` or `brew install graphviz` installs it; print(graph) shows the text tree without it"
)

FAILED = "Graphviz could not lay this graph out: {}"


class Box(NamedTuple):
    """Where a card lies: its left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float


class Route(NamedTuple):
    """How an edge runs: the control points of cubic curves, the tip of its arrow, the middle of its label if any."""

    points: tuple[tuple[float, float], ...]
    tip: tuple[float, float]
    label: tuple[float, float] | None


class Layout(NamedTuple):
    """Places of boxes by id and of edges in their order, in pixels from the left upper corner."""

    width: float
    height: float
    boxes: dict[str, Box]
    routes: tuple[Route, ...]


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """Return the width that a text needs in a monospaced font; wide characters such as 中 take two places."""
    places = sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)
    return places * ADVANCE * size


def layout(
    sizes: Mapping[str, tuple[float, float]], edges: Sequence[tuple[str, str, float]], rankdir: str = "LR"
) -> Layout:
    """Place boxes and edges.

    Parameters
    ----------
    sizes : mapping of str to tuple of float
        Width and height of each box, in pixels.
    edges : sequence of tuple
        From which box to which, and the width to keep free for a label, 0 for none. Equal ones are kept apart.
    rankdir : {"LR", "TB"}
        From left to right or from top to bottom.

    Raises
    ------
    ValueError
        If `rankdir` is another.
    LayoutError
        If Graphviz is not installed, or fails.
    """
    placed = json.loads(run_graphviz(source(sizes, edges, rankdir)))
    _, _, width, height = map(float, placed["bb"].split(","))

    def point(text: str) -> tuple[float, float]:
        x, y = text.split(",")
        return float(x), height - float(y)  # Graphviz counts upwards

    boxes = {}
    for thing in placed.get("objects", ()):
        x, y = point(thing["pos"])
        w, h = sizes[thing["name"]]
        boxes[thing["name"]] = Box(x - w / 2, y - h / 2, w, h)
    routes = {}
    for edge in placed.get("edges", ()):
        tip, *points = edge["pos"].split()
        label = point(edge["lp"]) if "lp" in edge else None
        routes[int(edge["id"])] = Route(tuple(map(point, points)), point(tip.removeprefix("e,")), label)
    return Layout(width, height, boxes, tuple(routes[index] for index in range(len(edges))))


def check_direction(rankdir: str) -> None:
    """Raise an error for what is no direction of a picture."""
    if rankdir not in ("LR", "TB"):
        raise ValueError(f"rankdir must be 'LR' or 'TB', got {rankdir!r}")


def source(sizes: Mapping[str, tuple[float, float]], edges: Sequence[tuple[str, str, float]], rankdir: str) -> str:
    """Return what Graphviz is asked: boxes of fixed size, and labels of as many digits as are as wide."""
    check_direction(rankdir)
    dot = graphviz.Digraph(
        graph_attr={"rankdir": rankdir, "nodesep": "0.3", "ranksep": "0.5", "charset": "utf-8"},
        node_attr={"shape": "box", "fixedsize": "true", "label": ""},
        edge_attr={"fontname": "Courier", "fontsize": str(FONT_SIZE), "arrowsize": "0.8"},
    )
    for name, (width, height) in sizes.items():
        dot.node(name, width=f"{width / 72:.4f}", height=f"{height / 72:.4f}")
    for index, (tail, head, room) in enumerate(edges):
        digits = math.ceil(room / (0.6 * FONT_SIZE))
        dot.edge(tail, head, label="0" * digits or None, id=str(index))
    return str(dot.source)


def run_graphviz(dot: str) -> str:
    """Return the layout as JSON, from the program ``dot`` or else from the libraries within pygraphviz."""
    try:
        return str(graphviz.Source(dot).pipe(format="json0", encoding="utf-8", quiet=True))
    except graphviz.ExecutableNotFound:
        return run_libraries(dot)
    except graphviz.CalledProcessError as error:
        raise LayoutError(FAILED.format(error)) from error


def run_libraries(dot: str) -> str:
    """Return the layout as JSON, by pygraphviz."""
    try:
        import pygraphviz
    except ImportError as error:
        raise LayoutError(MISSING) from error
    try:
        with redirect_stderr(StringIO()):  # it warns of large graphs
            placed: Any = pygraphviz.AGraph(string=dot).draw(format="json0", prog="dot")
    except ValueError as error:
        raise LayoutError(FAILED.format(error)) from error
    return str(placed.decode("utf-8"))
