"""Functions whose derivative is zero almost everywhere, and functions that have none.

A flat row computes its value and records nothing: arrays come back as tensors that require no grad, Python values as
they are. A refused row raises at the call and says why.
"""

from __future__ import annotations

import numpy as np

from autograd.table import flat, of_this_release, refuse, same_as

UFUNCS = {ufunc for ufunc in vars(np).values() if isinstance(ufunc, np.ufunc)}

# Comparisons, logic, bits, whole numbers

COMPARISONS = (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)
LOGIC = (np.logical_and, np.logical_or, np.logical_xor, np.bitwise_and, np.bitwise_or, np.bitwise_xor)
flat(*COMPARISONS, *LOGIC, np.logical_not)
flat(np.invert, np.left_shift, np.right_shift, np.bitwise_count, np.packbits, np.unpackbits)
flat(np.floor_divide, np.gcd, np.lcm)
flat(np.floor, np.ceil, np.trunc, np.rint, np.fix, np.round, np.around, np.sign, np.signbit, np.spacing)
for ufunc in (*COMPARISONS, *LOGIC, np.floor_divide):
    same_as(ufunc, *((ufunc, method) for method in ("reduce", "accumulate", "reduceat", "outer")))

# Properties of the elements: a real number has no imaginary part, and an angle of 0 or pi

flat(np.isfinite, np.isinf, np.isnan, np.isposinf, np.isneginf, np.isreal, np.iscomplex, np.imag, np.angle)
flat(np.isclose, np.allclose, np.array_equal, np.array_equiv, np.all, np.any, np.count_nonzero, np.linalg.matrix_rank)

# Positions: which element, not its value

flat(np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.argpartition, np.lexsort, np.searchsorted)
flat(np.argwhere, np.nonzero, np.flatnonzero, np.digitize, np.unravel_index, np.ravel_multi_index, np.ix_)
flat(np.diag_indices_from, np.tril_indices_from, np.triu_indices_from)

# Counts, and sets, whose members are labels

flat(np.histogram, np.histogram2d, np.histogramdd, np.histogram_bin_edges, but=("weights",))
flat(np.unique, np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values)
flat(np.isin, np.intersect1d, np.union1d, np.setdiff1d, np.setxor1d)
flat(*of_this_release("in1d"))  # until NumPy 2.3

# Shape, dtype, memory, text

flat(np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like, np.einsum_path)
flat(np.result_type, np.can_cast, np.common_type, np.min_scalar_type, np.isrealobj, np.iscomplexobj)
flat(np.zeros, np.ones, np.empty, np.eye, np.identity, np.tri, np.arange)  # with like=t, which makes them tensors
flat(np.shares_memory, np.may_share_memory, np.array2string, np.array_repr, np.array_str)

# No derivative, or none yet

refuse(
    "it writes into an array, which would lose the graph; use t[key] = value, np.where or autograd.index_add",
    np.copyto,
    np.put,
    np.place,
    np.putmask,
    np.put_along_axis,
    np.fill_diagonal,
)
same_as(np.copyto, *((ufunc, "at") for ufunc in UFUNCS))
refuse(
    "it writes values without their graph to a file; give it t.detach().numpy()",
    np.save,
    np.savez,
    np.savez_compressed,
    np.savetxt,
)
refuse(
    "it gives complex numbers, which are not supported yet; np.linalg.eigh and eigvalsh take symmetric matrices",
    np.linalg.eig,
    np.linalg.eigvals,
    np.roots,
    np.sort_complex,
)
refuse(
    "polynomials are not differentiable yet; np.polyval evaluates one, np.linalg.lstsq with np.vander fits one",
    np.poly,
    np.polyadd,
    np.polysub,
    np.polymul,
    np.polydiv,
    np.polyder,
    np.polyint,
    np.polyfit,
)
refuse(
    "it takes dates and times, and a tensor holds numbers",
    np.isnat,
    np.busday_count,
    np.busday_offset,
    np.is_busday,
    np.datetime_as_string,
)
refuse("the next number in floating point is a matter of rounding; give it t.detach().numpy()", np.nextafter)
