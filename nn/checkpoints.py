"""Checkpoints: nested dicts and lists of arrays and numbers in one weights file.

The arrays are stored as in any weights file; how they are nested, and everything that is no array, is text beside them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import describe
from nn.errors import StateError
from nn.weights import contents, save

Array = Any

LAYOUT = "chainrule.checkpoint"
SEQUENCES = {"list": list, "tuple": tuple}


def write(state: Any, path: str | os.PathLike[str]) -> None:
    """Write a state to a file: all of it, or nothing.

    Parameters
    ----------
    state : dict, list, tuple, ndarray, number, str or None
        Nested as it may be; the keys of dicts are strings or integers.
    path : path
        Its suffix says the format, as for `nn.save`.

    Raises
    ------
    StateError
        If there is anything else in it, or the suffix is unknown.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from nn.checkpoints import read, write
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write({"epoch": 3, "state": {0: np.ones(2)}}, f"{folder}/state.npz")
    ...     read(f"{folder}/state.npz")
    {'epoch': 3, 'state': {0: array([1., 1.])}}
    """
    arrays: dict[str, Array] = {}
    layout = packed(state, "", arrays)
    save(arrays, path, {LAYOUT: json.dumps(layout)})


def read(path: str | os.PathLike[str]) -> Any:
    """Read what `write` has written.

    Raises
    ------
    StateError
        If the file is damaged, or no checkpoint.
    """
    arrays, metadata = contents(path)
    if LAYOUT not in metadata:
        raise StateError(
            f"{os.fspath(path)} is no checkpoint, which would say {LAYOUT!r} in its metadata; "
            "give weights without more to Module.load_state_dict(nn.load(path))"
        )
    try:
        return unpacked(json.loads(metadata[LAYOUT]), arrays)
    except (ValueError, TypeError, LookupError) as error:
        raise StateError(f"{os.fspath(path)} is a damaged checkpoint: {error}") from error


def packed(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    """Return the layout of a value as JSON can hold it; its arrays go to `arrays`, named after their places."""
    if isinstance(value, np.ndarray | np.generic):
        name = name or "array"
        while name in arrays:  # of another place: "a/b" is also b of a, and 1 looks like "1"
            name += "'"
        arrays[name] = np.asarray(value)
        return {"array": name}
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str | int):
                raise StateError(
                    f"a checkpoint cannot hold {name or 'a dict'} with the key {key!r}; "
                    "its keys are strings or integers"
                )
        return {"dict": [[key, packed(item, joined(name, key), arrays)] for key, item in value.items()]}
    for kind, sequence in SEQUENCES.items():
        if isinstance(value, sequence):
            return {kind: [packed(item, joined(name, index), arrays) for index, item in enumerate(value)]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise StateError(
        f"a checkpoint cannot hold {name}, {describe(value)}; only dicts, lists, arrays, numbers and strings"
    )


def unpacked(layout: Any, arrays: Mapping[str, Array]) -> Any:
    """Return the value that was packed."""
    if not isinstance(layout, dict):
        return layout
    ((kind, content),) = layout.items()
    if kind == "array":
        return arrays[content][()]
    if kind == "dict":
        return {key: unpacked(item, arrays) for key, item in content}
    return SEQUENCES[kind](unpacked(item, arrays) for item in content)


def joined(name: str, key: Any) -> str:
    """The name of a part."""
    return f"{name}/{key}" if name else str(key)
