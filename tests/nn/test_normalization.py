"""Batch and layer normalization, by hand and by their properties."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import nn
from autograd import DtypeError, ShapeError, Tensor, gradcheck
from nn.errors import StateError
from nn.functional import batch_norm, layer_norm


def normal(*shape: int) -> Any:
    return np.random.default_rng(0).normal(size=shape)


def test_a_batch_by_hand() -> None:
    """Of 1, 2, 6: mean 3, variance (4 + 1 + 9) / 3 = 14/3, unbiased 7; γ = 2, β = 1."""
    layer = nn.BatchNorm1d(1, eps=0.0, dtype=float)
    layer.weight.data, layer.bias.data = [2.0], [1.0]
    x = np.array([[1.0], [2.0], [6.0]])
    np.testing.assert_allclose(layer(x).data, 1 + 2 * (x - 3) / np.sqrt(14 / 3))
    np.testing.assert_allclose(layer.running_mean, [0.3])
    np.testing.assert_allclose(layer.running_var, [0.9 + 0.7])
    assert layer.num_batches_tracked == 1
    np.testing.assert_allclose(layer.eval()(x).data, 1 + 2 * (x - 0.3) / np.sqrt(1.6))
    assert layer.num_batches_tracked == 1


def test_the_average_over_all_batches() -> None:
    layer = nn.BatchNorm1d(2, momentum=None, dtype=float)
    batches = normal(4, 6, 2)
    for batch in batches:
        layer(batch)
    np.testing.assert_allclose(layer.running_mean, batches.mean(axis=(0, 1)))
    np.testing.assert_allclose(layer.running_var, batches.var(axis=1, ddof=1).mean(axis=0))


def test_without_running_statistics_evaluation_uses_the_batch() -> None:
    layer = nn.BatchNorm1d(3, track_running_stats=False, affine=False)
    assert layer.state_dict() == {}
    x = normal(5, 3)
    np.testing.assert_array_equal(layer(x), layer.eval()(x))


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5), (2, 3, 4, 2)])
def test_every_channel_has_mean_beta_and_deviation_gamma(shape: tuple[int, ...]) -> None:
    layer = (nn.BatchNorm2d if len(shape) == 4 else nn.BatchNorm1d)(3, eps=0.0, dtype=float)
    layer.weight.data, layer.bias.data = [1.0, 2.0, 3.0], [-1.0, 0.0, 1.0]
    out = np.moveaxis(layer(7 * normal(*shape) + 5).data, 1, 0).reshape(3, -1)
    np.testing.assert_allclose(out.mean(1), layer.bias.data, atol=1e-12)
    np.testing.assert_allclose(out.std(1), layer.weight.data)


@pytest.mark.parametrize("training", [True, False])
def test_derivatives(training: bool) -> None:
    mean, variance = np.array([0.1, -0.2]), np.array([1.5, 0.5])

    def f(x: Any, weight: Any, bias: Any) -> Any:
        return batch_norm(x, mean.copy(), variance.copy(), weight, bias, training)

    assert gradcheck(f, normal(5, 2), normal(2), normal(2))
    assert gradcheck(f, normal(3, 2, 2, 2), normal(2), normal(2))
    assert gradcheck(lambda x, w, b: layer_norm(x, (2, 3), w, b), normal(4, 2, 3), normal(2, 3), normal(2, 3))
    assert gradcheck(lambda x: layer_norm(x, 3), normal(2, 3))


def test_statistics_of_float32_stay_float32() -> None:
    layer = nn.BatchNorm1d(3)
    x = Tensor(normal(5, 3).astype(np.float32), requires_grad=True)
    layer(x).sum().backward()
    assert {layer(x).dtype, layer.running_mean.dtype, layer.weight.grad.dtype, x.grad.dtype} == {np.dtype(np.float32)}
    assert layer.eval()(x).dtype == np.float32


@pytest.mark.parametrize(("shape", "scale"), [((8, 4), 300.0), ((70_000, 4), 1.0)])
@pytest.mark.parametrize("training", [True, False])
def test_float16_computes_in_float32(shape: tuple[int, ...], scale: float, training: bool) -> None:
    """The squares of numbers around 300 overflow in float16, and sums of 70,000 numbers lose digits."""
    value = (scale * normal(*shape) + scale).astype(np.float16)
    upstream = normal(*shape).astype(np.float16)
    for function in (
        lambda x: batch_norm(x, np.full(4, scale), np.full(4, scale**2), training=training),
        lambda x: layer_norm(x, 4, np.ones(4, np.float32)),
    ):
        x, y = Tensor(value, requires_grad=True), Tensor(value.astype(float), requires_grad=True)
        out, expected = function(x), function(y)
        out.backward(upstream)
        expected.backward(upstream.astype(float))
        assert (out.dtype, x.grad.dtype) == (np.float16, np.float16)
        np.testing.assert_allclose(out.data, expected.data, rtol=2e-3, atol=2e-3)
        np.testing.assert_allclose(x.grad, y.grad, rtol=2e-3, atol=2e-3 / scale)


def test_lists_and_numpy_integers_are_welcome() -> None:
    assert batch_norm([[1.0], [3.0]], training=True, eps=0.0).tolist() == [[-1], [1]]
    assert batch_norm([[1.0], [3.0]], [1.0], [4.0], [2.0], [1.0], eps=0.0).tolist() == [[1], [3]]
    assert layer_norm([[1.0, 3.0]], np.int64(2), [2.0, 2.0], [1.0, 1.0], eps=0.0).tolist() == [[-1, 3]]
    assert nn.LayerNorm(np.int64(3)).normalized_shape == (3,)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["running_mean", "running_var", "weight", "bias"])
@pytest.mark.parametrize("training", [True, False])
def test_parameters_and_statistics_of_another_shape(name: str, training: bool) -> None:
    arguments = {
        "running_mean": np.zeros(3),
        "running_var": np.ones(3),
        "weight": np.ones(3),
        "bias": np.zeros(3),
        name: np.ones((2, 3)),
    }
    message = f"the {name} must have shape (3,), got array(float64 (2, 3)); reshape it, or give another"
    with pytest.raises(ShapeError, match=f"^{re.escape(f'batch_norm: {message}')}$"):
        batch_norm(normal(2, 3), **arguments, training=training)
    assert not arguments["running_mean"].any() or name == "running_mean"
    if name in ("weight", "bias"):
        with pytest.raises(ShapeError, match=f"^{re.escape(f'layer_norm: {message}')}$"):
            layer_norm(normal(2, 3), 3, **{name: np.ones((2, 3))})


def test_what_the_function_does_not_take() -> None:
    message = "batch_norm takes an input of shape (batch, channels, ...), got array(float64 (3,)); reshape it"
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        batch_norm(np.ones(3), training=True)
    mean = np.zeros(1)
    for variance, shown in ([1.0], "[1.0]"), (np.array([1]), "array(int64 (1,))"):
        message = f"batch_norm: training writes to running_var, got {shown}; make it a floating array"
        with pytest.raises(DtypeError, match=f"^{re.escape(message)}$"):
            batch_norm(normal(2, 1), mean, variance, training=True)
    assert mean == 0


def test_what_a_layer_does_not_take() -> None:
    layer = nn.BatchNorm1d(3)
    before = layer.state_dict()
    shown = "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)"
    for refusing, given, message in (
        (
            layer,
            np.ones((2, 4)),
            f"{shown} takes an input of shape (batch, 3) or (batch, 3, length), got array(float64 (2, 4))",
        ),
        (
            layer,
            np.ones((1, 3)),
            "batch normalization of array(float64 (1, 3)) in training: each channel has 1 value, and needs at least 2; "
            "use a larger batch, or eval()",
        ),
        (
            layer,
            np.ones((0, 3)),
            "batch normalization of array(float64 (0, 3)) in training: each channel has 0 values, and needs at least "
            "2; use a larger batch, or eval()",
        ),
        (
            nn.BatchNorm2d(3),
            np.ones((2, 3)),
            f"{shown.replace('1d', '2d')} takes an input of shape (batch, 3, height, width), got array(float64 (2, 3))",
        ),
        (
            nn.LayerNorm((2, 3)),
            np.ones((2, 4)),
            "layer_norm() over (2, 3) takes an input whose last axes have these lengths, got array(float64 (2, 4))",
        ),
    ):
        with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
            refusing(given)
    for name, value in nn.BatchNorm1d(3).state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_state_without_the_count_of_batches() -> None:
    layer = nn.BatchNorm1d(2)
    layer(normal(3, 2))
    state = nn.Sequential(nn.BatchNorm1d(2)).state_dict()
    del state["0.num_batches_tracked"]
    assert nn.Sequential(layer).load_state_dict(state) == ([], [])
    assert (layer.num_batches_tracked, layer.running_mean.tolist()) == (1, [0, 0])
    del state["0.running_mean"]
    with pytest.raises(StateError, match=r"missing: 0\.running_mean$"):
        nn.Sequential(layer).load_state_dict(state)


def test_first_values_again() -> None:
    batch, layer = nn.BatchNorm1d(2), nn.LayerNorm(2, bias=False)
    mean, first = batch.running_mean, [str(module.state_dict()) for module in (batch, layer)]
    for module in (batch, layer):
        module.weight.data = [5.0, 5.0]
        module(normal(3, 2))
    batch.reset_running_stats()
    assert batch.weight.data.tolist() == [5, 5]
    assert (batch.running_mean.tolist(), batch.running_var.tolist(), batch.num_batches_tracked) == ([0, 0], [1, 1], 0)
    for module in (batch, layer):
        module.reset_parameters()
    assert [str(module.state_dict()) for module in (batch, layer)] == first
    assert batch.running_mean is mean
    nn.BatchNorm1d(2, affine=False, track_running_stats=False).reset_parameters()
    nn.LayerNorm(2, elementwise_affine=False).reset_parameters()


def test_evaluation_needs_statistics() -> None:
    message = "batch_norm() in evaluation needs running_mean and running_var; or set training=True"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        batch_norm(np.ones((2, 3)))


def test_layer_norm_by_hand() -> None:
    """Of 1, 2, 6: mean 3, variance 14/3."""
    layer = nn.LayerNorm(3, eps=0.0, dtype=float)
    layer.weight.data, layer.bias.data = [1.0, 2.0, 3.0], [0.5, 0.0, 0.0]
    expected = np.array([-2.0, -2.0, 9.0]) / np.sqrt(14 / 3) + [0.5, 0, 0]
    np.testing.assert_allclose(layer([[1.0, 2.0, 6.0]]).data, [expected])
    assert repr(layer) == "LayerNorm((3,), eps=0.0, elementwise_affine=True, bias=True)"
    assert list(nn.LayerNorm(3, bias=False).state_dict()) == ["weight"]
    assert list(nn.LayerNorm(3, elementwise_affine=False).state_dict()) == []
