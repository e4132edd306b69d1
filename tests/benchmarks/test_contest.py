"""The contest: who is compared before anything is timed, what becomes of who is wrong, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import contest
from benchmarks.contest import Contest, Options, Process, ProcessError, hold, turns
from benchmarks.workloads import WORKLOADS

TINY = WORKLOADS["tiny"]
OPTIONS = Options(contestants=("chainrule",), rounds=2, seconds=0.002, sizes={"batch": 4})


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def plant(kind: str) -> None:
        monkeypatch.setattr(contest, "WORKER", Path(__file__).with_name("wrong_worker.py"))
        monkeypatch.setenv("WRONG", kind)

    return plant


def test_figures_of_each_round() -> None:
    seen = []
    outcome = hold(TINY, OPTIONS, lambda: seen.append(1))
    assert outcome.complete
    assert [entry.contestant for entry in outcome.timed()] == ["numpy", "chainrule"]
    for entry in outcome.timed():
        assert [len(times) for times in entry.seconds.values()] == [2]
        assert all(value and value > 0 for value in entry.seconds["step"])
        assert entry.about["blas"]
    assert len(seen) == turns([TINY], OPTIONS) == 2 * (1 + 2)


@pytest.mark.parametrize("threads", [1, 2])
def test_turns_begin_with_steps_that_are_not_timed(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of others still wait busily for work, but not where each contestant has one."""
    asked: list[tuple[str, str]] = []
    ask = Contest.ask

    def listening(self: Contest, entry: Any, do: str, **arguments: Any) -> Any:
        asked.append((entry.contestant, do))
        return ask(self, entry, do, **arguments)

    monkeypatch.setattr(Contest, "ask", listening)
    hold(TINY, replace(OPTIONS, threads=threads))
    turn = ("lead", "time") if threads > 1 else ("time",)
    expected = [(name, do) for name in ("numpy", "chainrule", "chainrule", "numpy") for do in turn]
    assert asked[-len(expected) :] == expected
    assert asked.count(("numpy", "lead")) == (3 if threads > 1 else 0)


def test_parts_of_a_step() -> None:
    outcome = hold(TINY, Options(contestants=("chainrule",), rounds=1, seconds=0.001, parts=True), measured=True)
    entry = outcome.entry("chainrule")
    assert entry is not None
    assert entry.seconds.keys() == {"step", "forward", "backward"}
    assert entry.measures.keys() >= {"nodes", "kept", "blocks", "peak"}


@pytest.mark.parametrize(
    ("kind", "state", "note"),
    [
        ("gradient", "wrong", "update 1 is off by 1.0e-02 of its largest element, where 2e-03 is allowed"),
        ("raises", "failed", "ZeroDivisionError: planted"),
        ("ends", "failed", "its process ended with status 7: the last words"),
    ],
)
def test_who_is_wrong_is_not_timed(planted: Callable[[str], None], kind: str, state: str, note: str) -> None:
    planted(kind)
    outcome = hold(TINY, OPTIONS)
    entry = outcome.entry("chainrule")
    assert entry is not None
    assert (entry.state, entry.note, entry.seconds) == (state, note, {})
    assert [other.contestant for other in outcome.timed()] == ["numpy"]


def test_a_wrong_loss_is_found(planted: Callable[[str], None]) -> None:
    planted("loss")
    entry = hold(TINY, OPTIONS).entry("chainrule")
    assert entry is not None
    assert entry.state == "wrong"
    assert entry.note.startswith("step 1 gives 0.")


def test_ctrl_c_leaves_the_rounds_so_far() -> None:
    seen = []

    def advance() -> None:
        seen.append(1)
        if len(seen) == 2 + 2 + 1:  # both were compared, and the second round has begun
            signal.raise_signal(signal.SIGINT)

    outcome = hold(TINY, Options(contestants=("chainrule",), rounds=3, seconds=0.002), advance)
    assert not outcome.complete
    assert [len(entry.seconds["step"]) for entry in outcome.timed()] == [1, 2]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT to send")
def test_a_worker_leaves_ctrl_c_to_who_asks() -> None:
    with Process(sys.executable, ours=True, threads=1) as process:
        process.ask("start", workload="tiny", contestant="numpy", sizes={}, dtype=None, threads=1)
        process.process.send_signal(signal.SIGINT)
        assert "python" in process.ask("about")


def test_a_worker_says_what_it_cannot_find() -> None:
    with Process(sys.executable, ours=True, threads=1) as process:
        process.ask("start", workload="tiny", contestant="numpy", sizes={}, dtype=None, threads=1)
        with pytest.raises(ProcessError, match=r"^TypeError: .*'nonsense'$"):
            process.ask("time", nonsense=1)


def test_a_peer_does_not_find_what_lies_beside_the_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """HIPS autograd has our name: its process must not import us instead."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent.parent))
    with Process(sys.executable, ours=False, threads=1) as process:
        process.ask("start", workload="tiny", contestant="hips", sizes={}, dtype=None, threads=1)
        with pytest.raises(ProcessError, match=r"^No module named 'autograd(\.numpy)?'$") as caught:
            process.ask("build")
    assert caught.value.state == "missing"


def test_a_slow_contestant_sits_out_some_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contest.Contest, "warm", lambda self, entry, share: 0.5)
    outcome = hold(TINY, Options(contestants=("chainrule",), rounds=6, seconds=1.0))
    for entry in outcome.timed():
        assert [value is not None for value in entry.seconds["step"]] == [True, False, True, False, True]
