"""Sizes that make each workload take no time."""

from __future__ import annotations

from typing import Any

from benchmarks.workloads import WORKLOADS

SMALL: dict[str, dict[str, int]] = {
    "moons": {"width": 3, "points": 4},
    "scalar-chain": {"length": 30},
    "vector-chain": {"length": 30},
    "tiny": {"batch": 5},
    "mlp": {"inputs": 7, "width": 6, "batch": 5},
    "large": {"inputs": 7, "width": 6, "classes": 4, "batch": 5},
    "elementwise": {"size": 50},
    "normalized": {"inputs": 7, "width": 6, "batch": 5},
    "cross-entropy": {"batch": 5, "classes": 4},
    "embedding": {"taken": 12, "rows": 9, "width": 3},
    "hessian-vector": {"width": 4, "batch": 5},
    "convolution": {"first": 2, "second": 3, "batch": 4},
    "import": {},
}
assert SMALL.keys() == WORKLOADS.keys()

QUICK = ["--rounds", "1", "--seconds", "0.001"]


def sizes(**values: Any) -> list[str]:
    """Sizes as options of the command line."""
    return [part for name, value in values.items() for part in ("--size", f"{name}={value}")]
