"""Arrows between modules point down only."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import autograd
import nn

PACKAGE = Path(autograd.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

LAYERS = [
    {"dispatch", "errors", "files", "partial", "signatures", "threads"},
    {"record"},
    {"op"},
    {"table", "chain_rule"},
    {"leaves", "modes"},
    {"rules", "messages"},
    {"methods", "writer", "outline", "trees"},
    {"tensor"},
    {"recording", "tracing"},
    {"run", "ufuncs"},
    {"blockwise"},
    {"program"},
    {"checkpointing", "compiling", "transforms", "checks", "anomaly", "declare"},
    {"coverage", "demo"},
    {"view"},
    {"__init__", "__main__"},
]
"""From the ground up: a module imports from lower layers; within `rules`, pages import pages."""

MAY_IMPORT_WHERE_USED = {"sklearn", "matplotlib", "pygraphviz", "cairosvg", "jupyterlab", "concurrent"}
"""Heavy packages that are optional, or that most programs do without."""


def name_of(path: Path) -> str:
    """The part of a module's name that has a layer."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def layer(name: str) -> int:
    found = [height for height, names in enumerate(LAYERS) if name in names]
    assert found, f"autograd/{name} has no layer: say in LAYERS where it belongs"
    return found[0]


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(node: ast.AST) -> Iterator[tuple[str, bool]]:
    """The modules that are imported below a node of the syntax tree, and whether within a function."""
    inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for child in ast.iter_child_nodes(node):
        if is_for_types(child):
            continue
        if isinstance(child, ast.Import):
            yield from ((alias.name, inside) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            whole = child.module in ("autograd", "autograd.rules", "nn")
            yield from (
                (f"{child.module}.{alias.name}" if whole else str(child.module), inside) for alias in child.names
            )
        else:
            yield from ((name, inside or within) for name, within in imports(child))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_from_lower_layers(path: Path) -> None:
    importer = name_of(path)
    for name, _ in imports(ast.parse(path.read_text("utf-8"))):
        package, *rest = name.split(".")
        if package != "autograd":
            assert package != "nn", f"{path} imports {name}"
            continue
        imported = rest[0] if rest else "__init__"
        same = importer == imported and importer in ("rules", "view")
        assert same or layer(imported) < layer(importer), f"{path} imports {name}, which is not below it"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_stand_at_the_top(path: Path) -> None:
    """No import hides in a function, but for heavy packages that are optional."""
    for name, inside in imports(ast.parse(path.read_text("utf-8"))):
        assert not inside or name.split(".")[0] in MAY_IMPORT_WHERE_USED, f"{path} imports {name} inside a function"


def test_the_chain_rule_does_not_know_tensors() -> None:
    names = {name for name, _ in imports(ast.parse((PACKAGE / "chain_rule.py").read_text("utf-8")))}
    assert {name for name in names if name.startswith("autograd")} <= {
        "autograd.errors",
        "autograd.record",
        "autograd.op",
        "autograd.partial",
    }


def test_a_hidden_import_is_found() -> None:
    """Proof that the reader of imports looks everywhere."""
    source = "import a\nclass C:\n    def f(self):\n        if x:\n            from b.c import d\n"
    assert list(imports(ast.parse(source))) == [("a", False), ("b.c", True)]


def test_importing_the_package_imports_nothing_heavy() -> None:
    """Only NumPy, and what is cheap of the standard library."""
    command = "import sys, numpy; before = set(sys.modules); import autograd; print(*sorted(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    imported = {name.split(".")[0] for name in result.stdout.split()}
    assert imported - set(sys.stdlib_module_names) == {"autograd"}
    heavy = {"argparse", "asyncio", "dataclasses", "doctest", "multiprocessing", "pathlib", "unittest", "urllib"}
    assert not imported & heavy
    submodules = {name for name in result.stdout.split() if name.startswith("autograd.")}
    assert not submodules & {"autograd.demo", "autograd.coverage", "autograd.view", "autograd.__main__"}


def test_what_is_loaded_later_is_public() -> None:
    assert set(autograd.LATER) <= set(autograd.__all__)


NN = Path(nn.__file__).parent
NN_LAYERS = [
    {"errors", "utils"},
    {"module"},
    {"init"},
    {"activations", "convolution", "dropout", "embedding", "linear", "losses", "normalization"},
    {"containers", "functional"},
    {"optim", "weights", "data"},
    {"compiling", "lint", "summary", "history", "checkpoints"},
    {"training"},
    {"recipes"},
    {"__init__", "__main__"},
]
"""From the ground up, for `nn`: a module imports from lower layers; within `optim`, files import files."""


@pytest.mark.parametrize("path", sorted(NN.rglob("*.py")), ids=lambda path: str(path.relative_to(NN)))
def test_networks_know_only_the_engines_public_names(path: Path) -> None:
    for name, inside in imports(ast.parse(path.read_text("utf-8"))):
        package, *rest = name.split(".")
        assert not inside or package in MAY_IMPORT_WHERE_USED, f"{path} imports {name} inside a function"
        if package == "autograd":
            assert not rest or rest[0] in autograd.__all__, f"{path} imports {name}, which is not public"


@pytest.mark.parametrize("path", sorted(NN.rglob("*.py")), ids=lambda path: str(path.relative_to(NN)))
def test_a_module_of_networks_imports_from_lower_layers(path: Path) -> None:
    def height(name: str) -> int:
        found = [height for height, names in enumerate(NN_LAYERS) if name in names]
        assert found, f"nn/{name} has no layer: say in NN_LAYERS where it belongs"
        return found[0]

    importer = path.relative_to(NN).parts[0].removesuffix(".py")
    for name, _ in imports(ast.parse(path.read_text("utf-8"))):
        package, *rest = name.split(".")
        if package == "nn":
            imported = rest[0] if rest else "__init__"
            same = importer == imported == "optim"
            assert same or height(imported) < height(importer), f"{path} imports {name}, which is not below it"
