"""Trees: nested tuples, lists and dicts of values.

A container is a tuple, a named tuple, a list or a dict (or a class derived from one of them); None is a container of
nothing; anything else is a leaf. The *structure* of a tree is the same tree with `LEAF` in the place of each leaf.

>>> leaves, structure = flatten({"w": [1.0, 2.0], "b": (3.0, None)})
>>> leaves
[1.0, 2.0, 3.0]
>>> structure
{'w': [*, *], 'b': (*, None)}
>>> unflatten(structure, "xyz")
{'w': ['x', 'y'], 'b': ('z', None)}
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

from autograd.errors import ShapeError


class Leaf:
    """Stands where a leaf was."""

    def __repr__(self) -> str:
        return "*"


LEAF = Leaf()
CONTAINERS = (tuple, list, dict)


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with `function` applied to each leaf, from the first to the last."""
    if not isinstance(tree, CONTAINERS):
        return None if tree is None else function(tree)
    if isinstance(tree, dict):
        twin = copy.copy(tree)  # keeps the class, and what a defaultdict knows
        for key, part in tree.items():
            twin[key] = map_leaves(function, part)
        return twin
    parts = [map_leaves(function, part) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """The leaves of a tree, and its structure."""
    leaves: list[Any] = []

    def take(leaf: Any) -> Leaf:
        leaves.append(leaf)
        return LEAF

    structure = map_leaves(take, tree)
    return leaves, structure


def unflatten(structure: Any, leaves: Iterable[Any]) -> Any:
    """The tree of this structure with these leaves."""
    rest = iter(leaves)
    return map_leaves(lambda _: next(rest), structure)


def names(structure: Any, prefix: str = "") -> list[str]:
    """How to get at each leaf from the tree: ``["['w'][0]", …]``; the empty string if the tree is a leaf."""
    if isinstance(structure, dict):
        return [name for key, part in structure.items() for name in names(part, f"{prefix}[{key!r}]")]
    if hasattr(structure, "_fields"):
        return [name for field in structure._fields for name in names(getattr(structure, field), f"{prefix}.{field}")]
    if isinstance(structure, tuple | list):
        return [name for index, part in enumerate(structure) for name in names(part, f"{prefix}[{index}]")]
    return [] if structure is None else [prefix]


def leaves_like(structure: Any, tree: Any, what: str, model: str) -> list[Any]:
    """The leaves of a tree that must have this structure; the keys of a dict may come in another order.

    Parameters
    ----------
    structure : tree of LEAF
        The structure to have.
    tree : tree
        The tree.
    what, model : str
        What an error calls the tree, and the thing whose structure it must have.

    Raises
    ------
    ShapeError
        If the structures differ.
    """
    leaves: list[Any] = []
    if not collect(structure, tree, leaves):
        _, found = flatten(tree)
        raise ShapeError(
            f"{what} has the structure {found}, but {model} has {structure}; "
            "nest tuples, lists and dicts in the same way, with an array or a float for each *"
        )
    return leaves


def collect(structure: Any, tree: Any, leaves: list[Any]) -> bool:
    """Append the leaves of a tree to a list; whether the tree has this structure."""
    if structure is LEAF:
        leaves.append(tree)
        return tree is not None and not isinstance(tree, CONTAINERS)
    if type(structure) is not type(tree):
        return False
    if isinstance(structure, dict):
        return structure.keys() == tree.keys() and all(collect(structure[key], tree[key], leaves) for key in structure)
    return structure is None or (
        len(structure) == len(tree) and all(collect(wanted, part, leaves) for wanted, part in zip(structure, tree))
    )
