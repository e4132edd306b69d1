"""What happens at the edges of networks. Each test carries the number of a decision, as in `tests/test_semantics.py`.

Values are computed by hand unless a comment says otherwise.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autograd import AnomalyError, OutOfRangeError, ShapeError, Tensor
from nn import StateError, functional, optim

BATCH = np.array([[1.0], [2.0], [6.0]])  # mean 3, biased variance 14/3, unbiased 7


def var(value: Any, dtype: Any = None) -> Tensor:
    return Tensor(value, requires_grad=True, dtype=dtype)


def says(thing: Any, *words: str) -> None:
    """Check that a docstring contains these words."""
    text = " ".join(str(inspect.getdoc(thing)).split())
    for word in words:
        assert word in text


# 33: BatchNorm


def test_33_training_normalizes_with_the_biased_variance() -> None:
    layer = nn.BatchNorm1d(1, eps=0.0, dtype=np.float64)
    np.testing.assert_allclose(layer(BATCH).data, (BATCH - 3) / math.sqrt(14 / 3))


def test_33_running_statistics_have_the_unbiased_variance() -> None:
    layer = nn.BatchNorm1d(1, momentum=0.25, dtype=np.float64)
    layer(BATCH)
    np.testing.assert_allclose(layer.running_mean, [0.75 * 0 + 0.25 * 3])
    np.testing.assert_allclose(layer.running_var, [0.75 * 1 + 0.25 * 7])
    assert layer.num_batches_tracked == 1


@pytest.mark.parametrize(
    ("layer", "shape"), [(nn.BatchNorm1d(2), (1, 2)), (nn.BatchNorm1d(2), (1, 2, 1)), (nn.BatchNorm2d(2), (1, 2, 1, 1))]
)
def test_33_a_batch_of_one_in_training_is_an_error_and_changes_nothing(layer: Any, shape: tuple[int, ...]) -> None:
    state = layer.state_dict()
    with pytest.raises(
        ShapeError, match=r"each channel has 1 value, and needs at least 2; use a larger batch, or eval"
    ):
        layer(np.ones(shape, np.float32))
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, state[name])
    assert layer.eval()(np.ones(shape, np.float32)).shape == shape


def test_33_evaluation_uses_running_statistics_and_leaves_them() -> None:
    layer = nn.BatchNorm1d(1, eps=0.0, dtype=np.float64)
    layer.running_mean, layer.running_var = np.array([2.0]), np.array([4.0])
    np.testing.assert_allclose(layer.eval()(BATCH).data, (BATCH - 2) / 2)
    assert (layer.running_mean, layer.running_var) == ([2.0], [4.0])
    assert layer.num_batches_tracked == 0


def test_33_momentum_is_one_minus_the_lectures_alpha() -> None:
    says(functional.batch_norm, "μ_av = α μ_av + (1 - α) μ has α = 1 - momentum")


def test_33_a_bias_before_batch_norm_has_gradient_0() -> None:
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(3, 4, dtype=np.float64, rng=rng), nn.BatchNorm1d(4, dtype=np.float64), nn.Tanh())
    (model(rng.normal(size=(5, 3))) * rng.normal(size=(5, 4))).sum().backward()
    np.testing.assert_allclose(model[0].bias.grad, 0, atol=1e-12)
    assert np.abs(model[0].weight.grad).min() > 1e-3
    says(nn.Linear, "Before batch normalization it is redundant")


# 34: Dropout


def test_34_dropout_is_inverted_and_p_is_the_probability_to_drop() -> None:
    x = np.ones(100_000, np.float32)
    out = nn.Dropout(0.2, rng=np.random.default_rng(0))(x)
    assert out.dtype == np.float32
    assert set(np.unique(out)) == {0, np.float32(1.25)}
    assert abs(np.mean(out == 0) - 0.2) < 0.005  # its standard deviation is 0.0013
    says(functional.dropout, "call p the probability to keep", "it is the probability to drop")


def test_34_forward_and_backward_have_the_same_mask() -> None:
    x = var(np.ones(50))
    out = nn.Dropout(0.5, rng=np.random.default_rng(0))(x)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, out.data)


@pytest.mark.parametrize(("p", "factor"), [(0, 1), (1, 0)])
def test_34_p_of_0_and_1_are_exact(p: float, factor: int) -> None:
    x = var([-2.5, 0.1])
    out = nn.Dropout(p)(x)
    out.sum().backward()
    np.testing.assert_array_equal(out.data, x.data * factor)
    np.testing.assert_array_equal(x.grad, [factor, factor])


def test_34_evaluation_is_the_identity() -> None:
    x = var([-2.5, 0.1])
    for p in (0, 0.5, 1):
        np.testing.assert_array_equal(nn.Dropout(p).eval()(x).data, x.data)


def test_34_a_generator_reproduces_masks() -> None:
    x = np.ones(100)
    first, second = nn.Dropout(0.5, rng=np.random.default_rng(3)), nn.Dropout(0.5, rng=np.random.default_rng(3))
    masks = [first(x), first(x)]
    assert np.any(masks[0] != masks[1])
    np.testing.assert_array_equal(masks, [second(x), second(x)])


# 35: weight decay


def test_35_weight_decay_is_added_at_the_update_step() -> None:
    w = var([1.0, -2.0])
    optimizer = optim.SGD([w], lr=0.1, weight_decay=0.5)
    (3 * w).sum().backward()
    optimizer.step()
    np.testing.assert_allclose(w.data, [1 - 0.1 * (3 + 0.5 * 1), -2 - 0.1 * (3 + 0.5 * -2)])
    np.testing.assert_array_equal(w.grad, [3, 3])  # nothing was backpropagated


def test_35_the_factor_is_half_the_lectures() -> None:
    """One step on loss + α‖w‖² by backpropagation, and one with weight_decay=2α on the loss, are the same."""
    alpha, w, decayed = 0.3, var([1.0, -2.0]), var([1.0, -2.0])
    ((w**3).sum() + alpha * (w * w).sum()).backward()
    (decayed**3).sum().backward()
    optim.SGD([w], lr=0.1).step()
    optim.SGD([decayed], lr=0.1, weight_decay=2 * alpha).step()
    np.testing.assert_allclose(w.data, decayed.data, rtol=1e-15)
    says(optim.SGD, "adds 2αw for a loss with α‖w‖²: that is λ = 2α")


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adagrad, optim.RMSprop, optim.Adam])
def test_35_weight_decay_is_part_of_the_gradient(kind: Any) -> None:
    w, by_hand = var([1.0, -2.0]), var([1.0, -2.0])
    w.grad, by_hand.grad = [0.25, 0.5], [0.25 + 0.5 * 1, 0.5 + 0.5 * -2]
    kind([w], lr=0.1, weight_decay=0.5).step()
    kind([by_hand], lr=0.1).step()
    np.testing.assert_allclose(w.data, by_hand.data, rtol=1e-15)


def test_35_adamw_decouples_it() -> None:
    w, plain = var([1.0, -2.0]), var([1.0, -2.0])
    w.grad = plain.grad = [0.25, 0.5]
    optim.AdamW([w], lr=0.1, weight_decay=0.5).step()
    optim.Adam([plain], lr=0.1).step()
    np.testing.assert_allclose(w.data, plain.data - 0.1 * 0.5 * np.array([1.0, -2.0]), rtol=1e-15)


# 36: losses

ELEMENTWISE = [
    functional.mse_loss,
    functional.l1_loss,
    functional.huber_loss,
    functional.smooth_l1_loss,
    functional.binary_cross_entropy,
    functional.binary_cross_entropy_with_logits,
    functional.kl_div,
    functional.hinge_loss,
]


@pytest.mark.parametrize("loss", ELEMENTWISE, ids=lambda loss: loss.__name__)
@pytest.mark.parametrize(
    ("shape", "other"), [((3, 1), (3,)), ((3,), (3, 1)), ((3, 2), (2,)), ((3, 1), (3, 2)), ((3,), ()), ((1,), (3,))]
)
def test_36_no_silent_broadcast(loss: Callable[..., Any], shape: tuple[int, ...], other: tuple[int, ...]) -> None:
    input, target = var(np.full(shape, 0.5)), np.ones(other)
    pair = rf"input is Tensor\(float64 {re.escape(str(shape))}\), target is array\(float64 {re.escape(str(other))}\)"
    with pytest.raises(ShapeError, match=rf"^{loss.__name__} compares .* does not broadcast: {pair}; "):
        loss(input, target)


@pytest.mark.parametrize(
    "loss",
    [functional.cross_entropy, functional.nll_loss, functional.multi_margin_loss],
    ids=lambda loss: loss.__name__,
)
@pytest.mark.parametrize("shape", [(3, 1), (1, 3), (1,), ()])
def test_36_labels_are_not_broadcast(loss: Callable[..., Any], shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ShapeError, match=rf"takes labels of shape \(3,\), got array\(int64 {re.escape(str(shape))}\); "
    ):
        loss(var(np.zeros((3, 4))), np.zeros(shape, int))


def test_36_cross_entropy_takes_labels_or_probabilities() -> None:
    logits = np.log([[0.2, 0.8], [0.5, 0.5]])
    expected = (-math.log(0.8) - math.log(0.5)) / 2
    assert functional.cross_entropy(logits, [1, 0]) == pytest.approx(expected)
    assert functional.cross_entropy(logits, [[0.0, 1.0], [1.0, 0.0]]) == pytest.approx(expected)


@pytest.mark.parametrize("label", [4, -1, 100])
def test_36_a_label_out_of_range_is_named(label: int) -> None:
    message = (
        f"cross_entropy: label {label} at position 2 is out of range; labels for an input Tensor(float64 (3, 4)) "
        "are from 0 to 3, and ignore_index is -100"
    )
    with pytest.raises(OutOfRangeError, match=f"^{re.escape(message)}$"):
        functional.cross_entropy(var(np.zeros((3, 4))), [0, 3, label])


# 37: clipping, and parameters without gradient


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_37_a_norm_that_is_not_finite_is_an_error_unless_told_otherwise(value: float) -> None:
    w, b = var([0.0, 0.0]), var(0.0)
    w.grad, b.grad = [1.0, value], 3.0
    with pytest.raises(AnomalyError, match=f"^clip_grad_norm_: the norm of the gradients is {value}"):
        optim.clip_grad_norm([w, b], 1.0)
    np.testing.assert_array_equal(w.grad, [1.0, value])
    assert b.grad == 3
    with np.errstate(invalid="ignore"):
        assert not math.isfinite(optim.clip_grad_norm([w, b], 1.0, error_if_nonfinite=False))


def test_37_nothing_to_clip() -> None:
    assert optim.clip_grad_norm([], 1.0) == 0
    assert optim.clip_grad_norm([var([1.0])], 1.0) == 0
    optim.clip_grad_value([], 1.0)
    optim.clip_grad_value([var([1.0])], 1.0)


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adagrad, optim.RMSprop, optim.Adam, optim.AdamW])
def test_37_parameters_without_gradient_are_skipped(kind: Any) -> None:
    moves, stays = var([1.0]), var([1.0])
    moves.grad = [1.0]
    optimizer = kind([moves, stays], lr=0.1, weight_decay=0.5)
    optimizer.step()
    assert moves.data < 1
    assert stays.data == 1  # not even decayed
    assert stays not in optimizer.state


# 38: weights files

SUFFIXES = [".safetensors", ".npz"]


def saved(tmp_path: Path, suffix: str) -> Path:
    path = tmp_path / f"weights{suffix}"
    nn.save({"weight": np.ones((2, 3), np.float32), "bias": np.ones(2, np.float32)}, path)
    return path


@pytest.mark.parametrize("suffix", [".pt", ".pkl", ".npy", ""])
def test_38_safetensors_or_npz_and_nothing_else(tmp_path: Path, suffix: str) -> None:
    for call in (lambda path: nn.save({}, path), nn.load, nn.load_metadata):
        with pytest.raises(StateError, match=r"weights are stored in \.safetensors or \.npz files"):
            call(tmp_path / f"weights{suffix}")


def test_38_never_pickle(tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", weight=np.array([{}], object))
    with pytest.raises(StateError, match="Object arrays cannot be loaded"):
        nn.load(tmp_path / "weights.npz")
    with pytest.raises(StateError, match="'weight' of dtype object"):
        nn.save({"weight": np.array([{}], object)}, tmp_path / "weights.npz")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_38_truncated_files(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path, suffix)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(StateError, match=rf"^{re.escape(str(path))} is no \{suffix} file of weights: "):
        nn.load(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_38_a_changed_bit_of_a_weight_is_noticed(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path, suffix)
    data = bytearray(path.read_bytes())
    data[data.index(np.ones(2, np.float32).tobytes()) + 1] ^= 1
    path.write_bytes(data)
    with pytest.raises(StateError, match=rf"^{re.escape(str(path))} is no \{suffix} file of weights: "):
        nn.load(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_38_what_does_not_fit_is_listed_and_the_model_untouched(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    nn.save({"0.weight": np.ones((2, 2)), "0.bias": np.ones(2), "1.scale": np.ones(1), "2.bias": np.ones(1)}, path)
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    before = model.state_dict()
    message = (
        "the state does not fit Sequential, which was left as it is\n"
        "  missing: 1.weight; 1.bias\n"
        "  unexpected: 1.scale; 2.bias\n"
        "  mis-shaped: 0.weight of shape (2, 2), which must be (2, 3)"
    )
    with pytest.raises(StateError, match=f"^{re.escape(message)}$"):
        model.load_state_dict(nn.load(path))
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
