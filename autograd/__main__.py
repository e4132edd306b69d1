"""The command line: ``python -m autograd``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from autograd.coverage import as_markdown, as_text, entries
from autograd.demo import demo, small_graph
from autograd.errors import AutogradError
from autograd.files import destination
from autograd.tensor import Tensor
from autograd.view import graph
from autograd.view.drawing import format_of
from autograd.view.expression import parse, values_of

FORMULA = """A formula is made of numbers, names, + - * / ** @, parentheses, NumPy's elementwise functions, clip, sum,
mean and the activations of this package. Parts may be named in front: "q = x + y; f = q * z". A value is a number or a
list such as [1,2,3] or [[1,2],[3,4]]. Before a formula that begins with -, write --."""

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
"""Beside the packages, in a clone; what pip installs from elsewhere is without them."""


def parser() -> argparse.ArgumentParser:
    """Return what reads the options."""
    top = argparse.ArgumentParser(prog="python -m autograd", description="Automatic differentiation of NumPy code.")
    commands = top.add_subparsers(dest="command", required=True)
    demonstration = commands.add_parser(
        "demo", help="differentiate f = (x + y) z, then fit a logistic regression to real data"
    )
    demonstration.add_argument(
        "--out", metavar="FILE", default="f.html", help="where the picture of f goes, in a format of draw (f.html)"
    )
    coverage = commands.add_parser("coverage", help="what each public function of NumPy does with a Tensor")
    coverage.add_argument("--markdown", action="store_true", help="print a Markdown table")
    drawing = commands.add_parser(
        "draw", help="draw the graph of a formula with its gradients, or print it", epilog=FORMULA
    )
    drawing.add_argument("formula", help='such as "(x + y) * z"')
    drawing.add_argument("values", nargs="*", metavar="NAME=VALUE", help="the value of each name, such as x=-2")
    drawing.add_argument("--out", metavar="FILE", help="what to write: .svg, .png, .pdf, .html, .dot, .json or .mmd")
    drawing.add_argument(
        "--direction", choices=("LR", "TB"), default="LR", help="left to right, as .html always is, or top to bottom"
    )
    commands.add_parser(
        "notebooks",
        help="open the lectures' notebooks in JupyterLab",
        epilog="Further options, such as --no-browser or --port=9999, are JupyterLab's. Ctrl-C ends it.",
    )
    return top


def draw(root: Tensor, path: str | None, direction: str = "LR") -> None:
    """Write the picture of a tensor's graph, or print the graph."""
    with np.errstate(all="ignore"):
        picture = graph(root)
    if path is None:
        print(picture, flush=True)
    else:
        picture.save(path, rankdir=direction)
        print(f"picture in {path}", flush=True)


def notebooks(arguments: Sequence[str] = ()) -> None:
    """Open the notebooks in JupyterLab, whose kernels find these packages, until Ctrl-C."""
    if not NOTEBOOKS.is_dir():
        raise FileNotFoundError(
            f"there are no notebooks in {NOTEBOOKS}; they are in a clone: there, pip install -e '.[notebooks]'"
        )
    try:
        from jupyterlab.labapp import LabApp
    except ImportError as error:
        message = "the notebooks open in JupyterLab, which was not found: pip install -e '.[notebooks]'"
        raise ImportError(message) from error
    found = [str(NOTEBOOKS.parent), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, found))
    LabApp.launch_instance([str(NOTEBOOKS), "--ServerApp.answer_yes=True", *arguments])  # Ctrl-C without a question


def run(options: argparse.Namespace, further: Sequence[str]) -> None:
    """Run a command."""
    if options.command == "notebooks":
        notebooks(further)
    elif options.command == "demo":
        format_of(options.out)
        destination(options.out)
        demo()
        draw(small_graph(), options.out)
    elif options.command == "draw":
        draw(parse(options.formula, values_of(options.values)), options.out, options.direction)
    else:
        print(as_markdown(entries()) if options.markdown else as_text(entries()), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 2 after an error, 130 after Ctrl-C, as in a shell."""
    reader = parser()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # where an encoding has no lines of a tree
    options, further = reader.parse_known_args(arguments)
    if further and options.command != "notebooks":
        reader.error(f"unrecognized arguments: {' '.join(further)}")
    try:
        run(options, further)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (AutogradError, ImportError, OSError, ValueError) as error:
        print(f"{reader.prog} {options.command}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
