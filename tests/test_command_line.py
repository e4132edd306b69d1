"""The commands of ``python -m autograd``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import autograd.__main__ as command_line
from autograd import demo, graph
from autograd.checks import gradcheck
from autograd.coverage import as_text, entries
from autograd.view.expression import parse, values_of


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "autograd", *arguments], capture_output=True, text=True)


def test_demo(tmp_path: Path) -> None:
    """The whole command in a process of its own: graph, progress bar, accuracy, agreement, check, picture."""
    result = run("demo", "--out", str(tmp_path / "f.svg"))
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "f = (x + y) z, its value and its gradients:"
    graph = str(demo.small_graph().graph())
    assert graph in result.stdout
    assert "-12" in graph
    assert "Logistic regression on breast cancer: 569 cases, 426 of them to learn from" in lines
    assert "gradcheck of the loss, first and second order: passed" in lines
    accuracy = re.search(r"accuracy on the other 143: (\S+)", result.stdout)
    difference = re.search(r"largest difference from scikit-learn's coefficients: (\S+)", result.stdout)
    assert accuracy is not None
    assert difference is not None
    assert float(accuracy[1]) >= 0.95
    assert float(difference[1]) < 1e-3
    assert "gradient descent: 100%" in result.stderr


def test_demo_data_are_standardized_on_the_training_part() -> None:
    train, test = demo.breast_cancer()
    np.testing.assert_allclose(train.features.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(train.features.std(axis=0), 1, atol=1e-12)
    assert test.features.mean(axis=0).any()
    assert train.features.shape == (426, 30)
    assert test.features.shape == (143, 30)
    assert set(train.signs) == {-1.0, 1.0}


def test_demo_gradient() -> None:
    """At a point that is not the minimum, against the formula written by hand."""
    train, _ = demo.breast_cancer()
    rng = np.random.default_rng(1)
    w, b = rng.normal(size=30) / 10, 0.3
    weights, bias = leaf(w), leaf(b)
    demo.loss(weights, bias, train).backward()
    pull = -train.signs / (1 + np.exp(train.signs * (train.features @ w + b))) / 426
    np.testing.assert_allclose(weights.grad, pull @ train.features + w / 426, rtol=1e-12)
    np.testing.assert_allclose(bias.grad, pull.sum(), rtol=1e-12)
    gradcheck(lambda w, b: demo.loss(w, b, train), w, b)


def leaf(value: object) -> demo.Tensor:
    return demo.Tensor(value, requires_grad=True)


def test_demo_without_scikit_learn(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert command_line.main(["demo"]) == 2
    assert capsys.readouterr().err == (
        "python -m autograd demo: the demo needs scikit-learn; run pip install 'chainrule[demo]'\n"
    )


def test_coverage(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["coverage"]) == 0
    assert capsys.readouterr().out == as_text(entries()) + "\n"


def test_coverage_in_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["coverage", "--markdown"]) == 0
    assert "| `numpy.add` | elementwise | autograd.rules.arithmetic |\n" in capsys.readouterr().out


ENDINGS = ".svg, .png, .pdf, .html, .dot, .mmd, .json"
UNWRITABLE = [
    ("f.gif", f"a graph is saved as {ENDINGS}, not as '.gif': 'f.gif'"),
    ("f", f"a graph is saved as {ENDINGS}, not as '': 'f'"),
    ("nowhere/f.svg", f"there is no folder {os.path.realpath('nowhere')} for nowhere/f.svg; make it first"),
]
"""Files that cannot be written, and why."""


def test_demo_draws_its_graph(monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(command_line, "demo", lambda: None)
    path = tmp_path / "f.html"
    assert command_line.main(["demo", "--out", str(path)]) == 0
    assert capsys.readouterr().out == f"picture in {path}\n"
    assert path.read_text("utf-8") == graph(demo.small_graph()).stepper()


def test_demo_draws_where_it_is(monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(command_line, "demo", lambda: None)
    monkeypatch.chdir(tmp_path)
    assert command_line.main(["demo"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["f.html"]
    assert capsys.readouterr().out == "picture in f.html\n"


@pytest.mark.parametrize(("path", "problem"), UNWRITABLE)
def test_demo_says_at_once_where_it_cannot_write(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, path: str, problem: str
) -> None:
    monkeypatch.setattr(command_line, "demo", lambda: pytest.fail("it was run"))
    assert command_line.main(["demo", "--out", path]) == 2
    assert capsys.readouterr().err == f"python -m autograd demo: {problem}\n"


FORMULA = ["draw", "q = x + y; q * z", "x=-2", "y=5", "z=-4"]


def test_draw_prints_the_text_tree(capsys: Any) -> None:
    assert command_line.main(FORMULA) == 0
    assert capsys.readouterr().out == (
        "f = multiply  -12  grad 1\n"
        "├─ ∂ -4 · q = add  3  grad -4\n"
        "│  ├─ ∂ 1 · x  -2  grad -4\n"
        "│  └─ ∂ 1 · y  5  grad -4\n"
        "└─ ∂ 3 · z  -4  grad 3\n"
    )


@pytest.mark.parametrize(
    ("ending", "start"),
    [
        ("svg", b"<svg "),
        ("html", b"<!DOCTYPE html>"),
        ("dot", b"digraph"),
        ("mmd", b"flowchart LR"),
        ("json", b'{"nodes": '),
    ],
)
def test_draw_writes_what_the_ending_says(capsys: Any, tmp_path: Path, ending: str, start: bytes) -> None:
    path = tmp_path / f"f.{ending}"
    assert command_line.main([*FORMULA, "--out", str(path)]) == 0
    assert capsys.readouterr().out == f"picture in {path}\n"
    assert path.read_bytes().startswith(start)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_draw_from_top_to_bottom(tmp_path: Path) -> None:
    path = tmp_path / "f.svg"
    assert command_line.main([*FORMULA, "--out", str(path), "--direction", "TB"]) == 0
    root = parse(FORMULA[1], values_of(FORMULA[2:]))
    assert path.read_text("utf-8") == graph(root).svg(rankdir="TB") != graph(root).svg()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["x + q", "x=1"], "q has no value; add one, such as q=1.5\n    x + q\n        ^"),
        (["x * 2", "x=1", "k=3"], "k has a value but is not used in the formula; leave it out"),
        (["x * 2", "x"], "values are given as NAME=VALUE, such as x=-2 or x=[1,2,3]\n    x\n    ^"),
    ],
)
def test_draw_says_what_is_wrong(capsys: Any, arguments: list[str], problem: str) -> None:
    assert command_line.main(["draw", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err == f"python -m autograd draw: {problem}\n"
    assert captured.out == ""


def test_a_formula_that_begins_with_minus(capsys: Any) -> None:
    assert command_line.main(["draw", "--", "-x", "x=1"]) == 0
    assert capsys.readouterr().out == "f = negative  -1  grad 1\n└─ ∂ -1 · x  1  grad -1\n"


@pytest.mark.parametrize(("path", "problem"), UNWRITABLE)
def test_draw_says_where_it_cannot_write(capsys: Any, path: str, problem: str) -> None:
    assert command_line.main([*FORMULA, "--out", path]) == 2
    captured = capsys.readouterr()
    assert captured.err == f"python -m autograd draw: {problem}\n"
    assert captured.out == ""
    assert not Path(path).exists()


def test_draw_divides_by_zero_without_a_word() -> None:
    result = run("draw", "x / 0", "x=1")
    assert result.returncode == 0
    assert result.stderr == ""
    assert result.stdout.startswith("f = divide [0]  inf  grad 1\n")


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "demo", interrupted)
    assert command_line.main(["demo"]) == 130
    assert capsys.readouterr().err == "\ninterrupted\n"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What JupyterLab would have been opened with."""
    arguments: list[str] = []
    lab: Any = ModuleType("jupyterlab.labapp")
    lab.LabApp = SimpleNamespace(launch_instance=arguments.extend)
    monkeypatch.setitem(sys.modules, "jupyterlab", ModuleType("jupyterlab"))
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", lab)
    return arguments


@pytest.mark.parametrize("path", [None, "elsewhere"])
def test_notebooks(monkeypatch: pytest.MonkeyPatch, opened: list[str], path: str | None) -> None:
    """The folder, Ctrl-C without a question, and what else the user says; kernels find this checkout first."""
    if path is None:
        monkeypatch.delenv("PYTHONPATH", raising=False)
    else:
        monkeypatch.setenv("PYTHONPATH", path)
    assert command_line.main(["notebooks", "--no-browser", "--port=9999"]) == 0
    root = Path(__file__).resolve().parents[1]
    assert opened == [str(root / "notebooks"), "--ServerApp.answer_yes=True", "--no-browser", "--port=9999"]
    assert os.environ["PYTHONPATH"] == (str(root) if path is None else f"{root}{os.pathsep}{path}")


def test_notebooks_without_the_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, opened: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "notebooks"
    monkeypatch.setattr(command_line, "NOTEBOOKS", folder)
    assert command_line.main(["notebooks"]) == 2
    assert capsys.readouterr().err == (
        f"python -m autograd notebooks: there are no notebooks in {folder}; they are in a clone: there, "
        "pip install -e '.[notebooks]'\n"
    )
    assert opened == []


def test_notebooks_without_jupyterlab(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setitem(sys.modules, "jupyterlab", None)
    assert command_line.main(["notebooks"]) == 2
    assert capsys.readouterr().err == (
        "python -m autograd notebooks: the notebooks open in JupyterLab, which was not found: "
        "pip install -e '.[notebooks]'\n"
    )


@pytest.mark.parametrize("command", ["demo", "coverage", "draw"])
def test_other_commands_take_no_further_options(capsys: Any, command: str) -> None:
    arguments = [command, "x", "x=1", "--no-browser"] if command == "draw" else [command, "--no-browser"]
    with pytest.raises(SystemExit) as caught:
        command_line.main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith("error: unrecognized arguments: --no-browser\n")


def test_a_reader_that_stops_early_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "autograd", "coverage"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_without_a_command_it_says_which_there_are() -> None:
    result = run()
    assert result.returncode == 2
    assert "usage: python -m autograd [-h] {demo,coverage,draw,notebooks} ..." in result.stderr
