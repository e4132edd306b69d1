"""Reports: one record of what was measured, and from it a table for readers, Markdown, JSON, and pyperf's JSON.

All of them are made from the same `Report`, so they agree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks.contest import Entry, Outcome
from benchmarks.statistics import Figure, figure, ratio_of, suite
from benchmarks.workload import YARDSTICK


@dataclass
class Report:
    """What a command has found.

    Attributes
    ----------
    command : str
        ``"run"`` or ``"compare"``.
    machine : dict of str to str
        On what; see `machine.py`.
    outcomes : list of Outcome
        For each workload.
    interrupted : bool
        Whether Ctrl-C ended it.
    """

    command: str
    machine: dict[str, str]
    outcomes: list[Outcome]
    interrupted: bool = False

    def finished(self) -> list[Outcome]:
        """The workloads that have figures, or never will have."""
        return [outcome for outcome in self.outcomes if outcome.complete or outcome.timed()]

    def wrong(self) -> list[str]:
        """Who did not compute what the yardstick did, or failed."""
        return [
            f"{outcome.workload}: {entry.contestant} {'is wrong' if entry.state == 'wrong' else 'failed'}: {entry.note}"
            for outcome in self.outcomes
            for entry in outcome.entries
            if entry.state in ("wrong", "failed")
        ]

    # As text

    def text(self) -> str:
        """A table for each workload, and what it was measured on."""
        parts = [self.table(outcome) for outcome in self.finished()]
        if self.interrupted:
            parts.append("Interrupted: the rest was not measured.")
        return "\n\n".join([*parts, described(self.machine, self.outcomes)])

    def table(self, outcome: Outcome) -> str:
        """The table of a workload: a line for each contestant."""
        columns = self.columns([outcome])
        lines = [["", *columns]]
        for entry in outcome.entries:
            if entry.state == "timed":
                cells = self.cells(outcome, entry)
                lines.append([entry.contestant, *(cells[column] for column in columns)])
        return "\n".join([headline(outcome), *aligned(lines), *remarks(outcome)])

    def columns(self, outcomes: Sequence[Outcome]) -> list[str]:
        """The columns of this command's table of these outcomes."""
        if self.command == "compare":
            return ["median", "spread", "× by hand", "quartiles"]
        columns = ["forward", "backward", "step", "spread", "× by hand", "peak", "kept", "nodes", "process"]
        weighed = any("installed" in entry.measures for outcome in outcomes for entry in outcome.entries)
        return [*columns, "installed"] if weighed else columns

    def cells(self, outcome: Outcome, entry: Entry) -> dict[str, str]:
        """The cells of a contestant that has figures."""
        step, times = figure(entry.seconds.get("step", [])), ratio_of(outcome, entry)
        return {
            "median": duration(step),
            "step": duration(step),
            "spread": "-" if step is None else f"{100 * step.spread:.0f} %",
            "× by hand": "-" if times is None else number(times.median),
            "quartiles": "-" if times is None else f"{number(times.low)} to {number(times.high)}",
            "forward": duration(figure(entry.seconds.get("forward", []))),
            "backward": duration(figure(entry.seconds.get("backward", []))),
            "peak": size(entry.measures.get("peak")),
            "process": size(entry.measures.get("resident")),
            "installed": size(entry.measures.get("installed")),
            "kept": size(entry.measures.get("kept")),
            "nodes": f"{entry.measures['nodes']:,}" if "nodes" in entry.measures else "-",
        }

    # As Markdown

    def markdown(self) -> str:
        """One table for all: of ratios to the code by hand for ``compare``, else a row for each contestant."""
        lines = self.matrix() if self.command == "compare" else self.rows()
        end = ["", "Interrupted: the rest was not measured."] if self.interrupted else []
        return "\n".join([piped(lines), *end, "", described(self.machine, self.outcomes)])

    def matrix(self) -> list[list[str]]:
        """A row for each workload: the yardstick's time, and ratios to it."""
        finished = self.finished()
        shown = {entry.contestant: None for outcome in finished for entry in outcome.timed()}
        names = [entry.contestant for entry in (finished[0].entries if finished else []) if entry.contestant in shown]
        lines = [["workload", *names]]
        for outcome in finished:
            cells = []
            for name in names:
                entry = outcome.entry(name)
                if entry is None or entry.state != "timed":
                    cells.append(entry.state if entry is not None and entry.state in ("wrong", "failed") else "-")
                    continue
                found = self.cells(outcome, entry)
                cells.append(found["median"] if name == YARDSTICK else f"{found['× by hand']} ({found['median']})")
            lines.append([outcome.label, *cells])
        return lines

    def rows(self) -> list[list[str]]:
        """A row for each workload and contestant."""
        columns = self.columns(self.finished())
        lines = [["workload", "contestant", *columns]]
        for outcome in self.finished():
            for entry in outcome.timed():
                cells = self.cells(outcome, entry)
                lines.append([outcome.label, entry.contestant, *(cells[column] for column in columns)])
        return lines

    # As JSON

    def json(self) -> str:
        """Everything: each round, the figures, the measures, and what it was measured on."""
        return json.dumps(
            {
                "command": self.command,
                "interrupted": self.interrupted,
                "machine": self.machine,
                "workloads": [
                    asdict(outcome)
                    | {"entries": [asdict(entry) | figures(outcome, entry) for entry in outcome.entries]}
                    for outcome in self.finished()
                ],
            },
            indent=1,
            ensure_ascii=False,
        )

    def suite(self) -> Any:
        """The rounds as pyperf keeps them; None if nothing was timed."""
        return suite(self.outcomes, self.machine)


def figures(outcome: Outcome, entry: Entry) -> dict[str, Any]:
    """Medians and quartiles of a contestant, for JSON."""
    medians = {part: figure(times) for part, times in entry.seconds.items()}
    times = ratio_of(outcome, entry)
    return {
        "figures": {part: found._asdict() for part, found in medians.items() if found is not None},
        "ratio": None if times is None else times._asdict(),
    }


def remarks(outcome: Outcome) -> list[str]:
    """Why contestants have no figures: those together that have one reason."""
    reasons: dict[str, list[str]] = {}
    for entry in outcome.entries:
        if entry.note:
            reasons.setdefault(entry.note, []).append(entry.contestant)
    return [f"- {', '.join(names)}: {note}" for note, names in reasons.items()]


def headline(outcome: Outcome) -> str:
    """What a table is about."""
    return f"{outcome.label}: {outcome.title}, {outcome.dtype}{'' if outcome.complete else ' (interrupted)'}"


def described(machine: Mapping[str, str], outcomes: Sequence[Outcome]) -> str:
    """What it was measured on, in a paragraph."""
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores; threads of each contestant: {machine['threads']}; "
        f"{machine['system']}; load before {machine['load']}; {machine['date']}.",
    ]
    versions: dict[str, None] = {}
    for outcome in outcomes:
        for entry in outcome.entries:
            if "blas" in entry.about and entry.contestant == YARDSTICK:
                lines.append(
                    f"Python {entry.about['python']}, NumPy {entry.about['numpy']} with {entry.about['blas']}."
                )
            if "library" in entry.about and entry.contestant != "compiled":
                versions[f"{entry.contestant} {entry.about['library']}"] = None
    if versions:
        lines.append(f"{', '.join(versions)}.")
    if "settings" in machine:
        lines.append(f"{machine['settings']}.")
    return "\n".join(dict.fromkeys(lines))


@dataclass
class Profile:
    """Where the time of the steps of some workloads goes.

    Attributes
    ----------
    machine : dict of str to str
        On what.
    found : dict of str to dict
        By workload, what `profiling.profile` returns, and ``title``.
    interrupted : bool
        Whether Ctrl-C ended it.
    """

    machine: dict[str, str]
    found: dict[str, dict[str, Any]]
    interrupted: bool = False

    def lines(self, workload: str) -> list[list[str]]:
        """The table of a workload: its ops, the dearest first."""
        found = self.found[workload]
        ops = sorted(found["ops"].items(), key=lambda item: -item[1]["forward"] - item[1]["backward"])
        table = [["op", "calls", "forward", "edges", "backward", "share"]]
        for op, row in ops:
            share = (row["forward"] + row["backward"]) / found["watched"]
            times = [seconds(row["forward"]), f"{row['edges']:,.0f}", seconds(row["backward"])]
            table.append([op, f"{row['calls']:,.0f}", *times, f"{100 * share:.1f} %"])
        forward, backward = (sum(row[part] for row in found["ops"].values()) for part in ("forward", "backward"))
        table.append(
            ["the rest", "", "", "", seconds(found["rest"]), f"{100 * found['rest'] / found['watched']:.1f} %"]
        )
        table.append(["all", "", seconds(forward), "", seconds(backward + found["rest"]), "100.0 %"])
        return table

    def head(self, workload: str) -> str:
        """What a table is about."""
        found = self.found[workload]
        return (
            f"{workload}: {found['title']}; a step takes {seconds(found['plain'])}, "
            f"and {seconds(found['watched'])} while it is watched"
        )

    def text(self) -> str:
        """A table for each workload, and what it was measured on."""
        parts = ["\n".join([self.head(name), *aligned(self.lines(name))]) for name in self.found]
        return "\n\n".join([*parts, *self.remarks(), described(self.machine, [])])

    def markdown(self) -> str:
        """The same in Markdown."""
        parts = [f"{self.head(name)}\n\n{piped(self.lines(name))}" for name in self.found]
        return "\n\n".join([*parts, *self.remarks(), described(self.machine, [])])

    def remarks(self) -> list[str]:
        """What to say besides."""
        return ["Interrupted: the rest was not measured."] if self.interrupted else []

    def json(self) -> str:
        """Everything."""
        found = {
            "command": "profile",
            "interrupted": self.interrupted,
            "machine": self.machine,
            "workloads": self.found,
        }
        return json.dumps(found, indent=1, ensure_ascii=False)


# Files


class Written(Protocol):
    """What has been found by a command, in all forms."""

    def text(self) -> str:
        """For readers."""

    def markdown(self) -> str:
        """As a Markdown table."""

    def json(self) -> str:
        """Everything."""


def write(report: Written, as_json: str | None, as_markdown: str | None) -> None:
    """Write the files that are asked for, and say so."""
    for path, content in ((as_json, report.json), (as_markdown, report.markdown)):
        if path:
            Path(path).write_text(content() + "\n", "utf-8")
            print(f"report in {path}")


# Cells


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Lines of columns: the first to the left, the others to the right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    widths[0] = max(widths[0], 14)
    return [
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))]
        ).rstrip()
        for line in lines
    ]


def piped(lines: Sequence[Sequence[str]]) -> str:
    """Lines of columns as a Markdown table."""
    table = ["| " + " | ".join(cells) + " |" for cells in lines]
    table.insert(1, "|" + "---|" * len(lines[0]))
    return "\n".join(table)


UNITS = (("s", 1.0), ("ms", 1e3), ("µs", 1e6))


def duration(found: Figure | None) -> str:
    """A median time; - for none."""
    return "-" if found is None else seconds(found.median)


def seconds(value: float) -> str:
    """A time with three digits and its unit."""
    unit, factor = next(((unit, factor) for unit, factor in UNITS if value * factor >= 1), UNITS[-1])
    return f"{number(value * factor)} {unit}"


def number(value: float) -> str:
    """A number with three digits, but all those in front of the point."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


BYTES = (("kB", 1e3), ("MB", 1e6), ("GB", 1e9))


def size(count: int | None) -> str:
    """A number of bytes, in a unit that suits it."""
    if count is None:
        return "-"
    if count < 1000:
        return f"{count} B"
    unit, factor = next(((unit, factor) for unit, factor in BYTES if count < 1000 * factor), BYTES[-1])
    return f"{number(count / factor)} {unit}"
