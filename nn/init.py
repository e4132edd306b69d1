"""First values of weights: initializers that fill a tensor in place and return it.

Why it matters: z = W x sums n = fan_in products. For independent x and W of mean 0, Var(z) = n Var(W) Var(x) (CS230
lecture 3), so after L layers the variance is multiplied by (n Var(W))^L: it explodes or vanishes, and in the backward
pass so do gradients, with fan_out in the place of n, unless Var(W) is near 1/n. Equal weights would stay equal (CS229
lecture 11: a symmetric network), so they are drawn.

Every formula says whether it gives the standard deviation or its square, the variance. Values are drawn in double
precision and rounded to the tensor's dtype, so a seed gives the same network in every dtype.

Examples
--------
>>> import numpy as np
>>> import nn
>>> layer = nn.Linear(3, 2)
>>> nn.init.zeros_(layer.bias)
Tensor([0., 0.], dtype=float32, requires_grad=True, name='bias')
>>> weight = nn.init.xavier_normal_(layer.weight, rng=np.random.default_rng(0))
>>> weight is layer.weight
True
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from numbers import Real
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from autograd import DtypeError, ShapeError, Tensor, describe
from nn.module import Module

__all__ = [
    "SCHEMES",
    "calculate_fan_in_and_fan_out",
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "glorot_normal_",
    "glorot_uniform_",
    "he_normal_",
    "he_uniform_",
    "identity_",
    "initialize",
    "kaiming_normal_",
    "kaiming_uniform_",
    "lecun_normal_",
    "lecun_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sigmoid_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

Array = Any
Rng = np.random.Generator | None
M = TypeVar("M", bound=Module)
P = ParamSpec("P")


def initializer(values: Callable[Concatenate[Tensor, P], Array]) -> Callable[Concatenate[Tensor, P], Tensor]:
    """Make of a function that computes values for a tensor one that puts them there and returns the tensor."""

    @wraps(values)
    def initialize(tensor: Tensor, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        if not isinstance(tensor, Tensor) or not tensor.is_leaf or tensor.dtype.kind != "f":
            raise DtypeError(
                f"{values.__name__} replaces the values of a leaf Tensor of a floating dtype, got {describe(tensor)}"
                f"{'' if not isinstance(tensor, Tensor) or tensor.is_leaf else ', which was computed'}; "
                "give it a parameter, or Tensor(data, dtype=float)"
            )
        tensor.data = values(tensor, *args, **kwargs)
        return tensor

    return initialize  # type: ignore[return-value]  # which may be called with tensor=, but no type says so


# Fans and gains


def calculate_fan_in_and_fan_out(tensor: Any) -> tuple[int, int]:
    """How many inputs each output of a layer sums over, and how many outputs each input goes to.

    Parameters
    ----------
    tensor : array_like, shape (out, in, *kernel)
        The weights of a linear layer or a convolution.

    Returns
    -------
    tuple of int
        fan_in = in · k and fan_out = out · k, with k elements in the kernel.

    Raises
    ------
    ShapeError
        For fewer than two dimensions.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.init import calculate_fan_in_and_fan_out
    >>> calculate_fan_in_and_fan_out(np.zeros((16, 3, 5, 5)))
    (75, 400)
    """
    if len(np.shape(tensor)) < 2:
        raise ShapeError(
            f"{describe(tensor)} has no fans: weights have a shape (out, in, *kernel) of at least two dimensions; "
            "initialize biases with zeros_"
        )
    outputs, inputs, *kernel = np.shape(tensor)
    return inputs * math.prod(kernel), outputs * math.prod(kernel)


GAINS = {"sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4, "linear": 1.0}
GAINS |= {f"conv{kind}{n}d": 1.0 for kind in ("", "_transpose") for n in (1, 2, 3)}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor of the standard deviation that makes up for what a nonlinearity takes from the variance.

    Parameters
    ----------
    nonlinearity : str
        ``"linear"`` and convolutions 1, ``"sigmoid"`` 1, ``"tanh"`` 5/3, ``"relu"`` √2, ``"selu"`` 3/4, and
        ``"leaky_relu"`` √(2 / (1 + slope²)).
    param : float, optional
        The slope of the leaky rectifier; 0.01 by default.

    Raises
    ------
    ShapeError
        For another name, and for a slope that is no number.

    Notes
    -----
    Half of a symmetric z is lost in relu(z), so Var(W) = 2/n keeps the mean of squares: He et al., Delving Deep into
    Rectifiers, 2015. The 5/3 of tanh is by experience: near 0, tanh(z) ≈ z (CS230 lecture 3), but the variance that it
    passes on is less, .39 after one layer with gain 1.

    Examples
    --------
    >>> from nn.init import calculate_gain
    >>> calculate_gain("relu")
    1.4142135623730951
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, Real):
            raise ShapeError(f"calculate_gain: the slope of leaky_relu must be a number, got {describe(slope)}")
        return math.sqrt(2 / (1 + slope * slope))
    if not isinstance(nonlinearity, str) or nonlinearity not in GAINS:
        raise ShapeError(
            f"calculate_gain knows no nonlinearity {nonlinearity!r}; it knows "
            f"{', '.join(sorted([*GAINS, 'leaky_relu']))}"
        )
    return GAINS[nonlinearity]


# Constants


@initializer
def zeros_(tensor: Tensor) -> Array:
    """Fill with 0: for biases. Weights of 0 give every unit the same output (BLG561E: 0.5, whatever the input)."""
    return np.zeros(tensor.shape)


@initializer
def ones_(tensor: Tensor) -> Array:
    """Fill with 1: for factors, such as those of batch normalization."""
    return np.ones(tensor.shape)


@initializer
def constant_(tensor: Tensor, val: float) -> Array:
    """Fill with one number. Units with equal weights stay equal (BLG561E, CS229 lecture 11): for biases.

    Parameters
    ----------
    tensor : Tensor
        What to fill.
    val : float
        The number.

    Raises
    ------
    ShapeError
        If it is none.

    Examples
    --------
    >>> from nn import Parameter
    >>> from nn.init import constant_
    >>> constant_(Parameter([0.0, 0.0]), 0.5)
    Tensor([0.5, 0.5], requires_grad=True)
    """
    if not isinstance(val, Real):
        raise ShapeError(f"constant_ fills with one number, got {describe(val)}")
    return np.full(tensor.shape, val)


@initializer
def eye_(tensor: Tensor) -> Array:
    """Fill a matrix with the identity: 1 on the diagonal, 0 elsewhere. Also called `identity_`.

    Raises
    ------
    ShapeError
        For other than two dimensions.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Parameter
    >>> from nn.init import eye_
    >>> eye_(Parameter(np.zeros((2, 3)))).data
    array([[1., 0., 0.],
           [0., 1., 0.]])
    """
    if tensor.ndim != 2:
        raise ShapeError(f"eye_ fills a matrix, got {describe(tensor)}; dirac_ is the identity as a convolution")
    rows, columns = tensor.shape
    return np.eye(rows, columns)


@initializer
def dirac_(tensor: Tensor, groups: int = 1) -> Array:
    """Fill the weights of a convolution so that it returns its input: 1 in the middle of the kernel of each channel.

    Parameters
    ----------
    tensor : Tensor, shape (out, in, *kernel)
        What to fill; the kernel has 1 to 3 dimensions.
    groups : int
        The number of groups of output channels that each begin with the first input channel.

    Raises
    ------
    ShapeError
        For other shapes, and if the groups do not divide `out`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Parameter
    >>> from nn.init import dirac_
    >>> dirac_(Parameter(np.zeros((2, 1, 3)))).data.tolist()
    [[[0.0, 1.0, 0.0]], [[0.0, 0.0, 0.0]]]
    """
    if not 3 <= tensor.ndim <= 5:
        raise ShapeError(
            f"dirac_ fills a shape (out, in, *kernel) with a kernel of 1 to 3 axes, got {describe(tensor)}"
        )
    outputs, inputs, *kernel = tensor.shape
    if groups < 1 or outputs % groups:
        raise ShapeError(f"dirac_(groups={groups}): the groups must divide the {outputs} outputs of {describe(tensor)}")
    size = outputs // groups
    values: Array = np.zeros(tensor.shape)
    middle = [length // 2 for length in kernel]
    channels = np.arange(min(size, inputs))
    for group in range(groups):
        values[(group * size + channels, channels, *middle)] = 1
    return values


# Any distribution


@initializer
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, *, rng: Rng = None) -> Array:
    """Draw from the uniform distribution U(a, b), of variance (b - a)²/12.

    Parameters
    ----------
    tensor : Tensor
        What to fill.
    a, b : float
        The bounds.
    rng : numpy.random.Generator, optional
        Where values come from.

    Raises
    ------
    ShapeError
        If `a` is not at most `b`.
    """
    if not a <= b:
        raise ShapeError(
            f"uniform_(a={a}, b={b}): the lower bound a must not be above the upper bound b; exchange them"
        )
    return np.random.default_rng(rng).uniform(a, b, tensor.shape)


@initializer
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, *, rng: Rng = None) -> Array:
    """Draw from the normal distribution N(mean, std²); `std` is the standard deviation.

    Parameters
    ----------
    tensor : Tensor
        What to fill.
    mean, std : float
        The mean and the standard deviation.
    rng : numpy.random.Generator, optional
        Where values come from.

    Raises
    ------
    ShapeError
        If `std` is negative.
    """
    if not std >= 0:
        raise ShapeError(f"normal_(std={std}): a standard deviation must not be negative")
    return np.random.default_rng(rng).normal(mean, std, tensor.shape)


@initializer
def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, *, rng: Rng = None
) -> Array:
    """Draw from the normal distribution N(mean, std²), and again whatever falls outside [a, b]: no weight is extreme.

    Parameters
    ----------
    tensor : Tensor
        What to fill.
    mean, std : float
        The mean and the standard deviation before truncation. At ±2 std, truncation leaves .88 of the latter.
    a, b : float
        The bounds themselves, not in units of `std`.
    rng : numpy.random.Generator, optional
        Where values come from.

    Raises
    ------
    ShapeError
        If less than 1 % of the distribution falls inside.
    """
    z = [(bound - mean) / (std * math.sqrt(2)) for bound in (a, b)] if std > 0 else [0.0, 0.0]
    if (math.erf(z[1]) - math.erf(z[0])) / 2 < 0.01:
        raise ShapeError(
            f"trunc_normal_(mean={mean}, std={std}, a={a}, b={b}): less than 1 % of N(mean, std²) falls inside "
            "[a, b]; give a positive std and bounds around the mean, or use uniform_"
        )
    rng = np.random.default_rng(rng)
    values = np.asarray(rng.normal(mean, std, tensor.shape))
    while (outside := (values < a) | (values > b)).any():
        values[outside] = rng.normal(mean, std, np.count_nonzero(outside))
    return values


@initializer
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, *, rng: Rng = None) -> Array:
    """Draw a matrix from N(0, std²) and put 0 in the same number of random places of each column.

    Martens, Deep Learning via Hessian-free Optimization, 2010.

    Parameters
    ----------
    tensor : Tensor, shape (out, in)
        What to fill.
    sparsity : float
        The fraction of each column that is 0, from 0 to 1, rounded up to whole elements.
    std : float
        The standard deviation of the others.
    rng : numpy.random.Generator, optional
        Where values come from.

    Raises
    ------
    ShapeError
        For other than two dimensions, and a fraction or standard deviation out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Parameter
    >>> from nn.init import sparse_
    >>> weight = sparse_(Parameter(np.zeros((4, 3))), 0.5, rng=np.random.default_rng(0))
    >>> np.count_nonzero(weight.data, axis=0)
    array([2, 2, 2])
    """
    if tensor.ndim != 2:
        raise ShapeError(f"sparse_ fills a matrix, got {describe(tensor)}")
    if not 0 <= sparsity <= 1 or not std >= 0:
        raise ShapeError(f"sparse_(sparsity={sparsity}, std={std}): the sparsity is from 0 to 1, and std not negative")
    rng = np.random.default_rng(rng)
    values = rng.normal(0, std, tensor.shape)
    places = rng.random(tensor.shape).argsort(axis=0)  # a random order of each column
    values[places < math.ceil(sparsity * len(values))] = 0
    return values


@initializer
def orthogonal_(tensor: Tensor, gain: float = 1.0, *, rng: Rng = None) -> Array:
    """Draw a matrix with orthonormal rows, or columns if those are fewer: it keeps lengths, not only on average.

    Saxe et al., Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear Neural Networks, 2014: for very
    deep and for recurrent networks. Every such matrix is equally likely.

    Parameters
    ----------
    tensor : Tensor, shape (out, in, *kernel)
        What to fill; seen as a matrix of `out` rows.
    gain : float
        The factor that the matrix is multiplied with, such as `calculate_gain` gives it.
    rng : numpy.random.Generator, optional
        Where values come from.

    Raises
    ------
    ShapeError
        For fewer than two dimensions.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Parameter
    >>> from nn.init import orthogonal_
    >>> w = orthogonal_(Parameter(np.zeros((2, 3))), rng=np.random.default_rng(0)).data
    >>> np.round(w @ w.T, 12) + 0
    array([[1., 0.],
           [0., 1.]])
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_ fills at least two dimensions, (out, in, *kernel), got {describe(tensor)}")
    shape = len(tensor), math.prod(tensor.shape[1:])
    tall = np.random.default_rng(rng).standard_normal((max(shape), min(shape)))
    q, r = np.linalg.qr(tall)
    q = q * np.where(np.diagonal(r) < 0, -1, 1)  # else the signs would depend on the algorithm
    return gain * (q if shape == q.shape else q.T).reshape(tensor.shape)


# Distributions scaled by the fans


@initializer
def lecun_uniform_(tensor: Tensor, *, rng: Rng = None) -> Array:
    """Draw from U(-√(3/n), √(3/n)) with n = fan_in, of variance 1/n.

    LeCun et al., Efficient BackProp, 1998: Var(W) = 1/n keeps Var(z) = Var(x).

    Parameters
    ----------
    tensor : Tensor, shape (out, in, *kernel)
        What to fill.
    rng : numpy.random.Generator, optional
        Where values come from.
    """
    return uniform_values(tensor, 1 / math.sqrt(fan(tensor)), rng)


@initializer
def lecun_normal_(tensor: Tensor, *, rng: Rng = None) -> Array:
    """Draw from the normal distribution of variance 1/n, that is of standard deviation √(1/n), with n = fan_in.

    LeCun et al., Efficient BackProp, 1998. It is ``np.random.randn(shape) * np.sqrt(1/n)`` of CS230 lecture 3 for tanh,
    and what CS229 lecture 11 calls Xavier's; selu needs it (Klambauer et al., 2017).

    Parameters
    ----------
    tensor : Tensor, shape (out, in, *kernel)
        What to fill.
    rng : numpy.random.Generator, optional
        Where values come from.
    """
    return normal_values(tensor, 1 / math.sqrt(fan(tensor)), rng)


@initializer
def sigmoid_(tensor: Tensor, c: float = 4.0, *, rng: Rng = None) -> Array:
    """Draw from the normal distribution of variance c/n, that is of standard deviation √(c/n), with n = fan_in.

    CS229 lecture 11 for sigmoid, as ``np.random.randn(shape) * np.sqrt(4/n)``. Its other formulas have 1/n, which is
    c = 1, the same as `lecun_normal_`. The 4 makes up for a part of the slope of sigmoid, at most 1/4.

    Parameters
    ----------
    tensor : Tensor, shape (out, in, *kernel)
        What to fill.
    c : float
        n times the variance.
    rng : numpy.random.Generator, optional
        Where values come from.

    Raises
    ------
    ShapeError
        If `c` is negative.
    """
    if not c >= 0:
        raise ShapeError(f"sigmoid_(c={c}): the variance c/n is not negative; the notes have c=4 and c=1")
    return normal_values(tensor, math.sqrt(c / fan(tensor)), rng)


@initializer
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, *, rng: Rng = None) -> Array:
    """Draw from U(-b, b) with b = gain √(6 / (fan_in + fan_out)). Also called `glorot_uniform_`.

    Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, 2010; it has the
    variance of `xavier_normal_`.

    Parameters
    ----------
    tensor : Tensor, shape (out, in, *kernel)
        What to fill.
    gain : float
        The factor of the standard deviation, such as `calculate_gain` gives it.
    rng : numpy.random.Generator, optional
        Where values come from.
    """
    return uniform_values(tensor, gain * xavier_std(tensor), rng)


@initializer
def xavier_normal_(tensor: Tensor, gain: float = 1.0, *, rng: Rng = None) -> Array:
    """Draw from the normal distribution of standard deviation gain √(2 / (fan_in + fan_out)). Also `glorot_normal_`.

    Glorot and Bengio, 2010, for tanh and sigmoid: the forward pass wants fan_in σ² = 1, the backward pass
    fan_out σ² = 1, and the mean of both is the compromise. BLG561E writes N(0, √(2 / (n_in + n_out))), whose second
    argument is a standard deviation here, not a variance, and calls it Xavier-He; it is Glorot's, whose first name is
    Xavier, and He's is `kaiming_normal_`.

    Parameters
    ----------
    tensor : Tensor, shape (out, in, *kernel)
        What to fill.
    gain : float
        The factor of the standard deviation, such as `calculate_gain` gives it.
    rng : numpy.random.Generator, optional
        Where values come from.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Parameter
    >>> from nn.init import xavier_normal_
    >>> weight = xavier_normal_(Parameter(np.zeros((500, 300))), rng=np.random.default_rng(0))
    >>> round(float(weight.data.std()), 4), (2 / (500 + 300)) ** 0.5
    (0.0501, 0.05)
    """
    return normal_values(tensor, gain * xavier_std(tensor), rng)


@initializer
def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, rng: Rng = None
) -> Array:
    """Draw from U(-b, b) with b = gain √(3 / fan), the variance of `kaiming_normal_`. Also called `he_uniform_`.

    Parameters
    ----------
    tensor : Tensor, shape (out, in, *kernel)
        What to fill.
    a : float
        The slope of the leaky rectifier that follows; 0 for relu.
    mode : {"fan_in", "fan_out"}
        Whether to keep the variance in the forward or the backward pass.
    nonlinearity : str
        What follows, by a name that `calculate_gain` knows.
    rng : numpy.random.Generator, optional
        Where values come from.
    """
    return uniform_values(tensor, calculate_gain(nonlinearity, a) / math.sqrt(fan(tensor, mode)), rng)


@initializer
def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, rng: Rng = None
) -> Array:
    """Draw from the normal distribution of standard deviation gain / √fan; √(2/n) for relu. Also called `he_normal_`.

    He et al., Delving Deep into Rectifiers, 2015, for relu. CS229 lecture 11 has it under tanh, to which it does no
    harm, but the factor 2 is what relu takes away.

    Parameters
    ----------
    tensor : Tensor, shape (out, in, *kernel)
        What to fill.
    a : float
        The slope of the leaky rectifier that follows; 0 for relu.
    mode : {"fan_in", "fan_out"}
        Whether to keep the variance in the forward or the backward pass.
    nonlinearity : str
        What follows, by a name that `calculate_gain` knows.
    rng : numpy.random.Generator, optional
        Where values come from.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Parameter
    >>> from nn.init import kaiming_normal_
    >>> weight = kaiming_normal_(Parameter(np.zeros((500, 200))), rng=np.random.default_rng(0))
    >>> round(float(weight.data.std()), 3), (2 / 200) ** 0.5
    (0.1, 0.1)
    """
    return normal_values(tensor, calculate_gain(nonlinearity, a) / math.sqrt(fan(tensor, mode)), rng)


def fan(tensor: Tensor, mode: str = "fan_in") -> int:
    """One of the fans of a tensor; 1 where it is 0, since then there is nothing to fill."""
    fans = ("fan_in", "fan_out")
    if str(mode).lower() not in fans:
        raise ShapeError(f'mode={mode!r} is no fan of {describe(tensor)}; it must be "fan_in" or "fan_out"')
    return max(calculate_fan_in_and_fan_out(tensor)[fans.index(mode.lower())], 1)


def xavier_std(tensor: Tensor) -> float:
    """1/√n with the mean of both fans as n: √(2 / (fan_in + fan_out))."""
    return math.sqrt(2 / max(sum(calculate_fan_in_and_fan_out(tensor)), 1))


def uniform_values(tensor: Tensor, std: float, rng: Rng) -> Array:
    """Values from the uniform distribution around 0 of this standard deviation."""
    bound = math.sqrt(3) * std
    return np.random.default_rng(rng).uniform(-bound, bound, tensor.shape)


def normal_values(tensor: Tensor, std: float, rng: Rng) -> Array:
    """Values from the normal distribution around 0 of this standard deviation."""
    return np.random.default_rng(rng).normal(0, std, tensor.shape)


glorot_normal_, glorot_uniform_ = xavier_normal_, xavier_uniform_
he_normal_, he_uniform_ = kaiming_normal_, kaiming_uniform_
identity_ = eye_

# A whole network

FIXED: dict[str, Callable[..., Tensor]] = {
    "zeros": zeros_,
    "ones": ones_,
    "constant": constant_,
    "eye": eye_,
    "identity": identity_,
    "dirac": dirac_,
}
DRAWN: dict[str, Callable[..., Tensor]] = {
    "uniform": uniform_,
    "normal": normal_,
    "trunc_normal": trunc_normal_,
    "sparse": sparse_,
    "orthogonal": orthogonal_,
    "lecun_uniform": lecun_uniform_,
    "lecun_normal": lecun_normal_,
    "sigmoid": sigmoid_,
    "xavier_uniform": xavier_uniform_,
    "xavier_normal": xavier_normal_,
    "glorot_uniform": glorot_uniform_,
    "glorot_normal": glorot_normal_,
    "kaiming_uniform": kaiming_uniform_,
    "kaiming_normal": kaiming_normal_,
    "he_uniform": he_uniform_,
    "he_normal": he_normal_,
}
SCHEMES = FIXED | DRAWN
"""The initializers by name."""


def initialize(model: M, scheme: str, *, rng: Rng = None, **options: Any) -> M:
    """Fill all weights of a network by one initializer, and its biases with 0.

    Weights are the parameters of at least two dimensions, biases those that are called so; others, such as the factors
    of batch normalization, stay as they are.

    Parameters
    ----------
    model : Module
        The network.
    scheme : str
        The initializer, by its name without the underscore at the end.
    rng : numpy.random.Generator, optional
        Where values come from.
    **options
        What the initializer takes besides, such as ``c=1`` or ``nonlinearity="tanh"``.

    Returns
    -------
    Module
        The network. After an error it is as it was.

    Raises
    ------
    ShapeError
        If no initializer is called so, or it does not take weights of such a shape.

    Examples
    --------
    >>> import nn
    >>> model = nn.init.initialize(nn.Linear(2, 2), "constant", val=0.5)
    >>> model.weight.data.tolist(), model.bias.data.tolist()
    ([[0.5, 0.5], [0.5, 0.5]], [0.0, 0.0])
    """
    if scheme not in SCHEMES:
        raise ShapeError(f"there is no initializer {scheme!r}; there are {', '.join(sorted(SCHEMES))}")
    if scheme in DRAWN:
        options["rng"] = np.random.default_rng(rng)
    weights = [parameter for parameter in model.parameters() if parameter.ndim >= 2]
    drawn = [SCHEMES[scheme](Tensor(weight.data), **options) for weight in weights]
    for weight, values in zip(weights, drawn, strict=True):
        weight.data = values
    for path, parameter in model.named_parameters():
        if path.rpartition(".")[2] == "bias":
            zeros_(parameter)
    return model
