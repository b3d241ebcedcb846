"""fileno: the number is the socket's descriptor, stays the same, and is not inherited."""

import socket

import pytest

from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.calls import valid_arguments
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import contract_address, family_of, type_of


def number(sock: ImplSocket) -> int:
    """The result of fileno(), an int."""
    return expect.integer(sock.fileno(), "fileno()")


@clause("fileno.result.number")
def test_the_result_is_a_number(case: Case) -> None:
    found = number(case.socket())
    expect.holds(found >= 0, "fileno()", "0 or more", found)


@clause("fileno.kernel.kind")
def test_the_descriptor_has_the_family_and_type(case: Case) -> None:
    with case.view(case.socket()) as view:
        expect.same((view.family, view.type), (family_of(case.kind), type_of(case.kind)), "family and type")


@clause("fileno.kernel.bound")
def test_the_descriptor_has_the_address(case: Case) -> None:
    sock, address = case.bound()
    with case.view(sock) as view:
        expect.same(contract_address(case.kind, view.getsockname()), address, "the address of the descriptor's socket")


@clause("fileno.kernel.listening")
def test_the_descriptor_listens(case: Case) -> None:
    sock, _ = case.listening()
    with case.view(sock) as view:
        expect.same(view.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN), 1, "SO_ACCEPTCONN")


@clause("fileno.kernel.connection")
def test_the_descriptor_has_both_addresses(case: Case, either_pair: Pair) -> None:
    with case.view(either_pair.impl) as view:
        ends = contract_address(case.kind, view.getsockname()), contract_address(case.kind, view.getpeername())
    expect.same(ends, (either_pair.peer.remote, either_pair.peer.address), "its own and its peer's address")


@clause("fileno.kernel.data")
def test_the_descriptor_sends_and_receives(case: Case, either_pair: Pair) -> None:
    with case.view(either_pair.impl) as view:
        view.settimeout(5)
        view.send(b">")
        expect.same(either_pair.peer.recv(), b">", "what the peer received")
        either_pair.peer.send(b"<")
        expect.same(view.recv(10), b"<", "what arrived at the descriptor")


@clause("fileno.stable")
def test_the_result_is_the_same_each_time(case: Case) -> None:
    sock = case.socket()
    expect.same([number(sock) for _ in range(3)], [number(sock)] * 3, "fileno() three times")


@clause("fileno.makes-none")
def test_no_descriptor_is_made(case: Case) -> None:
    sock = case.socket()
    sock.fileno()  # the first call may open a descriptor that the implementation keeps
    before = case.descriptors()
    for _ in range(3):
        sock.fileno()
    expect.same(case.descriptors(), before, "descriptors of the implementation after three calls")


@clause("fileno.distinct")
def test_sockets_have_different_descriptors(case: Case) -> None:
    found = [number(sock) for sock in [case.socket(), case.socket(), case.socket()]]
    expect.holds(len(set(found)) == 3, "descriptors of three sockets", "three numbers", found)


@clause("fileno.not-inherited")
def test_the_descriptor_is_close_on_exec(case: Case) -> None:
    flag = case.close_on_exec(case.socket())
    expect.holds(flag, "the descriptor", "close-on-exec", "inherited by programs started later")


@clause("fileno.not-inherited.later")
@pytest.mark.parametrize("operation", ["bind", "connect", "fileno", "setblocking", "setopt"])
def test_the_descriptor_stays_close_on_exec(case: Case, operation: str) -> None:
    """Two ways to lose the flag: F_SETFD in the place of F_SETFL, and dup2(), which clears it."""
    peer = case.destination()
    sock = case.socket()
    before = case.close_on_exec(sock)
    if operation == "bind":
        case.bind(sock)
    elif operation == "connect":
        expect.true(sock.connect(*peer.address), "connect()")
    else:
        expect.returned(sock.call(operation, *valid_arguments(operation, peer.address)), f"{operation}()")
    after = case.close_on_exec(sock)
    kept = after or not before
    expect.holds(kept, f"the descriptor after {operation}()", "close-on-exec as before", "inherited by programs")


@clause("fileno.lasts")
@pytest.mark.parametrize("operation", ["bind", "connect", "send", "recv", "setblocking", "setopt", "getopt"])
def test_the_descriptor_stays_the_same(case: Case, operation: str) -> None:
    peer = case.destination()
    sock, address = case.bound() if operation != "bind" else (case.socket(), ("", None))
    if operation not in ("bind", "connect"):
        expect.true(sock.connect(*peer.address), "connect()")
    before = case.descriptor(sock)
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
        expect.returned(sock.call(operation, *valid_arguments(operation, peer.address)), f"{operation}()")
    expect.same(case.descriptor(sock), before, f"number and socket after {operation}()")


@clause("fileno.lasts.stream")
@pytest.mark.parametrize("operation", ["listen", "refused-connect", "shutdown"])
def test_the_descriptor_of_a_stream_stays_the_same(case: Case, operation: str) -> None:
    refusing = case.bound_peer()
    sock = case.bound()[0] if operation != "shutdown" else case.pair().impl
    before = case.descriptor(sock)
    if operation == "listen":
        expect.true(sock.listen(5), "listen()")
    elif operation == "shutdown":
        expect.true(sock.shutdown(), "shutdown()")
    else:
        expect.fails(sock.connect(*refusing.address), "ECONNREFUSED", what="connect()")
    expect.same(case.descriptor(sock), before, f"number and socket after {operation}")
