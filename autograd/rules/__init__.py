"""The table of derivatives, a page per subject. Importing this package fills `autograd.table.TABLE`."""

from autograd.rules import (
    activations,
    arithmetic,
    flats,
    indexing,
    linalg,
    products,
    reductions,
    shapes,
    transcendental,
)

__all__ = [
    "activations",
    "arithmetic",
    "flats",
    "indexing",
    "linalg",
    "products",
    "reductions",
    "shapes",
    "transcendental",
]
