"""The stepper: one HTML file that walks a graph forward node by node, then backward edge by edge.

This file writes down what every step says and shows; ``stepper.js`` only shows the step that it is asked for.
"""

from __future__ import annotations

import html
import json
import math
from importlib.resources import files
from typing import Any, NamedTuple

from autograd.view.model import Graph, GraphEdge, GraphNode, Summary, brief
from autograd.view.picture import draw, shape_text
from autograd.view.scale import colour, ink

LONGEST = 18
"""Characters that the formula of a node without a name may have to stand for it elsewhere."""

TERMS = 6
"""How many given nodes, arguments or contributions are written in a line, at most."""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; \
script-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>{title}</title>
</head>
<body style="margin: 0">
<section class="stepper" tabindex="0" role="group" aria-label="{title}, step by step">
<style>
{style}</style>
<header><h1>{title}</h1><span class="phase"></span></header>
<div class="controls" hidden>
<button type="button" data-go="first" aria-label="first step" title="first (Home)">|◀</button>
<button type="button" data-go="previous" aria-label="previous step" title="previous (←)">◀</button>
<button type="button" data-go="next" aria-label="next step" title="next (→)">▶</button>
<button type="button" data-go="last" aria-label="last step" title="last (End)">▶|</button>
<button type="button" data-go="play" title="play or pause (Space)">play</button>
<span class="place"><input type="range" min="0" value="0" aria-label="step"><span class="count"></span></span>
</div>
<div class="graph">{picture}</div>
<div class="telling">
<div class="equation" aria-live="polite" aria-atomic="true"></div>
<div class="caption"></div>
<div class="ledger"></div>
</div>
<script type="application/json">{data}</script>
<script>
{script}</script>
</section>
</body>
</html>
"""


def stepper_html(graph: Graph, title: str | None = None) -> str:
    """Return a page that steps through a graph: a whole HTML file that needs nothing else.

    Parameters
    ----------
    graph : Graph
        What to step through.
    title : str, optional
        The head of the page; by default the formula of the root.

    Returns
    -------
    str
        The same for the same graph.

    Examples
    --------
    >>> from autograd import Tensor, graph
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> page = stepper_html(graph(x * x))
    >>> page.startswith("<!DOCTYPE html>")
    True
    """
    walk = Walk(graph)
    folder = files("autograd.view")
    return PAGE.format(
        title=html.escape(walk.title if title is None else title),
        style=folder.joinpath("stepper.css").read_text("utf-8"),
        picture=draw(graph),
        data=json.dumps(walk.data(), ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace(
            "<", "\\u003c"
        ),
        script=folder.joinpath("stepper.js").read_text("utf-8"),
    )


class Word(NamedTuple):
    """A piece of a line: its text, what it stands for, and the number or the heat map behind it.

    `role` is "upstream", "local", "contribution", "result" or "".
    """

    text: str
    role: str = ""
    number: float | None = None
    cells: tuple[tuple[float, ...], ...] = ()


class Step(NamedTuple):
    """What a step shows: an equation, the same in words, a sum; and what it highlights: nodes by role, and edges."""

    phase: str
    equation: list[Word]
    caption: list[Word]
    ledger: list[Word]
    marks: dict[str, str]
    edges: list[int]


class Arrived(NamedTuple):
    """The gradient of a node from a step on: the sum of contributions until then, `whole` if there are no more."""

    step: int
    total: Word
    whole: bool


class Walk:
    """The steps through a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes = {node.id: node for node in graph.nodes}
        self.arguments: dict[str, list[int]] = {node.id: [] for node in graph.nodes}  # numbers of edges
        self.arriving: dict[str, list[int]] = {node.id: [] for node in graph.nodes}
        for number, edge in enumerate(graph.edges):
            self.arguments[edge.target].append(number)
            if self.flows(edge):
                self.arriving[edge.source].append(number)
        self.texts: dict[str, str] = {}
        self.loose: set[str] = set()  # nodes whose text needs parentheses within a larger one
        for node in graph.nodes:
            self.arguments[node.id].sort(key=lambda number: graph.edges[number].position)
            self.texts[node.id] = self.text_of(node)
        seed = graph.root.gradient
        whole = seed is None or seed.least == seed.most == 1.0  # or a part of a graph, without its root
        self.root = self.operand(graph.root.id) if whole else "result"
        self.steps: list[Step] = []
        self.computed: dict[str, int] = {}  # the steps from which on values are shown
        self.gradients: dict[str, list[Arrived]] = {}
        self.forward()
        self.seed()
        self.backward()

    def flows(self, edge: GraphEdge) -> bool:
        """Whether a gradient goes back along an edge; at a node that stands for several it may be unknown which."""
        source, target = self.nodes[edge.source], self.nodes[edge.target]
        return edge.contribution is not None or (source.gradient is not None and "module" in (source.kind, target.kind))

    def is_given(self, node: GraphNode) -> bool:
        """Whether a node is computed from nothing that the graph shows."""
        return not node.op and not self.arguments[node.id]

    # Texts

    @property
    def title(self) -> str:
        """The formula of the root."""
        root = self.graph.root
        formula = self.formula(root) if root.op else self.texts[root.id]
        return f"{root.name} = {formula}" if root.name and root.op else formula

    def text_of(self, node: GraphNode) -> str:
        """How formulas refer to a node: by its name, the number of a constant, or its own formula if that is short."""
        if node.name:
            if " " in node.name:
                self.loose.add(node.id)
            return node.name
        if not node.op:
            return brief(node.value.number) if node.kind == "constant" and node.value.number is not None else node.kind
        formula = self.formula(node)
        if node.symbol == node.op:
            return formula if len(formula) <= LONGEST else f"{node.symbol}(…)"
        self.loose.add(node.id)
        return formula if len(formula) <= LONGEST else text(applied(node, [Word("…")] * len(self.arguments[node.id])))

    def operand(self, name: str) -> str:
        """The text of a node as a part of a larger formula."""
        text = self.texts[name]
        return f"({text})" if name in self.loose or text.startswith("−") else text

    def formula(self, node: GraphNode) -> str:
        """The operation of a node on its arguments, such as ``x + y``."""
        sources = [self.graph.edges[number].source for number in self.arguments[node.id]]
        tight = node.symbol != node.op
        words = [Word(self.operand(name) if tight else self.texts[name]) for name in sources]
        return text(applied(node, words))

    def gradient(self, name: str) -> str:
        """The gradient of the root with respect to a node, such as ``∂f/∂x``."""
        return f"∂{self.root}/∂{self.operand(name)}"

    # Steps

    def forward(self) -> None:
        """Show what is given, then compute node by node."""
        given = [node for node in self.graph.nodes if self.is_given(node)]
        self.computed.update((node.id, 0) for node in given)
        told = [node for node in given if self.texts[node.id] != brief_of(node.value)]
        words: list[Word] = []
        for node in told[:TERMS]:
            words += [Word(f"{',  ' if words else ''}{self.texts[node.id]} = "), array(node, node.value, "result")]
        if len(told) > TERMS:
            words.append(Word(f" and {len(told) - TERMS:,} more"))
        self.steps.append(Step("forward", words, [Word("what is given")], [], {node.id: "result" for node in told}, []))
        for node in self.graph.nodes:
            if not self.is_given(node):
                self.computed[node.id] = len(self.steps)
                self.steps.append(self.computation(node))

    def computation(self, node: GraphNode) -> Step:
        """Compute a node from its arguments."""
        numbers = self.arguments[node.id]
        sources = [self.nodes[self.graph.edges[number].source] for number in numbers]
        words = [array(source, source.value) for source in sources]
        if node.symbol != node.op:
            bare = 0 if node.symbol in "^−" and len(words) < 3 else 1
            words = [*words[:bare], *map(enclosed, words[bare:])]
        name = f"{node.name} = " if node.name and node.op else ""
        equation = [Word(f"{name}{self.formula(node)} = "), *applied(node, words), Word(" = ")]
        caption = ", ".join(filter(None, [node.op, node.module and f"in {node.module}", node.note]))
        result = array(node, node.value, "result")
        return Step("forward", [*equation, result], [Word(caption)], [], {node.id: "result"}, numbers)

    def seed(self) -> None:
        """Begin the walk back, with the gradients that no edge brings."""
        for node in self.graph.nodes:
            if node.gradient is not None and not self.arriving[node.id]:
                self.gradients[node.id] = [Arrived(len(self.steps), array(node, node.gradient), True)]
        root = self.graph.root
        equation = [Word(f"∂{self.root}/∂{self.root} = "), array(root, root.gradient, "contribution")]
        caption = Word("the seed, from which the chain rule walks back")
        self.steps.append(Step("seed", equation, [caption], [], {root.id: "contribution"}, []))

    def backward(self) -> None:
        """Walk back edge by edge, in the order of the engine."""
        for number, edge in enumerate(self.graph.edges):
            if not self.flows(edge):
                continue
            source = self.nodes[edge.source]
            sums = self.gradients.setdefault(source.id, [])
            total = array(source, edge.contribution, "result")
            if sums:
                total = added(sums[-1].total, total)
            whole = len(sums) + 1 == len(self.arriving[source.id])
            rest = False
            if whole:
                total, rest = array(source, source.gradient, "result"), differs(total, source.gradient)
            sums.append(Arrived(len(self.steps), total, whole))
            marks = {edge.target: "upstream", edge.source: "contribution"}
            ledger = self.ledger(source, sums, rest)
            self.steps.append(Step("backward", self.equation(edge), self.caption(edge), ledger, marks, [number]))

    def ends(self, edge: GraphEdge) -> tuple[GraphNode, GraphNode, Summary | None]:
        """The nodes of an edge, and its local derivative, which is not that of a node that stands for several."""
        target = self.nodes[edge.target]
        return self.nodes[edge.source], target, None if target.kind == "module" else edge.local

    def equation(self, edge: GraphEdge) -> list[Word]:
        """``∂f/∂x += upstream × local = contribution`` with the numbers of an edge."""
        source, target, local = self.ends(edge)
        words = [Word(f"{self.gradient(source.id)} += "), array(target, target.gradient, "upstream")]
        if local is None:
            words.append(Word(f" → adjoint of {target.symbol or target.title} → "))
        else:
            words += [Word(" × "), array(target, local, "local"), Word(" = ")]
        return [*words, array(source, edge.contribution, "contribution")]

    def caption(self, edge: GraphEdge) -> list[Word]:
        """The same in words."""
        source, target, local = self.ends(edge)
        words = [Word(f"upstream {self.gradient(target.id)}", "upstream")]
        if local is None:
            why = "stands for several nodes" if target.kind == "module" else "has no local derivative per element"
            words.append(Word(f" carried back through {target.op or target.title}, which {why}, gives the "))
        else:
            factor = Word(f"local ∂{self.operand(target.id)}/∂{self.operand(source.id)}", "local")
            summed = f", summed to the shape of {self.texts[source.id]}" if source.shape != target.shape else ""
            words += [Word(" × "), factor, Word(f"{summed} = ")]
        words.append(Word("contribution", "contribution"))
        twins = [
            other for other in map(self.graph.edges.__getitem__, self.arguments[target.id]) if other.source == source.id
        ]
        if len(twins) > 1:
            words.append(Word(f" ({self.texts[source.id]} as argument {edge.position + 1})"))
        return words

    def ledger(self, source: GraphNode, sums: list[Arrived], rest: bool) -> list[Word]:
        """The sum of the contributions until now, where several meet; `rest` come from edges that are not shown."""
        edges, count = self.arriving[source.id], len(sums)
        if len(edges) == 1 and not rest:
            return []
        first = max(0, count - TERMS)
        words = [Word(f"{self.gradient(source.id)} = {'… + ' if first else ''}")]
        for place in range(first, count):
            role = "contribution" if place == count - 1 else ""
            word = array(source, self.graph.edges[edges[place]].contribution, role)
            words += [Word(" + "), enclosed(word)] if place > first else [word]
        if rest:
            words.append(Word(" + …"))
        if count > 1 or rest:
            words += [Word(" = "), sums[-1].total]
        if count < len(edges):
            words.append(Word(f" so far, {len(edges) - count:,} more to come"))
        return words

    # Data

    def data(self) -> dict[str, Any]:
        """Everything that ``stepper.js`` is told, for JSON."""
        return {
            "steps": [
                {
                    "phase": step.phase,
                    "equation": [*map(written, step.equation)],
                    "caption": [*map(written, step.caption)],
                    "ledger": [*map(written, step.ledger)],
                    "marks": step.marks,
                    "edges": step.edges,
                }
                for step in self.steps
            ],
            "computed": self.computed,
            "gradients": {name: [*map(shown, sums)] for name, sums in self.gradients.items()},
        }


def applied(node: GraphNode, words: list[Word]) -> list[Word]:
    """Return an operation written on its arguments: ``x + y``, ``−x``, ``tanh(x)``."""
    if node.symbol != node.op and len(words) == 2:
        return [words[0], Word(f" {node.symbol} "), words[1]]
    if node.symbol == "−" and len(words) == 1:
        return [Word("−"), *words]
    line = [Word(f"{node.symbol or node.title}(")]
    for word in words[:TERMS]:
        line += [Word(", "), word] if len(line) > 1 else [word]
    return [*line, Word(", …)" if len(words) > TERMS else ")" if words else "…)")]


def text(words: list[Word]) -> str:
    """Return a line as plain text."""
    return "".join(word.text for word in words)


def brief_of(summary: Summary) -> str:
    """Return the number that a summary is, or ""."""
    return "" if summary.number is None else brief(summary.number)


def array(node: GraphNode, summary: Summary | None, role: str = "") -> Word:
    """Return a value, gradient or derivative of the shape of a node, written out."""
    if summary is None:
        return Word("…", role)
    if summary.number is not None:
        return Word(brief(summary.number), role, summary.number)
    content = f"[{shape_text(node.shape)}] {summary.text}" if node.shape else node.note
    return Word(content.strip(), role, None, summary.cells)


def added(total: Word, contribution: Word) -> Word:
    """Return the sum of two words: of numbers the number, of arrays the heat map."""
    if total.number is not None and contribution.number is not None:
        number = total.number + contribution.number
        return Word(brief(number), "result", number)
    cells = tuple(tuple(map(float.__add__, *rows)) for rows in zip(total.cells, contribution.cells))
    return Word("the sum", "result", None, cells)


def differs(total: Word, gradient: Summary | None) -> bool:
    """Whether a sum of numbers is not the gradient, up to rounding."""
    if total.number is None or gradient is None or gradient.number is None or not math.isfinite(total.number):
        return False
    return abs(total.number - gradient.number) > 1e-3 * max(abs(total.number), abs(gradient.number))


def enclosed(word: Word) -> Word:
    """Return a number as it is written behind a sign: a negative one in parentheses."""
    return word._replace(text=f"({word.text})") if word.text.startswith("−") else word


def written(word: Word) -> list[Any]:
    """Return a word for JSON: text, role, exact number, rows of colours."""
    exact = "" if word.number is None else repr(word.number)
    rows = ["".join(colour(abs(cell))[1:] for cell in row) for row in word.cells]
    parts: list[Any] = [word.text, word.role, exact, rows]
    while not parts[-1]:
        parts.pop()
    return parts


def shown(arrived: Arrived) -> list[Any]:
    """Return a gradient on a card for JSON: the step, and unless it is what the picture shows, text and colours."""
    if arrived.whole:
        return [arrived.step]
    fill = "#ffffff" if arrived.total.number is None else colour(abs(arrived.total.number))
    return [arrived.step, "…" if arrived.total.number is None else arrived.total.text, fill, ink(fill)]
