"""What is done to all parameters alike: gradients that are too long are shortened, values become one vector."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import AnomalyError, ShapeError, Tensor, describe

Array = Any


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float | str = 2.0,
    error_if_nonfinite: bool = True,
) -> float:
    """Scale all gradients alike, in place, so that their joint norm is at most `max_norm`.

    g ← g · min(1, max_norm / (‖g‖ + 10⁻⁶)), where g is all gradients in one vector (Pascanu, Mikolov and Bengio, 2013).

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient are skipped, and there may be none.
    max_norm : float
        The longest norm allowed.
    norm_type : float or str
        p of the norm (Σ|g|ᵖ)^(1/p); ``inf`` or ``"inf"`` for the largest element, ``-inf`` for the smallest. For 0
        it is the number of parameters whose gradient is not 0 everywhere.
    error_if_nonfinite : bool
        Whether a norm of infinity or NaN is an error, unlike in PyTorch by default. Otherwise an infinite norm turns
        finite gradients to 0, and NaN makes all of them NaN.

    Returns
    -------
    float
        The norm as it was.

    Raises
    ------
    AnomalyError
        If the norm is not finite; no gradient is changed then.
    ValueError
        If `max_norm` is negative, or one of the numbers NaN.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.utils import clip_grad_norm_
    >>> w, b = Tensor([0.0], requires_grad=True), Tensor(0.0, requires_grad=True)
    >>> w.grad, b.grad = [3.0], 4.0
    >>> clip_grad_norm_([w, b], 1.0)
    5.0
    >>> w.grad.round(4), b.grad.round(4)
    (array([0.6]), np.float64(0.8))
    """
    max_norm, norm_type = float(max_norm), float(norm_type)
    if not max_norm >= 0:
        raise ValueError(f"clip_grad_norm_: max_norm must not be negative, got {max_norm!r}")
    if math.isnan(norm_type):
        raise ValueError("clip_grad_norm_: norm_type must be a number or infinity, got nan")
    learning = with_gradient(parameters, "clip_grad_norm_")
    norms = [norm(gradient_of(p), norm_type) for p in learning]
    total = norm(np.array(norms), norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        culprits = [p for p, length in zip(learning, norms) if not math.isfinite(length)] or learning
        others = f" and {len(culprits) - 1} more" * (len(culprits) > 1)
        raise AnomalyError(
            f"clip_grad_norm_: the norm of the gradients is {total}, see that of {describe(culprits[0])}{others}; no "
            "gradient was changed. Skip this step, lower the learning rate, or look for the cause with "
            "autograd.detect_anomaly()"
        )
    scale = max_norm / (total + 1e-6)
    if not scale >= 1:  # also where it is NaN
        with np.errstate(invalid="ignore"):  # ∞ times 0, where the caller wants no error
            for p in learning:
                change(p, np.multiply, scale)
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Clip every element of every gradient, in place, to [-clip_value, clip_value].

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient are skipped.
    clip_value : float
        The largest absolute value allowed. NaN stays NaN.

    Raises
    ------
    ValueError
        If `clip_value` is negative.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.utils import clip_grad_value_
    >>> w = Tensor([0.0, 0.0], requires_grad=True)
    >>> w.grad = [3.0, -0.5]
    >>> clip_grad_value_([w], 1.0)
    >>> w.grad
    array([ 1. , -0.5])
    """
    if not clip_value >= 0:
        raise ValueError(f"clip_grad_value_: clip_value must not be negative, got {clip_value!r}")
    for p in with_gradient(parameters, "clip_grad_value_"):
        change(p, np.clip, -clip_value, clip_value)


clip_grad_norm, clip_grad_value = clip_grad_norm_, clip_grad_value_


def parameters_to_vector(parameters: Iterable[Tensor]) -> Any:
    """Return all numbers of parameters in one vector, which can be differentiated.

    Parameters
    ----------
    parameters : iterable of Tensor
        Such as ``model.parameters()``.

    Returns
    -------
    Tensor, shape (n,)
        Their numbers, in this order.

    Examples
    --------
    >>> import nn
    >>> nn.utils.parameters_to_vector(nn.BatchNorm1d(2).parameters()).data
    array([1., 1., 0., 0.], dtype=float32)
    """
    return np.concatenate([np.ravel(p) for p in parameters])


def vector_to_parameters(vec: Any, parameters: Iterable[Tensor]) -> None:
    """Give parameters the numbers of a vector, the inverse of `parameters_to_vector`.

    Parameters
    ----------
    vec : Tensor or array_like, shape (n,)
        As many numbers as the parameters have; they are copied.
    parameters : iterable of Tensor
        Such as ``model.parameters()``.

    Raises
    ------
    ShapeError
        If there are more numbers, or fewer; no parameter is changed then.

    Examples
    --------
    >>> import nn
    >>> layer = nn.Linear(2, 1)
    >>> nn.utils.vector_to_parameters([3.0, 4.0, 5.0], layer.parameters())
    >>> layer.weight.data, layer.bias.data
    (array([[3., 4.]], dtype=float32), array([5.], dtype=float32))
    """
    parameters = list(parameters)
    vector = vec.numpy() if isinstance(vec, Tensor) else np.asarray(vec)
    ends = np.cumsum([0, *(p.size for p in parameters)])
    if vector.shape != (ends[-1],):
        raise ShapeError(
            f"vector_to_parameters: parameters of {ends[-1]} numbers need a vector of that many, got {describe(vec)}"
        )
    for p, start, end in zip(parameters, ends, ends[1:]):
        p.data = vector[start:end].reshape(p.shape)


def with_gradient(parameters: Tensor | Iterable[Tensor], who: str) -> list[Tensor]:
    """Return the parameters that have a gradient, each once."""
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for p in parameters:
        if not isinstance(p, Tensor):
            raise TypeError(f"{who}: a parameter is a Tensor, got {describe(p)}")
    return [p for p in dict.fromkeys(parameters) if p.grad is not None]


def gradient_of(p: Tensor) -> Array:
    """The value of a parameter's gradient."""
    return p.grad.data if isinstance(p.grad, Tensor) else p.grad


def change(p: Tensor, function: Any, *args: float) -> None:
    """Let a parameter's gradient become a function of itself, in place where it is an array."""
    gradient = p.grad
    if isinstance(gradient, np.ndarray):
        function(gradient, *args, out=gradient)
    else:
        p.grad = function(gradient_of(p), *args)


def norm(values: Array, p: float) -> float:
    """The p-norm of all elements. Where squares overflow in the values' dtype, float64 has room for them."""
    if not values.size:
        return 0.0
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        length = float(np.linalg.norm(np.ravel(values), p))
        return length if math.isfinite(length) else float(np.linalg.norm(np.ravel(values).astype(np.float64), p))
