"""Every contestant of ours computes what the code by hand does, and derivatives by hand are right."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from benchmarks.contest import Results
from benchmarks.workload import CONTESTANTS, OURS, YARDSTICK, Workload, difference
from benchmarks.workloads import WORKLOADS, importing
from tests.benchmarks.small import SMALL

CASES = [
    (name, contestant, dtype)
    for name, workload in WORKLOADS.items()
    for contestant in OURS
    for dtype in workload.dtypes
    if workload.has(contestant) and name != "import"
]


def results(workload: Workload, contestant: str, dtype: str, steps: int = 2) -> tuple[Results, Any]:
    given = workload.given(SMALL[workload.name], dtype, threads=1, rate=1.0, **workload.safe)
    made = workload.build(contestant, given)
    return Results([made.step() for _ in range(steps)], [np.array(array) for array in made.found()]), given


@pytest.mark.parametrize(("name", "contestant", "dtype"), CASES)
def test_a_contestant_of_ours_agrees(name: str, contestant: str, dtype: str) -> None:
    workload = WORKLOADS[name]
    expected, given = results(workload, YARDSTICK, dtype)
    found, _ = results(workload, contestant, dtype)
    assert found.complaint(expected, given.start, workload.tolerance[dtype]) == ""
    assert expected.arrays
    assert all(np.isfinite(array).all() for array in expected.arrays)
    assert {array.dtype for array in found.arrays} == {np.dtype(dtype)}


@pytest.mark.parametrize("name", ["moons", "tiny", "mlp", "normalized", "convolution"])
def test_updates_by_hand_are_differences_of_the_loss(name: str) -> None:
    """Moved a little against its gradient, each step by hand lowers the loss by the square of the gradient's norm."""
    workload, rate = WORKLOADS[name], 1e-6
    given = workload.given(SMALL[name], "float64", threads=1, rate=rate, **workload.safe)
    made = workload.build(YARDSTICK, given)
    first = made.step()
    moved = sum(np.sum((p - start) ** 2) for p, start in zip(made.found(), given.start, strict=True)) / rate**2
    assert (first - made.step()) / rate == pytest.approx(moved, rel=1e-3)


def test_every_process_gets_the_same_inputs() -> None:
    for name, workload in WORKLOADS.items():
        one, other = (vars(workload.given(SMALL[name])) for _ in range(2))
        for key, value in one.items():
            np.testing.assert_equal(value, other[key], err_msg=f"{name}: {key}")


@pytest.mark.parametrize("name", [name for name in WORKLOADS if name not in ("import", "hessian-vector")])
def test_measures_of_ours_are_the_same_each_time(name: str) -> None:
    workload = WORKLOADS[name]
    given = workload.given(SMALL[name], threads=1)
    one, other = (workload.measures("chainrule", given) for _ in range(2))
    for counted in ("nodes", "kept"):
        assert one[counted] == other[counted], counted
    assert abs(one["blocks"] - other["blocks"]) <= 0.1 * one["blocks"] + 2  # others in this process take blocks, too
    assert one["peak"] > 0


def test_bytes_kept_by_hand_are_what_forward_returns_but_for_inputs() -> None:
    workload = WORKLOADS["tiny"]
    given = workload.given({"batch": 5}, threads=1)
    kept = workload.measures("numpy", given)["kept"]
    assert kept == 4 * (2 * 5 * 32 + 5 * 2)  # activations and probabilities


def test_lasting_buffers_count_as_peak() -> None:
    workload = WORKLOADS["elementwise"]
    given = workload.given({"size": 100_000}, threads=1)
    assert workload.measures("numpy-buffers", given)["peak"] == pytest.approx(5 * 4 * 100_000, rel=0.1)


def test_normalized_drops_half() -> None:
    """What is timed drops, though what is compared does not."""
    workload = WORKLOADS["normalized"]
    given = workload.given({"width": 400, "batch": 50}, threads=1)
    _, _, last, _ = workload.build("numpy", given).forward()  # type: ignore[misc]
    undropped = workload.given({"width": 400, "batch": 50}, threads=1, drop=0.0)
    _, _, whole, _ = workload.build("numpy", undropped).forward()  # type: ignore[misc]
    assert np.mean(last > 0) / np.mean(whole > 0) == pytest.approx(0.5, abs=0.05)


def test_what_is_imported_has_its_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    tell = f"import {importing.MODULES['chainrule']}, os, sys; print(os.path.exists(sys.modules['nn'].__cached__))"
    command = [sys.executable, "-P", "-c", tell]
    found = subprocess.run(command, env=importing.surroundings("chainrule"), capture_output=True, text=True, check=True)
    assert found.stdout == "True\n"


def test_contestants_are_known() -> None:
    methods = {
        name
        for workload in WORKLOADS.values()
        for name in CONTESTANTS
        if callable(getattr(workload, name.replace("-", "_"), None))
    }
    assert methods <= CONTESTANTS.keys()
    assert all(workload.has(YARDSTICK) and workload.has("chainrule") for workload in WORKLOADS.values())


def test_difference_is_relative_to_the_largest_change() -> None:
    start, expected = [np.array([1.0, 1.0])], [np.array([1.0, 3.0])]
    assert difference([np.array([1.0, 3.1])], expected, start) == (pytest.approx(0.05), 0)
    assert difference([np.array([1.0, 3.0])], expected, None) == (0.0, 0)
    assert difference([np.array([1.0, np.nan])], expected, None)[1] == 0
    assert not difference([np.array([1.0, np.nan])], expected, None)[0] <= 1
    assert difference([np.zeros(3)], expected, None) == (np.inf, 0)
    assert difference([], expected, None) == (np.inf, 0)
