"""Checks for the tests of the suite's machinery: copied to where a run collects them, as the suite's own change often.

They name clauses of the tables, one of each method that a selection is tested with.
"""

from __future__ import annotations

from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_fixtures import load


def first(method: str, level: str = "must") -> str:
    """A clause of a method that holds for kinds of sockets."""
    return next(row.id for row in load().clauses if row.method == method and row.level == level and row.kinds)


@clause("send.data.arrives")
def test_data_arrives(either_pair: Pair) -> None:
    expect.count(either_pair.impl.send(b"abcd"), 4)
    got = either_pair.peer.recv()
    expect.holds(got == b"abcd", "what the peer received", b"abcd", got)


@clause(first("listen"))
def test_listens(case: Case) -> None:
    case.listening()
