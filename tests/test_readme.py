"""Every example runs: those of README.md, in order, and those of docstrings, each on its own."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import autograd
import nn

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text("utf-8")
MODULES = [
    importlib.import_module(found.name)
    for package in (autograd, nn)
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not found.name.endswith("__main__")
]


class Finder(doctest.DocTestFinder):
    """Finds wrapped functions too, such as those that answer tensors."""

    def _from_module(self, module: ModuleType | None, object: Any) -> bool:
        found: bool = super()._from_module(module, object)  # type: ignore[misc]
        return found or (inspect.isfunction(object) and object.__module__ == getattr(module, "__name__", None))


def examples() -> Iterator[doctest.DocTest]:
    for module in [autograd, nn, *MODULES]:
        yield from (test for test in Finder(exclude_empty=True).find(module) if test.examples)


def run(test: doctest.DocTest) -> None:
    report: list[str] = []
    doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(
        test, out=report.append
    )
    assert not report, "".join(report)


@pytest.mark.parametrize("test", list(examples()), ids=lambda test: test.name)
def test_docstring(test: doctest.DocTest) -> None:
    run(test)


def test_readme() -> None:
    plain = re.sub(r"^```.*$", "", TEXT, flags=re.MULTILINE)
    run(doctest.DocTestParser().get_doctest(plain, {}, "README.md", str(README), 0))


def test_readme_opens_with_a_line_for_the_demonstration_and_one_for_the_tests() -> None:
    demonstration, tests = [line.strip() for line in TEXT.splitlines() if line.startswith("    python3")][:2]
    set_up = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[{}]' && .venv/bin/python -m "
    assert demonstration == set_up.format("demo") + "autograd demo"
    assert tests == set_up.format("test") + "pytest -n auto --dist worksteal"


def test_the_demonstrations_environment_has_what_the_command_for_networks_needs() -> None:
    assert "    .venv/bin/python -m nn train --data digits --save digits.safetensors --plot loss.svg\n" in TEXT
    project = tomllib.loads(README.with_name("pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert "chainrule[plot]" in extras["demo"]
    assert {re.split("[^a-z-]", name)[0] for name in extras["demo"] + extras["plot"]} >= {"scikit-learn", "matplotlib"}


def test_a_wrong_example_is_found() -> None:
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    with pytest.raises(AssertionError, match="Got:"):
        run(wrong)


def test_the_wrapped_function_of_a_row_has_its_examples_run() -> None:
    def example() -> None:
        """
        >>> 1
        1
        """

    module = ModuleType("invented")
    example.__module__ = "invented"
    module.example = example  # type: ignore[attr-defined]
    assert [test.name for test in Finder().find(module) if test.examples] == ["invented.example"]
