"""socket and accept when no descriptor is left: the call fails with EMFILE, and no connection is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from nixio_conformance.host import observer
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import receive_exactly
from nixio_fixtures import Kind


@contextmanager
def no_descriptors_left(case: Case) -> Iterator[None]:
    """Limit the agent's process to the descriptors that it has open."""
    if case.session.pid == os.getpid():
        pytest.skip("the implementation is in the suite's own process, which needs descriptors")
    case.descriptors()  # collects garbage, which would release descriptors during the limit
    with observer.no_descriptor_left(case.session.pid):
        yield


@clause("socket.exhausted.emfile")
def test_socket_fails(case: Case, kind: Kind) -> None:
    case.socket()  # an implementation may open files when it makes its first socket
    with no_descriptors_left(case):
        outcome = case.open(kind.domain, kind.type)
    expect.fails(outcome, "EMFILE", what="socket() with no descriptor left")
    case.socket()


@clause("accept.exhausted.emfile")
def test_accept_fails(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    with no_descriptors_left(case):
        outcome = listener.accept()
    expect.fails(outcome, "EMFILE", what="accept() with no descriptor left")


@clause("accept.exhausted.loses-nothing")
def test_the_connection_can_be_accepted_later(case: Case) -> None:
    listener, address = case.listening()
    peer = case.peer().connect(address)
    with no_descriptors_left(case):
        expect.fails(listener.accept(), what="accept() with no descriptor left")
    accepted = expect.accepted(listener.accept())
    peer.send(b"still here")
    expect.same(receive_exactly(accepted, "recv", 10), b"still here", "data received")
