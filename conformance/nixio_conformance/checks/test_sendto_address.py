"""sendto: wrong hosts and ports are refused, and no other address receives the datagram."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.port_numbers import Spelling, each_spelling
from nixio_conformance.toolkit.transfer import Sender, sendto_to

#: Failures for an address that is not passed on to the system. A stale system error is not among them.
REFUSED = ("argument", "resolver")
#: Ports outside 0 to 65535; truncated to 16 or 32 bits, most of them are the peer's.
OUT_OF_RANGE = [
    Spelling("plus-65536", lambda port: port + 65536),
    Spelling("minus-65536", lambda port: port - 65536),
    Spelling("plus-2e32", lambda port: port + 2**32),
    Spelling("digits-plus-65536", lambda port: str(port + 65536)),
    Spelling("negative", lambda port: -port),
    Spelling("65536", lambda _: 65536),
    Spelling("minus-1", lambda _: -1),
]


@clause("sendto.port.range")
@each_spelling("port", OUT_OF_RANGE)
def test_a_port_out_of_range_does_not_wrap(case: Case, port: Spelling) -> None:
    peer = case.bound_peer()
    sender = sendto_to(case.socket(), peer)
    expect.fails(sender.sock.sendto(b"abc", peer.address[0], port(peer.address[1] or 0)), what="sendto()")
    sender.nothing_arrived()


@clause("sendto.port.zero")
@pytest.mark.parametrize("port", [pytest.param(0, id="int"), pytest.param("0", id="digits")])
def test_port_0_is_refused(case: Case, port: int | str) -> None:
    outcome = case.socket().sendto(b"abc", case.loopback, port)
    expect.fails(outcome, "argument", "EINVAL", "EADDRNOTAVAIL", what="sendto() port 0")


@clause("sendto.port.required")
def test_a_port_is_required(case: Case) -> None:
    expect.refused_argument(case.socket().sendto(b"abc", case.loopback), "sendto() without a port")


@clause("sendto.port.kind")
@pytest.mark.parametrize(
    "port",
    [pytest.param(None, id="none"), pytest.param((1,), id="tuple"), pytest.param("no-such-service", id="no-service")],
)
def test_a_wrong_port_is_refused(case: Case, port: Argument) -> None:
    outcome = case.socket().sendto(b"abc", case.loopback, port)
    expect.fails(outcome, *REFUSED, what="sendto()")


@clause("sendto.host.required")
@pytest.mark.parametrize("given", [pytest.param((), id="missing"), pytest.param((None, None), id="none")])
def test_a_host_is_required(case: Case, given: tuple[None, ...]) -> None:
    expect.refused_argument(case.socket().sendto(b"abc", *given), "sendto() without a host")


@clause("sendto.host.not-loopback")
def test_a_missing_host_is_not_localhost(case: Case) -> None:
    """Only connect() uses localhost for a missing host."""
    peer = case.bound_peer()
    sender = sendto_to(case.socket(), peer)
    expect.refused_argument(sender.sock.sendto(b"abc", None, peer.address[1]), "sendto() without a host")
    sender.nothing_arrived()


@clause("sendto.host.kind")
@pytest.mark.parametrize("host", [pytest.param(True, id="bool"), pytest.param(("127.0.0.1",), id="tuple")])
def test_a_host_of_a_wrong_type_is_refused(case: Case, host: Argument) -> None:
    expect.fails(case.socket().sendto(b"abc", host, 9), *REFUSED, what="sendto()")


def sendto_host(case: Case, host: str) -> tuple[Sender, Outcome]:
    """Call sendto with this host and a peer's port, on a socket whose last call failed with EAGAIN.

    An implementation that reports a stale error would report EAGAIN. Returns a sender to the peer, and the outcome.
    """
    sender = sendto_to(case.socket(), case.bound_peer())
    case.bind(sender.sock)
    expect.true(sender.sock.setblocking(False), "setblocking()")
    expect.would_block(sender.sock.recv(1), "recv()")
    return sender, sender.sock.sendto(b"abc", host, sender.peer.address[1])


@clause("sendto.host.name")
def test_a_name_is_resolved_or_refused(case: Case) -> None:
    """localhost may have no address of this family."""
    sender, outcome = sendto_host(case, "localhost")
    if isinstance(outcome, Failure):
        expect.fails(outcome, *REFUSED, what="sendto() to a name")
        return
    expect.count(outcome, 3)
    expect.same(sender.arrived(), [b"abc"], "what the peer received")


@clause("sendto.host.no-address")
@pytest.mark.parametrize(
    "host",
    [
        pytest.param("", id="empty"),
        pytest.param("x" * 64 + ".invalid", id="label-too-long"),
    ],
)
def test_a_host_that_cannot_be_resolved_is_refused(case: Case, host: str) -> None:
    """A resolver refuses both without asking a name server."""
    sender, outcome = sendto_host(case, host)
    expect.fails(outcome, *REFUSED, what="sendto()")
    sender.nothing_arrived()


@clause("sendto.host.other-family")
def test_an_address_of_another_family_is_refused(case: Case) -> None:
    host = "::1" if case.kind.domain == "inet" else "127.0.0.1"
    sender, outcome = sendto_host(case, host)
    expect.fails(outcome, *REFUSED, "EAFNOSUPPORT", "EINVAL", what="sendto()")
    sender.nothing_arrived()
