"""Filling, framing and windows, with gradients worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from autograd import Tensor
from autograd.errors import NotDifferentiableError, ShapeError

V = [1.0, 2.0, 3.0]


def gradients(function: Callable[..., Any], xs: list[Any], seed: Any) -> list[Any]:
    """The gradients of ``sum(seed * function(*xs))``."""
    ts = [Tensor(x, requires_grad=True) for x in xs]
    out = function(*ts)
    out.backward(np.asarray(seed, out.dtype))
    return [t.grad for t in ts]


CASES: dict[str, tuple[Callable[..., Any], list[Any], Any, list[Any]]] = {
    "diag of a vector": (np.diag, [[1.0, 2.0]], [[1, 2], [3, 4]], [[1, 4]]),
    "diag of a matrix": (lambda a: np.diag(a, 1), [np.ones((2, 3))], [5, 6], [[[0, 5, 0], [0, 0, 6]]]),
    "diagonal": (lambda a: a.diagonal(-1), [np.ones((2, 3))], [5], [[[0, 0, 0], [5, 0, 0]]]),
    "tril": (np.tril, [np.ones((2, 2))], [[1, 2], [3, 4]], [[[1, 0], [3, 4]]]),
    "triu of a vector": (np.triu, [[1.0, 1.0]], [[1, 2], [3, 4]], [[1, 6]]),
    "full": (lambda a: np.full((2, 2), a, like=a), [3.0], [[1, 2], [3, 4]], [10]),
    "full_like": (lambda a, b: np.full_like(a, b) + 0 * a, [[1.0, 1.0], 3.0], [1, 2], [[0, 0], 3]),
    "full in another precision": (lambda a: np.full(2, a, np.float32, like=a), [3.0], [1, 2], [3]),
    "meshgrid": (lambda a, b: np.meshgrid(a, b)[0], [[1.0, 2.0], [1.0, 2.0]], [[1, 2], [3, 4]], [[4, 6], [0, 0]]),
    "linspace": (lambda a, b: np.linspace(a, b, 3), [1.0, 2.0], [1, 2, 4], [2, 5]),
    "linspace without its end": (
        lambda a, b: np.linspace(a, b, 2, endpoint=False),
        [1.0, 2.0],
        [1, 2],
        [2, 1],
    ),
    "the step of linspace": (lambda a, b: np.linspace(a, b, 5, retstep=True)[1], [1.0, 2.0], 1, [-0.25, 0.25]),
    "the step of one number": (
        lambda a, b: np.where(np.isnan(np.linspace(a, b, 1, retstep=True)[1]), a, b),
        [1.0, 2.0],
        1,
        [1, 0],
    ),
    "linspace of float32 in float64": (
        lambda a: np.linspace(a, 2, 3, dtype=np.float64),
        [np.float32(1)],
        [1, 2, 4],
        [2],
    ),
    "vander at 0": (lambda a: np.vander(a, 3), [[0.0, 2.0]], [[1, 1, 1], [1, 1, 1]], [[1, 5]]),
    "pad": (lambda a: np.pad(a, (1, 2)), [V], [1, 2, 3, 4, 5, 6], [[2, 3, 4]]),
    "pad with a tensor": (
        lambda a, b: np.pad(a, 1, constant_values=b),
        [V, 9.0],
        [1, 2, 3, 4, 5],
        [[2, 3, 4], 6],
    ),
    "edge": (lambda a: np.pad(a, (2, 1), "edge"), [V], [1, 2, 3, 4, 5, 6], [[6, 4, 11]]),
    "reflect": (lambda a: np.pad(a, 1, "reflect"), [V], [1, 2, 3, 4, 5], [[2, 9, 4]]),
    "symmetric": (lambda a: np.pad(a, 1, "symmetric"), [V], [1, 2, 3, 4, 5], [[3, 3, 9]]),
    "wrap": (lambda a: np.pad(a, 1, "wrap"), [V], [1, 2, 3, 4, 5], [[7, 3, 5]]),
    "mean": (lambda a: np.pad(a, (0, 1), "mean"), [V], [1, 2, 3, 6], [[3, 4, 5]]),
    "maximum": (lambda a: np.pad(a, (1, 0), "maximum", stat_length=2), [V], [1, 2, 3, 4], [[2, 4, 4]]),
    "linear_ramp": (lambda a: np.pad(a, (2, 0), "linear_ramp"), [V], [1, 2, 3, 4, 5], [[4, 4, 5]]),
    "trim_zeros": (np.trim_zeros, [[0.0, 2.0, 0.0, 3.0, 0.0]], [1, 2, 3], [[0, 1, 2, 3, 0]]),
    "trim_zeros at the front": (lambda a: np.trim_zeros(a, "f"), [[0.0, 2.0, 0.0]], [1, 2], [[0, 1, 2]]),
    "trim_zeros of zeros": (np.trim_zeros, [[0.0, 0.0]], [], [[0, 0]]),
    "windows": (lambda a: sliding_window_view(a, 2), [V], [[1, 2], [3, 4]], [[1, 5, 4]]),
}


@pytest.mark.parametrize("name", CASES)
def test_gradient(name: str) -> None:
    function, xs, seed, expected = CASES[name]
    for got, right in zip(gradients(function, xs, seed), expected, strict=True):
        np.testing.assert_array_equal(got, right)


def test_logarithmic_spacing() -> None:
    """The middle of a and b is their geometric mean: its slopes are sqrt(b / a) / 2 and sqrt(a / b) / 2."""

    def middle(a: Any, b: Any) -> Any:
        return np.geomspace(a, b, 3)[1]

    np.testing.assert_allclose(gradients(middle, [1.0, 4.0], 1.0), [1.0, 0.25])
    np.testing.assert_allclose(gradients(middle, [-1.0, -4.0], 1.0), [1.0, 0.25])
    np.testing.assert_allclose(
        gradients(lambda e, b: np.logspace(0, e, 2, base=b)[1], [3.0, 2.0], 1.0), [8 * np.log(2), 12]
    )


@pytest.mark.parametrize("function", [np.linspace, np.geomspace, np.logspace])
def test_spacing_in_single_precision(function: Any) -> None:
    ends = np.float32(1), np.float32(2)
    plain = function(*ends, 3, dtype=np.float32)
    spaced = function(*(Tensor(end, requires_grad=True) for end in ends), 3, dtype=np.float32)
    assert spaced.dtype == plain.dtype
    np.testing.assert_allclose(spaced.data, plain, rtol=1e-6)
    assert function(Tensor(1.0, requires_grad=True), 8.5, 3, dtype=int).node is None


def test_what_numpy_does_not_ask_a_tensor() -> None:
    """`numpy.full` turns its value into an array without asking; like= makes it ask."""
    value = Tensor(3.0, requires_grad=True)
    with pytest.raises(NotDifferentiableError, match="requires grad, to an array would lose the graph"):
        np.full(2, value)
    assert np.full(2, value, like=value).node is not None
    assert np.full_like(Tensor([1, 2]), 1.5).dtype == int


def test_windows_of_two_axes_give_a_convolution() -> None:
    image, kernel = Tensor(np.ones((3, 4)), requires_grad=True), np.array([[1.0, 2.0], [3.0, 4.0]])
    (sliding_window_view(image, (2, 2)) * kernel).sum().backward()
    np.testing.assert_array_equal(image.grad, [[1, 3, 3, 2], [4, 10, 10, 6], [3, 7, 7, 4]])


MATRIX = Tensor(np.ones((2, 3)), requires_grad=True)
EMPTY = Tensor(np.ones((0, 3)), requires_grad=True)
ERRORS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "pad_width": (
        lambda: np.pad(MATRIX, ((1, 2), (3, 4), (5, 6))),
        ShapeError,
        "pad() of an array of 2 dimensions: pad_width must be a number, (before, after), or such a pair for each axis, "
        "not ((1, 2), (3, 4), (5, 6))",
    ),
    "negative pad_width": (
        lambda: np.pad(MATRIX, (1, -2)),
        ShapeError,
        "pad(): pad_width must not be negative, got (1, -2)",
    ),
    "mode": (
        lambda: np.pad(MATRIX, 1, "reflect", reflect_type="odd"),
        NotDifferentiableError,
        "pad() of a Tensor takes no mode='reflect' with reflect_type='odd'; compose it of np.flip and np.concatenate, "
        "or pad t.detach().numpy()",
    ),
    "empty": (
        lambda: np.pad(EMPTY, 1, "edge"),
        ShapeError,
        "pad() of an array of shape (0, 3): mode='edge' needs elements; use mode='constant'",
    ),
    "meshgrid": (
        lambda: np.meshgrid(MATRIX[0], indexing="yx"),
        ShapeError,
        "meshgrid(): indexing must be 'xy' or 'ij', not 'yx'",
    ),
    "geomspace": (
        lambda: np.geomspace(MATRIX, 0),
        ShapeError,
        "geomspace(): a geometric sequence cannot include zero; use np.linspace",
    ),
    "vander": (
        lambda: np.vander(MATRIX),
        ShapeError,
        "vander() of an array of shape (2, 3): it takes one dimension; use np.ravel",
    ),
    "trim_zeros": (
        lambda: np.trim_zeros(MATRIX, "left"),
        ShapeError,
        "trim_zeros(): trim must be 'f', 'b' or 'fb', not 'left'",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    function, kind, message = ERRORS[name]
    with pytest.raises(kind) as caught:
        function()
    assert str(caught.value) == message


def test_trimming_along_an_axis_that_is_not_there() -> None:
    with pytest.raises(np.exceptions.AxisError, match="axis 7 is out of bounds for array of dimension 2"):
        np.trim_zeros(Tensor(np.ones((2, 3))), axis=7)
