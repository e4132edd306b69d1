"""What a library costs before it does anything: the time of its import, in a new process.

Each call starts Python, imports the library and ends; NumPy's own import is the yardstick. Bytecode is cached, as an
installation has it, even if this process must not write any. The size of the installed library with all that it needs,
and the memory of the process after the import, are among the measures of ``run``.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
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

    def measures(self, contestant: str, given: Given) -> dict[str, int]:
        """Return the memory of the process that imports, and the size of what is installed."""
        memory = resident(MODULES[contestant], surroundings(contestant))
        return {"installed": installed_size(contestant)} | ({"resident": memory} if memory else {})

    def numpy(self, given: Given) -> Contestant:
        """NumPy itself."""
        return imported("numpy")

    def chainrule(self, given: Given) -> Contestant:
        """The engine and `nn`, from this repository."""
        return imported("chainrule")

    def torch(self, given: Given) -> Contestant:
        """PyTorch."""
        return imported("torch")

    def jax(self, given: Given) -> Contestant:
        """JAX with its NumPy."""
        return imported("jax")

    def hips(self, given: Given) -> Contestant:
        """HIPS autograd with its NumPy."""
        return imported("hips")

    def mygrad(self, given: Given) -> Contestant:
        """MyGrad."""
        return imported("mygrad")

    def micrograd(self, given: Given) -> Contestant:
        """micrograd."""
        return imported("micrograd")

    def tinygrad(self, given: Given) -> Contestant:
        """tinygrad."""
        return imported("tinygrad")


MODULES = {
    "numpy": "numpy",
    "chainrule": "autograd, nn",
    "torch": "torch",
    "jax": "jax.numpy",
    "hips": "autograd.numpy, autograd",
    "mygrad": "mygrad",
    "micrograd": "micrograd.engine",
    "tinygrad": "tinygrad",
}
"""What each contestant imports."""


def imported(contestant: str) -> Contestant:
    """Return the contestant that imports its modules in a new process."""
    command, environment = [sys.executable, "-P", "-c", f"import {MODULES[contestant]}"], surroundings(contestant)

    def step() -> None:
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

    return Contestant(step, list)


def surroundings(contestant: str) -> dict[str, str]:
    """The environment in which it is found, and may be cached."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return environment | ({"PYTHONPATH": str(ROOT)} if contestant == "chainrule" else {})


def resident(modules: str, surroundings: Mapping[str, str]) -> int:
    """Peak memory of a process that has imported these modules, in bytes; 0 where it is not told."""
    tell = f"import {modules}\nprint(open('/proc/self/status').read())"
    done = subprocess.run([sys.executable, "-P", "-c", tell], env=surroundings, capture_output=True, text=True)
    found = re.search(r"VmHWM:\s+(\d+) kB", done.stdout)
    return 1024 * int(found[1]) if found else 0


def installed_size(contestant: str) -> int:
    """Bytes of a library's files and of all that it requires, as they are installed here."""
    if contestant == "chainrule":
        own = sum(size_of(path) for package in ("autograd", "nn") for path in (ROOT / package).rglob("*.*"))
        return own + files_of(NEEDED)
    return files_of([{"hips": "autograd"}.get(contestant, contestant)])


NEEDED = ("numpy", "graphviz", "tqdm", "safetensors")
"""What this project requires; a checkout need not be installed."""


def files_of(distributions: Iterable[str]) -> int:
    """Bytes of the files of distributions and of what they require; of those that are not installed none."""
    waiting, seen, total = list(distributions), set(), 0
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
