"""Samples for `autograd.rules.arithmetic`."""

import numpy as np

from autograd.op import masked_product
from tests.samples import Page, distinct, normal, positive, rng

page = Page()
f4 = np.float32

for function in (np.add, np.subtract, np.multiply):
    page(function, normal(), normal())
    page(function, normal(3), normal(3))
    page(function, normal(2, 1, 3), normal(4, 1))
    page(function, normal(2, 3), 2.5)
    page(function, 2.5, normal(2, 3))
    page(function, normal(0, 3), normal(3))
    page(function, normal(3, dtype=f4), normal(2, 3, dtype=f4))
    page(function, normal(3, dtype=f4), normal(3), note="mixed precision")
    page(function, normal(3), np.arange(3))

for function in (np.divide, np.hypot, np.power, np.float_power):
    page(function, positive(), positive())
    page(function, positive(3), positive(3))
    page(function, positive(2, 1, 3), positive(4, 1))
    page(function, positive(0, 3), positive(3))
    page(function, positive(3, dtype=f4), positive(2, 3, dtype=f4))
    page(function, positive(3, dtype=f4), positive(3), note="mixed precision")
    page(function, positive(3, dtype=f4), 2, note="weak scalar")
    page(function, 2, positive(3, dtype=f4), note="weak scalar")
    page(function, 2.5, positive(dtype=f4), wrt=(1,), note="weak scalar")
    page(function, np.array([2, 3, 4]), positive(3))
    page(function, positive(3), np.array([2, 3, 4]))
page(np.divide, normal(2, 3), -positive(3))
page(np.hypot, normal(3), normal(3))

for exponent in (0, 1, 2, 3, -1, -2, 2.0, 3.0, np.int64(3), np.array([0, 2, 3]), np.array([0.0, 2.0, 3.0])):
    page(np.power, -positive(3), exponent, wrt=(0,), note=repr(exponent))
page(np.power, normal(), 2, note="square of a scalar")
page(np.power, positive(), -1.5, wrt=(0,))
page(np.power, np.array([0.0, 0.0, 1.0]), np.array([2.0, 3.0, 2.0]), wrt=(0,), note="base 0")
page(np.power, np.array([0.0, 0.0, 1.0]), 3, note="base 0")
page(np.power, np.array([0.0, 2.0]), np.array([2.0, 3.0]), wrt=(1,), note="base 0")
page(np.power, 0.0, positive(3), wrt=(1,), note="base 0")
page(np.power, np.array([0, 2]), positive(2), note="integer base")
page(np.power, positive(3), np.array([0.0, 1.0, 2.0]), note="whole exponents")

for function in (np.negative, np.positive, np.square, np.absolute, np.fabs):
    page(function, normal())
    page(function, normal(2, 3))
    page(function, normal(0))
    page(function, distinct(3, dtype=f4))
for function in (np.sqrt, np.cbrt, np.reciprocal):
    page(function, positive())
    page(function, positive(2, 3))
    page(function, positive(3, dtype=f4))
    page(function, positive(dtype=f4))
page(np.cbrt, -positive(3))
page(np.reciprocal, -positive(3))
page(masked_product, normal(3, 2), positive(3, 2))
page(masked_product, np.array([0.0, 0.0, 2.0]), np.array([np.inf, np.nan, 3.0]), order=0, note="behind a mask")

page(np.copysign, normal(3), normal(3), wrt=(0,))
page(np.copysign, normal(2, 3), -1.0, wrt=(0,))
page(np.copysign, normal(3, dtype=f4), normal(dtype=f4))
page(np.copysign, normal(), normal())
page(np.heaviside, normal(4), 0.5, wrt=(1,))
page(np.heaviside, np.array([-1.0, 0.0, 0.0, 2.0]), normal(3, 4), wrt=(1,))
page(np.heaviside, np.array([0.0, 1.0], f4), normal(2, dtype=f4), wrt=(1,))
page(np.heaviside, 0.0, normal(), wrt=(1,))

for function in (np.remainder, np.fmod):
    page(function, 3 * normal(5), positive(5))
    page(function, 3 * normal(5), -positive(5))
    page(function, 7.3, 2.1)
    page(function, 3 * normal(2, 1, 3), positive(4, 1))
    page(function, 3 * normal(4), 1.3)
    page(function, 7.3, positive(4))
    page(function, np.array([7.3, -2.2], f4), np.array([2.1, 0.9], f4))
page(np.divmod, 3 * normal(5), positive(5))
page(np.divmod, 7.3, 2.1)
page(np.divmod, 7.3, positive(3))
page(np.modf, 3 * normal(5))
page(np.modf, 2.3)
page(np.modf, 3 * normal(2, 2, dtype=f4))
page(np.frexp, 5 * normal(5))
page(np.frexp, 5 * normal(3, dtype=f4))
page(np.ldexp, normal(3), np.array([-2, 0, 5]))
page(np.ldexp, normal(), 3)
page(np.ldexp, normal(3, 1), np.array([1, 2]))
page(np.ldexp, normal(3, dtype=f4), np.array([1, 2, 20]))

for function in (np.maximum, np.minimum, np.fmax, np.fmin):
    page(function, 0.3, 0.7)
    page(function, distinct(4), distinct(4)[::-1] + 0.25)
    page(function, distinct(2, 1, 3), distinct(4, 1) + 0.2)
    page(function, distinct(4), 0.1)
    page(function, 0.1, distinct(4))
    page(function, distinct(4, dtype=f4), 0)
    page(function, distinct(4, dtype=f4), np.array([3.0, 0.2, -3.0, 1.2], f4))
    page(function, normal(0, 3), normal(3))
    page(function, np.array([1.0, 2.0], f4), np.array([1.0, 3.0], f4), order=0, note="tie")
for function in (np.fmax, np.fmin):
    page(function, np.array([np.nan, 1.0, 2.0]), np.array([1.0, np.nan, 3.0]), order=0, note="NaN")

values = np.array([-2.0, -0.5, 0.4, 1.7])
page(np.clip, values, -1.0, 1.0)
page(np.clip, values, -1, 1, wrt=(0,))
page(np.clip, values, None, 1.0)
page(np.clip, values, -1.0, None)
page(np.clip, values, a_min=-1.0, a_max=1.0, wrt=(0, "a_min", "a_max"))
page(np.clip, values, min=-1.0, max=1.0, wrt=(0, "min", "max"))
page(np.clip, values, np.array([[-1.0], [-3.0], [1.0]]), np.array([3.0, 3.0, 0.0, 1.5]))
page(np.clip, values, 1.0, -1.0, note="crossed bounds")
page(np.clip, 0.5, 0.0, 1.0)
page(np.clip, 1.5, 0.0, 1.0)
page(np.clip, values.astype(f4), -1.0, 1.0, wrt=(0,))
page(np.clip, values.astype(f4), np.array([-1.0, 0.0, 0.0, 0.0], f4), None)
page(np.clip, normal(0), -1.0, 1.0)

page(np.nan_to_num, normal(3))
page(np.nan_to_num, normal(2, 3, dtype=f4))
page(np.nan_to_num, normal())
page(np.nan_to_num, np.array([np.nan, np.inf, -np.inf, 1.0]), order=0)
page(np.nan_to_num, np.array([np.nan, np.inf, -np.inf, 1.0]), nan=1.0, posinf=2.0, neginf=3.0, wrt=(0,), order=0)
for function in (np.real, np.conj):
    page(function, normal(2, 3))
    page(function, normal())
    page(function, normal(0))
    page(function, normal(3, dtype=f4))
page(np.real_if_close, normal(3))
page(np.real_if_close, rng.normal(), tol=1000)
page(np.float_power, positive(3, dtype=np.float32), 2.0, wrt=(0,), note="whose value is float64 all the same")
page(np.float_power, 2.0, positive(3, dtype=np.float32), wrt=(1,), note="whose value is float64 all the same")
