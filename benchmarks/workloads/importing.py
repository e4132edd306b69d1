"""What a library costs before it does anything: the time of its import, in a new process.

Each call starts Python, imports the library and ends; NumPy's own import is the yardstick. The size of the installed
library with all that it needs, and the memory of the process after the import, are among the measures of ``run``.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import Contestant, Given, Workload

ROOT = Path(__file__).parent.parent.parent


class Importing(Workload):
    """The import of each library."""

    name = "import"
    title = "import in a new process"
    sizes = {}
    dtypes = ("float64",)

    def inputs(self, given: Given, rng: np.random.Generator) -> None:
        """Nothing is needed."""

    def numpy(self, given: Given) -> Contestant:
        """NumPy itself."""
        return imported("numpy")

    def chainrule(self, given: Given) -> Contestant:
        """The engine and `nn`, from this repository."""
        return imported("autograd, nn", {"PYTHONPATH": str(ROOT)})

    def torch(self, given: Given) -> Contestant:
        """PyTorch."""
        return imported("torch")

    def jax(self, given: Given) -> Contestant:
        """JAX with its NumPy."""
        return imported("jax.numpy")

    def hips(self, given: Given) -> Contestant:
        """HIPS autograd with its NumPy."""
        return imported("autograd.numpy, autograd")

    def mygrad(self, given: Given) -> Contestant:
        """MyGrad."""
        return imported("mygrad")

    def micrograd(self, given: Given) -> Contestant:
        """micrograd."""
        return imported("micrograd.engine")

    def tinygrad(self, given: Given) -> Contestant:
        """tinygrad."""
        return imported("tinygrad")


def imported(modules: str, environment: dict[str, str] | None = None) -> Contestant:
    """Return the contestant that imports these modules in a new process."""
    command = [sys.executable, "-P", "-c", f"import {modules}"]
    surroundings = os.environ | (environment or {})

    def step() -> None:
        subprocess.run(command, env=surroundings, check=True, stdout=subprocess.DEVNULL)

    return Contestant(step, list)


def resident_after_import() -> int:
    """Peak memory of the processes that imported, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def installed_size(distribution: str) -> int:
    """Bytes of a distribution's files and of all that it requires, as they are installed; 0 if it is not."""
    waiting, seen, total = [distribution], set(), 0
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        total += sum(size_of(file.locate()) for file in found.files or ())
        waiting += [re.split(r"[^\w.-]", line)[0] for line in found.requires or () if "extra ==" not in line]
    return total


def size_of(path: Any) -> int:
    """Bytes of a file; 0 if it is not there."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


IMPORTING = Importing()
