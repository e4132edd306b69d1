"""The check against a stored baseline: counts that must not grow, and ratios to the code by hand that may by a margin.

Counts are the same in each run, so their margins are narrow. Ratios are not: they differ between machines, and on a
busy one from run to run, so that theirs is wide, and catches what is slower by half, not what is slower by a tenth.
Counts of memory depend on how Python and NumPy allocate, and are compared under the versions that they were taken with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.contest import Entry, Options, Outcome
from benchmarks.report import aligned, number
from benchmarks.statistics import ratio_of
from benchmarks.workload import Workload

BASELINE = Path(__file__).with_name("baseline.json")
MARGINS = {"nodes": 0.0, "kept": 0.01, "blocks": 0.1, "peak": 0.1}
"""By how much a count may exceed the baseline's, as a part of it."""

OF_MEMORY = ("blocks", "peak")
"""Counts that depend on versions."""

CHECKED = ("chainrule", "compiled")
"""Who is in the baseline, but for those that a workload is slow to get ready. A program has no counts of recording."""

Baseline = dict[str, Any]


class BaselineError(ValueError):
    """A baseline that is missing or cannot be read."""


class Verdict(NamedTuple):
    """One quantity, and whether it has grown."""

    workload: str
    contestant: str
    quantity: str
    before: float
    now: float
    allowed: float

    @property
    def regressed(self) -> bool:
        """Whether it exceeds what is allowed."""
        return self.now > self.allowed

    def shown(self, value: float) -> str:
        """One of its values, as tables have it."""
        return number(value) if self.quantity == "ratio" else f"{value:,.0f}"

    def __str__(self) -> str:
        before, now, allowed = map(self.shown, (self.before, self.now, self.allowed))
        return (
            f"{self.workload}: {self.contestant}: {self.quantity} has grown from {before} to {now}, more than {allowed}"
        )

    @property
    def improved(self) -> bool:
        """Whether it has become so much less that the baseline should follow."""
        return self.now < self.before * self.before / self.allowed if self.allowed > self.before else False


def without_slow(workload: Workload, options: Options) -> Options:
    """The options without those contestants that the workload is slow to get ready."""
    return replace(options, contestants=tuple(name for name in options.contestants if name not in workload.slow))


def versions(entry: Entry) -> str:
    """The versions that counts of memory depend on."""
    python, numpy = (entry.about.get(name, "") for name in ("python", "numpy"))
    return f"Python {'.'.join(python.split('.')[:2])}, NumPy {'.'.join(numpy.split('.')[:2])}"


def baseline_of(outcomes: Sequence[Outcome]) -> Baseline:
    """What is stored of outcomes."""
    found: Baseline = {}
    for outcome in outcomes:
        for entry in outcome.timed():
            if entry.contestant in CHECKED:
                ratio = ratio_of(outcome, entry)
                counts = {name: entry.measures[name] for name in MARGINS if name in entry.measures}
                facts: dict[str, Any] = {"versions": versions(entry), "counts": counts}
                if ratio is not None:
                    facts["ratio"] = round(ratio.median, 3)
                found.setdefault(outcome.workload, {})[entry.contestant] = facts
    return found


def read(path: Path) -> Baseline:
    """Return a stored baseline.

    Raises
    ------
    BaselineError
        If it is not there, or is no baseline.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise BaselineError(f"there is no baseline {path}; write it with check --update") from None
    except json.JSONDecodeError as error:
        raise BaselineError(f"{path} is no baseline: {error}; write it anew with check --update") from error
    if not isinstance(found, dict):
        raise BaselineError(f"{path} is no baseline; write it anew with check --update")
    return found


def write(baseline: Baseline, path: Path) -> None:
    """Store a baseline; workloads that it does not have stay as they were."""
    before = read(path) if path.exists() else {}
    path.write_text(json.dumps(before | baseline, indent=1, sort_keys=True) + "\n", "utf-8")


def compared(baseline: Baseline, outcomes: Sequence[Outcome], margin: float) -> list[Verdict]:
    """Each quantity that both have.

    Parameters
    ----------
    baseline : dict
        See `baseline_of`.
    outcomes : sequence of Outcome
        What was measured now.
    margin : float
        How many times the stored ratio a ratio may be.
    """
    verdicts = []
    for workload, contestants in baseline_of(outcomes).items():
        for contestant, now in contestants.items():
            before = baseline.get(workload, {}).get(contestant)
            if before is None:
                continue
            for name, count in now["counts"].items():
                known = before["counts"].get(name)
                if known is None or (name in OF_MEMORY and before["versions"] != now["versions"]):
                    continue
                allowed = np.floor(known * (1 + MARGINS[name]))
                verdicts.append(Verdict(workload, contestant, name, known, count, float(allowed)))
            if "ratio" in before and "ratio" in now:
                verdicts.append(
                    Verdict(workload, contestant, "ratio", before["ratio"], now["ratio"], before["ratio"] * margin)
                )
    return verdicts


def unknown(baseline: Baseline, outcomes: Sequence[Outcome]) -> list[str]:
    """What was measured and is not in the baseline."""
    return [
        f"{workload}: {contestant}"
        for workload, contestants in baseline_of(outcomes).items()
        for contestant in contestants
        if contestant not in baseline.get(workload, {})
    ]


def lost(baseline: Baseline, outcomes: Sequence[Outcome]) -> list[str]:
    """Who is in the baseline, and has no figures now."""
    now: Mapping[str, Any] = baseline_of(outcomes)
    return [
        f"{outcome.workload}: {contestant}"
        for outcome in outcomes
        for contestant in baseline.get(outcome.workload, {})
        if contestant not in now.get(outcome.workload, {})
    ]


def table(verdicts: Sequence[Verdict]) -> str:
    """A line for each quantity."""
    lines = [["", "contestant", "quantity", "before", "now", "allowed", ""]]
    for verdict in verdicts:
        shown = map(verdict.shown, (verdict.before, verdict.now, verdict.allowed))
        mark = "regressed" if verdict.regressed else "less" if verdict.improved else "ok"
        lines.append([verdict.workload, verdict.contestant, verdict.quantity, *shown, mark])
    return "\n".join(aligned(lines))
