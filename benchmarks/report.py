"""Reports: one record of what was measured, and from it a table for readers, Markdown, JSON, and pyperf's JSON.

All of them are made from the same `Report`, so they agree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
        columns = self.columns()
        lines = [["", *columns]]
        for entry in outcome.entries:
            if entry.state == "timed":
                cells = self.cells(outcome, entry)
                lines.append([entry.contestant, *(cells[column] for column in columns)])
        remarks = [
            f"{entry.contestant:14} - {entry.note}"
            for entry in outcome.entries
            if entry.state in ("absent", "missing", "wrong", "failed")
        ]
        return "\n".join([f"{outcome.workload}: {headline(outcome)}", *aligned(lines), *remarks])

    def columns(self) -> list[str]:
        """The columns of this command's tables."""
        if self.command == "compare":
            return ["median", "spread", "× by hand", "quartiles"]
        return ["forward", "backward", "step", "spread", "× by hand", "peak memory", "kept", "nodes"]

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
            "peak memory": size(entry.measures.get("peak")),
            "kept": size(entry.measures.get("kept")),
            "nodes": f"{entry.measures['nodes']:,}" if "nodes" in entry.measures else "-",
        }

    # As Markdown

    def markdown(self) -> str:
        """One table for all: of ratios to the code by hand for ``compare``, else a row for each contestant."""
        lines = self.matrix() if self.command == "compare" else self.rows()
        table = ["| " + " | ".join(cells) + " |" for cells in lines]
        table.insert(1, "|" + "---|" * len(lines[0]))
        end = ["", "Interrupted: the rest was not measured."] if self.interrupted else []
        return "\n".join([*table, *end, "", described(self.machine, self.outcomes)])

    def matrix(self) -> list[list[str]]:
        """A row for each workload: the yardstick's time, and ratios to it."""
        finished = self.finished()
        shown = {entry.contestant: None for outcome in finished for entry in outcome.timed()}
        names = [
            entry.contestant for entry in (finished[0].entries if finished else []) if entry.contestant in shown
        ]
        lines = [["workload", *names]]
        for outcome in finished:
            cells = []
            for name in names:
                entry = outcome.entry(name)
                if entry is None or entry.state != "timed":
                    cells.append("wrong" if entry is not None and entry.state == "wrong" else "-")
                    continue
                found = self.cells(outcome, entry)
                cells.append(found["median"] if name == YARDSTICK else f"{found['× by hand']} ({found['median']})")
            lines.append([f"{outcome.workload}: {headline(outcome)}", *cells])
        return lines

    def rows(self) -> list[list[str]]:
        """A row for each workload and contestant."""
        columns = self.columns()
        lines = [["workload", "contestant", *columns]]
        for outcome in self.finished():
            for entry in outcome.timed():
                cells = self.cells(outcome, entry)
                lines.append([outcome.workload, entry.contestant, *(cells[column] for column in columns)])
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

    # Files

    def write(self, as_json: str | None, markdown: str | None, as_pyperf: str | None) -> list[str]:
        """Write the files that are asked for; return what to say of them."""
        said = []
        for path, content in ((as_json, self.json), (markdown, self.markdown)):
            if path:
                Path(path).write_text(content() + "\n", "utf-8")
                said.append(f"report in {path}")
        if as_pyperf:
            timed = suite(self.outcomes, self.machine)
            if timed is None:
                said.append(f"nothing was timed: {as_pyperf} was not written")
            else:
                timed.dump(as_pyperf, replace=True)
                said.append(f"rounds, as pyperf keeps them, in {as_pyperf}")
        return said


def figures(outcome: Outcome, entry: Entry) -> dict[str, Any]:
    """Medians and quartiles of a contestant, for JSON."""
    medians = {part: figure(times) for part, times in entry.seconds.items()}
    times = ratio_of(outcome, entry)
    return {
        "figures": {part: found._asdict() for part, found in medians.items() if found is not None},
        "ratio": None if times is None else times._asdict(),
    }


def headline(outcome: Outcome) -> str:
    """The title of a workload, and how it was run."""
    return f"{outcome.title}, {outcome.dtype}{'' if outcome.complete else ' (interrupted)'}"


def described(machine: Mapping[str, str], outcomes: Sequence[Outcome]) -> str:
    """What it was measured on, in a paragraph."""
    facts = dict(machine)
    lines = [
        f"{facts.pop('cpu')}, {facts.pop('cores')} cores; {facts.pop('threads')} threads each; {facts.pop('system')}; "
        f"load before {facts.pop('load')}; {facts.pop('date')}.",
    ]
    versions: dict[str, None] = {}
    for outcome in outcomes:
        for entry in outcome.entries:
            if "blas" in entry.about and entry.contestant == YARDSTICK:
                lines.append(f"Python {entry.about['python']}, NumPy {entry.about['numpy']} with {entry.about['blas']}.")
            if "library" in entry.about:
                versions[f"{entry.contestant} {entry.about['library']}"] = None
    if versions:
        lines.append(f"{', '.join(versions)}.")
    if "settings" in facts:
        lines.append(f"{facts['settings']}.")
    return "\n".join(dict.fromkeys(lines))


# Cells


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Lines of columns: the first to the left, the others to the right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    widths[0] = max(widths[0], 14)
    return [
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))]).rstrip()
        for line in lines
    ]


def duration(found: Figure | None) -> str:
    """A time with three digits and its unit."""
    if found is None:
        return "-"
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if found.median * factor >= 1:
            break
    return f"{number(found.median * factor)} {unit}"


def number(value: float) -> str:
    """A number with three digits, but all those in front of the point."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def size(count: int | None) -> str:
    """A number of bytes, in a unit that suits it."""
    if count is None:
        return "-"
    for unit, factor in (("B", 1), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9)):
        if count < 1000 * factor or unit == "GB":
            break
    return f"{count} B" if unit == "B" else f"{number(count / factor)} {unit}"
