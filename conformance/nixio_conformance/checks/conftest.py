"""What the checks are given: the case with the port's sockets and peers, and the pairs that most of them need."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixio_conformance import hygiene
from nixio_conformance.driver.session import Session
from nixio_conformance.judging import JUDGEMENT, PLANNED, SESSION, TARGET, UNPRIVILEGED
from nixio_conformance.lab.case import Case, Pair, workspace
from nixio_fixtures import Kind


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Session:
    """The agent that hosts the port; one without privileges where the clause needs that."""
    stash = request.config.stash
    if SESSION not in stash:
        pytest.exit(
            "name an implementation: --nixio NAME, or --nixio-target, --nixio-agent, --nixio-lua",
            2,
        )
    if "unprivileged" not in request.node.stash[PLANNED].clause.needs:
        return stash[SESSION]
    if stash[TARGET].in_process:
        pytest.skip("unprivileged: the port is in the suite's own process, whose privileges are needed")
    return stash[UNPRIVILEGED]


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Where the socket files of all cases are."""
    with workspace() as path:
        yield path


@pytest.fixture
def kind() -> Kind | None:
    """The kind of socket that the case is about: the plugin multiplies a check by its clause's kinds."""
    return None


@pytest.fixture
def case(request: pytest.FixtureRequest, session: Session, folder: Path, kind: Kind | None) -> Iterator[Case]:
    """One case: the port's sockets, peers, and addresses. All of it is let go in the end."""
    made = Case(session, folder, kind)
    request.node.stash[JUDGEMENT].case = made
    session.begin_case(made.transcript)
    try:
        with hygiene.watched(made):
            yield made
    finally:
        with contextlib.suppress(OSError):
            made.close()


@pytest.fixture
def pair(case: Case) -> Pair:
    """Two ends of one connection; the port's end connected to the suite's."""
    return case.pair()


@pytest.fixture
def either_pair(case: Case, role: str) -> Pair:
    """Two ends of one connection, with the port as client and, for streams, as server too."""
    return case.pair(role)
