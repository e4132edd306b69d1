"""Build the notebooks: run each source, ``NAME.py``, and write it with what it showed beside, as ``NAME.ipynb``.

    python notebooks/build.py [NAME ...]

The sources are Python files in Jupytext's percent format. Where NumPy and Matplotlib are the same, the same sources
give the same notebooks, byte by byte. The contents in ``README.md`` are written anew as well: which notebook shows
which row of the lectures. A notebook shows a row by naming its id in backticks in its Markdown.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")  # read when Jupyter is imported; without, it warns

import jupytext
import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
LECTURES = {
    "S0": "CS230, lecture 3",
    "S1": "CS229, lecture 11",
    "S2": "BLG561E",
    "S3": "Backpropagation, initialization, autograd",
    "S4": "CS60010, multilayer perceptron, part 2",
}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
KERNEL = [
    "--InlineBackend.print_figure_kwargs={'bbox_inches': 'tight', 'metadata': {'Software': None}}",
    "--log-level=ERROR",
]
"""Figures do not say which Matplotlib drew them; the kernel tells the terminal of errors only."""


def names() -> list[str]:
    """Return the notebooks that there are."""
    return [path.stem for path in sorted(HERE.glob("[0-9][0-9]_*.py"))]


def source(name: str) -> NotebookNode:
    """Return a notebook as its source has it, without outputs."""
    notebook = jupytext.read(HERE / f"{name}.py", fmt="py:percent")
    notebook.metadata = nbformat.from_dict(METADATA)
    for position, cell in enumerate(notebook.cells):
        cell.id = f"cell-{position}"
        cell.metadata = NotebookNode()
    return notebook


def run(notebook: NotebookNode) -> NotebookNode:
    """Run a notebook in a kernel of this interpreter, with the packages of this checkout.

    Raises
    ------
    CellExecutionError
        If a cell raises.
    """
    with environment() as variables:
        kernel = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
        client = NotebookClient(
            notebook,
            km=kernel,
            timeout=300,
            record_timing=False,
            coalesce_streams=True,
            extra_arguments=KERNEL,
            resources={"metadata": {"path": str(HERE)}},
        )
        client.owns_km = True  # and so shuts the kernel down
        asyncio.run(client.async_execute(env=variables))
    notebook.metadata = nbformat.from_dict(METADATA)
    return notebook


@contextmanager
def environment() -> Iterator[dict[str, str]]:
    """Give a kernel's environment: this checkout, one thread, and nothing that a user has configured for IPython."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    path = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory() as folder:
        yield {
            **os.environ,
            **dict.fromkeys(threads, "1"),
            "PYTHONPATH": path,
            "PYTHONHASHSEED": "0",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # or the kernel's debugger warns on the terminal
            "IPYTHONDIR": folder,
        }


def written(notebook: NotebookNode) -> str:
    """Return a notebook as the text of its file."""
    return nbformat.writes(notebook, version=4) + "\n"


def shown(notebook: NotebookNode) -> list[str]:
    """Return the ids of the rows that a notebook shows, in the order of the lectures."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return sorted(set(re.findall(r"`(S\d-\d\d)`", text)))


def row_tests() -> list[tuple[str, str, str]]:
    """Return the id, the file and the formula (the first line of the docstring) of each test named after a row."""
    found = []
    for path in sorted((HERE.parent / "tests" / "lectures").glob("test_s[0-9].py")):
        for function in ast.parse(path.read_text("utf-8")).body:
            if isinstance(function, ast.FunctionDef) and (id := row_of(function.name)):
                found.append((id, path.name, (ast.get_docstring(function) or "").partition("\n")[0]))
    return sorted(found)


def row_of(test: str) -> str | None:
    """Return the id of the row that a test is named after, such as S2-08 for test_S2_08_depth_200."""
    match = re.match(r"test_(S\d)_(\d\d)_", test)
    return f"{match[1]}-{match[2]}" if match else None


def where_shown() -> dict[str, list[str]]:
    """Return the names of the notebooks that show each row."""
    places: dict[str, list[str]] = {}
    for name in names():
        for id in shown(source(name)):
            places.setdefault(id, []).append(name)
    return places


def contents() -> str:
    """Return the contents as Markdown: the notebooks, and for each row of the lectures where it is shown."""
    lines = ["| | rows of the lectures |", "|---|---|"]
    for name in names():
        notebook = source(name)
        title = notebook.cells[0].source.partition("\n")[0].removeprefix("# ")
        lines.append(f"| [{title}]({name}.ipynb) | {', '.join(shown(notebook))} |")
    places = where_shown()
    for lecture, title in LECTURES.items():
        lines += ["", f"### {lecture}: {title}", "", "| row | | notebooks |", "|---|---|---|"]
        for id, _, formula in row_tests():
            if id.startswith(lecture):
                links = ", ".join(f"[{name[:2]}]({name}.ipynb)" for name in places.get(id, []))
                lines.append(f"| {id} | {formula.replace('|', chr(92) + '|')} | {links} |")
    return "\n".join(lines) + "\n"


def readme() -> str:
    """Return README.md with the contents of today."""
    head, mark, _ = (HERE / "README.md").read_text("utf-8").partition("## Contents\n")
    return f"{head}{mark}\n{contents()}"


def main() -> int:
    """Build the notebooks that are named, or all; the exit status is 1 if one raises."""
    reader = argparse.ArgumentParser(description="Run the notebooks and write them with what they show.")
    reader.add_argument("names", nargs="*", metavar="NAME", help="such as 01_chain_rule; all, if none is named")
    chosen = [Path(name).stem for name in reader.parse_args().names] or names()
    if unknown := set(chosen) - set(names()):
        reader.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    bar = tqdm(chosen, unit="notebook")
    for name in bar:
        bar.set_description(name)
        try:
            notebook = run(source(name))
        except CellExecutionError as error:
            bar.close()
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        (HERE / f"{name}.ipynb").write_text(written(notebook), "utf-8")
    (HERE / "README.md").write_text(readme(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
