"""The table of derivatives, a page per subject. Importing this package fills `autograd.table.TABLE`."""

from autograd.rules import (
    activations,
    arithmetic,
    decompositions,
    filling,
    flats,
    indexing,
    joining,
    linalg,
    order,
    products,
    reductions,
    scans,
    selection,
    shapes,
    statistics,
    transcendental,
)

__all__ = [
    "activations",
    "arithmetic",
    "decompositions",
    "filling",
    "flats",
    "indexing",
    "joining",
    "linalg",
    "order",
    "products",
    "reductions",
    "scans",
    "selection",
    "shapes",
    "statistics",
    "transcendental",
]
