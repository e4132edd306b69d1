"""Losses: how far outputs are from their targets, as one number to minimize; and two metrics.

Each loss is a function of an input and a target, and a module that holds the function's options. What holds of all:

- The target and weights may be lists, arrays or Tensors of any real dtype; they are taken in the dtype of the input, so
  that a float32 network stays float32.
- Nothing broadcasts silently. Input and target must have one shape, or, where targets are labels, the shape of the
  input without its axis of classes. That axis is the second, or the only one: (N, C), (N, C, d1, …) or (C,).
- ``reduction="none"`` gives the losses themselves, ``"sum"`` their sum, ``"mean"`` their mean, which an empty batch
  does not have.
- A derivative is also taken through a target that requires grad, unless it is a label.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, NamedTuple, NoReturn

import numpy as np

from autograd import (
    CompileError,
    DtypeError,
    OutOfRangeError,
    ShapeError,
    Tensor,
    describe,
    flat,
    index_add,
    is_compiling,
    log_softmax,
    one_hot,
    relu,
    softmax_cross_entropy,
    softplus,
)
from nn.errors import DataError
from nn.module import Module, are_below, as_array, in_float32

Array = Any

# What every loss does with its arguments and its result


def detached(value: Any) -> Array:
    """The value as an array, without its graph."""
    return value.numpy() if isinstance(value, Tensor) else np.asarray(value)


def floating(name: str, value: Any) -> Any:
    """The value in a floating dtype: numbers, lists and integers become float64."""
    if value is None:
        raise DtypeError(f"{name} takes real numbers, got None; does forward() return its result?")
    value = as_array(value)
    if value.dtype.kind == "f":
        return value
    if value.dtype.kind not in "iub":
        raise DtypeError(f"{name} takes real numbers, got {describe(value)}; give it an array of a floating dtype")
    return value.astype(np.float64)


def in_dtype_of(input: Any, name: str, value: Any) -> Any:
    """The value in the dtype of the input."""
    value = as_array(value)
    return value if value.dtype == input.dtype else floating(name, value).astype(input.dtype)


def alike(name: str, input: Any, target: Any) -> tuple[Any, Any]:
    """Input and target as arrays of one shape and dtype."""
    input, target = floating(name, input), as_array(target)
    if input.shape != target.shape:
        cure = f"use target.reshape{input.shape}" if input.size == target.size else "give both the same shape"
        raise ShapeError(
            f"{name} compares element by element, and does not broadcast: input is {describe(input)}, "
            f"target is {describe(target)}; {cure}"
        )
    return input, in_dtype_of(input, name, target)


def weighted(name: str, losses: Any, weight: Any, word: str = "weight") -> Any:
    """The losses times weights that broadcast to them."""
    if weight is None:
        return losses
    weight = in_dtype_of(losses, name, weight)
    try:
        fits = np.broadcast_shapes(losses.shape, weight.shape) == losses.shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"{name}: {word} is {describe(weight)}, which does not broadcast to the input's shape {losses.shape}; "
            f"give one {word} for each element, or for each of the last axis"
        )
    return losses * weight


def reduced(name: str, losses: Any, reduction: str) -> Any:
    """The losses, their sum or their mean."""
    if reduction == "mean":
        if not losses.size:
            raise DataError(
                f'{name}: an empty batch has no mean loss; give it at least one example, or use reduction="sum"'
            )
        return np.mean(losses)
    if reduction == "sum":
        return np.sum(losses)
    if reduction == "none":
        return losses
    raise ValueError(f'{name}: reduction={reduction!r} must be "mean", "sum" or "none"')


# Regression


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Squared error (ŷ - y)², the L2 loss of CS229 lecture 11.

    Parameters
    ----------
    input : array_like, any shape
        ŷ, what the network says.
    target : array_like, the shape of `input`
        y, what is right.
    reduction : {"mean", "sum", "none"}
        What to return: the mean over all elements, their sum, or each.

    Returns
    -------
    Tensor or array
        A number, or for ``"none"`` the shape of `input`.

    Raises
    ------
    ShapeError
        If the shapes differ: (N, 1) and (N,) too.
    DataError
        If there is nothing to average.

    Examples
    --------
    >>> from nn.functional import mse_loss
    >>> mse_loss([1.0, 2.0], [1.0, 5.0])
    np.float64(4.5)
    """
    input, target = alike("mse_loss", input, target)
    return reduced("mse_loss", np.square(input - target), reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Absolute error |ŷ - y|, the L1 loss of CS229 lecture 11. Its derivative where ŷ = y is 0.

    Parameters
    ----------
    input : array_like, any shape
        ŷ.
    target : array_like, the shape of `input`
        y.
    reduction : {"mean", "sum", "none"}
        As in `mse_loss`.

    Returns
    -------
    Tensor or array
        A number, or for ``"none"`` the shape of `input`.

    Examples
    --------
    >>> from nn.functional import l1_loss
    >>> l1_loss([1.0, 2.0], [1.0, 5.0])
    np.float64(1.5)
    """
    input, target = alike("l1_loss", input, target)
    return reduced("l1_loss", np.abs(input - target), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Huber's loss: quadratic for errors up to δ, linear beyond, so that outliers count less.

    With e = |ŷ - y| it is e²/2 where e ≤ δ and δ (e - δ/2) elsewhere (Huber, 1964).

    Parameters
    ----------
    input : array_like, any shape
        ŷ.
    target : array_like, the shape of `input`
        y.
    reduction : {"mean", "sum", "none"}
        As in `mse_loss`.
    delta : float
        δ, positive.

    Returns
    -------
    Tensor or array
        A number, or for ``"none"`` the shape of `input`.

    Examples
    --------
    >>> from nn.functional import huber_loss
    >>> huber_loss([1.0, 2.0], [1.5, 5.0], reduction="none")
    array([0.125, 2.5  ])
    """
    if not delta > 0:
        raise ValueError(f"huber_loss: delta={delta!r} must be positive")
    input, target = alike("huber_loss", input, target)
    error, inner = rounded(input - target, delta)
    losses = np.where(error < delta, 0.5 * inner * inner, delta * (error - 0.5 * delta))
    return reduced("huber_loss", losses, reduction)


def rounded(difference: Any, width: float) -> tuple[Any, Any]:
    """The error, and the difference as far as a loss is quadratic: so its square does not overflow beyond."""
    return np.abs(difference), np.clip(difference, -width, width)


@in_float32
def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """`huber_loss` with δ = β, divided by β: the `l1_loss` with its kink rounded.

    Parameters
    ----------
    input : array_like, any shape
        ŷ.
    target : array_like, the shape of `input`
        y.
    reduction : {"mean", "sum", "none"}
        As in `mse_loss`.
    beta : float
        β, up to which error the loss is quadratic; for 0 it is the `l1_loss`.

    Returns
    -------
    Tensor or array
        A number, or for ``"none"`` the shape of `input`.

    Examples
    --------
    >>> from nn.functional import smooth_l1_loss
    >>> smooth_l1_loss([1.0, 2.0], [1.5, 5.0], reduction="none", beta=2.0)
    array([0.0625, 2.    ])
    """
    if not beta >= 0:
        raise ValueError(f"smooth_l1_loss: beta={beta!r} must not be negative")
    input, target = alike("smooth_l1_loss", input, target)
    error, inner = rounded(input - target, beta)
    losses = np.where(error < beta, 0.5 * inner * (inner / beta), error - 0.5 * beta) if beta else error
    return reduced("smooth_l1_loss", losses, reduction)


def r2_score(input: Any, target: Any) -> float:
    """Share of the targets' variance that is explained, R² = 1 - Σ (y - ŷ)² / Σ (y - ȳ)²: a metric, not a loss.

    Parameters
    ----------
    input : array_like, shape (N,) or (N, D)
        ŷ.
    target : array_like, the shape of `input`
        y.

    Returns
    -------
    float
        1 for perfect predictions, 0 for those no better than the mean ȳ; for D outputs the mean of theirs.

    Raises
    ------
    DataError
        If all targets of an output are equal, or there are none: they have no variance to explain.

    Examples
    --------
    >>> from nn.functional import r2_score
    >>> r2_score([1.0, 2.0, 4.0], [1.0, 2.0, 3.0])
    0.5
    """
    input, target = alike("r2_score", floating("r2_score", detached(input)), detached(target))
    input, target = input.astype(np.float64), target.astype(np.float64)
    if not target.size or np.any(np.ptp(target, axis=0) == 0):
        raise DataError(f"r2_score: target {describe(target)} has no variance to explain; give it targets that differ")
    unexplained = np.sum(np.square(target - input), axis=0)
    return float(np.mean(1 - unexplained / np.sum(np.square(target - np.mean(target, axis=0)), axis=0)))


# Two classes, or several that are independent


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """Cross-entropy of two classes, -(y log p + (1 - y) log(1 - p)), from probabilities.

    This is the logistic loss of CS230 lecture 3; CS229 lecture 11 prints it without its minus. Its derivative is
    (p - y) / (p (1 - p)), and with p = σ(z) that by z is p - y. Where p comes from a sigmoid, use
    `binary_cross_entropy_with_logits`, which does not lose that derivative when p rounds to 0 or 1.

    Parameters
    ----------
    input : array_like, any shape
        p, the probability of the positive class.
    target : array_like, the shape of `input`
        y, from 0 to 1.
    weight : array_like, optional
        Factors of the losses; they broadcast to the shape of `input`.
    reduction : {"mean", "sum", "none"}
        As in `mse_loss`; the mean is over all elements, whatever their weights.

    Returns
    -------
    Tensor or array
        A number, or for ``"none"`` the shape of `input`.

    Raises
    ------
    ShapeError
        If the shapes differ, or a probability or target is not between 0 and 1.
    DataError
        If there is nothing to average.

    Notes
    -----
    Logarithms are at least -100, as in PyTorch, so that the loss is finite for p = 0 and p = 1. Below that they are
    constant: they contribute a derivative of 0 to the wholly wrong p.

    Examples
    --------
    >>> from nn.functional import binary_cross_entropy
    >>> binary_cross_entropy([0.5, 0.25, 0.0], [1, 0, 1], reduction="none")
    array([  0.69314718,   0.28768207, 100.        ])
    """
    name = "binary_cross_entropy"
    input, target = alike(name, input, target)
    refuse_outside(name, "input", input, "for logits use binary_cross_entropy_with_logits")
    refuse_outside(name, "target", target, BINARY_CURE)
    with np.errstate(divide="ignore"):
        yes, no = np.maximum(np.log(input), -100), np.maximum(np.log1p(-input), -100)
    return reduced(name, weighted(name, -(target * yes + (1 - target) * no), weight), reduction)


BINARY_CURE = "classes are 0 and 1: for classes -1 and 1 use (target + 1) / 2"


@flat
def refuse_outside(name: str, role: str, value: Array, cure: str) -> None:
    """Raise an error if a value is not between 0 and 1."""
    low, high = value.min(initial=0), value.max(initial=1)
    if low < 0 or high > 1:
        raise ShapeError(
            f"{name}: {role} {describe(value)} must be between 0 and 1, got {low if low < 0 else high}; {cure}"
        )


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """Cross-entropy of two classes from logits, log(1 + exp(z)) - y z: that of p = σ(z), for every z.

    The derivative by z is σ(z) - y, the boxed result of CS230 lecture 3, also where σ(z) rounds to 0 or 1.

    Parameters
    ----------
    input : array_like, any shape
        z, the logits.
    target : array_like, the shape of `input`
        y, from 0 to 1.
    weight : array_like, optional
        Factors of the losses; they broadcast to the shape of `input`.
    reduction : {"mean", "sum", "none"}
        As in `mse_loss`; the mean is over all elements, whatever their weights.
    pos_weight : array_like, optional
        How many times a positive example counts, -(pos_weight y log p + (1 - y) log(1 - p)); it broadcasts to the
        shape of `input`. Negatives per positive give both classes the same weight.

    Returns
    -------
    Tensor or array
        A number, or for ``"none"`` the shape of `input`.

    Raises
    ------
    ShapeError
        If the shapes differ, or a target is not between 0 and 1.
    DataError
        If there is nothing to average.

    Examples
    --------
    >>> from nn.functional import binary_cross_entropy_with_logits
    >>> binary_cross_entropy_with_logits([0.0, 200.0, -200.0], [1, 0, 0], reduction="none")
    array([6.93147181e-01, 2.00000000e+02, 1.38389653e-87])
    """
    name = "binary_cross_entropy_with_logits"
    input, target = alike(name, input, target)
    refuse_outside(name, "target", target, BINARY_CURE)
    return reduced(name, weighted(name, logistic(name, input, target, pos_weight), weight), reduction)


def logistic(name: str, logits: Any, target: Any, pos_weight: Any = None) -> Any:
    """The cross-entropy of each logit; the positives may count more than once."""
    losses = softplus(logits) - target * logits
    if pos_weight is None:
        return losses
    positives = target * softplus(-logits)
    return losses + weighted(name, positives, pos_weight, "pos_weight") - positives


def multilabel_soft_margin_loss(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """Several independent classes, each with a sigmoid: the mean of their logistic losses.

    This is the multi-detection of CS229 lecture 11, where an image may show several animals, or none. The lecture sums
    the losses of an example over its C classes; here, as in PyTorch, they are averaged, which is 1/C of that.

    Parameters
    ----------
    input : array_like, shape (..., C)
        z, a logit for each class.
    target : array_like, the shape of `input`
        y, 1 for the classes that are present, 0 for the others.
    weight : array_like, shape (C,), optional
        Factors of the classes.
    reduction : {"mean", "sum", "none"}
        What to return of the losses of the examples.

    Returns
    -------
    Tensor or array
        A number, or for ``"none"`` the shape of `input` without the classes.

    Examples
    --------
    >>> from nn.functional import multilabel_soft_margin_loss
    >>> multilabel_soft_margin_loss([[0.0, 0.0, 50.0]], [[1, 0, 1]])
    np.float64(0.462098120373296...)
    """
    name = "multilabel_soft_margin_loss"
    input, target = alike(name, input, target)
    refuse_empty_classes(name, input, -1)
    refuse_outside(name, "target", target, BINARY_CURE)
    return reduced(name, np.mean(weighted(name, logistic(name, input, target), weight), axis=-1), reduction)


def hinge_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Hinge loss of two classes -1 and 1, max(0, 1 - y f): that of a support vector machine.

    Parameters
    ----------
    input : array_like, any shape
        f, a score whose sign says the class.
    target : array_like, the shape of `input`
        y, -1 or 1.
    reduction : {"mean", "sum", "none"}
        As in `mse_loss`.

    Returns
    -------
    Tensor or array
        A number, or for ``"none"`` the shape of `input`. The derivative where y f = 1 is 0.

    Raises
    ------
    ShapeError
        If the shapes differ, or a target is neither -1 nor 1.

    Examples
    --------
    >>> from nn.functional import hinge_loss
    >>> hinge_loss([0.5, 0.5, 3.0], [1, -1, 1], reduction="none")
    array([0.5, 1.5, 0. ])
    """
    input, target = alike("hinge_loss", input, target)
    refuse_no_sign("hinge_loss", target)
    return reduced("hinge_loss", relu(1 - target * input), reduction)


@flat
def refuse_no_sign(name: str, target: Array) -> None:
    """Raise an error if a target is neither -1 nor 1."""
    wrong = target[np.abs(target) != 1]
    if wrong.size:
        raise ShapeError(
            f"{name}: target {describe(target)} must be -1 or 1, got {wrong[0]}; for classes 0 and 1 use 2 * target - 1"
        )


# Labels


def class_axis(name: str, input: Any) -> int:
    """The axis of classes: the second, or the only one."""
    if not input.ndim:
        raise ShapeError(f"{name} takes an input of shape (C,), (N, C) or (N, C, d1, …), got {describe(input)}")
    return 0 if input.ndim == 1 else 1


def refuse_empty_classes(name: str, input: Any, axis: int) -> None:
    """Raise an error if there is no class."""
    if not input.ndim or not input.shape[axis]:
        raise ShapeError(f"{name} takes an input with at least one class, got {describe(input)}")


def as_labels(target: Any) -> Any:
    """The target as an array without its graph; as it is where its values are not known, while a loss is compiled."""
    return target if is_compiling() and isinstance(target, Tensor) else detached(target)


def stand_in(input: Any) -> Array:
    """An array of the input's shape and dtype, for checks of labels, which need no more of it."""
    return np.broadcast_to(np.zeros((), input.dtype), input.shape)


def checked_labels(
    name: str, input: Any, target: Any, axis: int, ignore_index: int | None = None
) -> tuple[Array, Array | None]:
    """The labels, of an integer dtype and the input's shape without its classes, and which are not to be ignored.

    None stands for all of them.
    """
    labels = as_labels(target)
    classes, expected = input.shape[axis], input.shape[:axis] + input.shape[axis + 1 :]
    if labels.shape != expected:
        if labels.shape == input.shape:
            cure = f"for one-hot labels use target.argmax({axis})"
        else:
            fits = labels.size == math.prod(expected)
            cure = f"use target.reshape{expected}" if fits else "give one label for each example"
        raise ShapeError(
            f"{name}: an input {describe(input)} takes labels of shape {expected}, got {describe(labels)}; {cure}"
        )
    if not labels.size:
        return labels.astype(np.intp), None
    if labels.dtype.kind not in "iub":
        raise DtypeError(f"{name}: labels must be integers, got {describe(labels)}; use target.astype(int)")
    if isinstance(labels, Tensor):
        return labels_for_all(labels, stand_in(input), name, ignore_index), None
    kept = None
    if not are_classes(labels, classes, ignore_index):
        kept = np.ones(labels.shape, bool) if ignore_index is None else labels != ignore_index
        wrong = np.argwhere(kept & ((labels < 0) | (labels >= classes)))
        if len(wrong):
            refuse_label(name, labels, wrong[0], input, f"from 0 to {classes - 1}", ignore_index)
    return labels.astype(np.intp, copy=False), kept


def are_classes(labels: Array, classes: int, ignore_index: int | None) -> bool:
    """Whether all labels are classes, and it is certain that none is to be ignored."""
    ignores = ignore_index is not None and 0 <= ignore_index < classes
    return not ignores and are_below(classes, labels)


@flat
def labels_for_all(labels: Array, input: Array, name: str, ignore_index: int | None) -> Array:
    """The labels, in range and none to be ignored: how many there are is fixed in a compiled function."""
    axis = class_axis(name, input)
    if not are_classes(labels, input.shape[axis], ignore_index):
        kept = checked_labels(name, input, labels, axis, ignore_index)[1]
        if kept is not None and not kept.all():
            raise CompileError(
                f"{name}: a compiled loss cannot ignore labels (ignore_index={ignore_index}), since then the number of "
                "examples depends on them; leave them out of the batch, or call the loss without compiling it"
            )
    return labels.astype(np.intp, copy=False)


def refuse_label(
    name: str, labels: Array, place: Array, input: Any, allowed: str, ignore_index: int | None = None
) -> NoReturn:
    """Raise the error that names a label which is no class."""
    index = tuple(map(int, place))
    where = f" at position {index[0] if len(index) == 1 else index}" if index else ""
    others = "" if ignore_index is None else f", and ignore_index is {ignore_index}"
    raise OutOfRangeError(
        f"{name}: label {labels[index]}{where} is out of range; labels for an input {describe(input)} "
        f"are {allowed}{others}"
    )


class Labelled(NamedTuple):
    """Examples as rows with a column for each class, and their labels; without those that are ignored."""

    rows: Any
    labels: Array
    kept: Array | None
    """Which of the labels that were given these are; None for all of them."""
    shape: tuple[int, ...]
    """Of the labels that were given."""


def labelled(name: str, input: Any, target: Any, ignore_index: int | None = None) -> Labelled:
    """Bring examples and their labels into the form that losses need."""
    axis = class_axis(name, input)
    labels, kept = checked_labels(name, input, target, axis, ignore_index)
    rows, shape = as_rows(input), labels.shape
    if len(shape) != 1:
        labels = labels.ravel()
    if kept is not None:
        kept = kept.ravel()
        rows, labels = rows[kept], labels[kept]
    return Labelled(rows, labels, kept, shape)


def as_rows(input: Any) -> Any:
    """The array as a matrix with a column for each class."""
    if input.ndim == 2:
        return input
    if input.ndim == 1:
        return input[np.newaxis]
    last = np.moveaxis(input, 1, -1)
    return last.reshape((math.prod(last.shape[:-1]), last.shape[-1]))


def class_weights(name: str, input: Any, weight: Any, axis: int) -> Any:
    """The weights of the classes, in the dtype of the input."""
    weight = in_dtype_of(input, name, weight)
    if weight.shape != (input.shape[axis],):
        raise ShapeError(
            f"{name}: weight must have shape {(input.shape[axis],)}, one for each class of the input "
            f"{describe(input)}, got {describe(weight)}"
        )
    return weight


def weights_of(labels: Any, weight: Any) -> Any:
    """The weight of each label's class."""
    known = isinstance(weight, Tensor) or not isinstance(labels, Tensor)  # NumPy asks the first argument only
    return np.take(weight if known else Tensor(weight), labels)


def reduced_by_labels(name: str, losses: Any, examples: Labelled, weights: Any, reduction: str) -> Any:
    """The losses of examples, with 0 for those that are ignored; their sum; or that divided by the sum of weights."""
    if reduction == "none":
        if examples.kept is not None:
            losses = index_add(np.zeros(examples.kept.shape, losses.dtype), examples.kept, losses)
        return losses if len(examples.shape) == 1 else losses.reshape(examples.shape)
    if reduction == "mean" and examples.kept is not None and not losses.size:
        raise DataError(
            f"{name}: all {examples.kept.size} labels are ignored, so that there is no mean loss; "
            'leave such batches out, or use reduction="sum"'
        )
    if reduction == "mean" and weights is not None and losses.size:
        total = np.sum(weights)
        refuse_no_weight(total, name)
        return np.sum(losses) / total
    return reduced(name, losses, reduction)


@flat
def refuse_no_weight(total: Array, name: str) -> None:
    """Raise an error if weights sum to 0."""
    if total == 0:
        raise DataError(
            f"{name}: the weights of the labels sum to 0, so that there is no mean loss; "
            'give some of these classes a weight, or use reduction="sum"'
        )


@in_float32
def nll_loss(input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """Negative log-likelihood of labels, -log p[label], from log-probabilities such as those of `log_softmax`.

    Parameters
    ----------
    input : array_like, shape (N, C), (N, C, d1, …) or (C,)
        Logarithms of the probabilities of C classes.
    target : array_like of int, shape (N,), (N, d1, …) or ()
        Labels from 0 to C - 1.
    weight : array_like, shape (C,), optional
        Factors of the classes; the mean then divides by the sum of the weights of the labels.
    ignore_index : int
        A label that counts for nothing.
    reduction : {"mean", "sum", "none"}
        What to return: the mean over all labels that are not ignored, the sum, or each.

    Returns
    -------
    Tensor or array
        A number, or for ``"none"`` the shape of `target`.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    DtypeError
        If labels are not integers.
    OutOfRangeError
        If a label is not a class; it is named.
    DataError
        If there is nothing to average.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import nll_loss
    >>> nll_loss(np.log([[0.25, 0.75], [0.5, 0.5]]), [1, 0])
    np.float64(0.49041462650586...)
    """
    name = "nll_loss"
    input = floating(name, input)
    examples = labelled(name, input, target, ignore_index)
    losses, weights = -picked(examples.rows, examples.labels), None
    if weight is not None:
        weights = class_weights(name, examples.rows, weight, 1)[examples.labels]
        losses = losses * weights
    return reduced_by_labels(name, losses, examples, weights, reduction)


def picked(rows: Any, labels: Array) -> Any:
    """Of each row the element at its label."""
    return rows[np.arange(len(labels)), labels]


@in_float32
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Cross-entropy of classes from logits, -Σₖ yₖ log softmax(z)ₖ; for a label that is -log softmax(z)[label].

    CS229 lecture 11 and BLG561E print it without its minus. The derivative by the logits is softmax(z) - y.

    Parameters
    ----------
    input : array_like, shape (N, C), (N, C, d1, …) or (C,)
        z, logits of C classes.
    target : array_like
        Labels from 0 to C - 1, of an integer dtype and of shape (N,), (N, d1, …) or (); or y, probabilities of a
        floating dtype and of the shape of `input`, one-hot for example.
    weight : array_like, shape (C,), optional
        Factors w of the classes, -Σₖ wₖ yₖ log softmax(z)ₖ. With labels the mean divides by the sum of the weights of
        the labels, with probabilities by the number of examples.
    ignore_index : int
        A label that counts for nothing.
    reduction : {"mean", "sum", "none"}
        What to return: the mean over all examples that are not ignored, the sum, or each.
    label_smoothing : float
        ε, the share of y that is spread evenly over all classes: (1 - ε) y + ε/C.

    Returns
    -------
    Tensor or array
        A number, or for ``"none"`` the shape of the labels.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    DtypeError
        If labels are not integers.
    OutOfRangeError
        If a label is not a class; it is named.
    DataError
        If there is nothing to average.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import cross_entropy
    >>> logits = np.log([[0.25, 0.75], [0.5, 0.5]])
    >>> cross_entropy(logits, [1, 0])
    np.float64(0.49041462650586...)
    >>> cross_entropy(logits, [[0.0, 1.0], [0.5, 0.5]], reduction="none")
    array([0.28768207, 0.69314718])
    """
    name = "cross_entropy"
    input, target = floating(name, input), as_array(target)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"{name}: label_smoothing={label_smoothing!r} must be from 0 to 1")
    axis = class_axis(name, input)
    if weight is not None:
        weight = class_weights(name, input, weight, axis)
    if target.dtype.kind == "f" and target.ndim == input.ndim:
        if ignore_index >= 0:
            raise ValueError(f"{name}: ignore_index={ignore_index} is for labels, and target holds probabilities")
        refuse_empty_classes(name, input, axis)
        input, target = alike(name, input, target)
        losses = soft_cross_entropy(as_rows(input), as_rows(target), weight, label_smoothing)
        return reduced(name, losses.reshape(input.shape[:axis] + input.shape[axis + 1 :]), reduction)
    examples = labelled(name, input, target, ignore_index)
    rows, labels = examples.rows, examples.labels
    if weight is None and not label_smoothing and reduction == "mean" and len(labels):
        return softmax_cross_entropy(rows, labels)
    weights = None if weight is None else weights_of(labels, weight)
    if label_smoothing:
        losses = soft_cross_entropy(rows, one_hot(labels, rows.shape[1], rows.dtype), weight, label_smoothing)
    else:
        losses = plain_cross_entropy(rows, labels)
        losses = losses if weights is None else losses * weights
    return reduced_by_labels(name, losses, examples, weights, reduction)


def plain_cross_entropy(logits: Any, labels: Array) -> Any:
    """The cross-entropy of each row of logits with its label."""
    return -picked(log_softmax(logits), labels)


def soft_cross_entropy(logits: Any, probabilities: Any, weight: Any, smoothing: float) -> Any:
    """The cross-entropy of each row of logits with a row of probabilities."""
    if smoothing:
        probabilities = probabilities * (1 - smoothing) + smoothing / logits.shape[1]
    terms = log_softmax(logits) * probabilities
    return -np.sum(terms if weight is None else terms * weight, axis=1)


@in_float32
def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """Kullback-Leibler divergence y (log y - log ŷ) of probabilities y from ŷ, element by element.

    Its sum over the classes is the divergence of two distributions; ``reduction="batchmean"`` gives the mean of those.

    Parameters
    ----------
    input : array_like, any shape
        log ŷ, for example from `log_softmax`.
    target : array_like, the shape of `input`
        y, or log y.
    reduction : {"mean", "batchmean", "sum", "none"}
        What to return: the mean over all elements, the sum divided by the length of the first axis, the sum, or each.
    log_target : bool
        Whether `target` is log y.

    Returns
    -------
    Tensor or array
        A number, or for ``"none"`` the shape of `input`. Where y = 0 it is 0, and so are its derivatives.

    Raises
    ------
    ShapeError
        If the shapes differ, or a probability is negative.
    DataError
        If there is nothing to average.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import kl_div
    >>> kl_div(np.log([[0.5, 0.5], [0.25, 0.75]]), [[1.0, 0.0], [0.25, 0.75]], reduction="batchmean")
    np.float64(0.3465735902799...)
    """
    input, target = alike("kl_div", input, target)
    if log_target:
        losses = np.exp(target) * (target - input)
    else:
        refuse_negative("kl_div", target)
        present = target != 0
        losses = target * (np.log(np.where(present, target, 1)) - np.where(present, input, 0))
    if reduction == "batchmean":
        if not input.ndim or not len(input):
            raise DataError(
                f'kl_div: reduction="batchmean" divides by the length of the first axis, and input is '
                f'{describe(input)}; give it at least one example, or use reduction="sum"'
            )
        return np.sum(losses) / len(input)
    return reduced("kl_div", losses, reduction)


@flat
def refuse_negative(name: str, target: Array) -> None:
    """Raise an error if a probability is negative."""
    lowest = target.min(initial=0)
    if lowest < 0:
        raise ShapeError(
            f"{name}: target {describe(target)} must not be negative, got {lowest}; "
            "for logarithms of probabilities use log_target=True"
        )


# Margins


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
) -> Any:
    """Hinge loss of classes: each other class should score less than the right one by a margin.

    For scores f and a label y it is Σ max(0, margin - f[y] + f[k])ᵖ / C over the classes k ≠ y.

    Parameters
    ----------
    input : array_like, shape (N, C) or (C,)
        f, scores of C classes.
    target : array_like of int, shape (N,) or ()
        y, labels from 0 to C - 1.
    p : {1, 2}
        The power.
    margin : float
        The margin.
    weight : array_like, shape (C,), optional
        Factors of the examples, by their labels.
    reduction : {"mean", "sum", "none"}
        What to return: the mean over the examples, whatever their weights, the sum, or each.

    Returns
    -------
    Tensor or array
        A number, or for ``"none"`` the shape of `target`.

    Examples
    --------
    >>> from nn.functional import multi_margin_loss
    >>> multi_margin_loss([[1.0, 3.0, 2.5]], [1])
    np.float64(0.1666666666666...)
    """
    name = "multi_margin_loss"
    if p not in (1, 2):
        raise ValueError(f"{name}: p={p!r} must be 1 or 2")
    input = refuse_further_axes(name, floating(name, input))
    rows, labels, _, shape = labelled(name, input, target)
    classes = rows.shape[1]
    violations = relu(rows - picked(rows, labels)[:, np.newaxis] + margin) * (1 - one_hot(labels, classes, rows.dtype))
    losses = np.sum(violations if p == 1 else np.square(violations), axis=1) / classes
    if weight is not None:
        losses = losses * class_weights(name, rows, weight, 1)[labels]
    return reduced(name, losses.reshape(shape), reduction)


def refuse_further_axes(name: str, input: Any) -> Any:
    """The input, if it has classes and at most an axis of examples beside."""
    if input.ndim not in (1, 2) or not input.shape[-1]:
        raise ShapeError(f"{name} takes an input of shape (N, C) or (C,) with C > 0, got {describe(input)}")
    return input


def multilabel_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Hinge loss of sets of classes: each class of an example's set should score more by 1 than each other class.

    For scores f and a set S it is Σ max(0, 1 - f[j] + f[k]) / C over the classes j in S and k not in S.

    Parameters
    ----------
    input : array_like, shape (N, C) or (C,)
        f, scores of C classes.
    target : array_like of int, the shape of `input`
        The labels in S, followed by -1 and anything.
    reduction : {"mean", "sum", "none"}
        What to return: the mean over the examples, the sum, or each.

    Returns
    -------
    Tensor or array
        A number, or for ``"none"`` the shape of `input` without the classes.

    Notes
    -----
    It takes memory for N K C numbers, where K is the size of the largest set.

    Examples
    --------
    The first class and the last are right:

    >>> from nn.functional import multilabel_margin_loss
    >>> multilabel_margin_loss([[2.0, 1.5, 0.0]], [[0, 2, -1]])
    np.float64(1.0)
    """
    name = "multilabel_margin_loss"
    input = refuse_further_axes(name, floating(name, input))
    labels = as_labels(target)
    if labels.shape != input.shape:
        raise ShapeError(
            f"{name}: an input {describe(input)} takes labels of the same shape, got {describe(labels)}; "
            "give each example its labels, followed by -1"
        )
    if labels.size and labels.dtype.kind not in "iu":
        raise DtypeError(f"{name}: labels must be integers, got {describe(labels)}; use target.astype(int)")
    labels, listed, others = listed_labels(labels, stand_in(input), name)
    if not is_compiling():  # the length of the longest list is a value
        longest = listed.sum(axis=1).max(initial=0)
        labels, listed = labels[:, :longest], listed[:, :longest]
    rows = as_rows(input)
    example = np.arange(len(rows))[:, np.newaxis]
    pairs = listed[:, :, np.newaxis] & others[:, np.newaxis]
    violations = relu(1 - rows[example, labels][:, :, np.newaxis] + rows[:, np.newaxis])
    losses = np.sum(np.where(pairs, violations, 0), axis=(1, 2)) / rows.shape[1]
    return reduced(name, losses.reshape(input.shape[:-1]), reduction)


@flat
def listed_labels(labels: Array, input: Array, name: str) -> tuple[Array, Array, Array]:
    """The labels of each example, 0 behind the last; where there are any; and which classes are not among them."""
    rows, classes = as_rows(labels), input.shape[-1]
    wrong = np.argwhere((rows < -1) | (rows >= classes))
    if len(wrong):
        refuse_label(name, labels, wrong[0][-labels.ndim :], input, f"from 0 to {classes - 1}, and -1 ends them")
    listed = np.logical_and.accumulate(rows >= 0, axis=1)
    found = np.where(listed, rows, 0).astype(np.intp)
    others = np.ones(rows.shape, bool)
    others[np.nonzero(listed)[0], found[listed]] = False
    return found, listed, others


# A metric of classes


def accuracy(input: Any, target: Any, threshold: float = 0.0) -> float:
    """Share of the examples whose class is the one with the highest score: a metric, not a loss.

    Parameters
    ----------
    input : array_like, shape (N, C), (N, C, d1, …), or (N,) or (N, 1) for two classes
        Scores or logits of a floating dtype.
    target : array_like
        Labels, of an integer dtype and the shape of `input` without its classes; or one-hot, of the shape of `input`.
        For two classes of the shape of `input`: 0 or -1, and 1.
    threshold : float
        Above which one score for each example says the positive class: 0 for logits; for probabilities, as after a
        sigmoid, give 0.5.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ShapeError
        If the shapes do not fit, or rows are not one-hot.
    OutOfRangeError
        If a label is not a class; it is named.
    DataError
        If there are no examples.

    Examples
    --------
    >>> from nn.functional import accuracy
    >>> accuracy([[0.1, 0.9], [0.8, 0.2]], [1, 1])
    0.5
    >>> accuracy([-0.3, 2.0, 0.1], [0, 1, 1])
    1.0
    >>> accuracy([0.4, 0.9, 0.6], [0, 1, 1], threshold=0.5)
    1.0
    """
    name = "accuracy"
    scores, target = detached(input), detached(target)
    if not scores.size:
        raise DataError(f"{name} of no examples, {describe(scores)}; give it at least one")
    if scores.dtype.kind != "f":
        raise DtypeError(
            f"{name} takes scores of a floating dtype, got {describe(scores)}; "
            "for labels that are already chosen use np.mean(chosen == target)"
        )
    if scores.ndim < 2 or scores.shape[1] == 1:
        scores, target = alike(name, scores, target)
        if not np.isin(target, (-1, 0, 1)).all():
            raise ShapeError(f"{name}: target {describe(target)} must be 0 or 1, or -1 or 1, where input has one score")
        return float(np.mean((scores > threshold) == (target > 0)))
    if target.shape == scores.shape:
        if not np.allclose(target.sum(axis=1), 1):
            raise ShapeError(f"{name}: target {describe(target)} of the shape of input must be one-hot along axis 1")
        target = target.argmax(axis=1)
    labels, _ = checked_labels(name, scores, target, 1)
    return float(np.mean(scores.argmax(axis=1) == labels))


# As modules


KINDS: dict[str, tuple[type, str]] = {
    "ignore_index": (Integral, "a whole number"),
    "label_smoothing": (Real, "a number"),
    "reduction": (str, "a string"),
}
"""What an option must be, where input and target are easily given in its place."""


class Loss(Module):
    """A function of input and target, with its options; those that are arrays are buffers."""

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        self.function, self.options = function, tuple(options)
        for name, value in options.items():
            kind, words = KINDS.get(name, (object, ""))
            if not isinstance(value, kind):
                who = type(self).__name__
                raise TypeError(
                    f"{who}({name}={describe(value)}): it must be {words}; input and target go to the loss that is "
                    f"made: {who}()(input, target)"
                )
            if name in ("weight", "pos_weight"):
                self.register_buffer(name, None if value is None else as_array(value))
            else:
                setattr(self, name, value)

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss."""
        return self.function(input, target, **{name: getattr(self, name) for name in self.options})

    def extra_repr(self) -> str:
        """Return the options."""
        given = [(name, getattr(self, name)) for name in self.options]
        return ", ".join(f"{name}={describe(value)}" for name, value in given if value is not None)


def refuse_no_loss(who: str, loss: Any) -> None:
    """Raise an error if a loss is no function, or a class of losses."""
    if isinstance(loss, type) or not callable(loss):
        cure = f"call it: {loss.__name__}()" if isinstance(loss, type) else "give it nn.MSELoss(), or another"
        raise TypeError(f"{who}: the loss must be a function of output and target, got {describe(loss)}; {cure}")


class MSELoss(Loss):
    """`nn.functional.mse_loss` as a module, with its options.

    Examples
    --------
    >>> import nn
    >>> nn.MSELoss()([1.0, 2.0], [1.0, 5.0])
    np.float64(4.5)
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(mse_loss, reduction=reduction)


class L1Loss(Loss):
    """`nn.functional.l1_loss` as a module, with its options."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(l1_loss, reduction=reduction)


class HuberLoss(Loss):
    """`nn.functional.huber_loss` as a module, with its options."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(huber_loss, reduction=reduction, delta=delta)


class SmoothL1Loss(Loss):
    """`nn.functional.smooth_l1_loss` as a module, with its options."""

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(smooth_l1_loss, reduction=reduction, beta=beta)


class BCELoss(Loss):
    """`nn.functional.binary_cross_entropy` as a module, with its options."""

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(binary_cross_entropy, weight=weight, reduction=reduction)


class BCEWithLogitsLoss(Loss):
    """`nn.functional.binary_cross_entropy_with_logits` as a module, with its options."""

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(binary_cross_entropy_with_logits, weight=weight, reduction=reduction, pos_weight=pos_weight)


class MultiLabelSoftMarginLoss(Loss):
    """`nn.functional.multilabel_soft_margin_loss` as a module, with its options."""

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(multilabel_soft_margin_loss, weight=weight, reduction=reduction)


class HingeLoss(Loss):
    """`nn.functional.hinge_loss` as a module, with its options."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(hinge_loss, reduction=reduction)


class NLLLoss(Loss):
    """`nn.functional.nll_loss` as a module, with its options."""

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(nll_loss, weight=weight, ignore_index=ignore_index, reduction=reduction)


class CrossEntropyLoss(Loss):
    """`nn.functional.cross_entropy` as a module, with its options.

    Examples
    --------
    >>> import nn
    >>> loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    >>> loss
    CrossEntropyLoss(ignore_index=-100, reduction='mean', label_smoothing=0.1)
    >>> loss([[0.0, 0.0]], [1])
    np.float64(0.69314718055994...)
    """

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(
            cross_entropy,
            weight=weight,
            ignore_index=ignore_index,
            reduction=reduction,
            label_smoothing=label_smoothing,
        )


class KLDivLoss(Loss):
    """`nn.functional.kl_div` as a module, with its options."""

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(kl_div, reduction=reduction, log_target=log_target)


class MultiMarginLoss(Loss):
    """`nn.functional.multi_margin_loss` as a module, with its options."""

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(multi_margin_loss, p=p, margin=margin, weight=weight, reduction=reduction)


class MultiLabelMarginLoss(Loss):
    """`nn.functional.multilabel_margin_loss` as a module, with its options."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(multilabel_margin_loss, reduction=reduction)
