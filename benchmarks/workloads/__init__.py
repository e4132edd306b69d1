"""The workloads, in the order of tables."""

from benchmarks.workload import Workload
from benchmarks.workloads import (
    chains,
    convolution,
    cross_entropy,
    dense,
    elementwise,
    embedding,
    hessian_vector,
    importing,
    moons,
    normalized,
)

WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        moons.MOONS,
        chains.SCALAR_CHAIN,
        chains.VECTOR_CHAIN,
        dense.TINY,
        dense.MLP,
        dense.LARGE,
        elementwise.ELEMENTWISE,
        normalized.NORMALIZED,
        cross_entropy.CROSS_ENTROPY,
        embedding.EMBEDDING,
        hessian_vector.HESSIAN_VECTOR,
        convolution.CONVOLUTION,
        importing.IMPORTING,
    )
}
"""By name."""
