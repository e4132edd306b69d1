"""The colour scale: fixed, told apart, readable."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autograd.view.model import summary
from autograd.view.scale import NOT_FINITE, ZERO, colour, colour_of, ink

SIZES = [10.0**exponent for exponent in np.arange(-9.0, 5.01, 0.05)]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, by the formula of the Web Content Accessibility Guidelines."""

    def light(colour: str) -> float:
        parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    lights = sorted([light(one), light(other)])
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def test_the_ends_of_the_scale_stand_for_all_beyond() -> None:
    assert colour(1e-8) == colour(1e-300) == colour(5e-324) == "#1f2f86"
    assert colour(1e4) == colour(1e300) == "#8e0d2e"


def test_between_anchors_colours_are_mixed() -> None:
    assert colour(1.0) == "#fff4c2"
    assert colour(10.0) == "#fdc55f"
    assert colour(10.0**0.5) == "#fedc90"  # (255 + 253) / 2, (244 + 197) / 2, (194 + 95) / 2, to even


@pytest.mark.parametrize("size", [math.nan, math.inf])
def test_what_is_not_finite_is_magenta(size: float) -> None:
    assert colour(size) == NOT_FINITE


def test_special_colours_are_not_on_the_scale() -> None:
    assert not {ZERO, NOT_FINITE} & {colour(size) for size in SIZES}


@pytest.mark.parametrize("back", [ZERO, NOT_FINITE, *map(colour, SIZES)])
def test_text_is_readable_on_every_colour(back: str) -> None:
    assert contrast(back, ink(back)) >= 4.5
    assert contrast(back, ink(back)) == max(contrast(back, "#000000"), contrast(back, "#ffffff"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-1.0, colour(1.0)),
        (0.0, ZERO),
        (np.zeros(3), ZERO),
        (np.array([0.0, 1e-200]), colour(1e-8)),  # its square underflows, and yet it is not zero
        (np.array([1e200, 0.0]), colour(1e4)),  # its square overflows, and yet it is finite
        (np.array([1.0, math.nan]), NOT_FINITE),
        (np.array([0.0, -math.inf]), NOT_FINITE),
        (np.array([3.0, 4.0]), colour(math.sqrt(12.5))),
    ],
)
def test_colours_of_gradients(value: object, expected: str) -> None:
    assert colour_of(summary(value)) == expected
