"""Programs that work on large arrays block by block: the same numbers as otherwise, whatever the number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from autograd import compiled, flat, get_num_threads, grad, set_num_threads, sigmoid, value_and_grad
from tests.test_program import lines, text

Function = Callable[..., Any]
rng = np.random.default_rng(0)
large = rng.normal(size=(1000, 300)).astype(np.float32)
column, row = rng.normal(size=(1000, 1)).astype(np.float32), rng.normal(size=300).astype(np.float32)


@pytest.fixture(autouse=True, params=[1, 2, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = get_num_threads()
    set_num_threads(request.param)
    yield request.param
    set_num_threads(before)


CASES: dict[str, Function] = {
    "one call": lambda x, c, r: x * 2,
    "a column": lambda x, c, r: np.tanh(x * c) + c,
    "a row": lambda x, c, r: np.exp(-x * r) / r,
    "one row": lambda x, c, r: np.sin(x + r[None, :]),
    "a number": lambda x, c, r: np.maximum(x, 0) ** 2,
    "a number of the data": lambda x, c, r: x * r[0] + r[1],
    "made columns and rows": lambda x, c, r: (x * 2) * np.sum(x * 2, axis=1, keepdims=True) + np.sum(x * 2, axis=0),
    "all of it": lambda x, c, r: np.sum(np.exp(x)),
    "its rows": lambda x, c, r: (np.sum(np.exp(x), axis=0), np.sum(np.exp(x) * c, axis=(0,))),
    "a sum that is used": lambda x, c, r: np.exp(x) / np.sum(np.exp(x)),
    "transposed": lambda x, c, r: np.exp(x).T * 2 + np.exp(x.T),
    "backwards": lambda x, c, r: np.exp(x)[::-1] + np.exp(x),
    "flat": lambda x, c, r: np.exp(x).reshape(-1) + np.sin(x.reshape(-1)),
    "comparisons": lambda x, c, r: (x > c) * x,
    "another dtype": lambda x, c, r: x.astype(float) * 2 + x,
    "assignments": lambda x, c, r: assigned(np.exp(x)) * 2,
    "matrices": lambda x, c, r: np.tanh(np.tanh(x) @ np.tanh(x).T[:, :300]),
    "cube": lambda x, c, r: np.cos(x.reshape(100, 10, 300) + np.sin(r)),
}


def assigned(x: Any) -> Any:
    x[1:5] = x[0]
    return x


def same(actual: Any, expected: Any) -> None:
    if isinstance(expected, tuple):
        for one, other in zip(actual, expected, strict=True):
            same(one, other)
        return
    assert (np.shape(actual), actual.dtype) == (np.shape(expected), expected.dtype)
    np.testing.assert_allclose(actual, expected, rtol=2e-5, atol=2e-5 * np.max(np.abs(expected)))


@pytest.mark.parametrize("name", [*CASES])
def test_values(name: str) -> None:
    """Twice, with other numbers: nothing of the first call is left."""
    f = CASES[name]
    program = compiled(f)
    for x in large, large + 1, -large:
        same(program(x, column, row), f(x, column, row))


@pytest.mark.parametrize("name", ["a column", "a row", "a number", "comparisons", "cube", "made columns and rows"])
def test_gradients(name: str) -> None:
    f = value_and_grad(lambda *args: np.sum(CASES[name](*args) ** 2), (0, 1, 2))
    program = compiled(f)
    for x in large, large + 1:
        same(program(x, column, row)[1], f(x, column, row)[1])


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    program = compiled(grad(lambda x, c: np.sum(np.exp(x * c)) / np.sum(sigmoid(x))))
    program(large, column)
    found = []
    for number in 1, 2, 3, 5:
        set_num_threads(number)
        found.append(program(large, column))
    assert all(np.array_equal(one, found[0]) for one in found)


def test_into_arrays_that_were_given() -> None:
    out = np.zeros_like(large)
    program = compiled(lambda x, c: (np.exp(x) * c, np.sum(np.exp(x), axis=0)), out=(out, None))
    first, sums = program(large, column)
    second, _ = program(-large, column)
    assert first is second is out
    np.testing.assert_allclose(out, np.exp(-large) * column, rtol=1e-6)
    np.testing.assert_allclose(sums, np.sum(np.exp(large), axis=0), rtol=1e-5)


def test_where_results_go_is_room_for_what_is_computed_before() -> None:
    """But not for what the same block reads."""
    out, other = np.zeros_like(large), np.zeros((300, 300), np.float32)

    def f(x: Any) -> Any:
        y = np.exp(x)
        return y.T @ y, np.cos(np.sin(y[::-1]) + y) * np.sum(y)

    program = compiled(f, out=(other, out))
    for x in large, large + 1, -large:
        program(x)
        same(other, f(x)[0])
        same(out, f(x)[1])


def test_results_are_arrays_of_their_own() -> None:
    program = compiled(lambda x: np.exp(x) + 1)
    first = program(large)
    kept = first.copy()
    program(-large)
    assert np.array_equal(first, kept)


def test_what_was_given_is_not_written_to() -> None:
    before = large.copy()
    compiled(lambda x, c: np.exp(x * c) - np.tanh(x))(large, column)
    assert np.array_equal(large, before)


def test_effects_keep_their_place() -> None:
    """They see what was computed before, and what comes later sees what they did."""
    seen: list[float] = []

    @flat
    def note(x: Any) -> None:
        seen.append(float(x[0, 0]))

    memory = np.ones((1000, 300), np.float32)

    @flat
    def double(x: Any) -> None:
        memory[...] *= 2

    def f(state: Any, x: Any) -> Any:
        y = x * 2
        note(y)
        z = y + state
        double(x)
        return z + state * y

    program = compiled(f, state=(memory,))
    program(large)
    memory[...] = 1
    value = program(large)
    np.testing.assert_allclose(value, 2 * large + 1 + 2 * (2 * large), rtol=1e-5)
    assert seen == [2 * large[0, 0]] * 2


def test_warnings_are_not_given_by_any_thread() -> None:
    program = compiled(lambda x: np.log(x) / x)
    program(large)
    found = program(np.zeros_like(large))
    assert np.isnan(found).all() or np.isinf(found).all()


def test_gradients_of_a_large_table(threads: int) -> None:
    """What was there before is gone, from the first number to the last."""
    table, out = np.ones((5000, 60), np.float32), np.full((5000, 60), np.nan, np.float32)
    program = compiled(grad(lambda table, rows: np.sum(table[rows])), out=out)
    for rows in np.random.default_rng(0).integers(0, 5000, (3, 40)):
        expected = np.zeros((5000, 60), np.float32)
        np.add.at(expected, rows, 1)
        np.testing.assert_array_equal(program(table, rows), expected)


def test_text(threads: int) -> None:
    """What the next line needs stays in the block; sums are added up afterwards."""
    x = np.ones(300_000)
    run, add = ("part_8(c_8)", "reduce_11") if threads == 1 else ("spread_11(part_8, c_8)", "reduce_12")
    assert text(value_and_grad(lambda x: np.sum(np.exp(x) * x)), x) == lines(
        "def program(v0):",
        "    v7 = empty_6((300000, ), c_5)",
        "    def part_8(blocks):",
        "        scratch = take_9()",
        "        for number, block in blocks:",
        "            rows_0 = v0[block]",
        "            rows_1 = v7[block]",
        "            here = slice(block.stop - block.start)",
        "            scratch_0 = scratch[0][here]",
        "            scratch_1 = scratch[1][here]",
        "            exp_0(rows_0, scratch_0)",
        "            multiply_1(scratch_0, rows_0, scratch_1)",
        "            c_3[number] = reduce_2(scratch_1, None)",
        "            masked_product_4(rows_0, scratch_0, scratch_1)",
        "            add_7(scratch_0, scratch_1, rows_1)",
        "        append_10(scratch)",
        f"    {run}",
        f"    v3 = {add}(c_3, 0)",
        "    return (v3, v7, )",
    )


def test_one_thread_works_on_blocks_where_blas_has_several() -> None:
    x, w = np.ones((1000, 1000)), np.ones((1000, 1000))
    several = "spread_" if get_num_threads() > 1 else "part_"
    assert several in text(lambda x: np.exp(np.sin(x)) + x[:9, :9] @ x[:9, :9] @ x[0, :9] @ x[0, :9], x)
    alone = text(lambda x, w: x @ w * np.exp(np.sin(x)), x, w)
    assert "spread_" not in alone
    assert "for number, block in blocks" in alone


@pytest.mark.parametrize("size", [4, 300_000])
def test_what_is_behind_a_mask_is_known_in_each_run(size: int) -> None:
    """A program that was made where all was finite gives 0 behind masks in later runs, as the walk does."""

    def f(x: Any) -> Any:
        return np.sum(np.where(x > 0, np.sqrt(x) + np.log(x), 0) + np.where(x < 10, np.exp(x), 1 / x))

    program, x = compiled(grad(f)), np.full(size, 2.0)
    program(x)
    x[:4] = -1, 0, 900, 2
    with np.errstate(all="ignore"):
        slopes = grad(f)(x)
    np.testing.assert_allclose(
        slopes[:4], [1 / np.e, 1, 0.5 / 30 + 1 / 900 - 1 / 900**2, 0.5 / 2**0.5 + 0.5 + np.exp(2)]
    )
    np.testing.assert_array_equal(program(x), slopes)
    assert len(program.programs) == 1
