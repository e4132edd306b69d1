"""What errors say: the operation, its operands with shape, dtype and name, what was expected, and the cure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.dispatch import PLAIN
from autograd.errors import (
    AutogradError,
    AxisError,
    DtypeError,
    OutOfRangeError,
    ShapeError,
    SingularError,
)
from autograd.record import Spec


def describe(value: Any) -> str:
    """What an error says of an operand: kind, dtype, shape, name."""
    if hasattr(value, "_array"):
        return f"Tensor({value._array.dtype} {value._array.shape}{f' {value.name!r}' if value.name else ''})"
    if isinstance(value, np.ndarray | np.generic):
        return f"array({value.dtype} {value.shape})"
    return repr(value) if len(repr(value)) < 60 else f"{repr(value)[:56]} …"


EXPECTED = (TypeError, ValueError, IndexError, np.linalg.LinAlgError)
RAISED = {*EXPECTED, np.exceptions.AxisError}
CURES: list[tuple[type[Exception], type[AutogradError], str]] = [
    (np.linalg.LinAlgError, SingularError, "check the matrix: its rank, its symmetry, its shape"),
    (np.exceptions.AxisError, AxisError, "axes run from -ndim to ndim - 1"),
    (IndexError, OutOfRangeError, "indices run from -n to n - 1, axes from -ndim to ndim - 1"),
    (ValueError, ShapeError, "reshape, transpose or index the operands so that they fit"),
    (TypeError, DtypeError, "check the operands' dtypes"),
]


def explain(op: Any, args: Sequence[Any], error: Exception) -> Exception:
    """Return NumPy's complaint with operation, operands and a cure added; an error of a user's own kind as it is."""
    if isinstance(error, AutogradError) or (op.foreign and type(error) not in RAISED):
        return error
    kind, cure = next((kind, cure) for base, kind, cure in CURES if isinstance(error, base))
    names = (*op.parameters, *[None] * len(args))
    given = [
        f"{name}={describe(arg)}" if name in op.defaults else describe(arg)
        for name, arg in zip(names, args)
        if name not in op.defaults or arg is not op.defaults[name]
    ]
    return kind(f"{op.name}({', '.join(given)}): {str(error).rstrip('. ')}; {cure}")


OTHER_NAMES = {
    "view": "t.reshape(shape)",
    "clone": "t.copy()",
    "numel": "t.size",
    "dim": "t.ndim",
    "t": "t.T",
    "mm": "t @ other",
    "bmm": "t @ other",
    "sub": "t - other",
    "mul": "t * other",
    "div": "t / other",
    "neg": "-t",
    "norm": "np.linalg.norm(t)",
    "type": "t.astype(dtype)",
    "to": "t.astype(dtype)",
    "half": "t.astype(np.float16)",
    "float": "t.astype(np.float32)",
    "double": "t.astype(np.float64)",
    "long": "t.astype(np.int64)",
    "expand": "np.broadcast_to(t, shape)",
    "masked_fill": "np.where(mask, value, t)",
    "gather": "np.take_along_axis(t, indices, axis)",
    "index_select": "t.take(indices, axis)",
    "cat": "np.concatenate(tensors, axis)",
    "chunk": "np.split(t, sections, axis)",
    "grad_fn": "t.node",
}
"""What stands here for what tensors of PyTorch have under other names."""


def no_attribute(name: str) -> str:
    """What the error says of an attribute that tensors do not have."""
    function = vars(np).get(name)
    cure = OTHER_NAMES.get(name) or (f"np.{name}(…)" if callable(function) and not isinstance(function, type) else None)
    return f"'Tensor' object has no attribute {name!r}" + (f"; use {cure}" if cure else "")


NOT_YET = {"numpy.fft": "numpy.fft works with complex numbers, which are not supported yet; give it t.detach().numpy()"}
"""Why the functions of a module are refused that have no rows, since NumPy loads it when it is first asked for."""


def refusal(function: Any, row: Any) -> str:
    """Why there is no derivative, and what to do."""
    ufunc, method = function if isinstance(function, tuple) else (function, None)
    name = f"{getattr(ufunc, '__module__', 'numpy')}.{ufunc.__name__}".replace("autograd.", "")
    name = (
        f"numpy.{ufunc.__name__}.{method}"
        if method
        else f"numpy.{ufunc.__name__}"
        if isinstance(ufunc, np.ufunc)
        else name
    )
    reason = NOT_YET.get(getattr(ufunc, "__module__", "")) if row is None else row.reason
    if reason is not None:
        return f"{name} does not take a Tensor: {reason}"
    return (
        f"{name} has no row in the table of derivatives; add one with autograd.differentiable "
        "(the built-in rows are in autograd/rules), or give it t.detach().numpy()"
    )


def unknown(what: str) -> str:
    """Why a value cannot be looked at."""
    return (
        f"the value of {what} is needed while the function is compiled, when only shapes and dtypes are known; use "
        "np.where in place of if, and keep float(), bool(), item(), .data and np.asarray() out of compiled functions"
    )


def refuse_unlike(value: Any, what: str) -> None:
    """Raise for a matrix, a masked or a sparse array: they compute by rules of their own, the table by NumPy's."""
    kind = type(value)
    if kind in PLAIN:
        return
    if isinstance(value, np.matrix):
        cure = "np.asarray(m)"
    elif hasattr(kind, "filled"):
        cure = "a.filled(0)"
    elif hasattr(kind, "toarray"):
        cure = "a.toarray()"
    else:
        return
    raise DtypeError(f"{what}: a {kind.__name__} of shape {value.shape} computes by rules of its own; use {cure}")


NUMBERS = frozenset("fiub")
"""The kinds of dtype that tensors can have: floating and whole numbers, and booleans."""


def checked(value: Any) -> Any:
    """The value, if its kind and dtype are among those that tensors can have."""
    refuse_unlike(value, "a Tensor holds arrays and numbers")
    if value.dtype.kind == "c":
        raise DtypeError(
            f"complex numbers are not supported yet (got dtype {value.dtype}); use the real and imaginary parts"
        )
    if value.dtype.kind not in NUMBERS:
        raise DtypeError(
            f"a Tensor holds numbers, not dtype {value.dtype}; give it numbers in a rectangular nesting of lists, "
            "or use np.stack to join tensors"
        )
    return value


@lru_cache(maxsize=4096)
def kinds(spec: Any) -> set[str]:
    """The kinds of dtype of a value, or of a tuple of values; what is not NumPy's counts as objects."""
    return {getattr(part.dtype, "kind", "O") for part in (spec if not isinstance(spec, Spec) else [spec])}


def carries(op: Any, spec: Any) -> bool:
    """Whether a value of this spec carries a gradient."""
    found = kinds(spec)
    if not found <= NUMBERS:
        raise DtypeError(
            f"{op.name}() of a Tensor gives complex numbers, words or objects, which are not supported; use real "
            "numbers, and the .numpy() of another library's tensors"
        )
    return "f" in found
