"""Where the peers live: each in a virtual environment of its own, or beside us if it is installed here.

`python -m benchmarks peers install` makes the environments. HIPS autograd must have its own, since its import name is
ours; the others get theirs so that their versions of NumPy and of each other cannot get in anyone's way.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.workload import CONTESTANTS, OURS


class Peer(NamedTuple):
    """What to install, and what to import to see whether it is there."""

    requirement: str
    module: str
    needs: str = ""
    """A program that it needs, without which it does nothing."""

    @property
    def distribution(self) -> str:
        """The name without a version."""
        return self.requirement.split("=")[0]


PEERS = {
    "torch": Peer("torch==2.13.0", "torch"),
    "jax": Peer("jax", "jax"),
    "hips": Peer("autograd", "autograd"),
    "mygrad": Peer("mygrad", "mygrad"),
    "micrograd": Peer("micrograd", "micrograd"),
    "tinygrad": Peer("tinygrad", "tinygrad", needs="clang"),
}
"""By contestant. PyTorch's version is that of the extra ``oracle``."""


class PeerError(RuntimeError):
    """A peer that cannot be installed."""


def home() -> Path:
    """The directory of the environments: CHAINRULE_PEERS, or a place for caches."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("CHAINRULE_PEERS") or Path(cache) / "chainrule" / "peers")


def own_interpreter(contestant: str) -> Path:
    """The interpreter of a peer's own environment, which need not be there."""
    parts = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return home().joinpath(contestant, *parts)


def interpreter(contestant: str) -> str | None:
    """The interpreter that runs a contestant; None if it is not installed."""
    if contestant in OURS:
        return sys.executable
    peer = PEERS[contestant]
    if peer.needs and shutil.which(peer.needs) is None:
        return None
    own = own_interpreter(contestant)
    if own.exists():
        return str(own)
    beside = contestant != "hips" and importlib.util.find_spec(peer.module) is not None
    return sys.executable if beside else None


def missing(contestant: str) -> str:
    """How to get a contestant that is not installed."""
    needs = PEERS[contestant].needs
    if needs and shutil.which(needs) is None:
        return f"needs {needs}, which is not installed"
    return f"not installed: python -m benchmarks peers install {contestant}"


def install(contestant: str) -> None:
    """Make the environment of a peer anew, with the NumPy that runs here.

    Raises
    ------
    PeerError
        If pip could not install it; what was there before is gone then.
    """
    peer, place = PEERS[contestant], home() / contestant
    try:
        venv.create(place, clear=True, with_pip=True)
        command = [str(own_interpreter(contestant)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, peer.requirement, f"numpy=={np.__version__}", "threadpoolctl"], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(place, ignore_errors=True)
        raise PeerError(
            f"{peer.requirement} could not be installed in {place}: {error}; see what pip says above, and try again"
        ) from error


def places() -> list[tuple[str, str, str]]:
    """For each peer its name, what it is called, and where it is found."""
    found = []
    for contestant in PEERS:
        where = interpreter(contestant)
        found.append((contestant, CONTESTANTS[contestant], missing(contestant) if where is None else where))
    return found
