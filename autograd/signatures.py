"""What functions call their arguments."""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import Any

import numpy as np


def signature(function: Any, forward: Any) -> tuple[tuple[str, ...], dict[str, Any], int]:
    """Return parameter names, their defaults, and the position of the starred one (their number if there is none)."""
    if isinstance(function, np.ufunc):
        return ("x", "y", "z")[: function.nin], {}, function.nin
    if not isinstance(forward, FunctionType) or vars(forward):  # it may wrap a function, or give its own signature
        parameters = inspect.signature(forward).parameters
        defaults = {name: p.default for name, p in parameters.items() if p.default is not p.empty}
        starred = [index for index, p in enumerate(parameters.values()) if p.kind is p.VAR_POSITIONAL]
        return tuple(parameters), defaults, (starred or [len(parameters)])[0]
    code = forward.__code__  # the same, in a hundredth of the time: this is done for every row while importing
    names, count = code.co_varnames, code.co_argcount
    last = count + code.co_kwonlyargcount
    star = names[last : last + 1] if code.co_flags & inspect.CO_VARARGS else ()
    given = forward.__defaults__ or ()
    by_keyword = forward.__kwdefaults__ or {}
    defaults = dict(zip(names[count - len(given) : count], given)) | by_keyword
    return names[:count] + star + names[count:last], defaults, count if star else last


def names_of(rule: Any) -> tuple[str, ...]:
    """Return what a rule asks for: the names of its parameters, without the upstream and the tangent."""
    code = getattr(rule, "__code__", None)
    names = () if code is None else code.co_varnames[: code.co_argcount]
    return tuple(name for name in names if name not in ("g", "t"))
