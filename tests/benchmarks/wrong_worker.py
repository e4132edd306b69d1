"""A worker in which something is wrong with ours: told by the variable WRONG."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from benchmarks import worker
from benchmarks.workload import Contestant
from benchmarks.workloads import dense

original = dense.Dense.chainrule


def wrong(self: dense.Dense, given: Any) -> Contestant:
    made = original(self, given)

    def slightly_off() -> list[Any]:
        found = [p.copy() for p in made.found()]
        found[1] += 0.01 * (found[1] - given.start[1])
        return found

    def with_another_loss() -> float:
        return float(made.step()) + 0.01

    def raises() -> float:
        raise ZeroDivisionError("planted")

    def ends() -> float:
        print("the last words", file=sys.stderr, flush=True)
        os._exit(7)

    kind = os.environ["WRONG"]
    if kind == "gradient":
        return made._replace(found=slightly_off)
    return made._replace(step={"loss": with_another_loss, "raises": raises, "ends": ends}[kind])


dense.Dense.chainrule = wrong  # type: ignore[method-assign]
worker.main()
