"""Functions that are flat: whatever they do, their derivative is zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd import Tensor, compiled, flat, grad, hessian, jacobian, jvp

x3 = np.array([1.0, 2.0, 3.0])


@flat
def halves(x: Any, *, times: Any = 1) -> tuple[Any, Any]:
    """Both halves."""
    assert isinstance(x, np.ndarray)
    return np.floor(x / 2) * times, np.ceil(x / 2) * times


def test_arrays_give_what_the_function_gives() -> None:
    low, high = halves(x3)
    assert type(low) is np.ndarray
    np.testing.assert_array_equal(low, [0, 1, 1])
    np.testing.assert_array_equal(high, [1, 1, 2])
    assert (halves.__name__, halves.__doc__) == ("halves", "Both halves.")


def test_tensors_give_tensors_that_require_no_grad() -> None:
    low, high = halves(Tensor(x3, requires_grad=True), times=Tensor(2.0, requires_grad=True))
    assert isinstance(low, Tensor)
    assert not low.requires_grad
    np.testing.assert_array_equal(high.data, [2, 2, 4])


def test_tensors_within_lists_and_dicts() -> None:
    seen: list[Any] = []

    @flat
    def total(parts: Any, **named: Any) -> Any:
        seen.extend([type(part) for part in (*parts, *named.values())])
        return np.sum(parts)

    t = Tensor(2.0, requires_grad=True)
    for parts, named in ([t, 3.0], {}), ((t,), {"w": t}), ([2.0], {"w": t}):
        result = total(parts, **named)
        assert not result.requires_grad
        assert result.item() == np.sum([getattr(part, "data", part) for part in parts])
    assert Tensor not in seen
    assert total([2.0, 3.0]) == 5.0


@pytest.mark.parametrize("f", [lambda x: x * halves(x)[0], lambda x: x * halves(x, times=x)[0] / x])
def test_derivatives_are_those_of_a_constant(f: Any) -> None:
    expected = np.diag([0.0, 1.0, 1.0])
    np.testing.assert_allclose(jacobian(lambda x: x * halves(x)[0])(x3), expected)
    np.testing.assert_allclose(jacobian(lambda x: x * halves(x)[0], mode="forward")(x3), expected)
    np.testing.assert_allclose(jvp(lambda x: halves(x)[0], (x3,), (x3,))[1], np.zeros(3))
    np.testing.assert_allclose(hessian(lambda x: np.sum(f(x) * x))(x3).shape, (3, 3))
    np.testing.assert_allclose(grad(lambda x: np.sum(halves(x)[1]))(x3), np.zeros(3))


def test_results_of_all_kinds() -> None:
    t = Tensor(x3, requires_grad=True)
    assert flat(lambda x: None)(t) is None
    assert flat(lambda x: x.max())(t).item() == 3.0
    assert flat(lambda x: (x > 1, "word"))(t)[1] == "word"
    assert flat(lambda x: x > 1)(t).dtype == bool
    assert flat(lambda x: 5)(t) == 5


def test_no_arguments() -> None:
    numbers = iter(range(10))
    following = flat(lambda: np.float64(next(numbers)))
    assert [following(), following()] == [0.0, 1.0]
    program = compiled(lambda x: x + following())
    assert [float(program(np.float64(0.0))) for _ in range(3)] == [2.0, 3.0, 4.0]


def test_methods_are_flat() -> None:
    class Counter:
        def __init__(self) -> None:
            self.calls = 0

        @flat
        def count(self, x: Any) -> Any:
            self.calls += 1
            return np.full(np.shape(x), float(self.calls))

    counter = Counter()
    program = compiled(grad(lambda x: np.sum(x * counter.count(x))))
    np.testing.assert_array_equal([program(x3)[0] for _ in range(3)], [1.0, 2.0, 3.0])


def test_errors_come_through() -> None:
    @flat
    def refuse(x: Any) -> None:
        raise KeyError("refused")

    with pytest.raises(KeyError, match="refused"):
        refuse(x3)
    with pytest.raises(KeyError, match="refused"):
        refuse(Tensor(x3, requires_grad=True))


def test_what_it_returns_may_have_other_dtypes_but_not_other_shapes_when_compiled() -> None:
    """A program knows shapes and dtypes once; what is returned later is converted or does not fit."""
    sizes = iter([3, 3, 2])
    some = flat(lambda x: np.ones(next(sizes)))
    program = compiled(lambda x: np.tanh(x * 2 + some(x)))
    for _ in range(2):
        np.testing.assert_allclose(program(x3), np.tanh(2 * x3 + 1))
    with pytest.raises(ValueError, match="broadcast"):
        program(x3)


@flat
def ranks(x: Any, *, out: Any = None) -> Any:
    """Of each element, how many are smaller."""
    given.append(out)
    return np.add.reduce(x[:, np.newaxis] > x, 1, out=np.empty(x.shape) if out is None else out)


given: list[Any] = []


def test_a_compiled_function_gives_room_for_what_is_returned() -> None:
    given.clear()
    program = compiled(lambda x: np.sin(ranks(x)) + ranks(-x))
    for x in np.random.default_rng(0).normal(size=(3, 5)):
        np.testing.assert_array_equal(program(x), np.sin(np.argsort(np.argsort(x))) + np.argsort(np.argsort(-x)))
    first, second, *later = given
    assert first is None
    assert second is None
    assert [id(out) for out in later] == 2 * [id(out) for out in later[:2]]
    assert later[0] is not later[1]


def test_what_is_returned_at_last_is_new_each_time() -> None:
    program = compiled(ranks)
    first, second = program(x3), program(-x3)
    np.testing.assert_array_equal([program(x3), first, second], [[0, 1, 2], [0, 1, 2], [2, 1, 0]])


def test_room_that_the_caller_gives_is_taken() -> None:
    room = np.zeros(3)
    given.clear()
    program = compiled(lambda x: ranks(x, out=room) * 2)
    for x in x3, -x3, x3:
        np.testing.assert_array_equal(program(x), 2 * room)
        np.testing.assert_array_equal(room, np.argsort(x))
    assert all(out is room for out in given)
