"""The notebooks: they are what their sources say, and run anew without a complaint they show the same."""

from __future__ import annotations

import ast
import re
import sys
from base64 import b64decode, b64encode
from collections import Counter
from functools import cache
from html import unescape
from io import BytesIO
from typing import Any

import matplotlib.image
import nbformat
import numpy as np
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from notebooks import build

Notebook = Any
NAMES = build.names()
PACKAGES = {"IPython", "autograd", "matplotlib", "nn", "numpy", "sklearn"}
LIMIT = 1_000_000
"""What a code-hosting site still shows, in bytes."""


@cache
def committed(name: str) -> Notebook:
    return nbformat.read(build.HERE / f"{name}.ipynb", as_version=4)


# What may be wrong with a notebook


def differences(source: Notebook, built: Notebook) -> list[str]:
    """Where a built notebook is not what its source says."""
    if len(source.cells) != len(built.cells):
        return [f"{len(built.cells)} cells, {len(source.cells)} in the source"]
    return [
        f"cell {number} is not that of the source"
        for number, (one, other) in enumerate(zip(source.cells, built.cells, strict=True))
        if (one.cell_type, one.source, one.id) != (other.cell_type, other.source, other.id)
    ]


def outputs(notebook: Notebook) -> list[tuple[int, Any]]:
    """The outputs, each with the number of its cell."""
    cells = enumerate(notebook.cells)
    return [(number, output) for number, cell in cells for output in cell.get("outputs", [])]


def complaints(notebook: Notebook) -> list[str]:
    """Cells that were not run, that raised, or that wrote to stderr."""
    code = [(number, cell) for number, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    counts = [(number, cell.execution_count) for number, cell in code]
    found = [f"cell {number} was run as {count}" for run, (number, count) in enumerate(counts, 1) if count != run]
    for number, output in outputs(notebook):
        if output.output_type == "error":
            found.append(f"cell {number} raises {output.ename}")
        elif output.output_type == "stream" and output.name != "stdout":
            found.append(f"cell {number} complains: {output.text}")
    return found


def pictures(notebook: Notebook) -> list[tuple[int, bytes]]:
    """The PNG pictures, each with the number of its cell."""
    data = [(number, output.get("data", {}).get("image/png")) for number, output in outputs(notebook)]
    return [(number, b64decode(text)) for number, text in data if text]


def blank(png: bytes) -> bool:
    """Whether a picture has one colour only, on white."""
    image = matplotlib.image.imread(BytesIO(png), format="png")
    shown = image[..., :3] * image[..., 3:] + 1 - image[..., 3:] if image.shape[-1] == 4 else image
    return bool(np.ptp(shown) < 0.1)


def texts(notebook: Notebook) -> list[tuple[int, str]]:
    """What outputs say, each with the number of its cell; markup also as it is after decoding."""
    found = []
    for number, output in outputs(notebook):
        found.append((number, output.get("text", "")))
        found += [(number, text) for kind, text in output.get("data", {}).items() if kind != "image/png"]
    return [(number, decoded(text)) for number, text in found if isinstance(text, str)]


def decoded(markup: str) -> str:
    """Markup together with what stands in it as data: pages in frames, pictures."""
    inside = unescape(markup)
    data = re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", inside)
    return "\n".join([inside, *(b64decode(text).decode("utf-8") for text in data)])


def addresses(notebook: Notebook) -> list[str]:
    """What differs from run to run: where objects are in memory."""
    return [f"cell {number} shows {text}" for number, said in texts(notebook) for text in re.findall(r"at 0x\w+", said)]


REMOTE = (
    r"""(?:\b(?:src|href|srcset|data|action|poster)\s*=\s*|\burl\(\s*|@import\s*)["']?((?:https?:)?//[^\s"'<>)]+)"""
)
"""An address that is loaded from elsewhere; those of XML namespaces are names only."""


def remote(notebook: Notebook) -> list[str]:
    """What a reader's browser, or the code, would load from elsewhere."""
    found = [(number, address) for number, said in texts(notebook) for address in re.findall(REMOTE, said)]
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            found += [(number, address) for address in re.findall(r"!\[[^]]*\]\(\s*(https?://[^\s)]+)", cell.source)]
            found += [
                (number, address) for address in re.findall(r"\bsrc\s*=\s*[\"']?(https?://[^\s\"'>]+)", cell.source)
            ]
        else:
            found += [(number, name) for name in re.findall(r"\b(?:fetch_\w+|urllib|urlopen|requests)\b", cell.source)]
    return [f"cell {number} loads {address}" for number, address in found]


def foreign(notebook: Notebook) -> list[str]:
    """Imported packages that notebooks may not use, and lines that are not Python."""
    found = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            try:
                tree = ast.parse(cell.source)
            except SyntaxError as error:
                found.append(f"cell {number} is not Python: {error.text}")
                continue
            modules = [part.module or "" for part in ast.walk(tree) if isinstance(part, ast.ImportFrom)]
            modules += [name.name for part in ast.walk(tree) if isinstance(part, ast.Import) for name in part.names]
            roots = {module.partition(".")[0] for module in modules}
            found += [f"cell {number} imports {root}" for root in roots - PACKAGES - sys.stdlib_module_names]
    return found


def lacking(notebook: Notebook, number: int) -> list[str]:
    """What a reader would miss: a numbered title, predictions before answers, exercises, and checks that run."""
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    exercises = re.findall(r"^(?:(?:#+ |\*\*)Exercise (\d)|\*\*(\d)\. )", prose, re.MULTILINE)
    there = {
        "a title with its number": re.match(rf"# {number}\. \S", prose),
        "a prediction": re.search(r"\bpredict", prose, re.IGNORECASE),
        "two exercises": len(set(exercises)) >= 2,
        "two checks": len(re.findall(r"^ *assert |assert_\w+\(", code, re.MULTILINE)) >= 2,
    }
    return [what for what, found in there.items() if not found]


def kinds(notebook: Notebook) -> list[tuple[int, dict[str, int]]]:
    """How many pictures, steppers, other markup and texts each cell shows."""
    found: dict[int, Counter[str]] = {}
    for number, output in outputs(notebook):
        data = output.get("data", {})
        if "image/png" in data:
            kind = "picture"
        elif "image/svg+xml" in data:
            kind = "drawing"
        elif "text/html" in data:
            kind = "stepper" if 'class="stepper"' in decoded(data["text/html"]) else "markup"
        else:
            kind = "text"
        found.setdefault(number, Counter())[kind] += 1
    return [(number, dict(sorted(counts.items()))) for number, counts in found.items()]


def total(notebook: Notebook, kind: str) -> int:
    return sum(counts.get(kind, 0) for _, counts in kinds(notebook))


# The notebooks


def test_there_are_notebooks() -> None:
    assert [name[:2] for name in NAMES] == [f"{number:02d}" for number in range(1, 16)]
    built = {path.stem for path in build.HERE.glob("*.ipynb")}
    assert built == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_its_source_says(name: str) -> None:
    notebook = committed(name)
    nbformat.validate(notebook)
    assert differences(build.source(name), notebook) == []
    assert build.written(notebook) == (build.HERE / f"{name}.ipynb").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_read_anywhere(name: str) -> None:
    """As a site shows it, without running anything: small, complete, with pictures, and nothing from elsewhere."""
    notebook = committed(name)
    assert (build.HERE / f"{name}.ipynb").stat().st_size < LIMIT
    assert complaints(notebook) == []
    assert addresses(notebook) == []
    assert remote(notebook) == []
    assert foreign(notebook) == []
    assert [number for number, png in pictures(notebook) if blank(png)] == []
    assert total(notebook, "picture") >= 2


@pytest.mark.parametrize("name", NAMES)
def test_it_teaches(name: str) -> None:
    assert lacking(committed(name), int(name[:2])) == []


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_anew(name: str) -> None:
    """In a kernel of its own, without a complaint or a file left behind, and cell by cell with as many pictures."""
    files = set(build.HERE.iterdir())
    notebook = build.run(build.source(name))
    assert set(build.HERE.iterdir()) == files
    assert complaints(notebook) == []
    assert addresses(notebook) == []
    assert remote(notebook) == []
    assert [number for number, png in pictures(notebook) if blank(png)] == []
    assert kinds(notebook) == kinds(committed(name))


def test_the_first_notebook_steps() -> None:
    assert total(committed("01_chain_rule"), "stepper") >= 2


def test_the_contents_are_those_of_the_sources() -> None:
    assert (build.HERE / "README.md").read_text("utf-8") == build.readme()


# Building


def notebook_of(*cells: str) -> Notebook:
    return new_notebook(cells=[new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(cells)])


def test_a_kernel_has_this_checkout_and_one_thread() -> None:
    """Twice the same, although hashes, times and the memory differ from process to process."""
    cells = (
        "import os, autograd, nn\nprint(autograd.__file__)\nprint(os.environ['OPENBLAS_NUM_THREADS'])",
        "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.title('a')\nplt.show()\nprint(hash('a'))",
        "import sys\nprint(1, flush=True)\nprint(2)\nprint('careful', file=sys.stderr)",
    )
    notebook, again = build.run(notebook_of(*cells)), build.run(notebook_of(*cells))
    assert outputs(notebook)[0][1].text == f"{build.HERE.parent / 'autograd' / '__init__.py'}\n1\n"
    assert build.written(notebook) == build.written(again)
    assert b"Software" not in pictures(notebook)[0][1]
    assert complaints(notebook) == ["cell 2 complains: careful\n"]
    assert kinds(notebook) == [(0, {"text": 1}), (1, {"picture": 1, "text": 1}), (2, {"text": 2})]


def test_a_cell_that_raises_ends_the_run() -> None:
    with pytest.raises(CellExecutionError, match="assert 1 == 2"):
        build.run(notebook_of("assert 1 == 2"))


def test_rows_are_read_from_markdown() -> None:
    notebook = notebook_of("# `S0-01`")
    notebook.cells += [new_markdown_cell("## A · `S3-02`, `S0-04`"), new_markdown_cell("again `S3-02`, but S4-01 not")]
    assert build.shown(notebook) == ["S0-04", "S3-02"]
    assert build.row_of("test_S2_08_depth_200") == "S2-08"
    assert build.row_of("test_depth") is None


# What each check finds


def ran(**data: str) -> Notebook:
    """A notebook whose only cell shows some data, by kind with _ for /."""
    bundle = {kind.replace("_", "/"): text for kind, text in data.items()}
    cell = new_code_cell("f()", id="cell-0", execution_count=1, outputs=[new_output("display_data", bundle)])
    return new_notebook(cells=[cell])


def png(colour: float, spot: float) -> str:
    image = np.full((8, 8, 3), float(colour))
    image[3, 3] = spot
    file = BytesIO()
    matplotlib.image.imsave(file, image, format="png")
    return b64encode(file.getvalue()).decode()


def test_differences_are_found() -> None:
    source = notebook_of("1", "2")
    assert differences(source, notebook_of("1", "2")) == []
    assert differences(source, notebook_of("1", "3")) == ["cell 1 is not that of the source"]
    assert differences(source, notebook_of("1")) == ["1 cells, 2 in the source"]
    prose = notebook_of("1", "2")
    prose.cells[0] = new_markdown_cell("1", id="cell-0")
    assert differences(source, prose) == ["cell 0 is not that of the source"]


def test_complaints_are_found() -> None:
    notebook = ran(text_plain="1")
    assert complaints(notebook) == []
    notebook.cells[0].outputs += [new_output("stream", name="stdout", text="1")]
    assert complaints(notebook) == []
    notebook.cells[0].outputs += [new_output("stream", name="stderr", text="careful")]
    notebook.cells[0].outputs += [new_output("error", ename="ValueError", evalue="", traceback=[])]
    assert complaints(notebook) == ["cell 0 complains: careful", "cell 0 raises ValueError"]
    assert complaints(notebook_of("1")) == ["cell 0 was run as None"]


@pytest.mark.parametrize(("colour", "spot", "expected"), [(1, 1, True), (0.2, 0.2, True), (1, 0.3, False)])
def test_blank_pictures_are_found(colour: float, spot: float, expected: bool) -> None:
    [(_, data)] = pictures(ran(**{"image/png": png(colour, spot)}))
    assert blank(data) is expected


def test_a_picture_that_is_no_picture_is_found() -> None:
    with pytest.raises((SyntaxError, ValueError, OSError)):
        blank(b"\x89PNG\r\n\x1a\n nothing more")


def test_addresses_are_found() -> None:
    assert addresses(ran(text_plain="<function f at 0x7f3a>")) == ["cell 0 shows at 0x7f3a"]
    assert addresses(ran(text_plain="0x7f3a")) == []


FRAME = '<iframe srcdoc="&lt;img src=&quot;https://a.org/a.png&quot;&gt;"></iframe>'
SVG = b64encode(b'<svg xmlns="http://www.w3.org/2000/svg"><image href="https://a.org/a.png"/></svg>').decode()


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="https://a.org/a.png">',
        "<img src = https://a.org/a.png>",
        '<script src="https://a.org/a.png"></script>',
        "<style>p { background: url('https://a.org/a.png') }</style>",
        "<style>@import 'https://a.org/a.png'</style>",
        FRAME,
        f'<img src="data:image/svg+xml;base64,{SVG}">',
    ],
)
def test_what_is_loaded_from_elsewhere_is_found(markup: str) -> None:
    assert remote(ran(**{"text/html": markup})) == ["cell 0 loads https://a.org/a.png"]


def test_what_loads_nothing_is_fine() -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><use href="#a"/></svg>'
    assert remote(ran(**{"text/html": svg, "image/svg+xml": svg, "text/plain": "see https://a.org"})) == []
    notebook = notebook_of("from sklearn.datasets import load_digits")
    notebook.cells += [new_markdown_cell("[a link](https://a.org)")]
    assert remote(notebook) == []


def test_code_and_prose_that_load_from_elsewhere_are_found() -> None:
    notebook = notebook_of("from sklearn.datasets import fetch_openml")
    notebook.cells += [new_markdown_cell("![a](https://a.org/a.png) <img src='https://a.org/b.png'>")]
    assert remote(notebook) == [
        "cell 0 loads fetch_openml",
        "cell 1 loads https://a.org/a.png",
        "cell 1 loads https://a.org/b.png",
    ]


def test_foreign_packages_and_magics_are_found() -> None:
    notebook = notebook_of("import numpy as np, torch\nimport math", "from scipy import special", "%matplotlib inline")
    found = foreign(notebook)
    assert found == ["cell 0 imports torch", "cell 1 imports scipy", "cell 2 is not Python: %matplotlib inline\n"]


def test_what_a_reader_would_miss_is_found() -> None:
    notebook = notebook_of("assert 1", "np.testing.assert_allclose(1, 1)")
    text = "# 3. Title\n**Predict** it.\n{}"
    for exercises in (
        "## Exercise 1: a\n### Exercise 2",
        "**Exercise 1.** a\n**Exercise 2.** b",
        "**1. A** a\n**2. B** b",
    ):
        notebook.cells[2:] = [new_markdown_cell(text.format(exercises))]
        assert lacking(notebook, 3) == []
        assert lacking(notebook, 4) == ["a title with its number"]
    notebook.cells[2:] = [new_markdown_cell(text.format("**Exercise 1.** a, as in **Exercise 1.**"))]
    assert lacking(notebook, 3) == ["two exercises"]
    assert lacking(notebook_of("1"), 1) == ["a title with its number", "a prediction", "two exercises", "two checks"]


def test_kinds_of_outputs_are_told_apart() -> None:
    notebook = ran(**{"image/png": png(1, 0), "text/plain": "<Figure>"})
    frame = '<iframe srcdoc="&lt;section class=&quot;stepper&quot;&gt;"></iframe>'
    for data in ({"text/html": frame}, {"text/html": "<b>1</b>"}, {"text/plain": "1"}, {"image/svg+xml": "<svg/>"}):
        notebook.cells[0].outputs.append(new_output("display_data", data))
    assert kinds(notebook) == [(0, {"drawing": 1, "markup": 1, "picture": 1, "stepper": 1, "text": 1})]
    assert total(notebook, "stepper") == 1
