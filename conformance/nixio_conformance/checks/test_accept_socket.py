"""accept: the returned socket has all methods, blocks, and does not depend on its listener."""

import socket
from collections.abc import Callable

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.toolkit import expect, options, transfer
from nixio_conformance.toolkit.calls import METHODS, retry_would_block, valid_arguments
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause, each_receiver
from nixio_conformance.toolkit.peer import contract_address, family_of, type_of
from nixio_conformance.toolkit.transfer import BINARY, both_directions


def _sent(outcome: Outcome, pair: Pair) -> None:
    expect.count(outcome, 1)
    expect.same(pair.peer.recv(), b"x", "what the peer received")


def _sent_to(outcome: Outcome, pair: Pair) -> None:
    # On a connected stream, UNIX refuses the address, and TCP ignores it.
    if isinstance(outcome, Failure):
        expect.fails(outcome, "EISCONN", "EOPNOTSUPP", what="sendto()")
    else:
        _sent(outcome, pair)


def _received(outcome: Outcome, _: Pair) -> None:
    expect.same(expect.first(outcome), b"?", "data received")


def _end(outcome: Outcome, pair: Pair) -> None:
    expect.true(outcome)
    expect.same(pair.peer.recv(), b"", "what the peer received")


def _error(*names: str) -> Callable[[Outcome, Pair], None]:
    return lambda outcome, _: (expect.fails(outcome, *names), None)[1]


#: What each method must do on an accepted socket whose peer sent b"?".
EXPECTED: dict[str, Callable[[Outcome, Pair], None]] = {
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
def test_every_method_works(case: Case, method: str) -> None:
    pair = case.pair("server")
    pair.peer.send(b"?")
    address = (case.path(), None) if method == "bind" and case.kind.domain == "unix" else pair.peer.remote
    EXPECTED[method](pair.impl.call(method, *valid_arguments(method, address)), pair)


@clause("accept.socket.receives")
@each_receiver
@pytest.mark.parametrize("data", [pytest.param(b"?", id="little"), pytest.param(BINARY * 32, id="much")])
def test_data_is_received(case: Case, method: str, data: bytes) -> None:
    pair = case.pair("server")
    pair.peer.send(data)
    pair.peer.shutdown()
    expect.same(transfer.receive_exactly(pair.impl, method, len(data)), data, f"what {method}() returned")


@clause("accept.socket.sends")
def test_data_is_sent(case: Case) -> None:
    pair = case.pair("server")
    expect.count(pair.impl.send(b"!"), 1)
    expect.same(pair.peer.recv(), b"!", "what the peer received")


@clause("accept.socket.early-data")
def test_data_sent_before_accept_is_received(case: Case) -> None:
    listener, address = case.listening()
    peer = case.peer().connect(address)
    peer.send(b"ab")
    sock = expect.accepted(listener.accept())
    expect.data(sock.recv(1), b"a")
    expect.data(sock.recv(1), b"b")


@clause("accept.socket.untouched")
def test_accept_sends_nothing(case: Case) -> None:
    pair = case.pair("server")
    expect.count(pair.impl.send(b"!"), 1)
    pair.impl.shutdown("wr")
    expect.same(pair.peer.recv_all(), b"!", "all that the peer received")


@clause("accept.socket.adds-none")
def test_accept_sets_no_options(case: Case) -> None:
    """Compared with a connection of the suite. The sizes of buffers are the system's own choice."""
    listener = case.listening_peer()
    case.peer().connect(listener.address)
    control = case.keep(listener.accept())
    with case.view(case.pair("server").impl) as view:
        found = options.snapshot(view)
    changed = options.changes(options.snapshot(control.socket), found, ("socket.sndbuf", "socket.rcvbuf", "blocking"))
    expect.holds(not changed, "the options of an accepted socket", "as the system sets them", changed)


@clause("accept.socket.kernel-kind")
def test_family_and_type_are_the_listeners(case: Case) -> None:
    pair = case.pair("server")
    with case.view(pair.impl) as view:
        expect.same((view.family, view.type), (family_of(case.kind), type_of(case.kind)), "family and type")


@clause("accept.socket.kernel-addresses")
def test_the_system_has_both_addresses(case: Case) -> None:
    pair = case.pair("server")
    with case.view(pair.impl) as view:
        ends = contract_address(case.kind, view.getsockname()), contract_address(case.kind, view.getpeername())
    expect.same(ends, (pair.peer.remote, pair.peer.address), "the accepted socket's own and its peer's address")


@clause("accept.socket.own-descriptor")
def test_each_socket_has_its_own_descriptor(case: Case) -> None:
    listener, address = case.listening()
    case.peer().connect(address)
    case.peer().connect(address)
    socks = [listener, *(expect.accepted(listener.accept()) for _ in range(2))]
    numbers = [expect.integer(sock.fileno(), "fileno()") for sock in socks]
    expect.holds(len(set(numbers)) == 3, "descriptors of a listener and two connections", "three numbers", numbers)


@clause("accept.socket.not-inherited")
def test_the_descriptor_is_close_on_exec(case: Case) -> None:
    flag = case.close_on_exec(case.pair("server").impl)
    expect.holds(flag, "the accepted descriptor", "close-on-exec", "inherited by programs started later")


@clause("accept.socket.blocks")
@pytest.mark.parametrize("listener", ["blocking", "non-blocking"])
def test_the_socket_blocks(case: Case, listener: str) -> None:
    listening, address = case.listening()
    peer = case.peer().connect(address)
    expect.true(listening.setblocking(listener == "blocking"), "setblocking()")
    sock = expect.accepted(retry_would_block(listening.accept))
    pending = sock.start("recv", 10)
    expect.waits(pending, "recv() on the accepted socket")
    peer.send(b"?")
    expect.data(pending.outcome(), b"?")


@clause("accept.socket.options")
@pytest.mark.parametrize("value", [pytest.param(1, id="on"), pytest.param(0, id="off")])
@pytest.mark.parametrize("option", ["keepalive", "nodelay"])
def test_options_are_inherited_from_the_listener(case: Case, option: str, value: int) -> None:
    name = {"keepalive": (socket.SOL_SOCKET, socket.SO_KEEPALIVE), "nodelay": (socket.IPPROTO_TCP, socket.TCP_NODELAY)}
    listener, address = case.listening()
    with case.view(listener) as view:
        view.setsockopt(*name[option], value)
    case.peer().connect(address)
    sock = expect.accepted(listener.accept())
    with case.view(sock) as view:
        expect.same(bool(view.getsockopt(*name[option])), bool(value), f"{option} of the accepted socket")


@clause("accept.listener.closed")
def test_it_works_after_the_listener_was_closed(case: Case) -> None:
    pair = case.pair("server")
    assert pair.listener
    expect.true(pair.listener.close(), "close() of the listener")
    both_directions(pair.impl, pair.peer)


@clause("accept.listener.forgotten")
def test_it_works_after_the_listener_was_collected(case: Case) -> None:
    pair = case.pair("server")
    assert pair.listener
    pair.listener.release()
    both_directions(pair.impl, pair.peer)


@clause("accept.listener.survives")
def test_the_listener_works_after_it_was_closed(case: Case) -> None:
    pair = case.pair("server")
    assert pair.listener
    expect.true(pair.impl.close(), "close() of the accepted socket")
    peer = case.peer().connect(pair.peer.remote)
    another = expect.accepted(pair.listener.accept())
    both_directions(another, peer)


@clause("accept.siblings.survive")
def test_other_accepted_sockets_work_after_it_was_closed(case: Case) -> None:
    pair = case.pair("server")
    assert pair.listener
    address = pair.peer.remote
    peer = case.peer().connect(address)
    another = expect.accepted(pair.listener.accept())
    expect.true(pair.impl.close(), "close() of the first accepted socket")
    both_directions(another, peer)
