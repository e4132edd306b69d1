"""Weights go to PyTorch and come back, and the networks that have them compute the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn

torch = pytest.importorskip("torch")
st = pytest.importorskip("safetensors.torch")


class Images(nn.Module):
    """A small network with a layer of each kind that has parameters; parameters are named as in `torch_images`."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.conv = nn.Conv2d(2, 3, 3, padding=1, rng=rng)
        self.norm2 = nn.BatchNorm2d(3)
        self.first = nn.Linear(3 * 4 * 4, 8, rng=rng)
        self.norm1 = nn.BatchNorm1d(8)
        self.words = nn.Embedding(5, 8, rng=rng)
        self.last = nn.LayerNorm(8)

    def forward(self, images: Any, words: Any) -> Any:
        seen = nn.functional.relu(self.norm2(self.conv(images)))
        hidden = self.norm1(self.first(seen.reshape(len(images), -1)))
        return self.last(hidden + self.words(words))


def torch_images() -> Any:
    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(2, 3, 3, padding=1)
            self.norm2 = torch.nn.BatchNorm2d(3)
            self.first = torch.nn.Linear(3 * 4 * 4, 8)
            self.norm1 = torch.nn.BatchNorm1d(8)
            self.words = torch.nn.Embedding(5, 8)
            self.last = torch.nn.LayerNorm(8)

        def forward(self, images: Any, words: Any) -> Any:
            seen = torch.relu(self.norm2(self.conv(images)))
            hidden = self.norm1(self.first(seen.reshape(len(images), -1)))
            return self.last(hidden + self.words(words))

    return Net()


def batch() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(6, 2, 4, 4)).astype(np.float32), rng.integers(0, 5, 6)


def assert_alike(ours: nn.Module, theirs: Any) -> None:
    images, words = batch()
    with torch.no_grad():
        expected = theirs.eval()(torch.tensor(images), torch.tensor(words)).numpy()
    np.testing.assert_allclose(ours.eval()(images, words).numpy(), expected, rtol=1e-6, atol=1e-6)


def test_from_pytorch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = torch_images()
    images, words = batch()
    theirs(torch.tensor(images), torch.tensor(words))  # running statistics that are not the first ones
    st.save_file(theirs.state_dict(), tmp_path / "state.safetensors")
    ours = Images(seed=0)
    ours.load_state_dict(nn.load(tmp_path / "state.safetensors"))
    assert_alike(ours, theirs)


def test_to_pytorch(tmp_path: Path) -> None:
    ours = Images(seed=0)
    ours(*batch())
    nn.save(ours, tmp_path / "state.safetensors", {"epoch": "3"})
    theirs = torch_images()
    theirs.load_state_dict(st.load_file(tmp_path / "state.safetensors"))
    assert_alike(ours, theirs)


def test_there_and_back_changes_no_bit(tmp_path: Path) -> None:
    ours = Images(seed=0)
    nn.save(ours, tmp_path / "ours.safetensors")
    st.save_file(st.load_file(tmp_path / "ours.safetensors"), tmp_path / "theirs.safetensors")
    back = nn.load(tmp_path / "theirs.safetensors")
    assert set(back) == set(ours.state_dict())
    for name, array in ours.state_dict().items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "int8", "uint8", "bool", "bfloat16"])
def test_dtypes(tmp_path: Path, dtype: str) -> None:
    tensor = torch.tensor([[0.0, 1.0, 3.140625]]).to(getattr(torch, dtype))
    st.save_file({"t": tensor}, tmp_path / "state.safetensors")
    array = nn.load(tmp_path / "state.safetensors")["t"]
    assert array.dtype == (np.float32 if dtype == "bfloat16" else dtype)
    np.testing.assert_array_equal(array, (tensor.float() if dtype == "bfloat16" else tensor).numpy())


@pytest.mark.parametrize("dtype", ["complex64", "float8_e4m3fn"])
def test_dtypes_that_networks_do_not_have(tmp_path: Path, dtype: str) -> None:
    st.save_file({"t": torch.zeros(2, dtype=getattr(torch, dtype))}, tmp_path / "state.safetensors")
    with pytest.raises(
        nn.StateError, match=r"'t' is of dtype \w+, which NumPy does not have or a network does not use"
    ):
        nn.load(tmp_path / "state.safetensors")
