"""Layers and losses of neural networks that one row does with fewer passes over memory than a composition.

They take arrays of the shapes that they name, and do not check them: that is the business of the layers in `nn`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.dispatch import dispatched
from autograd.table import composite, general
from autograd.threads import blocks, spread

Array = Any


@dispatched
def affine(x: Array, weight: Array, bias: Array = None) -> Array:
    """Affine map x Wᵀ + b of the last axis.

    Parameters
    ----------
    x : array, shape (..., n)
        The examples.
    weight : array, shape (m, n)
        W.
    bias : array, shape (m,), optional
        b.

    Returns
    -------
    array, shape (..., m)

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import affine
    >>> affine(np.array([1.0, 2.0]), np.array([[3.0, 4.0]]), np.array([0.5]))
    array([11.5])
    """
    out = rows(x) @ weight.T if x.ndim > 2 else x @ weight.T
    if bias is not None:
        if out.dtype is bias.dtype:
            out += bias
        else:
            out = out + bias
    return out if x.ndim <= 2 else out.reshape(*x.shape[:-1], len(weight))


def rows(x: Array) -> Array:
    """The array as a matrix: all axes but the last in one."""
    return x if x.ndim == 2 else np.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


general(
    affine,
    lambda g, weight: g @ weight,
    lambda g, x: rows(g).T @ rows(x),
    lambda g: g,
    jvps=(lambda t, weight: t @ weight.T, lambda t, x: x @ t.T, lambda t: t),
)


@dispatched
def loss_and_exponentials(
    logits: Array, labels: Array, out: tuple[Array, Array, Array] = (None, None, None)
) -> tuple[Array, Array, Array]:
    """The loss of `softmax_cross_entropy`, exponentials of the logits, up to a factor for each row, and their sums."""
    logits, exponentials, totals = exponentials_of(logits, *out[1:])
    losses = np.log(totals) - logits[np.arange(len(labels)), labels]
    return np.sum(losses) / len(labels), exponentials, totals


def exponentials_of(logits: Array, exponentials: Array, totals: Array) -> tuple[Array, Array, Array]:
    """The logits, up to a constant for each row, their exponentials, and the sums of these, in arrays or new ones.

    Logits of ordinary size need not be shifted by their maximum, which takes two passes over many logits of five. BLAS
    sums rows in a third of the time of add.reduce.
    """
    ones = np.ones(logits.shape[1], logits.dtype)
    if logits.size > 10_000:
        exponentials = np.empty_like(logits, order="C") if exponentials is None else exponentials
        totals = np.empty(len(logits), logits.dtype) if totals is None else totals

        def exponentiate(some: Sequence[slice]) -> None:
            for block in some:
                np.exp(logits[block], out=exponentials[block])
                np.dot(exponentials[block], ones, out=totals[block])

        with np.errstate(over="ignore"):
            spread(exponentiate, blocks(logits.shape))
        large = LARGE[logits.dtype.char]
        if 1 / large < np.minimum.reduce(totals) <= np.maximum.reduce(totals) < large:
            return logits, exponentials, totals
    logits = logits - np.max(logits, 1, keepdims=True)
    exponentials = np.exp(logits, out=exponentials)
    return logits, exponentials, np.matmul(exponentials, ones, out=totals)


LARGE = {"e": 1e2, "f": 1e6, "d": 1e6, "g": 1e6}
"""By dtype, up to where sums of exponentials (and down to its inverse) neither overflow nor have a large logarithm.

The logarithm stays small so that the difference to a logit keeps its digits.
"""


def loss_and_exponentials_logits(g: Any, labels: Any, exponentials: Any, totals: Any) -> Any:
    """(softmax - one-hot) / n for the loss. The factor of a row counts as a constant: quotients do not depend on it."""
    by_loss, by_exponentials, by_totals = map(g.arrived, range(3))
    parts = []
    if by_loss is not None:
        each = by_loss / len(labels)
        part = exponentials * (each / totals)[:, np.newaxis]
        part[np.arange(len(labels)), labels] -= each
        parts.append(part)
    if by_exponentials is not None:
        parts.append(by_exponentials * exponentials)
    if by_totals is not None:
        parts.append(by_totals[:, np.newaxis] * exponentials)
    return sum(parts[1:], parts[0])


def loss_and_exponentials_along(t: Any, labels: Any, exponentials: Any, totals: Any) -> Any:
    tangents = exponentials * t
    sums = np.sum(tangents, 1)
    return np.sum(sums / totals - t[np.arange(len(labels)), labels]) / len(labels), tangents, sums


general(
    loss_and_exponentials,
    loss_and_exponentials_logits,
    jvps=(loss_and_exponentials_along,),
    outputs=("loss", "exponentials", "totals"),
    writes=True,
    name="softmax_cross_entropy",
)


@dispatched
def softmax_cross_entropy(logits: Array, labels: Array) -> Array:
    """Cross-entropy of a softmax, -log softmax(logits)[label], averaged over the examples.

    Parameters
    ----------
    logits : array, shape (n, classes)
        Logarithms of the probabilities, up to a constant for each example.
    labels : int array, shape (n,)
        The right class of each example, from 0 to classes - 1.

    Returns
    -------
    number
        The mean over the examples.

    Notes
    -----
    The gradient by the logits is (softmax - one-hot label) / n.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import softmax_cross_entropy
    >>> print(f"{softmax_cross_entropy(np.log([[0.25, 0.75]]), np.array([0])):.6f}")
    1.386294
    """
    return loss_and_exponentials(logits, labels)[0]


composite(softmax_cross_entropy)(softmax_cross_entropy.forward)  # type: ignore[attr-defined]


class Normalized(NamedTuple):
    """What `batch_norm` returns."""

    normalized: Array
    mean: Array
    variance: Array


@dispatched
def batch_norm(x: Array, weight: Array = None, bias: Array = None, eps: float = 1e-5) -> Normalized:
    """Batch normalization γ (x - μ) / √(σ² + ε) + β of each channel, over the batch and all further axes.

    Ioffe and Szegedy, Batch Normalization, 2015.

    Parameters
    ----------
    x : array, shape (n, channels, ...)
        The batch.
    weight, bias : array, shape (channels,), optional
        γ and β.
    eps : float
        ε, added to the variance.

    Returns
    -------
    normalized : array, shape (n, channels, ...)
        The normalized batch.
    mean, variance : array, shape (channels,)
        μ and the biased σ² = Σ (x - μ)² / n of the batch.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import batch_norm
    >>> normalized, mean, variance = batch_norm(np.array([[1.0], [3.0]]), eps=0.0)
    >>> normalized.ravel(), mean, variance
    (array([-1.,  1.]), array([2.]), array([1.]))
    """
    spread, total, dot = per_channel(x)
    mean = total(x) / (x.size // x.shape[1])
    out = x - spread(mean)
    variance = dot(out, out) / (x.size // x.shape[1])
    scale = 1 / np.sqrt(variance + eps)
    out *= spread(scale if weight is None else scale * weight)
    if bias is not None:
        out += spread(bias)
    return Normalized(out, mean, variance)


def per_channel(x: Array) -> tuple[Callable[[Array], Array], Callable[[Array], Array], Callable[[Array, Array], Array]]:
    """How a number for each channel is spread over an array, and two sums over all but the channels."""
    axes = (0, *range(2, x.ndim))
    shape = [-1] + [1] * (x.ndim - 2)
    letters = "ncdefghijk"[: x.ndim]
    return (
        lambda v: v if x.ndim == 2 else np.reshape(v, shape),
        lambda a: np.sum(a, axis=axes),
        lambda a, b: np.einsum(f"{letters},{letters}->c", a, b),
    )


def batch_norm_all(g: Any, x: Any, weight: Any, mean: Any, variance: Any, eps: Any) -> Any:
    """The contributions to x, weight and bias: two sums serve all three."""
    spread, total, dot = per_channel(x)
    n = x.size // x.shape[1]
    by_out, by_mean, by_variance = g
    centered = x - spread(mean)
    inverse = 1 / np.sqrt(variance + eps)
    scale = inverse if weight is None else inverse * weight
    by_weight, by_bias = dot(by_out, centered) * inverse, total(by_out)
    slope = 2 / n * by_variance - scale * inverse * by_weight / n
    offset = (by_mean - scale * by_bias) / n
    return by_out * spread(scale) + centered * spread(slope) + spread(offset), by_weight, by_bias


general(
    batch_norm,
    batch_norm_all,
    batch_norm_all,
    batch_norm_all,
    outputs=("normalized", "mean", "variance"),
    joint=True,
)
