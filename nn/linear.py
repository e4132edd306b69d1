"""The affine map, at the heart of every network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import ShapeError, Tensor, affine, describe
from nn.init import uniform_
from nn.module import Module, Parameter, as_array, shape_of, shaped

Array = Any


def linear(input: Array, weight: Array, bias: Array = None) -> Array:
    """Affine map z = x Wᵀ + b of the last axis.

    The notes write z = W x + b for one example x as a column (lecture 3, dz/dW = x); here examples are rows.

    Parameters
    ----------
    input : array or Tensor, shape (..., in_features)
        The examples.
    weight : array or Tensor, shape (out_features, in_features)
        W; of shape (in_features,), it is the only row, whose axis the result then does without.
    bias : array or Tensor, shape (out_features,), optional
        b, of shape () beside such a row.

    Returns
    -------
    Tensor or array, shape (..., out_features)
        z.

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import linear
    >>> linear(np.array([1.0, 2.0]), np.array([[3.0, 4.0]]), np.array([0.5]))
    array([11.5])
    """
    input, weight = as_array(input), as_array(weight)
    if weight.ndim not in (1, 2) or input.shape[-1:] != weight.shape[-1:]:
        raise ShapeError(
            "linear: an input of shape (..., in_features) goes with a weight of shape (out_features, in_features), "
            f"got {describe(input)} and {describe(weight)}; reshape or transpose one of them"
        )
    bias = shaped("linear", "bias", bias, weight.shape[:-1])
    if weight.ndim == 2:
        return affine(input, weight, bias)
    out = np.matmul(input, weight)
    return out if bias is None else out + bias


class Linear(Module):
    """Affine map z = x Wᵀ + b of the last axis, with weights and biases from U(-1/√in, 1/√in).

    Parameters
    ----------
    in_features, out_features : int
        Lengths of the last axis, before and after.
    bias : bool
        Whether there is a b. Before batch normalization it is redundant: what it adds, the mean takes away.
    dtype : dtype
        Of the parameters.
    rng : numpy.random.Generator, optional
        Where the first values come from.

    Attributes
    ----------
    weight : Tensor, shape (out_features, in_features)
        W.
    bias : Tensor, shape (out_features,), or None
        b.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> layer = nn.Linear(3, 2, rng=np.random.default_rng(0))
    >>> layer(np.ones((5, 3), np.float32)).shape
    (5, 2)
    """

    bias: Tensor | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: Any = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        if not all(isinstance(size, int | np.integer) and size >= 0 for size in (in_features, out_features)):
            raise ShapeError(
                f"Linear(in_features={in_features!r}, out_features={out_features!r}): both are lengths, integers of at "
                "least 0"
            )
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(np.zeros((out_features, in_features), dtype))
        self.register_parameter("bias", Parameter(np.zeros(out_features, dtype)) if bias else None)
        self.reset_parameters(rng=rng)

    def reset_parameters(self, *, rng: np.random.Generator | None = None) -> None:
        """Draw first values anew."""
        rng = np.random.default_rng(rng)
        bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
        for parameter in (self.weight, self.bias):
            if parameter is not None:
                uniform_(parameter, -bound, bound, rng=rng)

    def forward(self, input: Any) -> Any:
        """Return z, of shape (..., out_features)."""
        if shape_of(input)[-1:] != (self.in_features,):
            raise ShapeError(
                f"{self!r} takes an input of shape (..., {self.in_features}), got {describe(input)}; "
                "its weight has shape "
                f"{self.weight.shape}"
            )
        return affine(as_array(input), self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
