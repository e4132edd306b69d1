"""Graphs that several tests draw, and what reads pictures of them."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from autograd import Tensor, graph
from autograd.view import Drawing

needs_graphviz = pytest.mark.skipif(
    not (shutil.which("dot") or find_spec("pygraphviz")), reason="pictures need Graphviz"
)


def leaf(value: Any, name: str) -> Tensor:
    return Tensor(value, requires_grad=True, name=name)


def named(tensor: Tensor, name: str) -> Tensor:
    tensor.name = name
    return tensor


def product_of_sum() -> Drawing:
    """f = (x + y)z."""
    x, y, z = leaf(-2.0, "x"), leaf(5.0, "y"), leaf(-4.0, "z")
    return graph(named(named(x + y, "q") * z, "f"))


def shared_node() -> Drawing:
    """e = (a·b + a)·a."""
    a, b = leaf(2.0, "a"), leaf(-3.0, "b")
    return graph(named(named(named(a * b, "c") + a, "d") * a, "e"))


def twice() -> Drawing:
    """s = a + a."""
    a = leaf(3.0, "a")
    return graph(named(a + a, "s"))


def arrays() -> Drawing:
    """Tensors, parameters, constants, zeros and what is not finite."""
    x = leaf(np.arange(12.0).reshape(3, 4), "x")
    weight, bias = leaf(np.full((4, 2), 1e-9), "weight"), leaf([0.0, 1.0], "bias")
    with np.errstate(all="ignore"):
        return graph(np.sum(np.log(bias) + x @ weight) * np.float64(1e6))


def hostile() -> Drawing:
    """Names that would break a picture if they were not escaped, and a very long one."""
    x, y = leaf(1.0, "<&\"'>\\ --> ]|`#"), leaf(2.0, "line\nbreak\x00\x1b\ud800 中文 é")
    return graph(named(x * y, "a very long name " * 20))


def chain() -> Drawing:
    """More than is drawn node by node: exp(… exp(x) …), with names that prevent folding."""
    x = leaf(0.1, "x")
    y = x
    for step in range(100):
        y = np.sin(y) if step % 3 else y * y
    return graph(y)


ALL = [product_of_sum, shared_node, twice, arrays, hostile, chain]
