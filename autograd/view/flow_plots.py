"""What was recorded of gradient flow, and its pictures.

Colours are those of graph pictures. NaN and infinities are magenta crosses at the top, exact zeros, for which no
logarithm stands, grey marks at the bottom: neither is drawn as if it were a number like others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.errors import GraphError
from autograd.view.model import encoded
from autograd.view.scale import LEAST, MOST, NOT_FINITE, ZERO, colour, mixed

Axes = Any
Column = list[float | None]

LEAST_EXPONENT, MOST_EXPONENT, BINS_PER_DECADE = -40, 20, 8
"""The bins of histograms, in powers of ten; what is smaller or larger is counted in the outermost ones."""

BINS = (MOST_EXPONENT - LEAST_EXPONENT) * BINS_PER_DECADE

ONE = -LEAST_EXPONENT * BINS_PER_DECADE
"""The bin that begins at 1."""

LEGEND = 12
"""About how many layers a legend names; of more, every second, third, …"""

GOOD_UPDATE = 1e-3
"""About how much weights change per step where learning goes well, as a share of what they are."""

SATURATED, DEAD, BAND = "#e8a33d", "#4a4f5a", "#7fa6d6"


class LayerRecord(NamedTuple):
    """What was recorded of a layer: lists with an entry per step, described at `FlowRecorder`."""

    output_gradient: Column
    weight_gradient: Column
    mean: Column
    spread: Column
    saturated: Column
    dead: Column
    update: Column

    @staticmethod
    def of_nothing(steps: int) -> LayerRecord:
        """Return the record of a layer that did not appear in so many steps."""
        return LayerRecord(*([None] * steps for _ in LayerRecord._fields))  # type: ignore[arg-type]  # lists of None


class Histogram(NamedTuple):
    """How many gradients are of which size.

    Attributes
    ----------
    counts : list of int
        Eight bins for each power of ten, from 1e-40 to 1e20; the outermost count also what is beyond.
    zeros, not_finite : int
        How many are exactly 0, and how many NaN or infinite; they are in no bin.
    """

    counts: list[int]
    zeros: int
    not_finite: int


class FlowPlots:
    """Records of layers, and how to draw them; what `FlowRecorder` inherits."""

    def __init__(self) -> None:
        self.records: dict[str, LayerRecord] = {}
        self.samples: dict[str, list[Any]] = {}
        self.steps = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.records)} layers, {self.steps} steps>"

    @property
    def histograms(self) -> dict[str, Histogram]:
        """Of log10 |∂loss/∂output| in the last step, by layer."""
        return {layer: histogram(samples) for layer, samples in self.samples.items()}

    def to_json(self) -> str:
        """Return the records as JSON text; NaN and infinities, which JSON lacks, are "NaN", "inf" and "-inf"."""
        records = {
            layer: {name: [encoded(value) for value in column] for name, column in record._asdict().items()}
            for layer, record in self.records.items()
        }
        return json.dumps(records, ensure_ascii=False, allow_nan=False)

    def plot_profile(self, ax: Sequence[Axes] | None = None, *, step: int = -1, label: str | None = None) -> Any:
        """Draw ∂loss/∂output beside ∂loss/∂W, over the layers that have weights.

        With weights that are too small, ∂loss/∂W may be the same in all layers while ∂loss/∂output vanishes:
        activations shrink on the way forward as gradients do on the way back. So look at both.

        Parameters
        ----------
        ax : pair of matplotlib.axes.Axes, optional
            Where to draw: give the result of an earlier call to compare networks. Without it, on axes of their own.
        step : int
            The number of the step, from 0; negative ones count from the last.
        label : str, optional
            What the legend calls it.

        Returns
        -------
        pair of matplotlib.axes.Axes
            Where it was drawn.

        Raises
        ------
        GraphError
            If no step was recorded.
        ImportError
            If there is no matplotlib.
        """
        layers = self._layers("weight_gradient")
        ax = new_axes("plot_profile", 10, 3.8, columns=2) if ax is None else ax
        names = ("output_gradient", "weight_gradient")
        titles = ("∂loss/∂output: the signal", "∂loss/∂W: what the optimizer sees")
        for axes, name, title in zip(ax, names, titles):
            values = [getattr(self.records[layer], name)[step] for layer in layers]
            numbers = logarithmic(values)
            axes.set_yscale("log")
            (line,) = axes.plot(range(len(layers)), numbers, label=label, zorder=2)
            axes.scatter(
                range(len(layers)),
                numbers,
                color=[colour(math.nan if value is None else value) for value in values],
                edgecolors=line.get_color(),
                zorder=3,
            )
            mark_special(axes, range(len(layers)), values)
            axes.set_title(title, loc="left")
            axes.set_xlabel("layer, from input to loss")
            axes.set_ylabel("RMS")
            name_layers(axes, layers)
            tidy(axes)
        return ax

    def plot_ridges(self, ax: Axes | None = None) -> Axes:
        """Draw the distribution of log10 |∂loss/∂output| in the last step, a ridge for each layer that has weights.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; without it, on axes of their own.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn. Ridges have the colour of the root mean square, and each its own height; beside them is
            the share of gradients that are exactly 0, or NaN or infinite.

        Raises
        ------
        GraphError
            If no step was recorded.
        ImportError
            If there is no matplotlib.
        """
        histograms = self.histograms
        layers = [layer for layer in self._layers("weight_gradient") if layer in histograms]
        ax = new_axes("plot_ridges", 6, 1.2 + 0.34 * len(layers)) if ax is None else ax
        used = [place for layer in layers for place, count in enumerate(histograms[layer].counts) if count]
        low, high = max(min(used, default=ONE) - 4, 0), min(max(used, default=ONE) + 5, BINS)
        centres = [LEAST_EXPONENT + (place + 0.5) / BINS_PER_DECADE for place in range(low, high)]
        for row, layer in enumerate(layers):
            counts, zeros, not_finite = histograms[layer]
            heights = smooth(counts)[low:high]
            tallest = max(heights)
            top = [row - 1.6 * height / tallest if tallest else row for height in heights]
            size = self.records[layer].output_gradient[-1]
            hue = colour(math.nan if size is None else size)
            ax.axhline(row, color=ZERO, linewidth=0.8, zorder=row + 1)
            ax.fill_between(centres, row, top, facecolor=hue, edgecolor="#333333", linewidth=0.7, zorder=row + 1)
            total = sum(counts) + zeros + not_finite
            for count, what, place, ink in (
                (zeros, "0", 0.01, DEAD),
                (not_finite, "NaN or ∞", 0.99, NOT_FINITE),
            ):
                if count:
                    ax.text(
                        place,
                        row - 0.08,
                        f"{percent(count / total)} {what}",
                        transform=ax.get_yaxis_transform(),
                        horizontalalignment="left" if place < 0.5 else "right",
                        fontsize="small",
                        color=ink,
                        zorder=len(layers) + 1,
                    )
        ax.set_yticks(range(len(layers)), layers)
        ax.set_ylim(len(layers) - 0.6, -1.8)
        ax.set_xlabel("log10 |∂loss/∂output|")
        ax.grid(visible=False, axis="y")
        tidy(ax)
        return ax

    def plot_updates(self, ax: Axes | None = None) -> Axes:
        """Draw ‖ΔW‖ / ‖W‖ over steps, a line for each layer that has weights, beside the line at 1e-3.

        Weights that change by about a thousandth per step learn; much less is slow, much more is a leap.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; without it, on axes of their own.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn. Lines go from blue at the input to red at the loss.

        Raises
        ------
        GraphError
            If no step was recorded.
        ImportError
            If there is no matplotlib.
        """
        layers = self._layers("update")
        ax = new_axes("plot_updates", 7, 3.8) if ax is None else ax
        ax.set_yscale("log")
        ax.axhspan(GOOD_UPDATE / 3, GOOD_UPDATE * 3, color="#eceef2", zorder=0)
        ax.axhline(GOOD_UPDATE, color="#333333", linewidth=1, linestyle="--", zorder=1, label="1e-3")
        steps = range(1, self.steps + 1)
        every = math.ceil(len(layers) / LEGEND)
        for index, layer in enumerate(layers):
            values = self.records[layer].update
            ax.plot(
                steps,
                logarithmic(values),
                color=along(index, len(layers)),
                label=layer if index % every == 0 or index == len(layers) - 1 else None,
                marker="o" if self.steps == 1 else None,
            )
        for layer in layers:
            mark_special(ax, steps, self.records[layer].update)
        count_steps(ax)
        ax.set_ylabel("‖ΔW‖ / ‖W‖")
        tidy(ax, beside=True)
        return ax

    def plot_heat(self, ax: Axes | None = None) -> Axes:
        """Draw ∂loss/∂output of every layer in every step, in the colours of graph pictures.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; without it, on axes of their own.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn: layers from top to bottom, steps from left to right.

        Raises
        ------
        GraphError
            If no step was recorded.
        ImportError
            If there is no matplotlib.
        """
        layers = self._layers("output_gradient")
        ax = new_axes("plot_heat", 8, max(3.4, 1 + 0.25 * len(layers))) if ax is None else ax
        rows = [[shade(value) for value in self.records[layer].output_gradient] for layer in layers]
        ax.imshow(rows, aspect="auto", interpolation="nearest", extent=(0.5, self.steps + 0.5, len(layers) - 0.5, -0.5))
        for exponent in range(MOST, LEAST - 1, -2):
            sign = {MOST: "≥ ", LEAST: "≤ "}.get(exponent, "")
            swatch(ax, mixed(exponent), f"{sign}1e{exponent}")
        swatch(ax, ZERO, "0")
        swatch(ax, NOT_FINITE, "NaN or ∞")
        ax.set_yticks(range(len(layers)), layers)
        count_steps(ax)
        ax.set_title("RMS of ∂loss/∂output", loc="left")
        tidy(ax, beside=True)
        ax.grid(visible=False)
        return ax

    def plot_activations(self, ax: Axes | None = None) -> Axes:
        """Draw a strip for each layer: mean ± spread of its output over steps, and the share saturated or dead.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; without it, on axes of their own.

        Returns
        -------
        matplotlib.axes.Axes
            Where it was drawn. All strips have one scale, whose ends are named above; the share is the height of the
            fill at the bottom of a strip, and its last value stands beside it.

        Raises
        ------
        GraphError
            If no step was recorded.
        ImportError
            If there is no matplotlib.
        """
        layers = self._layers("mean")
        ax = new_axes("plot_activations", 8, 1 + 0.5 * len(layers)) if ax is None else ax
        edges = [step + 0.5 for step in range(self.steps + 1)]
        bands = {layer: band(self.records[layer]) for layer in layers}
        reach = max(
            (abs(end) for ends in bands.values() for end in (*ends[0], *ends[1]) if math.isfinite(end)), default=1
        )
        for row, layer in enumerate(layers):
            record = self.records[layer]
            floor = row + 0.45  # rows go down, and so does the axis
            ax.axhline(row + 0.5, color=ZERO, linewidth=0.8)
            for share, hue in ((record.saturated, SATURATED), (record.dead, DEAD)):
                if share[-1] is not None:
                    ax.stairs(
                        [floor - 0.9 * (part or 0) for part in share],
                        edges,
                        baseline=floor,
                        fill=True,
                        color=hue,
                        alpha=0.45,
                    )
                    what = "saturated" if share is record.saturated else "dead"
                    ink = NOT_FINITE if math.isnan(share[-1]) else "#333333"
                    place = {"transform": ax.get_yaxis_transform(), "va": "center"}
                    ax.text(1.01, row, f"{percent(share[-1])} {what}", color=ink, **place)
            scale = 0.4 / (reach or 1)
            low, high = ([row - scale * end for end in ends] for ends in bands[layer])
            ax.stairs(high, edges, baseline=low, fill=True, color=BAND, alpha=0.8)
            middle = [row - scale * (below + above) / 2 for below, above in zip(*bands[layer])]
            ax.stairs(middle, edges, baseline=None, color="#1f3f74", linewidth=1.2)
            bad = [
                step
                for step, (mean, end) in enumerate(zip(record.mean, middle), 1)
                if mean is not None and math.isnan(end)
            ]
            if bad:
                ax.plot(bad, [row] * len(bad), "x", color=NOT_FINITE, label="NaN or ∞")
        swatch(ax, BAND, "mean ± spread")
        if any(self.records[layer].saturated[-1] is not None for layer in layers):
            swatch(ax, SATURATED, "share saturated")
        if any(self.records[layer].dead[-1] is not None for layer in layers):
            swatch(ax, DEAD, "share dead")
        ax.set_yticks(range(len(layers)), layers)
        ax.set_ylim(len(layers) - 0.5, -0.5)
        ax.set_xlim(0.5, self.steps + 0.5)
        count_steps(ax)
        ax.set_title(f"activations, from {-reach:.2g} to {reach:.2g}", loc="left")
        tidy(ax)
        ax.grid(visible=False)
        ax.legend(*unique(ax), loc="lower right", bbox_to_anchor=(1.2, 1), ncols=4, frameon=False, columnspacing=1)
        return ax

    def _layers(self, name: str) -> list[str]:
        """Return the layers that have something recorded under a name."""
        if not self.steps:
            raise GraphError(
                "no step was recorded, so there is nothing to draw; call the model and backward() "
                "within `with FlowRecorder(model) as flow:`, and draw afterwards"
            )
        return [
            layer for layer, record in self.records.items() if any(value is not None for value in getattr(record, name))
        ]


def histogram(samples: Iterable[Any]) -> Histogram:
    """Return how many elements of some arrays are of which size."""
    sizes = np.abs(np.concatenate([np.asarray(sample, np.float64) for sample in samples]))
    finite = sizes[np.isfinite(sizes)]
    positive = finite[finite > 0]
    places = ((np.log10(positive) - LEAST_EXPONENT) * BINS_PER_DECADE).astype(np.intp)
    counts = np.bincount(np.clip(places, 0, BINS - 1), minlength=BINS)
    return Histogram(counts.tolist(), finite.size - positive.size, sizes.size - finite.size)


def new_axes(caller: str, width: float, height: float, columns: int = 1) -> Any:
    """Return axes on a figure of their own."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(f"FlowRecorder.{caller} needs matplotlib; run pip install 'chainrule[plot]'") from error
    figure = pyplot.figure(figsize=(width, height), layout="constrained")
    return figure.subplots(1, columns, sharey=True)


def logarithmic(values: Iterable[float | None]) -> list[float]:
    """Return what can be drawn on a logarithmic axis: positive numbers, and NaN, which is a gap, for the others."""
    return [value if value is not None and 0 < value < math.inf else math.nan for value in values]


def mark_special(ax: Axes, places: Iterable[float], values: Iterable[float | None]) -> None:
    """Mark what has no place on a logarithmic axis: zeros at its bottom, NaN and infinities at its top."""
    pairs = [(place, value) for place, value in zip(places, values) if value is not None]
    zeros = [place for place, value in pairs if value == 0]
    bad = [place for place, value in pairs if not math.isfinite(value)]
    for marked, height, marker, hue, label in (
        (zeros, 0.02, "s", ZERO, "exactly 0"),
        (bad, 0.98, "x", NOT_FINITE, "NaN or ∞"),
    ):
        if marked:
            ax.plot(
                marked,
                [height] * len(marked),
                marker,
                color=hue,
                label=label,
                transform=ax.get_xaxis_transform(),
                clip_on=False,
                zorder=4,
            )


def band(record: LayerRecord) -> tuple[list[float], list[float]]:
    """Return mean - spread and mean + spread, with NaN where nothing, or nothing finite, was recorded."""
    pairs = [
        (math.nan, math.nan) if m is None or s is None else (m - s, m + s) for m, s in zip(record.mean, record.spread)
    ]
    pairs = [pair if all(map(math.isfinite, pair)) else (math.nan, math.nan) for pair in pairs]
    return [below for below, _ in pairs], [above for _, above in pairs]


def name_layers(ax: Axes, layers: Sequence[str]) -> None:
    """Put the names of layers below an axis, upright where they would overlap."""
    crowded = sum(len(layer) + 2 for layer in layers) > 60
    ax.set_xticks(range(len(layers)), layers, rotation=90 if crowded else 0)


def smooth(counts: Sequence[int]) -> list[float]:
    """Return counts averaged with their neighbours."""
    padded = [0, *counts, 0]
    return [(a + 2 * b + c) / 4 for a, b, c in zip(padded, padded[1:], padded[2:])]


def shade(value: float | None) -> tuple[float, ...]:
    """Return the red, green and blue of a gradient, from 0 to 1; white where nothing was recorded."""
    text = "#ffffff" if value is None else colour(value)
    return tuple(int(text[start : start + 2], 16) / 255 for start in (1, 3, 5))


def along(index: int, count: int) -> str:
    """Return a colour between blue, for the first of several, and red, for the last."""
    share = index / (count - 1) if count > 1 else 0
    first, last = (31, 90, 166), (214, 69, 65)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(first, last))


def count_steps(ax: Axes) -> None:
    """Let the horizontal axis be that of steps, which are whole numbers."""
    from matplotlib.ticker import MaxNLocator

    ax.set_xlabel("step")
    if ax.get_xscale() == "linear":  # or else the user has chosen another
        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))


def swatch(ax: Axes, hue: str, label: str) -> None:
    """Add a square of a colour to the legend."""
    ax.plot([], [], "s", color=hue, markeredgecolor="#888888", markeredgewidth=0.5, label=label)


def percent(share: float) -> str:
    """Return a share in percent; 0 and 100 only where it is exactly that."""
    if math.isnan(share):
        return "NaN %"
    return f"{100 * share:.0f}%" if share in (0, 1) else f"{min(max(100 * share, 0.1), 99.9):.1f}%"


def unique(ax: Axes) -> tuple[list[Any], list[str]]:
    """Return handles and labels for a legend, each label once."""
    entries = dict(zip(*reversed(ax.get_legend_handles_labels())))
    return list(entries.values()), list(entries)


def tidy(ax: Axes, beside: bool = False) -> None:
    """Draw a light grid and no box; show a legend, beside the axes or in them, if there is something to show."""
    ax.grid(visible=True, color="#e6e8ec", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    handles, labels = unique(ax)
    if handles:
        place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1)} if beside else {"loc": "best"}
        ax.legend(handles, labels, frameon=False, **place)
