"""Each peer that is installed computes what the code by hand does, in every workload that it has."""

from __future__ import annotations

import pytest

from benchmarks.contest import Contest, Options
from benchmarks.peers import PEERS, interpreter, missing
from benchmarks.workloads import WORKLOADS
from tests.benchmarks.small import SMALL

CASES = [(peer, name) for peer in PEERS for name, workload in WORKLOADS.items() if workload.has(peer)]


@pytest.mark.parametrize(("peer", "name"), CASES)
def test_a_peer_agrees(peer: str, name: str) -> None:
    if interpreter(peer) is None:
        pytest.skip(missing(peer))
    with Contest(WORKLOADS[name], Options(contestants=(peer,), sizes=SMALL[name])) as contest:
        contest.start()
        contest.verify()
    entry = contest.outcome.entry(peer)
    assert entry is not None
    assert (entry.state, entry.note) == ("ready", "")
