"""Losses and metrics: numbers worked out by hand, edges, errors, derivatives against differences."""

from __future__ import annotations

import copy
import math
import pickle
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import nn
from autograd import AutogradError, DtypeError, OutOfRangeError, ShapeError, Tensor, grad, gradcheck, log_softmax
from nn import DataError
from nn import functional as F  # noqa: N812 - its usual name

rng = np.random.default_rng(0)
LN2 = math.log(2)


def normal(*shape: int) -> Any:
    return rng.normal(size=shape)


def whole(message: str) -> str:
    """A pattern for all of a message."""
    return f"^{re.escape(message)}$"


def gradient(loss: Callable[..., Any], input: Any, *args: Any, **options: Any) -> Any:
    """The gradient of a loss, or of the sum of losses, by its input."""
    return grad(lambda x: np.sum(loss(x, *args, **options)))(np.array(input, dtype=float))


ELEMENTWISE = {
    "mse_loss": F.mse_loss,
    "l1_loss": F.l1_loss,
    "huber_loss": F.huber_loss,
    "smooth_l1_loss": F.smooth_l1_loss,
    "binary_cross_entropy": F.binary_cross_entropy,
    "binary_cross_entropy_with_logits": F.binary_cross_entropy_with_logits,
    "hinge_loss": F.hinge_loss,
    "kl_div": F.kl_div,
}
LABELLED = {"nll_loss": F.nll_loss, "cross_entropy": F.cross_entropy, "multi_margin_loss": F.multi_margin_loss}

# Numbers


def test_regression_by_hand() -> None:
    input, target = [0.0, 1.0, 5.0], [0.5, 1.0, 2.0]
    cases: list[tuple[Callable[..., Any], list[float]]] = [
        (F.mse_loss, [0.25, 0, 9]),
        (F.l1_loss, [0.5, 0, 3]),
        (F.huber_loss, [0.125, 0, 2.5]),
        (partial(F.huber_loss, delta=2.0), [0.125, 0, 4]),
        (partial(F.smooth_l1_loss, beta=2.0), [0.0625, 0, 2]),
        (partial(F.smooth_l1_loss, beta=0), [0.5, 0, 3]),
    ]
    for loss, each in cases:
        assert loss(input, target, reduction="none").tolist() == each
        assert loss(input, target, reduction="sum") == sum(each)
        assert loss(input, target) == pytest.approx(sum(each) / 3)


def test_regression_at_kinks() -> None:
    assert gradient(F.l1_loss, [1.0, 2.0], [1.0, 1.0], reduction="sum").tolist() == [0, 1]
    assert gradient(F.huber_loss, [-2.0, 0.0, 0.5, 2.0, 9.0], np.zeros(5), delta=2, reduction="sum").tolist() == [
        -2,
        0,
        0.5,
        2,
        2,
    ]


def test_the_formulas_of_the_lectures() -> None:
    """dL/da = -(y/a - (1-y)/(1-a)), dL/dz = a - y, J = 1/m Σ L (CS230 lecture 3)."""
    a, y, z = np.array([0.2, 0.7, 0.9]), np.array([0, 1, 1]), normal(3)
    np.testing.assert_allclose(gradient(F.binary_cross_entropy, a, y, reduction="sum"), -(y / a - (1 - y) / (1 - a)))
    np.testing.assert_allclose(
        gradient(F.binary_cross_entropy_with_logits, z, y, reduction="sum"), 1 / (1 + np.exp(-z)) - y
    )
    losses = F.binary_cross_entropy(a, y, reduction="none")
    np.testing.assert_allclose(losses, [-math.log(0.8), -math.log(0.7), -math.log(0.9)])
    assert F.binary_cross_entropy(a, y) == pytest.approx(np.mean(losses))


def test_softmax_minus_one_hot() -> None:
    z, y = normal(4, 3), np.array([0, 2, 1, 1])
    e = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    np.testing.assert_allclose(gradient(F.cross_entropy, z, y, reduction="sum"), e - np.eye(3)[y], atol=1e-15)
    np.testing.assert_allclose(F.cross_entropy(z, y, reduction="none"), -np.log(e[range(4), y]))
    np.testing.assert_allclose(F.cross_entropy(z, np.eye(3)[y]), F.cross_entropy(z, y))
    np.testing.assert_allclose(F.nll_loss(log_softmax(z), y), F.cross_entropy(z, y))


def test_multi_detection_is_independent_logistic_losses() -> None:
    """CS229 lecture 11: the loss of an example is the sum over its classes; ours is 1/C of that."""
    z, y = normal(2, 3), np.array([[1, 0, 1], [0, 0, 0]])
    each = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    np.testing.assert_allclose(F.multilabel_soft_margin_loss(z, y, reduction="none"), each.sum(1) / 3)
    np.testing.assert_allclose(F.multilabel_soft_margin_loss(z, y), each.mean())
    np.testing.assert_allclose(
        F.multilabel_soft_margin_loss(z, y, weight=[3, 0, 0], reduction="none"), each[:, 0], rtol=1e-14
    )


def test_cross_entropy_by_hand() -> None:
    logits = np.log([[1.0, 3.0], [1.0, 1.0], [7.0, 1.0]])  # probabilities 1/4 3/4, 1/2 1/2, 7/8 1/8
    labels = [1, 0, 1]
    each = np.log([4 / 3, 2, 8])
    np.testing.assert_allclose(F.cross_entropy(logits, labels, reduction="none"), each)
    assert F.cross_entropy(logits, labels) == pytest.approx(each.mean())
    assert F.cross_entropy(logits, labels, reduction="sum") == pytest.approx(each.sum())
    weighted = (3 * each[0] + each[1] + 3 * each[2]) / 7
    assert F.cross_entropy(logits, labels, weight=[1, 3]) == pytest.approx(weighted)
    assert F.cross_entropy(logits, labels, ignore_index=0) == pytest.approx((each[0] + each[2]) / 2)
    np.testing.assert_allclose(F.cross_entropy(logits, [1, -100, 1], reduction="none"), [each[0], 0, each[2]])
    assert F.cross_entropy(logits[0], 1, label_smoothing=0.5) == pytest.approx(
        0.75 * math.log(4 / 3) + 0.25 * math.log(4)
    )


def test_pos_weight_counts_positives_more_often() -> None:
    losses = F.binary_cross_entropy_with_logits([0.0, 0.0, 0.0], [1, 0, 0.5], pos_weight=3.0, reduction="none")
    np.testing.assert_allclose(losses, [3 * LN2, LN2, 2 * LN2])


def test_hinge_by_hand() -> None:
    assert F.hinge_loss([2.0, 1.0, 0.25, -1.0], [1, 1, -1, 1], reduction="none").tolist() == [0, 0, 1.25, 2]
    assert gradient(F.hinge_loss, [2.0, 1.0, 0.25, -1.0], [1, 1, -1, 1], reduction="sum").tolist() == [0, 0, 1, -1]


def test_kl_div_by_hand() -> None:
    y, log_q = np.array([[0.5, 0.5], [0.0, 1.0]]), np.log([[0.25, 0.75], [0.5, 0.5]])
    each = [0.5 * math.log(2) + 0.5 * math.log(2 / 3), LN2]
    np.testing.assert_allclose(F.kl_div(log_q, y, reduction="none").sum(1), each)
    assert F.kl_div(log_q, y, reduction="sum") == pytest.approx(sum(each))
    assert F.kl_div(log_q, y, reduction="batchmean") == pytest.approx(sum(each) / 2)
    assert F.kl_div(log_q, y) == pytest.approx(sum(each) / 4)


def test_kl_div_where_a_probability_is_zero() -> None:
    """It adds nothing, even where the other one is 0 too, and passes no gradient."""
    log_q, y = Tensor([-np.inf, 0.0, -1.0], requires_grad=True), Tensor([0.0, 1.0, 0.0], requires_grad=True)
    losses = F.kl_div(log_q, y, reduction="none")
    losses.sum().backward()
    assert losses.tolist() == [0, 0, 0]
    assert log_q.grad.tolist() == [0, -1, 0]
    assert y.grad.tolist() == [0, 1, 0]


def test_margins_by_hand() -> None:
    scores = [[1.0, 3.0, 2.5], [0.0, 0.0, 4.0]]
    np.testing.assert_allclose(F.multi_margin_loss(scores, [1, 0], reduction="none"), [0.5 / 3, 6 / 3])
    np.testing.assert_allclose(F.multi_margin_loss(scores, [1, 0], p=2, reduction="none"), [0.25 / 3, 26 / 3])
    np.testing.assert_allclose(F.multi_margin_loss(scores, [1, 0], margin=2.0, reduction="none"), [1.5 / 3, 8 / 3])
    np.testing.assert_allclose(
        F.multi_margin_loss(scores, [1, 0], weight=[1, 2, 9], reduction="none"), [1.0 / 3, 6 / 3]
    )
    # {0, 2} against {1}, of scores 2, 1.5 and 0: max(0, 1 - 0.5) + max(0, 1 + 1.5)
    np.testing.assert_allclose(F.multilabel_margin_loss([[2.0, 1.5, 0.0]], [[0, 2, -1]], reduction="none"), [1.0])
    assert F.multilabel_margin_loss([2.0, 1.5, 0.0], [-1, 0, 1]) == 0
    assert F.multilabel_margin_loss([2.0, 1.5, 0.0], [2, 0, 1]) == 0


# Extreme values; warnings are errors in these tests


def test_binary_cross_entropy_from_logits_is_stable() -> None:
    z = Tensor([200.0, -200.0, 200.0, -200.0, 1e30], requires_grad=True)
    losses = F.binary_cross_entropy_with_logits(z, [0, 1, 1, 0, 0], reduction="none")
    losses.sum().backward()
    np.testing.assert_allclose(losses.numpy(), [200, 200, 0, math.exp(-200), 1e30], atol=1e-200)
    assert z.grad[[0, 1, 4]].tolist() == [1, -1, 1]
    np.testing.assert_allclose(z.grad, [1, -1, 0, math.exp(-200), 1], rtol=1e-14)


def test_binary_cross_entropy_of_certain_probabilities() -> None:
    p = Tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    losses = F.binary_cross_entropy(p, [0, 1, 1, 0], reduction="none")
    losses.sum().backward()
    assert losses.tolist() == [0, 0, 100, 100]
    assert p.grad.tolist() == [1, -1, 0, 0]
    small = np.array([1e-30], np.float32)
    assert F.binary_cross_entropy(small, [0]) == small[0]  # log(1 - p) would be 0


def test_cross_entropy_of_extreme_logits() -> None:
    z = Tensor([[1000.0, -1000.0, 0.0], [-np.inf, 0.0, 0.0]], requires_grad=True)
    losses = F.cross_entropy(z, [1, 2], reduction="none")
    losses.sum().backward()
    np.testing.assert_allclose(losses.numpy(), [2000, LN2])
    np.testing.assert_allclose(z.grad, [[1, -1, 0], [0, 0.5, -0.5]])
    float32 = np.array([[1000.0, -1000.0, 0.0]], np.float32)
    assert F.cross_entropy(float32, [[0.5, 0.5, 0.0]]) == 1000


def test_other_extremes() -> None:
    assert F.huber_loss([1e300], [0.0]) == 1e300
    assert F.multilabel_soft_margin_loss([[1000.0, -1000.0]], [[0, 1]]) == 1000
    assert F.hinge_loss([1e300], [-1]) == 1e300
    assert F.multi_margin_loss([[1e300, 0.0]], [1]) == 5e299


@np.errstate(invalid="ignore")  # numpy.logaddexp of NaN warns
def test_nan_stays_nan() -> None:
    """Also where the loss compares or looks for what is out of range."""
    for name, loss in ELEMENTWISE.items():
        assert math.isnan(loss([math.nan, 0.5], [1, 1])), name
    for name, loss in LABELLED.items():
        assert math.isnan(loss([[math.nan, 0.5]], [0])), name
    for loss in (F.mse_loss, F.l1_loss, F.kl_div, F.binary_cross_entropy, F.binary_cross_entropy_with_logits):
        assert math.isnan(loss([0.5], [math.nan]))


def test_ignored_examples_do_not_count_even_if_they_are_nan() -> None:
    z = Tensor([[1.0, 2.0], [math.nan, math.nan]], requires_grad=True)
    F.cross_entropy(z, [0, -100]).backward()
    assert z.grad[1].tolist() == [0, 0]
    assert not np.isnan(z.grad[0]).any()


# Derivatives

P = 1 / (1 + np.exp(-normal(2, 3)))
Q = 1 / (1 + np.exp(-normal(2, 3)))
SIGNS = np.array([[1, -1, -1], [-1, 1, -1]])
Y = np.array([2, 0])
W = [0.5, 2.0, 1.0]
CHECKS: dict[str, tuple[Any, ...]] = {
    "mse": (F.mse_loss, normal(2, 3), normal(2, 3)),
    "l1": (F.l1_loss, normal(2, 3), normal(2, 3)),
    "huber": (partial(F.huber_loss, delta=0.7), normal(3, 3), normal(3, 3)),
    "smooth l1": (partial(F.smooth_l1_loss, beta=0.7), normal(3, 3), normal(3, 3)),
    "bce": (F.binary_cross_entropy, P, Q),
    "bce, weighted": (partial(F.binary_cross_entropy, weight=W, reduction="none"), P, Q),
    "bce with logits": (F.binary_cross_entropy_with_logits, normal(2, 3), Q),
    "bce with logits, weighted": (
        partial(F.binary_cross_entropy_with_logits, weight=W, pos_weight=[3, 1, 2], reduction="none"),
        normal(2, 3),
        Q,
    ),
    "soft margin": (partial(F.multilabel_soft_margin_loss, weight=W, reduction="none"), normal(2, 3), Q),
    "hinge": (lambda x: F.hinge_loss(x, SIGNS), normal(2, 3)),
    "nll": (lambda x: F.nll_loss(x, Y, weight=W), normal(2, 3)),
    "cross entropy": (lambda x: F.cross_entropy(x, Y), normal(2, 3)),
    "cross entropy, each": (lambda x: F.cross_entropy(x, [2, -100], reduction="none"), normal(2, 3)),
    "cross entropy, further axes": (
        lambda x: F.cross_entropy(x, [[0, 2], [1, -100]], weight=W, label_smoothing=0.1),
        normal(2, 3, 2),
    ),
    "cross entropy, one example": (lambda x: F.cross_entropy(x, 1), normal(3)),
    "cross entropy of probabilities": (
        partial(F.cross_entropy, weight=W, label_smoothing=0.2),
        normal(2, 3),
        Q,
    ),
    "kl": (partial(F.kl_div, reduction="batchmean"), normal(2, 3), Q),
    "kl of logarithms": (partial(F.kl_div, log_target=True), normal(2, 3), normal(2, 3)),
    "multi margin": (lambda x: F.multi_margin_loss(x, Y, weight=W), normal(2, 3)),
    "multi margin, squared": (lambda x: F.multi_margin_loss(x, Y, p=2), normal(2, 3)),
    "multilabel margin": (lambda x: F.multilabel_margin_loss(x, [[1, -1, 0], [2, 0, -1]]), normal(2, 3)),
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_derivatives(check: tuple[Any, ...]) -> None:
    assert gradcheck(*check)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_float32_stays_float32(check: tuple[Any, ...]) -> None:
    loss, input, *target = check
    x = Tensor(input, requires_grad=True, dtype=np.float32)
    out = loss(x, *target)  # the target is float64
    assert out.dtype == np.float32
    np.testing.assert_allclose(out.numpy(), loss(input, *target), rtol=1e-5, atol=1e-6)
    out.sum().backward()
    assert x.grad.dtype == np.float32


# What is taken for a target


def test_targets_in_every_form() -> None:
    z = normal(2, 3)
    expected = F.cross_entropy(z, np.array([1, 0]))
    for dtype in (np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64, bool):
        assert F.cross_entropy(z, np.array([1, 0], dtype)) == expected
    for labels in ([1, 0], (1, 0), [True, False], Tensor([1, 0])):
        assert F.cross_entropy(z, labels) == expected
    for target in ([1, 0], [True, False], np.array([1, 0], np.uint8), Tensor([1.0, 0.0]), [1.0, 0.0]):
        assert F.binary_cross_entropy_with_logits([0.0, 0.0], target) == pytest.approx(LN2)
        assert F.mse_loss([0.0, 0.0], target) == 0.5


def test_numbers_and_integers_are_inputs_too() -> None:
    assert F.mse_loss(3, 1) == 4
    assert F.mse_loss([1, 2], np.ones(2, np.float32)).dtype == np.float64
    assert F.cross_entropy([0, 0], 1) == pytest.approx(LN2)


def test_arrays_in_arrays_out() -> None:
    assert isinstance(F.cross_entropy(normal(2, 3), [0, 1], reduction="none"), np.ndarray)
    assert isinstance(F.mse_loss(normal(2), normal(2)), np.floating)
    assert isinstance(F.mse_loss(normal(2), Tensor([1.0, 2.0])), Tensor)


def test_arguments_are_left_as_they_are() -> None:
    z, q, y = normal(2, 3), np.eye(3)[[0, 1]], np.array([0, -100])
    for array in (z, q, y):
        array.flags.writeable = False
    F.cross_entropy(z, q, label_smoothing=0.1)
    F.cross_entropy(z, y, reduction="none")
    F.binary_cross_entropy_with_logits(z, q)
    F.multilabel_margin_loss(z, np.tile([1, -1, -1], (2, 1)))


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (2, 3, 4, 5)])
def test_each_loss_has_the_shape_of_the_labels(shape: tuple[int, ...]) -> None:
    z = normal(*shape)
    expected = shape[:1] + shape[2:] if len(shape) > 1 else ()
    labels = np.random.default_rng(0).integers(0, 3, expected)
    probabilities = np.moveaxis(np.eye(3)[labels], -1, min(1, z.ndim - 1))
    losses = F.cross_entropy(z, labels, reduction="none")
    assert losses.shape == expected
    np.testing.assert_allclose(F.cross_entropy(z, probabilities, reduction="none"), losses)
    for index in np.ndindex(expected):
        logits = z if len(shape) == 1 else z[(index[0], slice(None), *index[1:])]
        assert losses[index] == pytest.approx(F.cross_entropy(logits, labels[index]))


# Errors


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_shapes_do_not_broadcast(name: str) -> None:
    loss = ELEMENTWISE[name]
    says = f"{name} compares element by element, and does not broadcast: "
    cases = [
        ((3, 1), (3,), "use target.reshape(3, 1)"),
        ((3,), (3, 1), "use target.reshape(3,)"),
        ((2, 3), (3,), "give both the same shape"),
        ((3,), (), "give both the same shape"),
        ((1,), (), "use target.reshape(1,)"),
    ]
    for input, target, cure in cases:
        message = f"input is array(float64 {input}), target is array(float32 {target}); {cure}"
        with pytest.raises(ShapeError, match=whole(says + message)):
            loss(np.zeros(input), np.ones(target, np.float32))


def test_names_of_tensors_are_in_messages() -> None:
    with pytest.raises(ShapeError, match=r"input is Tensor\(float64 \(2, 1\) 'prices'\), target is Tensor"):
        F.mse_loss(Tensor(normal(2, 1), name="prices"), Tensor([1.0, 2.0]))


@pytest.mark.parametrize("name", LABELLED)
def test_labels_that_do_not_fit(name: str) -> None:
    loss = LABELLED[name]
    takes = f"{name}: an input array(float64 (4, 3)) takes labels of shape (4,), got array("
    cases: list[tuple[Any, type[AutogradError], str]] = [
        (np.zeros((4, 1), int), ShapeError, takes + "int64 (4, 1)); use target.reshape(4,)"),
        (np.zeros((4, 3), int), ShapeError, takes + "int64 (4, 3)); for one-hot labels use target.argmax(1)"),
        (np.zeros(5, int), ShapeError, takes + "int64 (5,)); give one label for each example"),
        (0, ShapeError, takes + "int64 ()); give one label for each example"),
        (
            np.zeros(4),
            DtypeError,
            f"{name}: labels must be integers, got array(float64 (4,)); use target.astype(int)",
        ),
        (
            [0, 1, 3, 2],
            OutOfRangeError,
            f"{name}: label 3 at position 2 is out of range; labels for an input array(float64 (4, 3)) are from 0 to 2",
        ),
        (
            np.array([0, -1, 7, 2], np.int8),
            OutOfRangeError,
            f"{name}: label -1 at position 1 is out of range; labels for an input array(float64 (4, 3)) are "
            "from 0 to 2",
        ),
    ]
    for target, kind, message in cases:
        if kind is OutOfRangeError and name != "multi_margin_loss":
            message += ", and ignore_index is -100"
        with pytest.raises(kind, match=whole(message)):
            loss(np.zeros((4, 3)), target)


def test_a_label_out_of_range_beside_ignored_ones() -> None:
    with pytest.raises(
        OutOfRangeError,
        match=whole(
            "cross_entropy: label 3 at position (1, 0) is out of range; "
            "labels for an input array(float64 (2, 3, 2)) are from 0 to 2, and ignore_index is -1"
        ),
    ):
        F.cross_entropy(np.zeros((2, 3, 2)), [[-1, 0], [3, -1]], ignore_index=-1)
    with pytest.raises(OutOfRangeError, match=r"^cross_entropy: label 3 is out of range; "):
        F.cross_entropy(np.zeros(3), 3)
    with pytest.raises(OutOfRangeError, match=r"^cross_entropy: label 18446744073709551615 at position 0 is"):
        F.cross_entropy(np.zeros((1, 3)), np.array([2**64 - 1], np.uint64))


@pytest.mark.parametrize("shape", [(0,), (0, 1), (2, 0)])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_an_empty_batch_has_no_mean(name: str, shape: tuple[int, ...]) -> None:
    loss, empty = ELEMENTWISE[name], np.zeros(shape)
    message = f'{name}: an empty batch has no mean loss; give it at least one example, or use reduction="sum"'
    with pytest.raises(DataError, match=whole(message)):
        loss(empty, empty)
    assert loss(empty, empty, reduction="sum") == 0
    assert loss(empty, empty, reduction="none").shape == shape


@pytest.mark.parametrize("loss", [*LABELLED.values(), F.multilabel_margin_loss, F.multilabel_soft_margin_loss])
def test_an_empty_batch_of_labels_has_no_mean(loss: Callable[..., Any]) -> None:
    same = loss in (F.multilabel_margin_loss, F.multilabel_soft_margin_loss)
    input, target = np.zeros((0, 3)), np.zeros((0, 3) if same else (0,), int)
    with pytest.raises(DataError, match=rf"^{loss.__name__}: an empty batch has no mean loss; "):
        loss(input, target)
    assert loss(input, target, reduction="sum") == 0
    assert loss(input, target, reduction="none").shape == (0,)
    if loss is F.cross_entropy:
        assert loss(input, [], reduction="sum", weight=W, label_smoothing=0.1) == 0
        with pytest.raises(DataError, match="an empty batch has no mean loss"):
            loss(input, [], weight=W)


def test_labels_that_are_all_ignored_have_no_mean() -> None:
    message = 'all 2 labels are ignored, so that there is no mean loss; leave such batches out, or use reduction="sum"'
    for weight in (None, W):
        with pytest.raises(DataError, match=whole("nll_loss: " + message)):
            F.nll_loss(normal(2, 3), [-100, -100], weight)
        with pytest.raises(DataError, match=whole("cross_entropy: " + message)):
            F.cross_entropy(normal(2, 3), [1, 1], weight, ignore_index=1)
        assert F.cross_entropy(normal(2, 3), [-100, -100], weight, reduction="sum") == 0
        assert F.cross_entropy(normal(2, 3), [-100, -100], weight, reduction="none").tolist() == [0, 0]


def test_weights_that_sum_to_nothing() -> None:
    message = (
        "cross_entropy: the weights of the labels sum to 0, so that there is no mean loss; "
        'give some of these classes a weight, or use reduction="sum"'
    )
    with pytest.raises(DataError, match=whole(message)):
        F.cross_entropy(normal(2, 3), [0, 0], weight=[0, 1, 1])


WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a reduction": (
        lambda: F.mse_loss([1.0], [1.0], reduction="average"),
        ValueError,
        'mse_loss: reduction=\'average\' must be "mean", "sum" or "none"',
    ),
    "a delta": (lambda: F.huber_loss([1.0], [1.0], delta=0), ValueError, "huber_loss: delta=0 must be positive"),
    "a beta": (
        lambda: F.smooth_l1_loss([1.0], [1.0], beta=-1),
        ValueError,
        "smooth_l1_loss: beta=-1 must not be negative",
    ),
    "a dtype": (
        lambda: F.mse_loss(["a"], [1.0]),
        DtypeError,
        "mse_loss takes real numbers, got array(<U1 (1,)); give it an array of a floating dtype",
    ),
    "nothing": (
        lambda: F.cross_entropy(None, [0]),
        DtypeError,
        "cross_entropy takes real numbers, got None; does forward() return its result?",
    ),
    "a dtype of targets": (
        lambda: F.mse_loss([1.0], [1j]),
        DtypeError,
        "mse_loss takes real numbers, got array(complex128 (1,)); give it an array of a floating dtype",
    ),
    "logits for probabilities": (
        lambda: F.binary_cross_entropy([0.5, 1.5], [0, 1]),
        ShapeError,
        "binary_cross_entropy: input array(float64 (2,)) must be between 0 and 1, got 1.5; "
        "for logits use binary_cross_entropy_with_logits",
    ),
    "classes -1 and 1": (
        lambda: F.binary_cross_entropy_with_logits([0.5, 1.5], [-1.0, 1.0]),
        ShapeError,
        "binary_cross_entropy_with_logits: target array(float64 (2,)) must be between 0 and 1, got -1.0; "
        "classes are 0 and 1: for classes -1 and 1 use (target + 1) / 2",
    ),
    "classes 0 and 1": (
        lambda: F.hinge_loss([0.5, 1.5], [1.0, 0.0]),
        ShapeError,
        "hinge_loss: target array(float64 (2,)) must be -1 or 1, got 0.0; for classes 0 and 1 use 2 * target - 1",
    ),
    "logarithms for probabilities": (
        lambda: F.kl_div([-1.0], [-1.0]),
        ShapeError,
        "kl_div: target array(float64 (1,)) must not be negative, got -1.0; "
        "for logarithms of probabilities use log_target=True",
    ),
    "an empty first axis": (
        lambda: F.kl_div(np.zeros((0, 3)), np.zeros((0, 3)), reduction="batchmean"),
        DataError,
        'kl_div: reduction="batchmean" divides by the length of the first axis, and input is array(float64 (0, 3)); '
        'give it at least one example, or use reduction="sum"',
    ),
    "a weight that widens": (
        lambda: F.binary_cross_entropy([0.5, 0.5], [0, 1], weight=np.ones((2, 1))),
        ShapeError,
        "binary_cross_entropy: weight is array(float64 (2, 1)), which does not broadcast to the input's shape (2,); "
        "give one weight for each element, or for each of the last axis",
    ),
    "a pos_weight": (
        lambda: F.binary_cross_entropy_with_logits(np.zeros((2, 3)), np.ones((2, 3)), pos_weight=[1.0, 2.0]),
        ShapeError,
        "binary_cross_entropy_with_logits: pos_weight is array(float64 (2,)), which does not broadcast to the "
        "input's shape (2, 3); give one pos_weight for each element, or for each of the last axis",
    ),
    "a weight of classes": (
        lambda: F.cross_entropy(np.zeros((2, 3)), [0, 1], weight=[1.0, 2.0]),
        ShapeError,
        "cross_entropy: weight must have shape (3,), one for each class of the input array(float64 (2, 3)), "
        "got array(float64 (2,))",
    ),
    "a label smoothing": (
        lambda: F.cross_entropy(np.zeros((2, 3)), [0, 1], label_smoothing=1.5),
        ValueError,
        "cross_entropy: label_smoothing=1.5 must be from 0 to 1",
    ),
    "an ignored label beside probabilities": (
        lambda: F.cross_entropy(np.zeros((2, 2)), np.eye(2), ignore_index=0),
        ValueError,
        "cross_entropy: ignore_index=0 is for labels, and target holds probabilities",
    ),
    "probabilities of other classes": (
        lambda: F.cross_entropy(np.zeros((2, 3)), np.eye(2)),
        ShapeError,
        "cross_entropy compares element by element, and does not broadcast: input is array(float64 (2, 3)), "
        "target is array(float64 (2, 2)); give both the same shape",
    ),
    "no axis": (
        lambda: F.cross_entropy(1.0, 0),
        ShapeError,
        "cross_entropy takes an input of shape (C,), (N, C) or (N, C, d1, …), got array(float64 ())",
    ),
    "no classes": (
        lambda: F.cross_entropy(np.zeros((2, 0)), np.zeros((2, 0))),
        ShapeError,
        "cross_entropy takes an input with at least one class, got array(float64 (2, 0))",
    ),
    "a power": (
        lambda: F.multi_margin_loss([[0.0, 0.0]], [0], p=3),
        ValueError,
        "multi_margin_loss: p=3 must be 1 or 2",
    ),
    "further axes": (
        lambda: F.multi_margin_loss(np.zeros((2, 3, 4)), np.zeros((2, 4), int)),
        ShapeError,
        "multi_margin_loss takes an input of shape (N, C) or (C,) with C > 0, got array(float64 (2, 3, 4))",
    ),
    "a set in another shape": (
        lambda: F.multilabel_margin_loss(np.zeros((2, 3)), [[0], [1]]),
        ShapeError,
        "multilabel_margin_loss: an input array(float64 (2, 3)) takes labels of the same shape, got "
        "array(int64 (2, 1)); give each example its labels, followed by -1",
    ),
    "a set of floats": (
        lambda: F.multilabel_margin_loss(np.zeros((1, 3)), [[1.0, 0.0, 1.0]]),
        DtypeError,
        "multilabel_margin_loss: labels must be integers, got array(float64 (1, 3)); use target.astype(int)",
    ),
    "a label in a set": (
        lambda: F.multilabel_margin_loss(np.zeros((2, 3)), [[0, -1, 0], [1, 3, -1]]),
        OutOfRangeError,
        "multilabel_margin_loss: label 3 at position (1, 1) is out of range; labels for an input "
        "array(float64 (2, 3)) are from 0 to 2, and -1 ends them",
    ),
    "a label in the only set": (
        lambda: F.multilabel_margin_loss(np.zeros(3), [0, -2, 0]),
        OutOfRangeError,
        "multilabel_margin_loss: label -2 at position 1 is out of range; labels for an input "
        "array(float64 (3,)) are from 0 to 2, and -1 ends them",
    ),
}


@pytest.mark.parametrize(("call", "kind", "message"), WRONG.values(), ids=WRONG)
def test_wrong_input(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=whole(message)):
        call()


# Modules

MODULES: dict[str, tuple[Any, Callable[..., Any], dict[str, Any]]] = {
    "MSELoss": (nn.MSELoss, F.mse_loss, {}),
    "L1Loss": (nn.L1Loss, F.l1_loss, {}),
    "HuberLoss": (nn.HuberLoss, F.huber_loss, {"delta": 0.1}),
    "SmoothL1Loss": (nn.SmoothL1Loss, F.smooth_l1_loss, {"beta": 0.1}),
    "BCELoss": (nn.BCELoss, F.binary_cross_entropy, {"weight": W}),
    "BCEWithLogitsLoss": (
        nn.BCEWithLogitsLoss,
        F.binary_cross_entropy_with_logits,
        {"weight": W, "pos_weight": [3, 1, 2]},
    ),
    "MultiLabelSoftMarginLoss": (nn.MultiLabelSoftMarginLoss, F.multilabel_soft_margin_loss, {"weight": W}),
    "KLDivLoss": (nn.KLDivLoss, F.kl_div, {"log_target": True}),
    "HingeLoss": (nn.HingeLoss, F.hinge_loss, {}),
    "NLLLoss": (nn.NLLLoss, F.nll_loss, {"weight": W, "ignore_index": 2}),
    "CrossEntropyLoss": (
        nn.CrossEntropyLoss,
        F.cross_entropy,
        {"weight": W, "ignore_index": 2, "label_smoothing": 0.1},
    ),
    "MultiMarginLoss": (nn.MultiMarginLoss, F.multi_margin_loss, {"p": 2, "margin": 0.5, "weight": W}),
    "MultiLabelMarginLoss": (nn.MultiLabelMarginLoss, F.multilabel_margin_loss, {}),
}


def target_of(name: str) -> Any:
    if name in ("NLLLoss", "CrossEntropyLoss", "MultiMarginLoss"):
        return Y
    return {"HingeLoss": SIGNS, "MultiLabelMarginLoss": np.array([[0, -1, 1], [1, 2, -1]])}.get(name, Q)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_its_function(name: str) -> None:
    kind, function, options = MODULES[name]
    plain = function(P, target_of(name))
    assert kind()(P, target_of(name)) == plain
    for reduction in ("mean", "sum", "none"):
        expected = function(P, target_of(name), reduction=reduction, **options)
        for module in (kind(reduction=reduction, **options), copy.deepcopy(kind(reduction=reduction, **options))):
            np.testing.assert_array_equal(module(P, target_of(name)), expected)
    assert not options or kind(**options)(P, target_of(name)) != plain
    module = pickle.loads(pickle.dumps(kind(**options)))
    assert module(P, target_of(name)) == function(P, target_of(name), **options)


def test_weights_are_buffers() -> None:
    loss = nn.BCEWithLogitsLoss(pos_weight=[1.0, 2.0])
    assert list(loss.state_dict()) == ["pos_weight"]
    assert loss.float().pos_weight.dtype == np.float32
    assert not list(loss.parameters())


def test_a_loss_shows_its_options() -> None:
    assert repr(nn.MSELoss()) == "MSELoss(reduction='mean')"
    assert repr(nn.NLLLoss([1.0, 2.0])) == "NLLLoss(weight=array(float64 (2,)), ignore_index=-100, reduction='mean')"


# Metrics


def test_accuracy() -> None:
    scores = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.0, -1.0]])
    assert F.accuracy(scores, [1, 1, 1, 0]) == 0.75
    assert F.accuracy(scores, np.eye(2)[[1, 1, 1, 0]]) == 0.75
    assert F.accuracy(scores, np.eye(2, dtype=int)[[0, 1, 1, 1]]) == 0.25
    assert F.accuracy(Tensor(scores, requires_grad=True), Tensor([1, 0, 1, 0])) == 1
    assert F.accuracy(scores[:, 1], [True, True, False, False]) == 0.75
    assert F.accuracy(scores[:, 1:] - 0.5, np.array([[1], [0], [0], [0]])) == 0.75
    assert F.accuracy([2.0, -1.0, 0.0], [1, 1, -1]) == pytest.approx(2 / 3)
    assert F.accuracy(normal(2, 3, 4).astype(np.float32), np.zeros((2, 4), int)) <= 1
    assert F.accuracy(np.moveaxis(np.eye(3)[[[0, 1], [2, 2]]], -1, 1), [[0, 1], [2, 0]]) == 0.75
    assert type(F.accuracy(scores, [1, 1, 1, 0])) is float


def test_r2_score() -> None:
    y = np.array([1.0, 2.0, 3.0, 6.0])
    assert F.r2_score(y, y) == 1
    assert F.r2_score(np.full(4, 3.0), y) == 0
    assert F.r2_score([1, 2, 3, 5], y) == 1 - 1 / 14
    both = F.r2_score(np.stack([y, np.full(4, 3.0)], 1), np.stack([y, y], 1))
    assert both == 0.5
    assert F.r2_score(Tensor(y, requires_grad=True), y.astype(np.float32)) == 1
    assert type(both) is float


METRICS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no examples": (
        lambda: F.accuracy(np.zeros((0, 3)), []),
        DataError,
        "accuracy of no examples, array(float64 (0, 3)); give it at least one",
    ),
    "chosen labels": (
        lambda: F.accuracy([1, 0], [1, 0]),
        DtypeError,
        "accuracy takes scores of a floating dtype, got array(int64 (2,)); "
        "for labels that are already chosen use np.mean(chosen == target)",
    ),
    "a shape": (
        lambda: F.accuracy(np.zeros((2, 1)), [1, 0]),
        ShapeError,
        "accuracy compares element by element, and does not broadcast: input is array(float64 (2, 1)), "
        "target is array(int64 (2,)); use target.reshape(2, 1)",
    ),
    "three classes with one score": (
        lambda: F.accuracy(np.zeros(3), [0, 1, 2]),
        ShapeError,
        "accuracy: target array(float64 (3,)) must be 0 or 1, or -1 or 1, where input has one score",
    ),
    "several classes at once": (
        lambda: F.accuracy(np.zeros((1, 3)), [[1, 1, 0]]),
        ShapeError,
        "accuracy: target array(int64 (1, 3)) of the shape of input must be one-hot along axis 1",
    ),
    "a label": (
        lambda: F.accuracy(np.zeros((2, 3)), [0, 3]),
        OutOfRangeError,
        "accuracy: label 3 at position 1 is out of range; labels for an input array(float64 (2, 3)) are from 0 to 2",
    ),
    "floats": (
        lambda: F.accuracy(np.zeros((2, 3)), [0.0, 1.0]),
        DtypeError,
        "accuracy: labels must be integers, got array(float64 (2,)); use target.astype(int)",
    ),
    "equal targets": (
        lambda: F.r2_score([1.0, 2.0], [2.0, 2.0]),
        DataError,
        "r2_score: target array(float64 (2,)) has no variance to explain; give it targets that differ",
    ),
    "no targets": (
        lambda: F.r2_score([], []),
        DataError,
        "r2_score: target array(float64 (0,)) has no variance to explain; give it targets that differ",
    ),
    "another shape": (
        lambda: F.r2_score(np.zeros((2, 1)), [1.0, 2.0]),
        ShapeError,
        "r2_score compares element by element, and does not broadcast: input is array(float64 (2, 1)), "
        "target is array(float64 (2,)); use target.reshape(2, 1)",
    ),
}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.CrossEntropyLoss(np.zeros((2, 3)), Y),
            "CrossEntropyLoss(ignore_index=array(int64 (2,))): it must be a whole number",
        ),
        (lambda: nn.NLLLoss(ignore_index=0.5), "NLLLoss(ignore_index=0.5): it must be a whole number"),
        (
            lambda: nn.CrossEntropyLoss(label_smoothing=Y),
            "CrossEntropyLoss(label_smoothing=array(int64 (2,))): it must be a number",
        ),
        (lambda: nn.MSELoss(Tensor(1.0)), "MSELoss(reduction=Tensor(float64 ())): it must be a string"),
        (lambda: nn.BCELoss([0.5], [1]), "BCELoss(reduction=[1]): it must be a string"),
    ],
)
def test_a_loss_that_is_made_of_what_it_is_to_compare(make: Callable[[], Any], message: str) -> None:
    name = message.partition("(")[0]
    with pytest.raises(
        TypeError, match=whole(f"{message}; input and target go to the loss that is made: {name}()(input, target)")
    ):
        make()


def test_options_may_be_numbers_of_numpy() -> None:
    loss = nn.CrossEntropyLoss(ignore_index=np.int64(1), label_smoothing=np.float32(0.5))
    assert loss([[0.0, 0.0]], [0]) == pytest.approx(math.log(2))


NO_LOSSES: list[tuple[Any, str]] = [
    (nn.CrossEntropyLoss, "<class 'nn.losses.CrossEntropyLoss'>; call it: CrossEntropyLoss()"),
    ("mse", "'mse'; give it nn.MSELoss(), or another"),
    (None, "None; give it nn.MSELoss(), or another"),
]


@pytest.mark.parametrize(("loss", "message"), NO_LOSSES)
def test_what_is_no_loss(loss: Any, message: str) -> None:
    model = nn.Linear(1, 1)
    optimizer, data = nn.optim.SGD(model.parameters()), (np.ones((2, 1)), np.ones((2, 1)))
    calls: dict[str, Callable[[], Any]] = {
        "fit": lambda: nn.fit(model, loss, optimizer, data, epochs=1),
        "evaluate": lambda: nn.evaluate(model, loss, data),
        "compiled_step": lambda: nn.compiled_step(model, loss, optimizer),
    }
    for name, call in calls.items():
        with pytest.raises(
            TypeError, match=whole(f"{name}: the loss must be a function of output and target, got {message}")
        ):
            call()


@pytest.mark.parametrize(("call", "kind", "message"), METRICS.values(), ids=METRICS)
def test_wrong_input_of_metrics(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=whole(message)):
        call()


# Far out


@pytest.mark.parametrize("loss", [F.huber_loss, F.smooth_l1_loss])
def test_infinite_errors_have_the_slope_of_large_ones(loss: Callable[..., Any]) -> None:
    errors = Tensor([np.inf, -np.inf, 1e200, 0.5], requires_grad=True)
    loss(errors, np.zeros(4), reduction="sum").backward()
    np.testing.assert_array_equal(errors.grad, [1, -1, 1, 0.5])


def test_the_curvature_of_hubers_loss_at_a_perfect_fit() -> None:
    slope = grad(lambda x: F.huber_loss(x, 0.0))
    assert grad(slope)(0.0) == 1


@pytest.mark.parametrize("beta", [1e-3, 1e-4, 1e-5])
def test_smooth_l1_of_float16_with_a_small_beta(beta: float) -> None:
    errors = np.array([1e-3, 0.01, 0.3], np.float16)
    wide = errors.astype(float)
    expected = np.where(wide < beta, wide**2 / (2 * beta), wide - beta / 2)
    found = F.smooth_l1_loss(errors, np.zeros(3), reduction="none", beta=beta)
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_float16_losses_of_more_examples_than_it_can_count() -> None:
    n = 70_000
    logits, labels = np.zeros((n, 4), np.float16), np.zeros(n, int)
    halves = np.full((n, 2), 0.5, np.float16)
    for loss, expected in (
        (F.cross_entropy(logits, labels), np.log(4)),
        (F.cross_entropy(logits, labels, weight=[2, 2, 3, 4.0]), np.log(4)),
        (F.nll_loss(-logits - 1, labels, weight=[1, 1, 1, 1.0]), 1),
        (F.kl_div(-2 * halves, halves, "batchmean"), 1 - np.log(2)),
    ):
        assert loss.dtype == np.float16
        assert loss == pytest.approx(expected, rel=1e-3)


def test_accuracy_of_probabilities() -> None:
    assert F.accuracy([0.4, 0.9, 0.6], [0, 1, 1], threshold=0.5) == 1
    assert F.accuracy([0.4, 0.9, 0.6], [0, 1, 1]) == pytest.approx(2 / 3)
