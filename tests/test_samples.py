"""What holds for every row of the table, over all samples."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import numpy as np
import pytest

import tests.samples
from autograd import Tensor
from autograd.chain_rule import pullback, pushforward
from autograd.op import Composite, Op
from autograd.recording import RECORDER
from autograd.table import PAGES, TABLE
from tests.samples import Sample

SAMPLES: list[Sample] = [
    sample
    for page in pkgutil.iter_modules(tests.samples.__path__)
    for sample in importlib.import_module(f"tests.samples.{page.name}").page
]


def is_float(value: Any) -> bool:
    return isinstance(value, float | np.floating) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")


class Case:
    """A sample as a function of the flat list of the arrays to differentiate."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.start: list[Any] = []
        wrt = sample.wrt if sample.wrt is not None else range(len(sample.args))
        self.args = [self.cut(a) if i in wrt else a for i, a in enumerate(sample.args)]
        self.kwargs = {k: self.cut(v) if sample.wrt and k in sample.wrt else v for k, v in sample.kwargs.items()}

    def cut(self, value: Any) -> Any:
        if is_float(value):
            self.start.append(np.asarray(value)[()])
            return Slot(len(self.start) - 1)
        return type(value)(map(self.cut, value)) if isinstance(value, list | tuple) else value

    def __call__(self, values: list[Any]) -> list[Any]:
        """The floating outputs for these values."""

        def fill(part: Any) -> Any:
            if isinstance(part, Slot):
                return values[part.index]
            return type(part)(map(fill, part)) if isinstance(part, list | tuple) else part

        out = self.sample.function(*map(fill, self.args), **{k: fill(v) for k, v in self.kwargs.items()})
        flat: list[Any] = []

        def collect(part: Any) -> None:
            if isinstance(part, list | tuple):
                for one in part:
                    collect(one)
            else:
                flat.append(part)

        collect(out)
        return [part for part in flat if isinstance(part, Tensor) or is_float(part) or isinstance(part, np.ndarray)]


class Slot:
    def __init__(self, index: int) -> None:
        self.index = index


def leaves(values: list[Any]) -> list[Tensor]:
    return [Tensor(value, requires_grad=True) for value in values]


def numbers(value: Any) -> Any:
    return value.data if isinstance(value, Tensor) else value


def directions(values: list[Any], seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.normal(size=np.shape(v)), dtype=np.asarray(v).dtype)[()] for v in values]


def dot(a: list[Any], b: list[Any]) -> float:
    return float(
        sum(np.sum(np.asarray(numbers(x), dtype=float) * np.asarray(numbers(y), dtype=float)) for x, y in zip(a, b))
    )


def moved(values: list[Any], along: list[Any], step: float) -> list[Any]:
    return [v + step * u for v, u in zip(values, along)]


def backward(outputs: list[Any], seeds: list[Any], inputs: list[Tensor], record: bool = False) -> list[Any]:
    arrived = pullback(
        {o.node: s for o, s in zip(outputs, seeds) if isinstance(o, Tensor) and o.node is not None},
        [t.node for t in inputs],
        recorder=RECORDER if record else None,
    )
    return [arrived.get(t.node, np.zeros(t.shape, t.dtype)) for t in inputs]


def tolerance(case: Case) -> float:
    return 1e-2 if any(np.asarray(v).dtype != np.float64 for v in case.start) else 1e-6


CASES = [Case(sample) for sample in SAMPLES]
SMOOTH = [case for case in CASES if case.sample.order > 0 and case.start]  # kinks have tests of their own
TWICE_SMOOTH = [case for case in SMOOTH if case.sample.order > 1 and tolerance(case) < 1e-3]


def over(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[str(case.sample) for case in cases])


@over(CASES)
def test_value_is_numpys(case: Case) -> None:
    """Value, shape and dtype are those of the plain call; the arguments are untouched."""
    before = [np.array(v) for v in case.start]
    plain, recorded = case(case.start), case(leaves(case.start))
    assert len(plain) == len(recorded)
    for expected, got in zip(plain, recorded):
        assert np.shape(expected) == np.shape(numbers(got))
        assert np.asarray(expected).dtype == np.asarray(numbers(got)).dtype
        if isinstance(got, Tensor) and got.node is not None:
            assert got.node.spec == (got.shape, got.dtype)
        np.testing.assert_allclose(numbers(got), expected, rtol=1e-5 if tolerance(case) > 1e-3 else 1e-12, atol=1e-12)
    for old, new in zip(before, case.start):
        np.testing.assert_array_equal(old, new)


@over(SMOOTH)
def test_gradient_has_shape_and_dtype_of_its_tensor(case: Case) -> None:
    inputs = leaves(case.start)
    outputs = case(inputs)
    for t, gradient in zip(inputs, backward(outputs, directions(list(map(numbers, outputs)), 1), inputs)):
        assert gradient.shape == t.shape
        assert gradient.dtype == np.promote_types(t.dtype, np.float32)


@over([case for case in CASES if getattr(TABLE.get(case.sample.row), "product", None)])
def test_a_product_is_the_upstream_times_the_local_derivative(case: Case) -> None:
    """A row that gives both says the same twice."""
    [out] = case(leaves(case.start))
    [upstream] = directions([out.data], 1)
    product = out.node.op.edges[0](upstream, out.node, 0)
    np.testing.assert_allclose(product, upstream * out.node.op.local(out.node, 0), rtol=tolerance(case), atol=1e-12)


@over(SMOOTH)
def test_reverse_and_forward_agree_with_differences(case: Case) -> None:
    inputs = leaves(case.start)
    outputs = case(inputs)
    seeds, along = directions(list(map(numbers, outputs)), 1), directions(case.start, 2)
    gradients = backward(outputs, seeds, inputs)
    tangents = pushforward(
        {t.node: u for t, u in zip(inputs, along)},
        [o.node for o in outputs if getattr(o, "node", None)],
        RECORDER,
        False,
    )
    step = 1e-6 if tolerance(case) < 1e-3 else 1e-2
    up, down = case(moved(case.start, along, step)), case(moved(case.start, along, -step))
    numeric = (dot(up, seeds) - dot(down, seeds)) / (2 * step)
    reverse = dot(gradients, along)
    forward = dot(
        [tangents[o.node] if getattr(o, "node", None) in tangents else np.zeros(np.shape(o)) for o in outputs], seeds
    )
    np.testing.assert_allclose(reverse, numeric, rtol=tolerance(case), atol=tolerance(case))
    np.testing.assert_allclose(forward, reverse, rtol=tolerance(case) / 100, atol=tolerance(case) / 100)
    for o in outputs:
        if isinstance(o, Tensor) and o.node in tangents:
            assert tangents[o.node].shape == o.shape


@over(TWICE_SMOOTH)
def test_second_order_agrees_with_differences(case: Case) -> None:
    """Reverse over reverse and forward over reverse, against differences of the gradient."""
    inputs = leaves(case.start)
    outputs = case(inputs)
    seeds, along, across = (
        directions(list(map(numbers, outputs)), 1),
        directions(case.start, 2),
        directions(case.start, 3),
    )
    gradients = backward(outputs, seeds, inputs, record=True)

    def slope(step: float) -> float:
        variables = leaves(moved(case.start, across, step))
        return dot(backward(case(variables), seeds, variables), along)

    numeric = (slope(1e-6) - slope(-1e-6)) / 2e-6
    recorded = [g for g in gradients if isinstance(g, Tensor) and g.node is not None]
    weights = [u for g, u in zip(gradients, along) if isinstance(g, Tensor) and g.node is not None]
    reverse = dot(backward(recorded, weights, inputs), across)
    tangents = pushforward({t.node: u for t, u in zip(inputs, across)}, [g.node for g in recorded], RECORDER, False)
    forward = dot([tangents.get(g.node, np.zeros(g.shape)) for g in recorded], weights)
    np.testing.assert_allclose(reverse, numeric, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(forward, numeric, rtol=1e-5, atol=1e-5)


@over(SMOOTH)
def test_both_passes_are_linear_where_what_they_carry_is_zero(case: Case) -> None:
    """The derivative of the backward pass by an upstream that is 0 is the forward pass, and the other way round."""

    def check(carried: list[Any], weights: list[Any], zeros: list[Tensor], expected: list[Any]) -> None:
        products = [np.sum(value * weight) for value, weight in zip(carried, weights) if isinstance(value, Tensor)]
        found = backward([sum(products, Tensor(0.0))], [np.float64(1)], zeros)
        for one, other in zip(found, expected):
            np.testing.assert_allclose(one, other, rtol=tolerance(case) / 100, atol=tolerance(case) / 100)

    inputs = leaves(case.start)
    outputs = [o for o in case(inputs) if getattr(o, "node", None)]
    roots = [o.node for o in outputs]
    seeds, along = directions([o.data for o in outputs], 1), directions(case.start, 2)
    gradients = backward(outputs, seeds, inputs)
    tangents = pushforward({t.node: u for t, u in zip(inputs, along)}, roots, RECORDER, False)
    upstream, incoming = (leaves([np.zeros(t.shape, t.dtype) for t in of]) for of in (outputs, inputs))
    check(backward(outputs, upstream, inputs, record=True), along, upstream, [tangents.get(root, 0) for root in roots])
    pushed = pushforward({t.node: u for t, u in zip(inputs, incoming)}, roots, RECORDER, True)
    check([pushed.get(root) for root in roots], seeds, incoming, gradients)


def test_every_row_has_samples() -> None:
    """Every row of the package; users' examples may have added others."""
    rows = [row for function, row in TABLE.items() if PAGES[function].startswith("autograd.rules.")]
    sampled = {id(TABLE[sample.row]) for sample in SAMPLES if sample.row in TABLE}
    missing = {row.name for row in rows if isinstance(row, Op | Composite) and id(row) not in sampled}
    assert not missing
