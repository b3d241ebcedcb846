"""No descriptor left: the call fails with EMFILE, and nothing is lost."""

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
    """The port's process may open nothing: its limit is what it has open now."""
    if case.session.pid == os.getpid():
        pytest.skip("the port is in the suite's own process: the suite would have none left either")
    case.descriptors()  # has garbage collected, which would give some back
    with observer.no_descriptor_left(case.session.pid):
        yield


@clause("socket.exhausted.emfile")
def test_socket(case: Case, kind: Kind) -> None:
    with no_descriptors_left(case):
        outcome = case.open(kind.domain, kind.type)
    expect.fails(outcome, "EMFILE", what="socket() with no descriptor left")
    case.socket()


@clause("accept.exhausted.emfile")
def test_accept(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    with no_descriptors_left(case):
        outcome = listener.accept()
    expect.fails(outcome, "EMFILE", what="accept() with no descriptor left")


@clause("accept.exhausted.loses-nothing")
def test_accept_loses_nothing(case: Case) -> None:
    listener, address = case.listening()
    peer = case.peer().connect(address)
    with no_descriptors_left(case):
        expect.fails(listener.accept(), what="accept() with no descriptor left")
    accepted = expect.socket(expect.returned(listener.accept(), "accept()")[0], "accept()")
    peer.send(b"still here")
    expect.same(receive_exactly(accepted, "recv", 10), b"still here", "data received")
