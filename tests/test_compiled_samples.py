"""Compiled, each row of the table gives what it gives otherwise: its value and both its derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd import CompileError, compiled, jvp, vjp
from autograd.rules.decompositions import null_space
from tests.test_samples import CASES, Case, directions, moved

BY_VALUES = {np.linalg.svd, null_space, np.linalg.lstsq, np.trim_zeros}
"""Rows that look at values: singular vectors of a null space, the rank of a matrix, where the zeros are."""


def everything(case: Case) -> Any:
    """A function that gives the outputs, the cotangents for given seeds and the tangents for given directions."""

    def function(values: list[Any], seeds: list[Any], along: list[Any]) -> Any:
        outputs, pull = vjp(case, values)
        seeds = [seed if np.shape(seed) == np.shape(out) else np.ones_like(out) for seed, out in zip(seeds, outputs)]
        return outputs, pull(seeds)[0], jvp(case, (values,), (along,))[1]

    return function


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.sample))
def test_a_program_gives_what_the_function_gives(case: Case) -> None:
    function = everything(case)
    with np.errstate(all="ignore"):
        outputs = [np.asarray(out) for out in case(case.start)]
        if any(out.dtype.kind != "f" for out in outputs) or not case.start:
            pytest.skip("no derivative")
        seeds, along = directions(outputs, 1), directions(case.start, 2)
        program = compiled(function)
        try:
            first = program(case.start, seeds, along)
        except CompileError:
            assert case.sample.row in BY_VALUES
            return
        compare(first, function(case.start, seeds, along))
        other = moved(case.start, directions(case.start, 3), 0.0 if case.sample.order == 0 else 1e-3)
        other = [like(before, value) for value, before in zip(other, case.start)]
        args = other, directions(outputs, 4), directions(case.start, 5)
        compare(program(*args), function(*args))
        traced = len(program.programs)
        compare(program(*args), function(*args))
        assert len(program.programs) == traced


def like(before: Any, value: Any) -> Any:
    """The value in the dtype and layout of what was there before."""
    array = np.empty_like(before)
    array[...] = value
    return array[()]


def compare(actual: Any, expected: Any) -> None:
    for got, wanted in zip(actual, expected, strict=True):
        for one, other in zip(got, wanted, strict=True):
            assert np.shape(one) == np.shape(other)
            assert np.asarray(one).dtype == np.asarray(other).dtype
            eps = np.finfo(np.asarray(other).dtype).eps if np.asarray(other).dtype.kind == "f" else 0
            np.testing.assert_allclose(one, other, rtol=1e3 * eps, atol=1e2 * eps)
