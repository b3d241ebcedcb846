"""getsockname: the socket's own address, as it is now."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Failure, Returned
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.host import platforms
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import ANY, Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Address, contract_address
from nixio_fixtures import Kind

WHAT = "getsockname()"


@clause("getsockname.result.shape")
@pytest.mark.parametrize("state", ["new", "bound", "connected"])
def test_result_shape(case: Case, kind: Kind, state: str) -> None:
    sock = _in_state(case, state)
    found = expect.address(sock.getsockname(), WHAT)
    right = type(found[0]) is str and type(found[1]) is int
    expect.holds(right, WHAT, "an address as text and a port as an int", found)


@clause("getsockname.result.unix")
@pytest.mark.parametrize("state", ["new", "bound", "connected"])
def test_result_unix(case: Case, state: str) -> None:
    sock = _in_state(case, state)
    found = expect.address(sock.getsockname(), WHAT)
    expect.holds(type(found[0]) is str and found[1] is None, WHAT, "a path as text and None", found)


@clause("getsockname.unix.no-port")
def test_unix_no_port(case: Case) -> None:
    sock, path = case.socket(), case.path()
    if isinstance(sock.bind(path, 80), Failure):  # that is bind's affair
        expect.true(sock.bind(path, None), "bind()")
    expect.same(expect.address(sock.getsockname(), WHAT), (path, None), WHAT)


@clause("getsockname.result.raw")
def test_result_raw(case: Case, kind: Kind) -> None:
    found = expect.address(case.socket().getsockname(), WHAT)
    expect.holds(
        found[0] == ANY[kind.domain] and type(found[1]) is int, WHAT, f"{ANY[kind.domain]!r} and an int", found
    )


@clause("getsockname.bound.local")
def test_bound_local(case: Case, kind: Kind) -> None:
    sock, _ = case.bound()
    with case.view(sock) as seen:
        expected = contract_address(kind, seen.getsockname())
    expect.at(sock.getsockname(), expected, WHAT)


@clause("getsockname.bound.sender")
def test_bound_sender(case: Case) -> None:
    sock, _ = case.bound()
    peer = case.bound_peer()
    expect.count(sock.sendto(b"who", *peer.address), 3)
    _, sender = peer.recvfrom()
    expect.at(sock.getsockname(), sender, WHAT)


@clause("getsockname.bound.reached")
def test_bound_reached(case: Case) -> None:
    sock, _ = case.listening()
    host_, port = expect.address(sock.getsockname(), WHAT)
    expect.holds(isinstance(host_, str) and isinstance(port, int | None), WHAT, "an address", (host_, port))
    case.peer().connect((str(host_), port if isinstance(port, int) else None))
    expect.accepted(sock.accept())


@clause("getsockname.bound.wildcard")
def test_bound_wildcard(case: Case, kind: Kind) -> None:
    sock = case.socket()
    expect.true(sock.bind(None, 0), "bind()")
    found = expect.address(sock.getsockname(), WHAT)
    expect.same(found[0], ANY[kind.domain], "the host of getsockname()")
    expect.holds(_is_port(found[1]), "the port of getsockname()", "from 1 to 65535", found[1])


@clause("getsockname.bound.other-address")
def test_bound_other_address(case: Case) -> None:
    sock = case.socket()
    address = case.own_address()
    expect.true(sock.bind(address, 0), "bind()")
    expect.same(expect.address(sock.getsockname(), WHAT)[0], address, "the host of getsockname()")


@clause("getsockname.unbound.unspecified")
def test_unbound_unspecified(case: Case, kind: Kind) -> None:
    outcome = case.socket().getsockname()
    if not isinstance(outcome, Returned):
        expect.fails(outcome, "EINVAL", what=WHAT)  # Windows
        return
    expect.at(outcome, (ANY[kind.domain], 0), WHAT)


@clause("getsockname.unbound.unnamed")
def test_unbound_unnamed(case: Case) -> None:
    expect.at(case.socket().getsockname(), ("", None), WHAT)


@clause("getsockname.state.after-bind")
def test_state_after_bind(case: Case, kind: Kind) -> None:
    sock = case.socket()
    sock.getsockname()
    if kind.domain == "unix":
        path = case.path()
        expect.true(sock.bind(path, None), "bind()")
        expect.at(sock.getsockname(), (path, None), WHAT)
    else:
        expect.true(sock.bind(case.loopback, 0), "bind()")
        found = expect.address(sock.getsockname(), WHAT)
        expect.holds(found[0] == case.loopback and _is_port(found[1]), WHAT, f"{case.loopback!r} and a port", found)


@clause("getsockname.state.after-connect")
def test_state_after_connect(case: Case, kind: Kind) -> None:
    peer = case.destination()
    sock = case.socket()
    expect.true(sock.bind(None, 0), "bind()")
    _, port = expect.address(sock.getsockname(), WHAT)
    expect.true(sock.connect(*peer.address), "connect()")
    expect.at(sock.getsockname(), (case.loopback, port), WHAT)


@clause("getsockname.state.connected")
def test_state_connected(case: Case, kind: Kind) -> None:
    sock = case.socket()
    sock.getsockname()
    seen = _seen_by(case, sock)
    expect.at(sock.getsockname(), seen, WHAT)


@clause("getsockname.state.connected-unnamed")
def test_state_connected_unnamed(case: Case) -> None:
    sock = _in_state(case, "connected")
    expect.at(sock.getsockname(), ("", None), WHAT)


@clause("getsockname.state.sent")
def test_state_sent(case: Case) -> None:
    sock = case.socket()
    peer = case.bound_peer()
    sock.getsockname()
    expect.count(sock.sendto(b"who", *peer.address), 3)
    _, sender = peer.recvfrom()
    # Linux leaves the address open as long as the socket is not connected; others may fill it in.
    expect.same(expect.address(sock.getsockname(), WHAT)[1], sender[1], "the port of getsockname()")


@clause("getsockname.state.failed-bind")
def test_state_failed_bind(case: Case, kind: Kind) -> None:
    sock, address = case.bound()
    other = case.bound_peer()
    expect.fails(sock.bind(*other.address), "EINVAL", "EADDRINUSE", what="bind()")
    expect.at(sock.getsockname(), address, WHAT)


@clause("getsockname.state.peer-closed")
def test_state_peer_closed(case: Case, either_pair: Pair) -> None:
    before = expect.address(either_pair.impl.getsockname(), WHAT)
    either_pair.peer.close()
    expect.data(either_pair.impl.recv(16), b"")
    expect.at(either_pair.impl.getsockname(), before, WHAT)


@clause("getsockname.accepted.local")
def test_accepted_local(case: Case) -> None:
    pair = case.pair("server")
    expect.at(pair.impl.getsockname(), pair.peer.remote, WHAT)


@clause("getsockname.accepted.wildcard")
def test_accepted_wildcard(case: Case, kind: Kind) -> None:
    listener = case.socket()
    expect.true(listener.bind(None, 0), "bind()")
    expect.true(listener.listen(2), "listen()")
    _, port = expect.address(listener.getsockname(), WHAT)
    case.peer().connect((case.loopback, _port(port)))
    accepted = expect.accepted(listener.accept())
    expect.at(accepted.getsockname(), (case.loopback, port), WHAT)


@clause("getsockname.accepted.mapped")
def test_accepted_mapped(case: Case) -> None:
    ipv4 = case.ipv4_kind()
    listener = case.socket()
    expect.true(listener.bind("::", 0), "bind()")
    expect.true(listener.listen(2), "listen()")
    _, port = expect.address(listener.getsockname(), WHAT)
    case.peer(ipv4).connect(("127.0.0.1", _port(port)))
    accepted = expect.accepted(listener.accept())
    expect.at(accepted.getsockname(), ("::ffff:127.0.0.1", port), WHAT)


@clause("getsockname.unix.whole-path")
@pytest.mark.parametrize("name", ["longest", "spaces", "letters"])
def test_unix_whole_path(case: Case, name: str) -> None:
    path = {
        "longest": case.path(platforms.this_platform().unix_path - 1) + "!",
        "spaces": case.path() + " a:b%20 ",
        "letters": case.path() + "-Grün",
    }[name]
    sock = case.socket()
    expect.true(sock.bind(path, None), "bind()")
    expect.at(sock.getsockname(), (path, None), WHAT)


@clause("getsockname.unix.abstract")
@pytest.mark.parametrize("ending", [pytest.param(b"", id="plain"), pytest.param(b"\0a\xff\0", id="binary")])
def test_unix_abstract(case: Case, ending: bytes) -> None:
    name = case.abstract(ending)
    sock = case.socket()
    expect.true(sock.bind(name, None), "bind()")
    expect.at(sock.getsockname(), (name, None), WHAT)


def _in_state(case: Case, state: str) -> ImplSocket:
    if state == "bound":
        return case.bound()[0]
    sock = case.socket()
    if state == "connected":
        expect.true(sock.connect(*case.destination().address), "connect()")
    return sock


def _seen_by(case: Case, sock: ImplSocket) -> Address:
    peer = case.destination()
    expect.true(sock.connect(*peer.address), "connect()")
    if case.kind.type == "stream":
        return case.keep(peer.accept()).remote
    expect.count(sock.send(b"who"), 3)
    return peer.recvfrom()[1]


def _is_port(found: object) -> bool:
    return type(found) is int and 0 < found < 65536


def _port(found: object) -> int:
    if not isinstance(found, int):
        expect.mismatch("the port of getsockname()", "an int", found)
    return found
