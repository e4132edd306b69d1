"""Weights in files: what goes in comes out, files are whole or untouched, and no bytes do harm."""

from __future__ import annotations

import io
import json
import os
import pickle
import re
import stat
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import nn
from autograd import Tensor
from nn import StateError

SUFFIXES = [".safetensors", ".npz"]
both_formats = pytest.mark.parametrize("suffix", SUFFIXES)


def arrays() -> dict[str, np.ndarray]:
    grid = np.arange(6.0).reshape(2, 3)
    return {
        "transposed": grid.T,
        "fortran": np.asfortranarray(grid),
        "strided": grid[::-1, ::2],
        "broadcast": np.broadcast_to(np.float32(2), (2, 2)),
        "0-d": np.array(3.5),
        "number": np.float32(0.1),
        "empty": np.zeros((0, 3), np.float32),
        "counts": np.array([2**62, -1]),
        "half": np.array([1.5, np.inf], np.float16),
        "big-endian": np.array([1.0, 2.0], ">f4"),
        "bytes": np.arange(3, dtype=np.uint8),
        "flags": np.array([True, False]),
        "not a number": np.array([np.nan, -0.0]),
    }


def assert_same(loaded: dict[str, np.ndarray], state: dict[str, Any]) -> None:
    assert set(loaded) == set(state)
    for name, value in state.items():
        value = np.asarray(value)
        assert loaded[name].dtype == value.dtype.newbyteorder("="), name
        assert loaded[name].shape == value.shape, name
        np.testing.assert_array_equal(loaded[name], value)


def refused(call: Any, *args: Any) -> str:
    """The message of the StateError that a call raises."""
    with pytest.raises(StateError) as caught:
        call(*args)
    return str(caught.value)


# Round trips


@both_formats
def test_what_goes_in_comes_out(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"state{suffix}"
    nn.save(arrays(), path)
    loaded = nn.load(path)
    assert_same(loaded, arrays())
    assert np.signbit(loaded["not a number"][1])
    for array in loaded.values():
        array[...] = 0  # writable, and nobody else's
    assert nn.load_metadata(path) == {}


@both_formats
def test_arrays_are_not_changed_by_saving(tmp_path: Path, suffix: str) -> None:
    state = arrays()
    nn.save(state, tmp_path / f"state{suffix}")
    for name, value in arrays().items():
        assert state[name].dtype == value.dtype
        assert state[name].strides == value.strides


@both_formats
def test_modules_tensors_and_lists_are_saved_as_arrays(tmp_path: Path, suffix: str) -> None:
    path = str(tmp_path / f"state{suffix}")
    model = nn.BatchNorm1d(2)
    nn.save(model, path)
    assert_same(nn.load(path), model.state_dict())
    nn.save({"t": Tensor([1.0, 2.0], requires_grad=True), "l": [1, 2], "n": 1.5}, path)
    assert_same(nn.load(path), {"t": np.array([1.0, 2.0]), "l": np.array([1, 2]), "n": np.array(1.5)})


@both_formats
def test_nothing_at_all(tmp_path: Path, suffix: str) -> None:
    nn.save({}, tmp_path / f"state{suffix}")
    assert nn.load(tmp_path / f"state{suffix}") == {}


@both_formats
@pytest.mark.parametrize(
    "name", ["file", "allow_pickle", "arr_0", "a.npy", "größe/1", " ", "", "../up", "chainrule.crc32"]
)
def test_every_printable_name(tmp_path: Path, suffix: str, name: str) -> None:
    state = {name: np.ones(2), "a": np.zeros(1)}
    nn.save(state, tmp_path / f"state{suffix}")
    assert_same(nn.load(tmp_path / f"state{suffix}"), state)
    assert [path.name for path in tmp_path.iterdir()] == [f"state{suffix}"]


@both_formats
def test_metadata(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"state{suffix}"
    notes = {"checkpoint": json.dumps({"epoch": 3, "größe": [0.1]}), "": "\n\0", "weight": "text"}
    nn.save({"weight": np.ones(2)}, path, notes)
    assert nn.load_metadata(path) == notes
    assert_same(nn.load(path), {"weight": np.ones(2)})


def test_equal_contents_are_equal_npz_files(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        nn.save({"w": np.ones(2)}, tmp_path / name, {"epoch": "1"})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_the_suffix_in_capitals(tmp_path: Path) -> None:
    nn.save({"w": np.ones(2)}, tmp_path / "W.NPZ")
    assert_same(nn.load(tmp_path / "W.NPZ"), {"w": np.ones(2)})


def test_numpy_reads_npz(tmp_path: Path) -> None:
    nn.save(arrays(), tmp_path / "state.npz", {"epoch": "3"})
    with np.load(tmp_path / "state.npz", allow_pickle=False) as archive:
        found = dict(archive)
    assert json.loads(str(found.pop("__metadata__")))["epoch"] == "3"
    assert_same(found, {name: a.astype(a.dtype.newbyteorder("<")) for name, a in arrays().items()})


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_what_numpy_has_written(tmp_path: Path, write: Any) -> None:
    state = arrays()
    write(tmp_path / "state.npz", **state)
    assert_same(nn.load(tmp_path / "state.npz"), state)
    assert nn.load_metadata(tmp_path / "state.npz") == {}


def test_others_read_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    nn.save(arrays(), path, {"epoch": "3"})
    assert_same(load_file(path), arrays())
    with safe_open(path, framework="np") as file:
        assert file.metadata()["epoch"] == "3"
        notes = file.metadata()
    nn.save({"w": np.ones(2)}, path, notes)  # the checksum is made anew
    assert_same(nn.load(path), {"w": np.ones(2)})


def test_what_others_have_written(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    state = {"w": np.ones((2, 3), np.float32), "n": np.array(2)}
    save_file(state, path, {"format": "pt"})
    assert_same(nn.load(path), state)
    assert nn.load_metadata(path) == {"format": "pt"}
    save_file(state, path)
    assert nn.load_metadata(path) == {}


def safetensors_bytes(header: dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def test_bfloat16_becomes_float32(tmp_path: Path) -> None:
    # 1, -2, 3.140625 and infinity: the upper halves of float32
    halves = np.array([0x3F80, 0xC000, 0x4049, 0x7F80], "<u2")
    path = tmp_path / "state.safetensors"
    path.write_bytes(
        safetensors_bytes({"w": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]}}, halves.tobytes())
    )
    assert_same(nn.load(path), {"w": np.array([[1, -2], [3.140625, np.inf]], np.float32)})


# What cannot be stored


@both_formats
@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        ({"w": np.array([None])}, "'w' of dtype object; use real numbers of up to 64 bits"),
        ({"w": "text"}, "'w' of dtype <U4; use real numbers of up to 64 bits"),
        ({"w": 1j}, "'w' of dtype complex128; use real numbers of up to 64 bits"),
        ({"w": np.zeros(1, "f4,f4")}, "'w' of dtype [('f0', '<f4'), ('f1', '<f4')]; use real numbers of up to 64 bits"),
        ({1: 0.0}, "the name 1; use a printable string other than '__metadata__'"),
        ({"a\0": 0.0}, r"the name 'a\x00'; use a printable string other than '__metadata__'"),
        ({"\ud800": 0.0}, r"the name '\ud800'; use a printable string other than '__metadata__'"),
        ({"__metadata__": 0.0}, "the name '__metadata__'; use a printable string other than '__metadata__'"),
        ({"ü" * 32766: 0.0}, "the name 'üüüüüüüüüüüüüüüüüüüü'… of 65532 bytes; use at most 65531"),
    ],
)
def test_what_cannot_be_stored(tmp_path: Path, suffix: str, state: Any, complaint: str) -> None:
    message = refused(nn.save, {"fine": 1.0} | state, tmp_path / f"state{suffix}")
    assert message == f"cannot be stored in a weights file:\n  {complaint}"
    assert not list(tmp_path.iterdir())


@both_formats
def test_the_longest_name(tmp_path: Path, suffix: str) -> None:
    state = {"w" * 65531: np.ones(2)}
    nn.save(state, tmp_path / f"state{suffix}")
    assert_same(nn.load(tmp_path / f"state{suffix}"), state)


@both_formats
@pytest.mark.parametrize(("state", "words"), [(np.ones(2), "array(float64 (2,))"), (None, "None"), ([], "[]")])
def test_what_has_no_names_cannot_be_stored(tmp_path: Path, suffix: str, state: Any, words: str) -> None:
    message = refused(nn.save, state, tmp_path / f"state{suffix}")
    assert message == f"weights are a network or a mapping of names to arrays, got {words}"
    assert not list(tmp_path.iterdir())


@both_formats
def test_everything_that_cannot_be_stored_is_listed(tmp_path: Path, suffix: str) -> None:
    message = refused(nn.save, {"w": 1j, "__metadata__": 2j}, tmp_path / f"state{suffix}")
    assert message.count("\n") == 3


@both_formats
@pytest.mark.parametrize("metadata", [{"epoch": 3}, {3: "epoch"}, "epoch"])
def test_metadata_are_text(tmp_path: Path, suffix: str, metadata: Any) -> None:
    message = refused(nn.save, {}, tmp_path / f"state{suffix}", metadata)
    assert message == f"metadata map strings to strings, got {metadata!r}; use json.dumps for other values"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["state.pt", "state", "state.npy"])
def test_another_suffix(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    message = (
        f"{path} has the suffix {path.suffix!r}; weights are stored in .safetensors or .npz files "
        "(PyTorch writes the former with safetensors.torch.save_file)"
    )
    assert refused(nn.save, {}, path) == message
    assert refused(nn.load, path) == message
    assert refused(nn.load_metadata, path) == message
    assert not list(tmp_path.iterdir())


# Files


@both_formats
def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"state{suffix}"
    nn.save({"w": np.ones(2)}, path)

    def fails(descriptor: int) -> None:
        assert len(list(tmp_path.iterdir())) == 2  # the new one is being written
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(KeyboardInterrupt):
        nn.save({"w": np.zeros(2)}, path)
    assert list(tmp_path.iterdir()) == [path]
    assert_same(nn.load(path), {"w": np.ones(2)})


def test_a_file_is_as_readable_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    nn.save({}, tmp_path / "state.npz")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "state.npz")]
    assert modes[0] == modes[1]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "best.npz").symlink_to(tmp_path / "runs" / "7.npz")
    nn.save({"w": 1.0}, tmp_path / "best.npz")
    assert (tmp_path / "best.npz").is_symlink()
    assert_same(nn.load(tmp_path / "runs" / "7.npz"), {"w": 1.0})


@both_formats
def test_what_is_not_there_is_the_systems_error(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / f"none{suffix}")
    path = tmp_path / "none" / f"state{suffix}"
    message = f"there is no folder {path.parent} for {path}; make it first"
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        nn.save({}, path)
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(OSError, match="folder"):
        nn.save({}, tmp_path / f"folder{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == [f"folder{suffix}"]


# Damage


@both_formats
def test_no_damaged_file_is_taken_for_a_whole_one(tmp_path: Path, suffix: str) -> None:
    """Each byte changed in two ways, and a cut at each length: the same state, or a StateError."""
    path = tmp_path / f"state{suffix}"
    state = {"weight": np.array([[1.0, 2.0]], np.float32), "steps": np.array(7)}
    nn.save(state, path, {"epoch": "3"})
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(len(whole))]
    for place in range(len(whole)):
        for flip in (1 << place % 8, 255):
            damaged.append(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
    outcomes = {"the same": 0, "refused": 0}
    for data in damaged:
        path.write_bytes(data)
        try:
            loaded = nn.load(path)
        except StateError:
            outcomes["refused"] += 1
        else:
            assert_same(loaded, state)
            outcomes["the same"] += 1
    assert outcomes["refused"] > len(whole)


def test_an_archive_whose_directory_is_gone_is_damaged(tmp_path: Path) -> None:
    """Its last 22 bytes say how many files there are, how long the directory is, and where."""
    path = tmp_path / "state.npz"
    nn.save({"w": np.ones(3)}, path, {"epoch": "3"})
    whole = path.read_bytes()
    message = (
        f"{path} is no .npz file of weights: its directory lists none of the files in its {len(whole)} bytes: "
        "it is damaged"
    )
    for first, last in [(-14, -6), (-10, -9), (-10, -6)]:
        path.write_bytes(whole[:first] + bytes(last - first) + whole[last:])
        assert refused(nn.load, path) == refused(nn.load_metadata, path) == message
    path.write_bytes(npz())
    assert nn.load(path) == {}


def npz(**entries: Any) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def npy(array: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


W = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize(
    ("suffix", "data", "reason"),
    [
        (".safetensors", b"", r"Error while deserializing: header too small"),
        (".safetensors", npz(), r"Error while deserializing: .*"),
        (".safetensors", pickle.dumps({"w": 1}), r"Error while deserializing: .*"),
        (
            ".safetensors",
            safetensors_bytes({"w": W | {"dtype": "C64", "data_offsets": [0, 8]}}, bytes(8)),
            r"'w' is of dtype C64, which NumPy does not have or a network does not use",
        ),
        (
            ".safetensors",
            safetensors_bytes({"__metadata__": {"chainrule.crc32": "0"}, "w": W}, bytes(4)),
            r"its contents do not have the checksum that its metadata give as 'chainrule\.crc32': "
            r"they are damaged, or a program that changed them kept that entry",
        ),
        (".npz", b"", r"File is not a zip file"),
        (".npz", safetensors_bytes({"w": W}, bytes(4)), r"File is not a zip file"),
        (".npz", npy(np.ones(2)), r"File is not a zip file"),
        (".npz", npz(**{"w.npy": b""}), r"EOF: reading magic string, .*"),
        (".npz", npz(**{"w.npy": npz()}), r"the magic string is not correct; .*"),
        (".npz", npz(**{"w.npy": npy(1), "w": npy(1)}), r"it holds 'w' twice"),
        (".npz", npz(**{"w.npy": npy(np.array([None]))}), r"Object arrays cannot be loaded when allow_pickle=False"),
        (".npz", npz(**{"w.npy": pickle.dumps({"w": 1})}), r"the magic string is not correct; .*"),
        (
            ".npz",
            npz(w=npy(1j)),
            r"'w' is of dtype complex128; only real numbers of up to 64 bits can be loaded",
        ),
        (".npz", npz(**{"__metadata__.npy": npy("text")}), r"Expecting value: .*"),
        (
            ".npz",
            npz(**{"__metadata__.npy": npy('{"a": 1}')}),
            r"metadata map strings to strings, got \{'a': 1\}; use json\.dumps for other values",
        ),
    ],
)
def test_what_is_no_file_of_weights(tmp_path: Path, suffix: str, data: bytes, reason: str) -> None:
    path = tmp_path / f"state{suffix}"
    path.write_bytes(data)
    pattern = f"{re.escape(str(path))} is no {re.escape(suffix)} file of weights: {reason}"
    assert re.fullmatch(pattern, refused(nn.load, path))
    assert re.fullmatch(pattern, refused(nn.load_metadata, path))


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "sprung",)

    np.savez(tmp_path / "state.npz", w=np.array([Trap()], object))
    refused(nn.load, tmp_path / "state.npz")
    (tmp_path / "state.npz").write_bytes(npz(w=pickle.dumps(Trap())))
    refused(nn.load, tmp_path / "state.npz")
    assert not (tmp_path / "sprung").exists()


@both_formats
def test_a_file_of_another_network_leaves_the_model_as_it_is(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"state{suffix}"
    nn.save({"weight": np.ones((2, 2)), "scale": np.ones(1)}, path)
    model = nn.Linear(3, 2)
    before = model.state_dict()
    message = (
        "the state does not fit Linear, which was left as it is\n"
        "  missing: bias\n"
        "  unexpected: scale\n"
        "  mis-shaped: weight of shape (2, 2), which must be (2, 3)"
    )
    assert refused(model.load_state_dict, nn.load(path)) == message
    assert_same(model.state_dict(), before)


@both_formats
def test_transfer_learning(tmp_path: Path, suffix: str) -> None:
    """Features from a file stay as they are; only the new head learns."""

    class Net(nn.Module):
        def __init__(self, classes: int, seed: int) -> None:
            self.features = nn.Linear(3, 4, rng=np.random.default_rng(seed))
            self.head = nn.Linear(4, classes, rng=np.random.default_rng(seed + 1))

        def forward(self, x: Any) -> Any:
            return self.head(np.tanh(self.features(x)))

    path = tmp_path / f"learned{suffix}"
    learned, new = Net(10, 0), Net(2, 5)
    nn.save(learned.features, path)
    new.features.load_state_dict(nn.load(path))
    new.features.requires_grad_(False)
    head = new.head.weight.numpy().copy()
    (new(np.ones((2, 3), np.float32)) ** 2).sum().backward()
    for parameter in new.parameters():
        if parameter.grad is not None:
            parameter.data = parameter.data - 0.1 * parameter.grad
    np.testing.assert_array_equal(new.features.weight.numpy(), learned.features.weight.numpy())
    assert np.all(new.head.weight.numpy() != head)
