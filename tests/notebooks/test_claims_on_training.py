"""What notebooks 9 to 11 say of their experiments is what these have shown."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.notebooks.test_claims import numbers, output_of


@pytest.mark.parametrize(
    ("name", "otherwise"),
    [
        ("09_batch_normalization", ["as after it"]),
        ("10_dropout_and_weight_decay", ["λ = 0.1", "AdamW  the same"]),
        ("11_gradient_descent", []),
    ],
)
def test_what_is_said_to_agree_agrees(name: str, otherwise: list[str]) -> None:
    """Each comparison that is printed holds, but for those that are to show a difference."""
    lines = output_of(name).splitlines()
    assert sum(line.endswith("True") for line in lines) > 5
    false = [line for line in lines if line.endswith(" False")]
    assert all(line.startswith(start) for line, start in zip(false, otherwise, strict=True))
    assert [line for line in lines if line.startswith("exercise")] == [f"exercise {n} is right" for n in (1, 2, 3)]


def test_normalized_networks_learn_at_every_rate() -> None:
    output = output_of("09_batch_normalization")
    found = {
        (activation, kind): np.array(numbers(output, f"{activation:8} {kind:10}")[0])
        for activation in ("sigmoid", "relu")
        for kind in ("as it is", "batch norm")
    }
    assert np.all(abs(found["sigmoid", "as it is"] - np.log(10)) < 0.1)  # no better than guessing
    assert np.all(np.diff(found["sigmoid", "batch norm"]) < 0)  # best at high rates
    assert found["relu", "as it is"].argmin() == 1
    assert np.all(abs(found["relu", "as it is"][3:] - np.log(10)) < 0.1)
    assert np.all(found["relu", "batch norm"] < found["relu", "as it is"])


def test_advice_names_the_bias() -> None:
    assert "\n0: the bias of Linear has no effect before BatchNorm1d, " in output_of("09_batch_normalization")
    assert "\n1: Softmax does not fit cross_entropy, " in output_of("05_sigmoids_and_softmax")


def test_one_example_is_refused_and_a_batch_has_gradients_for_all() -> None:
    output = output_of("09_batch_normalization")
    assert "each channel has 1 value, and needs at least 2" in output
    [gradient] = (line for line in output.splitlines() if re.fullmatch(r"\[( *-?0\.\d+){4} *\]", line))
    assert all(abs(float(text)) > 0.01 for text in re.findall(r"-?0\.\d+", gradient))


def test_a_right_penalty_is_in_between() -> None:
    rows = np.array(numbers(output_of("10_dropout_and_weight_decay"), "α ="))
    alphas, on_examples, on_sine, squares = rows.T[[0, 1, 2, -1]]
    assert list(alphas) == [0, 0.01, 0.1]
    assert np.all(np.diff(on_examples) > 0)
    assert np.all(np.diff(squares) < 0)
    assert on_sine[1] < on_sine.min(where=[True, False, True], initial=np.inf) / 5


def test_the_other_probability_is_four_times_the_noise() -> None:
    output = output_of("10_dropout_and_weight_decay")
    [*_, mean, spread], [*_, other_mean, other_spread] = (numbers(output, f"nn.Dropout({p})")[0] for p in (0.2, 0.8))
    assert abs(mean - 1) < 0.02
    assert abs(other_mean - 1) < 0.05
    assert spread == pytest.approx(0.5, abs=0.02)
    assert other_spread == pytest.approx(4 * spread, rel=0.05)
    expected, tested = numbers(output, "relu:")[0]
    assert expected > 0.2
    assert tested == 0


def test_dropout_learns_fewer_wrong_labels() -> None:
    rows = np.array(numbers(output_of("10_dropout_and_weight_decay"), "dropped"))
    assert np.all(np.diff(rows[:, 1]) < 0)  # on the noisy labels that were learned
    assert np.all(np.diff(rows[:, 2]) > 0)  # on the test


def test_estimates_scatter_as_expected() -> None:
    lines = output_of("11_gradient_descent").splitlines()
    errors = numbers("\n".join(line for line in lines if "root mean square" in line), "m =")
    assert [row[0] for row in errors] == [1, 8, 64]
    for _, found, expected in errors:
        assert found == pytest.approx(expected, rel=0.06)
    assert errors[0][2] / errors[2][2] == pytest.approx(8, rel=0.1)  # eight times nearer, not 64 times


def test_about_as_many_updates_but_fewer_examples() -> None:
    output = output_of("11_gradient_descent").replace(",", "")
    names = "batch   ", "minibatch m = 32", "stochastic"
    rows = [numbers(output, name)[0][-2:] for name in names]
    updates, examples = np.array(rows).T
    assert updates.max() < 1.2 * updates.min()
    assert list(np.round(examples / updates)) == [569, 32, 1]


def test_falling_rates_end_lowest() -> None:
    output = output_of("11_gradient_descent")
    constant, small, falling = (numbers(output, name)[0][-1] for name in ("constant, 0.2 ", "constant, 0.02", "0.2 /"))
    assert falling < small < constant
    assert numbers(output, "1 step, J - min =")[0][0] > 0.5  # a criterion that a small rate meets at once
