"""How cost grows with a size: the contest for each of its values, and the exponent of a power law through the times.

The exponent is the slope of a line through (log size, log time), by least squares. Where a size is small the time is
mostly overhead, which does not grow; so the slope between the last two sizes is told besides.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from benchmarks.contest import Options, Outcome, hold
from benchmarks.report import aligned, described, duration, piped
from benchmarks.statistics import figure
from benchmarks.workload import Workload


@dataclass
class Scaling:
    """What `scale` has found: an outcome for each value of a size.

    Attributes
    ----------
    workload : Workload
        What was done.
    size : str
        The size that grew.
    machine : dict of str to str
        On what.
    outcomes : list of Outcome
        In the order of the size.
    interrupted : bool
        Whether Ctrl-C ended it.
    """

    workload: Workload
    size: str
    machine: dict[str, str]
    outcomes: list[Outcome]
    interrupted: bool = False

    def finished(self) -> list[Outcome]:
        """The outcomes that are whole."""
        return [outcome for outcome in self.outcomes if outcome.complete]

    def contestants(self) -> list[str]:
        """Those who have figures."""
        found = {entry.contestant: None for outcome in self.finished() for entry in outcome.timed()}
        return list(found)

    def points(self, contestant: str) -> list[tuple[int, float]]:
        """Sizes and seconds of a contestant."""
        found = []
        for outcome in self.finished():
            entry = outcome.entry(contestant)
            median = None if entry is None else figure(entry.seconds.get("step", []))
            if median is not None:
                found.append((outcome.sizes[self.size], median.median))
        return found

    def lines(self) -> list[list[str]]:
        """The table: a row for each size, and the exponents."""
        names = self.contestants()
        table = [[self.size, *names]]
        for outcome in self.finished():
            entries = [outcome.entry(name) for name in names]
            times = [None if entry is None else figure(entry.seconds.get("step", [])) for entry in entries]
            table.append([f"{outcome.sizes[self.size]:,}", *map(duration, times)])
        points = [self.points(name) for name in names]
        table.append(["exponent", *(signed(exponent(some)) for some in points)])
        table.append(["at the end", *(signed(exponent(some[-2:])) for some in points)])
        return table

    def head(self) -> str:
        """What was measured."""
        return f"{self.workload.name} by {self.size}: {self.workload.title}"

    def text(self) -> str:
        """The table, and what it was measured on."""
        end = ["Interrupted: the rest was not measured.\n"] if self.interrupted else []
        return "\n".join([self.head(), *aligned(self.lines()), "", *end, described(self.machine, self.outcomes)])

    def markdown(self) -> str:
        """The same in Markdown."""
        return "\n".join([self.head(), "", piped(self.lines()), "", described(self.machine, self.outcomes)])

    def json(self) -> str:
        """Everything."""
        found: dict[str, Any] = {
            "command": "scale",
            "workload": self.workload.name,
            "size": self.size,
            "interrupted": self.interrupted,
            "machine": self.machine,
            "exponents": {name: exponent(self.points(name)) for name in self.contestants()},
            "points": {name: self.points(name) for name in self.contestants()},
            "outcomes": [asdict(outcome) for outcome in self.finished()],
        }
        return json.dumps(found, indent=1, ensure_ascii=False)


def exponent(points: Sequence[tuple[int, float]]) -> float | None:
    """The slope of the line through the logarithms, by least squares; None for fewer than two sizes."""
    if len({size for size, _ in points}) < 2:
        return None
    logs = [(math.log(size), math.log(seconds)) for size, seconds in points]
    x = sum(a for a, _ in logs) / len(logs)
    y = sum(b for _, b in logs) / len(logs)
    return sum((a - x) * (b - y) for a, b in logs) / sum((a - x) ** 2 for a, _ in logs)


def signed(slope: float | None) -> str:
    """An exponent with two digits behind the point."""
    return "-" if slope is None else f"{slope:.2f}"


def scale(
    workload: Workload,
    size: str,
    values: Sequence[int],
    options: Options,
    machine: dict[str, str],
    advance: Callable[[], Any] = lambda: None,
) -> Scaling:
    """Hold the contest of a workload for each value of one of its sizes."""
    found = Scaling(workload, size, machine, [])
    for value in values:
        found.outcomes.append(hold(workload, replace(options, sizes={**options.sizes, size: value}), advance))
        if not found.outcomes[-1].complete:
            found.interrupted = True
            break
    return found
