"""A graph as one SVG picture: cards for nodes, and on every edge the contribution that flows back along it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from autograd.view.layout import FONT_SIZE, LABEL_HEIGHT, Box, Route, layout, text_width
from autograd.view.model import Graph, GraphEdge, GraphNode, Summary
from autograd.view.scale import LEAST, MOST, NOT_FINITE, ZERO, colour, colour_of, ink

FONT = "DejaVu Sans Mono, Menlo, Consolas, Liberation Mono, monospace"
MARGIN = 14
PAD = 8
ROW = 20
TITLE = 22
LONGEST_TITLE = 32
SWATCH = 40
NARROWEST = 420
EDGES_WITH_LOCAL, EDGES_WITH_LABEL = 60, 250
"""Up to so many edges, they carry the local derivative, and the contribution; beyond, they show them on hovering."""

INK, FAINT, LINE, LOCAL, PAPER, CARD = "#14181f", "#5b6270", "#8a8f9c", "#0f766e", "#fcfcfe", "#ffffff"


class Kind(NamedTuple):
    """How a kind of node looks, apart from its colour too: its corners, its border, a mark in the title."""

    colour: str
    radius: float
    border: float
    dashes: str
    mark: str


KINDS = {
    "leaf": Kind("#1d5fa8", 11, 1.5, "", "circle"),
    "parameter": Kind("#1f7a4d", 11, 1.5, "", "square"),
    "constant": Kind("#5f6675", 0, 1.5, "4 3", ""),
    "op": Kind("#3d4160", 3, 1.5, "", ""),
    "output": Kind("#6b2fa0", 3, 3.5, "", "ring"),
    "module": Kind("#0b6b74", 6, 1.5, "", "bars"),
}
BEHIND = 4
"""How far the card shows that lies behind one of repeated blocks."""


def draw(graph: Graph, *, rankdir: str = "LR", note: str = "") -> str:
    """Return a picture of a graph as SVG.

    Every node is a group ``<g class="node KIND" data-id="n3">`` with texts of class ``title``, ``value`` and
    ``gradient``; every edge is ``<g class="edge" data-edge="INDEX">`` with one path and, where it is known, a text of
    class ``contribution``.

    Parameters
    ----------
    graph : Graph
        What to draw.
    rankdir : {"LR", "TB"}, optional
        From left to right or from top to bottom.
    note : str, optional
        A line below the picture.

    Raises
    ------
    ValueError
        If `rankdir` is another.
    LayoutError
        If Graphviz is not installed, or fails.
    """
    cards = {node.id: Card(node) for node in graph.nodes}
    labels = [Label(edge, len(graph.edges)) for edge in graph.edges]
    placed = layout(
        {name: (card.width, card.height) for name, card in cards.items()},
        [(label.edge.source, label.edge.target, label.width) for label in labels],
        rankdir,
    )
    foot = legend(sorted({node.kind for node in graph.nodes}, key=order), note, max(placed.width, NARROWEST))
    width, height = max(placed.width, foot.width) + 2 * MARGIN, placed.height + foot.height + 3 * MARGIN
    shift = (width - placed.width) / 2
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chainrule" role="img" aria-label="{escape(alt_text(graph))}" '
        f'width="{n(width)}" height="{n(height)}" viewBox="0 0 {n(width)} {n(height)}" '
        f'font-family="{FONT}" font-size="{FONT_SIZE}">',
        f'<rect class="paper" width="{n(width)}" height="{n(height)}" fill="{PAPER}"/>',
        f'<g transform="translate({n(shift)} {MARGIN})">',
        *(
            line
            for index, (label, route) in enumerate(zip(labels, placed.routes))
            for line in label.lines(index, route, cards)
        ),
        *(line for name, card in cards.items() for line in card.lines(placed.boxes[name])),
        "</g>",
        f'<g class="legend" transform="translate({MARGIN} {n(placed.height + 2 * MARGIN)})" font-size="10">',
        *foot.lines,
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def alt_text(graph: Graph) -> str:
    """Return what the picture shows, in a sentence."""
    root = graph.root
    size = f"{len(graph.nodes):,} nodes, {len(graph.edges):,} edges"
    return f"Graph of {root.title} = {value_text(root)}: {size}"


class Card:
    """A node as it is drawn: a title, perhaps a row of words, a row for the value, a row for the gradient."""

    def __init__(self, node: GraphNode) -> None:
        self.node = node
        self.look = KINDS[node.kind]
        self.title = shortened(node.title)
        self.value, self.gradient = value_text(node), gradient_text(node.gradient)
        self.note = shortened(node.note)
        self.behind = BEHIND if node.repeats > 1 else 0
        self.indent = 14 if self.look.mark else 0
        rows = [f"value {self.value}", f"grad {self.gradient}", self.note]
        widths = [text_width(self.title) + 2 * self.indent, *map(text_width, rows), 64.0]
        self.width = 2 * PAD + max(widths) + self.behind
        self.height = TITLE + ROW * (3.0 if self.note else 2.0) + self.behind

    def lines(self, box: Box) -> Iterator[str]:
        """Yield the SVG of the card."""
        node, look, behind = self.node, self.look, self.behind
        width, height = box.width - behind, box.height - behind
        back = colour_of(node.gradient) if node.gradient else CARD
        yield (
            f'<g class="node {escape(node.kind)}" data-id="{escape(node.id)}" '
            f'transform="translate({n(box.x)} {n(box.y + behind)})">'
        )
        yield f"<title>{escape(description(node))}</title>"
        if behind:
            yield f'<rect x="{behind}" y="-{behind}" {frame(look, width, height)}/>'
        yield f'<rect class="card" {frame(look, width, height)}/>'
        yield f'<path class="head" d="{upper(width, TITLE, look.radius)}" fill="{look.colour}"/>'
        yield f'<path class="colour" d="{lower(width, height, look.radius)}" fill="{back}"/>'
        yield f'<rect class="border" {frame(look, width, height, fill="none")}/>'
        yield from mark(look.mark, PAD + 4, TITLE / 2)
        yield text("title", width / 2, 15, self.title, "#ffffff", "middle", ' font-weight="bold"')
        value, gradient = height - ROW - 6, height - 6
        if self.note:
            yield text("note", PAD, value - ROW, self.note, FAINT)
        yield text("label", PAD, value, "value", FAINT)
        yield text("value", width - PAD, value, self.value, INK, "end")
        yield text("label", PAD, gradient, "grad", ink(back))
        yield text("gradient", width - PAD, gradient, self.gradient, ink(back), "end")
        yield "</g>"


class Label:
    """What an edge carries: the local derivative, and the contribution on the colour of its size."""

    def __init__(self, edge: GraphEdge, edges: int) -> None:
        self.edge = edge
        self.local = (
            f"{'×' if edge.local.number is not None else '× '}{edge.local.text}"
            if edge.local and edges <= EDGES_WITH_LOCAL
            else ""
        )
        self.contribution = edge.contribution.text if edge.contribution and edges <= EDGES_WITH_LABEL else ""
        self.widths = [text_width(part, 11) + 8 if part else 0.0 for part in (self.local, self.contribution)]
        self.width = sum(self.widths)

    def lines(self, index: int, route: Route, cards: dict[str, Card]) -> Iterator[str]:
        """Yield the SVG of the edge."""
        edge = self.edge
        source, target = cards[edge.source].node, cards[edge.target].node
        (x, y), *curve = route.points
        path = f"M{n(x)} {n(y)}C" + " ".join(f"{n(x)} {n(y)}" for x, y in curve)
        dashes = ' stroke-dasharray="4 3"' if source.kind == "constant" else ""
        yield (
            f'<g class="edge" data-edge="{index}" data-source="{escape(edge.source)}" '
            f'data-target="{escape(edge.target)}">'
        )
        yield f"<title>{escape(relation(edge, source, target))}</title>"
        thickness = n(min(1.5 + math.log10(edge.total), 4))
        yield f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="{thickness}"{dashes}/>'
        yield f'<polygon class="arrow" points="{arrow(route)}" fill="{LINE}"/>'
        if self.width and route.label:
            yield from self.chips(*route.label)
        yield "</g>"

    def chips(self, x: float, y: float) -> Iterator[str]:
        """Yield the texts of the edge and the chips that they stand on, around a point."""
        left, top = x - self.width / 2, y - LABEL_HEIGHT / 2
        if self.local:
            yield chip(left, top, self.widths[0], CARD)
            yield text("local", left + self.widths[0] / 2, top + 13, self.local, LOCAL, "middle", ' font-size="11"')
        if self.edge.contribution and self.contribution:
            back, width = colour_of(self.edge.contribution), self.widths[1]
            middle = left + self.widths[0] + width / 2
            yield chip(middle - width / 2, top, width, back)
            yield text("contribution", middle, top + 13, self.contribution, ink(back), "middle", ' font-size="11"')


class Legend(NamedTuple):
    """What stands below the picture."""

    width: float
    height: float
    lines: list[str]


def legend(kinds: list[str], note: str, room: float) -> Legend:
    """Return the meaning of colours and marks; the scale takes a second line where there is no room for it."""
    lines, x, y = [], 0.0, 0.0
    if note:
        lines.append(text("note", 0, 10, note, INK, extra=' font-size="12"'))
        y += 22
    longest = text_width(note)
    for kind in kinds:
        look = KINDS[kind]
        lines.append(f'<g transform="translate({n(x)} {n(y)})">')
        lines.append(f"<rect {frame(look._replace(radius=look.radius / 2), 22, 14, fill=look.colour)}/>")
        lines += mark(look.mark, 11, 7)
        word = "several nodes" if kind == "module" else kind
        lines += [text("kind", 28, 11, word, INK), "</g>"]
        x += 28 + text_width(word, 10) + 16
    start = text_width("|grad|", 10) + 8
    longest, x, y = max(longest, x), start, y + 22
    lines.append(text("scale", 0, y + 11, "|grad|", FAINT))
    powers = [(colour(10.0**exponent), power(exponent)) for exponent in range(LEAST, MOST + 1)]
    for back, label in [(ZERO, "0"), *powers, (NOT_FINITE, "NaN ∞")]:
        if x + SWATCH > room:
            longest, x, y = max(longest, x), start, y + 18
        lines.append(f'<rect x="{n(x)}" y="{n(y)}" width="{SWATCH}" height="15" fill="{back}"/>')
        lines.append(text("scale", x + SWATCH / 2, y + 11, label, ink(back), "middle"))
        x += SWATCH + (6 if back == ZERO or label == power(MOST) else 0)
    return Legend(max(longest, x), y + 15, lines)


def power(exponent: int) -> str:
    """Return a power of ten as the legend writes it."""
    return f"{'≤' if exponent == LEAST else '≥' if exponent == MOST else ''}1e{exponent}".replace("-", "−")


def order(kind: str) -> int:
    """Return the place of a kind in the legend."""
    return list(KINDS).index(kind)


# Words


def value_text(node: GraphNode) -> str:
    """Return the value of a node; of an array its shape and root mean square."""
    if node.value.number is not None:
        return node.value.text
    shape = f"[{shape_text(node.shape)}]" if node.shape else ""
    return f"{shape} {node.value.text}".strip() or "–"


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape in short, such as ``64×10``."""
    return "×".join(map(str, shape))


def gradient_text(gradient: Summary | None) -> str:
    """Return a gradient, or a dash where there is none."""
    return (gradient.text if gradient else "") or "–"


def shortened(title: str) -> str:
    """Return a title, its middle left out if it is long."""
    if len(title) <= LONGEST_TITLE:
        return title
    half = LONGEST_TITLE // 2
    return f"{title[: half - 1]}…{title[-half:]}"


def description(node: GraphNode) -> str:
    """Return what is shown when one points at a card."""
    kind = f"{node.kind}, {node.op}" if node.op else node.kind
    array = f"{node.dtype}[{', '.join(map(str, node.shape))}]" if node.dtype else ""
    where = f"in {node.module}" if node.module else ""
    numbers = [f"value {value_text(node)}", f"gradient {gradient_text(node.gradient)}"]
    return "; ".join(filter(None, [f"{node.title} ({kind})", node.note, array, *numbers, where]))


def relation(edge: GraphEdge, source: GraphNode, target: GraphNode) -> str:
    """Return what is shown when one points at an edge."""
    ends = f"{source.title} → {target.title}"
    place = f"{ends}, {edge.total:,} edges" if edge.total > 1 else f"{ends}, argument {edge.position + 1}"
    if not edge.contribution:
        return place
    upstream, contribution = gradient_text(target.gradient), edge.contribution.text
    if not edge.local:
        return f"{place}: contribution {contribution}"
    if edge.contribution.number is None:
        return f"{place}: upstream ({upstream}) × local ({edge.local.text}), elementwise: contribution {contribution}"
    return f"{place}: upstream × local = contribution: {upstream} × {edge.local.text} = {contribution}"


# Shapes


def n(number: float) -> str:
    """Return a coordinate in a tenth of a pixel."""
    short = f"{number:.1f}".removesuffix(".0")
    return "0" if short == "-0" else short


def text(kind: str, x: float, y: float, content: str, fill: str, anchor: str = "", extra: str = "") -> str:
    """Return a text that stands on a point."""
    place = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="{kind}" x="{n(x)}" y="{n(y)}" fill="{fill}"{place}{extra}>{escape(content)}</text>'


def frame(look: Kind, width: float, height: float, fill: str = CARD) -> str:
    """Return the attributes of a rectangle in the manner of a kind."""
    dashes = f' stroke-dasharray="{look.dashes}"' if look.dashes else ""
    return (
        f'width="{n(width)}" height="{n(height)}" rx="{n(look.radius)}" fill="{fill}" '
        f'stroke="{look.colour}" stroke-width="{look.border}"{dashes}'
    )


def upper(width: float, height: float, radius: float) -> str:
    """Return the path of the head of a card, whose upper corners are round."""
    r, right, down, wide, across = n(radius), n(width), n(height), n(width - radius), n(-width)
    return f"M0 {down}V{r}A{r} {r} 0 0 1 {r} 0H{wide}A{r} {r} 0 0 1 {right} {r}V{down}h{across}z"


def lower(width: float, height: float, radius: float) -> str:
    """Return the path of the last row of a card, whose lower corners are round."""
    r, top, bend, wide = n(radius), n(height - ROW), n(height - radius), n(width - radius)
    return f"M0 {top}H{n(width)}V{bend}A{r} {r} 0 0 1 {wide} {n(height)}H{r}A{r} {r} 0 0 1 0 {bend}z"


def mark(name: str, x: float, y: float) -> Iterator[str]:
    """Yield a mark around a point."""
    if name == "circle":
        yield f'<circle cx="{n(x)}" cy="{n(y)}" r="4" fill="#ffffff"/>'
    elif name == "square":
        yield f'<rect x="{n(x - 4)}" y="{n(y - 4)}" width="8" height="8" fill="#ffffff"/>'
    elif name == "ring":
        yield f'<circle cx="{n(x)}" cy="{n(y)}" r="3.5" fill="none" stroke="#ffffff" stroke-width="2"/>'
    elif name == "bars":
        yield f'<path d="M{n(x - 4)} {n(y - 3)}h8m-8 3h8m-8 3h8" fill="none" stroke="#ffffff" stroke-width="1.5"/>'


def chip(x: float, y: float, width: float, fill: str) -> str:
    """Return the ground of a label."""
    return (
        f'<rect class="chip" x="{n(x)}" y="{n(y)}" width="{n(width)}" height="{LABEL_HEIGHT}" rx="4" '
        f'fill="{fill}" stroke="{LINE}" stroke-width="0.5"/>'
    )


def arrow(route: Route) -> str:
    """Return the corners of an arrow from the end of a route to its tip."""
    (x, y), (to_x, to_y) = route.points[-1], route.tip
    length = math.hypot(to_x - x, to_y - y) or 1.0
    aside_x, aside_y = 3.5 * (to_y - y) / length, 3.5 * (x - to_x) / length
    corners = [(to_x, to_y), (x + aside_x, y + aside_y), (x - aside_x, y - aside_y)]
    return " ".join(f"{n(x)},{n(y)}" for x, y in corners)
