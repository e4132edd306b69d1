"""The one colour scale of all pictures: how large a gradient is, by the logarithm of its absolute value."""

from __future__ import annotations

import math
from itertools import pairwise

from autograd.view.model import Summary

LEAST, MOST = -8, 4
"""The scale runs from 1e-8, and what is smaller, to 1e4, and what is larger."""

ANCHORS = (
    (-8, (31, 47, 134)),
    (-6, (36, 103, 173)),
    (-4, (95, 179, 206)),
    (-2, (207, 232, 216)),
    (0, (255, 244, 194)),
    (1, (253, 197, 95)),
    (2, (245, 132, 60)),
    (3, (217, 58, 43)),
    (4, (142, 13, 46)),
)
"""Exponents and their colours: what vanishes is blue, what explodes is red; between them colours are mixed."""

ZERO = "#c9ccd3"
"""Exactly zero: grey, since no logarithm stands for it."""

NOT_FINITE = "#e600c7"
"""NaN and infinities: magenta, which the scale does not have."""


def colour(size: float) -> str:
    """Return the colour of an absolute value, as ``#rrggbb``.

    Parameters
    ----------
    size : float
        The absolute value of a gradient, or the root mean square of several.

    Examples
    --------
    >>> from autograd.view.scale import colour
    >>> colour(1e-8), colour(1e-20), colour(1.0), colour(1e4)
    ('#1f2f86', '#1f2f86', '#fff4c2', '#8e0d2e')
    >>> colour(0.0), colour(float("nan"))
    ('#c9ccd3', '#e600c7')
    """
    if not math.isfinite(size):
        return NOT_FINITE
    return ZERO if size == 0 else mixed(math.log10(size))


def mixed(exponent: float) -> str:
    """Return the colour of a power of ten."""
    place = min(max(exponent, LEAST), MOST)
    for (low, below), (high, above) in pairwise(ANCHORS):
        if place <= high:
            share = (place - low) / (high - low)
            return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(below, above))
    raise AssertionError(place)


def colour_of(summary: Summary) -> str:
    """Return the colour of a gradient: grey only if every element is exactly zero, magenta if any is not finite."""
    if not summary.finite:
        return NOT_FINITE
    if summary.least == summary.most == 0:
        return ZERO
    return mixed(math.log10(summary.size) if 0 < summary.size < math.inf else math.copysign(math.inf, summary.size - 1))


def ink(background: str) -> str:
    """Return black or white, whichever is easier to read on a colour.

    Examples
    --------
    >>> from autograd.view.scale import ink
    >>> ink("#fff4c2"), ink("#1f2f86")
    ('#000000', '#ffffff')
    """
    return "#000000" if luminance(background) > 0.179 else "#ffffff"


def luminance(background: str) -> float:
    """Return the relative luminance of a colour, as the Web Content Accessibility Guidelines define it."""
    parts = [int(background[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
