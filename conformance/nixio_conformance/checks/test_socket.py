"""The factory: which sockets there are, what they are to the system, and how they go."""

from __future__ import annotations

import socket

import pytest

from nixio_conformance.driver.errors import AgentCannot
from nixio_conformance.driver.wire import Argument
from nixio_conformance.host import observer
from nixio_conformance.toolkit import expect, options
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import family_of, type_of
from nixio_fixtures import Kind

DOMAINS = ("inet", "inet6", "unix")
#: What a system says of a protocol that it does not have, or not for this type.
NO_PROTOCOL = ("argument", "resolver", "EPROTONOSUPPORT", "EPROTOTYPE", "ESOCKTNOSUPPORT", "EINVAL")
#: IPPROTO_TCP; IPPROTO_MPTCP, which is TCP to every peer that knows no more; IPPROTO_UDP.
USUAL = {"tcp": (6, 262), "udp": (17,), "unix": (0,)}


@clause("socket.kinds.open")
def test_kinds_open(case: Case, kind: Kind) -> None:
    expect.socket(expect.value(case.open(kind.domain, kind.type), "socket()"), "socket()")


@clause("socket.kinds.family")
def test_kinds_family(case: Case, kind: Kind) -> None:
    with case.view(case.socket()) as seen:
        found = seen.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN)
    expect.same(found, int(family_of(kind)), "the socket's family, as the system has it")


@clause("socket.kinds.type")
def test_kinds_type(case: Case, kind: Kind) -> None:
    with case.view(case.socket()) as seen:
        found = seen.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
    expect.same(found, int(type_of(kind)), "the socket's type, as the system has it")


@clause("socket.protocol.default")
def test_protocol_default(case: Case, kind: Kind) -> None:
    usual = next(USUAL[group] for group in kind.groups if group in USUAL)
    expect.one_of(_protocol(case), usual, "the socket's protocol, as the system has it")


@clause("socket.protocol.none")
def test_protocol_none(case: Case, kind: Kind) -> None:
    expect.socket(expect.value(case.open(kind.domain, kind.type, None), "socket()"), "socket()")


@clause("socket.protocol.raw")
def test_protocol_raw(case: Case, kind: Kind) -> None:
    expect.same(_protocol(case), 1 if kind.domain == "inet" else 58, "the socket's protocol, as the system has it")


@clause("socket.protocol.unsuited")
def test_protocol_unsuited(case: Case, kind: Kind) -> None:
    protocol = "icmp" if kind.domain == "inet" else "icmpv6"
    expect.fails(case.open(kind.domain, kind.type, protocol), *NO_PROTOCOL, what="socket()")


@clause("socket.protocol.unknown")
@pytest.mark.parametrize("protocol", ["nonsense", "icm"])
def test_protocol_unknown(case: Case, kind: Kind, protocol: str) -> None:
    expect.fails(case.open(kind.domain, kind.type, protocol), *NO_PROTOCOL, what="socket()")


@clause("socket.protocol.types")
@pytest.mark.parametrize("protocol", [pytest.param(1.5, id="fraction"), pytest.param(("icmp",), id="list")])
def test_protocol_types(case: Case, kind: Kind, protocol: Argument) -> None:
    expect.refused_argument(case.open(kind.domain, kind.type, protocol), "socket()")


@clause("socket.raw.unprivileged")
@pytest.mark.parametrize(
    ("domain", "protocol"),
    [pytest.param("inet", "icmp", id="inet"), pytest.param("inet6", "icmpv6", id="inet6")],
)
def test_raw_unprivileged(case: Case, domain: str, protocol: str) -> None:
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
def test_domain_unknown(case: Case, domain: str, type_: str) -> None:
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
def test_type_unknown(case: Case, domain: str, type_: str) -> None:
    expect.fails(case.open(domain, type_), *NO_PROTOCOL, what="socket()")


@clause("socket.domain.types")
@pytest.mark.parametrize(
    "domain", [pytest.param(None, id="none"), pytest.param(True, id="bool"), pytest.param(("inet",), id="list")]
)
def test_domain_types(case: Case, domain: Argument) -> None:
    expect.refused_argument(case.open(domain, "stream"), "socket()")


@clause("socket.type.types")
@pytest.mark.parametrize(
    "type_", [pytest.param(None, id="none"), pytest.param(True, id="bool"), pytest.param(("stream",), id="list")]
)
@pytest.mark.parametrize("domain", DOMAINS)
def test_type_types(case: Case, domain: str, type_: Argument) -> None:
    expect.refused_argument(case.open(domain, type_), "socket()")


@clause("socket.arguments.missing")
@pytest.mark.parametrize(
    "arguments",
    [pytest.param((), id="both"), pytest.param(("inet",), id="type"), pytest.param(("unix",), id="unix-type")],
)
def test_arguments_missing(case: Case, arguments: tuple[Argument, ...]) -> None:
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
def test_failure_no_leak(case: Case, arguments: tuple[Argument, ...]) -> None:
    case.open(*arguments)  # whatever a port opens only once, it may keep
    before = case.descriptors()
    for _ in range(8):
        case.open(*arguments)
    after = case.descriptors()
    expect.holds(after <= before, "descriptors of the port after 8 failing calls", before, after)


@clause("socket.new.close-on-exec")
def test_new_close_on_exec(case: Case) -> None:
    descriptor = expect.integer(case.socket().fileno(), "fileno()")
    closes = observer.close_on_exec(case.session.pid, descriptor)
    expect.holds(closes, "the new descriptor", "closed when another program is started", "inherited")


@clause("socket.new.blocks")
def test_new_blocks(case: Case, kind: Kind) -> None:
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
    expect.holds(waits, "a call with nothing to give", "it waits", "it came back")
    expect.returned(pending.outcome(), "the call that waited")


@clause("socket.new.options")
def test_new_options(case: Case, kind: Kind) -> None:
    with options.fresh(kind) as other, case.view(case.socket()) as seen:
        changed = options.changes(options.snapshot(other), options.snapshot(seen), but=["blocking"])
    expect.holds(not changed, "the options of a new socket", "the system's own values", changed)


@clause("socket.new.unconnected")
def test_new_unconnected(case: Case, kind: Kind) -> None:
    with case.view(case.socket()) as seen:
        listens = seen.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        found = (seen.getsockname(), listens, _connected(seen))
    unnamed = case.peer().socket.getsockname()
    expect.same(found, (unnamed, 0, False), "a new socket's name, whether it listens, whether it is connected")


@clause("socket.distinct.descriptors")
def test_distinct_descriptors(case: Case) -> None:
    first = expect.integer(case.socket().fileno(), "fileno()")
    second = expect.integer(case.socket().fileno(), "fileno()")
    expect.holds(first != second, "the descriptors of two sockets", "two numbers", f"{first} twice")


@clause("socket.distinct.close")
def test_distinct_close(case: Case, pair: Pair) -> None:
    earlier, later = case.socket(), case.socket()
    expect.true(earlier.close(), "close()")
    expect.true(later.close(), "close()")
    _still_works(pair)


@clause("socket.gc.closes")
def test_gc_closes(case: Case) -> None:
    _collects_garbage(case)
    sock = case.socket()
    descriptor = expect.integer(sock.fileno(), "fileno()")
    name = observer.descriptors(case.session.pid).get(descriptor)
    sock.release()
    held = observer.sockets(case.session.pid)
    expect.holds(name not in held, "the descriptor of a socket that was collected", "closed", "still open")


@clause("socket.gc.hangup")
def test_gc_hangup(case: Case, either_pair: Pair) -> None:
    _collects_garbage(case)
    either_pair.impl.release()
    expect.same(either_pair.peer.recv(), b"", "what the peer sees of a connection that was collected")


@clause("socket.gc.keeps")
def test_gc_keeps(case: Case, either_pair: Pair) -> None:
    _collects_garbage(case)
    case.session.collect_garbage()
    _still_works(either_pair)


def _protocol(case: Case) -> int:
    with case.view(case.socket()) as seen:
        return seen.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL)


def _connected(seen: socket.socket) -> bool:
    try:
        seen.getpeername()
    except OSError:
        return False
    return True


def _still_works(pair: Pair) -> None:
    expect.count(pair.impl.send(b"on"), 2)
    expect.same(pair.peer.recv(), b"on", "what the peer received")


def _collects_garbage(case: Case) -> None:
    if "gc" not in case.session.welcome.capabilities:
        raise AgentCannot("collect garbage")
