"""Samples for `autograd.rules.arithmetic`."""

import numpy as np

from tests.samples import Page, normal, positive

page = Page()

for function in (np.add, np.subtract, np.multiply):
    page(function, normal(), normal())
    page(function, normal(3), normal(3))
    page(function, normal(2, 1, 3), normal(4, 1))
    page(function, normal(2, 3), 2.5)
    page(function, normal(0, 3), normal(3))
    page(function, normal(3, dtype=np.float32), normal(2, 3, dtype=np.float32))
    page(function, normal(3, dtype=np.float32), normal(3), note="mixed precision")
page(np.divide, normal(), positive())
page(np.divide, normal(2, 3), positive(3))
page(np.divide, normal(3, dtype=np.float32), positive(3, dtype=np.float32))
page(np.negative, normal(2, 3))
page(np.positive, normal(2, 3))
page(np.square, normal(2, 3))
