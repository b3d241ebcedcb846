"""The fixtures of the checks, registered only if an implementation is named, so that no other pytest run has them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nixio_conformance.driver.hello import TRIES
from nixio_conformance.driver.session import Session
from nixio_conformance.pytest_plugin.stash import DEADLINES, JUDGEMENT, PLANNED, SESSION, TARGET, UNPRIVILEGED
from nixio_conformance.toolkit import leaks
from nixio_conformance.toolkit.case import Case, Pair
from nixio_fixtures import Kind


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Session:
    """The agent that hosts the implementation; one without privileges if the clause needs that."""
    stash = request.config.stash
    if "unprivileged" not in request.node.stash[PLANNED].clause.needs:
        return stash[SESSION]
    if stash[TARGET].in_process:
        pytest.skip("unprivileged: the implementation is in the suite's own process, whose privileges are needed")
    return stash[UNPRIVILEGED]


@pytest.fixture
def kind() -> Kind | None:
    """The kind of socket that the case is about: the plugin multiplies a check by its clause's kinds."""
    return None


@pytest.fixture
def case(request: pytest.FixtureRequest, session: Session, kind: Kind | None) -> Iterator[Case]:
    """One case: the implementation's sockets, peers and addresses, all closed at its end, and then the leak check."""
    made = Case(session, kind)
    request.node.stash[JUDGEMENT].case = made
    try:
        session.allow(request.config.stash[DEADLINES].of(request.node.stash[PLANNED].clause.method))
        session.begin_case(made.transcript, TRIES)
        with leaks.watched(made):
            yield made
            session.allow(None)  # calls after the case have the deadlines of calls
    finally:
        made.close()


@pytest.fixture
def pair(case: Case) -> Pair:
    """Two ends of one connection, with the implementation as the client."""
    return case.pair()


@pytest.fixture
def either_pair(case: Case, role: str) -> Pair:
    """Two ends of one connection, with the implementation as the client and, for streams, as the server too."""
    return case.pair(role)
