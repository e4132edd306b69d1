"""The contest: contestants in processes of their own, compared before anything is timed, and timed in turn.

In a round each contestant has one turn, of as many calls as fill its share of the time; every other round goes the
other way round. Whatever slows the machine for a while slows a whole round, and the ratios within it hold.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import THREADS
from benchmarks.peers import interpreter, missing
from benchmarks.workload import CONTESTANTS, OURS, YARDSTICK, Workload, difference

WORKER = Path(__file__).with_name("worker.py")
LEAD = 0.15
"""Seconds of a turn that are not timed, if contestants have several threads: those of BLAS and OpenMP wait for more
work by running on, and take a processor from who comes next."""
FEWEST = 3
"""Turns that even the slowest contestant has, if there are as many rounds."""


@dataclass(frozen=True)
class Options:
    """How a contest is held.

    Attributes
    ----------
    contestants : tuple of str
        Who takes part, if a workload has them and they are installed.
    rounds : int
        How many turns each has.
    seconds : float
        How long these turns take together, for each contestant of a workload.
    threads : int
        How many a contestant may use; 0 for all.
    dtype : str, optional
        By default the workload's own.
    sizes : dict of str to int
        Sizes that differ from the workload's own.
    parts : bool
        Whether forward and backward are timed apart, too.
    """

    contestants: tuple[str, ...] = tuple(CONTESTANTS)
    rounds: int = 30
    seconds: float = 2.0
    threads: int = 0
    dtype: str | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    parts: bool = False


@dataclass
class Entry:
    """What is known of a contestant in a workload.

    Attributes
    ----------
    contestant : str
        Its name.
    state : str
        ``"timed"``; or why there are no figures: ``"absent"`` from the workload, ``"missing"`` here, ``"wrong"`` in its
        results, or ``"failed"``.
    note : str
        What to say of it.
    seconds : dict of str to list of float or None
        For ``"step"``, and parts of it, the seconds of a call in each round; None where it sat out.
    measures : dict of str to int
        See `measures.py`.
    about : dict of str to str
        Versions of what runs in its process.
    """

    contestant: str
    state: str
    note: str = ""
    seconds: dict[str, list[float | None]] = field(default_factory=dict)
    measures: dict[str, int] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)


@dataclass
class Outcome:
    """What is known of a workload.

    Attributes
    ----------
    workload, title : str
        Its name, and what it is.
    dtype : str
        In what it was done.
    sizes : dict of str to int
        All of its sizes, of which some may have been changed.
    different : tuple of str
        What is not as the title says, such as ``"batch=64"`` or ``"float64"``.
    entries : list of Entry
        One for each contestant.
    complete : bool
        Whether all rounds were played: Ctrl-C may have come in between.
    """

    workload: str
    title: str
    dtype: str
    sizes: dict[str, int]
    different: tuple[str, ...]
    entries: list[Entry]
    complete: bool = False

    @property
    def label(self) -> str:
        """The name, and what is different."""
        return f"{self.workload} ({', '.join(self.different)})" if self.different else self.workload

    def entry(self, contestant: str) -> Entry | None:
        """The entry of a contestant, if it has one."""
        return next((entry for entry in self.entries if entry.contestant == contestant), None)

    def timed(self) -> list[Entry]:
        """The entries that have figures."""
        return [entry for entry in self.entries if entry.state == "timed"]


class ProcessError(RuntimeError):
    """A contestant's process that raised or ended; `state` says what becomes of its entry."""

    def __init__(self, message: str, state: str = "failed") -> None:
        super().__init__(message)
        self.state = state


class Process:
    """The process of a contestant.

    Parameters
    ----------
    python : str
        The interpreter of its environment.
    ours : bool
        Whether it may find modules where this process does. Peers may not: one of them has our name.
    threads : int
        How many its libraries may use; 0 for all.
    """

    def __init__(self, python: str, ours: bool, threads: int) -> None:
        environment = {name: value for name, value in os.environ.items() if ours or name != "PYTHONPATH"}
        for variable in THREADS:
            environment.pop(variable, None)
            if threads:
                environment[variable] = str(threads)
        self.stderr = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - until __exit__
        self.process = subprocess.Popen(
            [python, "-P", str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.stderr,
            env=environment,
            encoding="utf-8",
        )

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.stderr.close()

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Return the answer to a request.

        Raises
        ------
        ProcessError
            If the contestant raises, or its process has ended.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):  # it has ended, which its silence tells
            print(json.dumps({"do": do, **arguments}), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            self.stderr.seek(0)
            last = [text.strip() for text in self.stderr if text.strip()][-1:]
            raise ProcessError(f"its process ended with status {self.process.wait()}: {' '.join(last)}")
        answer: dict[str, Any] = json.loads(line)
        if "missing" in answer:
            raise ProcessError(answer["missing"], "missing")
        if "error" in answer:
            raise ProcessError(answer["error"])
        return answer


class Contest:
    """One workload and those who do it: `verify`, then `measure`, then `play`.

    Parameters
    ----------
    workload : Workload
        What is to be done.
    options : Options
        By whom, and how long.
    advance : callable
        Is called after each turn, and each comparison.
    """

    def __init__(self, workload: Workload, options: Options, advance: Callable[[], Any] = lambda: None) -> None:
        self.workload, self.options, self.advance = workload, options, advance
        self.sizes = {name: size for name, size in options.sizes.items() if name in workload.sizes}
        self.dtype = options.dtype if options.dtype in workload.dtypes else workload.dtypes[0]
        self.processes: dict[str, Process] = {}
        different = [f"{name}={size}" for name, size in self.sizes.items() if size != workload.sizes[name]]
        self.outcome = Outcome(
            workload.name,
            workload.title,
            self.dtype,
            {**workload.sizes, **self.sizes},
            tuple(different if self.dtype == workload.dtypes[0] else [*different, self.dtype]),
            [Entry(name, *self.standing(name)) for name in CONTESTANTS if name in (YARDSTICK, *options.contestants)],
        )
        self.stack = ExitStack()

    def standing(self, contestant: str) -> tuple[str, str]:
        """Whether a contestant can take part, as state and note of its entry."""
        if not self.workload.has(contestant):
            return "absent", "not written for this workload"
        if interpreter(contestant) is None:
            return "missing", missing(contestant)
        return "ready", ""

    def __enter__(self) -> Contest:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stack.close()

    def ready(self) -> list[Entry]:
        """The entries of those who are still in the contest."""
        return [entry for entry in self.outcome.entries if entry.state in ("ready", "timed")]

    def ask(self, entry: Entry, do: str, **arguments: Any) -> dict[str, Any] | None:
        """Ask a contestant; if it fails it is out of the contest, and the answer is None."""
        try:
            return self.processes[entry.contestant].ask(do, **arguments)
        except ProcessError as error:
            entry.state, entry.note = error.state, str(error)
            entry.seconds.clear()
            return None

    def each(self, do: str, **arguments: Any) -> Iterable[tuple[Entry, dict[str, Any]]]:
        """Ask all, one after the other; yield those that answer."""
        for entry in self.ready():
            answer = self.ask(entry, do, **arguments)
            if answer is not None:
                yield entry, answer

    def launched(self, contestant: str) -> Process:
        """A process of a contestant, which knows its workload and has built nothing yet."""
        python = interpreter(contestant)
        assert python is not None
        process = self.stack.enter_context(Process(python, contestant in OURS, self.options.threads))
        what = {"workload": self.workload.name, "contestant": contestant, "sizes": self.sizes, "dtype": self.dtype}
        process.ask("start", **what, threads=self.options.threads)
        return process

    def start(self) -> None:
        """Start the processes."""
        for entry in self.ready():
            try:
                self.processes[entry.contestant] = self.launched(entry.contestant)
            except ProcessError as error:
                entry.state, entry.note = error.state, str(error)
        for entry, about in self.each("about"):
            entry.about = about

    def verify(self) -> None:
        """Put out of the contest whoever does not compute what the yardstick does, in two steps of great learning rate.

        Two, so that a gradient which is not cleared shows; great, so that what is compared is the gradient and not the
        parameters that it moves.
        """
        expected: Results | None = None
        start = self.workload.given(self.sizes, self.dtype, **self.workload.safe).start
        with tempfile.TemporaryDirectory() as folder:
            for entry, _ in self.each("build", rate=1.0, **self.workload.safe):
                path = os.path.join(folder, f"{entry.contestant}.npz")
                answer = self.ask(entry, "results", path=path, steps=2)
                self.advance()
                if answer is None:
                    continue
                with np.load(path) as file:
                    found = Results(answer["values"], list(file.values()))
                if expected is None:
                    expected = found
                complaint = found.complaint(expected, start, self.workload.tolerance[self.dtype])
                if complaint:
                    entry.state, entry.note = "wrong", complaint

    def measure(self) -> None:
        """Note what does not depend on time, in new processes, which hold no memory from earlier steps."""
        for entry in self.ready():
            try:
                with self.launched(entry.contestant) as process:
                    entry.measures = process.ask("measures")
            except ProcessError as error:
                entry.state, entry.note = error.state, str(error)

    def play(self) -> None:
        """Time them, round after round."""
        options, calls, every = self.options, {}, {}
        share = options.seconds / options.rounds
        for entry, _ in self.each("build"):
            taken = self.warm(entry, share)
            if taken is not None:
                calls[entry.contestant] = max(1, round(share / taken))
                turns = max(min(FEWEST, options.rounds), min(options.rounds, int(options.seconds / taken)))
                every[entry.contestant] = math.ceil(options.rounds / turns)
        for number in range(options.rounds):
            entries = self.ready()
            for entry in entries[:: -1 if number % 2 else 1]:
                name = entry.contestant
                if number % every[name] == 0:
                    self.turn(entry, number, calls[name])
                self.advance()
        self.outcome.complete = True

    def warm(self, entry: Entry, share: float) -> float | None:
        """Let a contestant compile, fill its caches and find its pace; return the seconds of a call."""
        taken = None
        for _ in range(2):
            answer = self.ask(entry, "time", calls=1)
            taken = None if answer is None else answer["step"]
        if taken is None or not self.lead(entry):
            return None
        if taken < share / 10:
            answer = self.ask(entry, "time", calls=max(1, round(share / 4 / max(taken, 1e-9))))
            taken = None if answer is None else answer["step"]
        return taken

    def lead(self, entry: Entry) -> bool:
        """Let a contestant run until nobody else does; whether it did."""
        return self.options.threads == 1 or self.ask(entry, "lead", seconds=LEAD) is not None

    def turn(self, entry: Entry, number: int, calls: int) -> None:
        """Time one turn, after steps that are not timed, and note it in its round."""
        answer = self.ask(entry, "time", calls=calls) if self.lead(entry) else None
        if answer is not None and self.options.parts:
            parts = self.ask(entry, "time", calls=calls, parts=True)
            answer = None if parts is None else answer | parts
        if answer is None:
            return
        entry.state = "timed"
        for part, taken in answer.items():
            times = entry.seconds.setdefault(part, [])
            times.extend([None] * (number - len(times)))
            times.append(taken)


@dataclass
class Results:
    """What the steps of a contestant gave and left behind."""

    values: list[float | None]
    arrays: list[Any]

    def complaint(self, expected: Results, start: list[Any] | None, tolerance: float) -> str:
        """What is wrong with these results, if others are expected; an empty string if nothing is."""
        for step, (value, right) in enumerate(zip(self.values, expected.values), 1):
            if right is not None and not abs((value or 0.0) - right) <= tolerance * max(1.0, abs(right)):
                return f"step {step} gives {value}, where {right} is expected"
        apart, where = difference(self.arrays, expected.arrays, start)
        if not apart <= tolerance:
            what = "gradient" if start is None else "update"
            return f"{what} {where} is off by {apart:.1e} of its largest element, where {tolerance:.0e} is allowed"
        return ""


def profile(workload: Workload, options: Options, steps: int) -> dict[str, Any]:
    """Return where the time of a step of ours goes: see `profiling.py`.

    Raises
    ------
    ProcessError
        If it fails.
    """
    with Contest(workload, options) as contest:
        contest.start()
        list(contest.each("build"))
        process = contest.processes["chainrule"]
        return {"title": workload.title, **process.ask("profile", steps=steps)}


def turns(workloads: Iterable[Workload], options: Options) -> int:
    """How often a contest of each workload calls `advance`, if nobody fails."""
    total = 0
    for workload in workloads:
        with Contest(workload, options) as contest:
            total += len(contest.ready()) * (1 + options.rounds)
    return total


def hold(
    workload: Workload, options: Options, advance: Callable[[], Any] = lambda: None, measured: bool = False
) -> Outcome:
    """Hold the contest of a workload.

    Parameters
    ----------
    workload, options, advance
        See `Contest`.
    measured : bool
        Whether to note what does not depend on time, too.

    Returns
    -------
    Outcome
        After Ctrl-C it has the rounds so far, and is not complete.
    """
    with Contest(workload, options, advance) as contest:
        with suppress(KeyboardInterrupt):
            contest.start()
            contest.verify()
            if measured:
                contest.measure()
            contest.play()
        return contest.outcome
