"""What `autograd.graph` returns: a graph that draws itself, and the files it can be saved as."""

from __future__ import annotations

import math
import re
from base64 import b64encode
from collections.abc import Callable
from functools import cached_property
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from autograd.errors import LayoutError
from autograd.files import replace_file
from autograd.tensor import Tensor
from autograd.view import collapse, model, sources
from autograd.view.layout import check_direction
from autograd.view.model import Graph
from autograd.view.picture import alt_text, draw
from autograd.view.stepper import stepper_html

CONTROLS = 270
"""How many pixels the stepper is higher than its picture, at most."""

SMALLEST = 0.6
"""How far a picture shrinks in a narrow notebook; beyond, it is scrolled."""

LONGEST_SIDE, MOST_DOTS = 32_767, 80_000_000
"""Of a PNG: Cairo makes no longer ones, and viewers such as Pillow warn of somewhat more dots, or refuse them."""

MISSING = (
    "a picture becomes a {} by CairoSVG, which was not found: `pip install 'chainrule[view]'` brings it along, and "
    "`apt-get install libcairo2` or `brew install cairo` the library it needs; '.svg' and '.html' need neither"
)


class Drawing(Graph):
    """A graph that draws itself; `autograd.graph` returns it.

    Printed, it is a text tree; in a notebook, a picture that can be stepped through. Above 80 nodes, pictures and the
    stepper show the graph collapsed and say so.
    """

    def svg(self, *, rankdir: str = "LR") -> str:
        """Return the picture as SVG.

        Parameters
        ----------
        rankdir : {"LR", "TB"}, optional
            From left to right or from top to bottom.

        Raises
        ------
        LayoutError
            If Graphviz is not installed, or fails.
        """
        if rankdir not in self.pictures:
            graph, note = self.fitting
            self.pictures[rankdir] = draw(graph, rankdir=rankdir, note=note)
        return self.pictures[rankdir]

    def stepper(self) -> str:
        """Return an HTML page that walks the graph forward node by node, then backward edge by edge."""
        graph, note = self.fitting
        return stepper_html(graph, note or None)

    def to_dot(self, *, rankdir: str = "LR") -> str:
        """Return the graph, with all its nodes, as DOT, to be taken further with Graphviz."""
        return sources.to_dot(self, rankdir=rankdir)

    def to_mermaid(self, *, rankdir: str = "LR") -> str:
        """Return the graph, with all its nodes, as a Mermaid flowchart, for Markdown."""
        return sources.to_mermaid(self, rankdir=rankdir)

    def collapse(self, depth: int) -> Drawing:
        """Return the graph with each call of a module as one node, down to a depth: 1 draws a network as one node."""
        return Drawing(*collapse.collapsed(self, depth))

    def fold(self) -> Drawing:
        """Return the graph with repeated blocks as one node, such as ``layer ×12``."""
        return Drawing(*collapse.folded(self))

    def neighbourhood(self, id: str, hops: int = 2) -> Drawing:
        """Return the part of the graph that is at most some edges away from a node."""
        return Drawing(*collapse.neighbourhood(self, id, hops))

    def save(self, path: str | PathLike[str], *, rankdir: str = "LR") -> None:
        """Write the graph to a file.

        Parameters
        ----------
        path : path-like
            Its ending says as what: ``.svg``, ``.png`` and ``.pdf`` are the picture, ``.html`` is the stepper, and
            ``.dot``, ``.mmd`` (Mermaid) and ``.json`` are all of the graph for other programs. A PNG has two dots for a
            pixel, or as many as fit into 32,767 a side and 80 million.
        rankdir : {"LR", "TB"}, optional
            Whether the picture goes from left to right or from top to bottom; the stepper's goes from left to right.

        Raises
        ------
        ValueError
            If the ending, or `rankdir`, is another.
        LayoutError
            If a picture needs Graphviz or CairoSVG, and that is not installed.
        OSError
            If there is no such folder, or nothing may be written to it.

        Examples
        --------
        >>> import tempfile
        >>> from autograd import Tensor, graph
        >>> x = Tensor(3.0, requires_grad=True, name="x")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     graph(x * x).save(f"{folder}/square.json")
        """
        check_direction(rankdir)
        content = format_of(path)(self, rankdir)
        replace_file(path, content.encode("utf-8") if isinstance(content, str) else content)

    @cached_property
    def fitting(self) -> tuple[Graph, str]:
        """What is drawn, and what was done to make it fit."""
        return collapse.fitting(self)

    @cached_property
    def pictures(self) -> dict[str, str]:
        """The pictures drawn so far, by direction."""
        return {}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._repr_html_()}

    def _repr_html_(self) -> str:
        """Return the picture, overlaid by the stepper; where that fails, the text tree and why."""
        try:
            return overlaid(self.svg(), self.stepper(), alt_text(self))
        except Exception as error:  # to show a value must not stop the user's work
            return f"<pre>{escape(str(self))}\n\n{escape(str(error))}</pre>"


def graph(root: Tensor) -> Drawing:
    """Return the record of a tensor, to draw, step through, or write.

    Parameters
    ----------
    root : Tensor
        A tensor that requires grad, before or after `backward`.

    Returns
    -------
    Drawing
        Printed, it is a text tree; in a notebook, a picture; ``save("graph.html")`` writes the stepper.

    Raises
    ------
    NotDifferentiableError
        If the tensor requires no grad: then nothing was recorded.

    Examples
    --------
    >>> from autograd import Tensor, graph
    >>> x, y = Tensor(-2.0, requires_grad=True, name="x"), Tensor(5.0, requires_grad=True, name="y")
    >>> f = graph((x + y) * -4.0)
    >>> f
    <Graph of ×: 5 nodes, 4 edges>
    >>> f.nodes[0].gradient.number
    -4.0
    >>> f.to_mermaid().splitlines()[1].strip()
    'n0(["x<br/>value −2<br/>grad −4"])'
    """
    return Drawing(*model.read(root))


Format = Callable[[Drawing, str], str | bytes]
FORMATS: dict[str, Format] = {
    ".svg": lambda drawing, rankdir: drawing.svg(rankdir=rankdir),
    ".png": lambda drawing, rankdir: converted(drawing.svg(rankdir=rankdir), "PNG"),
    ".pdf": lambda drawing, rankdir: converted(drawing.svg(rankdir=rankdir), "PDF"),
    ".html": lambda drawing, rankdir: drawing.stepper(),
    ".dot": lambda drawing, rankdir: drawing.to_dot(rankdir=rankdir),
    ".mmd": lambda drawing, rankdir: drawing.to_mermaid(rankdir=rankdir),
    ".json": lambda drawing, rankdir: drawing.to_json(),
}
"""What a graph is saved as, by the ending of the file."""


def format_of(path: str | PathLike[str]) -> Format:
    """Return what writes a graph as the ending of a file says."""
    ending = Path(path).suffix.lower()
    if ending not in FORMATS:
        raise ValueError(f"a graph is saved as {', '.join(FORMATS)}, not as {ending!r}: {str(path)!r}")
    return FORMATS[ending]


def overlaid(svg: str, page: str, description: str) -> str:
    """Return HTML that shows a picture, and a page on top of it.

    The picture is data, which notebooks show that trust no markup and run no scripts; they leave the frame out. The
    page is in a sandbox, where it can run its script and reach nothing else.
    """
    width, height = size(svg)
    data = b64encode(svg.encode("utf-8")).decode("ascii")
    label = escape(description)
    cell = "grid-area:1/1"
    return (
        f'<div style="display:grid;grid-template-columns:minmax(0,1fr)">'
        f'<div style="{cell};overflow-x:auto">'
        f'<img style="max-width:100%;min-width:{SMALLEST * width:.0f}px;height:auto" alt="{label}" '
        f'src="data:image/svg+xml;base64,{data}"></div>'
        f'<iframe style="{cell};width:100%;height:{height + CONTROLS:.0f}px;border:0;background:#ffffff" '
        f'sandbox="allow-scripts" title="{label}" srcdoc="{escape(page)}"></iframe>'
        f"</div>"
    )


def size(svg: str) -> tuple[float, float]:
    """Return width and height of a picture, in pixels."""
    width, height = map(float, re.findall(r'(?:width|height)="([\d.]+)"', svg)[:2])
    return width, height


def converted(svg: str, kind: str) -> bytes:
    """Return a picture as PNG, two dots for a pixel, fewer for a picture that would be too large, or as PDF."""
    try:
        import cairosvg
    except (ImportError, OSError) as error:  # the latter, if the library is missing
        raise LayoutError(MISSING.format(kind)) from error
    if kind == "PNG":
        width, height = size(svg)
        scale = min(2, LONGEST_SIDE / max(width, height), math.sqrt(MOST_DOTS / (width * height)))
        return bytes(cairosvg.svg2png(bytestring=svg.encode("utf-8"), scale=scale))
    pdf = bytes(cairosvg.svg2pdf(bytestring=svg.encode("utf-8")))
    # The same picture is the same file, whenever it is written.
    return re.sub(rb"(/CreationDate \(D:)\d{14}", rb"\g<1>19700101000000", pdf)
