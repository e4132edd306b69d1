"""Samples for `autograd.rules.transcendental`."""

import numpy as np

from tests.samples import Page, normal, positive, unit

page = Page()
f4 = np.float32

ANYWHERE = (np.exp, np.exp2, np.expm1, np.sin, np.cos, np.tan, np.arctan, np.sinh, np.cosh, np.tanh, np.arcsinh)
ANGLES = (np.degrees, np.radians, np.rad2deg, np.deg2rad)
for functions, draw in (
    ((*ANYWHERE, *ANGLES, np.sinc, np.i0), normal),
    ((np.log, np.log2, np.log10, np.log1p), positive),
    ((np.arcsin, np.arccos, np.arctanh), unit),
    ((np.arccosh,), lambda *shape, dtype=float: positive(*shape, dtype=dtype) + dtype(1)),
):
    for function in functions:
        page(function, draw())
        page(function, draw(2, 3))
        page(function, draw(0, 3)) if function is not np.i0 else None
        page(function, draw(3, dtype=f4))
        page(function, draw(dtype=f4))
page(np.log1p, unit(4))
page(np.sinc, np.array([0.0, 1e-9, -1e-3, 0.2, 0.3, -7.7, 1.0]), note="at and near 0")
page(np.sinc, 0.0, note="at 0")
page(np.i0, np.array([0.0, 1e-9, -7.5, 8.5]), note="at 0")

for function in (np.logaddexp, np.logaddexp2, np.arctan2):
    page(function, normal(), normal())
    page(function, normal(3), normal(3))
    page(function, normal(2, 1, 3), normal(4, 1))
    page(function, normal(0, 3), normal(3))
    page(function, normal(3), 0.7)
    page(function, 1, normal(3, dtype=f4))
    page(function, normal(3, dtype=f4), normal(3, dtype=f4))
    page(function, 0.7, normal(dtype=f4), wrt=(1,))
page(np.logaddexp, np.array([1.0, 2.0]), np.array([1.0, 2.0]), note="equal")
page(np.logaddexp, np.array([1000.0, -1000.0]), np.array([-1000.0, -1000.0]), order=0, note="extremes")

page(np.unwrap, np.array([0.0, 3.0, 6.5, -0.2, 0.4]))
page(np.unwrap, 4 * normal(3, 4), axis=0)
page(np.unwrap, 4 * normal(3, 4), axis=-2, period=3.0, wrt=(0,))
page(np.unwrap, 4 * normal(4), discont=4.0, wrt=(0,))
page(np.unwrap, 4 * normal(4, dtype=f4))
