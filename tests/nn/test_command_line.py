"""``python -m nn train``: what it prints, writes, refuses, and that it goes on where it was stopped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
import nn.__main__ as command_line
from nn import recipes
from nn.__main__ import main

pytest.importorskip("sklearn")


def run(capsys: Any, *arguments: str, status: int = 0) -> str:
    assert main(["train", *arguments]) == status
    captured = capsys.readouterr()
    return str(captured.err if status == 2 else captured.out)


def accuracy_of(text: str) -> float:
    found = re.search(r"accuracy (\d\.\d+) \(always the most frequent class: (\d\.\d+)\)", text)
    assert found, text
    return float(found[1])


def test_the_default_learns_digits(capsys: Any) -> None:
    text = run(capsys)
    assert accuracy_of(text) >= 0.97
    assert text.startswith("digits: 1077 examples to learn from, 360 to test\n\nlayer ")


def test_a_small_convolutional_network_learns_digits(capsys: Any) -> None:
    assert accuracy_of(run(capsys, "--model", "conv")) >= 0.98


@pytest.mark.parametrize(("data", "least"), [("breast-cancer", 0.93), ("wine", 0.93)])
def test_other_classes(capsys: Any, data: str, least: float) -> None:
    assert accuracy_of(run(capsys, "--data", data)) >= least


def test_a_regression(capsys: Any) -> None:
    text = run(capsys, "--data", "diabetes", "--optimizer", "sgd", "--lr", "0.01", "--hidden", "16")
    found = re.search(r"R² (0\.\d+), root mean square error (\d+\.\d)", text)
    assert found, text
    assert float(found[1]) > 0.3
    assert 40 < float(found[2]) < 70


OPTIONS = ["--data", "wine", "--hidden", "8", "--dropout", "0.1", "--batch-norm", "--init", "he_normal", "--seed", "3"]


def test_one_seed_gives_the_same_run_again_and_weights_are_saved(capsys: Any, tmp_path: Path) -> None:
    weights = []
    for name in ("a.npz", "b.safetensors"):
        run(capsys, *OPTIONS, "--epochs", "2", "--save", str(tmp_path / name))
        weights.append(nn.load(tmp_path / name))
    assert weights[0].keys() == weights[1].keys()
    for name, value in weights[0].items():
        np.testing.assert_array_equal(value, weights[1][name])


def test_going_on_ends_where_one_run_ends(capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the third epoch; the same command again goes on."""
    whole, halves, checkpoint = (str(tmp_path / name) for name in ("whole.npz", "halves.npz", "state.npz"))
    run(capsys, *OPTIONS, "--epochs", "4", "--save", whole)
    steps = 0
    update = nn.optim.Adam.update

    def interrupted(self: Any, group: Any) -> None:
        nonlocal steps
        steps += 1
        if steps == 9:
            raise KeyboardInterrupt
        update(self, group)

    monkeypatch.setattr(nn.optim.Adam, "update", interrupted)
    run(capsys, *OPTIONS, "--epochs", "4", "--resume", checkpoint, status=130)
    monkeypatch.undo()
    run(capsys, *OPTIONS, "--epochs", "4", "--resume", checkpoint, "--save", halves)
    ends = nn.load(whole), nn.load(halves)
    for name, value in ends[0].items():
        np.testing.assert_array_equal(value, ends[1][name])


def test_the_losses_are_drawn(capsys: Any, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib").use("Agg")
    path = tmp_path / "losses.svg"
    run(capsys, "--data", "wine", "--epochs", "2", "--plot", str(path))
    assert "<svg" in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--data", "wine", "--model", "conv"],
            "wine are no pictures, so there is nothing to convolve; choose --model mlp, or --data digits",
        ),
        (
            ["--model", "conv", "--hidden", "8"],
            "a convolutional network has two convolutions: give --hidden two numbers, not 1",
        ),
        *(
            ([option, "/nowhere/f.npz"], "there is no folder /nowhere for /nowhere/f.npz; make it first")
            for option in ("--save", "--resume", "--plot")
        ),
        (["--plot", "/loss.gif"], "a plot is drawn as .svg, .png, .pdf, not as '.gif': '/loss.gif'"),
        (["--dropout", "2"], "Dropout(p=2.0): the probability to drop an element must be between 0 and 1"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, arguments: list[str], message: str
) -> None:
    monkeypatch.setattr(command_line, "train", lambda *args, **options: pytest.fail("it was trained"))
    assert run(capsys, *arguments, status=2) == f"python -m nn train: {message}\n"


def test_too_little_memory_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def greedy(*args: Any, **options: Any) -> None:
        raise MemoryError("Unable to allocate 238. GiB for an array with shape (1000000000, 64)")

    monkeypatch.setattr(command_line, "network", greedy)
    assert run(capsys, "--hidden", "1000000000", status=2) == (
        "python -m nn train: Unable to allocate 238. GiB for an array with shape (1000000000, 64); "
        "make --hidden or --batch-size smaller\n"
    )


@pytest.mark.parametrize(
    ("option", "value", "least"),
    [("--epochs", "0", 1), ("--batch-size", "0", 1), ("--hidden", "8.5", 1), ("--seed", "-1", 0)],
)
def test_numbers_that_do_not_fit_are_refused_with_their_option(
    capsys: Any, option: str, value: str, least: int
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train", option, value])
    assert caught.value.code == 2
    problem = f"argument {option}: {value!r} is no whole number of {least} or more"
    assert capsys.readouterr().err.endswith(f"\npython -m nn train: error: {problem}\n")


@pytest.mark.parametrize("scheme", recipes.INITIALIZERS)
def test_initializers_that_are_offered_fit(capsys: Any, scheme: str) -> None:
    run(capsys, "--data", "wine", "--epochs", "1", "--init", scheme)


def test_an_unknown_weights_format_is_refused_before_training(capsys: Any) -> None:
    assert run(capsys, "--save", "weights.pkl", status=2).startswith("python -m nn train: ")


def test_without_matplotlib_nothing_is_trained(monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr(command_line, "train", lambda *args, **options: pytest.fail("it was trained"))
    assert run(capsys, "--plot", str(tmp_path / "loss.svg"), status=2) == (
        "python -m nn train: a plot needs matplotlib; run pip install 'chainrule[plot]'\n"
    )


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    message = "the data sets come with scikit-learn; run pip install 'chainrule[demo]'"
    with pytest.raises(ImportError, match=f"^{re.escape(message)}$"):
        recipes.load("wine", np.random.default_rng(0))


def test_weights_are_not_written_over_the_checkpoint(capsys: Any, tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    said = run(capsys, "--data", "wine", "--save", str(path), "--resume", f"{tmp_path}/./c.npz", status=2)
    assert said == (
        f"python -m nn train: --save and --resume name the same file, {path}; give the weights one of their own\n"
    )
    assert not path.exists()


def test_no_name_is_refused_before_training(capsys: Any) -> None:
    assert "wine" not in run(capsys, "--data", "wine", "--save", "", status=2)


@pytest.mark.parametrize(
    "command", [["nn", "train", "--data", "wine", "--epochs", "1"], ["autograd", "draw", "x * x", "x=1"]]
)
def test_encodings_without_the_lines_of_a_tree(command: list[str]) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
