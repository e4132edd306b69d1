"""Work on several threads at the same time."""

from __future__ import annotations

import multiprocessing
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np
import pytest

from autograd import Tensor, get_num_threads, modes, no_grad, set_num_threads, threads
from autograd.threads import blocks, spread


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = get_num_threads()
    yield
    set_num_threads(before)


def raises(kind: type[BaseException], message: str) -> Any:
    return pytest.raises(kind, match=f"^{re.escape(message)}$")


@pytest.mark.parametrize("number", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_each_item_is_worked_on_once_in_consecutive_parts(number: int, count: int) -> None:
    set_num_threads(number)
    parts: list[Sequence[int]] = []
    spread(parts.append, range(count))
    assert len(parts) == min(number, count)
    assert sorted(parts, key=lambda part: part[0]) == sorted(parts, key=lambda part: part[-1])
    assert sorted(item for part in parts for item in part) == [*range(count)]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_nothing_to_do() -> None:
    parts: list[Any] = []
    spread(parts.append, [])
    assert parts == [[]]


def test_parts_run_at_the_same_time_and_the_caller_helps() -> None:
    set_num_threads(2)
    meeting, seen = threading.Barrier(2), []

    def work(items: Sequence[int]) -> None:
        seen.append(threading.get_ident())
        meeting.wait(timeout=10)

    spread(work, [1, 2])
    assert len({*seen}) == 2
    assert threading.get_ident() in seen


def test_context_and_error_state_are_the_callers() -> None:
    set_num_threads(2)
    variable: ContextVar[str] = ContextVar("variable", default="another")
    variable.set("the caller's")
    seen = []

    def work(items: Sequence[int]) -> None:
        seen.append((variable.get(), np.geterr()["divide"]))

    with np.errstate(divide="ignore"):
        spread(work, [1, 2])
    assert seen == [("the caller's", "ignore")] * 2


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_comes_when_all_have_come_to_an_end(failing: int) -> None:
    set_num_threads(2)
    other, ended = threading.Event(), []

    def work(items: Sequence[int]) -> None:
        if items[0] == failing:
            other.set()
            raise ValueError(f"item {failing}")
        assert other.wait(timeout=10)
        ended.append(items[0])

    with raises(ValueError, f"item {failing}"):
        spread(work, [0, 1])
    assert ended == [1 - failing]
    spread(ended.append, [2, 3])
    assert len(ended) == 3


def test_ctrl_c_waits_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """One while this thread works, one while it waits."""
    set_num_threads(2)
    waiting, ended = threading.Event(), []

    class Future:
        """One of which a Ctrl-C interrupts the first look."""

        def __init__(self, real: Any) -> None:
            self.real, self.looks = real, 0

        def exception(self) -> Any:
            self.looks += 1
            if self.looks == 1:
                waiting.set()
                raise KeyboardInterrupt
            return self.real.exception()

    class Pool:
        def __init__(self, real: Any) -> None:
            self.real = real

        def submit(self, *args: Any) -> Any:
            return Future(self.real.submit(*args))

    pool = Pool(threads.helpers())
    monkeypatch.setattr(threads, "helpers", lambda: pool)

    def work(items: Sequence[int]) -> None:
        if items[0] == 0:
            raise KeyboardInterrupt
        assert waiting.wait(timeout=10)
        ended.append(items[0])

    with pytest.raises(KeyboardInterrupt):
        spread(work, [0, 1])
    assert ended == [1]


def test_blocks_cover_the_rows() -> None:
    assert blocks((0, 5)) == []
    assert blocks((4, 5)) == [slice(0, 4)]
    assert blocks((512, 511)) == [slice(0, 512)]
    assert blocks((512, 512)) == [slice(start, start + 128) for start in range(0, 512, 128)]
    assert blocks((300_000,))[-2:] == [slice(196_608, 262_144), slice(262_144, 300_000)]
    assert blocks((3, 1_000_000)) == [slice(0, 1), slice(1, 2), slice(2, 3)]


def test_how_many() -> None:
    set_num_threads(3)
    assert get_num_threads() == 3
    with raises(ValueError, "set_num_threads(0): give the number of threads, an int from 1"):
        set_num_threads(0)
    with raises(ValueError, "set_num_threads(2.0): give the number of threads, an int from 1"):
        set_num_threads(2.0)  # type: ignore[arg-type]
    assert get_num_threads() == 3


@pytest.mark.parametrize(("wanted", "expected"), [("3", "3"), ("0", "1"), ("many", None), (None, None)])
def test_how_many_by_default(wanted: str | None, expected: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    if wanted is not None:
        environment["OMP_NUM_THREADS"] = wanted
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    line = [sys.executable, "-c", "from autograd import get_num_threads; print(get_num_threads())"]
    found = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == (expected or str(allowed))


def child(results: Any) -> None:
    parts: list[Any] = []
    spread(parts.append, [1, 2])
    results.put(sorted(parts))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_process_that_was_forked_has_threads_of_its_own() -> None:
    set_num_threads(2)
    spread(lambda items: None, [1, 2])
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    process = context.Process(target=child, args=(results,))
    process.start()
    try:
        assert results.get(timeout=20) == [[1], [2]]
    finally:
        process.kill()
        process.join()


def test_threads_add_up_gradients_of_the_same_leaf() -> None:
    w = Tensor(np.zeros(1000), requires_grad=True)

    def work() -> None:
        for _ in range(100):
            (w * 1.0).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(w.grad, 400.0)


def test_a_mode_that_is_left_elsewhere_than_it_was_entered() -> None:
    def rows() -> Any:
        with no_grad():
            yield from range(3)

    before, generator = modes.special, rows()
    inner = threading.Thread(target=lambda: next(generator))
    inner.start()
    inner.join()
    generator.close()
    assert modes.special == before
    assert modes.current().recording


def test_an_instance_of_a_mode_that_threads_share() -> None:
    shared, before = no_grad(), modes.special
    entered, checked = threading.Event(), threading.Event()
    seen = []

    def inside() -> None:
        with shared:
            entered.set()
            checked.wait(10)
            seen.append(modes.current().recording)
        seen.append(modes.current().recording)

    thread = threading.Thread(target=inside)
    thread.start()
    entered.wait(10)
    with shared:
        pass
    assert modes.current().recording
    checked.set()
    thread.join()
    assert seen == [False, True]
    assert modes.special == before
