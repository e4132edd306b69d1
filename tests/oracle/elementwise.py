"""Elementwise functions, reductions and scans, away from kinks."""

from __future__ import annotations

import numpy as np

from tests.oracle.pairs import Page, distinct, normal, positive, torch, unit

page = Page()
pair, same, alike = page.pair, page.same, page.alike

# Elementwise functions of one argument

for shape in ((), (3,), (2, 3), (0, 2)):
    same("negative positive square absolute fabs=abs exp exp2 expm1 sin cos tan arctan sinh cosh tanh", normal(*shape))
    same("arcsinh sinc i0 degrees=rad2deg radians=deg2rad rad2deg deg2rad nan_to_num real", normal(*shape))
    same("sqrt reciprocal log log2 log10 log1p", positive(*shape))
    same("arcsin arccos arctanh", unit(*shape))
    same("arccosh", 1 + positive(*shape))
    same("sigmoid erf erfc relu selu", normal(*shape))
    for name in ("softplus", "logsigmoid", "silu", "gelu", "leaky_relu", "elu"):
        same(f"{name}=nn.functional.{name}", normal(*shape))
    pair("cbrt", np.cbrt, lambda x: x.sign() * x.abs() ** (1 / 3), normal(*shape))
    pair("modf", np.modf, lambda x: (x.frac(), x.trunc()), 3 * normal(*shape))
    pair("frexp", lambda x: np.frexp(x)[0], lambda x: x * 0.5 ** torch.frexp(x.detach()).exponent, normal(*shape))
    pair("ldexp", lambda x: np.ldexp(x, 3), lambda x: torch.ldexp(x, torch.tensor(3)), normal(*shape))
    pair("astype", lambda x: x.astype(np.float64), lambda x: x.double(), normal(*shape))
    pair("copy", np.copy, torch.clone, normal(*shape))
same("gelu=nn.functional.gelu", 3 * normal(7), approximate="tanh")
same("leaky_relu=nn.functional.leaky_relu", normal(7), negative_slope=0.3)
same("elu=nn.functional.elu", normal(7), alpha=0.3)
same("sigmoid logsigmoid=nn.functional.logsigmoid silu=nn.functional.silu", 30 * unit(9))
same("softplus=nn.functional.softplus tanh erf gelu=nn.functional.gelu", 5 * unit(9))
same("sinc i0", np.array([-2.9, -0.26, -0.24, -0.1, 0.2, 0.3, 4.5]))

# Elementwise functions of two and three arguments

for one, other in (((), ()), ((3,), (3,)), ((2, 1, 3), (4, 1)), ((2, 3), ()), ((0, 3), (3,))):
    same("add subtract multiply logaddexp logaddexp2 hypot arctan2 copysign", normal(*one), normal(*other))
    same("divide true_divide power=pow float_power remainder fmod", positive(*one), positive(*other))
    same("maximum minimum fmax fmin", normal(*one), normal(*other))
    same("remainder fmod divide", 3 * normal(*one), -positive(*other))
    pair(
        "where",
        lambda x, y: np.where(x > y, x, y * y),
        lambda x, y: x.where(x > y, y * y),
        normal(*one),
        normal(*other),
    )
for n in (0, 1, 2, 3, -1, -2, 2.0, 0.5, -1.5):
    alike(f"x ** {n}", lambda x, n=n: x**n, positive(3))
    alike(f"{n} * x - {n} / x + {n}", lambda x, n=n: n * x - n / x + n, normal(3))
    alike(f"x * {n} - x / {n + 1} + {n}", lambda x, n=n: x * n - x / (n + 3) + n, normal(3))
for n in (1, 2, 2.5):
    alike(f"{n} ** x", lambda x, n=n: n**x, normal(3))
pair("x ** integers", lambda x: x ** np.array([0, 2, 3], np.int8), lambda x: x ** torch.tensor([0, 2, 3]), -positive(3))
alike("clip of both", lambda x: x.clip(-0.5, 0.7), normal(9))
alike("clip above", lambda x: x.clip(max=0.3), normal(9))
alike("clip below", lambda x: x.clip(min=-0.3), normal(9))
same("clip", normal(2, 5), unit(5) - 1, unit(2, 1) + 1)
pair(
    "select",
    lambda x, y: np.select([x > 0.5, x > 0], [y, x * y], x),
    lambda x, y: y.where(x > 0.5, (x * y).where(x > 0, x)),
    normal(3, 4),
    normal(4),
)
pair("choose", lambda *xs: np.choose([0, 1], xs), lambda x, y: torch.stack([x[0], y[1]]), normal(2), normal(2))

# Reductions

for axes in ({}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, -1)}, {"axis": (2, 0), "keepdims": True}):
    same("sum mean nansum nanmean amax amin max=amax min=amin linalg.vector_norm", distinct(2, 3, 2), **axes)
    same("var std", distinct(2, 3, 2), ddof=0, **axes)
    same("var std", distinct(2, 3, 2), ddof=1, **axes)
    same("logsumexp", normal(2, 3, 2), **({"axis": (0, 1, 2)} | axes))
    for order in (1, 2, 3, 2.5, -1, -2, np.inf, -np.inf):
        same("linalg.vector_norm", distinct(2, 3, 2), ord=order, **axes)
for axes in ({}, {"axis": 0}, {"axis": -1, "keepdims": True}):
    same("prod", normal(2, 3, 2), **axes)
same("prod", np.array([2.0, 0.0, 3.0]))
same("prod", np.array([[2.0, 0.0, 3.0], [0.0, 4.0, 0.0]]), axis=1)
same("amax amin", np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]))  # ties share evenly
same("amax amin", np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]), axis=1)
same("max min", np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]))
same("sum prod", normal(0))
same("sum mean", normal(2, 0, 3), axis=0)
same("logsumexp softmax log_softmax", 1000 * unit(3, 4), axis=-1)
same("nansum nanmean", np.array([[1.0, np.nan, 3.0], [np.nan, 2.0, 1.0]]), axis=1)
for axis in (0, 1, -1):
    same("softmax log_softmax", normal(2, 3, 2), axis=axis)
    same("cumsum cumprod", normal(2, 3, 2), axis=axis)
    same("diff trapezoid", normal(2, 3, 2), **({"axis": axis} if axis else {}))
    pair("median", lambda x, n=axis: np.median(x, n), lambda x, n=axis: x.quantile(0.5, n), distinct(4, 5))
    pair("quantile", lambda x, n=axis: np.quantile(x, 0.3, n), lambda x, n=axis: x.quantile(0.3, n), distinct(4, 5))
    pair("nanmedian", lambda x, n=axis: np.nanmedian(x, n), lambda x, n=axis: x.nanquantile(0.5, n), distinct(4, 5))
    pair("sort", lambda x, n=axis: np.sort(x, n), lambda x, n=axis: x.sort(n).values, distinct(4, 5))
for method in ("linear", "lower", "higher", "midpoint"):
    pair(
        f"quantile {method}",
        lambda x, method=method: np.quantile(x, np.array([0.1, 0.55, 1], x.dtype), method=method),
        lambda x, method=method: x.quantile(x.new_tensor([0.1, 0.55, 1]), interpolation=method),
        distinct(7),
    )
pair(
    "percentile", lambda x: np.percentile(x, 30, keepdims=True), lambda x: x.quantile(0.3).reshape(1, 1), distinct(2, 3)
)
pair("ptp", np.ptp, lambda x: x.amax() - x.amin(), distinct(2, 3))
pair("cumprod of zeros", np.cumprod, lambda x: x.cumprod(0), np.array([2.0, 0.0, 3.0, 0.0, 4.0]))
pair("logcumsumexp", lambda x: np.log(np.cumsum(np.exp(x))), lambda x: x.logcumsumexp(0), normal(4))
pair("average", lambda x, w: np.average(x, 1, w), lambda x, w: x @ w / w.sum(), normal(2, 3), positive(3))
pair("cov", lambda x: np.cov(x, ddof=0, dtype=x.dtype), lambda x: x.cov(correction=0), normal(3, 5))
pair("cov of one", lambda x: np.cov(x, dtype=x.dtype), torch.cov, normal(5))
pair(
    "cov with weights",
    lambda x, w: np.cov(x, fweights=[1, 2, 1, 3], aweights=w).astype(x.dtype),
    lambda x, w: x.cov(fweights=torch.tensor([1, 2, 1, 3]), aweights=w),
    normal(2, 4),
    positive(4),
)
pair("corrcoef", lambda x: np.corrcoef(x, dtype=x.dtype), torch.corrcoef, normal(3, 5))
same("gradient", normal(4, 5))
pair(
    "gradient along",
    lambda x: np.gradient(x, 0.5, axis=-1),
    lambda x: torch.gradient(x, spacing=0.5, dim=-1)[0],
    normal(3, 4),
)
pair("gradient edges", lambda x: np.gradient(x, edge_order=2), lambda x: torch.gradient(x, edge_order=2), normal(4, 3))
pair("trapezoid of x", np.trapezoid, torch.trapezoid, normal(2, 5), np.cumsum(positive(5)))
pair("diff 2", lambda x, y: np.diff(x, 2, 0, y), lambda x, y: x.diff(2, 0, y), normal(4, 2), normal(1, 2))
