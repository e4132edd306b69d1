"""Random programs, differentiated by the engine and by one that is as simple as can be.

The naive engine writes down no derivative but those of elementwise functions. It follows every path from a result to a
leaf on its own, and transposes a linear map by trying it on every unit vector. Since it computes with complex numbers,
an imaginary step of 1e-30 gives its second derivatives without rounding.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import DrawFn, composite, integers, lists, sampled_from, tuples

from autograd import Tensor, grad, hvp, jvp, linearize, no_grad, relu, vjp

# The naive engine


@dataclass(frozen=True, eq=False)
class Naive:
    """A value and its edges: for each thing that it was made from the differential, from a tangent to a tangent."""

    value: Any
    edges: tuple[tuple[Naive, Callable[[Any], Any]], ...] = ()


def naive(function: Callable[..., Any], differential: Callable[..., Any]) -> Callable[..., Naive]:
    """A function of `Naive`, from its differential: of the tangent of one argument, its position, and all values."""

    def applied(*args: Naive) -> Naive:
        values = [arg.value for arg in args]
        edges = ((arg, lambda t, i=i: differential(t, i, values)) for i, arg in enumerate(args))
        return Naive(function(*values), tuple(edges))

    return applied


def transposed(differential: Callable[[Any], Any], shape: tuple[int, ...], g: Any) -> Any:
    """The product of `g` with the differential of every unit vector."""
    result = np.zeros(shape, complex)
    for place in np.ndindex(shape):
        unit = np.zeros(shape, complex)
        unit[place] = 1
        result[place] = np.sum(g * differential(unit))
    return result


def naive_gradient(out: Naive, g: Any, leaf: Naive) -> Any:
    """The sum over all paths from a result to a leaf."""
    if out is leaf:
        return g
    paths = (naive_gradient(arg, transposed(d, arg.value.shape, g), leaf) for arg, d in out.edges)
    return sum(paths, np.zeros(leaf.value.shape, complex))


def naive_tangent(out: Naive, t: Any, leaf: Naive) -> Any:
    """The sum over the same paths, the other way."""
    if out is leaf:
        return t
    return sum((d(naive_tangent(arg, t, leaf)) for arg, d in out.edges), np.zeros(out.value.shape, complex))


# The operations of programs


@dataclass(frozen=True, eq=False)
class Operation:
    """A function of arrays and tensors, what it is for the naive engine, and how it is done in place if it is."""

    name: str
    function: Callable[..., Any]
    naive: Callable[..., Naive]
    arity: int
    in_place: Callable[[Any, Any], Any] | None = None


OPERATIONS: list[Operation] = []


def elementwise(name: str, function: Callable[..., Any], *slopes: Callable[..., Any], numbers: Any = None) -> None:
    """Add a function of one or two arguments with the slopes in them; `numbers` is the function for complex numbers."""

    def differential(t: Any, i: int, values: list[Any]) -> Any:
        return np.broadcast_to(slopes[i](*values) * t, np.broadcast_shapes(*(v.shape for v in values)))

    OPERATIONS.append(Operation(name, function, naive(numbers or function, differential), len(slopes)))


def linear(name: str, function: Callable[..., Any], arity: int = 1, in_place: Any = None) -> None:
    """Add a function that is linear in all its arguments together."""

    def differential(t: Any, i: int, values: list[Any]) -> Any:
        return function(*(t if k == i else 0 * value for k, value in enumerate(values)))

    OPERATIONS.append(Operation(name, function, naive(function, differential), arity, in_place))


def bilinear(name: str, function: Callable[..., Any], in_place: Any = None) -> None:
    """Add a function that is linear in each of two arguments."""

    def differential(t: Any, i: int, values: list[Any]) -> Any:
        return function(t, values[1]) if i == 0 else function(values[0], t)

    OPERATIONS.append(Operation(name, function, naive(function, differential), 2, in_place))


def sign(x: Any) -> Any:
    return np.sign(np.real(x))


def with_first(x: Any, value: Any) -> Any:
    """A copy of x with another first column."""
    x = np.array(x)
    x[..., 0] = value
    return x


def set_first(x: Any, value: Any) -> Any:
    x[..., 0] = value
    return x


elementwise("sin", np.sin, np.cos)
elementwise("tanh", np.tanh, lambda x: 1 - np.tanh(x) ** 2)
elementwise("exp", np.exp, np.exp)
elementwise("arctan", np.arctan, lambda x: 1 / (1 + x * x))
elementwise("x ** 3", lambda x: x**3, lambda x: 3 * x * x)
elementwise("2 / (3 + x * x)", lambda x: 2 / (3 + x * x), lambda x: -4 * x / (3 + x * x) ** 2)
elementwise("abs", abs, sign, numbers=lambda x: x * sign(x))
elementwise("relu", relu, lambda x: sign(x) > 0, numbers=lambda x: x * (sign(x) > 0))
elementwise("divide", operator.truediv, lambda x, y: 1 / y, lambda x, y: -x / (y * y))
elementwise("square", np.square, lambda x: 2 * x)
linear("add", operator.add, 2)
linear("subtract", operator.sub, 2)
linear("negative", operator.neg)
linear("sum", lambda x: np.sum(x, 0))
linear("mean", lambda x: np.mean(x, -1, keepdims=True))
linear("T", lambda x: x.T)
linear("ravel", lambda x: np.reshape(x, -1))
linear("reversed", lambda x: x[::-1])
linear("repeated", lambda x: x[..., [0, -1, 0]])
linear("column", lambda x: x[..., 1])
linear("new axis", lambda x: x[None])
linear("cumsum", lambda x: np.cumsum(x, -1))
linear("broadcast", lambda x: np.broadcast_to(x, (2, 3)))
linear("where", lambda x, y: np.where([True, False, True], x, y), 2)
linear("concatenate", lambda x, y: np.concatenate([x, y], -1), 2)
linear("stack", lambda x, y: np.stack([x, y]), 2)
bilinear("multiply", operator.mul)
bilinear("matmul", operator.matmul)
bilinear("outer", np.outer)
bilinear("einsum", lambda x, y: np.einsum("...i,...i", x, y))
linear("+=", operator.add, 2, operator.iadd)
linear("-=", operator.sub, 2, operator.isub)
bilinear("*=", operator.mul, operator.imul)
linear("[..., 0] =", with_first, 2, set_first)

# Programs

SHAPES = ((), (3,), (2, 1), (2, 3), (1, 3), (3, 2))
CONSTANTS = (2.0, 3, -0.5, np.float64(0.25), np.array([1.0, -0.5, 2.0]), np.array([[0.5], [-1.5]]))


@dataclass(frozen=True)
class Program:
    """Steps over a growing list of values: first the leaves, then the constants.

    A step is an operation and the places of its operands. It adds a value, or, in place, changes its first operand.
    """

    leaves: list[Any]
    steps: list[tuple[Operation, tuple[int, ...]]]
    outputs: list[int]

    def __call__(self, *leaves: Any) -> list[Any]:
        """The outputs, of arrays or tensors."""
        values = [*leaves, *CONSTANTS]
        for operation, places in self.steps:
            args = [values[place] for place in places]
            if operation.in_place is None:
                values.append(operation.function(*args))
            elif isinstance(args[0], Tensor):
                is_array = isinstance(args[0].data, np.ndarray)
                values[places[0]] = result = operation.in_place(*args)
                assert (result is args[0]) == is_array  # of a number there is a new one, as in NumPy
            else:
                values[places[0]] = operation.function(*args)
        return [values[place] for place in self.outputs]

    def naively(self, leaves: list[Naive]) -> list[Naive]:
        """The outputs by the naive engine."""
        values = [*leaves, *(Naive(np.asarray(constant, complex)) for constant in CONSTANTS)]
        for operation, places in self.steps:
            result = operation.naive(*(values[place] for place in places))
            if operation.in_place is None:
                values.append(result)
            else:
                values[places[0]] = result
        return [values[place] for place in self.outputs]

    def directions(self, number: int = 0) -> list[Any]:
        """Random tangents, for the leaves."""
        rng = np.random.default_rng(number)
        return [rng.normal(size=np.shape(leaf)) for leaf in self.leaves]

    def seeds(self, number: int = 0) -> list[Any]:
        """Random cotangents, for the outputs."""
        rng = np.random.default_rng(100 + number)
        return [rng.normal(size=np.shape(out)) for out in self(*self.leaves)]

    def total(self, *leaves: Any) -> Any:
        """A scalar: the sum of the outputs, weighted by the seeds."""
        return sum(np.sum(out * seed) for out, seed in zip(self(*leaves), self.seeds(), strict=True))

    def naive_gradients(self, leaves: list[Any]) -> list[Any]:
        """The gradients of the total with respect to the leaves."""
        inputs = [Naive(np.asarray(leaf, complex)) for leaf in leaves]
        outputs = self.naively(inputs)
        return [sum(naive_gradient(out, seed, leaf) for out, seed in zip(outputs, self.seeds())) for leaf in inputs]

    def moved(self, step: complex) -> list[Any]:
        """The leaves, a step along the directions."""
        return [leaf + step * direction for leaf, direction in zip(self.leaves, self.directions())]


def tried(operation: Operation, values: list[Any], places: tuple[int, ...], computed: set[int]) -> Any:
    """The value of a step, or None for what NumPy refuses and for what grows beyond measure."""
    try:
        with np.errstate(all="raise"):
            result = operation.function(*(values[place] for place in places))
    except (ValueError, IndexError, TypeError, AttributeError, FloatingPointError):
        return None
    fits = operation.in_place is None or (places[0] in computed and np.shape(result) == np.shape(values[places[0]]))
    return result if fits and np.size(result) <= 12 and np.max(np.abs(result)) < 20 else None


@composite
def programs(draw: DrawFn, in_place: bool = True) -> Program:
    """Several steps; each takes the drawn operands, or others if those do not fit."""
    rng = np.random.default_rng(draw(integers(0, 2**16)))
    leaves = [rng.uniform(-1.5, 1.5, shape) for shape in draw(lists(sampled_from(SHAPES), min_size=1, max_size=3))]
    operations = [operation for operation in OPERATIONS if in_place or operation.in_place is None]
    values, steps = [*leaves, *CONSTANTS], []
    moving, computed = list(range(len(leaves))), set()  # the places of what depends on leaves, and of that without them
    for operation in draw(lists(sampled_from(operations), min_size=3, max_size=9)):
        constants = list(range(len(leaves), len(leaves) + len(CONSTANTS)))
        candidates = moving[::-1] + (constants if operation.arity > 1 else [])
        turned = [candidates[k:] + candidates[:k] for k in draw(tuples(*[integers(0, 9)] * operation.arity))]
        for places in product(*turned):
            result = tried(operation, values, places, computed)
            if result is None or not set(places) & set(moving):
                continue
            steps.append((operation, places))
            if operation.in_place:
                values[places[0]] = result
            else:
                computed.add(len(values))
                moving.append(len(values))
                values.append(result)
            break
    return Program(leaves, steps, moving[-draw(integers(1, 3)) :])


def fresh(program: Program) -> list[Tensor]:
    return [Tensor(leaf, requires_grad=True) for leaf in program.leaves]


def gradients(leaves: list[Tensor]) -> list[Any]:
    """What backward left, zeros where it did not pass."""
    return [np.zeros(leaf.shape) if leaf.grad is None else leaf.grad for leaf in leaves]


def dot(left: list[Any], right: list[Any]) -> Any:
    return sum(np.sum(a * b) for a, b in zip(left, right, strict=True))


def assert_close(found: Any, expected: Any, tolerance: float = 1e-9) -> None:
    """All values, close beside the largest; and the shapes."""
    assert [np.shape(one) for one in found] == [np.shape(one) for one in expected]
    flat, wanted = (np.concatenate([np.ravel(one) for one in ones]) for ones in (found, expected))
    assert np.max(np.abs(flat - wanted)) <= tolerance * max(1, np.max(np.abs(wanted)))


# Against the naive engine


@given(programs())
@settings(max_examples=300)
def test_backward(program: Program) -> None:
    leaves = fresh(program)
    total = program.total(*leaves)
    total.backward()
    assert total.item() == pytest.approx(program.total(*program.leaves), rel=1e-12)
    assert_close(gradients(leaves), program.naive_gradients(program.leaves))


@given(programs())
@settings(max_examples=200)
def test_forward(program: Program) -> None:
    """Against paths followed forward, and differences."""
    directions = program.directions()
    value, tangents = jvp(program, program.leaves, directions)
    assert_close(value, program(*program.leaves), 1e-12)
    inputs = [Naive(np.asarray(leaf, complex)) for leaf in program.leaves]
    pairs = list(zip(inputs, directions))
    assert_close(tangents, [sum(naive_tangent(out, t, leaf) for leaf, t in pairs) for out in program.naively(inputs)])
    after, before = program(*program.moved(1e-6)), program(*program.moved(-1e-6))
    assert_close(tangents, [(a - b) / 2e-6 for a, b in zip(after, before)], 1e-4)


@given(programs())
@settings(max_examples=200)
def test_second_order(program: Program) -> None:
    """Forward over reverse, reverse over reverse, and backward over a recorded backward."""
    directions = program.directions()
    expected = [g.imag / 1e-30 for g in program.naive_gradients(program.moved(1e-30j))]
    assert_close(hvp(program.total, program.leaves, directions), expected, 1e-8)
    every = range(len(program.leaves))
    assert_close(
        grad(lambda *xs: dot(grad(program.total, every)(*xs), directions), every)(*program.leaves), expected, 1e-8
    )
    leaves = fresh(program)
    program.total(*leaves).backward(create_graph=True)
    slope = dot(gradients(leaves), directions)
    for leaf in leaves:
        leaf.zero_grad()
    if isinstance(slope, Tensor) and slope.requires_grad:
        slope.backward()
    assert_close(gradients(leaves), expected, 1e-8)


@given(programs())
@settings(max_examples=60)
def test_float32(program: Program) -> None:
    """Gradients have the shape and dtype of their leaf, also where leaves are of both dtypes."""
    data = [np.asarray(leaf, "f4" if k % 2 == 0 else "f8") for k, leaf in enumerate(program.leaves)]
    leaves = [Tensor(one, requires_grad=True) for one in data]
    program.total(*leaves).backward()
    for leaf, one in zip(leaves, data):
        if leaf.grad is not None:
            assert (leaf.grad.shape, leaf.grad.dtype) == (one.shape, one.dtype)
            np.testing.assert_array_equal(leaf.data, one)
    assert_close(gradients(leaves), program.naive_gradients(program.leaves), 2e-3)


# Properties that hold whatever the derivatives are


@given(programs())
def test_pullback_is_linear(program: Program) -> None:
    pull = vjp(program, *program.leaves)[1]
    s, t = program.seeds(), program.seeds(1)
    mixed = pull([2.5 * one - 0.5 * other for one, other in zip(s, t)])
    assert_close(mixed, [2.5 * one - 0.5 * other for one, other in zip(pull(s), pull(t))], 1e-12)
    assert_close(pull([0 * one for one in s]), [0 * leaf for leaf in program.leaves])


@given(programs())
def test_pullback_is_the_transpose_of_pushforward(program: Program) -> None:
    pull = vjp(program, *program.leaves)[1]
    linear = linearize(program, *program.leaves)[1]
    seeds, directions = program.seeds(), program.directions()
    pulled, pushed = pull(seeds), linear(*directions)
    size = max(np.max(np.abs(one), initial=1) for one in (*pulled, *pushed))
    assert dot(seeds, pushed) == pytest.approx(dot(pulled, directions), abs=1e-11 * size)


@given(programs())
def test_backward_twice_doubles(program: Program) -> None:
    leaves = fresh(program)
    total = program.total(*leaves)
    total.backward(retain_graph=True)
    once = [np.copy(one) for one in gradients(leaves)]
    total.backward()
    for one, twice in zip(once, gradients(leaves)):
        np.testing.assert_array_equal(twice, 2 * one)


@given(programs())
def test_outputs_add_up(program: Program) -> None:
    """Backward from each output on its own leaves what backward from their sum leaves."""
    leaves, others = fresh(program), fresh(program)
    for out, seed in zip(program(*leaves), program.seeds(), strict=True):
        out.backward(seed, retain_graph=True)
    program.total(*others).backward()
    assert_close(gradients(leaves), gradients(others), 1e-12)


@given(programs())
def test_gradients_are_memory_of_their_own(program: Program) -> None:
    """Writing into one changes no leaf, no other gradient and no seed; backward never writes into data."""
    leaves, seeds = fresh(program), program.seeds()
    for out, seed in zip(program(*leaves), seeds, strict=True):
        out.backward(seed, retain_graph=True)
    before = [np.copy(one) for one in gradients(leaves)]
    for k, leaf in enumerate(leaves):
        if isinstance(leaf.grad, np.ndarray):
            leaf.grad[...] = before[k] = 7.0 + 0 * before[k]
    assert_close(gradients(leaves), before, 0)
    assert_close([leaf.data for leaf in leaves], program.leaves, 0)
    assert_close(seeds, program.seeds(), 0)


@given(programs(), sampled_from(SHAPES))
def test_unrelated_leaves(program: Program, shape: tuple[int, ...]) -> None:
    """What a result does not depend on gets no gradient from backward, and zeros from a transform."""
    leaves, bystander = fresh(program), Tensor(np.ones(shape), requires_grad=True)
    np.sin(bystander)
    program.total(*leaves).backward()
    assert bystander.grad is None
    *related, unrelated = vjp(lambda *xs: program(*xs[:-1]), *program.leaves, np.ones(shape))[1](program.seeds())
    assert_close(related, gradients(leaves), 1e-12)
    np.testing.assert_array_equal(unrelated, np.zeros(shape))


@given(programs())
def test_without_recording(program: Program) -> None:
    leaves = fresh(program)
    with no_grad():
        quiet = program(*leaves)
    assert not any(out.requires_grad for out, place in zip(quiet, program.outputs) if place >= len(leaves))
    assert_close([out.data for out in quiet], program(*program.leaves), 1e-12)


@given(programs(in_place=False), integers(0, 9))
def test_order_of_construction_does_not_matter(program: Program, chance: int) -> None:
    """The same steps, each as soon as a random choice allows instead of in the order of the program."""
    rng = np.random.default_rng(chance)
    given_places = len(program.leaves) + len(CONSTANTS)
    new_place = {place: place for place in range(given_places)}
    steps, waiting = [], list(enumerate(program.steps, given_places))
    while waiting:
        ready = [one for one in waiting if all(place in new_place for place in one[1][1])]
        chosen = ready[rng.integers(len(ready))]
        waiting.remove(chosen)
        old, (operation, places) = chosen
        steps.append((operation, tuple(new_place[place] for place in places)))
        new_place[old] = len(new_place)
    shuffled = Program(program.leaves, steps, [new_place[place] for place in program.outputs])
    leaves, others = fresh(program), fresh(program)
    program.total(*leaves).backward()
    shuffled.total(*others).backward()
    assert_close(gradients(others), gradients(leaves), 1e-13)


@given(programs())
def test_same_every_time(program: Program) -> None:
    """Building and walking again gives the same bits."""
    leaves, others = fresh(program), fresh(program)
    program.total(*leaves).backward()
    program.total(*others).backward()
    for one, other in zip(gradients(leaves), gradients(others)):
        np.testing.assert_array_equal(one, other)
