"""Samples for `autograd.rules.reductions`."""

import numpy as np

from tests.samples import Page, distinct, normal, positive

page = Page()

SOME = np.array([[True, False, True], [True, True, False]])

for function in (np.sum, np.mean, np.prod):
    page(function, normal())
    page(function, normal(3))
    page(function, normal(2, 3), -1)
    page(function, normal(2, 3), axis=0, keepdims=True)
    page(function, normal(2, 3, 2), axis=(0, -1))
    page(function, normal(2, 3, 2), axis=(2, 0), keepdims=True)
    page(function, normal(2, 3), axis=np.int64(1))
    page(function, normal(2, 3), axis=(), note="no axis")
    page(function, normal(2, 3), keepdims=True)
    page(function, normal(2, 3, dtype=np.float32), axis=1)
    page(function, normal(2, 3, dtype=np.float32), dtype=np.float64)
    page(function, normal(2, 3), axis=1, where=SOME, keepdims=True)
    page(function, normal(2, 3), where=SOME[:, :1])
for function in (np.sum, np.prod):
    page(function, normal(0))
    page(function, normal(2, 0, 3), axis=1)
    page(function, normal(), axis=0, note="axis of a scalar")
    page(function, normal(2, 3), axis=0, where=[True, False, True], note="where as a list")
    page(function, normal(2, 3), axis=1, initial=2.0)
page(np.sum, normal(2, 3), axis=1, initial=1.5, wrt=(0, "initial"))
page(np.sum, normal(3, dtype=np.float16), order=0)
page(np.mean, normal(3, dtype=np.float16), order=0)
page(np.prod, np.array([2.0, 0.0, 3.0]), note="a zero")
page(np.prod, np.array([[2.0, 0.0, 3.0], [0.0, 4.0, 0.0]]), axis=1, note="zeros")

for function in (np.max, np.min, np.amax, np.amin, np.ptp, np.nanmax, np.nanmin):
    page(function, normal())
    page(function, distinct(4))
    page(function, distinct(2, 3), -1)
    page(function, distinct(2, 3), axis=0, keepdims=True)
    page(function, distinct(2, 3, 2), axis=(0, -1))
    page(function, distinct(2, 3), axis=np.int64(1))
    page(function, distinct(2, 3), keepdims=True)
    page(function, distinct(2, 3, dtype=np.float32), axis=1)
    page(function, distinct(2, 0, 3), axis=(0, 2), note="nothing left")
for function in (np.max, np.min, np.nanmax, np.nanmin):
    page(function, distinct(2, 3), axis=1, initial=0.2)
    page(function, distinct(2, 3), axis=1, initial=9.0, where=SOME)
    page(function, distinct(2, 3), initial=-9.0, where=SOME, keepdims=True)

HOLES = np.array([[1.0, np.nan, 3.5], [np.nan, 2.0, -1.0]])
for function in (np.nansum, np.nanmean, np.nanprod, np.nanmax, np.nanmin):
    page(function, HOLES, order=0)
    page(function, HOLES, axis=-1, order=0)
    page(function, HOLES, axis=(0, 1), keepdims=True, order=0)
    page(function, HOLES.astype(np.float32), axis=0, order=0)
    page(function, positive(2, 3), axis=1)
page(np.nansum, HOLES, axis=1, where=SOME, order=0)
page(np.nanmean, HOLES, axis=1, where=SOME, order=0)
page(np.nanprod, HOLES, axis=1, initial=2.0, order=0)

for ufunc in (np.add, np.multiply, np.maximum, np.minimum, np.logaddexp):
    row = (ufunc, "reduce")
    page(ufunc.reduce, distinct(4), row=row)
    page(ufunc.reduce, distinct(2, 3), row=row)
    page(ufunc.reduce, distinct(2, 3), 1, row=row)
    page(ufunc.reduce, distinct(2, 3), axis=None, row=row)
    page(ufunc.reduce, distinct(2, 3), axis=-1, keepdims=True, row=row)
    page(ufunc.reduce, distinct(2, 3), axis=1, initial=0.7, where=SOME, row=row)
    page(ufunc.reduce, distinct(2, 3, dtype=np.float32), row=row)
page(np.logaddexp.reduce, distinct(2, 3, 2), axis=(0, 2), row=(np.logaddexp, "reduce"))
page(np.logaddexp.reduce, normal(0), order=0, row=(np.logaddexp, "reduce"))
for ufunc in (np.add, np.maximum, np.minimum, np.logaddexp):
    page(ufunc.reduce, distinct(2, 3, dtype=np.float32), dtype=np.float64, row=(ufunc, "reduce"))
    page(ufunc.reduce, distinct(2, 3), 1, np.float32, row=(ufunc, "reduce"), order=0)

page(np.add.reduceat, normal(5), [0, 3, 1], row=(np.add, "reduceat"))
page(np.add.reduceat, normal(5), np.array([0, 0, 4, 2]), row=(np.add, "reduceat"))
page(np.add.reduceat, normal(2, 4, 2), [0, 2], axis=-2, row=(np.add, "reduceat"))

for ufunc in (np.add, np.subtract, np.multiply, np.divide, np.logaddexp, np.hypot):
    page(ufunc.outer, normal(3), positive(2), row=(ufunc, "outer"))
    page(ufunc.outer, normal(2, 2), positive(3), row=(ufunc, "outer"))
    page(ufunc.outer, normal(), positive(2), row=(ufunc, "outer"))
    page(ufunc.outer, normal(2, dtype=np.float32), positive(3, dtype=np.float32), row=(ufunc, "outer"))
page(np.power.outer, positive(3), normal(2), row=(np.power, "outer"))
page(np.maximum.outer, distinct(3), np.array([0.11, 2.0]), row=(np.maximum, "outer"))
page(np.minimum.outer, distinct(3), np.array([0.11, 2.0]), row=(np.minimum, "outer"))
