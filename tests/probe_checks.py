"""Checks for the tests of the suite's machinery, which would depend on the suite's own checks otherwise.

Tests copy them into the folder of a run. They name clauses of the tables, one for each method that tests select.
"""

from __future__ import annotations

from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_fixtures import load


def first(method: str, level: str = "must") -> str:
    """The first clause of a method that applies to kinds of sockets."""
    return next(row.id for row in load().clauses if row.method == method and row.level == level and row.kinds)


@clause("send.data.arrives")
def test_data_arrives(either_pair: Pair) -> None:
    expect.count(either_pair.impl.send(b"abcd"), 4)
    got = either_pair.peer.recv()
    expect.holds(got == b"abcd", "what the peer received", b"abcd", got)


@clause(first("listen"))
def test_listens(case: Case) -> None:
    case.listening()
