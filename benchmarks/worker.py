"""One contestant in a process of its own, which does what the contest asks of it: ``python -P benchmarks/worker.py``.

Requests and answers are lines of JSON. The process is started by its file, so that it can run in any environment: there
it finds this package, but not `autograd`, unless the contestant is one of ours. It needs nothing but NumPy.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

HERE = Path(__file__).parent


def find_benchmarks() -> None:
    """Make this package importable, and nothing that lies beside it."""
    spec = importlib.util.spec_from_file_location(
        "benchmarks", HERE / "__init__.py", submodule_search_locations=[str(HERE)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["benchmarks"] = package
    spec.loader.exec_module(package)


def pin(threads: int) -> None:
    """Give the process as many processors as it may have threads; some libraries listen to nothing else."""
    if threads and hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[-threads:])


class Worker:
    """A contestant, and what can be asked of it: each public method is a request.

    Parameters
    ----------
    workload, contestant : str
        Which.
    sizes : dict of str to int
        Sizes that differ from the workload's own.
    dtype : str or None
        The workload's own, if None.
    threads : int
        How many it may use; 0 for all.
    """

    def __init__(self, workload: str, contestant: str, sizes: dict[str, int], dtype: str | None, threads: int) -> None:
        pin(threads)
        from benchmarks.workload import OURS
        from benchmarks.workloads import WORKLOADS

        if contestant in OURS:
            sys.path.insert(0, str(HERE.parent))
        self.name, self.sizes, self.dtype, self.threads = contestant, sizes, dtype, threads
        self.workload = WORKLOADS[workload]

    def build(self, **options: Any) -> None:
        """Make the contestant, with these options of the workload."""
        self.options = options
        self.given = self.workload.given(self.sizes, self.dtype, threads=self.threads, **options)
        self.contestant = self.workload.build(self.name, self.given)

    def results(self, path: str, steps: int) -> dict[str, Any]:
        """Take some steps, write what must agree to a file, and return the numbers that the steps gave."""
        import numpy as np

        values = [self.contestant.step() for _ in range(steps)]
        np.savez(path, *map(np.asarray, self.contestant.found()))
        return {"values": values}

    def lead(self, seconds: float) -> None:
        """Take steps that are not timed, for so long, and one at least."""
        end = perf_counter() + seconds
        self.contestant.step()
        while perf_counter() < end:
            self.contestant.step()

    def time(self, calls: int, parts: bool = False) -> dict[str, float]:
        """Return seconds for each call, on average: of the step, or of its parts."""
        if not parts:
            step = self.contestant.step
            start = perf_counter()
            for _ in range(calls):
                step()
            return {"step": (perf_counter() - start) / calls}
        forward, backward = self.contestant.forward, self.contestant.backward
        if forward is None or backward is None:
            return {}
        taken = [0.0, 0.0]
        for _ in range(calls):
            start = perf_counter()
            state = forward()
            between = perf_counter()
            backward(state)
            end = perf_counter()
            taken[0] += between - start
            taken[1] += end - between
            del state
        return {"forward": taken[0] / calls, "backward": taken[1] / calls}

    def measures(self) -> dict[str, int]:
        """Return what does not depend on time: see `measures.py`."""
        return self.workload.measures(self.name, self.workload.given(self.sizes, self.dtype, threads=self.threads))

    def profile(self, steps: int) -> dict[str, Any]:
        """Return where the time of a step goes: see `profiling.py`."""
        from benchmarks.profiling import profile

        return profile(self.contestant, steps)

    def about(self) -> dict[str, Any]:
        """Return the versions of Python, NumPy, BLAS and the contestant's library, as this process runs them."""
        from benchmarks.machine import about

        return about(self.name)


def serve(requests: Any, answer: Callable[[dict[str, Any]], None]) -> None:
    """Answer each request until there are no more."""
    worker = None
    for line in requests:
        request = json.loads(line)
        what = request.pop("do")
        try:
            if what == "start":
                worker = Worker(**request)
                answer({})
            else:
                answer(getattr(worker, what)(**request) or {})
        except ModuleNotFoundError as error:
            answer({"missing": str(error)})
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()})
        if what == "build":
            gc.collect()


def main() -> None:
    """Serve on a pipe of one's own: what libraries print goes to stderr."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who asks
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    find_benchmarks()

    def answer(reply: dict[str, Any]) -> None:
        print(json.dumps(reply), file=pipe, flush=True)

    serve(sys.stdin, answer)


if __name__ == "__main__":
    main()
