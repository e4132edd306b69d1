"""What is recorded of a training, its table and its picture."""

from __future__ import annotations

import re
import sys

import matplotlib as mpl
import pytest

from nn import History

mpl.use("agg")


def history(epochs: int = 3) -> History:
    made = History()
    for epoch in range(epochs):
        made.record({"loss": 1 / (epoch + 1), "val_loss": 2.0, "lr": 0.1})
    return made


def test_numbers_by_name() -> None:
    h = history()
    assert h["loss"] == [1, 1 / 2, 1 / 3]
    assert list(h) == ["loss", "val_loss", "lr"]
    assert len(h) == 3
    assert "lr" in h
    assert "x" not in h
    assert not h.interrupted
    assert len(History()) == 0
    with pytest.raises(KeyError, match="no 'x' was recorded, only loss, val_loss, lr"):
        h["x"]


def test_every_epoch_has_the_same_names() -> None:
    h = history()
    message = (
        "History: recorded are loss, val_loss, lr, so this epoch cannot be loss; record the same names every epoch"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        h.record({"loss": 1.0})
    assert len(h["loss"]) == 3
    with pytest.raises(ValueError, match=r"^History: every name needs a number per epoch, got 1 of 'a', 0 of 'b'$"):
        History({"a": [1.0], "b": []})


def test_plain_dicts_and_back() -> None:
    h = history()
    plain = h.to_dict()
    assert History(plain).to_dict() == plain
    plain["loss"].append(3)
    assert len(h["loss"]) == 3


def test_the_table_shows_the_first_and_the_last_epochs() -> None:
    assert repr(history(2)) == ("epoch  loss  val_loss   lr\n    1     1         2  0.1\n    2   0.5         2  0.1")
    wide = repr(History({"seconds": [1.234e-05, 0.5]})).splitlines()
    assert wide == ["epoch    seconds", "    1  1.234e-05", "    2        0.5"]  # as wide as the numbers
    lines = repr(history(20)).splitlines()
    assert [line.split()[0] for line in lines] == ["epoch", "1", "2", "3", "4", "…", "17", "18", "19", "20"]
    assert len({len(line) for line in lines}) == 1
    assert repr(History()) == "History()"
    stopped = history(1)
    stopped.interrupted = True
    assert repr(stopped).endswith("\ninterrupted")


def test_the_table_in_a_notebook() -> None:
    h = History({"a<b": [0.5]})
    assert h._repr_html_() == ("<table><tr><th>epoch</th><th>a&lt;b</th></tr><tr><td>1</td><td>0.5</td></tr></table>")
    h.interrupted = True
    assert h._repr_html_().endswith("</table><p>interrupted</p>")


def test_the_picture() -> None:
    ax = history().plot()
    assert [line.get_label() for line in ax.lines] == ["loss", "val_loss"]
    assert ax.lines[0].get_ydata().tolist() == [1, 1 / 2, 1 / 3]
    assert ax.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert ax.get_xlabel() == "epoch"
    same = history().plot("lr", ax=ax)
    assert same is ax
    assert [line.get_label() for line in ax.lines] == ["loss", "val_loss", "lr"]
    assert not History().plot().lines


def test_epochs_are_counted_in_whole_numbers() -> None:
    ticks = history().plot().get_xticks()
    assert ticks.tolist() == ticks.astype(int).tolist()


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"^History\.plot needs matplotlib; run pip install 'chainrule\[plot\]'$"):
        history().plot()
