"""Samples for `autograd.rules.activations`."""

import numpy as np

from autograd.rules.activations import (
    elu,
    erf,
    erfc,
    gelu,
    leaky_relu,
    log_softmax,
    logsigmoid,
    logsumexp,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
)
from tests.samples import Page, normal, positive

page = Page()
f4 = np.float32

for function in (sigmoid, logsigmoid, softplus, silu, relu, leaky_relu, elu, selu, erf, erfc, gelu):
    page(function, normal())
    page(function, -positive())
    page(function, normal(2, 3))
    page(function, normal(0, 3))
    page(function, normal(3, dtype=f4))
    page(function, normal(dtype=f4))
    page(function, np.array([-1000.0, 1000.0]), note="far out")
page(relu, np.array([0.0, -0.0]), order=0, note="kink")
page(relu, np.array([-1, 0, 2]))
page(leaky_relu, normal(4), 0.3, wrt=(0,))
page(leaky_relu, normal(4), negative_slope=2.0, wrt=(0,))
page(elu, normal(4), 1.7, wrt=(0,))
page(elu, normal(4), alpha=0.5, wrt=(0,))
page(gelu, normal(4), "tanh")
page(gelu, normal(4), approximate="tanh")
page(gelu, normal(3, dtype=f4), approximate="tanh")
page(gelu, np.array([-1000.0, 1000.0]), approximate="tanh", note="far out")
page(gelu, normal(4), approximate="none")

for function in (softmax, log_softmax):
    page(function, normal(4))
    page(function, normal(2, 3))
    page(function, normal(2, 3, 2), 0)
    page(function, normal(2, 3, 2), axis=-2)
    page(function, normal(2, 3, 2), axis=(0, -1))
    page(function, normal(2, 3), axis=None)
    page(function, normal(3, 0))
    page(function, normal(0, 3))
    page(function, normal(2, 3, dtype=f4))
    page(function, normal(), order=1)
    page(function, np.array([1000.0, -1000.0, 999.0]), note="far out")
page(softmax, np.array([0.3, -np.inf, 1.0]), order=0, note="-inf")

page(logsumexp, normal())
page(logsumexp, normal(4))
page(logsumexp, normal(2, 3, 2))
page(logsumexp, normal(2, 3, 2), 1)
page(logsumexp, normal(2, 3, 2), axis=-1, keepdims=True)
page(logsumexp, normal(2, 3, 2), axis=(0, -1))
page(logsumexp, normal(2, 3, 2), (0, 2), True)
page(logsumexp, normal(2, 3), keepdims=True)
page(logsumexp, normal(0, 3), axis=1)
page(logsumexp, normal(0, 3), axis=0, order=0)
page(logsumexp, normal(2, 3, dtype=f4), axis=0)
page(logsumexp, np.array([1000.0, -1000.0, 1000.0]), note="far out")
page(logsumexp, np.array([-np.inf, -np.inf]), order=0, note="-inf")
page(logsumexp, normal(2, 3), axis=1, b=positive(2, 3), wrt=(0, "b"))
page(logsumexp, normal(2, 3), axis=0, keepdims=True, b=positive(3), wrt=(0, "b"))
page(logsumexp, normal(2, 3), b=np.array([1, 0, 2]), wrt=(0,))
