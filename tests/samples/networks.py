"""Samples for `autograd.rules.networks`."""

import numpy as np

from autograd.rules.networks import affine, batch_norm, loss_and_exponentials, softmax_cross_entropy
from tests.samples import Page, normal, positive

page = Page()
f4 = np.float32

page(affine, normal(3), normal(2, 3), normal(2))
page(affine, normal(4, 3), normal(2, 3), normal(2))
page(affine, normal(4, 3), normal(2, 3))
page(affine, normal(2, 4, 3), normal(2, 3), normal(2))
page(affine, normal(2, 4, 3), normal(2, 3), None)
page(affine, normal(0, 3), normal(2, 3), normal(2))
page(affine, normal(4, 3, dtype=f4), normal(2, 3, dtype=f4), normal(2, dtype=f4))
page(affine, normal(4, 3), normal(2, 3), bias=normal(2), wrt=(0, 1, "bias"))

page(softmax_cross_entropy, normal(4, 3), np.array([0, 2, 1, 2]))
page(softmax_cross_entropy, normal(2, 1), np.array([0, 0]))
page(softmax_cross_entropy, normal(4, 3, dtype=f4), np.array([0, 2, 1, 2], np.int32))
page(softmax_cross_entropy, np.array([[1000.0, -1000.0, 999.0]]), np.array([1]), note="far out")

page(softmax_cross_entropy, np.array([[-1000.0, -999.0], [0.0, 1.0]]), np.array([1, 1]), note="far down")
page(softmax_cross_entropy, np.array([[20.0, 3.0]], np.float16), np.array([0]), order=0)

# The factor of a row counts as a constant: softmax_cross_entropy, which has its derivatives, is where they are checked.
page(loss_and_exponentials, normal(4, 3), np.array([0, 2, 1, 2]), order=0)

page(batch_norm, normal(5, 3), normal(3), normal(3))
page(batch_norm, normal(5, 3), None, normal(3))
page(batch_norm, normal(5, 3), positive(3), None, 0.1, wrt=(0, 1))
page(batch_norm, normal(5, 3))
page(batch_norm, normal(4, 2, 3), normal(2), normal(2), eps=0.5, wrt=(0, 1, 2))
page(batch_norm, normal(3, 2, 2, 2), normal(2), normal(2))
page(batch_norm, normal(5, 3, dtype=f4), normal(3, dtype=f4), normal(3, dtype=f4))
