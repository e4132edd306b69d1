"""The cost of recording by itself, as a script."""

from __future__ import annotations

import re
import subprocess
import sys

from benchmarks import engine


def test_the_script_prints_ratios() -> None:
    command = [sys.executable, "-m", "benchmarks.engine", "--rounds", "1"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for workload in engine.WORKLOADS:
        assert re.search(rf"^{workload}: .*\n  by hand +\S+ ms +1\.00 times by hand\n  chainrule +\S+ ms", said, re.M)
    assert re.search(r"^peak memory of the mlp step: \d\.\d\d times by hand$", said, re.M)
