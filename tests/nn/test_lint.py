"""Advice on networks."""

from __future__ import annotations

from typing import Any

import pytest

import nn
from nn import functional


def test_a_bias_before_batch_normalization() -> None:
    inner = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Conv2d(2, 2, 3, bias=False), nn.BatchNorm2d(2)
    )
    assert nn.lint(nn.Sequential(inner, nn.Flatten(), nn.Linear(8, 2))) == [
        "0.0: the bias of Conv2d has no effect before BatchNorm2d, which subtracts the mean; use bias=False"
    ]


def test_our_networks_are_in_order() -> None:
    model = nn.MLP([4, 8, 8, 3], batch_norm=True, dropout=0.5)
    assert nn.lint(model, nn.CrossEntropyLoss()) == []
    assert nn.lint(nn.Linear(2, 1), functional.mse_loss) == []
    assert nn.lint(nn.Linear(2, 1)) == []


@pytest.mark.parametrize(
    ("last", "loss", "advice"),
    [
        (nn.Softmax(), nn.CrossEntropyLoss(), "Softmax does not fit cross_entropy, which takes logits"),
        (
            nn.Sigmoid(),
            functional.binary_cross_entropy_with_logits,
            "Sigmoid does not fit binary_cross_entropy_with_logits, which",
        ),
        (nn.Softmax(), nn.NLLLoss(), "Softmax does not fit nll_loss, which takes logarithms of probabilities"),
        (nn.ReLU(), nn.BCELoss(), "ReLU does not fit binary_cross_entropy, which takes probabilities: end in Sigmoid"),
    ],
)
def test_a_last_layer_that_does_not_fit_the_loss(last: nn.Module, loss: Any, advice: str) -> None:
    (said,) = nn.lint(nn.Sequential(nn.Linear(2, 3), nn.Sequential(last)), loss)
    assert said.startswith(f"1.0: {advice}")
    (alone,) = nn.lint(last, loss)
    assert alone.startswith(f"model: {advice}")


def test_fitting_last_layers() -> None:
    for last, loss in (
        (nn.Sigmoid(), nn.BCELoss()),
        (nn.LogSoftmax(), nn.NLLLoss()),
        (nn.Identity(), nn.CrossEntropyLoss()),
    ):
        assert nn.lint(nn.Sequential(nn.Linear(2, 3), last), loss) == []
