"""The Socket: nixio's 18 methods over a ``socket.socket`` of the standard library.

The standard library retries calls that a signal interrupts (design:eintr), and programs that are started later do not
inherit its descriptors (design:inheritance). Its timeouts are not used: whether a call waits, and how long, is decided
by the kernel (O_NONBLOCK, sndtimeo, rcvtimeo). Where the kernel gives up waiting, ``BlockingIOError`` is raised
(design:would-block).

In docstrings ``norm:LINES`` are lines of nixio's documentation of the Socket. ``design:TOPIC`` is a decision of this
project where that is silent; docs/decisions.md explains it.

Three shortcuts are for speed alone; a comment marks each. benchmarks/bench_socket.py says what they save, and what is
slower than it could be for the sake of reading.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, SupportsIndex, overload

from nixio_reference._address import DOMAINS, SOCKET_TYPES, Address, Domain, Host, Local, Port, SocketAddress, try_each
from nixio_reference._arguments import (
    C_INT_MAX,
    chunk,
    closed_error,
    int_in_range,
    integer,
    keyword,
    receive_length,
)
from nixio_reference._option_names import IpInt, Ipv6Int, Membership, SocketInt, SocketTimeout, TcpInt
from nixio_reference._options import find_option
from nixio_reference.const import buffersize

if TYPE_CHECKING:
    from nixio_reference._arguments import Buffer

PROTOCOLS: Final = {"icmp": int(socket.IPPROTO_ICMP), "icmpv6": int(getattr(socket, "IPPROTO_ICMPV6", 58))}
SHUTDOWN: Final = {"rdwr": int(socket.SHUT_RDWR), "rd": int(socket.SHUT_RD), "wr": int(socket.SHUT_WR)}

# Sending to a peer that has closed must not end the process, not even with SIGPIPE's default action (design:sigpipe).
_NOSIGNAL: Final = int(getattr(socket, "MSG_NOSIGNAL", 0))
_SO_NOSIGPIPE: Final[int | None] = None if _NOSIGNAL else getattr(socket, "SO_NOSIGPIPE", None)  # macOS
_DONTWAIT: Final = int(getattr(socket, "MSG_DONTWAIT", 0))  # Windows has none
_NO_DESTINATION: Final = (object(), object(), b"")


class Socket:
    """A socket of the domain "inet", "inet6" or "unix" and the type "stream", "dgram" or "raw".

    Every method raises ``OSError`` with the system's errno for what the system refuses, ``BlockingIOError`` where it
    would have to wait, and ``OSError(EBADF)`` after close() (design:closed). Interrupted calls are retried. Programs
    that are started later do not inherit the descriptor. It is closed at the end of a ``with`` block, or when nothing
    refers to the object any more (design:garbage).
    """

    __slots__ = ("__weakref__", "_domain", "_last_destination", "_sock", "_type")
    _domain: Domain
    _type: str
    _sock: socket.socket
    _last_destination: tuple[object, object, SocketAddress]

    def __init__(self, domain: str, type: str, protocol: str | int | None = None) -> None:  # noqa: A002
        """Create a socket (design:contract); the same as the function `socket`.

        domain: "inet", "inet6" or "unix". type: "stream", "dgram" or "raw". protocol: None (the system's default; for
        raw there is none: EPROTONOSUPPORT), "icmp", "icmpv6" or a protocol's number.
        """
        type_number = keyword(SOCKET_TYPES, type, "type")
        address_domain = keyword(DOMAINS, domain, "domain")
        sock = socket.socket(address_domain.family, type_number, _protocol_number(protocol))
        self._own(sock, address_domain, type)

    def _own(self, sock: socket.socket, domain: Domain, type: str) -> None:  # noqa: A002
        """Make this object the owner of a new socket of the standard library."""
        self._sock = sock
        self._domain = domain
        self._type = type
        self._last_destination = _NO_DESTINATION
        # socket.setdefaulttimeout() of the program, or on BSD the listener, may have made it non-blocking.
        sock.setblocking(True)
        if _SO_NOSIGPIPE is not None:
            sock.setsockopt(socket.SOL_SOCKET, _SO_NOSIGPIPE, 1)

    # -- addresses ---------------------------------------------------------------------------------------------------

    def getsockname(self) -> Address:
        """Return the local address as (host, port) (norm:24-29).

        unix: (path, None), "" if the socket has no name, bytes if the name is abstract (design:unix-names). An IPv6
        address is returned without its zone. The port of a raw socket is the number of its protocol.
        """
        return self._domain.host_and_port(self._sock.getsockname())

    def getpeername(self) -> Address:
        """Return the peer's address in the forms of getsockname (norm:30-35). Not connected: OSError(ENOTCONN)."""
        return self._domain.host_and_port(self._sock.getpeername())

    def bind(self, host: Host | None = None, port: Port | None = None) -> Literal[True]:
        """Bind to an address and return True (norm:36-48).

        host: name or numeric address; None: all addresses. port: 0 to 65535 as int or digits, or the name of a service.
        All addresses of the host are tried on this descriptor, in the resolver's order, until one can be bound; if none
        can, the last failure is raised (design:walk).
        unix: host is a path, and port is ignored. raw: port may be left out (design:raw).
        Unknown host or service: socket.gaierror. Not a port: ValueError; no port: TypeError (design:ports).
        """
        self._check_open()  # before a resolver is asked
        self._bind_first(self._domain.addresses(host, port, self._type, passive=True))
        return True

    def connect(self, host: Host | None = None, port: Port | None = None) -> Literal[True]:
        """Connect to an address and return True (norm:49-61).

        As bind, but without a host it is the loopback. On a non-blocking socket a connection in progress ends the
        attempts with BlockingIOError(EINPROGRESS): no further address is tried (design:walk).
        """
        self._check_open()
        self._connect_first(self._domain.addresses(host, port, self._type, passive=False))
        return True

    def _bind_first(self, addresses: Sequence[SocketAddress]) -> None:
        """Bind to the first of the addresses that can be bound."""
        try_each(self._sock.bind, addresses)

    def _connect_first(self, addresses: Sequence[SocketAddress]) -> None:
        """Connect to the first of the addresses that can be connected to."""
        stream_path = isinstance(self._domain, Local) and self._type == "stream"
        try_each(self._connect_path if stream_path else self._sock.connect, addresses)

    def _connect_path(self, address: SocketAddress) -> None:
        """Connect a unix stream socket, again whenever a signal has interrupted it.

        After EINTR, CPython waits until the socket is writable and reports success, because a TCP connection goes on in
        the background. That of a unix socket, which was waiting for room in the listener's queue, does not: it is
        writable and not connected. Only getpeername() shows the difference.
        """
        while True:
            self._sock.connect(address)
            try:
                self._sock.getpeername()
            except OSError as error:
                if error.errno != errno.ENOTCONN:
                    raise
            else:
                return

    def listen(self, backlog: SupportsIndex) -> Literal[True]:
        """Listen for connections, of which about backlog may be pending, and return True (norm:62-69).

        A negative backlog is 0, as in POSIX. A backlog above the system's maximum is that maximum (design:numbers).
        """
        self._sock.listen(min(max(integer(backlog, "backlog"), 0), C_INT_MAX))
        return True

    def accept(self) -> tuple[Socket, str | bytes, int | None]:
        """Accept a connection; return its socket and the host and port of the peer (norm:70-76).

        The new socket blocks, whether the listener does or not (design:would-block). unix: path and None, as in
        getsockname.
        """
        sock, address = self._sock.accept()
        accepted = Socket.__new__(Socket)
        accepted._own(sock, self._domain, self._type)
        host, port = self._domain.host_and_port(address)
        return accepted, host, port

    # -- data --------------------------------------------------------------------------------------------------------

    def sendto(
        self,
        buffer: Buffer,
        host: Host,
        port: Port | None = None,
        offset: SupportsIndex | None = None,
        length: SupportsIndex | None = None,
    ) -> int:
        """Send a message to an address and return the number of bytes written, which may be fewer (norm:77-91).

        host: a numeric address; a name is refused with socket.gaierror. port: 0 to 65535 as int or digits. unix: host
        is a path, and port is ignored. buffer, offset and length: as in send. A connected TCP socket ignores the
        address.
        """
        # Shortcut: programs send many messages to one address, and checking it takes longer than the rest.
        known_host, known_port, address = self._last_destination
        if host is not known_host or port is not known_port:
            address = self._destination(host, port)
        return self._sock.sendto(chunk(buffer, offset, length), _NOSIGNAL, address)

    def _destination(self, host: object, port: object) -> SocketAddress:
        """Return the address for a message, and keep it for the next one if it cannot change."""
        try:
            address = self._domain.destination(host, port)
        except socket.gaierror:
            self._check_open()  # for a closed socket EBADF is the error, whatever the host is
            raise
        if type(host) is str and type(port) is int and "%" not in host:  # the interface of a zone may change
            self._last_destination = host, port, address
        return address

    def send(self, buffer: Buffer, offset: SupportsIndex | None = None, length: SupportsIndex | None = None) -> int:
        """Send a message and return the number of bytes written, which may be fewer (norm:92-104).

        buffer: any bytes-like object; offset and length count its bytes, whatever its items are. offset: where to
        start, from 0 (the default) on. length: how many bytes at most (default: the rest).
        A range past the end is empty: 0 is returned, and a datagram socket sends an empty datagram. Negative numbers:
        ValueError (design:offsets).
        """
        return self._sock.send(chunk(buffer, offset, length), _NOSIGNAL)

    write = send  # norm:105-116

    def recvfrom(self, length: SupportsIndex) -> tuple[bytes, str | bytes, int | None]:
        """Receive a message; return its data and the host and port of the sender (norm:117-128).

        length: how many bytes at most; more than buffersize is buffersize (norm:128), negative: ValueError. The rest of
        a longer datagram is lost; on a stream it stays. Length 0 takes a datagram, or nothing from a stream
        (design:recv-zero). b"" from a stream is its end (design:end-of-stream).
        The sender on a stream is the peer, or ("", None) if it is no longer known (design:recvfrom-stream). unix: path
        and None, as in getsockname.
        """
        if type(length) is not int or not 0 < length <= buffersize:  # shortcut: as a rule, nothing is to be done
            length = receive_length(length)
        data, address = self._sock.recvfrom(length) if length else self._receive_nothing()
        if type(address) is tuple:  # shortcut: host_and_port() for inet and inet6
            return data, address[0], address[1]
        if address is None and self._type == "stream":
            return data, *self._peer_or_unnamed()
        return data, *self._domain.host_and_port(address)

    def recv(self, length: SupportsIndex) -> bytes:
        """Receive a message and return its data: recvfrom without the sender (norm:129-139)."""
        if type(length) is not int or not 0 < length <= buffersize:  # shortcut, as in recvfrom
            length = receive_length(length)
        # For length 0 socket.recv() would not ask the kernel, and not take the datagram.
        return self._sock.recv(length) if length else self._receive_nothing()[0]

    read = recv  # norm:140-149

    def _receive_nothing(self) -> tuple[bytes, Any]:
        """Receive 0 bytes (design:recv-zero); return b"" and the sender's address."""
        if self._type != "stream":
            return self._sock.recvfrom(0)
        # A stream is not waited for, because no data is wanted. The kernel is asked for the error of a socket that is
        # closed or not connected.
        if _DONTWAIT:
            with contextlib.suppress(BlockingIOError):
                self._sock.recvfrom(0, _DONTWAIT)
        else:
            self._check_open()
        return b"", None

    def _peer_or_unnamed(self) -> Address:
        try:
            return self.getpeername()
        except OSError:
            return "", None

    # -- the descriptor ----------------------------------------------------------------------------------------------

    def close(self) -> Literal[True]:
        """Close the socket and return True (norm:150-155). A second time: OSError(EBADF), and nothing is closed."""
        # detach() gives the descriptor away once, even to threads that close at the same time; a second close() of a
        # socket.socket would be silent.
        descriptor = self._sock.detach()
        if descriptor < 0:
            raise closed_error()
        socket.close(descriptor)
        return True

    def shutdown(self, how: Literal["rdwr", "rd", "wr"] | None = None) -> Literal[True]:
        """Shut down receiving ("rd"), sending ("wr") or both ("rdwr", the default) and return True (norm:156-163).

        Not connected: OSError(ENOTCONN), except on unix sockets. Another word: ValueError.
        """
        self._sock.shutdown(keyword(SHUTDOWN, "rdwr" if how is None else how, "how"))
        return True

    def fileno(self) -> int:
        """Return the number of the file descriptor (norm:164-169). After close(): OSError(EBADF)."""
        descriptor = self._sock.fileno()
        if descriptor < 0:
            raise closed_error()
        return descriptor

    def _check_open(self) -> None:
        """Raise OSError(EBADF) after close()."""
        self.fileno()

    def setblocking(self, blocking: bool) -> Literal[True]:
        """Set whether calls wait (True) or raise BlockingIOError (False), and return True (norm:170-177)."""
        if not isinstance(blocking, bool):
            raise TypeError(f"blocking must be a bool, not {type(blocking).__name__}")
        self._sock.setblocking(blocking)
        return True

    # -- options -----------------------------------------------------------------------------------------------------

    @overload
    def getopt(self, level: Literal["socket"], option: SocketInt | Literal["error"]) -> int: ...
    @overload
    def getopt(self, level: Literal["socket"], option: SocketTimeout) -> tuple[int, int]: ...
    @overload
    def getopt(self, level: Literal["socket"], option: Literal["bindtodevice"]) -> str: ...
    @overload
    def getopt(self, level: Literal["tcp"], option: TcpInt) -> int: ...
    @overload
    def getopt(self, level: Literal["ip"], option: IpInt | Literal["mtu"]) -> int: ...
    @overload
    def getopt(self, level: Literal["ip"], option: Literal["multicast_if"]) -> str: ...
    @overload
    def getopt(self, level: Literal["ipv6"], option: Ipv6Int) -> int: ...
    @overload
    def getopt(self, level: Literal["ip", "ipv6"], option: Membership) -> NoReturn: ...

    def getopt(self, level: str, option: str) -> object:
        """Return the value of a socket option, in the form that setopt takes (norm:188-196, design:option-shapes).

        Flags are 0 or 1. socket error: the pending errno or 0; reading clears it. ip mtu, ipv6 mtu: the path's, only if
        connected (else ENOTCONN). Memberships cannot be read: OSError(ENOPROTOOPT).
        """
        found = find_option(level, option)
        return found.shape.read(self._sock, found.level, found.number)

    @overload
    def setopt(self, level: Literal["socket"], option: SocketInt, value: int) -> Literal[True]: ...
    @overload
    def setopt(
        self, level: Literal["socket"], option: SocketTimeout, value: int | tuple[int, int]
    ) -> Literal[True]: ...
    @overload
    def setopt(self, level: Literal["socket"], option: Literal["bindtodevice"], value: str) -> Literal[True]: ...
    @overload
    def setopt(self, level: Literal["socket"], option: Literal["error"], value: int) -> NoReturn: ...
    @overload
    def setopt(self, level: Literal["tcp"], option: TcpInt, value: int) -> Literal[True]: ...
    @overload
    def setopt(self, level: Literal["ip"], option: IpInt, value: int) -> Literal[True]: ...
    @overload
    def setopt(self, level: Literal["ip"], option: Literal["mtu"], value: int) -> NoReturn: ...
    @overload
    def setopt(self, level: Literal["ip"], option: Literal["multicast_if"], value: str) -> Literal[True]: ...
    @overload
    def setopt(self, level: Literal["ip"], option: Membership, value: str | tuple[str, str]) -> Literal[True]: ...
    @overload
    def setopt(self, level: Literal["ipv6"], option: Ipv6Int, value: int) -> Literal[True]: ...
    @overload
    def setopt(self, level: Literal["ipv6"], option: Membership, value: str | tuple[str, int]) -> Literal[True]: ...

    def setopt(self, level: str, option: str, value: object) -> Literal[True]:
        """Set a socket option and return True (norm:178-187, design:option-shapes).

        level: "socket", "tcp", "ip" or "ipv6"; option: one of that level's, else ValueError. value:
        - most options: an int; a flag is off at 0. True and False are 1 and 0.
        - socket linger: seconds; 0 is off (design:linger).
        - socket sndtimeo, rcvtimeo: (seconds, microseconds) or seconds; 0 waits for ever. Microseconds outside 0 to
          999999: OSError(EDOM).
        - socket bindtodevice: the interface's name, "" for none.
        - ip multicast_if: the interface's address; ipv6 multicast_if: its index.
        - add_membership, drop_membership: group or (group, interface), the interface as in multicast_if.
        - socket error and ip mtu cannot be set: OSError(ENOPROTOOPT).
        A value of another type: TypeError. One that the option cannot represent: ValueError (design:no-wrapping).
        """
        found = find_option(level, option)
        found.shape.write(self._sock, found.level, found.number, value)
        return True

    # -- Python's protocols ------------------------------------------------------------------------------------------

    def __enter__(self) -> Socket:
        """Return the socket itself."""
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Close the socket, if that has not been done."""
        self._sock.close()

    def __del__(self) -> None:
        """Close without a ResourceWarning: that unused sockets are closed is a feature here (design:garbage)."""
        try:  # noqa: SIM105  # at the interpreter's end, contextlib may be gone
            self._sock.close()
        except (AttributeError, OSError):  # __init__ failed, or the descriptor was closed by other code
            pass

    def __repr__(self) -> str:
        """Return domain, type, and descriptor or "closed"."""
        descriptor = self._sock.fileno()
        state = f"fd={descriptor}" if descriptor >= 0 else "closed"
        return f"<nixio_reference.Socket {self._domain.name} {self._type} {state}>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled: two objects would own one descriptor."""
        raise TypeError("a Socket cannot be copied or pickled")


def _protocol_number(protocol: object) -> int:
    if protocol is None:
        return 0
    if isinstance(protocol, str):
        return keyword(PROTOCOLS, protocol, "protocol")
    return int_in_range(protocol, "protocol", 0, C_INT_MAX)
