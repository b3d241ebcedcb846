"""accept: the socket that it returns is a socket in every respect, and does not depend on its listener."""

import socket
from collections.abc import Callable

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.host import observer
from nixio_conformance.toolkit import expect, options, transfer
from nixio_conformance.toolkit.calls import METHODS, sensible, soon
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import contract_address, family_of, type_of
from nixio_conformance.toolkit.transfer import BINARY


def connected(sock: ImplSocket, pair: Pair) -> None:
    """The port's end and the peer's are still connected, in both directions."""
    expect.count(sock.send(b">"), 1)
    expect.same(pair.peer.recv(), b">", "what the peer received")
    pair.peer.send(b"<")
    expect.data(sock.recv(10), b"<")


def _sent(outcome: Outcome, pair: Pair) -> None:
    expect.count(outcome, 1)
    expect.same(pair.peer.recv(), b"x", "what the peer received")


def _sent_to(outcome: Outcome, pair: Pair) -> None:
    # A connected stream has no other destination: UNIX says so, TCP pays no attention to the address.
    if isinstance(outcome, Failure):
        expect.fails(outcome, "EISCONN", "EOPNOTSUPP", what="sendto()")
    else:
        _sent(outcome, pair)


def _received(outcome: Outcome, _: Pair) -> None:
    expect.same(expect.returned(outcome)[0], b"?", "data received")


def _end(outcome: Outcome, pair: Pair) -> None:
    expect.true(outcome)
    expect.same(pair.peer.recv(), b"", "what the peer received")


def _error(*names: str) -> Callable[[Outcome, Pair], None]:
    return lambda outcome, _: (expect.fails(outcome, *names), None)[1]


#: What each method does on an accepted socket whose peer sent b"?".
RIGHT: dict[str, Callable[[Outcome, Pair], None]] = {
    "getsockname": lambda outcome, pair: expect.at(outcome, pair.peer.remote),
    "getpeername": lambda outcome, pair: expect.at(outcome, pair.peer.address),
    "bind": _error("EINVAL"),
    "connect": _error("EISCONN"),
    "listen": _error("EINVAL"),
    "accept": _error("EINVAL"),
    "sendto": _sent_to,
    "send": _sent,
    "write": _sent,
    "recvfrom": _received,
    "recv": _received,
    "read": _received,
    "close": lambda outcome, _: expect.true(outcome),
    "shutdown": _end,
    "fileno": lambda outcome, _: expect.holds(expect.integer(outcome) >= 0, "fileno()", "0 or more", outcome),
    "setblocking": lambda outcome, _: expect.true(outcome),
    "setopt": lambda outcome, _: expect.true(outcome),
    "getopt": lambda outcome, _: expect.holds(expect.value(outcome) in (0, 1), "getopt()", "a flag", outcome),
}


@clause("accept.socket.method")
@pytest.mark.parametrize("method", METHODS)
def test_every_method(case: Case, method: str) -> None:
    pair = case.pair("server")
    pair.peer.send(b"?")
    address = (case.path(), None) if method == "bind" and case.kind.domain == "unix" else pair.peer.remote
    RIGHT[method](pair.impl.call(method, *sensible(method, address)), pair)


@clause("accept.socket.receives")
@pytest.mark.parametrize("method", ["recv", "read", "recvfrom"])
@pytest.mark.parametrize("data", [pytest.param(b"?", id="little"), pytest.param(BINARY * 32, id="much")])
def test_receives(case: Case, method: str, data: bytes) -> None:
    pair = case.pair("server")
    pair.peer.send(data)
    pair.peer.shutdown()
    expect.same(transfer.receive_exactly(pair.impl, method, len(data)), data, f"what {method}() returned")


@clause("accept.socket.sends")
def test_sends(case: Case) -> None:
    pair = case.pair("server")
    expect.count(pair.impl.send(b"!"), 1)
    expect.same(pair.peer.recv(), b"!", "what the peer received")


@clause("accept.socket.early-data")
def test_data_sent_before(case: Case) -> None:
    listener, address = case.listening()
    peer = case.peer().connect(address)
    peer.send(b"ab")
    sock = expect.socket(expect.returned(listener.accept())[0])
    expect.data(sock.recv(1), b"a")
    expect.data(sock.recv(1), b"b")


@clause("accept.socket.untouched")
def test_nothing_is_sent(case: Case) -> None:
    pair = case.pair("server")
    expect.count(pair.impl.send(b"!"), 1)
    pair.impl.shutdown("wr")
    expect.same(pair.peer.recv_all(), b"!", "all that the peer received")


@clause("accept.socket.adds-none")
def test_adds_no_options(case: Case) -> None:
    """A connection of the suite's own is the control; how large the buffers are is the system's own affair."""
    listener = case.listening_peer()
    case.peer().connect(listener.address)
    control = case.keep(listener.accept())
    with case.view(case.pair("server").impl) as view:
        found = options.snapshot(view)
    changed = options.changes(options.snapshot(control.socket), found, ("socket.sndbuf", "socket.rcvbuf", "blocking"))
    expect.holds(not changed, "the options of an accepted socket", "as the system makes it", changed)


@clause("accept.socket.kernel-kind")
def test_kind(case: Case) -> None:
    pair = case.pair("server")
    with case.view(pair.impl) as view:
        expect.same((view.family, view.type), (family_of(case.kind), type_of(case.kind)), "family and type")


@clause("accept.socket.kernel-addresses")
def test_addresses(case: Case) -> None:
    pair = case.pair("server")
    with case.view(pair.impl) as view:
        try:
            ends = contract_address(case.kind, view.getsockname()), contract_address(case.kind, view.getpeername())
        except OSError as error:
            expect.mismatch("the accepted socket, to the system", "connected", error)
    expect.same(ends, (pair.peer.remote, pair.peer.address), "the accepted socket's own and its peer's address")


@clause("accept.socket.own-descriptor")
def test_descriptor(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    case.peer().connect(address)
    socks = [listener, *(expect.socket(expect.returned(listener.accept())[0]) for _ in range(2))]
    numbers = [expect.integer(sock.fileno(), "fileno()") for sock in socks]
    expect.holds(len(set(numbers)) == 3, "descriptors of a listener and two connections", "three numbers", numbers)


@clause("accept.socket.not-inherited")
def test_not_inherited(case: Case) -> None:
    number = expect.integer(case.pair("server").impl.fileno(), "fileno()")
    flag = observer.close_on_exec(case.session.pid, number)
    expect.holds(flag, "the accepted descriptor", "close-on-exec", "inherited by programs started later")


@clause("accept.socket.blocks")
@pytest.mark.parametrize("listener", ["blocking", "non-blocking"])
def test_blocks(case: Case, listener: str) -> None:
    listening, address = case.listening()
    peer = case.peer().connect(address)
    expect.true(listening.setblocking(listener == "blocking"), "setblocking()")
    sock = expect.socket(expect.returned(soon(listening.accept))[0])
    pending = sock.start("recv", 10)
    expect.holds(pending.blocked(), "recv() on the accepted socket", "a call that waits", "a call that came back")
    peer.send(b"?")
    expect.data(pending.outcome(), b"?")


@clause("accept.socket.options")
@pytest.mark.parametrize("value", [pytest.param(1, id="on"), pytest.param(0, id="off")])
@pytest.mark.parametrize("option", ["keepalive", "nodelay"])
def test_options(case: Case, option: str, value: int) -> None:
    name = {"keepalive": (socket.SOL_SOCKET, socket.SO_KEEPALIVE), "nodelay": (socket.IPPROTO_TCP, socket.TCP_NODELAY)}
    listener, address = case.listening()
    with case.view(listener) as view:
        view.setsockopt(*name[option], value)
    case.peer().connect(address)
    sock = expect.socket(expect.returned(listener.accept())[0])
    with case.view(sock) as view:
        expect.same(bool(view.getsockopt(*name[option])), bool(value), f"{option} of the accepted socket")


@clause("accept.listener.closed")
def test_outlives_its_listener(case: Case) -> None:
    pair = case.pair("server")
    assert pair.listener
    expect.true(pair.listener.close(), "close() of the listener")
    connected(pair.impl, pair)


@clause("accept.listener.forgotten")
def test_outlives_a_forgotten_listener(case: Case) -> None:
    pair = case.pair("server")
    assert pair.listener
    pair.listener.release()
    connected(pair.impl, pair)


@clause("accept.listener.survives")
def test_listener_outlives_it(case: Case) -> None:
    pair = case.pair("server")
    assert pair.listener
    expect.true(pair.impl.close(), "close() of the accepted socket")
    peer = case.peer().connect(pair.peer.remote)
    another = expect.socket(expect.returned(pair.listener.accept(), "accept()")[0])
    connected(another, Pair(another, peer))


@clause("accept.siblings.survive")
def test_siblings_outlive_it(case: Case) -> None:
    pair = case.pair("server")
    assert pair.listener
    address = pair.peer.remote
    peer = case.peer().connect(address)
    another = expect.socket(expect.returned(pair.listener.accept(), "accept()")[0])
    expect.true(pair.impl.close(), "close() of the first accepted socket")
    connected(another, Pair(another, peer))
