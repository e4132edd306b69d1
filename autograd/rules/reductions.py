"""r"""

import numpy as np
from autograd.table import linear, composite


def _sum(a, axis=None, dtype=None, keepdims=False):
    return a.sum(axis=axis, dtype=dtype, keepdims=keepdims)


def adj(g, shape, axis, keepdims):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, shape)


linear(np.sum, adj, forward=_sum, name="sum")
