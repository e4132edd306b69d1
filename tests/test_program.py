"""Programs: random formulas, compiled, are what they are otherwise, call after call; what a program's text says."""

from __future__ import annotations

import gc
import linecache
import re
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import (
    Tensor,
    batch_norm,
    compiled,
    flat,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    softmax_cross_entropy,
    trees,
    value_and_grad,
)
from autograd.blockwise import aligned
from autograd.rules.indexing import index_set
from autograd.rules.networks import loss_and_exponentials

Array = Any
Function = Callable[..., Any]

# Formulas: each step takes values that were computed before, of shapes that broadcast with one another

N = 3
SQUARE = (N, N)
ORDER = np.array([2, 0, 2])
KEYS = [0, (slice(None), 1), slice(None, None, -1), (slice(None), slice(None, None, -2)), ORDER, (ORDER, ORDER[::-1])]


def square(x: Any) -> Any:
    return np.broadcast_to(x, SQUARE)


def piled(x: Any, y: Any) -> Any:
    """Rows of both."""
    return np.concatenate([square(x), square(y)])[1 : 1 + N]


def fresh(x: Any, y: Any) -> Any:
    """A copy of x to assign into; of y too if x is an array, since NumPy refuses to assign a tensor into an array."""
    return np.copy(square(x)) if isinstance(x, Tensor) else square(x) + 0 * square(y)


def assigned(x: Any, y: Any, key: int) -> Any:
    """A copy of x with a part of y in it, written with an assignment."""
    copy = fresh(x, y)
    copy[KEYS[key]] = square(y)[KEYS[key]]
    return copy


def scaled(x: Any, y: Any) -> Any:
    """x, changed in place more than once."""
    copy = fresh(x, y)
    copy *= 0.5
    copy[0] = y if np.ndim(y) == 0 else square(y)[1]
    copy += square(y)
    return copy


def woven(x: Any, y: Any) -> Any:
    """A row at a time, each of the one before."""
    copy = fresh(x, y)
    for row in range(N):
        copy[row] = copy[row - 1] * 0.5 + square(y)[row]
        copy[:, row] = 0.1
    return copy


def turned(x: Any, y: Any) -> Any:
    """Assignments into views of a copy, in other orders and shapes."""
    line = np.reshape(fresh(x, y).T, -1)
    line[1:4] = square(y)[0]
    back = line[::-1]
    back[0] = 0.5
    table = np.reshape(back, SQUARE).T
    table[1] = square(y)[:, 2]
    return table


def symmetric(x: Any) -> Any:
    """Reads what may lie in the memory that is written to."""
    x = square(x)
    return (x * 1.5) + (x * 1.5).T[::-1]


UNARY: dict[str, Function] = {
    "negative": lambda x: -x,
    "tanh": np.tanh,
    "exp": lambda x: np.exp(np.minimum(x, 1.0)),
    "square": lambda x: x * x,
    "half": lambda x: 0.5 * x,
    "one less": lambda x: x - 1,
    "from one": lambda x: 1.0 - x,
    "inverse": lambda x: 1 / (1 + x * x),
    "sum": lambda x: np.sum(square(x), axis=0),
    "column sums": lambda x: np.sum(square(x), axis=1, keepdims=True),
    "total": np.sum,
    "greatest": lambda x: np.max(square(x), axis=0, keepdims=True),
    "mean": lambda x: np.mean(square(x), axis=-1),
    "transpose": lambda x: np.transpose(x),
    "reshape": lambda x: np.reshape(square(x), (N * N,))[::-1].reshape(SQUARE),
    "ravel": lambda x: np.ravel(np.transpose(square(x))).reshape(SQUARE),
    "row": lambda x: square(x)[0],
    "column": lambda x: square(x)[:, 1:2],
    "element": lambda x: square(x)[1, 2],
    "backwards": lambda x: square(x)[::-1],
    "gather": lambda x: square(x)[ORDER],
    "broadcast": square,
    "symmetric": symmetric,
    "cumsum": lambda x: np.cumsum(square(x), axis=0),
    "sign": np.sign,
}
BINARY: dict[str, Function] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / (2 + y * y),
    "maximum": np.maximum,
    "where": lambda x, y: np.where(x > y, x, 0.5 * y),
    "matmul": lambda x, y: square(x) @ square(y),
    "vectors": lambda x, y: square(x)[0] @ square(y),
    "dot": lambda x, y: square(x)[0] @ square(y)[:, 1],
    "concatenate": piled,
    "stack": lambda x, y: np.stack([square(x), square(y)])[1, ::-1],
    "scaled": scaled,
    "woven": woven,
    "turned": turned,
    "row set": lambda x, y: index_set(square(x), 1, square(y)[0]),
    **{f"assigned {key}": lambda x, y, key=key: assigned(x, y, key) for key in range(len(KEYS))},
}
SHAPES = [(), (N,), (1, N), (N, 1), SQUARE]


class Step(NamedTuple):
    """A function, and which of the values so far it is given."""

    name: str
    operands: tuple[int, ...]


class Formula(NamedTuple):
    """What is computed from which arguments, and what of it is handed back."""

    shapes: tuple[tuple[int, ...], ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    def __call__(self, *args: Any) -> list[Any]:
        values = list(args)
        for name, operands in self.steps:
            values.append((UNARY.get(name) or BINARY[name])(*(values[place] for place in operands)))
        return [values[place] for place in self.outputs]

    def loss(self, *args: Any) -> Any:
        """A scalar to which each output contributes, bent or straight, and the outputs."""
        outputs = self(*args)
        parts = [np.sum(out if place % 2 else np.tanh(out)) * (1 + place) for place, out in enumerate(outputs)]
        return sum(parts, np.sum(args[0])), outputs

    def arguments(self, seed: int) -> list[Array]:
        """Other values for each seed."""
        rng = np.random.default_rng(seed)
        return [np.asarray(rng.uniform(-1, 1, shape)) for shape in self.shapes]


@st.composite
def formulas(draw: Any) -> Formula:
    """Formulas; later values are likelier to be used again, so that they are deep."""
    shapes = tuple(draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3)))
    count = len(shapes)
    steps = []
    for _ in range(draw(st.integers(1, 14))):
        place = st.one_of(st.integers(max(0, count - 3), count - 1), st.integers(0, count - 1))
        if draw(st.booleans()):
            steps.append(Step(draw(st.sampled_from([*UNARY])), (draw(place),)))
        else:
            steps.append(Step(draw(st.sampled_from([*BINARY])), (draw(place), draw(place))))
        count += 1
    outputs = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=4))
    return Formula(shapes, tuple(steps), (*outputs, count - 1))


def close(actual: Any, expected: Any) -> None:
    """Compare trees: their structures, and shapes, dtypes and values of what is in them."""
    (got, structure), (wanted, model) = trees.flatten(actual), trees.flatten(expected)
    assert str(structure) == str(model)
    for one, other in zip(got, wanted, strict=True):
        assert np.shape(one) == np.shape(other)
        assert np.asarray(one).dtype == np.asarray(other).dtype
        scale = np.max(np.abs(other), initial=1.0, where=np.isfinite(other))
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11 * scale)


def apart(parts: list[Any], *others: Any) -> None:
    """Check that no array shares memory with another, or with one of the others."""
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    for place, array in enumerate(arrays):
        for other in [*arrays[:place], *others]:
            assert not np.shares_memory(array, other)


def check(function: Function, formula: Formula, calls: int = 3) -> None:
    """Compare a function and its program for several arguments; check whose memory the results are."""
    program = compiled(function)
    earlier: list[tuple[Any, list[Any], list[Any]]] = []
    for seed in range(calls):
        args = formula.arguments(seed)
        before = [arg.copy() for arg in args]
        with np.errstate(all="ignore"):
            expected = function(*args)
        result = program(*args)
        close(result, expected)
        leaves = trees.flatten(result)[0]
        apart(leaves, *args, *(leaf for _, old, _ in earlier for leaf in old))
        for arg, value in zip(args, before, strict=True):
            np.testing.assert_array_equal(arg, value)
        earlier.append((result, leaves, [np.copy(leaf) for leaf in leaves]))
    for _, leaves, copies in earlier:
        for leaf, copy in zip(leaves, copies, strict=True):
            np.testing.assert_array_equal(leaf, copy)
    assert len(program.programs) == 1


@settings(max_examples=150)
@given(formulas())
def test_a_formula_compiled_is_the_formula(formula: Formula) -> None:
    check(formula, formula)


@settings(max_examples=150)
@given(formulas())
def test_value_and_gradient_compiled(formula: Formula) -> None:
    check(value_and_grad(formula.loss, range(len(formula.shapes)), has_aux=True), formula)


@settings(max_examples=100)
@given(formulas())
def test_forward_mode_compiled(formula: Formula) -> None:
    check(lambda *args: jvp(formula, args, tuple(np.tanh(arg) for arg in args)), formula)


@settings(max_examples=100)
@given(formulas())
def test_second_derivatives_compiled(formula: Formula) -> None:

    def product(*args: Any) -> Any:
        return hvp(lambda *given: formula.loss(*given)[0], args, tuple(0.5 + arg for arg in args))

    check(product, formula)


@settings(max_examples=100)
@given(formulas())
def test_gradient_of_the_first_argument_while_others_change(formula: Formula) -> None:
    """The others need no gradient, and stand in derivatives as they are."""
    check(grad(lambda *args: formula.loss(*args)[0]), formula)


def room_for(value: Any, kind: str) -> Array | None:
    """An array for a result, if one is wanted."""
    shape, dtype = np.shape(value), np.asarray(value).dtype
    if kind == "none":
        return None
    if kind == "spread" and shape:
        return np.zeros(tuple(2 * length for length in shape), dtype)[tuple(slice(None, None, 2) for _ in shape)]
    return np.zeros(shape, dtype, order="F" if kind == "columns" else "C")


@settings(max_examples=150)
@given(formulas(), st.data())
def test_formulas_that_write_into_arrays_and_read_from_others(formula: Formula, data: Any) -> None:
    """Some arguments are state, which changes in place; some results have arrays to go to."""
    function = value_and_grad(formula.loss, range(len(formula.shapes)), has_aux=True)
    count = data.draw(st.integers(0, len(formula.shapes)))
    with np.errstate(all="ignore"):
        leaves, structure = trees.flatten(function(*formula.arguments(0)))
    kinds = st.sampled_from(["none", "rows", "columns", "spread"])
    rooms = [room_for(leaf, data.draw(kinds)) for leaf in leaves]
    state = [np.zeros(shape) for shape in formula.shapes[:count]]
    program = compiled(function, out=trees.unflatten(structure, rooms), state=state)
    kept: list[tuple[Any, Array]] = []
    for seed in range(3):
        values = formula.arguments(seed)
        for array, value in zip(state, values, strict=False):
            array[...] = value
        given = values[count:]
        before = [arg.copy() for arg in given]
        with np.errstate(all="ignore"):
            expected = function(*values)
        result = program(*given)
        close(result, expected)
        for part, room in zip(trees.flatten(result)[0], rooms, strict=True):
            assert room is None or part is room
            if room is None and isinstance(part, np.ndarray):
                apart([part], *given, *state, *(room for room in rooms if room is not None))
                kept.append((part, part.copy()))
        for arg, value in zip((*state, *given), (*values[:count], *before), strict=True):
            np.testing.assert_array_equal(arg, value)
    for part, copy in kept:
        np.testing.assert_array_equal(part, copy)
    assert len(program.programs) == 1


# A weight is learned, data are not: derivatives by the weight contain the data of each call


def put_into(values: Any, rows: Any) -> Any:
    """Zeros with values in some of their rows, and another in an element."""
    table = Tensor(np.zeros((4, 2)))
    table[rows] = values
    table[rows[0], 1] = values[0, 0]
    return table


WEIGHT_AND_DATA: dict[str, Function] = {
    "matmul": lambda w, x: np.tanh(x @ w),
    "dot": lambda w, x: np.dot(x, np.sin(w)) ** 2,
    "tensordot": lambda w, x: np.tensordot(x, np.sin(w), 1) ** 2,
    "einsum": lambda w, x: np.einsum("ij,jk->ik", x, np.sin(w)) ** 2,
    "outer": lambda w, x: np.outer(x[0], np.sin(w[:, 0])) ** 2,
    "multiply": lambda w, x: np.sin(w) * x[0, :2],
    "divide": lambda w, x: np.sin(w) / (2 + np.sign(x[0, :2])),
    "power": lambda w, x: (w * w + 1) ** np.abs(x[0, :2]),
    "where": lambda w, x: np.where(x[0, :2] > 0, np.sin(w), w * w),
    "maximum": lambda w, x: np.maximum(w, x[0, :2]) ** 2,
    "taken": lambda w, x: np.take(w, np.argsort(x[:3, 0]), axis=0),
    "picked": lambda w, x: w[np.argsort(x[:3, 0])] + w[0],
    "labelled": lambda w, x: w[np.arange(3), np.argmax(x[:3, :2], axis=1)],
    "aligned": lambda w, x: np.take_along_axis(w, np.argsort(x[:3, :2], axis=0), 0),
    "assigned": lambda w, x: put_into(np.sin(w), np.argsort(x[:3, 0])),
    "take": lambda w, x: np.take(w, np.argsort(x[:3, 0]), axis=0) ** 2,
    "index": lambda w, x: np.sin(w)[np.argsort(x[:3, 0])] ** 2,
    "prod": lambda w, x: np.prod(w * x[0, :2], axis=0),
    "sort": lambda w, x: np.sort(w * x[0, :2], axis=0) ** 2,
    "max": lambda w, x: np.max(w * x[0, :2], axis=0) ** 2,
    "solve": lambda w, x: np.linalg.solve(x[:3] @ x[:3].T + np.eye(3), np.sin(w)) ** 2,
    "convolve": lambda w, x: np.convolve(x[:, 0], np.sin(w[:, 0])) ** 2,
    "clip": lambda w, x: np.clip(w, np.minimum(x[0, :2], 0), np.abs(x[1, :2])) ** 2,
    "interp": lambda w, x: np.interp(w, np.sort(x[:, 0]), x[:, 1]) ** 2,
    "tril": lambda w, x: np.tril(x @ np.sin(w)) ** 2,
    "batch_norm": lambda w, x: batch_norm(x @ w, None, None, 1e-5)[0] ** 3,
    "cross_entropy": lambda w, x: softmax_cross_entropy(x @ w, np.argmax(x[:, :2], axis=1)),
}
DERIVATIVES: dict[str, Function] = {
    "grad": lambda f, loss: grad(loss),
    "jvp": lambda f, loss: lambda w, x: jvp(lambda w: loss(w, x), (w,), (np.ones_like(w),)),
    "hvp": lambda f, loss: lambda w, x: hvp(lambda w: loss(w, x), w, np.ones_like(w)),
    "grad of grad": lambda f, loss: grad(lambda w, x: np.sum(grad(loss)(w, x) ** 2)),
    "jacobian": lambda f, loss: jacobian(f),
    "jacobian, forward": lambda f, loss: jacobian(f, mode="forward"),
    "hessian": lambda f, loss: hessian(loss),
}


@pytest.mark.parametrize("derivative", [*DERIVATIVES])
@pytest.mark.parametrize("name", [*WEIGHT_AND_DATA])
def test_derivatives_by_a_weight_have_the_data_of_each_call(name: str, derivative: str) -> None:
    f, rng = WEIGHT_AND_DATA[name], np.random.default_rng(0)
    function = DERIVATIVES[derivative](f, lambda w, x: np.sum(np.sin(f(w, x))))
    program = compiled(function)
    w = rng.normal(size=(3, 2))
    for x in rng.normal(size=(3, 4, 3)):
        close(program(w, x), function(w, x))


# Memory of others


def test_a_part_of_a_gradient_is_made_whole() -> None:
    """An upstream that is known beforehand reaches a part of what else has a gradient."""

    def picked(x: Any) -> Any:
        return x[0] + np.sum(np.sin(x))

    def weighted(x: Any, w: Any) -> Any:
        y = np.exp(x)
        return y[0] + np.sum(y[1:]) + np.sum(y * w)

    for function in (grad(picked), lambda x: grad(weighted)(x, x[::-1])):
        for size in (3, 200_000):  # in one piece, and in blocks
            program = compiled(function)
            for seed in range(3):
                x = np.random.default_rng(seed).normal(size=size)
                close(program(x), function(x))


def test_a_part_of_a_constant_is_copied() -> None:
    table = np.arange(6.0).reshape(3, 2)

    def doubled(x: Any, i: Any) -> Any:
        row = Tensor(table)[i]
        row[0] = row[0] + 1
        return x * row

    program, row = compiled(doubled), compiled(lambda i: Tensor(table)[i])
    for _ in range(3):
        np.testing.assert_array_equal(program(np.ones(2), np.int64(1)), [3, 3])
        found = row(np.int64(1))
        np.testing.assert_array_equal(found, [2, 3])
        found[...] = 9
    np.testing.assert_array_equal(table, np.arange(6.0).reshape(3, 2))


@pytest.mark.parametrize("turn", [lambda y: y.T, lambda y: y[::-1], lambda y: y[:, ::-1], lambda y: y.reshape(3, 3)])
def test_a_result_may_be_a_view_of_another(turn: Function) -> None:
    def both(x: Any) -> Any:
        y = np.sin(x)
        return turn(y), y, y + 1

    into = np.zeros((3, 3))
    program = compiled(both, out=(into, None, None))
    for seed in range(3):
        x = np.random.default_rng(seed).normal(size=(3, 3))
        close(program(x), both(x))


def test_an_array_of_the_outside_may_stop_being_one() -> None:
    factor = np.array(1.0)
    program = compiled(lambda x: x * factor)
    np.testing.assert_array_equal(program(x3), x3)
    factor[...] = 2
    np.testing.assert_array_equal(program(x3), 2 * x3)


def test_what_an_effect_changes_is_read_again() -> None:
    count = np.zeros(3)

    @flat
    def tick(x: Any) -> None:
        count.__iadd__(1)

    def before_and_after(x: Any) -> Any:
        before = x + count
        tick(x)
        return before, x + count

    program = compiled(before_and_after)
    for k in range(3):
        close(program(x3), (x3 + k, x3 + k + 1))


@pytest.mark.parametrize("view", [lambda y: y.reshape(()), lambda y: y[..., 0], np.squeeze])
def test_a_number_is_a_scalar_in_each_call(view: Function) -> None:
    program = compiled(lambda x: view(np.exp(x)))
    assert [type(program(np.zeros(1))) for _ in range(3)] == [np.float64] * 3


# What a program says

x3 = np.array([1.0, 2.0, 3.0])


def text(function: Function, *args: Any, **options: Any) -> str:
    """The program of a function for these arguments, without the margin."""
    compile_it = compiled(function, **options)
    compile_it(*args)
    (program,) = compile_it.programs.values()
    return str(program.run.__doc__)


def lines(*expected: str) -> str:
    return "\n".join(expected)


def test_text_of_a_value_and_a_gradient() -> None:
    """Three numbers are kept: x, which nobody may write to, tanh(x), and whatever is computed at the time."""
    assert text(value_and_grad(lambda x: np.sum(np.tanh(x) * x)), x3) == lines(
        "def program(v0):",
        "    tanh_0(v0, c_1)",
        "    multiply_2(c_1, v0, c_3)",
        "    v3 = reduce_4(c_3, None, None, None, False)",
        "    multiply_2(v0, c_1, c_3)",
        "    multiply_2(c_3, c_1, c_3)",
        "    subtract_5(v0, c_3, c_3)",
        "    v9 = c_1 + c_3",
        "    return (v3, v9, )",
    )


def test_text_of_what_is_written_into_arrays() -> None:
    assert text(lambda w, x: (w - 0.5 * x, np.sum(x)), x3, out=(np.zeros(3), None), state=(x3 + 1,)) == lines(
        "def program(v1):",
        "    multiply_1(c_0, v1, c_2)",
        "    subtract_4(c_3, c_2, c_5)",
        "    v4 = reduce_6(v1, None, None, None, False)",
        "    return (c_5, v4, )",
    )


def test_text_of_sums_of_rows_and_of_products() -> None:
    """BLAS does them, in half the time of NumPy's own loops; a maximum with a long row is faster than with a number."""
    assert text(lambda x, w: np.sum(np.maximum(np.maximum(x, 0) @ w, 0), axis=0) * 2, np.ones((5, 3)), x3) == lines(
        "def program(v0, v1):",
        "    maximum_1(v0, c_0, out=c_2)",
        "    dot_3(c_2, v1, c_4)",
        "    maximum_1(c_4, c_0, out=c_4)",
        "    v5 = reduce_5(c_4, 0, None, None, False)",
        "    v6 = v5 * 2",
        "    return v6",
    )
    long = np.ones((5, 64))
    assert text(lambda x: np.sum(np.maximum(x, 0), axis=0) * 2, long) == lines(
        "def program(v0):",
        "    maximum_1(v0, c_0, out=c_2)",
        "    dot_5(c_4, c_2, c_3)",
        "    v3 = c_3 * 2",
        "    return v3",
    )
    program = compiled(lambda x: np.sum(np.maximum(x, 0), axis=0) * 2)
    program(long)
    assert sorted(array.shape for array in arrays_of(program)) == [(5,), (5, 64), (64,), (64,)]


@pytest.mark.parametrize(("shape", "name"), [((128, 128), "dot"), ((128, 129), "matmul"), ((2, 3, 3), "matmul")])
def test_text_of_small_and_large_products(shape: tuple[int, ...], name: str) -> None:
    """`numpy.dot` is called faster, but fills what it writes into with zeros before."""
    x, w = np.ones((*shape[:-1], 3)), np.ones((3, shape[-1]))
    assert text(lambda x, w: np.sum(x @ w), x, w).splitlines()[1] == f"    {name}_0(v0, v1, c_1)"


def test_what_was_free_last_is_taken_first() -> None:
    """It is in the caches: of the arrays of sine and cosine, the exponentials take the one that was read last."""

    def f(x: Any) -> Any:
        sine, cosine = np.sin(x), np.cos(x)
        return np.sum(sine), np.sum(cosine), np.sum(np.exp(x))

    assert text(f, x3) == lines(
        "def program(v0):",
        "    sin_0(v0, c_1)",
        "    cos_2(v0, c_3)",
        "    v3 = reduce_4(c_1, None, None, None, False)",
        "    v4 = reduce_5(c_3, None, None, None, False)",
        "    exp_6(v0, c_3)",
        "    v6 = reduce_7(c_3, None, None, None, False)",
        "    return (v3, v4, v6, )",
    )


def test_functions_that_write_into_arrays_are_given_buffers() -> None:
    """None stands for what is returned, or is a number."""
    logits, labels = np.zeros((50, 300)), np.arange(50)
    assert text(softmax_cross_entropy, logits, labels) == lines(
        "def program(v0, v1):",
        "    v2, v3, v4, = loss_and_exponentials_2(v0, v1, out=(None, c_0, c_1, ))",
        "    return v2",
    )
    assert text(lambda x, labels: loss_and_exponentials(x, labels)[1] * 2, logits, labels) == lines(
        "def program(v0, v1):",
        "    v2, v3, v4, = loss_and_exponentials_2(v0, v1, out=(None, c_0, c_1, ))",
        "    v5 = c_0 * 2",
        "    return v5",
    )
    assert text(loss_and_exponentials, logits, labels) == lines(
        "def program(v0, v1):",
        "    v2, v3, v4, = loss_and_exponentials_0(v0, v1, out=(None, None, None, ))",
        "    return (v2, v3, v4, )",
    )


@pytest.mark.parametrize("shape", [(5, 3), (50, 300)])
@pytest.mark.parametrize("size", [1, 400])
def test_exponentials_are_written_into_arrays(shape: tuple[int, int], size: float) -> None:
    logits, labels = size * np.random.default_rng(0).normal(size=shape), np.zeros(shape[0], int)
    loss, exponentials, totals = loss_and_exponentials(logits, labels)
    room = np.zeros(shape), np.zeros(shape[0])
    written = loss_and_exponentials(logits, labels, (None, *room))
    assert (written[0], written[1] is room[0], written[2] is room[1]) == (loss, True, True)
    np.testing.assert_array_equal(room[0], exponentials)
    np.testing.assert_array_equal(room[1], totals)


def arrays_of(program: Any) -> list[Any]:
    """The arrays that the only program of a function has."""
    ((run, *_),) = program.programs.values()
    return [cell.cell_contents for cell in run.__closure__ or () if isinstance(cell.cell_contents, np.ndarray)]


@pytest.mark.parametrize("shape", [(40, 50), (40, 51), (7, 3), (6, 0)])
@pytest.mark.parametrize("width", [1, 30])
def test_gradients_of_selections_are_written_where_they_go(shape: tuple[int, int], width: int) -> None:
    """What other calls left there is gone. Indices may be negative, and come again."""
    out = np.full(shape, np.nan)
    program = compiled(grad(lambda x, rows, scale: np.sum(x[rows] * scale[:, None])), out=out)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x, rows, scale = rng.normal(size=shape), rng.integers(-shape[0], shape[0], width), rng.normal(size=width)
        expected = np.zeros(shape)
        np.add.at(expected, rows, np.broadcast_to(scale[:, None], (width, shape[1])))
        assert program(x, rows, scale) is out
        np.testing.assert_allclose(out, expected, atol=1e-15)
    ((run, *_),) = program.programs.values()
    assert re.search(r"v\d+ = scatter_\d+\(.*, out=c_\d+\)\n    return c_\d+$", run.__doc__)


@pytest.mark.parametrize("model", [np.ones((3, 5, 7)), np.ones((300, 7), "f4").T, np.ones((0, 2)), np.ones((), bool)])
def test_arrays_of_programs_begin_with_a_line_of_the_caches(model: Any) -> None:
    array = aligned(model.shape, model.dtype, model.strides)
    assert (array.shape, array.dtype, array.strides) == (model.shape, model.dtype, model.strides)
    assert array.ctypes.data % 64 == 0
    array[...] = model
    np.testing.assert_array_equal(array, model)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int64])
def test_gradients_of_selections_by_small_integers(dtype: Any) -> None:
    """More rows than the dtype of the indices can count."""
    rows = np.random.default_rng(0).integers(0, 127, 100).astype(dtype)
    found = grad(lambda x: np.sum(x[rows]))(np.ones((40_000, 10)))
    np.testing.assert_array_equal(found[:, 0], np.bincount(rows, minlength=40_000))


def test_text_of_a_row_that_is_repeated() -> None:
    """NumPy halts at the end of each row, unless rows are as long as those of its own buffers."""
    x, row = np.ones((128, 128)), np.arange(128.0)
    assert text(lambda x, r: np.tanh(np.tanh(np.tanh(x) * r)) + 1, x, row) == lines(
        "def program(v0, v1):",
        "    tanh_0(v0, c_1)",
        "    copyto_4(c_3, v1)",
        "    multiply_6(c_2, c_5, c_7)",
        "    tanh_0(c_1, c_1)",
        "    tanh_0(c_1, c_1)",
        "    v6 = c_1 + 1",
        "    return v6",
    )


@pytest.mark.parametrize("shape", [(128, 128), (64, 128), (96, 128), (128, 64), (256, 100), (2, 8192), (2, 9000)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_that_are_repeated(shape: tuple[int, int], dtype: Any) -> None:
    rng = np.random.default_rng(0)
    x, row = rng.normal(size=shape).astype(dtype), rng.normal(size=shape[1]).astype(dtype)

    def f(x: Any, r: Any) -> Any:
        y = np.maximum(np.tanh(x) * r, 0.1)
        return np.sum(np.exp(y - r) * np.arange(shape[1]) + r / y, axis=0), np.sin(r + y) * 2

    program = compiled(f)
    for sign in 1, -1, 2:
        close(program(sign * x, row / sign), f(sign * x, row / sign))


def test_where_results_go_is_room_for_what_is_computed_before() -> None:
    out = np.zeros((50, 40))
    program = compiled(lambda x: x * np.sum(np.cos(x) + 1), out=out)
    for x in np.random.default_rng(0).normal(size=(3, 50, 40)):
        assert program(x) is out
        np.testing.assert_allclose(out, x * np.sum(np.cos(x) + 1))
    assert all(np.shares_memory(array, out) for array in arrays_of(program) if array.shape == (50, 40))


def test_what_is_needed_with_a_result_does_not_lie_where_it_goes() -> None:
    first, second = np.zeros((50, 40)), np.zeros((50, 40))

    def f(x: Any) -> Any:
        y = np.cos(x)
        return y @ x.T @ y, np.exp(x) * np.sum(y)

    program = compiled(f, out=(first, second))
    for x in np.random.default_rng(0).normal(size=(3, 50, 40)):
        program(x)
        np.testing.assert_allclose(first, f(x)[0])
        np.testing.assert_allclose(second, f(x)[1])


def test_text_of_what_is_written_over_by_what_outlives_it() -> None:
    """The first product does not lie where the second goes, though there is room: the sum is needed with it."""

    def f(x: Any) -> Any:
        y = x @ x + 1
        product = y @ y
        return product, y @ product

    assert text(f, np.ones((200, 200)), out=(np.zeros((200, 200)), None)) == lines(
        "def program(v0):",
        "    matmul_0(v0, v0, c_1)",
        "    add_3(c_1, c_2, c_1)",
        "    matmul_0(c_1, c_1, c_4)",
        "    v4 = matmul_0(c_1, c_4)",
        "    return (c_4, v4, )",
    )


def test_text_of_what_is_asked_before_an_array_is_written_over() -> None:
    """As where a ReLU was 0, before dropout multiplies its value."""

    def f(x: Any, mask: Any) -> Any:
        y = np.maximum(np.sin(x), 0)
        dropped = y * mask
        return np.cos(dropped @ dropped) * (y != 0)

    assert text(f, np.ones((50, 50)), np.ones((50, 50))) == lines(
        "def program(v0, v1):",
        "    sin_0(v0, c_1)",
        "    maximum_3(c_1, c_2, out=c_1)",
        "    not_equal_4(c_1, 0, c_5)",
        "    multiply_6(c_1, v1, c_1)",
        "    dot_7(c_1, c_1, c_8)",
        "    cos_9(c_8, c_8)",
        "    v8 = c_8 * c_5",
        "    return v8",
    )


def test_what_is_asked_after_an_effect_is_not_asked_before() -> None:
    """Of what does not lie in memory of the program's own, or what an effect changes."""
    limit, seen = np.zeros(3), list[Any]()

    @flat
    def raise_limit(x: Any) -> None:
        seen.append(x.copy())
        limit[...] += 1

    def f(x: Any) -> Any:
        y = np.sin(x)
        z = y * 2
        raise_limit(z)
        return z + (y > limit), x > 0

    program = compiled(f)
    for number, x in enumerate([x3, -x3, x3 / 2]):
        limit[...] = number / 4 - 1
        expected = np.sin(x) * 2 + (np.sin(x) > number / 4)
        np.testing.assert_allclose(program(x)[0], expected)


def test_text_of_assignments() -> None:
    def f(x: Any) -> Any:
        y = x * 2.0
        y[0] = x[1]
        y[1:] = 0.5
        return np.sin(y)

    assert text(f, x3) == lines(
        "def program(v0):",
        "    multiply_1(v0, c_0, c_2)",
        "    v2 = index_3(v0, 1)",
        "    c_2[0] = v2",
        "    c_2[slice(1, None, None)] = 0.5",
        "    v5 = sin_4(c_2)",
        "    return v5",
    )


def test_what_is_dead_or_repeated_is_left_out_and_effects_stay() -> None:
    watch = flat(lambda x: None)

    def f(x: Any) -> Any:
        np.log(x + 1)
        watch(x * 2)
        return np.exp(x) + np.exp(x), {"k": x[0] - x[0]}

    assert text(f, x3) == lines(
        "def program(v0):",
        "    multiply_1(v0, c_0, c_2)",
        "    c_3(c_2)",
        "    exp_4(v0, c_2)",
        "    v6 = c_2 + c_2",
        "    v7 = index_5(v0, 0)",
        "    v9 = v7 - v7",
        "    return (v6, {'k': v9}, )",
    )


@pytest.mark.parametrize(("function", "most"), [(np.tanh, 1), (lambda x: np.tanh(x) + 0.5 * x, 2)])
def test_a_long_chain_needs_few_buffers(function: Function, most: int) -> None:
    def chain(x: Any) -> Any:
        for _ in range(50):
            x = function(x)
        return x

    program = compiled(chain)
    program(x3)
    ((run, *_),) = program.programs.values()
    made = [cell.cell_contents for cell in run.__closure__ or ()]
    assert sum(isinstance(value, np.ndarray) and value.shape == (3,) for value in made) == most


def test_a_traceback_shows_the_line_of_the_program() -> None:
    @flat
    def positive(x: Any) -> None:
        if x[0] < 0:
            raise ValueError("negative")

    def f(x: Any) -> Any:
        positive(x)
        return np.exp(x) * 2

    program = compiled(f)
    program(x3)
    with pytest.raises(ValueError, match="negative") as error:
        program(-x3)
    shown = [entry.line for entry in traceback.extract_tb(error.value.__traceback__)]
    assert "positive_0(v0)" in shown


def test_programs_that_are_dropped_leave_nothing() -> None:
    def texts() -> int:
        return sum(name.startswith(("<autograd program", "<autograd fits")) for name in linecache.cache)

    gc.collect()
    before = texts()
    program = compiled(lambda x, k: x * k)
    for k in range(70):
        program(x3, k)
    gc.collect()
    assert texts() == before + 2 * 64
    del program
    gc.collect()
    assert texts() == before
