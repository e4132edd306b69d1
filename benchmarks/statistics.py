"""From the seconds of rounds to figures: medians and quartiles, which pyperf computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.contest import Entry, Outcome
from benchmarks.machine import harness
from benchmarks.workload import YARDSTICK

Times = Sequence[float | None]


class Figure(NamedTuple):
    """A median, and the quartiles on both sides of it."""

    median: float
    low: float
    high: float

    @property
    def spread(self) -> float:
        """Distance of the quartiles, relative to the median."""
        return (self.high - self.low) / self.median


def figure(values: Times) -> Figure | None:
    """The figure of some values; None if there are none."""
    known = [value for value in values if value]
    if not known:
        return None
    pyperf = harness()
    run = pyperf.Run(known, metadata={"name": "figure"}, collect_metadata=False)
    benchmark = pyperf.Benchmark([run])
    return Figure(benchmark.median(), benchmark.percentile(25), benchmark.percentile(75))


def ratio(times: Times, yardstick: Times) -> Figure | None:
    """The ratios within each round in which both had a turn."""
    return figure([one / other for one, other in zip(times, yardstick) if one and other])


def ratio_of(outcome: Outcome, entry: Entry, part: str = "step") -> Figure | None:
    """How much longer a contestant takes than the yardstick, in a workload."""
    yardstick = outcome.entry(YARDSTICK)
    return None if yardstick is None else ratio(entry.seconds.get(part, []), yardstick.seconds.get(part, []))


def suite(outcomes: Sequence[Outcome], metadata: dict[str, str]) -> Any:
    """The seconds of all steps as pyperf keeps them, a benchmark for each workload and contestant; None for none."""
    pyperf, benchmarks = harness(), []
    for outcome in outcomes:
        for entry in outcome.timed():
            facts = {"name": f"{outcome.workload} {entry.contestant}", "unit": "second", "description": outcome.title}
            facts |= {f"machine_{name}": value for name, value in metadata.items()}
            values = [value for value in entry.seconds["step"] if value]
            benchmarks.append(pyperf.Benchmark([pyperf.Run(values, metadata=facts, collect_metadata=False)]))
    return pyperf.BenchmarkSuite(benchmarks) if benchmarks else None
