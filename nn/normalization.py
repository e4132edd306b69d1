"""Normalization of activations, over the batch or within each example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

import autograd
from autograd import DtypeError, ShapeError, Tensor, describe, flat
from nn.init import ones_, zeros_
from nn.module import Module, Parameter, as_array, in_float32, shaped

Array = Any


def batch_norm(
    input: Any,
    running_mean: Array = None,
    running_var: Array = None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
    *,
    batches: Array = None,
) -> Any:
    """Batch normalization γ (x - μ) / √(σ² + ε) + β of each channel (Ioffe and Szegedy, 2015; BLG561E).

    While training, μ and σ² are those of the batch, over all axes but the channels, σ² with 1/B. In evaluation they are
    the running statistics, which training updates in place: new = (1 - momentum) old + momentum batch, where the
    batch's variance is the unbiased one, with 1/(B - 1). The notes' μ_av = α μ_av + (1 - α) μ has α = 1 - momentum.

    Parameters
    ----------
    input : array or Tensor, shape (B, channels, ...)
        The batch.
    running_mean, running_var : ndarray, shape (channels,), optional
        The running statistics; written to while training.
    weight, bias : array or Tensor, shape (channels,), optional
        γ and β.
    training : bool
        Whether to normalize by the batch's statistics.
    momentum : float or None
        The weight of this batch in the running statistics; None for the average over all `batches`.
    eps : float
        ε.
    batches : ndarray of int, shape (), optional
        How many batches the running statistics have seen; counted while training.

    Returns
    -------
    Tensor or array
        Of the shape of the input.

    Raises
    ------
    ShapeError
        If shapes do not fit; in training, if there is only one value for each channel: it would become 0 whatever it
        was.
    DtypeError
        In training, for running statistics that are no floating arrays: they could not be written to.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import batch_norm
    >>> batch_norm(np.array([[1.0], [3.0]]), training=True, eps=0.0)
    array([[-1.],
           [ 1.]])
    """
    input = as_array(input)
    if input.ndim < 2:
        raise ShapeError(
            f"batch_norm takes an input of shape (batch, channels, ...), got {describe(input)}; reshape it"
        )
    statistics = {"running_mean": running_mean, "running_var": running_var}
    for name, value in statistics.items() if training else ():
        if not (value is None or (isinstance(value, np.ndarray | Tensor) and value.dtype.kind == "f")):
            raise DtypeError(f"batch_norm: training writes to {name}, got {describe(value)}; make it a floating array")
    running_mean, running_var, weight, bias = (
        shaped("batch_norm", name, value, input.shape[1:2])
        for name, value in {**statistics, "weight": weight, "bias": bias}.items()
    )
    return normalized(input, running_mean, running_var, weight, bias, training, momentum, eps, batches)


@in_float32
def normalized(
    input: Array,
    running_mean: Array,
    running_var: Array,
    weight: Array,
    bias: Array,
    training: bool,
    momentum: float | None,
    eps: float,
    batches: Array,
) -> Array:
    """Do what `batch_norm` does, with arguments whose shapes fit."""
    shape = input.shape
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm() in evaluation needs running_mean and running_var; or set training=True")
        spread = (-1,) + (1,) * (len(shape) - 2)
        center, scale = running(running_mean, running_var, eps)
        scale = scale if weight is None else weight * scale
        out = (input - center.reshape(spread)) * scale.reshape(spread)
        return out if bias is None else out + bias.reshape(spread)
    count = int(np.prod(shape)) // max(shape[1], 1)
    if count < 2:
        raise ShapeError(
            f"batch normalization of {describe(input)} in training: each channel has {count} value"
            f"{'' if count == 1 else 's'}, and needs at least 2; use a larger batch, or eval()"
        )
    out, mean, variance = autograd.batch_norm(input, weight, bias, eps)
    if running_mean is not None or running_var is not None:
        update_running(mean, variance, count, running_mean, running_var, momentum, batches)
    return out


@flat
def running(mean: Array, variance: Array, eps: float) -> tuple[Array, Array]:
    """The running mean, and 1 / √(variance + ε), as they are now."""
    return mean, 1 / np.sqrt(variance + eps)


@flat
def update_running(
    mean: Array, variance: Array, count: int, running_mean: Array, running_var: Array, momentum: Any, batches: Any
) -> None:
    """Move the running statistics towards those of a batch, in place, and count it; see `batch_norm`."""
    if batches is not None:
        batches += 1
    if momentum is None:
        momentum = 0.0 if batches is None else 1 / int(batches)
    for statistic, batch, unbiased in ((running_mean, mean, 1.0), (running_var, variance, count / (count - 1))):
        if statistic is not None:
            statistic *= 1 - momentum
            statistic += (momentum * unbiased) * batch


@in_float32
def layer_norm(
    input: Any, normalized_shape: int | Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Layer normalization γ (x - μ) / √(σ² + ε) + β, with μ and σ² of each example (Ba, Kiros and Hinton, 2016).

    Parameters
    ----------
    input : array or Tensor, shape (..., *normalized_shape)
        The activations.
    normalized_shape : int or tuple of int
        The last axes, over which mean and (biased) variance are taken.
    weight, bias : array or Tensor, of the normalized shape, optional
        γ and β.
    eps : float
        ε.

    Returns
    -------
    Tensor or array
        Of the shape of the input.

    Raises
    ------
    ShapeError
        If the input does not end in the normalized shape, or the weight or bias has another.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import layer_norm
    >>> layer_norm(np.array([[1.0, 3.0], [0.0, 20.0]]), 2, eps=0.0)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    last = lengths(normalized_shape)
    input = as_array(input)
    if not last or input.shape[-len(last) :] != last:
        raise ShapeError(
            f"layer_norm() over {last} takes an input whose last axes have these lengths, got {describe(input)}"
        )
    weight, bias = shaped("layer_norm", "weight", weight, last), shaped("layer_norm", "bias", bias, last)
    axes = tuple(range(-len(last), 0))
    centered = input - np.mean(input, axis=axes, keepdims=True)
    variance = np.mean(centered * centered, axis=axes, keepdims=True)
    out = centered / np.sqrt(variance + eps)
    out = out if weight is None else out * weight
    return out if bias is None else out + bias


def lengths(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    """The lengths of the axes that are normalized, of which one is given as a number."""
    return (normalized_shape,) if isinstance(normalized_shape, int | np.integer) else tuple(normalized_shape)


def begin_anew(weight: Tensor | None, bias: Tensor | None) -> None:
    """Let γ be 1 and β be 0, where they are learned."""
    if weight is not None:
        ones_(weight)
    if bias is not None:
        zeros_(bias)


class BatchNorm(Module):
    """What batch normalization is for any number of axes; a subclass says which shapes it takes.

    Parameters
    ----------
    num_features : int
        Number of channels, the length of axis 1.
    eps : float
        Added to the variance.
    momentum : float or None
        Weight of a batch in the running statistics; None for the average over all batches.
    affine : bool
        Whether γ and β are learned; otherwise they are 1 and 0.
    track_running_stats : bool
        Whether there are running statistics; otherwise evaluation, too, uses those of the batch.
    dtype : dtype
        Of parameters and statistics.

    Attributes
    ----------
    weight, bias : Tensor, shape (num_features,), or None
        γ and β.
    running_mean, running_var : ndarray, shape (num_features,), or None
        The running statistics.
    num_batches_tracked : ndarray of int64, shape (), or None
        How many batches they have seen.
    """

    takes: ClassVar[dict[int, str]]
    """The shapes that it takes, by their number of axes."""
    _newer: ClassVar[frozenset[str]] = frozenset({"num_batches_tracked"})
    weight: Tensor | None
    bias: Tensor | None
    running_mean: Array
    running_var: Array
    num_batches_tracked: Array

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: Any = np.float32,
    ) -> None:
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.register_parameter("weight", Parameter(np.ones(num_features), dtype=dtype) if affine else None)
        self.register_parameter("bias", Parameter(np.zeros(num_features), dtype=dtype) if affine else None)
        self.register_buffer("running_mean", np.zeros(num_features, dtype) if track_running_stats else None)
        self.register_buffer("running_var", np.ones(num_features, dtype) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", np.zeros((), np.int64) if track_running_stats else None)

    def reset_running_stats(self) -> None:
        """Forget the batches that the running statistics have seen."""
        for statistic, first in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
            if statistic is not None:
                statistic[...] = first

    def reset_parameters(self) -> None:
        """Give γ, β and the running statistics their first values again."""
        self.reset_running_stats()
        begin_anew(self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        """Return the normalized batch, and update the running statistics while training."""
        input = as_array(input)
        shape = input.shape
        if len(shape) not in self.takes or shape[1] != self.num_features:
            raise ShapeError(
                f"{self!r} takes an input of shape {' or '.join(self.takes.values()).format(self.num_features)}, "
                f"got {describe(input)}"
            )
        return normalized(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            self.momentum,
            self.eps,
            self.num_batches_tracked,
        )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(BatchNorm):
    """Batch normalization of features, (B, channels), or of sequences, (B, channels, length).

    See `BatchNorm` for the parameters, and `nn.functional.batch_norm` for the formulas.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> layer = nn.BatchNorm1d(1, eps=0.0)
    >>> layer(np.array([[1.0], [3.0]], np.float32)).tolist()
    [[-1.0], [1.0]]
    >>> layer.running_mean, layer.running_var
    (array([0.2], dtype=float32), array([1.1], dtype=float32))
    """

    takes: ClassVar[dict[int, str]] = {2: "(batch, {0})", 3: "(batch, {0}, length)"}


class BatchNorm2d(BatchNorm):
    """Batch normalization of images, (B, channels, height, width).

    See `BatchNorm` for the parameters, and `nn.functional.batch_norm` for the formulas.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.BatchNorm2d(3)(np.ones((2, 3, 4, 4), np.float32)).shape
    (2, 3, 4, 4)
    """

    takes: ClassVar[dict[int, str]] = {4: "(batch, {0}, height, width)"}


class LayerNorm(Module):
    """Layer normalization over the last axes; see `nn.functional.layer_norm` for the formula.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        The lengths of these axes.
    eps : float
        Added to the variance.
    elementwise_affine : bool
        Whether γ and β are learned; otherwise they are 1 and 0.
    bias : bool
        Whether there is a β.
    dtype : dtype
        Of the parameters.

    Attributes
    ----------
    weight, bias : Tensor, of the normalized shape, or None
        γ and β.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.LayerNorm(2, eps=0.0)(np.array([[1.0, 3.0]], np.float32)).tolist()
    [[-1.0, 1.0]]
    """

    weight: Tensor | None
    bias: Tensor | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = np.float32,
    ) -> None:
        self.normalized_shape = lengths(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        weight = Parameter(np.ones(self.normalized_shape), dtype=dtype) if elementwise_affine else None
        shift = Parameter(np.zeros(self.normalized_shape), dtype=dtype) if elementwise_affine and bias else None
        self.register_parameter("weight", weight)
        self.register_parameter("bias", shift)

    def reset_parameters(self) -> None:
        """Give γ and β their first values again."""
        begin_anew(self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        """Return the normalized activations."""
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )
