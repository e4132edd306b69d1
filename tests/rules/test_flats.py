"""Functions with derivative zero, and functions without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Tensor
from autograd.errors import NotDifferentiableError

A = np.array([3.0, -1.5, 2.0, 2.0, 0.0])
N = np.array([4, 1, 1, 7, 3])
M = np.array([[1.0, np.nan, -2.0], [np.inf, 0.5, 0.5]])

ARRAYS: dict[str, Callable[..., Any]] = {
    "equal": lambda x: np.equal(x, 2),
    "less of two": lambda x: np.less(x, x[::-1]),
    "reflected": lambda x: np.float64(1.5) >= x,
    "logical_and": lambda x: np.logical_and(x > 0, x < 3),
    "logical_not": lambda x: np.logical_not(x),
    "logical_or.reduce": lambda x: np.logical_or.reduce(x > 2),
    "equal.outer": lambda x: np.equal.outer(x, x),
    "floor": np.floor,
    "rint": np.rint,
    "fix": np.fix,
    "round": lambda x: np.round(x, 1),
    "around": lambda x: np.around(x, decimals=0),
    "floor_divide": lambda x: x // 2,
    "sign": np.sign,
    "signbit": np.signbit,
    "spacing": np.spacing,
    "isfinite": np.isfinite,
    "isposinf": np.isposinf,
    "isclose": lambda x: np.isclose(x, 2.0, atol=0.1),
    "imag": np.imag,
    "angle": np.angle,
    "all": lambda x: np.all(x, axis=0, keepdims=True),
    "any": np.any,
    "argmax": np.argmax,
    "argmin along an axis": lambda x: np.argmin(x, axis=-1),
    "nanargmax": np.nanargmax,
    "argsort": lambda x: np.argsort(x, kind="stable"),
    "argpartition": lambda x: np.argpartition(x, 2),
    "lexsort": lambda x: np.lexsort((x, x > 0)),
    "searchsorted": lambda x: np.searchsorted(np.sort(x), [0.5, 2.0], side="right"),
    "argwhere": np.argwhere,
    "nonzero": np.nonzero,
    "flatnonzero": np.flatnonzero,
    "digitize": lambda x: np.digitize(x, [0.0, 2.5]),
    "ix_": lambda x: np.ix_(x > 0),
    "histogram": lambda x: np.histogram(x, bins=3),
    "histogram2d": lambda x: np.histogram2d(x, x, bins=2),
    "unique": lambda x: np.unique(x, return_counts=True),
    "unique_inverse": np.unique_inverse,
    "isin": lambda x: np.isin(x, [2.0, 3.0]),
    "union1d": lambda x: np.union1d(x, [5.0]),
    "zeros_like": np.zeros_like,
    "ones_like": lambda x: np.ones_like(x, dtype=np.float32),
    "method": lambda x: x.argmax(),
    "zeros": lambda x: np.zeros((2, 3), like=x),
    "arange": lambda x: np.arange(4.0, like=x),
}

OF_INTEGERS: dict[str, Callable[..., Any]] = {
    "bincount": lambda n: np.bincount(n, minlength=9),
    "bitwise_and": lambda n: n & 3,
    "invert": np.invert,
    "left_shift": lambda n: n << 2,
    "bitwise_count": np.bitwise_count,
    "gcd": lambda n: np.gcd(n, 2),
    "packbits": lambda n: np.packbits(n > 1),
    "unravel_index": lambda n: np.unravel_index(n, (4, 2)),
    "ravel_multi_index": lambda n: np.ravel_multi_index((n, n), (8, 8)),
}

PLAIN: dict[str, Callable[..., Any]] = {
    "shape": np.shape,
    "ndim": np.ndim,
    "size": np.size,
    "result_type": lambda x: np.result_type(x, np.float32),
    "can_cast": lambda x: np.can_cast(x, np.float32) if x.ndim == 0 else np.can_cast(x.dtype, np.float32),
    "common_type": np.common_type,
    "min_scalar_type": np.min_scalar_type,
    "iscomplexobj": np.iscomplexobj,
    "isrealobj": np.isrealobj,
    "array_equal": lambda x: np.array_equal(x, x),
    "allclose": lambda x: np.allclose(x, x + 1),
    "shares_memory": lambda x: np.shares_memory(x, np.zeros(2)),
    "einsum_path": lambda x: np.einsum_path("i,i", x, x),
    "array2string": lambda x: np.array2string(x, precision=2),
    "array_str": np.array_str,
}


def same(got: Any, expected: Any) -> None:
    """Arrays came back as constant tensors, everything else as it is."""
    if isinstance(expected, tuple | list):
        assert type(got) is type(expected)
        assert len(got) == len(expected)
        for a, b in zip(got, expected, strict=True):
            same(a, b)
    elif isinstance(expected, np.ndarray | np.generic):
        assert isinstance(got, Tensor)
        assert not got.requires_grad
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got.numpy(), expected)
    else:
        assert type(got) is type(expected)
        assert got == expected


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")  # since NumPy 2.5
@pytest.mark.parametrize("function", ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_arrays_come_back_as_constant_tensors(function: Callable[..., Any], requires_grad: bool) -> None:
    same(function(Tensor(A, requires_grad=requires_grad)), function(A))


@pytest.mark.parametrize("function", OF_INTEGERS.values(), ids=OF_INTEGERS)
def test_integers(function: Callable[..., Any]) -> None:
    same(function(Tensor(N)), function(N))


@pytest.mark.parametrize("function", PLAIN.values(), ids=PLAIN)
def test_python_values_come_back_as_they_are(function: Callable[..., Any]) -> None:
    got, expected = function(Tensor(A, requires_grad=True)), function(A)
    assert type(got) is type(expected)
    assert got == expected


def test_not_a_number_and_infinity() -> None:
    t = Tensor(M, requires_grad=True)
    for function in (np.isnan, np.isinf, np.isfinite, np.sign, np.nanargmin):
        with np.errstate(invalid="ignore"):
            same(function(t), function(M))


def test_a_flat_factor_is_a_constant() -> None:
    """d/dx of x sign(x), hand-computed: the sign."""
    x = Tensor([-2.0, 3.0], requires_grad=True)
    np.sum(x * np.sign(x)).backward()
    np.testing.assert_array_equal(x.grad, [-1.0, 1.0])


def test_named_tuples_keep_their_names() -> None:
    result = np.unique_counts(Tensor(A, requires_grad=True))
    same(result.values, np.array([-1.5, 0.0, 2.0, 3.0]))
    same(result.counts, np.array([1, 1, 2, 1]))


REFUSED: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "copyto": (
        lambda t: np.copyto(np.zeros(5), t),
        "numpy.copyto does not take a Tensor: it writes into an array, which would lose the graph; "
        "use t[key] = value, np.where or autograd.index_add",
    ),
    "add.at": (
        lambda t: np.add.at(np.zeros(5), [0], t),
        "numpy.add.at does not take a Tensor: it writes into an array, which would lose the graph; "
        "use t[key] = value, np.where or autograd.index_add",
    ),
    "save": (
        lambda t: np.save("never.npy", t),
        "numpy.save does not take a Tensor: it writes values without their graph to a file; give it t.detach().numpy()",
    ),
    "roots": (
        np.roots,
        "numpy.roots does not take a Tensor: it gives complex numbers, which are not supported yet; "
        "np.linalg.eigh and eigvalsh take symmetric matrices",
    ),
    "eig": (
        lambda t: np.linalg.eig(t[:4].reshape(2, 2)),
        "numpy.linalg.eig does not take a Tensor: it gives complex numbers, which are not supported yet; "
        "np.linalg.eigh and eigvalsh take symmetric matrices",
    ),
    "polyfit": (
        lambda t: np.polyfit(t, t, 1),
        "numpy.polyfit does not take a Tensor: polynomials are not differentiable yet; "
        "np.polyval evaluates one, np.linalg.lstsq with np.vander fits one",
    ),
    "isnat": (np.isnat, "numpy.isnat does not take a Tensor: it takes dates and times, and a tensor holds numbers"),
    "nextafter": (
        lambda t: np.nextafter(t, 0),
        "numpy.nextafter does not take a Tensor: the next number in floating point is a matter of rounding; "
        "give it t.detach().numpy()",
    ),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_says_why(call: Callable[[Tensor], Any], message: str) -> None:
    with pytest.raises(NotDifferentiableError) as caught:
        call(Tensor(A, requires_grad=True))
    assert str(caught.value) == message


def test_weights_are_not_flat() -> None:
    weights = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    with pytest.raises(NotDifferentiableError) as caught:
        np.histogram([0.1, 0.2, 0.9], weights=weights)
    assert str(caught.value) == (
        "histogram() is not differentiable in its argument 'weights', and Tensor(float64 (3,)) requires grad; "
        "use t.detach() there if its gradient is not wanted"
    )
    assert np.histogram([0.1, 0.2, 0.9], bins=2, weights=weights.detach())[0].tolist() == [3.0, 3.0]
