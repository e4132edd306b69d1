"""Values and derivatives agree with PyTorch's, and where they differ on purpose, they do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import SingularError, Tensor, elu, grad, hvp, leaky_relu, logsumexp, relu, softmax, softplus, vjp
from tests.oracle import arrays, elementwise, networks, products
from tests.oracle.pairs import Pair, torch

PAIRS = [*elementwise.page, *products.page, *arrays.page, *networks.page]
F = torch.nn.functional
TOLERANCES = {"float64": 1e-9, "float32": 2e-4}


def listed(result: Any) -> list[Any]:
    """The outputs of a function of one or several."""
    return list(result) if isinstance(result, list | tuple) else [result]


def drawn(like: list[Any], seed: int) -> list[Any]:
    """A random direction."""
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.normal(size=tuple(x.shape))).astype(str(x.dtype).removeprefix("torch."))[()] for x in like]


def paired(function: Callable[..., Any], seeds: list[Any]) -> Callable[..., Any]:
    """The sum of a function's outputs, weighted."""
    return lambda *xs: sum((out * seed).sum() for out, seed in zip(listed(function(*xs)), seeds, strict=True))


def as_torch(values: list[Any], requires_grad: bool = False) -> list[Any]:
    return [torch.tensor(value, requires_grad=requires_grad) for value in values]


def slopes(total: Any, inputs: list[Any], **options: Any) -> list[Any]:
    """PyTorch's gradients, zero where there is no path."""
    if not total.requires_grad:
        return [torch.zeros_like(x) for x in inputs]
    return list(torch.autograd.grad(total, inputs, materialize_grads=True, **options))


def assert_close(ours: list[Any], theirs: list[Any], tolerance: float) -> None:
    """Shapes and dtypes are equal, and values are close beside the largest of them."""
    for own, other in zip(ours, theirs, strict=True):
        other = other.detach().numpy(force=True)
        assert (own.shape, own.dtype) == (other.shape, other.dtype)
        scale = max(1.0, np.max(np.abs(other), initial=0, where=np.isfinite(other)))
        np.testing.assert_allclose(own, other, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_agrees(pair: Pair, dtype: str) -> None:
    """Values, gradients, and products of the Hessian with a vector in both ways."""
    tolerance = TOLERANCES[dtype]
    args = [np.asarray(arg, dtype)[()] for arg in pair.args]
    inputs = as_torch(args, True)
    outputs = listed(pair.theirs(*inputs))
    seeds, along = drawn(outputs, 1), drawn(args, 2)

    value, pull = vjp(lambda *xs: listed(pair.ours(*xs)), *args)
    assert_close(value, outputs, tolerance)
    total = sum((out * seed).sum() for out, seed in zip(outputs, as_torch(seeds)))
    gradients = slopes(total, inputs, create_graph=True)
    assert_close(pull(seeds), gradients, 10 * tolerance)

    second = slopes(sum((g * v).sum() for g, v in zip(gradients, as_torch(along))), inputs)
    scalar = paired(pair.ours, seeds)
    every = range(len(args))
    assert_close(hvp(scalar, args, along), second, 100 * tolerance)
    assert_close(grad(paired(grad(scalar, every), along), every)(*args), second, 100 * tolerance)


# At kinks and singular points: gradients of the sum of the outputs. First those about which both agree

nan, inf = math.nan, math.inf


def both(ours: Callable[..., Any], theirs: Callable[..., Any], args: list[Any]) -> tuple[list[Any], list[Any]]:
    """Our gradients of the sum of a function's outputs, and PyTorch's."""
    arrays = [np.array(arg, dtype=float)[()] for arg in args]
    inputs = as_torch(arrays, True)
    with np.errstate(all="ignore"):
        gradients = grad(lambda *xs: np.sum(ours(*xs)), range(len(args)))(*arrays)
    return [g.tolist() for g in gradients], [g.tolist() for g in slopes(theirs(*inputs).sum(), inputs)]


def assert_equal(found: list[Any], expected: list[Any]) -> None:
    """NaN where NaN, infinities of the same sign."""
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


AGREED = {
    "relu at 0": (relu, torch.relu, [0.0], [0.0]),
    "relu of NaN passes the upstream": (relu, torch.relu, [nan], [1.0]),
    "leaky_relu at 0": (leaky_relu, F.leaky_relu, [0.0], [0.01]),
    "elu at 0": (elu, F.elu, [0.0], [1.0]),
    "abs at 0": (np.abs, torch.abs, [0.0], [0.0]),
    "clip at its bounds": (lambda x: x.clip(0, 1), lambda x: x.clip(0, 1), [[0.0, 1.0]], [[1.0, 1.0]]),
    "clip at bounds that are tensors": (np.clip, torch.clip, [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]),
    "maximum of equals": (np.maximum, torch.maximum, [1.0, 1.0], [0.5, 0.5]),
    "minimum of equals": (np.minimum, torch.minimum, [1.0, 1.0], [0.5, 0.5]),
    "max of equals": (np.max, torch.max, [[1.0, 2.0, 2.0]], [[0.0, 0.5, 0.5]]),
    "median of equals": (np.median, torch.median, [[1.0, 2.0, 2.0]], [[0.0, 0.5, 0.5]]),
    "max of NaN": (np.max, torch.amax, [[nan, 1.0]], [[nan, nan]]),
    "sqrt at 0": (np.sqrt, torch.sqrt, [0.0], [inf]),
    "arcsin at 1": (np.arcsin, torch.arcsin, [1.0], [inf]),
    "division by 0": (np.divide, torch.divide, [1.0, 0.0], [inf, -inf]),
    "norm at 0": (np.linalg.norm, torch.linalg.norm, [[0.0, 0.0]], [[0.0, 0.0]]),
    "norms of equals": (
        lambda x: np.linalg.norm(x, inf),
        lambda x: torch.linalg.norm(x, inf),
        [[1.0, -1.0]],
        [[0.5, -0.5]],
    ),
    "deviation of constants": (np.std, lambda x: x.std(correction=0), [[1.0, 1.0]], [[0.0, 0.0]]),
    "arctan2 at the origin": (np.arctan2, torch.arctan2, [0.0, 0.0], [0.0, 0.0]),
    "0 ** 0": (np.power, torch.pow, [0.0, 0.0], [0.0, 0.0]),
    "0 ** 2": (np.power, torch.pow, [0.0, 2.0], [0.0, 0.0]),
    "(-2) ** 2": (np.power, torch.pow, [-2.0, 2.0], [-4.0, nan]),
    "prod with a 0": (np.prod, torch.prod, [[0.0, 2.0, 3.0]], [[6.0, 0.0, 0.0]]),
    "cumprod with zeros": (np.cumprod, lambda x: x.cumprod(0), [[0.0, 2.0, 0.0, 3.0]], [[3.0, 0.0, 0.0, 0.0]]),
    "remainder of a multiple": (np.remainder, torch.remainder, [4.0, 2.0], [1.0, -2.0]),
    "softmax of -inf": (lambda x: softmax(x)[0], lambda x: x.softmax(0)[0], [[-inf, 1.0]], [[0.0, 0.0]]),
    "nan_to_num": (np.nan_to_num, torch.nan_to_num, [[nan, inf, -inf, 1.0]], [[0.0, 0.0, 0.0, 1.0]]),
}


@pytest.mark.parametrize(("ours", "theirs", "args", "gradients"), AGREED.values(), ids=AGREED)
def test_agrees_at_edges(ours: Any, theirs: Any, args: list[Any], gradients: list[Any]) -> None:
    """Subgradients and infinities are chosen alike."""
    for found in both(ours, theirs, args):
        assert_equal(found, gradients)


# And those where PyTorch decides otherwise: our gradients, then theirs

DIFFERENT = {
    "a zero upstream contributes zero to sqrt": (
        lambda x: np.where(x > 0, np.sqrt(x), 0),
        lambda x: torch.where(x > 0, x.sqrt(), 0.0),
        [[0.0, 4.0]],
        [[0.0, 0.25]],
        [[nan, 0.25]],
    ),
    "a zero upstream contributes zero to log": (
        lambda x: np.where(x > 0, np.log(x), 0),
        lambda x: torch.where(x > 0, x.log(), 0.0),
        [[0.0, 4.0]],
        [[0.0, 0.25]],
        [[nan, 0.25]],
    ),
    "a zero upstream contributes zero to divide": (
        lambda x: np.where(x != 0, 1 / x, 0),
        lambda x: torch.where(x != 0, 1 / x, 0.0),
        [[0.0, 2.0]],
        [[0.0, -0.25]],
        [[nan, -0.25]],
    ),
    "fmax of equals is shared": (np.fmax, torch.fmax, [1.0, 1.0], [0.5, 0.5], [1.0, 0.0]),
    "fmin of equals is shared": (np.fmin, torch.fmin, [1.0, 1.0], [0.5, 0.5], [1.0, 0.0]),
    "max along an axis is shared by equals": (
        lambda x: np.max(x, 0),
        lambda x: x.max(0).values,
        [[1.0, 2.0, 2.0]],
        [[0.0, 0.5, 0.5]],
        [[0.0, 1.0, 0.0]],
    ),
    "quantile is shared by equals": (
        lambda x: np.quantile(x, 0.5),
        lambda x: x.quantile(0.5),
        [[1.0, 2.0, 2.0]],
        [[0.0, 0.5, 0.5]],
        [[0.0, 1.0, 0.0]],
    ),
    "median of an even number is the mean of two, as NumPy's": (
        np.median,
        torch.median,
        [[1.0, 2.0, 3.0, 4.0]],
        [[0.0, 0.5, 0.5, 0.0]],
        [[0.0, 1.0, 0.0, 0.0]],
    ),
    "maximum of NaN hands NaN on": (np.maximum, torch.maximum, [nan, 1.0], [nan, nan], [1.0, 1.0]),
    "abs of NaN hands NaN on": (np.abs, torch.abs, [nan], [nan], [0.0]),
    "clip of NaN passes the upstream, as relu": (
        lambda x: np.clip(x, 0, 1),
        lambda x: x.clip(0, 1),
        [nan],
        [1.0],
        [0.0],
    ),
    "hypot is 0 at the origin": (np.hypot, torch.hypot, [0.0, 0.0], [0.0, 0.0], [nan, nan]),
    "logsumexp of nothing but -inf is flat": (
        logsumexp,
        lambda x: x.logsumexp(0),
        [[-inf, -inf]],
        [[0.0, 0.0]],
        [[nan, nan]],
    ),
    "logaddexp of equal infinities is shared": (np.logaddexp, torch.logaddexp, [-inf, -inf], [0.5, 0.5], [nan, nan]),
    "softplus is never cut to a line": (softplus, F.softplus, [25.0], [1 / (1 + math.exp(-25))], [1.0]),
    "vectors of equal eigenvalues stay finite": (
        lambda x: np.linalg.eigh(x).eigenvectors ** 2,
        lambda x: torch.linalg.eigh(x).eigenvectors ** 2,
        [[[1.0, 0.0], [0.0, 1.0]]],
        [[[0.0, 0.0], [0.0, 0.0]]],
        [[[nan, nan], [nan, nan]]],
    ),
    "a singular value of 0 is as flat as abs": (
        lambda x: np.linalg.norm(x, "nuc"),
        lambda x: torch.linalg.norm(x, "nuc"),
        [[[0.0, 0.0], [0.0, 4.0]]],
        [[[0.0, 0.0], [0.0, 1.0]]],
        [[[1.0, 0.0], [0.0, 1.0]]],
    ),
}


@pytest.mark.parametrize(("ours", "theirs", "args", "own", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_differs_on_purpose(ours: Any, theirs: Any, args: list[Any], own: list[Any], other: list[Any]) -> None:
    """What SEMANTICS says, and what PyTorch does instead."""
    assert own != other
    for found, expected in zip(both(ours, theirs, args), (own, other)):
        assert_equal(found, expected)


def test_sinc_is_twice_differentiable_at_0_and_pytorchs_is_not() -> None:
    """sinc''(0) = -π²/3."""
    x = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(torch.sinc(x), x, create_graph=True)
    assert math.isnan(torch.autograd.grad(slope, x)[0].item())
    assert grad(grad(np.sinc))(0.0) == pytest.approx(-(math.pi**2) / 3)


def test_log_determinant_of_a_singular_matrix_is_an_error_and_pytorchs_gradient_infinite() -> None:
    """Both for the value -inf."""
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    x = torch.tensor(singular, requires_grad=True)
    assert not torch.autograd.grad(torch.linalg.slogdet(x).logabsdet, x)[0].isfinite().any()
    with pytest.raises(SingularError, match="singular matrix, of shape"):
        grad(lambda a: np.linalg.slogdet(a)[1])(singular)


def test_gradients_of_float32_and_float64_together() -> None:
    """Each gradient has the dtype of its tensor."""
    a, b = np.float32([1.5, 2.5]), np.array([0.1, 0.2])
    ours = grad(lambda a, b: np.sum(a * b), (0, 1))(a, b)
    x, y = as_torch([a, b], True)
    assert_close(list(ours), slopes((x * y).sum(), [x, y]), 0)


def test_backward_accumulates_alike() -> None:
    """Twice through a graph that is kept, and through one with shared parts."""
    w, v = Tensor([1.0, -2.0], requires_grad=True), torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    for leaf in (w, v):
        y = leaf * leaf
        z = (y * y + y * leaf).sum()
        z.backward(retain_graph=True)
        z.backward()
        (leaf * 3).sum().backward()
    np.testing.assert_array_equal(w.grad, v.grad.numpy())
