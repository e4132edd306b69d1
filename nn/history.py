"""What happened in training, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

ROWS = 8
"""How many epochs a table shows: the first and the last ones."""


class History:
    """Numbers by name, one per epoch: losses, metrics, learning rates, seconds.

    Parameters
    ----------
    columns : mapping of str to sequence of float, optional
        What was recorded already, as `to_dict` returns it.

    Attributes
    ----------
    interrupted : bool
        Whether Ctrl-C ended the training.

    Examples
    --------
    >>> from nn import History
    >>> history = History()
    >>> history.record({"loss": 2.5, "val_loss": 2.75})
    >>> history.record({"loss": 1.25, "val_loss": 1.5})
    >>> history["loss"]
    [2.5, 1.25]
    >>> len(history), list(history)
    (2, ['loss', 'val_loss'])
    >>> history
    epoch    loss  val_loss
        1     2.5      2.75
        2    1.25       1.5
    """

    def __init__(self, columns: Mapping[str, Sequence[float]] | None = None) -> None:
        self._columns = {name: [float(value) for value in values] for name, values in (columns or {}).items()}
        if len({len(values) for values in self._columns.values()}) > 1:
            raise ValueError(
                "History: every name needs a number per epoch, got "
                + ", ".join(f"{len(values)} of {name!r}" for name, values in self._columns.items())
            )
        self.interrupted = False

    def record(self, values: Mapping[str, float]) -> None:
        """Add an epoch.

        Parameters
        ----------
        values : mapping of str to float
            Its numbers, under the same names as for the epochs before.
        """
        if self._columns and set(self._columns) != set(values):
            raise ValueError(
                f"History: recorded are {', '.join(self._columns)}, so this epoch cannot be {', '.join(values)}; "
                "record the same names every epoch"
            )
        for name, value in values.items():
            self._columns.setdefault(name, []).append(float(value))

    def __getitem__(self, name: str) -> list[float]:
        if name not in self._columns:
            raise KeyError(f"no {name!r} was recorded, only {', '.join(self._columns) or 'nothing'}")
        return self._columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        """How many epochs were recorded."""
        return max(map(len, self._columns.values()), default=0)

    def to_dict(self) -> dict[str, list[float]]:
        """Return a copy as plain lists by name."""
        return {name: list(values) for name, values in self._columns.items()}

    def plot(self, *names: str, ax: Any = None) -> Any:
        """Draw numbers over epochs, with matplotlib.

        Parameters
        ----------
        *names : str
            Which ones; without any, the losses of training and validation.
        ax : matplotlib.axes.Axes, optional
            Where to draw; without it, on axes of their own.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn.

        Raises
        ------
        ImportError
            If there is no matplotlib.
        """
        curves = {name: self[name] for name in names or [name for name in ("loss", "val_loss") if name in self]}
        if ax is None:
            try:
                from matplotlib import pyplot, ticker
            except ImportError as error:
                raise ImportError("History.plot needs matplotlib; run pip install 'chainrule[plot]'") from error
            ax = pyplot.figure().add_subplot()
            ax.xaxis.set_major_locator(ticker.MaxNLocator("auto", integer=True))  # epochs are whole numbers
        for name, values in curves.items():
            ax.plot(range(1, len(values) + 1), values, label=name)
        ax.set_xlabel("epoch")
        if curves:
            ax.legend()
        return ax

    def _table(self) -> list[list[str]]:
        """Return the rows of a small table: the names, and the first and last epochs."""
        shown: list[int | None] = list(range(len(self)))
        if len(shown) > ROWS:
            shown[ROWS // 2 : -ROWS // 2] = [None]
        return [["epoch", *self]] + [
            ["…"] * (1 + len(self._columns))
            if epoch is None
            else [str(epoch + 1), *(f"{values[epoch]:.4g}" for values in self._columns.values())]
            for epoch in shown
        ]

    def __repr__(self) -> str:
        head, *rows = self._table()
        widths = [2 + max(map(len, column)) for column in zip(head, *rows)]
        widths[0] -= 2
        lines = ["".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in [head, *rows]]
        return "\n".join(lines + ["interrupted"] * self.interrupted) if rows else "History()"

    def _repr_html_(self) -> str:
        head, *rows = self._table()
        lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
        names = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        table = "".join(f"<tr>{line}</tr>" for line in [names, *lines])
        return f"<table>{table}</table>" + "<p>interrupted</p>" * self.interrupted
