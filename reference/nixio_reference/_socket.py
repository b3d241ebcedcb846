"""The Socket: nixio's 18 methods over a socket of the standard library.

It holds the interpreter's basic socket type (``socket.SocketType``) and not ``socket.socket``: the same system calls,
retried after a signal in the same way, without the layer that makes files and timeouts of them. That one never has a
timeout of Python's here: would-block is the kernel's word (O_NONBLOCK, sndtimeo, rcvtimeo) and ``BlockingIOError``.

The methods of the data path are written for speed: one look at the argument's type, and the rest in functions.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, SupportsIndex, TypeAlias

from nixio_reference._address import DOMAINS, PROTOCOLS, TYPES, Domain, Host, Local, Port, SocketAddress, walk
from nixio_reference._arguments import C_INT_MAX, chunk, closed, integer, octets, ranged, receive_length, word
from nixio_reference._options import OPTIONS, unknown, write_int
from nixio_reference.const import buffersize

if TYPE_CHECKING:
    from nixio_reference._arguments import Buffer

Address: TypeAlias = "tuple[str | bytes, int | None]"
"""(host, port); for unix (path, None), where the path is "" if there is none and bytes if the name is abstract."""

_basic_socket: Final = socket.SocketType
# Where a program has SIGPIPE's default action restored, a write to a dead peer must not kill it (design).
_SEND_FLAGS: Final = int(getattr(socket, "MSG_NOSIGNAL", 0))
_SO_NOSIGPIPE: Final[int | None] = None if _SEND_FLAGS else getattr(socket, "SO_NOSIGPIPE", None)
_DONTWAIT: Final = int(getattr(socket, "MSG_DONTWAIT", 0))
_STREAM: Final = int(socket.SOCK_STREAM)
_RECEIVE_MAX: Final = buffersize
_ACCEPTED_BLOCK: Final = sys.platform == "linux"  # elsewhere an accepted socket takes O_NONBLOCK from its listener
_HOW: Final = {"rdwr": int(socket.SHUT_RDWR), "rd": int(socket.SHUT_RD), "wr": int(socket.SHUT_WR)}


class Socket:
    """A socket of the family "inet", "inet6" or "unix" and the type "stream", "dgram" or "raw".

    Every method raises ``OSError`` with the system's errno for what the system refuses, ``BlockingIOError`` where it
    would have to wait, and ``OSError(EBADF)`` after close(). Interrupted calls are retried. The descriptor is not
    inherited by other programs; it is closed when the object goes away. ``with`` closes it at the end.
    """

    __slots__ = ("__weakref__", "_domain", "_sock")
    _domain: Domain
    _sock: socket.SocketType

    def __init__(self, domain: str, type: str, protocol: str | int | None = None) -> None:  # noqa: A002
        """Create a socket; the same as the factory `socket`.

        domain: "inet", "inet6" or "unix". type: "stream", "dgram" or "raw". protocol: None (the system chooses, which
        it does not for raw: EPROTONOSUPPORT), "icmp", "icmpv6" or a protocol's number.
        """
        kind = word(TYPES, type, "type")
        self._domain = word(DOMAINS, domain, "domain")
        if protocol is None:
            number = 0
        elif isinstance(protocol, str):
            number = word(PROTOCOLS, protocol, "protocol")
        else:
            number = ranged(protocol, "protocol", 0, C_INT_MAX)
        self._sock = _ready(_basic_socket(self._domain.family, kind, number))

    # -- addresses ---------------------------------------------------------------------------------------------------

    def getsockname(self) -> Address:
        """Return the local address, (host, port) (the norm, getsockname).

        For unix (path, None). An IPv6 address comes without its zone; a raw socket's port is its protocol's number.
        """
        return _address(self._sock.getsockname())

    def getpeername(self) -> Address:
        """Return the peer's address, (host, port), in the shapes of getsockname (the norm, getpeername).

        Not connected: OSError(ENOTCONN).
        """
        return _address(self._sock.getpeername())

    def bind(self, host: Host | None = None, port: Port | None = None) -> Literal[True]:
        """Bind to an address and return True (the norm, bind).

        host: name or address; None: all addresses. port: 0 to 65535 as int or digits, or the name of a service.
        The host's addresses are tried in the resolver's order on this same descriptor until one can be bound; if none
        can, the last failure is raised. unix: host is a path, and port is ignored. raw: port may be left out.
        A name that cannot be resolved: socket.gaierror. A port that is none: ValueError; none given: TypeError.
        """
        self.fileno()  # a closed socket is that, whatever the resolver would say of the name
        walk(self._sock.bind, self._domain.addresses(host, port, self._sock.type, True))
        return True

    def connect(self, host: Host | None = None, port: Port | None = None) -> Literal[True]:
        """Connect to an address and return True (the norm, connect).

        As bind, except that no host is the loopback. A connection that would have to be waited for ends the walk over
        the addresses with BlockingIOError(EINPROGRESS) (design: decided where silent).
        """
        self.fileno()
        domain = self._domain
        addresses = domain.addresses(host, port, self._sock.type, False)
        if isinstance(domain, Local):
            self._connect_path(addresses[0])
        else:
            walk(self._sock.connect, addresses)
        return True

    def _connect_path(self, address: SocketAddress) -> None:
        """Connect to a path, again if a signal came in between.

        CPython takes an interrupted connect for one that goes on by itself and waits for the socket to be writable.
        That is right for TCP; a unix stream socket that waited for room in the backlog is not connected then, but
        writable, so CPython reports success. Only the peer's name tells.
        """
        sock = self._sock
        while True:
            sock.connect(address)
            if sock.type != _STREAM:
                return
            try:
                sock.getpeername()
            except OSError as error:
                if error.errno != errno.ENOTCONN:
                    raise
            else:
                return

    def listen(self, backlog: SupportsIndex) -> Literal[True]:
        """Listen for connections, of which backlog may be pending, and return True (the norm, listen).

        A negative backlog is 0 (POSIX); one above the system's maximum is that maximum.
        """
        self._sock.listen(min(max(integer(backlog, "backlog"), 0), C_INT_MAX))
        return True

    def accept(self) -> tuple[Socket, str | bytes, int | None]:
        """Accept a connection; return its socket, which blocks, and the peer's host and port (the norm, accept).

        For unix the host is the peer's path and the port is None.
        """
        listener = self._sock
        descriptor, peer = listener._accept()  # type: ignore[attr-defined]  # accept() less the layer above
        try:
            sock = _ready(_basic_socket(self._domain.family, listener.type, listener.proto, descriptor))
        except BaseException:
            socket.close(descriptor)
            raise
        accepted: Socket = object.__new__(Socket)
        accepted._domain = self._domain
        accepted._sock = sock
        return accepted, *_address(peer)

    # -- data --------------------------------------------------------------------------------------------------------

    def sendto(
        self,
        buffer: Buffer,
        host: Host,
        port: Port | None = None,
        offset: SupportsIndex | None = None,
        length: SupportsIndex | None = None,
    ) -> int:
        """Send a message to an address and return the number of bytes sent (the norm, sendto).

        buffer: any bytes-like object. host: a numeric address; a name is refused with socket.gaierror. port: 0 to
        65535 as int or digits. unix: host is a path and port is ignored. offset, length: as in send.
        A connected TCP socket ignores the address.
        """
        if offset is not None or length is not None:
            buffer = chunk(buffer, offset, length)
        try:
            address = self._domain.destination(host, port)
        except socket.gaierror:
            self.fileno()  # as in bind
            raise
        try:
            return self._sock.sendto(buffer, _SEND_FLAGS, address)
        except BufferError:  # a view with gaps
            return self._sock.sendto(octets(buffer), _SEND_FLAGS, address)

    def send(self, buffer: Buffer, offset: SupportsIndex | None = None, length: SupportsIndex | None = None) -> int:
        """Send a message and return the number of bytes sent, which may be less than asked for (the norm, send).

        buffer: any bytes-like object; it is counted in bytes, whatever its items are. offset: where to start, from 0
        (default) on. length: how many bytes at most (default: the rest). What lies past the end is not there: nothing
        is sent and 0 returned, on a datagram socket by an empty datagram. Negative: ValueError.
        """
        if offset is not None or length is not None:
            buffer = chunk(buffer, offset, length)
        try:
            return self._sock.send(buffer, _SEND_FLAGS)
        except BufferError:  # a view with gaps
            return self._sock.send(octets(buffer), _SEND_FLAGS)

    write = send

    def recvfrom(self, length: SupportsIndex) -> tuple[bytes, str | bytes, int | None]:
        """Receive a message; return the data and the sender's host and port (the norm, recvfrom).

        length: bytes at most; above buffersize it is truncated to that, 0 reads nothing, negative: ValueError. The
        rest of a datagram is lost, that of a stream stays. b"" from a stream is its end. unix: the sender's path, ""
        if it has none, and None. A stream's sender is its peer; if that cannot be told any more, "" and None.
        """
        if type(length) is not int or not 0 < length <= _RECEIVE_MAX:
            length = receive_length(length)
            if not length and self._sock.type == _STREAM:
                self._receive_nothing()
                return b"", *self._sender()
        data, address = self._sock.recvfrom(length)
        if type(address) is tuple:
            return data, address[0], address[1]
        if address is None and self._sock.type == _STREAM:
            return data, *self._sender()
        return data, *_address(address)

    def recv(self, length: SupportsIndex) -> bytes:
        """Receive a message (the norm, recv): recvfrom without the sender's address."""
        if type(length) is int and 0 < length <= _RECEIVE_MAX:
            return self._sock.recv(length)
        room = receive_length(length)
        if room:
            return self._sock.recv(room)
        if self._sock.type == _STREAM:
            self._receive_nothing()
            return b""
        return self._sock.recvfrom(0)[0]  # the basic socket's recv(0) would not ask the kernel: the datagram is due

    read = recv

    def _receive_nothing(self) -> None:
        """Ask a stream for 0 bytes: its data stays, and waiting for some would be for nothing.

        The kernel is still asked, because a socket that is closed or not connected has to fail.
        """
        if not _DONTWAIT:
            self.fileno()
            return
        with contextlib.suppress(BlockingIOError):
            self._sock.recvfrom(0, _DONTWAIT)

    def _sender(self) -> Address:
        """Return the address of a stream's peer; the kernel gives none with the data of a connected stream."""
        try:
            return _address(self._sock.getpeername())
        except OSError:
            return "", None

    # -- the descriptor ----------------------------------------------------------------------------------------------

    def close(self) -> Literal[True]:
        """Close the socket and return True (the norm, close). A second time: OSError(EBADF), and nothing is closed."""
        descriptor = self._sock.detach()
        if descriptor < 0:
            raise closed()
        socket.close(descriptor)
        return True

    def shutdown(self, how: str | None = None) -> Literal[True]:
        """Shut down "rd" (receiving), "wr" (sending) or "rdwr" (both, default) and return True (the norm, shutdown).

        Not connected: OSError(ENOTCONN), except on unix sockets. Another word: ValueError.
        """
        self._sock.shutdown(word(_HOW, "rdwr" if how is None else how, "how"))
        return True

    def fileno(self) -> int:
        """Return the number of the file descriptor (the norm, fileno); there is none, not -1, after close()."""
        descriptor = self._sock.fileno()
        if descriptor < 0:
            raise closed()
        return descriptor

    def setblocking(self, blocking: bool) -> Literal[True]:
        """Set whether calls wait (True) or raise BlockingIOError (False); return True (the norm, setblocking)."""
        if not isinstance(blocking, bool):
            raise TypeError(f"blocking must be a bool, not {type(blocking).__name__}")
        self._sock.setblocking(blocking)
        return True

    # -- options -----------------------------------------------------------------------------------------------------

    def setopt(self, level: str, option: str, value: Any) -> Literal[True]:
        """Set a socket option and return True (the norm, setopt).

        level: "socket", "tcp", "ip" or "ipv6"; option: one of that level's, else ValueError. value, in the shapes of
        getopt (design, "the contract"):
        - most: an int; flags are off at 0.
        - socket linger: seconds, 0 is off. sndtimeo, rcvtimeo: (seconds, microseconds) or seconds, 0 waits for ever;
          microseconds outside 0 to 999999: OSError(EDOM).
        - socket bindtodevice: the interface's name, "" for none.
        - ip multicast_if: the interface's address; ipv6 multicast_if: its index.
        - add_membership, drop_membership: group or (group, interface), the interface as in multicast_if.
        - socket error and ip mtu cannot be set: OSError(ENOPROTOOPT).
        A value of another type: TypeError (a bool counts as 1 or 0). One that cannot be represented: ValueError.
        """
        try:
            layer, number, _, write = OPTIONS[level][option]
        except (KeyError, TypeError):
            raise unknown(level, option) from None
        if write is not None:
            write(self._sock, layer, number, value)
        elif type(value) is int and -0x80000000 <= value <= 0x7FFFFFFF:
            self._sock.setsockopt(layer, number, value)
        else:
            write_int(self._sock, layer, number, value)
        return True

    def getopt(self, level: str, option: str) -> Any:
        """Return the value of a socket option, in the shape that setopt takes (the norm, getopt).

        Flags are 0 or 1. socket error is the pending errno, or 0, and is cleared by reading. ip and ipv6 mtu are known
        when connected (else OSError(ENOTCONN)). Memberships cannot be read: OSError(ENOPROTOOPT).
        """
        try:
            layer, number, read, _ = OPTIONS[level][option]
        except (KeyError, TypeError):
            raise unknown(level, option) from None
        if read is None:
            return self._sock.getsockopt(layer, number)
        return read(self._sock, layer, number)

    # -- Python's own ------------------------------------------------------------------------------------------------

    def __enter__(self) -> Socket:
        """Return the socket itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the socket, if that was not done already."""
        if self._sock.fileno() >= 0:
            self.close()

    def __del__(self) -> None:
        """Close silently: garbage collection closes (design: decided where silent)."""
        try:  # noqa: SIM105  # contextlib may be gone when the interpreter ends
            self._sock.close()
        except (AttributeError, OSError):  # never made; or somebody else closed the descriptor
            pass

    def __repr__(self) -> str:
        """Say what the socket is, and its descriptor; it works on a closed one too."""
        descriptor = self._sock.fileno()
        state = f"fd={descriptor}" if descriptor >= 0 else "closed"
        kinds = {number: word for word, number in TYPES.items()}
        return f"<nixio_reference.Socket {self._domain.word} {kinds.get(self._sock.type, self._sock.type)} {state}>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled: two objects would own one descriptor."""
        raise TypeError("a Socket cannot be copied or pickled")


def _ready(sock: socket.SocketType) -> socket.SocketType:
    """Make a new socket block, whatever socket.setdefaulttimeout() or, on BSD, its listener says."""
    if sock.gettimeout() is not None or not _ACCEPTED_BLOCK:
        sock.setblocking(True)
    if _SO_NOSIGPIPE is not None:
        sock.setsockopt(socket.SOL_SOCKET, _SO_NOSIGPIPE, 1)
    return sock


def _address(found: Any) -> Address:
    """Return (host, port) of what the standard library gives: a tuple, a path, or None for an unnamed sender."""
    if type(found) is tuple:
        return found[0], found[1]
    return found or "", None
