"""The factory socket(): its arguments, the sockets that it creates, and their garbage collection."""

from __future__ import annotations

import socket

import pytest

from nixio_conformance.driver.errors import AgentCannot
from nixio_conformance.driver.wire import Argument
from nixio_conformance.host import observer
from nixio_conformance.toolkit import expect, options
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.leaks import leaves_no_descriptors
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import family_of, type_of
from nixio_conformance.toolkit.transfer import both_directions
from nixio_fixtures import Kind

DOMAINS = ("inet", "inet6", "unix")
#: Failures for a protocol that the system does not have, or not for this type.
NO_PROTOCOL = ("argument", "resolver", "EPROTONOSUPPORT", "EPROTOTYPE", "ESOCKTNOSUPPORT", "EINVAL")
#: For each group of kinds: IPPROTO_TCP, or IPPROTO_MPTCP, which falls back to TCP; IPPROTO_UDP; none.
USUAL = {"tcp": (6, 262), "udp": (17,), "unix": (0,)}


def protocol_of(case: Case) -> int:
    with case.view(case.socket()) as seen:
        return seen.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL)


def is_connected(seen: socket.socket) -> bool:
    try:
        seen.getpeername()
    except OSError:
        return False
    return True


def needs_garbage_collection(case: Case) -> None:
    """End the case as port-skip if the agent cannot collect garbage."""
    if "gc" not in case.session.welcome.capabilities:
        raise AgentCannot("it cannot collect garbage")


@clause("socket.kinds.open")
def test_each_kind_can_be_made(case: Case, kind: Kind) -> None:
    expect.socket(expect.value(case.open(kind.domain, kind.type), "socket()"), "socket()")


@clause("socket.kinds.family")
def test_the_family_is_the_given_one(case: Case, kind: Kind) -> None:
    with case.view(case.socket()) as seen:
        found = seen.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN)
    expect.same(found, int(family_of(kind)), "the socket's family in the kernel")


@clause("socket.kinds.type")
def test_the_type_is_the_given_one(case: Case, kind: Kind) -> None:
    with case.view(case.socket()) as seen:
        found = seen.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
    expect.same(found, int(type_of(kind)), "the socket's type in the kernel")


@clause("socket.protocol.default")
def test_the_default_protocol_is_the_usual_one(case: Case, kind: Kind) -> None:
    usual = next(USUAL[group] for group in kind.groups if group in USUAL)
    expect.one_of(protocol_of(case), usual, "the socket's protocol in the kernel")


@clause("socket.protocol.none")
def test_the_protocol_may_be_none(case: Case, kind: Kind) -> None:
    expect.socket(expect.value(case.open(kind.domain, kind.type, None), "socket()"), "socket()")


@clause("socket.protocol.raw")
def test_a_raw_socket_has_the_given_protocol(case: Case, kind: Kind) -> None:
    expect.same(protocol_of(case), 1 if kind.domain == "inet" else 58, "the socket's protocol in the kernel")


@clause("socket.protocol.unsuited")
def test_a_protocol_of_another_type_fails(case: Case, kind: Kind) -> None:
    protocol = "icmp" if kind.domain == "inet" else "icmpv6"
    expect.fails(case.open(kind.domain, kind.type, protocol), *NO_PROTOCOL, what="socket()")


@clause("socket.protocol.unknown")
@pytest.mark.parametrize("protocol", ["nonsense", "icm"])
def test_an_unknown_protocol_fails(case: Case, kind: Kind, protocol: str) -> None:
    expect.fails(case.open(kind.domain, kind.type, protocol), *NO_PROTOCOL, what="socket()")


@clause("socket.protocol.types")
@pytest.mark.parametrize("protocol", [pytest.param(1.5, id="fraction"), pytest.param(("icmp",), id="list")])
def test_a_protocol_of_a_wrong_type_is_refused(case: Case, kind: Kind, protocol: Argument) -> None:
    expect.refused_argument(case.open(kind.domain, kind.type, protocol), "socket()")


@clause("socket.raw.unprivileged")
@pytest.mark.parametrize(
    ("domain", "protocol"),
    [pytest.param("inet", "icmp", id="inet"), pytest.param("inet6", "icmpv6", id="inet6")],
)
def test_raw_sockets_need_privileges(case: Case, domain: str, protocol: str) -> None:
    expect.fails(case.open(domain, "raw", protocol), "EPERM", "EACCES", "EAFNOSUPPORT", what="socket()")


@clause("socket.domain.unknown")
@pytest.mark.parametrize(
    "domain",
    [
        pytest.param("nonsense", id="nonsense"),
        pytest.param("", id="empty"),
        pytest.param("inet7", id="longer"),
        pytest.param("uni", id="shorter"),
        pytest.param("stream", id="a-type"),
    ],
)
@pytest.mark.parametrize("type_", ["stream", "dgram"])
def test_an_unknown_domain_fails(case: Case, domain: str, type_: str) -> None:
    expect.fails(case.open(domain, type_), "argument", "EAFNOSUPPORT", what="socket()")


@clause("socket.type.unknown")
@pytest.mark.parametrize(
    "type_",
    [
        pytest.param("nonsense", id="nonsense"),
        pytest.param("", id="empty"),
        pytest.param("streams", id="longer"),
        pytest.param("dgra", id="shorter"),
        pytest.param("inet", id="a-domain"),
    ],
)
@pytest.mark.parametrize("domain", DOMAINS)
def test_an_unknown_type_fails(case: Case, domain: str, type_: str) -> None:
    expect.fails(case.open(domain, type_), *NO_PROTOCOL, what="socket()")


@clause("socket.domain.types")
@pytest.mark.parametrize(
    "domain", [pytest.param(None, id="none"), pytest.param(True, id="bool"), pytest.param(("inet",), id="list")]
)
def test_a_domain_of_a_wrong_type_is_refused(case: Case, domain: Argument) -> None:
    expect.refused_argument(case.open(domain, "stream"), "socket()")


@clause("socket.type.types")
@pytest.mark.parametrize(
    "type_", [pytest.param(None, id="none"), pytest.param(True, id="bool"), pytest.param(("stream",), id="list")]
)
@pytest.mark.parametrize("domain", DOMAINS)
def test_a_type_of_a_wrong_type_is_refused(case: Case, domain: str, type_: Argument) -> None:
    expect.refused_argument(case.open(domain, type_), "socket()")


@clause("socket.arguments.missing")
@pytest.mark.parametrize(
    "arguments",
    [pytest.param((), id="both"), pytest.param(("inet",), id="type"), pytest.param(("unix",), id="unix-type")],
)
def test_domain_and_type_are_required(case: Case, arguments: tuple[Argument, ...]) -> None:
    expect.refused_argument(case.open(*arguments), "socket()")


@clause("socket.failure.no-leak")
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("nonsense", "stream"), id="domain"),
        pytest.param(("inet", "nonsense"), id="type"),
        pytest.param(("inet", "stream", "icmp"), id="protocol"),
        pytest.param(("inet", "stream", "nonsense"), id="protocol-word"),
    ],
)
def test_failures_leak_no_descriptors(case: Case, arguments: tuple[Argument, ...]) -> None:
    leaves_no_descriptors(case, lambda: case.open(*arguments))


@clause("socket.new.close-on-exec")
def test_a_new_descriptor_is_close_on_exec(case: Case) -> None:
    closes = case.close_on_exec(case.socket())
    expect.holds(closes, "the new descriptor", "closed when another program is started", "inherited")


@clause("socket.new.blocks")
def test_a_new_socket_blocks(case: Case, kind: Kind) -> None:
    if kind.type == "stream":
        sock, address = case.listening()
        pending = sock.start("accept")
        peer = case.peer()
        waits = pending.blocked()
        peer.connect(address)
    else:
        sock, address = case.bound()
        pending = sock.start("recv", 16)
        waits = pending.blocked()
        case.peer().sendto(b"here", address)
    expect.holds(waits, "a call without data or connection", "a call that waits", "a call that returned")
    expect.returned(pending.outcome(), "the call that waited")


@clause("socket.new.options")
def test_a_new_socket_has_the_systems_options(case: Case, kind: Kind) -> None:
    with options.fresh(kind) as other, case.view(case.socket()) as seen:
        changed = options.changes(options.snapshot(other), options.snapshot(seen), but=["blocking"])
    expect.holds(not changed, "the options of a new socket", "the system's own values", changed)


@clause("socket.new.unconnected")
def test_a_new_socket_is_unbound_and_unconnected(case: Case) -> None:
    with case.view(case.socket()) as seen:
        listens = seen.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        found = (seen.getsockname(), listens, is_connected(seen))
    unnamed = case.peer().socket.getsockname()
    expect.same(found, (unnamed, 0, False), "a new socket's name, whether it listens, whether it is connected")


@clause("socket.distinct.descriptors")
def test_sockets_have_different_descriptors(case: Case) -> None:
    first = expect.integer(case.socket().fileno(), "fileno()")
    second = expect.integer(case.socket().fileno(), "fileno()")
    expect.holds(first != second, "the descriptors of two sockets", "two numbers", f"{first} twice")


@clause("socket.distinct.close")
def test_closing_sockets_does_not_affect_others(case: Case, pair: Pair) -> None:
    earlier, later = case.socket(), case.socket()
    expect.true(earlier.close(), "close()")
    expect.true(later.close(), "close()")
    both_directions(pair.impl, pair.peer)


@clause("socket.gc.closes")
def test_garbage_collection_closes(case: Case) -> None:
    needs_garbage_collection(case)
    sock = case.socket()
    descriptor = expect.integer(sock.fileno(), "fileno()")
    name = observer.descriptors(case.session.pid).get(descriptor)
    sock.release()
    held = observer.sockets(case.session.pid)
    expect.holds(name not in held, "the descriptor of a socket that was collected", "closed", "still open")


@clause("socket.gc.hangup")
def test_garbage_collection_ends_the_connection(case: Case, either_pair: Pair) -> None:
    needs_garbage_collection(case)
    either_pair.impl.release()
    expect.same(either_pair.peer.recv(), b"", "what the peer sees of a connection that was collected")


@clause("socket.gc.keeps")
def test_garbage_collection_keeps_sockets_in_use(case: Case, either_pair: Pair) -> None:
    needs_garbage_collection(case)
    case.session.collect_garbage()
    both_directions(either_pair.impl, either_pair.peer)
