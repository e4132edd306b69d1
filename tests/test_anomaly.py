"""detect_anomaly names the operation, the number, and the line of this file that called it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd import Tensor, batch_norm, detect_anomaly, enable_grad, no_grad, softmax_cross_entropy
from autograd.dispatch import dispatched
from autograd.errors import AnomalyError
from autograd.modes import current
from autograd.table import elementwise
from autograd.transforms import grad

LINES = [line.strip() for line in Path(__file__).read_text().splitlines()]


def called(code: str) -> str:
    """What a message says of the one line in this file that reads so."""
    assert LINES.count(code) == 1
    return f"called at test_anomaly.py:{LINES.index(code) + 1} `{code}`"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


def leaf(*values: float, name: str | None = None) -> Tensor:
    return Tensor(list(values), requires_grad=True, name=name)


OUT_OF_DOMAIN = (
    ", the first value that is not finite, from operands that are; "
    "keep the operands where the operation is defined and does not overflow"
)


# Values


def test_numpy_function() -> None:
    x = leaf(1.0, 0.0, name="x")
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        np.log(x)
    assert (
        str(caught.value)
        == f"log(Tensor(float64 (2,) 'x')) {called('np.log(x)')} gives -inf at index (1,){OUT_OF_DOMAIN}"
    )


def test_operator() -> None:
    x = leaf(1.0, 0.0)
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        x / np.zeros(2)
    where = called("x / np.zeros(2)")
    assert str(caught.value) == (
        f"divide(Tensor(float64 (2,)), array(float64 (2,))) {where} gives inf at index (0,){OUT_OF_DOMAIN}"
    )


def test_method_and_scalar() -> None:
    x = Tensor(-1.0, requires_grad=True)
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        x.log()
    assert str(caught.value) == f"log(Tensor(float64 ())) {called('x.log()')} gives nan{OUT_OF_DOMAIN}"


def test_own_function() -> None:
    @dispatched
    def inverse(x: Any) -> Any:
        return 1 / x

    row = elementwise(inverse, lambda out: -out * out)
    x = leaf(0.0)
    try:
        with pytest.raises(AnomalyError) as caught, detect_anomaly():
            inverse(x)
    finally:
        from autograd.table import PAGES, TABLE

        del TABLE[inverse], PAGES[inverse]
    assert row.name == "inverse"
    assert (
        str(caught.value)
        == f"inverse(Tensor(float64 (1,))) {called('inverse(x)')} gives inf at index (0,){OUT_OF_DOMAIN}"
    )


def test_leaf_that_was_not_finite_before() -> None:
    x = leaf(1.0, np.nan, name="x")
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        x * 2.0
    assert str(caught.value) == (
        f"multiply(Tensor(float64 (2,) 'x'), 2.0) {called('x * 2.0')} gives nan at index (1,); there is nan at index "
        "(1,) in the leaf Tensor(float64 (2,) 'x'); the value was not finite before any operation: check the data"
    )


def test_constant_that_is_not_finite() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        x + np.array([0.0, -np.inf])
    assert str(caught.value) == (
        f"add(Tensor(float64 (2,)), array(float64 (2,))) {called('x + np.array([0.0, -np.inf])')} gives -inf at index "
        "(1,); there is -inf at index (1,) in its constant array(float64 (2,)); check the data"
    )


def test_operand_computed_before() -> None:
    y = np.log(leaf(0.0))
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        np.square(y)
    assert str(caught.value) == (
        f"square(Tensor(float64 (1,))) {called('np.square(y)')} gives inf at index (0,); there is -inf at index (0,) "
        "in Tensor(float64 (1,)), computed by 'log' outside of detect_anomaly; enter it earlier"
    )


def test_infinity_that_goes_away_is_no_anomaly() -> None:
    x = leaf(1.0, -2.0)
    with detect_anomaly():
        y = np.exp(np.minimum(x, np.inf)) + np.where(np.array([True, False]), x, np.array([np.inf, 1.0]))
        y.sum().backward()
    assert np.isfinite(x.grad).all()


# Contributions

SINGULAR = (
    ", the first contribution that is not finite, from an upstream gradient float64 {shape} that is; the derivative is "
    "infinite or undefined there: keep the operand away from that point, with np.where before the operation"
)


def test_contribution() -> None:
    x, other = leaf(0.0, 4.0, name="x"), leaf(1.0, 2.0)
    with detect_anomaly():
        y = np.sqrt(x) + other
        loss = y.sum()
        with pytest.raises(AnomalyError) as caught:
            loss.backward()
    assert str(caught.value) == (
        f"sqrt(Tensor(float64 (2,) 'x')) {called('y = np.sqrt(x) + other')} contributes inf at index (0,) to the "
        f"gradient of its input 0 ('x'){SINGULAR.format(shape=(2,))}"
    )
    assert x.grad is None
    assert other.grad is None


def test_contribution_of_an_operation_that_ran_outside() -> None:
    y = np.sqrt(leaf(0.0)).sum()
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        y.backward()
    assert str(caught.value) == (
        "sqrt(Tensor(float64 (1,))) (called outside of detect_anomaly) contributes inf at index (0,) to the gradient "
        f"of its input 0 ('x'){SINGULAR.format(shape=(1,))}"
    )


def test_seed_that_is_not_finite() -> None:
    x = leaf(1.0, 2.0)
    with detect_anomaly():
        y = -x
        with pytest.raises(AnomalyError) as caught:
            y.backward(np.array([1.0, np.nan]))
    assert str(caught.value) == (
        f"negative(Tensor(float64 (2,))) {called('y = -x')} contributes nan at index (1,) to the gradient of its input "
        "0 ('x'), from an upstream gradient float64 (2,) that is nan at index (1,) already: a seed that is not finite, "
        "or contributions whose sum overflowed"
    )


def test_contribution_in_a_transform() -> None:
    with pytest.raises(AnomalyError, match=r"sqrt\(.* contributes inf"), detect_anomaly():
        grad(lambda x: np.sqrt(x).sum())(np.zeros(2))


def test_one_of_several_outputs() -> None:
    x = leaf(0.0, 1.0, 2.0, 3.0)
    with detect_anomaly():
        first, second = np.split(x, 2)
        (first * second).sum().backward()
    np.testing.assert_array_equal(x.grad, [2.0, 3.0, 0.0, 1.0])


def test_zero_upstream_is_no_anomaly_at_first_and_second_order() -> None:
    x = leaf(0.0, 4.0)
    with detect_anomaly():
        y = np.where(x > 0, np.sqrt(x), 0.0)
        y.sum().backward(create_graph=True)
        gradient = x.grad
        x.grad = None
        gradient.sum().backward()
    np.testing.assert_array_equal(gradient.data, [0.0, 0.25])
    np.testing.assert_allclose(x.grad, [0.0, -1 / 32])


# Kept arrays


CHANGED = "but that array was changed since; write to a copy of it, or call backward() before"


def test_constant_written_to() -> None:
    x, factor = leaf(1.0, 2.0, name="x"), np.array([3.0, 4.0])
    with detect_anomaly():
        y = x * factor
        factor[0] = 5.0
        with pytest.raises(AnomalyError) as caught:
            y.sum().backward()
    assert str(caught.value) == (
        f"multiply(Tensor(float64 (2,) 'x'), array(float64 (2,))) {called('y = x * factor')} needs 'y' for its "
        f"derivative, {CHANGED}"
    )
    assert x.grad is None


def test_operand_written_to() -> None:
    x = leaf(1.0, 2.0, name="x")
    with detect_anomaly():
        y = np.square(x)
        x.numpy()[0] = 7.0
        with pytest.raises(AnomalyError) as caught:
            y.sum().backward()
    assert str(caught.value) == (
        f"square(Tensor(float64 (2,) 'x')) {called('y = np.square(x)')} needs 'x' for its derivative, {CHANGED}"
    )


def test_value_written_to() -> None:
    x = leaf(1.0, 2.0, name="x")
    with detect_anomaly():
        y = np.exp(x)
        y.data[1] = 0.0
        with pytest.raises(AnomalyError) as caught:
            y.sum().backward()
    assert (
        str(caught.value)
        == f"exp(Tensor(float64 (2,) 'x')) {called('y = np.exp(x)')} needs 'out' for its derivative, {CHANGED}"
    )


def test_index_written_to() -> None:
    x, chosen = leaf(1.0, 2.0), np.array([0, 0, 1])
    with detect_anomaly():
        y = x[chosen, None]
        chosen[0] = 1
        with pytest.raises(AnomalyError) as caught:
            y.sum().backward()
    assert str(caught.value).endswith(f"{called('y = x[chosen, None]')} needs 'key' for its derivative, {CHANGED}")


def test_array_that_no_rule_needs_may_be_written_to() -> None:
    x, buffer = leaf(1.0, 2.0), np.array([3.0, 4.0])
    with detect_anomaly():
        y = x + buffer
        buffer[:] = 0.0
        y.sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 1.0])


# The context


def test_gradients_are_those_without_it() -> None:
    def loss(w: Any, x: Any) -> Any:
        return np.sum(np.tanh(x * w) / (1 + np.exp(w)))

    gradients = []
    for context in (enable_grad, detect_anomaly):
        w = leaf(0.5, -1.0)
        with context():
            loss(w, np.ones((3, 2))).backward()
        gradients.append(w.grad)
    np.testing.assert_array_equal(*gradients)


def test_decorator() -> None:
    @detect_anomaly()
    def log(x: Any) -> Any:
        return np.log(x)

    with pytest.raises(AnomalyError):
        log(leaf(0.0))
    assert np.isneginf(np.log(leaf(0.0)).data).all()


def test_left_on_an_exception() -> None:
    with pytest.raises(KeyError), detect_anomaly():
        raise KeyError
    assert current().watch is None


def test_nothing_is_recorded_under_no_grad() -> None:
    with detect_anomaly(), no_grad():
        assert np.isneginf(np.log(leaf(0.0)).data).all()


def test_it_adds_no_warning() -> None:
    with warnings.catch_warnings(), detect_anomaly():
        warnings.simplefilter("error")
        x = leaf(1.0, 2.0)
        np.exp(x).sum().backward()


def test_functions_that_return_several_arrays_to_themselves() -> None:
    """Of their outputs only some have a gradient."""
    logits = Tensor([[1.0, 2.0]], requires_grad=True)
    with detect_anomaly():
        softmax_cross_entropy(logits, np.array([0])).backward()
        np.sum(batch_norm(logits, None, None, 1e-5)[0]).backward()
    p = np.exp(2) / (np.exp(1) + np.exp(2))
    np.testing.assert_allclose(logits.grad, [[-p, p]])
