"""fileno: the number is the descriptor that the system knows the socket by."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.host import observer
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.calls import sensible
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import contract_address, family_of, type_of


def number(sock: ImplSocket) -> int:
    """The descriptor's number; whether it is right is for other clauses."""
    return expect.integer(sock.fileno(), "fileno()")


def descriptor(case: Case, sock: ImplSocket) -> tuple[int, str]:
    """The number, and what the system has there."""
    found = number(sock)
    return found, observer.descriptors(case.session.pid).get(found, "nothing")


@contextlib.contextmanager
def end_of_the_connection() -> Iterator[None]:
    """What the system refuses here it would not refuse for the port's end of a connection."""
    try:
        yield
    except OSError as error:
        expect.mismatch("the descriptor that fileno() tells", "the port's end of the connection", error)


@clause("fileno.result.number")
def test_number(case: Case) -> None:
    found = number(case.socket())
    expect.holds(found >= 0, "fileno()", "0 or more", found)


@clause("fileno.kernel.kind")
def test_kernel_kind(case: Case) -> None:
    with case.view(case.socket()) as view:
        expect.same((view.family, view.type), (family_of(case.kind), type_of(case.kind)), "family and type")


@clause("fileno.kernel.bound")
def test_kernel_address(case: Case) -> None:
    sock, address = case.bound()
    with case.view(sock) as view:
        expect.same(contract_address(case.kind, view.getsockname()), address, "the address of the descriptor's socket")


@clause("fileno.kernel.listening")
def test_kernel_listener(case: Case) -> None:
    sock, _ = case.listening()
    with case.view(sock) as view:
        expect.same(view.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN), 1, "SO_ACCEPTCONN")


@clause("fileno.kernel.connection")
def test_kernel_connection(case: Case, either_pair: Pair) -> None:
    with case.view(either_pair.impl) as view, end_of_the_connection():
        ends = contract_address(case.kind, view.getsockname()), contract_address(case.kind, view.getpeername())
    expect.same(ends, (either_pair.peer.remote, either_pair.peer.address), "its own and its peer's address")


@clause("fileno.kernel.data")
def test_kernel_data(case: Case, either_pair: Pair) -> None:
    with case.view(either_pair.impl) as view, end_of_the_connection():
        view.settimeout(5)
        view.send(b">")
        expect.same(either_pair.peer.recv(), b">", "what the peer received")
        either_pair.peer.send(b"<")
        expect.same(view.recv(10), b"<", "what arrived at the descriptor")


@clause("fileno.stable")
def test_stable(case: Case) -> None:
    sock = case.socket()
    expect.same([number(sock) for _ in range(3)], [number(sock)] * 3, "fileno() three times")


@clause("fileno.makes-none")
def test_makes_no_descriptor(case: Case) -> None:
    sock = case.socket()
    sock.fileno()  # the first may open what an implementation keeps for all of them
    before = case.descriptors()
    for _ in range(3):
        sock.fileno()
    expect.same(case.descriptors(), before, "descriptors of the port after three calls")


@clause("fileno.distinct")
def test_distinct(case: Case) -> None:
    found = [number(sock) for sock in [case.socket(), case.socket(), case.socket()]]
    expect.holds(len(set(found)) == 3, "descriptors of three sockets", "three numbers", found)


@clause("fileno.not-inherited")
def test_not_inherited(case: Case) -> None:
    flag = observer.close_on_exec(case.session.pid, number(case.socket()))
    expect.holds(flag, "the descriptor", "close-on-exec", "inherited by programs started later")


@clause("fileno.not-inherited.later")
@pytest.mark.parametrize("operation", ["bind", "connect", "fileno", "setblocking", "setopt"])
def test_never_inherited(case: Case, operation: str) -> None:
    """The flag is easily lost: F_SETFD and F_SETFL differ in one letter, and dup2() makes descriptors without it."""
    peer = case.destination()
    sock = case.socket()
    before = observer.close_on_exec(case.session.pid, number(sock))
    if operation == "bind":
        case.bind(sock)
    elif operation == "connect":
        expect.true(sock.connect(*peer.address), "connect()")
    else:
        expect.returned(sock.call(operation, *sensible(operation, peer.address)), f"{operation}()")
    after = observer.close_on_exec(case.session.pid, number(sock))
    kept = after or not before
    expect.holds(kept, f"the descriptor after {operation}()", "close-on-exec as before", "inherited by programs")


@clause("fileno.lasts")
@pytest.mark.parametrize("operation", ["bind", "connect", "send", "recv", "setblocking", "setopt", "getopt"])
def test_lasts(case: Case, operation: str) -> None:
    peer = case.listening_peer() if case.kind.type == "stream" else case.bound_peer()
    sock, address = case.bound() if operation != "bind" else (case.socket(), ("", None))
    if operation not in ("bind", "connect"):
        expect.true(sock.connect(*peer.address), "connect()")
    before = descriptor(case, sock)
    if operation == "bind":
        case.bind(sock)
    elif operation == "connect":
        expect.true(sock.connect(*peer.address), "connect()")
    elif operation == "recv":
        if case.kind.type == "stream":
            case.keep(peer.accept()).send(b"?")
        else:
            peer.sendto(b"?", address)
        expect.data(sock.recv(10), b"?")
    else:
        expect.returned(sock.call(operation, *sensible(operation, peer.address)), f"{operation}()")
    expect.same(descriptor(case, sock), before, f"number and socket after {operation}()")


@clause("fileno.lasts.stream")
@pytest.mark.parametrize("operation", ["listen", "refused-connect", "shutdown"])
def test_stream_lasts(case: Case, operation: str) -> None:
    nobody = case.bound_peer()
    sock = case.bound()[0] if operation != "shutdown" else case.pair().impl
    before = descriptor(case, sock)
    if operation == "listen":
        expect.true(sock.listen(5), "listen()")
    elif operation == "shutdown":
        expect.true(sock.shutdown(), "shutdown()")
    else:
        expect.fails(sock.connect(*nobody.address), "ECONNREFUSED", what="connect()")
    expect.same(descriptor(case, sock), before, f"number and socket after {operation}")
