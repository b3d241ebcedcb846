"""sendto: hosts and ports that are none are refused, and no other address gets the message."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import Sender

#: What refuses an address before the system sees it. A stale error of the system is not among it.
REFUSED = ("argument", "resolver")


def to(case: Case, host: Argument, port: Argument) -> Sender:
    """sendto on a fresh socket with this host and port; the peer is where nothing may arrive."""
    peer = case.bound_peer()
    return Sender("sendto", case.socket(), peer, (host, port))  # type: ignore[arg-type]


def real(sender: Sender) -> Sender:
    """The same socket with the peer's own address, for the sentinel."""
    return Sender("sendto", sender.sock, sender.peer, sender.peer.address)


@clause("sendto.port.range")
@pytest.mark.parametrize(
    "port",
    [
        pytest.param(lambda port: port + 65536, id="plus-65536"),
        pytest.param(lambda port: port - 65536, id="minus-65536"),
        pytest.param(lambda port: port + 2**32, id="plus-2e32"),
        pytest.param(lambda port: str(port + 65536), id="digits-plus-65536"),
        pytest.param(lambda port: -port, id="negative"),
        pytest.param(lambda _: 65536, id="65536"),
        pytest.param(lambda _: -1, id="minus-1"),
    ],
)
def test_a_port_is_never_wrapped(case: Case, port: object) -> None:
    assert callable(port)
    peer = case.bound_peer()
    sender = Sender("sendto", case.socket(), peer, (peer.address[0], port(peer.address[1])))
    expect.fails(sender(b"abc"), what="sendto()")
    real(sender).nothing_arrived()


@clause("sendto.port.zero")
@pytest.mark.parametrize("port", [pytest.param(0, id="int"), pytest.param("0", id="digits")])
def test_port_0_is_no_destination(case: Case, port: int | str) -> None:
    outcome = case.socket().sendto(b"abc", case.loopback, port)
    expect.fails(outcome, "argument", "EINVAL", "EADDRNOTAVAIL", what="sendto() port 0")


@clause("sendto.port.required")
def test_a_port_is_needed(case: Case) -> None:
    expect.refused_argument(case.socket().sendto(b"abc", case.loopback), "sendto() without a port")


@clause("sendto.port.kind")
@pytest.mark.parametrize(
    "port",
    [pytest.param(None, id="none"), pytest.param((1,), id="tuple"), pytest.param("no-such-service", id="no-service")],
)
def test_what_is_no_port_is_refused(case: Case, port: Argument) -> None:
    outcome = case.socket().sendto(b"abc", case.loopback, port)
    expect.fails(outcome, *REFUSED, what="sendto()")


@clause("sendto.host.required")
@pytest.mark.parametrize("given", [pytest.param((), id="missing"), pytest.param((None, None), id="none")])
def test_a_host_is_needed(case: Case, given: tuple[None, ...]) -> None:
    expect.refused_argument(case.socket().sendto(b"abc", *given), "sendto() without a host")


@clause("sendto.host.not-loopback")
def test_no_host_is_not_this_host(case: Case) -> None:
    """Only connect() takes a missing host for localhost."""
    peer = case.bound_peer()
    sender = Sender("sendto", case.socket(), peer, (None, peer.address[1]))
    expect.refused_argument(sender(b"abc"), "sendto() without a host")
    real(sender).nothing_arrived()


@clause("sendto.host.kind")
@pytest.mark.parametrize("host", [pytest.param(True, id="bool"), pytest.param(("127.0.0.1",), id="tuple")])
def test_what_is_no_host_is_refused(case: Case, host: Argument) -> None:
    expect.fails(case.socket().sendto(b"abc", host, 9), *REFUSED, what="sendto()")


def after_another_error(case: Case, host: str) -> tuple[Sender, Outcome]:
    """sendto there on a socket whose last call failed with EAGAIN, an error that a caller would act upon."""
    sender = to(case, host, 0)
    sender = Sender("sendto", sender.sock, sender.peer, (host, sender.peer.address[1]))
    case.bind(sender.sock)
    expect.true(sender.sock.setblocking(False), "setblocking()")
    expect.would_block(sender.sock.recv(1), "recv()")
    return sender, sender(b"abc")


@clause("sendto.host.name")
def test_a_name_is_resolved_or_refused(case: Case) -> None:
    """localhost may have no address of this family."""
    sender, outcome = after_another_error(case, "localhost")
    if isinstance(outcome, Failure):
        expect.fails(outcome, *REFUSED, what="sendto() to a name")
        return
    expect.count(outcome, 3)
    expect.same(real(sender).arrived(), [b"abc"], "what the peer received")


@clause("sendto.host.no-address")
@pytest.mark.parametrize(
    "host",
    [
        pytest.param("", id="empty"),
        pytest.param("x" * 64 + ".invalid", id="label-too-long"),
    ],
)
def test_what_is_no_address_is_refused(case: Case, host: str) -> None:
    """Neither is ever asked of a name server, which might be slow to answer."""
    sender, outcome = after_another_error(case, host)
    expect.fails(outcome, *REFUSED, what="sendto()")
    real(sender).nothing_arrived()


@clause("sendto.host.other-family")
def test_an_address_of_another_family_is_refused(case: Case) -> None:
    host = "::1" if case.kind.domain == "inet" else "127.0.0.1"
    sender, outcome = after_another_error(case, host)
    expect.fails(outcome, *REFUSED, "EAFNOSUPPORT", "EINVAL", what="sendto()")
    real(sender).nothing_arrived()
