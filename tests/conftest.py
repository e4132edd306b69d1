"""What holds for the whole suite: one thread for BLAS; neither Hypothesis nor generators leave anything to chance."""

import os
from itertools import count

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before NumPy is imported

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

settings.register_profile("same every time", derandomize=True, deadline=None, database=None, print_blob=False)
settings.load_profile("same every time")


@pytest.fixture(autouse=True)
def seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Generators that a test does not seed are the same every time."""
    make, seeds = np.random.default_rng, count(1_000)
    monkeypatch.setattr(np.random, "default_rng", lambda seed=None: make(next(seeds) if seed is None else seed))
