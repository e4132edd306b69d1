"""Exponentials, logarithms, angles.

`scalar` names Python's own function for 0-d values; where it has no finite answer, NumPy's is asked.
"""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np

from autograd.rules.activations import sigmoid
from autograd.table import elementwise

Array = Any

# Exponentials and logarithms

LN2, LN10 = math.log(2), math.log(10)

elementwise(np.exp, lambda out: out, scalar=math.exp, singular=True)
elementwise(np.exp2, lambda out: LN2 * out, scalar=math.exp2, singular=True)
elementwise(np.expm1, lambda out: out + 1, scalar=math.expm1, singular=True)
elementwise(np.log, lambda x: 1 / x, scalar=math.log, singular=True)
elementwise(np.log2, lambda x: 1 / (LN2 * x), scalar=math.log2, singular=True)
elementwise(np.log10, lambda x: 1 / (LN10 * x), scalar=math.log10, singular=True)
elementwise(np.log1p, lambda x: 1 / (1 + x), scalar=math.log1p, singular=True)


def gap(x: Array, y: Array) -> Array:
    """x - y, and 0 where both are the same infinity."""
    difference = x - y
    return np.where(np.isnan(difference) & (x == y), 0, difference)


elementwise(np.logaddexp, lambda x, y: sigmoid(gap(x, y)), lambda x, y: sigmoid(gap(y, x)))
elementwise(np.logaddexp2, lambda x, y: sigmoid(LN2 * gap(x, y)), lambda x, y: sigmoid(LN2 * gap(y, x)))

# Circular functions


def turn(x: Array, y: Array) -> Array:
    """The local derivative of arctan2(x, y) with respect to x: y / (x**2 + y**2), and 0 at the origin."""
    radius = np.hypot(x, y)
    radius = radius + (radius == 0)
    return y / radius / radius


elementwise(np.sin, lambda x: np.cos(x), scalar=math.sin)
elementwise(np.cos, lambda x: -np.sin(x), scalar=math.cos)
elementwise(np.tan, lambda out: 1 + out * out, scalar=math.tan)
elementwise(np.arcsin, lambda x: 1 / np.sqrt((1 - x) * (1 + x)), scalar=math.asin, singular=True)
elementwise(np.arccos, lambda x: -1 / np.sqrt((1 - x) * (1 + x)), scalar=math.acos, singular=True)
elementwise(np.arctan, lambda x: 1 / (1 + x * x), scalar=math.atan)
elementwise(np.arctan2, turn, lambda x, y: -turn(y, x))
for degrees, radians in ((np.degrees, np.radians), (np.rad2deg, np.deg2rad)):
    elementwise(degrees, 180 / math.pi)
    elementwise(radians, math.pi / 180)

# Hyperbolic functions

elementwise(np.sinh, lambda x: np.cosh(x), scalar=math.sinh, singular=True)
elementwise(np.cosh, lambda x: np.sinh(x), scalar=math.cosh, singular=True)
elementwise(np.tanh, lambda out: 1 - out * out, scalar=math.tanh, product=lambda g, out: g - g * out * out)
elementwise(np.arcsinh, lambda x: 1 / np.sqrt(x * x + 1), scalar=math.asinh)
elementwise(np.arccosh, lambda x: 1 / np.sqrt((x - 1) * (x + 1)), scalar=math.acosh, singular=True)
elementwise(np.arctanh, lambda x: 1 / ((1 - x) * (1 + x)), scalar=math.atanh, singular=True)

# Others

# sinc'(x) / x as a power series in x**2, the highest power first: enough of it for |x| < 1/4
SINC = [(-1) ** k * 2 * k * math.pi ** (2 * k) / math.factorial(2 * k + 1) for k in range(10, 0, -1)]


def sinc_slope(x: Array) -> Array:
    """(cos πx - sinc x) / x, whose terms cancel near 0: there by its series."""
    near = np.absolute(x) < 0.25
    far = np.where(near, 1, x)
    series = x * reduce(lambda value, coefficient: value * (x * x) + coefficient, SINC)
    return np.where(near, series, (np.cos(math.pi * far) - np.sinc(far)) / far)


elementwise(np.sinc, sinc_slope)

COSINES = np.cos(math.pi / 2 * (np.arange(64) + 0.5) / 64)


def i0_slope(x: Array) -> Array:
    """i1(x), the mean of cos θ sinh(x cos θ): by 64 angles to full precision, for every x at which it is finite."""
    cosines = COSINES.astype(x.dtype)
    return np.sinh(x[..., None] * cosines) @ (cosines / 64)


elementwise(np.i0, i0_slope)


def _unwrap(p: Array, discont: float | None = None, axis: int = -1, period: float = 2 * math.pi) -> Array:
    return np.unwrap(p, discont, axis, period=period)


elementwise(np.unwrap, 1, forward=_unwrap)  # whole periods are added, which are constant almost everywhere
