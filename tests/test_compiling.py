"""Compiled functions: for which arguments, with what around them, and what they refuse."""

# ruff: noqa: E731 - a formula reads best as a formula

from __future__ import annotations

import copy
import pickle
import re
import warnings
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import nn
from autograd import (
    AnomalyError,
    CompileError,
    DtypeError,
    ShapeError,
    Tensor,
    checkpoint,
    compiled,
    detect_anomaly,
    differentiable,
    elementwise_grad,
    flat,
    grad,
    hessian,
    hvp,
    is_compiling,
    jacobian,
    jvp,
    linearize,
    no_grad,
    value_and_grad,
    vjp,
)

x3 = np.array([1.0, 2.0, 3.0])


def equal(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


def raises(kind: type[Exception], message: str) -> Any:
    return pytest.raises(kind, match=f"^{re.escape(message)}$")


# What is outside


def test_what_is_computed_of_an_outer_tensor_is_computed_anew() -> None:
    w = Tensor(x3, requires_grad=True)
    program = compiled(lambda x: x * np.exp(w))
    for _ in range(3):
        with no_grad():
            equal(program(x3), x3 * np.exp(w.data))
            w -= 1.0


def test_normalization_in_evaluation_reads_its_statistics() -> None:
    layer = nn.BatchNorm1d(3, dtype=float).eval()
    program, x = compiled(layer), np.arange(6.0).reshape(2, 3)
    for _ in range(3):
        with no_grad():
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
        with no_grad():
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


def test_a_copy_that_a_flat_function_keeps_stays() -> None:
    seen: list[Any] = []
    keep = flat(lambda h: seen.append(h.copy()))

    def f(x: Any) -> Any:
        h = x * 2.0
        keep(h)
        return np.tanh(h + 1.0)

    program = compiled(f)
    for k in range(4):
        program(x3 + k)
    equal(seen, [2 * (x3 + k) for k in range(4)])


# out=


SHARED = (
    "that shares memory with an argument, with another array of out, or with one that the function reads, which would "
    "be overwritten while it is read; give another"
)


@pytest.mark.parametrize("view", [slice(None), slice(None, None, -1), slice(1, None)])
def test_out_may_not_be_an_argument(view: slice) -> None:
    memory = np.arange(5.0)
    x, into = memory[view], np.broadcast_to(memory, (2, 5))[0, view]
    program = compiled(lambda x, y: (x + 1.0, y * 2.0), out=(None, into))
    with raises(
        ShapeError,
        f"compiled(): out has an array of shape {x.shape} {SHARED}",
    ):
        program(x, x)
    assert not program.programs
    equal(memory, np.arange(5.0))


def test_out_may_not_be_an_array_of_the_outside() -> None:
    outside = np.ones(3)
    program = compiled(lambda x: np.exp(np.sin(x) * 2) + outside, out=outside)
    with raises(ShapeError, f"compiled(): out has an array of shape (3,) {SHARED}"):
        program(x3)
    equal(outside, np.ones(3))


STRUCTURES: list[tuple[Any, Any, str]] = [
    ((x3,), "(array([1., 2., 3.]),)", "(*, *)"),
    (x3, "array(float64 (3,))", "(*, *)"),
    ({"a": x3}, "{'a': array([1., 2., 3.])}", "(*, *)"),
    (5, "5", "(*, *)"),
    ((5, None), "5", "*"),
]


@pytest.mark.parametrize(("out", "described", "structure"), STRUCTURES, ids=lambda part: str(part))
def test_out_of_another_structure(out: Any, described: str, structure: str) -> None:
    message = f"compiled(): out is {described}, which is not of the structure of the result, {structure}"
    program = compiled(lambda x: (x * 2.0, x * 3.0), out=out)
    for _ in range(2):
        with raises(ShapeError, message):
            program(x3)


def test_out_of_other_keys() -> None:
    with raises(ShapeError, "compiled(): out has the keys ['b'], and the result ['a']; they must be equal"):
        compiled(lambda x: {"a": x * 2.0}, out={"b": np.zeros(3)})(x3)
    with raises(
        ShapeError,
        "compiled(): out is {'a': array([1., 2., 3.]), 'c': None}, which is not of the structure of the result, "
        "{'a': *}",
    ):
        compiled(lambda x: {"a": x * 2.0}, out={"a": x3, "c": None})(x3)


@pytest.mark.parametrize("array", [np.zeros(4), np.zeros((3, 1)), np.zeros(3, np.float32), np.zeros(())], ids=repr)
def test_out_of_another_shape_or_dtype(array: Any) -> None:
    with raises(
        ShapeError,
        f"compiled(): out has an array of shape {array.shape} and dtype {array.dtype} for a result of shape (3,) and "
        "dtype float64; they must be equal",
    ):
        compiled(lambda x: (x, x * 2.0), out=(None, array))(x3)


def test_out_has_what_is_returned() -> None:
    class Pair(NamedTuple):
        first: Any
        second: Any

    f = lambda x: {"b": [x, np.sum(x)], "a": Pair(x + 1, np.sum(x) * np.ones((2, 3)))}
    total, columns = np.zeros(()), np.zeros((3, 2)).T
    out = {"a": Pair(None, columns), "b": [None, total]}
    program = compiled(f, out=out)
    for k in range(4):
        result, expected = program(x3 + k), f(x3 + k)
        assert result["b"][1] is total
        assert result["a"].second is columns
        assert [*result] == ["b", "a"]
        assert type(result["a"]) is Pair
        equal(result["b"][0], expected["b"][0])
        equal(total, expected["b"][1])
        equal(result["a"].first, expected["a"].first)
        equal(columns, expected["a"].second)


def test_out_for_what_is_returned_twice_and_for_what_was_given() -> None:
    one, two, given, constant = (np.zeros(3) for _ in range(4))

    def f(x: Any) -> Any:
        y = x * 2.0
        return y, y, x, np.ones(3), y[::-1]

    program = compiled(f, out=(one, two, given, constant, None))
    for k in range(3):
        x = x3 + k
        result = program(x)
        for part, expected in zip(result, f(x), strict=True):
            equal(part, expected)
        assert [part is array for part, array in zip(result, (one, two, given, constant))] == [True] * 4
        for array in one, two, given, constant:
            array.fill(-1.0)  # whoever has it may write to it


def test_out_may_not_share_memory_with_state_or_what_is_outside_or_itself() -> None:
    """Parts would be overwritten while they are read."""
    w, outer = np.arange(3.0), Tensor(x3)
    f = lambda w, x: (w[::-1] + x + outer, w * x)
    for program in (
        compiled(f, out=(w, None), state=(w,)),
        compiled(f, out=(w, w), state=(x3,)),
        compiled(f, out=(None, outer.data), state=(w,)),
    ):
        with raises(ShapeError, f"compiled(): out has an array of shape (3,) {SHARED}"):
            program(x3 + 1)
    equal(w, np.arange(3.0))
    equal(outer.data, x3)


def test_out_is_written_to_where_the_function_itself_is_called() -> None:
    room = np.zeros(3)
    program = compiled(value_and_grad(lambda x: np.sum(x**3)), out=(None, room))
    program(x3)
    with detect_anomaly():
        value, gradient = program(x3 + 1)
    assert gradient is room
    equal(value, 99.0)
    equal(room, 3 * (x3 + 1) ** 2)
    t = Tensor(x3, requires_grad=True)
    value, gradient = program(t)
    equal(room, 3 * x3**2)
    np.sum(gradient).backward()
    equal(t.grad, 6 * x3)
    program(x3 + 1)
    equal(gradient.data, 3 * x3**2)


def test_state_is_always_given() -> None:
    w = np.ones(3)
    f = lambda w, x, *, k=1: (w * x * k, w)
    program = compiled(f, state=[w])
    for k in range(4):
        w += 1.0
        product, same = program(x3, k=k)
        equal(product, f(w, x3, k=k)[0])
        equal(same, w)
        assert not np.shares_memory(same, w)
    with detect_anomaly():
        equal(program(x3, k=2)[0], 2 * w * x3)


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


# What a function may not look at

W = Tensor(x3, requires_grad=True)
UNKNOWN = (
    "is needed while the function is compiled, when only shapes and dtypes are known; use np.where in place of if, and "
    "keep float(), bool(), item(), .data and np.asarray() out of compiled functions"
)
SHAPELESS = (
    "gives an array whose shape depends on values, which are not known while a function is compiled; use np.where, or "
    "a weight for each element"
)
OUTER = (
    "Tensor(float64 (3,)) was there before, and a compiled function cannot assign into it; let the function return the "
    "new value, and assign it outside"
)
LOOKS: dict[str, tuple[Any, str]] = {
    "if": (lambda x: x if x[0] > 0 else -x, f"the value of Tensor(bool ()) {UNKNOWN}"),
    "and": (lambda x: np.all(x > 0) and x, f"the value of Tensor(bool ()) {UNKNOWN}"),
    "in": (lambda x: 1.0 in x, f"the value of Tensor(float64 (3,)) {UNKNOWN}"),
    "max": (max, f"the value of Tensor(bool ()) {UNKNOWN}"),
    "float": (lambda x: float(x[0]), f"the value of Tensor(float64 ()) {UNKNOWN}"),
    "int": (lambda x: int(np.argmax(x)), f"the value of Tensor(int64 ()) {UNKNOWN}"),
    "list": (lambda x: [1, 2, 3][np.argmax(x)], f"the value of Tensor(int64 ()) {UNKNOWN}"),
    "range": (lambda x: range(np.argmax(x)), f"the value of Tensor(int64 ()) {UNKNOWN}"),
    "round": (lambda x: round(x[0]), f"the value of Tensor(float64 ()) {UNKNOWN}"),
    "format": (lambda x: f"{x[0]:.2f}", f"the value of Tensor(float64 ()) {UNKNOWN}"),
    "item": (lambda x: x.item(0), f"the value of Tensor(float64 (3,)) {UNKNOWN}"),
    "tolist": (lambda x: x.tolist(), f"the value of Tensor(float64 (3,)) {UNKNOWN}"),
    "data": (lambda x: (2 * x).data, f"the value of Tensor(float64 (3,)) {UNKNOWN}"),
    "numpy": (lambda x: x.detach().numpy(), f"the value of Tensor(float64 (3,)) {UNKNOWN}"),
    "asarray": (np.asarray, f"the value of Tensor(float64 (3,)) {UNKNOWN}"),
    "Tensor": (Tensor, f"the value of Tensor(float64 (3,)) {UNKNOWN}"),
    "deepcopy": (copy.deepcopy, f"the value of Tensor(float64 (3,)) {UNKNOWN}"),
    "pickle": (pickle.dumps, f"the value of Tensor(float64 (3,)) {UNKNOWN}"),
    "allclose": (lambda x: np.allclose(x, 0), f"the value of allclose() {UNKNOWN}"),
    "array_equal": (lambda x: np.array_equal(x, x3), f"the value of array_equal() {UNKNOWN}"),
    "mask": (lambda x: x[x > 0], f"indexing by a mask, or a slice with computed ends, {SHAPELESS}"),
    "slice": (lambda x: x[: np.argmax(x)], f"indexing by a mask, or a slice with computed ends, {SHAPELESS}"),
    "nonzero": (np.nonzero, f"nonzero {SHAPELESS}"),
    "flatnonzero": (np.flatnonzero, f"flatnonzero {SHAPELESS}"),
    "where": (lambda x: np.where(x > 0), f"nonzero {SHAPELESS}"),
    "unique": (np.unique, f"unique {SHAPELESS}"),
    "compress": (lambda x: np.compress(x > 0, x), f"compress {SHAPELESS}"),
    "backward": (
        lambda x: np.sum(x * W).backward(),
        "backward() fills the grad of tensors, which a compiled function cannot do; use value_and_grad in it, and let "
        "it return the gradients",
    ),
    "leaf": (lambda x: W.__setitem__(0, x[0]), OUTER),
    "leaf, in place": (lambda x: W.__iadd__(x), OUTER),
}


@pytest.mark.parametrize("name", [*LOOKS])
def test_values_that_are_looked_at(name: str) -> None:
    look, message = LOOKS[name]
    program = compiled(lambda x, looks: (look(x), x * 2.0)[1] if looks else x * 3.0)
    for k in range(3):
        with raises(CompileError, message):
            program(x3 + k, True)
        assert len(program.programs) == bool(k)
        assert not is_compiling()
        t = Tensor(x3, requires_grad=True)
        np.sum(t * t).backward()
        equal(t.grad, 2 * x3)
        equal(program(x3 + k, False), 3 * (x3 + k))
    equal(W.data, x3)


def test_what_is_no_value_of_the_program_may_be_looked_at() -> None:
    w = Tensor(x3)

    def f(x: Any, k: Any) -> Any:
        a = np.arange(3.0) + k
        return x * float(a[0]) * len(x) * w.data[1] * (2 if x.ndim == 1 else 3) * x.shape[0] * x.dtype.itemsize

    program = compiled(f)
    for k in range(3):
        equal(program(x3, k), f(x3, k))


class Holder:
    """Has a value that a program would not make anew."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Holder()"


def test_results_that_are_no_trees_of_arrays() -> None:
    message = "which a program cannot make anew; let it return arrays and numbers, in tuples, lists and dicts"
    for program in compiled(lambda x: (x, Holder(x * 2))), compiled(lambda x: [{"k": Holder(x)}]):
        for _ in range(2):
            with raises(CompileError, f"compiled(): the function returned Holder(), {message}"):
                program(x3)
        assert not program.programs
    with pytest.raises(CompileError, match=re.escape(message)):
        compiled(lambda x: vjp(np.tanh, x))(x3)
    holder = Holder(1)
    program = compiled(lambda x, given: (x * 2, given))
    for _ in range(2):
        assert program(x3, holder)[1] is holder


@pytest.mark.parametrize("value", [3.0, Tensor(3.0), np.float64(3)], ids=repr)
def test_state_that_is_no_array(value: Any) -> None:
    name = type(value).__name__
    with raises(TypeError, f"compiled(): state holds a {name}; give arrays (numpy.ndarray), whose values may change"):
        compiled(lambda w, x: w * x, state=(value,))


def test_errors_of_the_function_itself() -> None:
    def f(x: Any, y: Any) -> Any:
        return np.sum(x @ y)

    program = compiled(grad(f))
    program(x3, x3)
    with pytest.raises(ValueError, match="matmul"):
        program(x3, np.ones(4))
    assert len(program.programs) == 1
    assert not is_compiling()
    equal(program(x3, x3 + 1), x3 + 1)


def test_is_compiling() -> None:
    seen: list[bool] = []

    def f(x: Any) -> Any:
        seen.append(is_compiling())
        return x * 2.0

    program = compiled(f)
    for _ in range(3):
        program(x3)
    f(x3)
    program(Tensor(x3, requires_grad=True))
    assert seen == [True, False, False]
    assert not is_compiling()


# For which arguments


class Point(NamedTuple):
    x: Any
    y: Any


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x,
        lambda x: x.astype(np.float32),
        lambda x: x.astype(np.int8),
        lambda x: x > 0,
        lambda x: np.asfortranarray(x),
        lambda x: x.T,
        lambda x: x[::2, ::-1],
        lambda x: x[:0],
        lambda x: x[0],
        lambda x: x[0, 0],
        lambda x: np.asarray(x[0, 0]),
        lambda x: np.float32(x[0, 0]),
        lambda x: np.broadcast_to(x[0], (3, 4)),
        lambda x: Tensor(x),
    ],
)
def test_kinds_of_arrays(make: Any) -> None:
    """Shape, dtype and layout are those that a program was made for; the values are those of the call."""
    f = lambda x: (x * 2, np.sum(x), np.transpose(x), np.where(x > 0, x, 1), np.tanh(x), x[...])
    program, rng = compiled(f), np.random.default_rng(0)
    for _ in range(4):
        x = make(rng.normal(size=(4, 4)))
        for got, expected in zip(program(x), f(x), strict=True):
            expected = expected.numpy() if isinstance(expected, Tensor) else np.asarray(expected)
            assert (np.shape(got), got.dtype) == (expected.shape, expected.dtype)
            assert not isinstance(got, np.ndarray) or not np.shares_memory(got, x.data)
            np.testing.assert_allclose(got, expected, rtol=1e-6)
    assert len(program.programs) == 1


def test_other_shapes_and_dtypes_have_programs_of_their_own() -> None:
    program = compiled(lambda x: x * 2)
    kinds = [x3, x3.astype(np.float32), x3[:2], np.float64(1), np.ones((3, 1)), np.ones((2, 2)), np.ones((2, 2)).T]
    for _ in range(3):
        for x in kinds:
            equal(program(x), 2 * x)
    assert len(program.programs) == len(kinds)


@pytest.mark.parametrize("fresh", [lambda x: pickle.loads(pickle.dumps(x)), lambda x: x.astype(">f8")])
def test_dtypes_that_are_equal_are_one(fresh: Any) -> None:
    """Though they may be other objects: those of pickled arrays are."""
    runs: list[Any] = []
    program = compiled(lambda x: (runs.append(x), x * 2)[1])
    assert fresh(x3).dtype is not fresh(x3).dtype or fresh(x3).dtype is not x3.dtype
    for k in range(4):
        equal(program(fresh(x3 + k)), 2 * (x3 + k))
    assert len(runs) == 1


def test_trees_in_and_out() -> None:
    def f(tree: Any, *rest: Any, scale: Any = 1.0, **more: Any) -> Any:
        a, b = tree["a"], tree["b"]
        return [Point(a.x * scale, None), {"b": (b[0] + a.y, b[1]), 3: more.get("c")}, rest, (), [], {}]

    program = compiled(f)
    for k in range(3):
        tree = {"a": Point(x3 + k, np.float64(k)), "b": [x3 * k, None]}
        result = program(tree, x3, "word", scale=x3, c=np.int64(k))
        expected = f(tree, x3, "word", scale=x3, c=np.int64(k))
        assert type(result[0]) is Point
        assert result[0].y is None
        assert [*result[1]] == ["b", 3]
        assert result[2][1:] == ("word",)
        assert result[3:] == [(), [], {}]
        equal(result[0].x, expected[0].x)
        equal(result[1]["b"][0], expected[1]["b"][0])
        assert result[1][3] == k
    assert len(program.programs) == 1


def test_arguments_that_are_no_arrays_are_fixed() -> None:
    runs: list[Any] = []

    def f(x: Any, *options: Any, **named: Any) -> Any:
        runs.append((options, named))
        return x * len(runs)

    program = compiled(f)
    options: list[Any] = [1, 1.0, True, 2, "a", b"a", None, 0.0, -0.0, (1, 2), [1, 2], 3j, np.add, float, {"k": 1}]
    for k, option in enumerate(options, 1):
        equal(program(x3, option), k * x3)
    for k, option in enumerate(options, 1):
        equal(program(x3, option), k * x3)
    equal(program(x3, option=1), (len(options) + 1) * x3)
    equal(program(x3, option=1), (len(options) + 1) * x3)
    assert len(program.programs) == len(options) + 1


def test_no_more_than_64_programs_are_kept() -> None:
    program = compiled(lambda x, k: x * k)
    for k in range(70):
        equal(program(x3, k), k * x3)
    assert len(program.programs) == 64
    for k in range(70):
        equal(program(x3, k), k * x3)


def test_the_same_array_twice() -> None:
    """As it may be next time, so they are two arguments also now."""
    f = lambda x, y: (x * 2.0 + y, grad(lambda x: np.sum(x * y))(x), x, y)
    program = compiled(f)
    for pair in (x3, x3), (x3, x3 + 1), (x3 + 1, x3), (x3, x3):
        result = program(*pair)
        equal(result, f(*pair))
        assert not np.shares_memory(result[2], result[3])


def test_arguments_that_overlap() -> None:
    memory = np.arange(10.0)
    f = lambda x, y: (x * 2.0 + y, np.cumsum(x) * y)
    program = compiled(f)
    for k in range(4):
        pair = memory[k : k + 3], memory[3:6]
        equal(program(*pair), f(*pair))
    equal(memory, np.arange(10.0))


def test_results_of_a_call_as_arguments_of_the_next() -> None:
    f = lambda x, v: (x + 0.1 * v, v - 0.1 * x)
    program = compiled(f)
    state = expected = x3, x3[::-1].copy()
    for _ in range(20):
        state, expected = program(*state), f(*expected)
        equal(state, expected)


def test_tensors_as_arguments() -> None:
    program = compiled(lambda x: x * x)
    for k in range(3):
        result = program(Tensor(x3 + k))
        assert isinstance(result, np.ndarray)
        equal(result, (x3 + k) ** 2)
    t = Tensor(x3, requires_grad=True)
    for _ in range(2):
        np.sum(program(t)).backward()
    equal(t.grad, 4 * x3)
    assert len(program.programs) == 1


def test_arrays_that_tensors_cannot_hold() -> None:
    program = compiled(lambda x: x * 2)
    with raises(
        DtypeError,
        "complex numbers are not supported yet (got dtype complex128); use the real and imaginary parts",
    ):
        program(x3 * 1j)
    assert not is_compiling()
    assert not program.programs


def test_outer_arrays_are_read_where_they_meet_traced_values() -> None:
    outer = np.arange(3.0)
    program = compiled(lambda x: (x * outer, outer))
    for _ in range(3):
        product, same = program(x3)
        equal(product, x3 * outer)
        equal(same, outer)
        assert not np.shares_memory(same, outer)
        outer += 1.0


# Functions with their objects


def test_methods() -> None:
    class Model:
        def __init__(self, scale: float) -> None:
            self.scale = scale

        @compiled
        def loss(self, x: Any, power: int = 2) -> Any:
            "The loss."
            return np.sum((self.scale * x) ** power)

    one, two = Model(1.0), Model(2.0)
    for k in range(3):
        equal(one.loss(x3 + k), np.sum((x3 + k) ** 2))
        equal(two.loss(x3 + k), np.sum((2 * x3 + 2 * k) ** 2))
        equal(Model.loss(two, x3, power=1), 12.0)
    assert one.loss.__doc__ == "The loss."
    assert Model.loss.__name__ == "loss"  # type: ignore[attr-defined]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))])
def test_copies(duplicate: Any) -> None:
    """They have programs of their own."""
    program = compiled(np.tanh, out=np.zeros(3))
    program(x3)
    twin = duplicate(program)
    assert not twin.programs
    for k in range(3):
        equal(twin(x3 + k), np.tanh(x3 + k))
        equal(program(x3), np.tanh(x3))
    assert twin.f is np.tanh


def test_a_copy_of_state_goes_with_the_copy() -> None:
    w = np.ones(3)
    program = compiled(np.multiply, state=(w,))
    program(x3)
    twin = copy.deepcopy(program)
    w += 1.0
    equal(program(x3), 2 * x3)
    equal(twin(x3), x3)


# At the same time


def test_threads() -> None:
    f = value_and_grad(lambda x, y: np.sum(np.tanh(x @ y) ** 2))
    program = compiled(f)
    rng = np.random.default_rng(0)
    cases = [(x, y, f(x, y)) for x, y in rng.normal(size=(20, 2, 4, 4))]
    program(*cases[0][:2])

    def work(start: int) -> int:
        for k in range(60):
            x, y, (value, gradient) = cases[(start + k) % len(cases)]
            result = program(x, y)
            equal(result[0], value)
            equal(result[1], gradient)
        return start

    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(work, range(4))] == [0, 1, 2, 3]
    assert len(program.programs) == 1


def test_a_program_that_is_running_is_called() -> None:
    """Its buffers are in use: the function itself is called."""
    inner: list[Any] = []

    @flat
    def again(x: Any) -> None:
        if x[0] > 0:
            inner.append(program(x - 1.0))

    def f(x: Any) -> Any:
        y = x * 2.0
        again(x)
        return y + 1.0

    program = compiled(f)
    program(np.zeros(3))
    for k in range(1, 4):
        inner.clear()
        equal(program(np.full(3, float(k))), np.full(3, 2.0 * k + 1))
        equal([np.asarray(getattr(part, "data", part))[0] for part in inner], [2.0 * j + 1 for j in range(k)])


def test_effects_that_raise() -> None:
    @flat
    def positive(x: Any) -> None:
        if x[0] < 0:
            raise ValueError("negative")

    def f(x: Any) -> Any:
        positive(x)
        return np.sum(x * x)

    program = compiled(grad(f))
    with raises(ValueError, "negative"):
        program(-x3)
    assert not program.programs
    for k in range(3):
        equal(program(x3 + k), 2 * (x3 + k))
        with raises(ValueError, "negative"):
            program(-x3)
        assert not is_compiling()
    assert len(program.programs) == 1


def test_effects_stay_and_keep_their_order() -> None:
    seen: list[Any] = []
    note = flat(lambda name, x: seen.append((name, float(np.sum(x)))))

    def f(x: Any) -> Any:
        note("first", x)
        note("second", x * 2.0)
        note("first", x)
        return x + 1.0

    program = compiled(f)
    for k in range(3):
        seen.clear()
        program(x3 + k)
        total = float(np.sum(x3 + k))
        assert seen == [("first", total), ("second", 2 * total), ("first", total)]


def test_random_numbers_in_a_loop() -> None:
    """The generator stands where it stands without compiling."""
    draws = np.random.default_rng(0), np.random.default_rng(0)
    noise = flat(lambda shape, rng: rng.normal(size=shape))

    def f(x: Any, rng: Any) -> Any:
        for _ in range(3):
            x = np.tanh(x + noise(x.shape, rng))
        return np.sum(x)

    program = compiled(value_and_grad(f))
    for k in range(4):
        value, gradient = program(x3 + k, draws[0])
        expected = value_and_grad(f)(x3 + k, draws[1])
        equal(value, expected[0])
        equal(gradient, expected[1])
    assert draws[0].bit_generator.state == draws[1].bit_generator.state


def test_detect_anomaly_sees_the_function_itself() -> None:
    program = compiled(grad(lambda x: np.sum(np.sqrt(x))))
    program(x3)
    with np.errstate(divide="ignore"), pytest.raises(AnomalyError, match="sqrt"), detect_anomaly():
        program(np.zeros(3))
    equal(program(x3), 0.5 / np.sqrt(x3))
    assert len(program.programs) == 1


def test_no_grad_inside_and_around() -> None:
    def f(x: Any) -> Any:
        with no_grad():
            weight = np.exp(x)
        return np.sum(weight * x)

    program = compiled(grad(f))
    for k in range(3):
        equal(program(x3 + k), np.exp(x3 + k))
    with no_grad():
        equal(compiled(lambda x: x * 2)(x3), 2 * x3)


DERIVATIVES: dict[str, Any] = {
    "grad of grad": lambda x: grad(lambda x: np.sum(grad(lambda x: np.sum(x**4))(x)))(x),
    "elementwise_grad": elementwise_grad(elementwise_grad(np.tanh)),
    "jacobian": jacobian(lambda x: np.cumsum(x) * x),
    "jacobian, forward": jacobian(lambda x: np.cumsum(x) * x, mode="forward"),
    "hessian": hessian(lambda x: np.prod(np.sin(x))),
    "hvp": lambda x: hvp(lambda x: np.prod(np.sin(x)), x, x + 1),
    "jvp": lambda x: jvp(np.tanh, (x,), (x * x,)),
    "vjp": lambda x: vjp(lambda x: x * x[0], x)[1](np.exp(x)),
    "linearize": lambda x: linearize(np.tanh, x)[1](x + 1),
    "checkpoint": grad(checkpoint(lambda x: np.sum(np.tanh(x) * x))),
    "assignment": grad(lambda x: np.sum(assigned(x) ** 2)),
}


def assigned(x: Any) -> Any:
    y = x * 2.0
    for k in range(3):
        y[k] = y[k - 1] * x[k]
        y += 0.5 * y
    return y


@pytest.mark.parametrize("name", [*DERIVATIVES])
def test_transforms_inside(name: str) -> None:
    f = DERIVATIVES[name]
    program = compiled(f)
    for k in range(3):
        x = x3 + 0.3 * k
        for got, expected in zip(as_tuple(program(x)), as_tuple(f(x)), strict=True):
            equal(got, expected)


def as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def test_a_result_that_depends_on_an_outer_tensor_that_requires_grad_is_recorded() -> None:
    w, v = Tensor(np.eye(2), requires_grad=True), Tensor([1.0, 2.0], requires_grad=True)
    runs = []

    def encode(x: Any) -> Any:
        runs.append(x)
        return np.tanh(x @ w)

    program, x = compiled(encode), np.ones((3, 2))
    for _ in range(3):
        loss = np.mean((program(x) @ v) ** 2)
        loss.backward()
        expected = grad(lambda w: np.mean((np.tanh(x @ w) @ v.data) ** 2))(w.data)
        np.testing.assert_allclose(w.grad, expected, rtol=1e-15)
        w.grad = None
    assert len(runs) == 3
    with no_grad():
        assert all(type(program(x)) is np.ndarray for _ in range(3))
    assert len(runs) == 4
    assert program(x).requires_grad
    with no_grad():
        assert type(program(x)) is np.ndarray
    assert len(runs) == 5
    assert len(program.programs) == 1


def test_a_program_is_good_for_recording_and_for_no_grad() -> None:
    runs = []

    def f(x: Any) -> Any:
        runs.append(x)
        return x * outer

    outer = Tensor(x3)
    program = compiled(f)
    for _ in range(2):
        equal(program(x3), x3 * x3)
        with no_grad():
            equal(program(x3), x3 * x3)
    assert len(runs) == len(program.programs) == 1


def test_an_outer_tensor_that_begins_to_require_grad() -> None:
    w = Tensor(x3)
    program = compiled(lambda x: x * w)
    assert [type(program(x3)) for _ in range(2)] == [np.ndarray, np.ndarray]
    w.requires_grad = True
    for _ in range(2):
        program(x3).sum().backward()
        equal(w.grad, x3)
        w.grad = None


def test_programs_within_a_function_that_is_differentiated() -> None:
    assert grad(lambda x: compiled(lambda y: y * x)(np.float64(2.0)) * x)(3.0) == 12.0
    assert grad(lambda w: compiled(lambda: w * w)())(3.0) == 6.0
    assert jvp(lambda x: compiled(lambda y: y * x)(2.0) * x, (3.0,), (1.0,)) == (18.0, 12.0)


def test_the_function_itself_is_given_what_it_is_given_when_traced() -> None:
    program = compiled(lambda x: (x * 2).relu())
    with detect_anomaly():
        equal(program(x3), 2 * x3)
        assert type(program(x3)) is np.ndarray
    equal(program(x3), 2 * x3)
    (made,) = program.programs.values()
    with made.lock:  # as while another thread runs it
        equal(program(x3), 2 * x3)
        assert type(program(x3)) is np.ndarray


def test_files_that_are_mapped_into_memory_are_arrays(tmp_path: Path) -> None:
    mapped = np.memmap(tmp_path / "x", float, "w+", shape=(3,))
    runs = []

    def f(x: Any) -> Any:
        runs.append(x)
        return x * 2

    program = compiled(f)
    for k in range(3):
        mapped[:] = k
        equal(program(mapped), np.full(3, 2.0 * k))
    assert len(runs) == 1
