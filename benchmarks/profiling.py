"""Where the time of a step goes: the clock is read at every operation recorded, and at every edge of the walk back.

This is a watch, as `autograd.detect_anomaly` is one: the engine shows it each node when it is recorded, and each
contribution when it is computed. What passes between two sights is charged to the second: for an operation this is
NumPy's work, the engine's, and that of the code that called it. What comes after the last sight is the rest: handing
gradients over, and the update. Being watched costs time, so the total without a watch stands beside.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

from benchmarks.workload import Contestant

Table = dict[str, dict[str, float]]


def profile(contestant: Contestant, steps: int) -> dict[str, Any]:
    """Return seconds for each op, forward and backward, on average over some steps.

    Returns
    -------
    dict
        ``ops``: for each op's name its ``calls``, ``edges``, and seconds ``forward`` and ``backward``; ``rest``,
        ``watched`` and ``plain``: seconds of the rest, of a step that is watched, and of one that is not.
    """
    from autograd.chain_rule import Step
    from autograd.modes import Mode, ModeContext, current
    from autograd.record import Node

    ops: Table = {}
    seen = 0.0

    def note(op: str, count: str, direction: str) -> None:
        nonlocal seen
        row = ops.setdefault(op, {"calls": 0, "forward": 0.0, "edges": 0, "backward": 0.0})
        row[count] += 1
        row[direction] += perf_counter() - seen
        seen = perf_counter()

    class Stopwatch(ModeContext):
        """The context, and the watch in it."""

        def mode(self) -> Mode:
            return current()._replace(watch=self)

        def recorded(self, node: Node, values: list[Any], out: Any) -> None:
            note(node.op.name, "calls", "forward")

        def stepped(self, step: Step) -> None:
            note(step.node.op.name, "edges", "backward")

    def watched() -> tuple[float, float]:
        """Seconds of a step, and of its rest."""
        nonlocal seen
        with Stopwatch():
            start = seen = perf_counter()
            contestant.step()
            end = perf_counter()
        return end - start, end - seen

    contestant.step()
    start = perf_counter()
    for _ in range(steps):
        contestant.step()
    plain = (perf_counter() - start) / steps
    watched()
    ops.clear()  # the first one has filled caches
    totals = [watched() for _ in range(steps)]
    return {
        "ops": {op: {what: value / steps for what, value in row.items()} for op, row in ops.items()},
        "rest": sum(rest for _, rest in totals) / steps,
        "watched": sum(total for total, _ in totals) / steps,
        "plain": plain,
    }
