"""Weights in files: safetensors or npz, and never pickle, which runs whatever program a file holds.

A format is a pair of functions between bytes and (arrays by name, metadata), so what touches the disk stands once.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import deserialize
from safetensors.numpy import save as serialize

from autograd import Tensor, describe
from autograd.files import replace_file
from nn.errors import StateError
from nn.module import Module

Array = Any
Contents = tuple[dict[str, Array], dict[str, str]]

METADATA = "__metadata__"
CHECKSUM = "chainrule.crc32"
DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}
"""What safetensors calls the dtypes that both formats can hold."""

LONGEST_NAME = 2**16 - 1 - len(".npy")
"""In bytes, as an archive counts the names of its files in 16 bits."""

NO_FILES = 22
"""In bytes, the size of an archive of no files: an npz file that is larger has some."""


def save(state: Module | Mapping[str, Any], path: str | os.PathLike[str], metadata: Any = None) -> None:
    """Write the weights of a network, or any arrays by name, to a file: all of it, or nothing.

    Parameters
    ----------
    state : Module or mapping of str to array_like
        A module stands for its `Module.state_dict`. Arrays of float16, float32, float64, integers and booleans, of
        any shape and layout.
    path : path
        The suffix says the format: ``.safetensors``, which PyTorch and others read, or ``.npz``, which `numpy.load`
        reads. A file that is there is replaced at once when the new one is complete, and survives if that fails.
    metadata : mapping of str to str, optional
        What else to note. A checksum is added under the name ``chainrule.crc32``, with which `load` compares.

    Raises
    ------
    StateError
        If the suffix is another, or something can be stored in neither format; nothing is written then.
    OSError
        If there is no such folder, or nothing may be written to it.

    See Also
    --------
    load, load_metadata

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import nn
    >>> model = nn.Linear(2, 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save(model, f"{folder}/linear.safetensors", {"epoch": "3"})
    ...     twin = nn.Linear(2, 1)
    ...     print(twin.load_state_dict(nn.load(f"{folder}/linear.safetensors")))
    ...     print(nn.load_metadata(f"{folder}/linear.safetensors"))
    LoadResult(missing_keys=[], unexpected_keys=[])
    {'epoch': '3'}
    >>> bool(np.all(model.weight.data == twin.weight.data))
    True
    """
    pack = format_of(path).pack
    arrays = storable(state.state_dict() if isinstance(state, Module) else state)
    notes = {name: text for name, text in checked_metadata(metadata or {}).items() if name != CHECKSUM}
    replace_file(path, pack(arrays, notes | {CHECKSUM: checksum(arrays, notes)}))


def load(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Read the arrays of a weights file, by name; `Module.load_state_dict` takes them.

    Parameters
    ----------
    path : path
        A ``.safetensors`` or ``.npz`` file, written by `save` or by others.

    Returns
    -------
    dict of str to ndarray
        New arrays. A bfloat16 tensor, which NumPy does not have, becomes float32 of the same values.

    Raises
    ------
    StateError
        If the file is truncated, damaged, of another format, or holds something that is no array of real numbers.

    See Also
    --------
    save, load_metadata

    Examples
    --------
    Transfer learning as in BLG561E: keep the features that a network has learned, freeze them, train a new last layer.

    >>> import tempfile
    >>> import numpy as np
    >>> import nn
    >>> class Net(nn.Module):
    ...     def __init__(self, classes):
    ...         self.features = nn.Linear(3, 4)
    ...         self.head = nn.Linear(4, classes)
    ...     def forward(self, x):
    ...         return self.head(np.tanh(self.features(x)))
    >>> new = Net(2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save(Net(10), f"{folder}/learned.npz")
    ...     learned = nn.load(f"{folder}/learned.npz")
    >>> features = {name: array for name, array in learned.items() if name.startswith("features.")}
    >>> new.load_state_dict(features, strict=False).missing_keys
    ['head.weight', 'head.bias']
    >>> new.features.requires_grad_(False)
    Linear(in_features=3, out_features=4, bias=True)
    >>> [name for name, parameter in new.named_parameters() if parameter.requires_grad]
    ['head.weight', 'head.bias']
    """
    return contents(path)[0]


def load_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read what was noted beside the arrays of a weights file, without the checksum; see `save` for an example.

    Parameters
    ----------
    path : path
        A ``.safetensors`` or ``.npz`` file.

    Returns
    -------
    dict of str to str
        The metadata; empty if there are none.

    Raises
    ------
    StateError
        As `load` does.
    """
    return contents(path)[1]


# What may be in a file


def storable(state: Mapping[str, Any]) -> dict[str, Array]:
    """Return what to write: arrays in C order and little-endian, as both formats hold them."""
    if not isinstance(state, Mapping):
        raise StateError(f"weights are a network or a mapping of names to arrays, got {describe(state)}")
    complaints, arrays = [], {}
    for name, value in state.items():
        array = value.numpy() if isinstance(value, Tensor) else np.asarray(value)
        if not isinstance(name, str) or not name.isprintable() or name == METADATA:
            complaints.append(f"the name {name!r}; use a printable string other than {METADATA!r}")
        elif (length := len(name.encode())) > LONGEST_NAME:
            complaints.append(f"the name {name[:20]!r}… of {length} bytes; use at most {LONGEST_NAME}")
        if (dtype := array.dtype.newbyteorder("<")) not in DTYPES.values():
            complaints.append(f"{name!r} of dtype {array.dtype}; use real numbers of up to 64 bits")
        arrays[name] = array if complaints else array.astype(dtype, order="C", copy=False)
    if complaints:
        raise StateError("cannot be stored in a weights file:\n  " + "\n  ".join(complaints))
    return arrays


def native(name: str, array: Array) -> Array:
    """The array in the byte order of this machine, if it holds real numbers of up to 64 bits."""
    if array.dtype.newbyteorder("<") not in DTYPES.values():
        raise StateError(f"{name!r} is of dtype {array.dtype}; only real numbers of up to 64 bits can be loaded")
    return array.astype(array.dtype.newbyteorder("="), order="C")


def checked_metadata(metadata: Any) -> dict[str, str]:
    """Return metadata, if they are text by name."""
    if not isinstance(metadata, Mapping) or not all(isinstance(t, str) for pair in metadata.items() for t in pair):
        raise StateError(f"metadata map strings to strings, got {metadata!r}; use json.dumps for other values")
    return dict(metadata)


def checksum(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> str:
    """CRC-32 of names, dtypes, shapes, values and metadata, in an order that does not depend on theirs."""
    crc = zlib.crc32(json.dumps(metadata, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name].astype(arrays[name].dtype.newbyteorder("<"), copy=False)
        crc = zlib.crc32(f"{name} {array.dtype.str} {array.shape}".encode(), crc)
        crc = zlib.crc32(array, crc)
    return f"{crc:08x}"


# Formats


def pack_safetensors(arrays: dict[str, Array], metadata: dict[str, str]) -> bytes:
    """Return the bytes of a safetensors file."""
    return serialize(arrays, metadata)


def unpack_safetensors(data: bytes) -> Contents:
    """Return what the bytes of a safetensors file hold."""
    # The header is found to be right first; tensors come in no order.
    tensors = sorted(deserialize(data))  # type: ignore[no-untyped-call]
    arrays = {name: native(name, tensor_of(name, **tensor)) for name, tensor in tensors}
    metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get(METADATA) or {}
    return arrays, metadata


def tensor_of(name: str, dtype: str, shape: list[int], data: bytes) -> Array:
    """The array that a safetensors file describes so; read-only."""
    if dtype == "BF16":  # the upper half of a float32
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
    if dtype not in DTYPES:
        raise StateError(f"{name!r} is of dtype {dtype}, which NumPy does not have or a network does not use")
    return np.frombuffer(data, DTYPES[dtype]).reshape(shape)


def pack_npz(arrays: dict[str, Array], metadata: dict[str, str]) -> bytes:
    """Return the bytes of an npz file, equal for equal contents; `numpy.savez` could not call an array "file"."""
    out = io.BytesIO()
    notes = np.array(json.dumps(metadata))
    with zipfile.ZipFile(out, "w") as archive:
        # The notes stand first: damage to the directory of an archive can hide an entry after another, without a trace.
        for name, array in [(METADATA, notes), *arrays.items()]:
            entry = io.BytesIO()
            np.lib.format.write_array(entry, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getbuffer())
    return out.getvalue()


def unpack_npz(data: bytes) -> Contents:
    """Return what the bytes of an npz file hold."""
    arrays: dict[str, Array] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if not archive.namelist() and len(data) > NO_FILES:
            raise StateError(f"its directory lists none of the files in its {len(data)} bytes: it is damaged")
        for entry in archive.namelist():
            name = entry.removesuffix(".npy")
            if name in arrays:
                raise StateError(f"it holds {name!r} twice")
            arrays[name] = np.lib.format.read_array(io.BytesIO(archive.read(entry)), allow_pickle=False)
    notes = json.loads(str(arrays.pop(METADATA, "{}")))
    return {name: native(name, array) for name, array in arrays.items()}, checked_metadata(notes)


class Format(NamedTuple):
    """How arrays and metadata become the bytes of a file, and the other way round."""

    pack: Callable[[dict[str, Array], dict[str, str]], bytes]
    unpack: Callable[[bytes], Contents]


FORMATS = {".safetensors": Format(pack_safetensors, unpack_safetensors), ".npz": Format(pack_npz, unpack_npz)}


def format_of(path: str | os.PathLike[str]) -> Format:
    """Return the format that a file's suffix stands for."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise StateError(
            f"{os.fspath(path)} has the suffix {suffix!r}; weights are stored in {' or '.join(FORMATS)} files "
            "(PyTorch writes the former with safetensors.torch.save_file)"
        )
    return FORMATS[suffix]


# Files


def contents(path: str | os.PathLike[str]) -> Contents:
    """Return what a weights file holds."""
    unpack = format_of(path).unpack
    data = Path(path).read_bytes()
    try:
        arrays, metadata = unpack(data)
        expected = metadata.pop(CHECKSUM, None)
        if expected is not None and expected != checksum(arrays, metadata):
            raise StateError(
                f"its contents do not have the checksum that its metadata give as {CHECKSUM!r}: "
                "they are damaged, or a program that changed them kept that entry"
            )
        return arrays, metadata
    except Exception as error:  # damaged bytes make those who read them stumble in every way
        reason = str(error) or type(error).__name__
        raise StateError(f"{os.fspath(path)} is no {Path(path).suffix} file of weights: {reason}") from error
