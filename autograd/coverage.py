"""What this package answers to every public function of NumPy: ``python -m autograd coverage``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from autograd.messages import NOT_YET
from autograd.op import Refused
from autograd.table import PAGES, TABLE

TAKES_NO_TENSOR = {
    "makes an array": "bartlett blackman bmat diag_indices fftfreq frombuffer fromfunction fromiter fromregex "
    "fromstring hamming hanning indices kaiser mask_indices rfftfreq tril_indices triu_indices",
    "converts to an array; of a tensor that requires grad it raises": "array asanyarray asarray asarray_chkfinite "
    "asmatrix from_dlpack require",
    "about types and shapes": "broadcast_shapes datetime_data isdtype isfortran isscalar issubdtype iterable "
    "mintypecode nested_iters promote_types typename",
    "reads a file": "fromfile genfromtxt load loadtxt",
    "makes a function": "frompyfunc",
    "settings, printing and help": "base_repr binary_repr format_float_positional format_float_scientific get_include "
    "get_printoptions getbufsize geterr geterrcall info printoptions set_printoptions setbufsize seterr seterrcall "
    "show_config show_runtime test",
}
"""Functions that NumPy does not hand to a Tensor's protocols, by what they are for."""

PASSES_TENSORS_ON = ("row_stack", "trapz")
"""Old names: functions that NumPy writes in others which have rows."""

UNCLASSIFIED = "unclassified"


class Entry(NamedTuple):
    """One line of the table: a function, its kind, and the page of its row or the reason why it has none."""

    name: str
    kind: str
    note: str


def entries() -> list[Entry]:
    """What is known of each public callable of numpy, its linalg and fft, of ufunc methods, and of our functions."""
    public = [*of_module(np), *of_module(np.linalg), *of_module(np.fft)]
    methods = [
        of_row(f"numpy.{key[0].__name__}.{key[1]}", key)
        for key, row in TABLE.items()
        if isinstance(key, tuple) and not isinstance(row, Refused)
    ]
    own = [of_row(f"{key.__module__}.{key.__name__}", key) for key in TABLE if is_own(key)]
    return public + sorted(methods) + sorted(own)


def of_module(module: ModuleType) -> Iterator[Entry]:
    """An entry for each public callable of a module."""
    for name in sorted(dir(module)):
        function = getattr(module, name)
        if not name.startswith("_") and callable(function):
            yield of_function(f"{module.__name__}.{name}", function)


def of_function(name: str, function: Callable[..., Any]) -> Entry:
    """What is known of one function."""
    if isinstance(function, type):
        return Entry(name, "takes no tensor", "a type")
    if function in TABLE:
        return of_row(name, function)
    module, _, last = name.rpartition(".")
    if last in PASSES_TENSORS_ON:
        return Entry(name, "composite", "numpy")
    for purpose, names in TAKES_NO_TENSOR.items():
        if last in names.split():
            return Entry(name, "takes no tensor", purpose)
    if module in NOT_YET:
        return Entry(name, "refused", NOT_YET[module])
    return Entry(name, UNCLASSIFIED, "")


def of_row(name: str, key: Any) -> Entry:
    """What its row says of a function."""
    row = TABLE[key]
    return Entry(name, type(row).__name__.lower(), row.reason if isinstance(row, Refused) else PAGES[key])


def is_own(key: Any) -> bool:
    """Whether a key of the table is a function of this package, or of its user."""
    return not isinstance(key, tuple | np.ufunc) and not str(key.__module__).startswith("numpy")


def as_text(table: list[Entry]) -> str:
    """The table in columns, and how many functions there are of each kind."""
    width, kind_width = max(len(entry.name) for entry in table), max(len(entry.kind) for entry in table)
    lines = [f"{name:{width}}  {kind:{kind_width}}  {note}" for name, kind, note in table]
    return "\n".join([*lines, "", *(f"{count:5} {kind}" for kind, count in summary(table)), f"{len(table):5} in all"])


def as_markdown(table: list[Entry]) -> str:
    """The same in Markdown."""
    lines = ["| function | kind | page, or reason |", "|---|---|---|"]
    lines += [f"| `{name}` | {kind} | {note} |" for name, kind, note in table]
    lines += ["", "| kind | functions |", "|---|---:|"]
    return "\n".join([*lines, *(f"| {kind} | {count} |" for kind, count in summary(table))])


def summary(table: list[Entry]) -> list[tuple[str, int]]:
    """How many functions there are of each kind, most first."""
    return Counter(entry.kind for entry in table).most_common()
