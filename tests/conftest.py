"""What holds for the whole suite: one thread for BLAS, and Hypothesis without chance."""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before NumPy is imported

from hypothesis import settings  # noqa: E402

settings.register_profile("same every time", derandomize=True, deadline=None, database=None, print_blob=False)
settings.load_profile("same every time")
