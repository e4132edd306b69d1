"""Samples for `autograd.rules.statistics`."""

import numpy as np

from autograd.rules.statistics import root
from tests.samples import Page, distinct, normal, positive

page = Page()

SOME = np.array([[True, False, True], [True, True, False]])
HOLES = np.array([[1.0, np.nan, 3.5], [2.5, 2.0, -1.0]])

for function in (np.var, np.std, np.nanvar, np.nanstd):
    page(function, normal(4))
    page(function, normal(2, 3), -1)
    page(function, normal(2, 3), axis=0, ddof=1)
    page(function, normal(2, 3), axis=1, correction=1)
    page(function, normal(2, 3, 2), axis=(0, -1), keepdims=True)
    page(function, normal(2, 3), axis=np.int64(1))
    page(function, normal(2, 3), keepdims=True, ddof=0.5)
    page(function, normal(2, 3, dtype=np.float32), axis=1)
    page(function, normal(2, 3, dtype=np.float32), dtype=np.float64)
    page(function, normal(2, 3), axis=1, where=SOME, keepdims=True)
    page(function, normal(2, 3), where=SOME, ddof=1)
    page(function, normal(2, 3), 1, None, None, 1, True)
    page(function, normal(2, 3, dtype=np.float32), axis=1, where=SOME)
    page(function, normal(2, 3), axis=1, mean=normal(2, 1), wrt=(0, "mean"))
for function in (np.nanvar, np.nanstd):
    page(function, HOLES, order=0)
    page(function, HOLES, axis=1, ddof=1, order=0)
page(np.var, normal())
page(root, positive())
page(root, positive(2, 3))
page(root, positive(3, dtype=np.float32))
page(root, np.zeros(2), order=0)

METHODS = (
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "linear",
    "median_unbiased",
    "normal_unbiased",
    "lower",
    "higher",
    "midpoint",
    "nearest",
)
for method in METHODS:
    page(np.quantile, distinct(7), np.array([0.1, 0.4, 0.5, 0.9]), method=method, wrt=(0,))
    page(np.nanpercentile, distinct(2, 5), 30, axis=1, method=method, wrt=(0,))
for function, scale in ((np.quantile, 1), (np.percentile, 100), (np.nanquantile, 1), (np.nanpercentile, 100)):
    page(function, distinct(5), 0.3 * scale, wrt=(0,))
    page(function, distinct(2, 4), 0.3 * scale, -1, wrt=(0,))
    page(function, distinct(2, 4), [0, 0.6 * scale], axis=0, keepdims=True, wrt=(0,))
    page(function, distinct(2, 3, 2), np.array([[0.2, 1.0]]) * scale, axis=(0, -1), wrt=(0,))
    page(function, distinct(2, 3), [0.5 * scale, 0.7 * scale], wrt=(0,))
    page(function, distinct(2, 3), 0.5 * scale, keepdims=True, wrt=(0,))
    page(function, distinct(4, dtype=np.float32), 0.3 * scale, wrt=(0,))
    page(function, normal(), 0.3 * scale, wrt=(0,))
for function in (np.median, np.nanmedian):
    page(function, normal())
    page(function, distinct(5))
    page(function, distinct(4))
    page(function, distinct(2, 4), axis=-1)
    page(function, distinct(2, 3, 2), axis=(0, 2), keepdims=True)
    page(function, distinct(2, 3, dtype=np.float32), 1)
page(np.nanmedian, HOLES, axis=1, order=0)
page(np.nanquantile, HOLES, [0.2, 0.5], axis=-1, wrt=(0,), order=0)
page(np.nanpercentile, HOLES, 20, keepdims=True, wrt=(0,), order=0)

page(np.average, normal(3))
page(np.average, normal(2, 3), axis=0, returned=True)
page(np.average, normal(3), weights=positive(3), wrt=(0, "weights"))
page(np.average, normal(2, 3), 1, positive(3))
page(np.average, normal(2, 3), axis=-2, weights=positive(2), returned=True, wrt=(0, "weights"))
page(np.average, normal(2, 3), weights=positive(2, 3), keepdims=True, wrt=(0, "weights"))
page(np.average, normal(2, 3, 4), axis=(2, 0), weights=positive(4, 2), wrt=(0, "weights"))
page(np.average, normal(3), weights=[1, 2, 3])
page(np.average, [1, 2, 4], weights=positive(3), wrt=("weights",))
page(np.average, normal(3, dtype=np.float32), weights=positive(3, dtype=np.float32), wrt=(0, "weights"))

page(np.cov, normal(4))
page(np.cov, normal(3, 4))
page(np.cov, normal(4, 3), rowvar=False)
page(np.cov, normal(4), normal(4))
page(np.cov, normal(2, 4), normal(4), bias=True)
page(np.cov, normal(4, 2), normal(4, 1), False)
page(np.cov, normal(2, 4), ddof=0)
page(np.cov, normal(2, 4), fweights=np.array([1, 2, 1, 3]))
page(np.cov, normal(2, 4), aweights=positive(4), wrt=(0, "aweights"))
page(np.cov, normal(2, 4), ddof=0, aweights=positive(4), fweights=[1, 2, 1, 3], wrt=(0, "aweights"))
page(np.cov, normal(2, 4), aweights=positive(4), fweights=[1, 2, 1, 3], wrt=(0, "aweights"))
page(np.cov, normal(2, 4, dtype=np.float32), order=0, note="gives float64")
page(np.cov, normal(2, 4, dtype=np.float32), dtype=np.float32)
page(np.corrcoef, normal(3, 5))
page(np.corrcoef, normal(5), normal(5))
page(np.corrcoef, normal(5, 2), rowvar=False)
page(np.corrcoef, normal(5), order=0)
