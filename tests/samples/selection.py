"""Samples for `autograd.rules.selection`."""

import numpy as np

from autograd.rules.selection import where
from tests.samples import Page, normal

page = Page()

yes = np.array([True, False, True])

for function in (np.where, where):
    page(function, True, normal(), normal())
    page(function, yes, normal(3), normal(3))
    page(function, yes[:, None], normal(3), normal(2, 1, 1))
    page(function, yes, normal(), normal(2, 3))
    page(function, [0, 1, 2], normal(3), 0)
    page(function, yes[:0], normal(0), normal())
    page(function, yes, normal(3, dtype=np.float32), 1, wrt=(1,))
    page(function, yes, normal(3, dtype=np.float32), normal(3))
page(np.where, yes, [1.0, 2.0, 3.0], normal(3), wrt=(2,))

page(np.select, [yes, ~yes], [normal(3), normal(3)])
page(np.select, [yes, yes], [normal(3), normal(3)], normal())
page(np.select, [yes, yes[:, None]], [normal(3), normal(3, 1)], default=7.0)
page(np.select, [~yes, yes & False], [normal(3, dtype=np.float32), 2.0], wrt=(1,))
page(np.select, (True, False), (normal(), normal()))
page(np.select, [yes], normal(1, 3))

number = np.array([2, 0, 1, 1])
page(np.choose, number, [normal(4), normal(4), normal(4)])
page(np.choose, number, [normal(), normal(4), normal(2, 1)])
page(np.choose, number, normal(3, 4))
page(np.choose, 1, [normal(3), normal(3)])
page(np.choose, number - 3, [normal(4), normal(4)], mode="wrap")
page(np.choose, number - 1, [normal(4), normal(4)], mode="clip")
page(np.choose, number > 1, [normal(4, dtype=np.float32), normal(4, dtype=np.float32)])

x = np.array([-2.0, -0.5, 0.5, 3.0])
page(np.piecewise, x, [x < 0, x >= 0], [lambda v: v * v, lambda v: 3 * v])
page(np.piecewise, x, [x < 0], [np.sin, 2.5], wrt=(0, 2))
page(np.piecewise, x, [x < 0, x < -1, x > 1], [np.exp, 1, np.sin, lambda v: v**2])
page(np.piecewise, x, [x > 100, x > 0], [np.exp, lambda v, k, p=1: k * v * p], 3.0, p=2.0)
page(np.piecewise, x, x < 0, [np.exp])
page(np.piecewise, x.reshape(2, 2), [x.reshape(2, 2) < 0], [np.exp, np.square])
page(np.piecewise, normal(), [True], [np.exp])
page(np.piecewise, normal(), [False, True], [np.exp, np.square])
page(np.piecewise, x.astype(np.float32), [x < 0], [np.exp, np.square])

page(np.apply_along_axis, np.sum, 0, normal(3, 4), wrt=(2,))
page(np.apply_along_axis, np.sum, -1, normal(2, 3, 4), wrt=(2,))
page(np.apply_along_axis, np.square, 1, normal(2, 3, 4), wrt=(2,))
page(np.apply_along_axis, lambda v: np.multiply.outer(v, v), 0, normal(3, 2), wrt=(2,))
page(np.apply_along_axis, lambda v, k, p=1: v[::2] * k + p, -1, normal(3, 4), 2.0, wrt=(2,), p=3.0)
page(np.apply_along_axis, np.sum, 0, normal(3), wrt=(2,))
page(np.apply_along_axis, lambda v: v * v, 0, normal(3, dtype=np.float32), wrt=(2,))

page(np.apply_over_axes, np.sum, normal(2, 3, 4), [0, -1], wrt=(1,))
page(np.apply_over_axes, np.sum, normal(2, 3), 1, wrt=(1,))
page(np.apply_over_axes, lambda v, axis: v * v, normal(2, 3), (0,), wrt=(1,))
