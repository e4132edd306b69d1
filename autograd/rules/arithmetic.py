"""Arithmetic. A row gives the local derivative with respect to x, then to y.

Python's own operators compute the values: on arrays they are NumPy's ufuncs, on 0-d values they take a tenth of the time.
"""

from __future__ import annotations

import math
import operator

import numpy as np

from autograd.table import elementwise

elementwise(np.add, 1, 1, forward=operator.add)
elementwise(np.subtract, 1, -1, forward=operator.sub)
elementwise(np.multiply, lambda y: y, lambda x: x, forward=operator.mul)
elementwise(np.divide, lambda y: 1 / y, lambda out, y: -out / y, forward=operator.truediv, singular=True)
elementwise(np.negative, -1)
elementwise(np.positive, 1)
elementwise(np.square, lambda x: 2 * x)
