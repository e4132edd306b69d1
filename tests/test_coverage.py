"""Every public callable of NumPy has an answer when it is given a Tensor."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from autograd import NotDifferentiableError, Tensor
from autograd.coverage import (
    PASSES_TENSORS_ON,
    TAKES_NO_TENSOR,
    UNCLASSIFIED,
    Entry,
    as_markdown,
    as_text,
    entries,
    is_own,
    of_module,
    summary,
)
from autograd.table import PAGES, TABLE

EXPECTED = {
    "numpy.add": "elementwise",
    "numpy.sum": "linear",
    "numpy.matmul": "multilinear",
    "numpy.sort": "general",
    "numpy.ptp": "composite",
    "numpy.argmax": "flat",
    "numpy.copyto": "refused",
    "numpy.hamming": "takes no tensor",
    "numpy.float64": "takes no tensor",
    "numpy.linalg.eig": "refused",
    "numpy.linalg.LinAlgError": "takes no tensor",
    "numpy.fft.fft": "refused",
    "numpy.fft.fftfreq": "takes no tensor",
    "numpy.add.at": None,
    "numpy.logical_or.reduce": "flat",
}


def test_every_function_is_classified() -> None:
    assert not [name for name, kind, _ in entries() if kind == UNCLASSIFIED]


def test_a_function_that_numpy_adds_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "invented", lambda a: a, raising=False)
    assert Entry("numpy.invented", UNCLASSIFIED, "") in entries()


@pytest.mark.parametrize(("name", "kind"), EXPECTED.items())
def test_kinds(name: str, kind: str | None) -> None:
    assert {entry.name: entry.kind for entry in entries()}.get(name) == kind


def test_a_row_names_its_page_and_a_refusal_its_reason() -> None:
    notes = {entry.name: entry.note for entry in entries()}
    assert notes["numpy.tanh"] == "autograd.rules.transcendental"
    assert notes["numpy.roots"].startswith("it gives complex numbers, which are not supported yet;")
    assert notes["numpy.kaiser"] == "makes an array"


def test_fourier_transforms_are_refused_with_the_reason() -> None:
    for name, kind, note in entries():
        if name.startswith("numpy.fft.") and kind != "takes no tensor":
            function = getattr(np.fft, name.rpartition(".")[2])
            with pytest.raises(NotDifferentiableError) as caught:
                function(Tensor([1.0, 2.0], requires_grad=True))
            assert str(caught.value) == f"{name} does not take a Tensor: {note}"
            assert note.startswith("numpy.fft works with complex numbers, which are not supported yet;")


def test_every_public_function_is_listed_once() -> None:
    names = [entry.name for entry in entries() if not entry.name.startswith("tests.")]  # where names come again
    assert len(names) == len(set(names))
    for module in (np, np.linalg, np.fft):
        public = {name for name in dir(module) if not name.startswith("_") and callable(getattr(module, name))}
        assert {entry.name for entry in of_module(module)} == {f"{module.__name__}.{name}" for name in public}


def test_functions_that_take_no_tensor_are_beyond_the_protocols() -> None:
    names = [name for group in TAKES_NO_TENSOR.values() for name in group.split()] + list(PASSES_TENSORS_ON)
    assert len(names) == len(set(names))
    for name in names:
        function = getattr(np, name, None)
        assert not isinstance(function, np.ufunc)
        assert not hasattr(function, "_implementation"), f"np.{name} asks a Tensor: give it a row"
        assert function not in TABLE, f"np.{name} has a row that no Tensor reaches"


def test_no_function_has_two_rows() -> None:
    """Filling the table a second time, into a dict that takes each key once."""
    script = """
import sys, types, importlib.util
package = types.ModuleType("autograd")
package.__path__ = importlib.util.find_spec("autograd").submodule_search_locations
sys.modules["autograd"] = package
import autograd.table

class Once(dict):
    def __setitem__(self, key, row):
        assert key not in self, f"{key} has rows on two pages, or two on one"
        super().__setitem__(key, row)

autograd.table.TABLE = Once()
import autograd.rules
print(len(autograd.table.TABLE))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) == sum(page.startswith("autograd.rules") for page in PAGES.values())


def test_the_table_is_printed_in_columns_with_a_summary() -> None:
    table = [Entry("numpy.exp", "elementwise", "page"), Entry("numpy.e", "flat", "page"), Entry("f", "flat", "other")]
    assert as_text(table) == (
        "numpy.exp  elementwise  page\n"
        "numpy.e    flat         page\n"
        "f          flat         other\n"
        "\n"
        "    2 flat\n"
        "    1 elementwise\n"
        "    3 in all"
    )
    assert as_markdown(table[:1]) == (
        "| function | kind | page, or reason |\n"
        "|---|---|---|\n"
        "| `numpy.exp` | elementwise | page |\n"
        "\n"
        "| kind | functions |\n"
        "|---|---:|\n"
        "| elementwise | 1 |"
    )
    assert summary(table) == [("flat", 2), ("elementwise", 1)]


def test_a_function_that_was_made_outside_of_a_module_is_ones_own() -> None:
    """As in a program text that is executed."""
    scope: dict[str, Any] = {"__name__": None}
    exec("def f(x): return x", scope)
    assert scope["f"].__module__ is None
    assert is_own(scope["f"])
