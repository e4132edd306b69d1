"""What this package raises beside the exceptions of `autograd`."""

from __future__ import annotations

from autograd import AutogradError


class StateError(AutogradError, ValueError, RuntimeError):
    """A state dict or weights file that does not fit, or is no such file; what it was meant for is untouched."""


class DataError(AutogradError, ValueError):
    """Data that cannot be trained on: empty, of different lengths, not finite."""
