"""What figures were measured on: they mean little without it.

`machine` describes the computer once for a report; `about` is what each contestant's process says of itself.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""The variables that libraries read when they are loaded."""

SETTINGS = (*THREADS, "OPENBLAS_CORETYPE", "MKL_ENABLE_INSTRUCTIONS", "NPY_DISABLE_CPU_FEATURES", "XLA_FLAGS")
"""The variables that change how fast NumPy and others are."""

DISTRIBUTIONS = {"chainrule": "chainrule", "compiled": "chainrule", "hips": "autograd"}
"""Of contestants whose distribution has another name."""


def about(contestant: str) -> dict[str, str]:
    """Versions of Python, NumPy, BLAS and the library, in this process."""
    import numpy as np

    found = {"python": platform.python_version(), "numpy": np.__version__, "blas": blas()}
    if not contestant.startswith("numpy"):
        try:
            version = importlib.metadata.version(DISTRIBUTIONS.get(contestant, contestant))
        except importlib.metadata.PackageNotFoundError:
            version = "from a checkout"
        found["library"] = version
    return found


def blas() -> str:
    """NumPy's BLAS: its name, version, the kernels it chose, and its threads, as far as it tells."""
    import numpy as np

    built: Any = np.show_config(mode="dicts")
    library = built["Build Dependencies"]["blas"]
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return f"{library['name']} {library['version']}"
    for pool in threadpool_info():
        if pool["user_api"] == "blas" and "numpy" in pool["filepath"]:
            kernels = f", {pool['architecture']} kernels" if "architecture" in pool else ""
            return f"{pool['internal_api']} {pool['version']}{kernels}, threads: {pool['num_threads']}"
    return f"{library['name']} {library['version']}"


def harness() -> Any:
    """Return the module pyperf.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import pyperf
    except ImportError as error:
        raise ImportError("pyperf is needed, but not installed: pip install -e '.[bench]'") from error
    return pyperf


def machine(threads: int) -> dict[str, str]:
    """The computer, its load, and the settings that matter; `threads` is what contestants were given (0: all)."""
    pyperf = harness()
    run = pyperf.Run([1.0], metadata={"name": "machine", "unit": "second"})
    metadata = run.get_metadata()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = {
        "cpu": str(metadata.get("cpu_model_name") or platform.processor() or platform.machine()),
        "cores": str(cores),
        "threads": str(threads or "all"),
        "system": platform.platform(terse=True),
        "load": f"{metadata['load_avg_1min']:.2f}" if "load_avg_1min" in metadata else "unknown",
        "date": str(metadata.get("date", ""))[:16],
        "python": f"{sys.implementation.name} {platform.python_version()}",
        "pyperf": pyperf.__version__,
    }
    settings = [f"{name}={os.environ[name]}" for name in SETTINGS if name in os.environ and name not in THREADS]
    return found | ({"settings": " ".join(settings)} if settings else {})
