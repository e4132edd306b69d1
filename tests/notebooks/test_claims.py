"""What the prose of notebooks claims is what their cells have shown."""

from __future__ import annotations

import re
from itertools import pairwise

import nbformat
import numpy as np
import pytest

from notebooks import build


def prose_and_output(name: str) -> tuple[str, str]:
    """The Markdown of a notebook, with single spaces, and what its cells printed."""
    notebook = nbformat.read(build.HERE / f"{name}.ipynb", as_version=4)
    prose = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    printed = [output for cell in notebook.cells for output in cell.get("outputs", []) if "text" in output]
    return re.sub(r"\s+", " ", prose), "\n".join(output.text for output in printed)


def output_of(name: str) -> str:
    return prose_and_output(name)[1]


def numbers(output: str, start: str) -> list[list[float]]:
    """The numbers of each printed line that begins with some words."""
    lines = [line.strip() for line in output.splitlines()]
    found = [line.removeprefix(start) for line in lines if line.startswith(start)]
    assert found, f"nothing printed begins with {start!r}"
    return [[float(text) for text in re.findall(r"[-+]?\d+\.?\d*(?:e[-+]\d+)?", line)] for line in found]


@pytest.mark.parametrize(
    ("name", "claim", "shown"),
    [
        ("12_training_digits", "6,570 numbers, drawn at random", "6,570       0"),
        ("12_training_digits", "9 mistakes in 360", "9 of 360 test pictures are mistaken"),
        ("12_training_digits", "66 numbers of a last layer", "66 numbers learn"),
        ("12_training_digits", "Equal to the last bit", "loaded, equal:    True"),
        ("13_beyond_gradients", "6,570 weights, the Hessian has 43 million numbers", "43,164,900 numbers"),
        ("13_beyond_gradients", "the fourth has three zeros", "sign changes of the fourth derivative: 3"),
        ("13_beyond_gradients", "Gradient descent is given 400 steps", "gradient descent, step 400"),
        ("15_bug_zoo", "The loss falls, as it should, and has no bottom", "as printed: loss -0.693, then -6.853"),
        ("15_bug_zoo", "After the first step the loss is NaN", "the loss is NaN at step 1"),
        ("15_bug_zoo", "the code says $-1$", "second line at a = 0.999, y = 1: -1.000"),
        ("15_bug_zoo", "*Input 0*, `x`", "input 0 ('x')"),
    ],
)
def test_figures_in_the_prose_were_printed(name: str, claim: str, shown: str) -> None:
    prose, output = prose_and_output(name)
    assert claim in prose
    assert shown in output


def test_frozen_layers_carry_over_what_the_first_task_needed() -> None:
    """For digits that they were not trained on they are no better than random; for odd or even far ahead."""
    output = output_of("12_training_digits")
    ways = "from scratch", "frozen, as drawn", "frozen, pretrained", "fine-tuned"
    scratch, drawn, frozen, tuned = (np.array(numbers(output, way)) for way in ways)
    assert np.all(frozen[0] < scratch[0] - 0.2)
    assert np.all(frozen[0] < drawn[0] + 0.02)
    assert np.all(abs(tuned[0] - scratch[0]) < 0.05)
    assert frozen[1, 0] > tuned[1, 0] + 0.05 > scratch[1, 0] + 0.05


def test_no_regularizer_is_shown_to_be_better() -> None:
    """Losses and accuracies on unknown pictures differ by less than runs of the plain network do."""
    output = output_of("12_training_digits")
    names = "plain", "dropout", "weight decay", "batch norm"
    runs = {name: next(row for row in numbers(output, name) if len(row) == 5) for name in names}
    known, loss, loss_spread, right, right_spread = runs["plain"]
    for name in names[1:]:
        assert runs[name][0] > known
        assert loss - loss_spread < runs[name][1] < loss
        assert abs(runs[name][3] - right) < right_spread
    assert runs["weight decay"][0] == max(row[0] for row in runs.values())


def test_gradients_are_of_one_size_and_hidden_layers_separate_classes() -> None:
    output = output_of("12_training_digits")
    assert all(numbers(output, step)[0][0] < 5 for step in ("first step: largest", "last step: largest"))
    shares = [numbers(output, name)[0][1] for name in ("pixels:", "hidden layer 1:", "hidden layer 2:")]
    assert shares == sorted(shares)
    without, with_normalization = numbers(output, "Without:")[0], numbers(output, "With batch normalization:")[0]
    assert without[1] / without[0] > 10
    assert with_normalization[1] / with_normalization[0] < 1.5


def test_newton_doubles_the_right_digits() -> None:
    output = output_of("13_beyond_gradients")
    [*_, before, last] = [row[-1] for row in numbers(output, "Newton, step") if len(row) == 2]
    assert np.log10(last) / np.log10(before) > 1.7
    assert numbers(output, "gradient descent, step")[0][-1] > 1e-10


def test_errors_of_the_linear_function_go_with_the_square_of_the_step() -> None:
    errors = [row[1] for row in numbers(output_of("13_beyond_gradients"), "step")]
    assert len(errors) == 4
    assert all(4 < one / half < 5 for one, half in pairwise(errors))


def test_the_penalty_on_the_slope_helps() -> None:
    output = output_of("13_beyond_gradients")
    [steep, far], [gentle, near] = (row[-2:] for row in numbers(output, "penalty"))
    assert gentle < steep / 2
    assert near < far


def test_specimens_show_their_symptoms() -> None:
    output = output_of("15_bug_zoo")
    assert output.count("WRONG") == 4
    assert output.count("<- too early") == 1
    noise, proud = numbers(output, "mean square of the noise")[0]
    assert proud < noise / 1000
    [(_, found, _)], [(_, repaired, _)] = (numbers(output, name) for name in ("as found:", "repaired: loss"))
    assert repaired < found / 2
