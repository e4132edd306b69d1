"""Compiled functions: for which arguments, with what around them, and what they refuse."""

# ruff: noqa: E731 - a formula reads best as a formula

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import nn
from autograd import CompileError, ShapeError, Tensor, checkpoint, compiled, differentiable, flat, grad, no_grad

x3 = np.array([1.0, 2.0, 3.0])


def equal(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


# What is outside


def test_what_is_computed_of_an_outer_tensor_is_computed_anew() -> None:
    w = Tensor(x3, requires_grad=True)
    program = compiled(lambda x: x * np.exp(w))
    for _ in range(3):
        equal(program(x3), x3 * np.exp(w.data))
        with no_grad():
            w -= 1.0


def test_normalization_in_evaluation_reads_its_statistics() -> None:
    layer = nn.BatchNorm1d(3, dtype=float).eval()
    program, x = compiled(layer), np.arange(6.0).reshape(2, 3)
    for _ in range(3):
        equal(program(x), layer(x).numpy())
        layer.running_var *= 4.0
        layer.running_mean += 1.0


@pytest.mark.parametrize(
    "f",
    [
        lambda x, w: np.where(x > w, x, 0.0),
        lambda x, w: x * np.sign(w),
        lambda x, w: x * w.detach(),
        lambda x, w: grad(lambda w: np.sum(w * w * x))(w),
        lambda x, w: x * (w * 2),
        lambda x, w: np.maximum(x, w),
    ],
    ids=["comparison", "sign", "detach", "grad", "computed", "maximum"],
)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_an_outer_tensor_with_other_data(f: Any, requires_grad: bool) -> None:
    w = Tensor(x3[::-1], requires_grad)
    program = compiled(lambda x: f(x, w))
    for k in range(3):
        w.data = x3[::-1] - 2 * k
        result = f(Tensor(x3), w)
        equal(program(x3), result.data if isinstance(result, Tensor) else result)


def test_an_outer_tensor_cannot_be_assigned_into() -> None:
    """Nor would anybody see that later calls do not."""
    outer = Tensor(np.zeros(3))

    def f(x: Any) -> Any:
        outer[0] = x[0]
        return x * 1.0

    with pytest.raises(CompileError):
        compiled(f)(x3)


def test_data_cannot_be_set_inside() -> None:
    def f(x: Any) -> Any:
        y = x * 1.0
        y.data = x * 2.0
        return y * 1.0

    with pytest.raises(CompileError):
        compiled(f)(x3)


# Arguments of all kinds


def test_bool_scalars_as_arguments() -> None:
    f = lambda a, b, x: np.where(a, x, 0) + np.where(b, x, 1)
    program = compiled(f)
    for a, b in (True, True), (True, False), (False, True), (False, False):
        equal(program(np.bool_(a), np.bool_(b), x3), f(a, b, x3))


def test_scalars_come_out_as_from_numpy() -> None:
    program = compiled(lambda x: (x > 0, x * 2, np.sum(x)))
    for value in 1.0, -1.0, 2.0:
        assert [type(part) for part in program(np.float64(value))] == [np.bool_, np.float64, np.float64]


def test_zero_and_minus_zero_are_two_constants() -> None:
    program = compiled(lambda x: (1 / (x * 0.0) + x, 1 / (x * -0.0) + x))
    for _ in range(3):
        with np.errstate(divide="ignore"):
            equal(program(x3)[0], [np.inf] * 3)
            equal(program(x3)[1], [-np.inf] * 3)


def test_slices_of_numpy_numbers() -> None:
    program = compiled(lambda x: x[np.int64(1) :] * 2)
    for _ in range(3):
        equal(program(x3), [4.0, 6.0])


def test_assignment_to_a_slice_that_is_computed() -> None:
    def f(x: Any, i: Any) -> Any:
        y = x * 1.0
        y[i:] = 0.0
        return y

    program = compiled(f)
    for i in 1, 2, 0:
        equal(program(x3, np.int64(i)), np.where(np.arange(3) < i, x3, 0))


def test_kinds_of_dicts() -> None:
    program = compiled(lambda d: d)
    assert type(program({"a": x3})) is dict
    assert type(program(OrderedDict(a=x3))) is OrderedDict
    program = compiled(lambda x, d: x * (1.0 if type(next(iter(d))) is bool else 2.0))
    assert [program(x3, d)[0] for d in ({1: 0}, {True: 0}, {1: 0})] == [2.0, 1.0, 2.0]


# Functions that may do anything


def test_what_is_flat_is_called_anew_also_without_arrays() -> None:
    rng = np.random.default_rng(0)

    @flat
    def noise(shape: Any) -> Any:
        return rng.normal(size=shape)

    program = compiled(lambda x: x + noise(x.shape))
    drawn = [program(np.zeros(3)) for _ in range(3)]
    equal(drawn, np.random.default_rng(0).normal(size=(3, 3)))


def test_what_is_flat_may_give_back_what_it_was_given() -> None:
    """At one time its argument, at another an array of its own."""

    @flat
    def limited(x: Any) -> Any:
        return x if x.max() > 5 else x / x.max()

    def f(x: Any) -> Any:
        h = x * 2.0
        c = limited(h)
        y = x + 1.0
        return c + 0.0 * (y * y), limited(x)

    program = compiled(f)
    for x in x3 / 3, x3 * 3, x3 / 3:
        result = program(x)
        equal(result, f(x))
        assert not np.shares_memory(result[1], x)


def test_a_row_may_give_back_what_it_was_given() -> None:
    @differentiable(adjoint=lambda g: g)
    def same(x: Any) -> Any:
        return x if x[0] > 1.5 else x.copy()

    def f(x: Any) -> Any:
        c = same(x * 2.0)
        y = x + 1.0
        return c + 0.0 * (y * y)

    program = compiled(f)
    for x in x3 / 5, x3 * 3, x3 / 5:
        equal(program(x), 2 * x)


def test_what_is_flat_may_give_back_an_array_of_the_outside() -> None:
    table = np.arange(3.0)

    @flat
    def stored(x: Any) -> Any:
        return table

    def f(x: Any) -> Any:
        h = stored(x)
        h[0] = x[1]
        return h * 1.0

    program = compiled(f)
    for x in x3, 2 * x3, 3 * x3:
        equal(program(x), [x[1], 1.0, 2.0])
    equal(table, [0.0, 1.0, 2.0])


def test_what_a_flat_function_keeps_stays() -> None:
    seen: list[Any] = []
    keep = flat(seen.append)

    def f(x: Any) -> Any:
        h = x * 2.0
        keep(h)
        return np.tanh(h + 1.0)

    program = compiled(f)
    for k in range(4):
        program(x3 + k)
    equal(seen, [2 * (x3 + k) for k in range(4)])


# out=


def test_out_may_be_an_argument() -> None:
    x = x3.copy()
    program = compiled(lambda x: (x * 2.0, x + 1.0), out=(x, None))
    program(x3)
    for _ in range(2):
        before = x.copy()
        twice, more = program(x)
        assert twice is x
        equal(twice, 2 * before)
        equal(more, before + 1)


@pytest.mark.parametrize(
    "out", [(np.zeros(3),), (np.zeros(3),) * 3, np.zeros(3), {"a": np.zeros(3)}, 5, (5, None)], ids=str
)
def test_out_of_another_structure(out: Any) -> None:
    with pytest.raises((ShapeError, TypeError), match="out"):
        compiled(lambda x: (x * 2.0, x * 3.0), out=out)(x3)


@pytest.mark.parametrize("out", [{"b": np.zeros(3)}, {"a": np.zeros(3), "c": None}, np.zeros(3)], ids=str)
def test_out_of_another_structure_than_a_dict(out: Any) -> None:
    with pytest.raises((ShapeError, TypeError), match="out"):
        compiled(lambda x: {"a": x * 2.0}, out=out)(x3)


# Within one another


def test_compiled_of_compiled() -> None:
    inner = compiled(lambda x: x * 2.0)
    inner(x3)
    out = np.zeros(3)
    outer = compiled(inner, out=out)
    for k in range(3):
        assert outer(x3 + k) is out
        equal(out, 2 * (x3 + k))
    assert outer.programs is not inner.programs


def test_compiled_gradient_of_compiled() -> None:
    inner = compiled(lambda x: np.sum(x * x * x))
    inner(x3)
    outer = compiled(grad(inner))
    for x in x3, x3 + 1, x3 + 2:
        equal(outer(x), 3 * x * x)
        equal(inner(x), np.sum(x**3))


def test_checkpoint_inside() -> None:
    f = grad(checkpoint(lambda x: np.sum(np.tanh(x) * x)))
    program = compiled(f)
    for k in range(3):
        equal(program(x3 + k), f(x3 + k))


def test_no_warnings() -> None:
    program = compiled(lambda x: np.divide(1.0, x) + np.log(x))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            program(np.zeros(3))
    with np.errstate(all="raise"):
        program(np.zeros(3))
