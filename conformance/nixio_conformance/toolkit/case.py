"""What one case has at hand: the port's sockets, peers, addresses; and its end, when all of it is let go."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket as stdlib_socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.driver.wire import Argument
from nixio_conformance.host import observer
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.peer import Address, Peer
from nixio_fixtures import Kind, load

LOOPBACK = {"inet": "127.0.0.1", "inet6": "::1"}
_OWN_ADDRESSES = itertools.count()
ANY = {"inet": "0.0.0.0", "inet6": "::"}


@dataclass
class Pair:
    """The port's end and the suite's end of one connection (stream), or two sockets connected to each other (dgram)."""

    impl: ImplSocket
    peer: Peer
    #: The port's listener, where the port was the server.
    listener: ImplSocket | None = None


class Case:
    """One case: everything in it is recorded in one transcript."""

    def __init__(self, session: Session, folder: Path, kind: Kind | None) -> None:
        self.session = session
        self.transcript = Transcript()
        self._kind = kind
        self._folder = folder
        #: The folder that the paths of the case are in.
        self.folder = str(folder)
        self._peers: list[Peer] = []
        self._numbers = itertools.count(1)
        self._paths: set[str] = set()

    @property
    def kind(self) -> Kind:
        """The kind of socket that the case is about."""
        assert self._kind is not None, "the case has no kind: its clause names none"
        return self._kind

    @property
    def buffersize(self) -> int:
        """The port's own `nixio.const.buffersize`, in bytes."""
        return self.session.welcome.buffersize

    @property
    def loopback(self) -> str:
        """This host's own address, as text, in the case's family."""
        return LOOPBACK[self.kind.domain]

    # --- the port's sockets

    def open(self, *arguments: Argument) -> Outcome:
        """Call the factory with these arguments."""
        return self.session.open(*arguments)

    def socket(self, kind: Kind | None = None) -> ImplSocket:
        """A new socket of the port."""
        kind = kind or self.kind
        if kind.type == "raw":
            return self._raw(kind)
        return expect.socket(expect.value(self.open(kind.domain, kind.type), "socket()"), "socket()")

    def _raw(self, kind: Kind) -> ImplSocket:
        """Raw sockets need a protocol, which the contract does not spell: its name and its number are both sane."""
        name, number = ("icmp", 1) if kind.domain == "inet" else ("icmpv6", 58)
        outcome = self.open(kind.domain, "raw", name)
        if isinstance(outcome, Failure):
            outcome = self.open(kind.domain, "raw", number)
        return expect.socket(expect.value(outcome, "socket()"), "socket()")

    def bound(self, kind: Kind | None = None) -> tuple[ImplSocket, Address]:
        """A new socket of the port, bound to a fresh address of loopback or a fresh path, and that address."""
        kind = kind or self.kind
        sock = self.socket(kind)
        return sock, self.bind(sock, kind)

    def bind(self, sock: ImplSocket, kind: Kind | None = None) -> Address:
        """Bind a socket of the port to a fresh address, and that address."""
        kind = kind or self.kind
        if kind.domain == "unix":
            path = self.path()
            expect.true(sock.bind(path, None), "bind()")
            return path, None
        expect.true(sock.bind(LOOPBACK[kind.domain], 0), "bind()")
        host, port = expect.address(sock.getsockname(), "getsockname()")
        if not isinstance(host, str) or not isinstance(port, int) or not 0 < port < 65536:
            expect.mismatch("getsockname() after bind()", "an address as text and a port", (host, port))
        return host, port

    def listening(self, backlog: int = 8, kind: Kind | None = None) -> tuple[ImplSocket, Address]:
        """A listening socket of the port, and its address."""
        sock, address = self.bound(kind)
        expect.true(sock.listen(backlog), "listen()")
        return sock, address

    # --- the other end

    def peer(self, kind: Kind | None = None) -> Peer:
        """A new socket of the suite."""
        return self.keep(Peer(self.transcript, kind or self.kind))

    def keep(self, peer: Peer) -> Peer:
        """Let go of this peer too when the case ends."""
        self._peers.append(peer)
        return peer

    def bound_peer(self, kind: Kind | None = None) -> Peer:
        """A new socket of the suite, bound to a fresh address."""
        kind = kind or self.kind
        host = self.path() if kind.domain == "unix" else LOOPBACK[kind.domain]
        return self.peer(kind).bind(host)

    def listening_peer(self, backlog: int = 8, kind: Kind | None = None) -> Peer:
        """A listening socket of the suite."""
        return self.bound_peer(kind).listen(backlog)

    def destination(self, kind: Kind | None = None) -> Peer:
        """A socket of the suite that can be connected to: listening, or bound where there is nothing to listen for."""
        kind = kind or self.kind
        return self.listening_peer(kind=kind) if kind.type == "stream" else self.bound_peer(kind)

    def ipv4_kind(self) -> Kind:
        """The IPv4 kind of the case's type, for the other end of an IPv6 socket (capability `dual-stack`)."""
        with stdlib_socket.socket(stdlib_socket.AF_INET6, stdlib_socket.SOCK_DGRAM) as fresh:
            if fresh.getsockopt(stdlib_socket.IPPROTO_IPV6, stdlib_socket.IPV6_V6ONLY):
                pytest.skip("new IPv6 sockets do not speak to IPv4 peers on this host (bindv6only)")
        return load().kind(f"inet-{self.kind.type}")

    # --- both

    def pair(self, role: str = "client", kind: Kind | None = None) -> Pair:
        """Two ends of one connection; `role` is the port's: client or server (stream), both alike for dgram."""
        kind = kind or self.kind
        if kind.type != "stream":
            sock, address = self.bound(kind)
            peer = self.bound_peer(kind).connect(address)
            expect.true(sock.connect(*peer.address), "connect()")
            return Pair(sock, peer)
        if role == "server":
            listener, address = self.listening(kind=kind)
            peer = self.peer(kind).connect(address)
            accepted = expect.socket(expect.returned(listener.accept(), "accept()")[0], "accept()")
            return Pair(accepted, peer, listener)
        listening = self.listening_peer(kind=kind)
        sock = self.socket(kind)
        expect.true(sock.connect(*listening.address), "connect()")
        return Pair(sock, self.keep(listening.accept()))

    def path(self, length: int | None = None) -> str:
        """A path in the case's own folder where nothing is yet, of exactly `length` bytes if that is given."""
        path = self._fresh_path()
        path += "x" * ((length or 0) - len(path))
        self._paths.add(path)
        return path

    def _fresh_path(self) -> str:
        return str(self._folder / f"{next(self._numbers)}")

    def abstract(self, ending: bytes = b"") -> bytes:
        """A UNIX name without a path that nobody has (capability `abstract`).

        A port that takes it for a path makes a file in the case's own folder, and not where the user stands.
        """
        return b"\0" + os.fsencode(self._fresh_path()) + ending

    def own_address(self) -> str:
        """A loopback address where nobody else listens, so that fixed ports are free (capability `loopback-net`)."""
        number = os.getpid() * 4096 + next(_OWN_ADDRESSES)
        return f"127.{64 + number // 60000 % 128}.{number // 240 % 250}.{2 + number % 240}"

    def descriptors(self) -> int:
        """How many descriptors the port holds, without those of its garbage (capability `descriptors`)."""
        if "gc" in self.session.welcome.capabilities:
            self.session.collect_garbage()
        return len(observer.descriptors(self.session.pid))

    @contextlib.contextmanager
    def view(self, sock: ImplSocket) -> Iterator[stdlib_socket.socket]:
        """The same socket, seen from outside of the port (capability `kernel-view`)."""
        number = expect.integer(sock.fileno(), "fileno()")
        with contextlib.ExitStack() as stack:
            try:
                found = stack.enter_context(observer.borrowed(self.session.pid, number))
            except OSError as error:
                expect.mismatch("fileno()", "the descriptor of a socket", f"{number}: {error}")
            yield found

    def unasked_files(self) -> set[str]:
        """Names in the case's folder that neither a check nor an argument of a call spelled."""
        names = os.listdir(self._folder)
        if not names:
            return set()
        arguments = (argument for step in self.transcript.steps for argument in step.arguments)
        spelled = self._paths.union(argument for argument in arguments if isinstance(argument, str))
        return {name for name in names if str(self._folder / name) not in spelled}

    def close(self) -> None:
        """Let go of everything; the socket files too."""
        for peer in self._peers:
            peer.discard()
        for name in os.listdir(self._folder):
            (self._folder / name).unlink(missing_ok=True)
