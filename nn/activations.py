"""Activations: what keeps a network from collapsing to one affine map.

Without them, W₃(W₂(W₁x + b₁) + b₂) + b₃ = Wx + B (CS229 lecture 11). Those that PyTorch has and NumPy lacks are
functions of `autograd`, each one node of the graph; here are their modules, and PyTorch's argument names.

Values are never overwritten: `inplace` is accepted where PyTorch has it, and changes neither results nor memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from nn.module import Module, as_array


def relu(input: Any, inplace: bool = False) -> Any:
    """Rectified linear unit max(x, 0), elementwise. Its derivative at 0 is 0.

    Parameters
    ----------
    input : array_like
        Any shape.
    inplace : bool
        Without effect.

    Examples
    --------
    >>> from nn.functional import relu
    >>> relu([-1.0, 0.0, 2.0])
    array([0., 0., 2.])
    """
    return autograd.relu(input)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """Rectifier that lets a part of negative values pass, elementwise.

    Parameters
    ----------
    input : array_like
        Any shape.
    negative_slope : float
        Factor of negative values.
    inplace : bool
        Without effect.

    Examples
    --------
    >>> from nn.functional import leaky_relu
    >>> leaky_relu([-1.0, 2.0], 0.1)
    array([-0.1,  2. ])
    """
    return autograd.leaky_relu(input, negative_slope)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """Exponential linear unit, elementwise: x where it is positive, α (exp(x) - 1) elsewhere.

    Parameters
    ----------
    input : array_like
        Any shape.
    alpha : float
        α, minus the limit for negative values.
    inplace : bool
        Without effect.

    Examples
    --------
    >>> from nn.functional import elu
    >>> elu([-1000.0, 2.0])
    array([-1.,  2.])
    """
    return autograd.elu(input, alpha)


def selu(input: Any, inplace: bool = False) -> Any:
    """Scaled `elu`, which keeps mean 0 and variance 1 from layer to layer, elementwise.

    Parameters
    ----------
    input : array_like
        Any shape.
    inplace : bool
        Without effect.

    Examples
    --------
    >>> from nn.functional import selu
    >>> selu([-1000.0, 2.0])
    array([-1.75809934,  2.10140197])
    """
    return autograd.selu(input)


def gelu(input: Any, approximate: str = "none") -> Any:
    """Gaussian error linear unit x Φ(x), elementwise; Φ is the normal distribution function.

    Parameters
    ----------
    input : array_like
        Any shape.
    approximate : {"none", "tanh"}
        ``"tanh"`` stands for x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, which takes less time here.

    Examples
    --------
    >>> from nn.functional import gelu
    >>> gelu([-1.0, 1.0])
    array([-0.15865525,  0.84134475])
    """
    return autograd.gelu(input, approximate)


def silu(input: Any, inplace: bool = False) -> Any:
    """Sigmoid linear unit x sigmoid(x), also called swish, elementwise.

    Parameters
    ----------
    input : array_like
        Any shape.
    inplace : bool
        Without effect.

    Examples
    --------
    >>> from nn.functional import silu
    >>> silu([-1000.0, 0.0, 1000.0])
    array([  -0.,    0., 1000.])
    """
    return autograd.silu(input)


def sigmoid(input: Any) -> Any:
    """Logistic function 1 / (1 + exp(-x)), elementwise; between 0 and 1.

    Parameters
    ----------
    input : array_like
        Any shape.

    Examples
    --------
    >>> from nn.functional import sigmoid
    >>> sigmoid([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    return autograd.sigmoid(input)


def logsigmoid(input: Any) -> Any:
    """Logarithm of the sigmoid, -log(1 + exp(-x)), elementwise.

    Parameters
    ----------
    input : array_like
        Any shape.

    Examples
    --------
    >>> from nn.functional import logsigmoid
    >>> logsigmoid([-1000.0, 1000.0])
    array([-1000.,    -0.])
    """
    return autograd.logsigmoid(input)


def tanh(input: Any) -> Any:
    """Hyperbolic tangent, elementwise: NumPy's own. Near 0, tanh(z) ≈ z (CS230 lecture 3); its slope is 1 - tanh².

    Parameters
    ----------
    input : array_like
        Any shape.

    Examples
    --------
    >>> from nn.functional import tanh
    >>> tanh([-1000.0, 0.0, 1000.0])
    array([-1.,  0.,  1.])
    """
    return np.tanh(input)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """Smooth form of relu, log(1 + exp(βx)) / β, elementwise; its slope is sigmoid(βx).

    Parameters
    ----------
    input : array_like
        Any shape.
    beta : float
        β: the larger, the closer to relu.
    threshold : float
        Where βx is above it, the result is x, from which it then differs by less than exp(-threshold) / β.

    Examples
    --------
    >>> from nn.functional import softplus
    >>> softplus([-1000.0, 0.0, 1000.0], beta=2.0)
    array([0.0000000e+00, 3.4657359e-01, 1.0000000e+03])
    """
    scaled = np.multiply(input, beta)
    return np.where(np.greater(scaled, threshold), input, np.divide(autograd.softplus(scaled), beta))


def softmax(input: Any, dim: int | tuple[int, ...] | None = -1, *, dtype: Any = None) -> Any:
    """Exponentials divided by their sum along an axis: probabilities of classes (BLG561E, CS60010).

    Parameters
    ----------
    input : array_like
        Any shape.
    dim : int, tuple of int or None
        The axis along which results sum to 1; None for all.
    dtype : dtype, optional
        The dtype to convert to before.

    Examples
    --------
    >>> from nn.functional import softmax
    >>> softmax([[0.0, 0.0], [1000.0, -1000.0]])
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    return autograd.softmax(input if dtype is None else as_array(input).astype(dtype), dim)


def log_softmax(input: Any, dim: int | tuple[int, ...] | None = -1, *, dtype: Any = None) -> Any:
    """Logarithm of softmax, x - log(sum(exp(x))), without overflow and without the logarithm of 0.

    Parameters
    ----------
    input : array_like
        Any shape.
    dim : int, tuple of int or None
        The axis along which the exponentials of results sum to 1; None for all.
    dtype : dtype, optional
        The dtype to convert to before.

    Examples
    --------
    >>> from nn.functional import log_softmax
    >>> log_softmax([1000.0, -1000.0])
    array([    0., -2000.])
    """
    return autograd.log_softmax(input if dtype is None else as_array(input).astype(dtype), dim)


class ReLU(Module):
    """max(x, 0), elementwise. Its derivative at 0 is 0.

    Parameters
    ----------
    inplace : bool
        Without effect.

    Examples
    --------
    >>> import nn
    >>> nn.ReLU()([-1.0, 0.0, 2.0])
    array([0., 0., 2.])
    """

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Return the activations."""
        return relu(input)


class LeakyReLU(Module):
    """x where it is positive, a fraction of it elsewhere: no unit is without gradient.

    Parameters
    ----------
    negative_slope : float
        The fraction.
    inplace : bool
        Without effect.

    Examples
    --------
    >>> import nn
    >>> nn.LeakyReLU(0.1)([-1.0, 2.0])
    array([-0.1,  2. ])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        self.negative_slope = negative_slope

    def forward(self, input: Any) -> Any:
        """Return the activations."""
        return leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """x where it is positive, α (exp(x) - 1) elsewhere (Clevert et al., 2016): its mean is nearer to 0 than relu's.

    Parameters
    ----------
    alpha : float
        α.
    inplace : bool
        Without effect.

    Examples
    --------
    >>> import nn
    >>> nn.ELU(0.5)([-1000.0, 2.0])
    array([-0.5,  2. ])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        self.alpha = alpha

    def forward(self, input: Any) -> Any:
        """Return the activations."""
        return elu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class SELU(Module):
    """Scaled ELU, 1.0507 elu(x, 1.6733), which keeps mean 0 and variance 1 from layer to layer.

    Klambauer et al., Self-Normalizing Neural Networks, 2017: with weights from `nn.init.lecun_normal_`.

    Parameters
    ----------
    inplace : bool
        Without effect.

    Examples
    --------
    >>> import nn
    >>> nn.SELU()([-1000.0, 1.0])
    array([-1.75809934,  1.05070099])
    """

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Return the activations."""
        return selu(input)


class GELU(Module):
    """Gaussian error linear unit x Φ(x), with the normal distribution function Φ (Hendrycks and Gimpel, 2016).

    Parameters
    ----------
    approximate : {"none", "tanh"}
        ``"tanh"`` stands for x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, which takes less time here.

    Examples
    --------
    >>> import nn
    >>> nn.GELU()([-1.0, 1.0])
    array([-0.15865525,  0.84134475])
    """

    def __init__(self, approximate: str = "none") -> None:
        gelu(0.0, approximate)  # refuses what it does not know
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        """Return the activations."""
        return gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """x sigmoid(x), also called swish, elementwise.

    Parameters
    ----------
    inplace : bool
        Without effect.

    Examples
    --------
    >>> import nn
    >>> nn.SiLU()([-1000.0, 0.0, 1000.0])
    array([  -0.,    0., 1000.])
    """

    def __init__(self, inplace: bool = False) -> None:
        pass

    def forward(self, input: Any) -> Any:
        """Return the activations."""
        return silu(input)


class Sigmoid(Module):
    """Logistic function a = 1 / (1 + exp(-z)), elementwise.

    Its slope a (1 - a) is at most 1/4, and near 0 for large z: it works well in the part that is not saturated (CS229
    lecture 11). At the output, for two classes (CS60010); there, a loss that takes z itself is more accurate.

    Examples
    --------
    >>> import nn
    >>> nn.Sigmoid()([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """

    def forward(self, input: Any) -> Any:
        """Return the activations."""
        return sigmoid(input)


class LogSigmoid(Module):
    """Logarithm of the sigmoid, -log(1 + exp(-x)), elementwise.

    Examples
    --------
    >>> import nn
    >>> nn.LogSigmoid()([-1000.0, 1000.0])
    array([-1000.,    -0.])
    """

    def forward(self, input: Any) -> Any:
        """Return the activations."""
        return logsigmoid(input)


class Tanh(Module):
    """Hyperbolic tangent, elementwise: a sigmoid between -1 and 1, 2 sigmoid(2x) - 1.

    Examples
    --------
    >>> import nn
    >>> nn.Tanh()([-1000.0, 0.0, 1000.0])
    array([-1.,  0.,  1.])
    """

    def forward(self, input: Any) -> Any:
        """Return the activations."""
        return tanh(input)


class Softplus(Module):
    """Smooth form of relu, log(1 + exp(βx)) / β; see `nn.functional.softplus`.

    Parameters
    ----------
    beta : float
        β.
    threshold : float
        Where βx is above it, the result is x.

    Examples
    --------
    >>> import nn
    >>> nn.Softplus()([-1000.0, 0.0, 1000.0])
    array([0.00000000e+00, 6.93147181e-01, 1.00000000e+03])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Any) -> Any:
        """Return the activations."""
        return softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Softmax(Module):
    """Exponentials divided by their sum along an axis; see `nn.functional.softmax`.

    For training, leave it out, and use a loss that takes its input: it is faster and more accurate.

    Parameters
    ----------
    dim : int, tuple of int or None
        The axis along which results sum to 1; None for all. PyTorch wants it given, here it is the last.

    Examples
    --------
    >>> import nn
    >>> nn.Softmax(dim=0)([[0.0, 1000.0], [0.0, -1000.0]])
    array([[0.5, 1. ],
           [0.5, 0. ]])
    """

    def __init__(self, dim: int | tuple[int, ...] | None = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Return the probabilities."""
        return softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """Logarithm of softmax along an axis; see `nn.functional.log_softmax`.

    Parameters
    ----------
    dim : int, tuple of int or None
        The axis; None for all. PyTorch wants it given, here it is the last.

    Examples
    --------
    >>> import nn
    >>> nn.LogSoftmax()([1000.0, -1000.0])
    array([    0., -2000.])
    """

    def __init__(self, dim: int | tuple[int, ...] | None = -1) -> None:
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Return the logarithms of the probabilities."""
        return log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


ACTIVATIONS: dict[str, type[Module]] = {
    "elu": ELU,
    "gelu": GELU,
    "leaky_relu": LeakyReLU,
    "log_softmax": LogSoftmax,
    "logsigmoid": LogSigmoid,
    "relu": ReLU,
    "selu": SELU,
    "sigmoid": Sigmoid,
    "silu": SiLU,
    "softmax": Softmax,
    "softplus": Softplus,
    "tanh": Tanh,
}
"""The activations by the names of their functions."""
