"""Pictures of reports, with matplotlib: ratios, parts of steps, and growth on logarithmic axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.report import Report
from benchmarks.scaling import Scaling, exponent
from benchmarks.statistics import figure, ratio_of
from benchmarks.workload import CONTESTANTS, YARDSTICK

COLOURS = dict(
    zip(
        CONTESTANTS,
        ("#444444", "#999999", "#c1121f", "#f77f00", "#1982c4", "#2a9d8f", "#6a4c93", "#8a5a44", "#8ac926", "#b5838d"),
        strict=True,
    )
)
"""By contestant, the same in all pictures."""

MARKERS = dict(zip(CONTESTANTS, "|.o*sDv^<>", strict=True))


def canvas(width: float, height: float) -> tuple[Any, Any]:
    """A figure and its axes."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams["svg.hashsalt"] = "chainrule"
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def contests(report: Report, path: str) -> None:
    """Draw a report: ratios for ``compare``, parts of steps for ``run``."""
    (ratios if report.command == "compare" else parts)(report, path)


def ratios(report: Report, path: str) -> None:
    """A line for each workload: the ratio of each contestant to the code by hand, and its quartiles."""
    outcomes = [outcome for outcome in report.finished() if outcome.timed()]
    picture, axes = canvas(9, 1.2 + 0.4 * len(outcomes))
    shown = set()
    for line, outcome in enumerate(outcomes):
        for entry in reversed(outcome.timed()):  # ours come last, and lie on top
            times, name = ratio_of(outcome, entry), entry.contestant
            if times is None or name == YARDSTICK:
                continue
            label = None if name in shown else CONTESTANTS[name]
            shown.add(name)
            axes.plot([times.low, times.high], [line, line], color=COLOURS[name], lw=2, alpha=0.5)
            axes.plot(times.median, line, MARKERS[name], color=COLOURS[name], ms=7, label=label, zorder=3)
    axes.axvline(1, color=COLOURS[YARDSTICK], lw=1)
    axes.set_xscale("log")
    axes.set_yticks(range(len(outcomes)), [outcome.label for outcome in outcomes])
    axes.set_ylim(len(outcomes) - 0.4, -0.6)
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel("time of a step ÷ NumPy by hand (left is faster)")
    handles = dict(zip(*reversed(axes.get_legend_handles_labels())))
    order = [title for title in CONTESTANTS.values() if title in handles]
    if order:
        axes.legend(
            [handles[title] for title in order], order, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False
        )
    picture.savefig(path)


def parts(report: Report, path: str) -> None:
    """A bar for each contestant: forward, backward and the rest of the step, as parts of the step by hand."""
    bars = [
        (f"{outcome.label}: {entry.contestant}", outcome, entry)
        for outcome in report.finished()
        for entry in outcome.timed()
    ]
    picture, axes = canvas(8, 1.2 + 0.3 * len(bars))
    for line, (_, outcome, entry) in enumerate(bars):
        yardstick = outcome.entry(YARDSTICK)
        unit = None if yardstick is None else figure(yardstick.seconds.get("step", []))
        if unit is None:
            continue
        found = {part: figure(times) for part, times in entry.seconds.items()}
        lengths = {part: one.median / unit.median for part, one in found.items() if one is not None}
        left = 0.0
        for part, colour in (("forward", "#1982c4"), ("backward", "#c1121f")):
            axes.barh(line, lengths.get(part, 0.0), left=left, color=colour, label=None if line else part)
            left += lengths.get(part, 0.0)
        rest = max(0.0, lengths["step"] - left)
        axes.barh(line, rest, left=left, color="#bbbbbb", label=None if line else "rest, or all of it")
    axes.set_yticks(range(len(bars)), [label for label, _, _ in bars])
    axes.invert_yaxis()
    axes.axvline(1, color=COLOURS[YARDSTICK], lw=1)
    axes.set_xlabel("time ÷ step of NumPy by hand")
    axes.legend(frameon=False)
    picture.savefig(path)


def growth(scaling: Scaling, path: str) -> None:
    """Time against size on logarithmic axes, with the fitted exponents."""
    picture, axes = canvas(7, 4.5)
    for name in scaling.contestants():
        points = scaling.points(name)
        slope = exponent(points)
        sizes, seconds = (np.array(column) for column in zip(*points))
        label = CONTESTANTS[name] if slope is None else f"{CONTESTANTS[name]}: exponent {slope:.2f}"
        axes.plot(sizes, seconds, MARKERS[name], color=COLOURS[name], label=label)
        if slope is not None:
            middle = np.exp(np.mean(np.log(seconds)) - slope * np.mean(np.log(sizes)))
            axes.plot(sizes, middle * sizes**slope, color=COLOURS[name], lw=1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(scaling.size)
    axes.set_ylabel("seconds of a step")
    axes.set_title(scaling.head(), fontsize=9)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    picture.savefig(path)
