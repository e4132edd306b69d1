"""A graph in the languages of other programs: Graphviz's DOT, and Mermaid."""

from __future__ import annotations

from html import escape

import graphviz

from autograd.view.layout import check_direction
from autograd.view.model import Graph, GraphNode
from autograd.view.picture import KINDS, gradient_text, value_text
from autograd.view.scale import colour_of, ink

DOT_STYLES = {
    "leaf": "filled,rounded",
    "parameter": "filled,rounded,bold",
    "constant": "filled,dashed",
    "op": "filled",
    "output": "filled,bold",
    "module": "filled,rounded",
}

MERMAID_SHAPES = {
    "leaf": '(["{}"])',
    "parameter": '[["{}"]]',
    "constant": '[/"{}"/]',
    "op": '["{}"]',
    "output": '{{{{"{}"}}}}',
    "module": '("{}")',
}

MEANT = set('"&<>#`\\')
"""Characters that would be read as Mermaid's own."""


def to_dot(graph: Graph, *, rankdir: str = "LR") -> str:
    """Return a graph as DOT, to be taken further with Graphviz.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from autograd.view import graph
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> print(to_dot(graph(x * x)).splitlines()[-2].strip())
    n0 -> n1 [label=3]
    """
    check_direction(rankdir)
    dot = graphviz.Digraph(
        graph_attr={"rankdir": rankdir, "charset": "utf-8"},
        node_attr={"shape": "box", "fontname": "monospace"},
        edge_attr={"fontname": "monospace"},
    )
    for node in graph.nodes:
        back = background(node)
        label = graphviz.escape("\n".join(escape(row, quote=False) for row in rows(node)))
        border = KINDS[node.kind].colour
        style = DOT_STYLES[node.kind]
        dot.node(node.id, label, style=style, color=border, fillcolor=back, fontcolor=ink(back))
    for edge in graph.edges:
        dot.edge(edge.source, edge.target, label=edge.contribution.text if edge.contribution else None)
    return str(dot.source)


def to_mermaid(graph: Graph, *, rankdir: str = "LR") -> str:
    """Return a graph as a Mermaid flowchart, which GitHub and notebooks draw in Markdown.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from autograd.view import graph
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> print(to_mermaid(graph(x * 2.0)))
    flowchart LR
        n0(["x<br/>value 3<br/>grad 2"])
        n1[/"constant<br/>value 2<br/>grad –"/]
        n2{{"×<br/>value 6<br/>grad 1"}}
        n0 -->|"2"| n2
        n1 --> n2
        style n0 fill:#fee6a4,stroke:#1d5fa8,color:#000000
        style n1 fill:#ffffff,stroke:#5f6675,color:#000000
        style n2 fill:#fff4c2,stroke:#6b2fa0,color:#000000
    <BLANKLINE>
    """
    check_direction(rankdir)
    lines = [f"flowchart {rankdir}"]
    for node in graph.nodes:
        label = "<br/>".join(map(entities, rows(node)))
        lines.append(f"    {node.id}{MERMAID_SHAPES[node.kind].format(label)}")
    for edge in graph.edges:
        label = f'|"{edge.contribution.text}"|' if edge.contribution and edge.contribution.text else ""
        lines.append(f"    {edge.source} -->{label} {edge.target}")
    for node in graph.nodes:
        back = background(node)
        lines.append(f"    style {node.id} fill:{back},stroke:{KINDS[node.kind].colour},color:{ink(back)}")
    return "\n".join(lines) + "\n"


def rows(node: GraphNode) -> list[str]:
    """Return what stands on the card of a node."""
    return [*filter(None, [node.title, node.note]), f"value {value_text(node)}", f"grad {gradient_text(node.gradient)}"]


def background(node: GraphNode) -> str:
    """Return the colour of a node: that of its gradient."""
    return colour_of(node.gradient) if node.gradient else "#ffffff"


def entities(words: str) -> str:
    """Return a text in which Mermaid reads no commands."""
    return "".join(f"#{ord(c)};" if c in MEANT else c for c in words)
