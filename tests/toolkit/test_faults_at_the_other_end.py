"""What an implementation does to the suite's own sockets is a mismatch; what this host lacks is not."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from types import SimpleNamespace
from typing import cast

import pytest

from nixio_conformance.checks.test_send_random_chunks import run_examples
from nixio_conformance.driver.messages import Foreign
from nixio_conformance.driver.outcome import Outcome, Returned
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.driver.wire import to_wire
from nixio_conformance.host import observer
from nixio_conformance.model.peers import PeerSocket
from nixio_conformance.toolkit import expect, peer
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.expect import Mismatch
from nixio_conformance.toolkit.peer import Peer
from nixio_conformance.toolkit.transfer import Sender
from nixio_fixtures import load

TCP, UDP = load().kind("inet-stream"), load().kind("inet-dgram")
RESET = struct.pack("ii", 1, 0)
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what a process holds can be seen on Linux")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Peers wait only a moment for what never arrives."""
    monkeypatch.setattr(peer, "PEER", 0.05)


@pytest.fixture
def pair() -> Iterator[tuple[Peer, socket.socket]]:
    """A connected peer, and the other end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        end = Peer(Transcript(), TCP).connect(server.getsockname())
        other, _ = server.accept()
        with other:
            yield end, other
        end.discard()


def reset(other: socket.socket) -> None:
    other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    other.close()


CALLS: dict[str, Callable[[Peer], object]] = {
    "recv": lambda end: end.recv(),
    "recv_all": lambda end: end.recv_all(),
    "recvmsg": lambda end: end.recvmsg(),
    "pending": lambda end: end.pending(),
    "send_now": lambda end: end.send_now(b"x"),
    "accept": lambda end: end.accept(),
    "connect": lambda end: end.connect(("127.0.0.1", 1)),
    "connect_now": lambda end: end.connect_now(("127.0.0.1", 1)),
    "remote": lambda end: end.remote,
}


@pytest.mark.parametrize("name", CALLS)
def test_a_peer_whose_other_end_is_gone_raises_a_mismatch(pair: tuple[Peer, socket.socket], name: str) -> None:
    end, other = pair
    reset(other)
    with pytest.raises(Mismatch, match="peer1"):
        CALLS[name](end)


def test_a_silent_other_end_is_a_mismatch(pair: tuple[Peer, socket.socket]) -> None:
    with pytest.raises(Mismatch, match=r"the peer's call .* expected a result, got nothing within"):
        pair[0].recvmsg()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows grants any size")
def test_data_that_no_buffer_of_this_host_holds_skip_the_case(pair: tuple[Peer, socket.socket]) -> None:
    with pytest.raises(pytest.skip.Exception, match="this host's largest send buffer, of "):
        pair[0].send(bytes(100_000_000))


def test_a_reader_that_does_not_read_is_a_mismatch(pair: tuple[Peer, socket.socket]) -> None:
    def send_much() -> None:
        for _ in range(1000):
            pair[0].send(bytes(20_000))

    with pytest.raises(Mismatch, match="sendall"):
        send_much()


def failing(number: int) -> socket.socket:
    def fail(*_: object) -> object:
        raise OSError(number, os.strerror(number))

    names = ("recv", "accept", "connect", "settimeout", "setblocking")
    return cast(socket.socket, SimpleNamespace(**dict.fromkeys(names[:3], fail), **dict.fromkeys(names[3:], bool)))


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS])
def test_what_the_suite_itself_lacks_is_no_mismatch(number: int) -> None:
    for kind in (Peer, PeerSocket):
        end = kind(Transcript(), TCP, failing(number))
        with pytest.raises(OSError, match=os.strerror(number)):
            end.accept() if isinstance(end, Peer) else end.call("accept")


@linux
def test_a_receiver_that_is_connected_elsewhere_is_a_mismatch() -> None:
    kind = load().kind("unix-dgram")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other, closing(other.dup()) as connected:
        other.bind("")  # any free abstract name
        connected.connect(other.getsockname())
        end = Peer(Transcript(), kind)
        with closing(end.socket), pytest.raises(Mismatch, match=os.strerror(errno.EPERM)):
            end.connect((other.getsockname(), None))


class Lying:
    """A socket whose fileno() returns what it was given."""

    def __init__(self, number: object) -> None:
        self._number = number

    def fileno(self) -> Outcome:
        return Returned((self._number,))  # type: ignore[arg-type]


def view(number: object, look: Callable[[socket.socket], object] = lambda seen: None) -> None:
    case = Case(cast(Session, SimpleNamespace(pid=os.getpid())), TCP)
    with closing(case), case.view(cast(ImplSocket, Lying(number))) as seen:
        look(seen)


@linux
@pytest.mark.parametrize("number", [-1, 2**20, 2**31, 2**32, 2**63, 10**300, True, None, "5", 1.0])
def test_a_number_that_is_no_descriptor_is_a_mismatch(number: object) -> None:
    with pytest.raises(Mismatch):
        view(number)


@linux
def test_a_descriptor_that_is_no_socket_is_a_mismatch_and_is_not_kept() -> None:
    with open(os.devnull, "rb") as file:
        before = observer.descriptors(os.getpid())
        with pytest.raises(Mismatch, match=os.strerror(errno.ENOTSOCK)):
            view(file.fileno())
        assert observer.descriptors(os.getpid()) == before


LOOKS: dict[str, Callable[[socket.socket], object]] = {
    "option": lambda seen: seen.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY),
    "peer": lambda seen: seen.getpeername(),
    "data": lambda seen: seen.recv(1, socket.MSG_DONTWAIT),
}


@linux
@pytest.mark.parametrize("name", LOOKS)
def test_a_socket_that_is_not_the_expected_one_is_a_mismatch(name: str) -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as other,
        pytest.raises(Mismatch, match="a socket in the expected state"),
    ):
        view(other.fileno(), LOOKS[name])


@linux
@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOENT])
def test_other_errors_in_a_view_are_the_suites(number: int) -> None:
    def look(seen: socket.socket) -> None:
        raise OSError(number, os.strerror(number), "a file")

    with socket.socket() as sock, pytest.raises(OSError, match=os.strerror(number)):
        view(sock.fileno(), look)


@linux
def test_a_process_that_is_gone_is_hidden() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as process:
        process.wait()
    actions: list[Callable[[], object]] = [
        lambda: observer.descriptors(process.pid),
        lambda: observer.close_on_exec(process.pid, 0),
        lambda: observer.borrowed(process.pid, 0).__enter__(),
        lambda: observer.no_descriptor_left(process.pid).__enter__(),
    ]
    for action in actions:
        with pytest.raises(observer.Hidden, match=f"process {process.pid}, the agent's, cannot be observed"):
            action()


@linux
def test_a_process_may_end_while_it_is_limited() -> None:
    with (
        subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as process,
        ExitStack() as stack,
    ):
        stack.enter_context(observer.no_descriptor_left(process.pid))
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("host", "port"),
    [(host, 5) for host in ("a\0b", "x" * 300, "", "localhost", "192.0.2.1", b"127.0.0.1", None, 7)]
    + [("127.0.0.1", port) for port in (0, -1, 2**16, 2**70, 5.0, "5", None)],
)
def test_what_is_no_address_on_loopback_is_given_to_no_peer(host: object, port: object) -> None:
    sock = SimpleNamespace(bind=lambda *_: Returned((True,)), getsockname=lambda: Returned((host, port)))  # type: ignore[arg-type]
    case = Case(cast(Session, None), TCP)
    with closing(case), pytest.raises(Mismatch, match="loopback's address as text and a port"):
        case.bind(cast(ImplSocket, sock))


@pytest.mark.parametrize("address", [("a\0b", 5), ("x" * 300, 5), ("127.0.0.1", 2**70), ("127.0.0.1", "x")])
def test_a_peer_takes_anything_for_an_address(address: object) -> None:
    for kind, method in ((TCP, "connect"), (TCP, "connect_now"), (TCP, "attempt"), (UDP, "sendto")):
        end = Peer(Transcript(), kind)
        with contextlib.closing(end), pytest.raises(Mismatch, match="the peer's call peer1"):
            getattr(end, method)(*((b"x",) if method == "sendto" else ()), address)


@pytest.mark.parametrize("values", [(), (None,), (Foreign("list", "[]"),)])
def test_values_are_looked_at_before_they_are_used(values: tuple[object, ...]) -> None:
    outcome = Returned(values)  # type: ignore[arg-type]
    with pytest.raises(Mismatch):
        expect.accepted(outcome)
    with pytest.raises(Mismatch):
        expect.passable(expect.first(outcome) if values != (None,) else outcome)


def test_a_value_outside_of_the_contract_is_no_argument() -> None:
    with pytest.raises(TypeError, match="not an argument"):
        to_wire(Foreign("list", "[]"))  # type: ignore[arg-type]


def test_a_failure_by_chance_is_the_implementations() -> None:
    """Hypothesis repeats an example that failed, and complains when it passes then."""
    calls = itertools.count()

    def example(*_: object) -> None:
        if next(calls) == 2:
            expect.mismatch("what the peer received", 1, 2)

    with pytest.raises(Mismatch, match="what the peer received"):
        run_examples(example, lambda: cast(Sender, None))
