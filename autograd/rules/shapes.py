"""shapes"""

import numpy as np
from autograd.table import linear


def flatten(a):
    return np.ravel(a)


linear(np.reshape, lambda g, shape: np.reshape(g, shape), forward=lambda a, shape: a.reshape(shape))
linear(
    np.transpose,
    lambda g, axes: np.transpose(g, None if axes is None else np.argsort(axes)),
    forward=lambda a, axes=None: a.transpose(axes),
)
linear(np.broadcast_to, lambda g, shape: g, forward=lambda array, shape: np.broadcast_to(array, shape))
