"""Samples for `autograd.rules.scans`."""

import numpy as np

from autograd.rules.scans import running_logaddexp, running_maximum, running_minimum
from autograd.table import of_this_release
from tests.samples import Page, normal, positive

page = Page()

for function in (np.cumsum, np.cumprod, np.nancumsum, np.nancumprod):
    page(function, normal())
    page(function, normal(), axis=0)
    page(function, normal(5))
    page(function, normal(2, 3), note="flattened")
    page(function, normal(2, 3), 0)
    page(function, normal(2, 3, 2), axis=-2)
    page(function, normal(2, 0), axis=1)
    page(function, normal(0))
    page(function, normal(2, 3, dtype=np.float32), axis=1)
    page(function, normal(3, dtype=np.float32), dtype=np.float64)
page(np.cumprod, np.array([2.0, 0.0, 3.0, 4.0]), note="a zero")
page(np.cumprod, np.array([[2.0, 0.0, 3.0, 0.0, 1.5], [0.0, 0.0, 1.0, 2.0, 3.0]]), axis=1, note="zeros")
for function in (np.nancumsum, np.nancumprod):
    page(function, np.array([[1.0, np.nan, 3.0], [np.nan, 2.0, -1.0]]), axis=1, order=0)

for function in of_this_release("cumulative_sum", "cumulative_prod"):
    page(function, normal())
    page(function, normal(4))
    page(function, normal(4), include_initial=True)
    page(function, normal(2, 3), axis=-1)
    page(function, normal(2, 3), axis=0, include_initial=True)
    page(function, normal(2, 3, dtype=np.float32), axis=-1, include_initial=True)
for ufunc in (np.add, np.multiply, np.maximum, np.minimum, np.logaddexp):
    page(ufunc.accumulate, normal(4), row=(ufunc, "accumulate"))
    page(ufunc.accumulate, normal(2, 3), row=(ufunc, "accumulate"))
    page(ufunc.accumulate, normal(2, 3), axis=1, row=(ufunc, "accumulate"))
    page(ufunc.accumulate, normal(3, 2), -2, row=(ufunc, "accumulate"))
    page(ufunc.accumulate, normal(0), row=(ufunc, "accumulate"))
    page(ufunc.accumulate, normal(4, dtype=np.float32), row=(ufunc, "accumulate"))
    page(ufunc.accumulate, normal(3, dtype=np.float32), dtype=float, row=(ufunc, "accumulate"))
for function in (running_maximum, running_minimum, running_logaddexp):
    page(function, normal(2, 4), axis=1)

page(np.diff, normal(4))
page(np.diff, normal(2, 4), 2)
page(np.diff, normal(4, 2), n=3, axis=-2)
page(np.diff, normal(3), n=0)
page(np.diff, normal(2), n=3, note="nothing left")
page(np.diff, normal(0))
page(np.diff, normal(2, 3), prepend=normal(), append=normal(2, 2), wrt=(0, "prepend", "append"))
page(np.diff, normal(2, 3), axis=0, append=0)
page(np.diff, normal(3, dtype=np.float32))
page(np.diff, [1, 2, 4], prepend=normal(), wrt=("prepend",))
page(np.ediff1d, normal(4))
page(np.ediff1d, normal(2, 3), to_begin=normal(), to_end=normal(2), wrt=(0, "to_begin", "to_end"))
page(np.ediff1d, normal(3, dtype=np.float32), to_end=[8, 9], wrt=(0,))
page(np.ediff1d, normal(1))

page(np.trapezoid, normal(4))
page(np.trapezoid, normal(4), dx=normal(), wrt=(0, "dx"))
page(np.trapezoid, normal(2, 4), normal(4))
page(np.trapezoid, normal(4, 2), normal(4), axis=0)
page(np.trapezoid, normal(4, 2), normal(4, 2), 1.0, 0, wrt=(0, 1))
page(np.trapezoid, normal(2, 3), normal(1, 3))
page(np.trapezoid, normal(3, dtype=np.float32), dx=0.1)
page(np.trapezoid, [1.0, 2.0, 4.0], x=normal(3), wrt=("x",))

UNEVEN = np.array([0.0, 0.5, 2.0, 3.0])
for edge_order in (1, 2):
    page(np.gradient, normal(4), edge_order=edge_order)
    page(np.gradient, normal(4), positive(), edge_order=edge_order)
    page(np.gradient, normal(4), UNEVEN, edge_order=edge_order)
    page(np.gradient, normal(3, 4), edge_order=edge_order)
    page(np.gradient, normal(3, 4), 2, edge_order=edge_order)
    page(np.gradient, normal(3, 4), positive(), UNEVEN, edge_order=edge_order)
page(np.gradient, normal(2))
page(np.gradient, normal(3, 4), axis=-2)
page(np.gradient, normal(3, 4), UNEVEN, axis=1)
page(np.gradient, normal(3, 4, 3), 0.5, axis=(2, 0))
page(np.gradient, normal(3, dtype=np.float32))
page(np.gradient, normal(4, dtype=np.float32), UNEVEN, wrt=(0,))
page(np.gradient, [1, 2, 4], positive())
