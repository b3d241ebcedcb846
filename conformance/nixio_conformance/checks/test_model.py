"""All methods: random sequences of calls compared with the model, and sequences that found a difference before."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixio_conformance.host import capabilities
from nixio_conformance.model.examples import examples
from nixio_conformance.model.moves import Play, kinds_of
from nixio_conformance.model.search import Found, Table
from nixio_conformance.model.shorten import shorten
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_fixtures import Kind

#: Plays of a kind: about a second's worth. `nixio-conformance fuzz` makes as many as there is time for.
PLAYS = 40


def judge(case: Case, table: Table, found: Found | None) -> None:
    """Nothing differs; else the case is told as the shortest play that shows it."""
    if found is not None:
        found = shorten(table, found)
        case.transcript = found.transcript
        raise found.error


def search(case: Case, request: pytest.FixtureRequest, kind: str) -> None:
    """Make plays of a kind, always the same ones for one seed."""
    table = Table(case.session, Path(case.folder))
    judge(case, table, table.search(kind, request.config.getoption("--nixio-seed"), PLAYS))


@clause("model.stream")
def test_streams(case: Case, request: pytest.FixtureRequest, kind: Kind) -> None:
    search(case, request, kind.id)


@clause("model.dgram")
def test_datagrams(case: Case, request: pytest.FixtureRequest, kind: Kind) -> None:
    search(case, request, kind.id)


@clause("model.dual-stack")
@pytest.mark.parametrize("type_", ["stream", "dgram"])
def test_both_families(case: Case, request: pytest.FixtureRequest, type_: str) -> None:
    search(case, request, f"dual-{type_}")


@clause("model.example")
@pytest.mark.parametrize("play", [pytest.param(row.play, id=row.id) for row in examples()])
def test_examples(case: Case, play: Play) -> None:
    for kind in kinds_of(play):
        if reason := capabilities.current()[kind.capability]:
            pytest.skip(f"{kind.capability}: {reason}")
    table = Table(case.session, Path(case.folder))
    judge(case, table, table.play(play))
