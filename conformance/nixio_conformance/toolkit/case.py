"""A case: creates sockets of the implementation, peers, addresses and paths, and releases them all at its end."""

from __future__ import annotations

import contextlib
import ipaddress
import itertools
import os
import socket as stdlib_socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import pytest

from nixio_conformance.driver.errors import out_of_resources
from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.removal import remove
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.temporary import make_folder
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.driver.wire import Argument
from nixio_conformance.host import observer
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.peer import Address, Peer
from nixio_fixtures import Kind, load

#: By domain: the loopback address, and the unspecified address.
LOOPBACK = {"inet": "127.0.0.1", "inet6": "::1"}
ANY = {"inet": "0.0.0.0", "inet6": "::"}
_own_addresses = itertools.count()


def not_dual_by_default() -> str:
    """Why new IPv6 sockets do not communicate with IPv4 peers on this host; empty if they do."""
    with stdlib_socket.socket(stdlib_socket.AF_INET6, stdlib_socket.SOCK_DGRAM) as fresh:
        if fresh.getsockopt(stdlib_socket.IPPROTO_IPV6, stdlib_socket.IPV6_V6ONLY):
            return "new IPv6 sockets do not communicate with IPv4 peers on this host (bindv6only)"
    return ""


@dataclass
class Pair:
    """Both ends of a connection (stream), or two sockets connected to each other (dgram)."""

    #: The implementation's end, and the suite's.
    impl: ImplSocket
    peer: Peer
    #: The listener that `impl` was accepted from, where the implementation is the server.
    listener: ImplSocket | None = None


class Case:
    """One case. The calls on its sockets and peers are recorded in its transcript.

    Methods that need a kind of socket take it as `kind`; the default is the case's own. Methods that call the
    implementation raise `Mismatch` if a call that they depend on fails.
    """

    def __init__(self, session: Session, kind: Kind | None) -> None:
        """Make the case's folder. Raises OSError if that is impossible."""
        self.session = session
        self.transcript = Transcript()
        self._kind = kind
        #: The folder of the case's paths. It is empty when the case begins.
        self.folder = make_folder()
        self._folder = Path(self.folder)
        self._found = self._folder.lstat()
        self._peers: list[Peer] = []
        self._numbers = itertools.count(1)
        self._paths: set[str] = set()

    @property
    def kind(self) -> Kind:
        """The kind of socket that is checked."""
        assert self._kind is not None, "the case has no kind: its clause names none"
        return self._kind

    @property
    def buffersize(self) -> int:
        """The implementation's `nixio.const.buffersize`, in bytes."""
        return self.session.welcome.buffersize

    @property
    def loopback(self) -> str:
        """The loopback address of the case's family, as text."""
        return LOOPBACK[self.kind.domain]

    # --- sockets of the implementation

    def open(self, *arguments: Argument) -> Outcome:
        """Call the factory `socket()` with these arguments, and return the outcome."""
        return self.session.open(*arguments)

    def socket(self, kind: Kind | None = None) -> ImplSocket:
        """A new socket of the implementation."""
        kind = kind or self.kind
        if kind.type == "raw":
            return self._raw(kind)
        return expect.socket(expect.value(self.open(kind.domain, kind.type), "socket()"), "socket()")

    def _raw(self, kind: Kind) -> ImplSocket:
        """A raw socket needs a protocol. The contract does not say whether by name or by number: try both."""
        name, number = ("icmp", 1) if kind.domain == "inet" else ("icmpv6", 58)
        outcome = self.open(kind.domain, "raw", name)
        if isinstance(outcome, Failure):
            outcome = self.open(kind.domain, "raw", number)
        return expect.socket(expect.value(outcome, "socket()"), "socket()")

    def bound(self, kind: Kind | None = None) -> tuple[ImplSocket, Address]:
        """A new socket of the implementation, bound to a free loopback port or a new path, and its address."""
        kind = kind or self.kind
        sock = self.socket(kind)
        return sock, self.bind(sock, kind)

    def bind(self, sock: ImplSocket, kind: Kind | None = None) -> Address:
        """Bind a socket of the implementation to a free loopback port or a new path, and return that address."""
        kind = kind or self.kind
        if kind.domain == "unix":
            path = self.path()
            expect.true(sock.bind(path, None), "bind()")
            return path, None
        expect.true(sock.bind(LOOPBACK[kind.domain], 0), "bind()")
        return self.named(sock, kind)

    def named(self, sock: ImplSocket, kind: Kind | None = None) -> Address:
        """What getsockname() returns for a socket that is bound to loopback or a path: where a peer may connect to.

        Raises `Mismatch` for anything else, such as an address of another host.
        """
        host, port = expect.address(sock.getsockname(), "getsockname()")
        unix = (kind or self.kind).domain == "unix"
        if not isinstance(host, str) or not (port is None if unix else _is_port(port) and _is_loopback(host)):
            expected = "a path as text and no port" if unix else "loopback's address as text and a port"
            expect.mismatch("getsockname() after bind()", expected, (host, port))
        return host, port if _is_port(port) else None

    def listening(self, backlog: int = 8, kind: Kind | None = None) -> tuple[ImplSocket, Address]:
        """A listening socket of the implementation, and its address."""
        sock, address = self.bound(kind)
        expect.true(sock.listen(backlog), "listen()")
        return sock, address

    # --- peers

    def peer(self, kind: Kind | None = None) -> Peer:
        """A new socket of the suite."""
        return self.keep(Peer(self.transcript, kind or self.kind))

    def keep(self, peer: Peer) -> Peer:
        """Close this peer, too, when the case ends. Returns it."""
        self._peers.append(peer)
        return peer

    def bound_peer(self, kind: Kind | None = None) -> Peer:
        """A new socket of the suite, bound to a free loopback port or a new path."""
        kind = kind or self.kind
        host = self.path() if kind.domain == "unix" else LOOPBACK[kind.domain]
        return self.peer(kind).bind(host)

    def listening_peer(self, backlog: int = 8, kind: Kind | None = None) -> Peer:
        """A new listening socket of the suite."""
        return self.bound_peer(kind).listen(backlog)

    def destination(self, kind: Kind | None = None) -> Peer:
        """A new socket of the suite to connect to: a listening stream socket, or a bound datagram socket."""
        kind = kind or self.kind
        return self.listening_peer(kind=kind) if kind.type == "stream" else self.bound_peer(kind)

    def ipv4_kind(self) -> Kind:
        """The IPv4 kind of the case's type, for a peer of an IPv6 socket (capability `dual-stack`).

        Skips the case if new IPv6 sockets are IPv6-only.
        """
        if reason := not_dual_by_default():
            pytest.skip(reason)
        return load().kind(f"inet-{self.kind.type}")

    # --- pairs and addresses

    def pair(self, role: str = "client", kind: Kind | None = None) -> Pair:
        """Both ends of a connection. `role` is the implementation's, "client" or "server"; datagrams ignore it."""
        kind = kind or self.kind
        if kind.type != "stream":
            sock, address = self.bound(kind)
            peer = self.bound_peer(kind).connect(address)
            expect.true(sock.connect(*peer.address), "connect()")
            return Pair(sock, peer)
        if role == "server":
            listener, address = self.listening(kind=kind)
            peer = self.peer(kind).connect(address)
            return Pair(expect.accepted(listener.accept()), peer, listener)
        listening = self.listening_peer(kind=kind)
        sock = self.socket(kind)
        expect.true(sock.connect(*listening.address), "connect()")
        return Pair(sock, self.keep(listening.accept()))

    def path(self, length: int | None = None) -> str:
        """A path in the case's folder where there is no file, of exactly `length` bytes if given."""
        path = self._fresh_path()
        path += "x" * ((length or 0) - len(os.fsencode(path)))
        self._paths.add(path)
        return path

    def _fresh_path(self) -> str:
        return str(self._folder / f"{next(self._numbers)}")

    def abstract(self, ending: bytes = b"") -> bytes:
        """An abstract UNIX name that is not in use (capability `abstract`), with these bytes at its end.

        It contains the path of the case's folder, so that an implementation that treats it as a path creates its file
        there and not in the current directory.
        """
        return b"\0" + os.fsencode(self._fresh_path()) + ending

    def own_address(self) -> str:
        """An IPv4 loopback address of this case alone, so that each port is free (capability `loopback-net`)."""
        number = os.getpid() * 4096 + next(_own_addresses)
        return f"127.{64 + number // 60000 % 128}.{number // 240 % 250}.{2 + number % 240}"

    def descriptors(self) -> int:
        """The number of descriptors that the agent holds, after garbage collection (capability `descriptors`)."""
        if "gc" in self.session.welcome.capabilities:
            self.session.collect_garbage()
        return len(observer.descriptors(self.session.pid))

    def descriptor(self, sock: ImplSocket) -> tuple[int, str]:
        """The result of fileno() and the target of this descriptor in the agent: `socket:[INODE]` (`descriptors`)."""
        number = expect.integer(sock.fileno(), "fileno()")
        return number, observer.descriptors(self.session.pid).get(number, "nothing")

    def close_on_exec(self, sock: ImplSocket) -> bool:
        """Whether the descriptor of a socket is close-on-exec: not inherited by programs (`descriptors`)."""
        number = expect.integer(sock.fileno(), "fileno()")
        found = observer.close_on_exec(self.session.pid, number)
        if found is None:
            expect.mismatch("fileno()", "a descriptor of the implementation's process", number)
        return found

    @contextlib.contextmanager
    def view(self, sock: ImplSocket) -> Iterator[stdlib_socket.socket]:
        """The same socket as a socket of the standard library, through a second descriptor (capability `kernel-view`).

        What is set on one is set on the other. Raises `Mismatch` if fileno() is not the descriptor of a socket, and for
        a system call in the `with` block that fails because it is another socket than the check needs.
        """
        number = expect.integer(sock.fileno(), "fileno()")
        try:
            with observer.borrowed(self.session.pid, number) as found:
                yield found
        except OSError as error:
            if out_of_resources(error) or error.filename is not None:  # of the suite, or of a file
                raise
            expect.mismatch("the descriptor of fileno()", "a socket in the expected state", f"{number}: {error}")

    def folder_change(self) -> str:
        """What the implementation has done to the case's folder itself; empty if nothing."""
        try:
            found = self._folder.lstat()
        except OSError as error:
            return f"it is gone ({error.strerror})"
        if (found.st_dev, found.st_ino) != (self._found.st_dev, self._found.st_ino):
            return "something else has taken its place"
        return "" if found.st_mode == self._found.st_mode else f"its mode is {stat.filemode(found.st_mode)}"

    def unexpected_files(self) -> set[str]:
        """Names of files in the case's folder that neither `path` made nor an argument of a call contained."""
        names = os.listdir(self._folder)
        if not names:
            return set()
        arguments = (argument for step in self.transcript.steps for argument in step.arguments)
        spelled = self._paths.union(argument for argument in arguments if isinstance(argument, str))
        return {name for name in names if str(self._folder / name) not in spelled}

    def close(self) -> None:
        """Close the peers and remove the case's folder."""
        for peer in self._peers:
            peer.discard()
        remove(self._folder)


def _is_port(port: object) -> TypeGuard[int]:
    return isinstance(port, int) and 0 < port < 65536


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
