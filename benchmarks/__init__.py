"""How fast the backward pass is, here and elsewhere: ``python -m benchmarks``.

A *workload* is one task, a *contestant* is a library that does it. Each contestant has a process of its own; the
contest asks them in turn, round after round, so that a slow moment of the machine slows all of them, and a figure is
the median of the ratios within a round. Nothing is timed before all have been found to compute the same gradients.

To read it:

1. ``workload.py``: what a workload is; ``workloads/``, one file for each kind: how each contestant does it;
2. ``worker.py``: a contestant in its process; ``measures.py``, ``profiling.py``: what it can say besides its time;
3. ``contest.py``: the rounds; ``statistics.py``: what is made of them;
4. ``report.py``, ``plots.py``: tables and pictures; ``machine.py``: what they were measured on;
5. ``scaling.py``, ``checking.py``, ``peers.py``: the other commands; ``__main__.py``: all of them.
"""
