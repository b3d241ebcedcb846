"""The suite's own end: a socket of the standard library whose calls are recorded and have a timeout."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
import struct
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from nixio_conformance.driver.errors import CaseTimedOut, out_of_resources
from nixio_conformance.driver.text import show
from nixio_conformance.driver.timeouts import BULK, PEER
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.toolkit.expect import Mismatch
from nixio_fixtures import Kind

#: From Linux's <asm/socket.h> and <linux/filter.h>.
_SO_ATTACH_FILTER, _BPF_RET = 26, 6

#: Bytes of the control messages that are received with one datagram.
_CONTROL = 100
#: Bytes that the smallest send buffer of any system holds.
_SMALL = 2048

#: Host and port, or path and None, as the implementation takes and returns them.
Address = tuple[str | bytes, int | None]
#: The same as the standard library takes it.
SystemAddress = tuple[str, int] | str | bytes
_T = TypeVar("_T")


class Peer:
    """A socket of the suite. Each method makes one call and raises `Mismatch` if it fails or times out.

    For the other end can cause every failure but those of this host (`_of_this_host`): then the `OSError` is raised.

    Addresses have the contract's shape: `(host, port)`, for UNIX `(path, None)`.
    """

    def __init__(self, transcript: Transcript, kind: Kind, sock: socket.socket | None = None, name: str = "") -> None:
        self.kind = kind
        self.name = name or transcript.name("peer")
        self._transcript = transcript
        if sock is None:
            family, type_ = family_of(kind), type_of(kind)
            sock = self._record(
                "socket",
                lambda: socket.socket(family, type_),
                f"{self.name} = socket.socket(socket.{family.name}, socket.{type_.name})",
            )
        self.socket = sock
        self.socket.settimeout(PEER)

    def __repr__(self) -> str:
        return self.name

    @property
    def address(self) -> Address:
        """Its own address."""
        return contract_address(self.kind, self.socket.getsockname())

    @property
    def remote(self) -> Address:
        """The address that it is connected to; raises `Mismatch` if it is not."""
        try:
            return contract_address(self.kind, self.socket.getpeername())
        except OSError as error:
            raise Mismatch(f"{self.name}, the peer", "connected", str(error)) from error

    def bind(self, host: str | bytes, port: int | None = 0) -> Peer:
        """Bind to this host and port, or path; port 0 is any free one, and is ignored for UNIX. Returns itself."""
        where = system_address(self.kind, host, port)
        self._record("bind", lambda: self.socket.bind(where), arguments=(where,))
        self._transcript.steps[-1].values = self.address
        return self

    def listen(self, backlog: int = 8) -> Peer:
        """Listen. Returns itself."""
        self._record("listen", lambda: self.socket.listen(backlog), arguments=(backlog,))
        return self

    def connect(self, address: Address) -> Peer:
        """Connect, and wait until it is connected. Returns itself."""
        self._to(address, "connect", self.socket.connect)
        self._transcript.steps[-1].values = self.address
        return self

    def connect_now(self, address: Address) -> bool:
        """Connect without waiting. Returns whether it could: on UNIX it cannot when the listener's queue is full."""

        def connect(where: SystemAddress) -> bool:
            try:
                self._without_waiting(lambda: self.socket.connect(where))
            except BlockingIOError:
                return False
            return True

        code = f"{self.name}.setblocking(False); {self.name}.connect_ex({system_address(self.kind, *address)!r})"
        return self._to(address, "connect", connect, code=code)

    def attempt(self, address: Address) -> str:
        """Try to connect. Returns the symbolic name of the error, or an empty text if it is connected."""
        number = self._to(address, "connect_ex", self.socket.connect_ex)
        return errno.errorcode.get(number, str(number)) if number else ""

    def setsockopt(self, level: int, number: int, value: int | bytes) -> Peer:
        """Set an option of this socket, by the system's numbers. Returns itself."""
        self._record(
            "setsockopt", lambda: self.socket.setsockopt(level, number, value), arguments=(level, number, value)
        )
        return self

    def accept(self) -> Peer:
        """Accept the next connection, and return the peer for it. The case has to `keep` it."""
        name = self._transcript.name("peer")
        accepted, _ = self._record("accept", self.socket.accept, f"{name}, _ = {self.name}.accept()")
        return Peer(self._transcript, self.kind, accepted, name)

    def send(self, data: bytes) -> None:
        """Send all of the data, on a datagram socket as one datagram.

        The send buffer is made large enough first, so that it does not wait for a reader. Skips the case where it
        waits all the same, or is refused, because this host grants less.
        """

        def send() -> None:
            try:
                self.socket.sendall(data)
            except OSError as error:
                room = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
                full = isinstance(error, TimeoutError) or error.errno == errno.EMSGSIZE
                if full and len(data) > _SMALL and room < 2 * len(data):
                    pytest.skip(f"this host's largest send buffer, of {room} bytes, is too small for {len(data)}")
                raise

        if len(data) > _SMALL:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * len(data))
        self._record("sendall", send, arguments=(data,))

    def send_now(self, data: bytes) -> int | None:
        """Send as many bytes as there is room for, without waiting; returns their number, or None for no room."""
        code = f"{self.name}.send({len(data)} * b'?', socket.MSG_DONTWAIT)"
        return self._record("send", lambda: self._if_ready(lambda: self.socket.send(data)), code, (data,))

    def sendto(self, data: bytes, address: Address) -> None:
        """Send one datagram to an address."""
        self._to(address, "sendto", lambda where: self.socket.sendto(data, where), (data,))

    def send_urgent(self, byte: bytes) -> None:
        """Send one byte of out-of-band data."""
        self._record(
            "send", lambda: self.socket.send(byte, socket.MSG_OOB), f"{self.name}.send({byte!r}, socket.MSG_OOB)"
        )

    def recv(self, size: int = 65536) -> bytes:
        """Receive the next datagram, or at most `size` bytes of the stream; b'' is the end of the stream."""
        return self._record("recv", lambda: self._receive(size), arguments=(size,))

    def recvfrom(self, size: int = 65536) -> tuple[bytes, Address]:
        """Receive the next datagram, and return it with its sender's address."""
        data, where = self._record("recvfrom", lambda: self.socket.recvfrom(size), arguments=(size,))
        self._transcript.budget.receive(len(data))
        return data, contract_address(self.kind, where)

    def recvmsg(self, size: int = 65536) -> tuple[bytes, list[tuple[int, int, bytes]]]:
        """Receive the next datagram, and return it with its control messages: level, type and data of each."""
        sizes = (size, _CONTROL)
        data, control, _, _ = self._record("recvmsg", lambda: self.socket.recvmsg(*sizes), arguments=sizes)
        self._transcript.budget.receive(len(data))
        return data, control

    def recv_exactly(self, size: int) -> bytes:
        """Receive exactly `size` bytes of the stream; fewer only if it ends before."""

        def receive() -> bytes:
            data = bytearray()
            while len(data) < size:
                chunk = self._receive(size - len(data))
                if not chunk:
                    break
                data += chunk
            return bytes(data)

        return self._record("recv", receive, f"{self.name}.recv({size}, socket.MSG_WAITALL)", (size,))

    def recv_all(self) -> bytes:
        """Receive all data up to the end of the stream."""

        def receive() -> bytes:
            data = bytearray()
            while chunk := self._receive(1 << 20):
                data += chunk
            return bytes(data)

        code = f"while {self.name}.recv(65536): pass"
        return self._record("recv until the end", receive, code)

    def recv_until(self, done: Callable[[], bool]) -> bytes:
        """Receive until `done` returns True; raises `Mismatch` after the timeout for much data."""

        def receive() -> bytes:
            data = bytearray()
            end = time.monotonic() + BULK
            self.socket.settimeout(0.01)
            while not done():
                if time.monotonic() > end:
                    raise TimeoutError
                with contextlib.suppress(TimeoutError):
                    data += self._receive(1 << 20)
            self.socket.settimeout(PEER)
            return bytes(data)

        code = f"{self.name}.recv(1 << 20)"
        return self._record("recv_until_call_returns", receive, code, timeout=BULK)

    def pending(self) -> bytes | None:
        """Receive what has arrived, without waiting; None if nothing has."""

        def receive() -> bytes | None:
            return self._if_ready(lambda: self._receive(1 << 20))

        return self._record("recv without waiting", receive, f"{self.name}.recv(65536, socket.MSG_DONTWAIT)")

    def shutdown(self, how: int = socket.SHUT_WR) -> None:
        """Shut down one direction."""
        self._record("shutdown", lambda: self.socket.shutdown(how), arguments=(how,))

    def close(self) -> None:
        """Close, with FIN on TCP."""
        self._record("close", self.socket.close)

    def reset(self) -> None:
        """Close with a reset (TCP)."""
        linger = struct.pack("ii", 1, 0)
        code = f"{self.name}.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, {linger!r}); {self.name}.close()"

        def abort() -> None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.socket.close()

        self._record("reset", abort, code)

    def vanish(self) -> None:
        """Stop receiving and answering, as if the host were gone (Linux: a filter that drops every packet)."""
        code = f"# {self.name} drops every packet from now on (SO_ATTACH_FILTER)"
        drop_all = ctypes.create_string_buffer(struct.pack("=HBBI", _BPF_RET, 0, 0, 0))
        program = struct.pack("@HP", 1, ctypes.addressof(drop_all))
        self._record("vanish", lambda: self.socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program), code)

    def discard(self) -> None:
        """Close at the end of the case, with a reset, so that no connection is left in TIME_WAIT."""
        if self.kind.domain != "unix" and self.kind.type == "stream":
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):  # an implementation in this process may have closed its descriptor
            self.socket.close()

    def _to(
        self,
        address: Address,
        method: str,
        call: Callable[[SystemAddress], _T],
        before: tuple[object, ...] = (),
        code: str = "",
    ) -> _T:
        """Record a call with this address, which the implementation may have returned: it need not be one."""
        where = system_address(self.kind, *address)

        def action() -> _T:
            try:
                return call(where)
            except (ValueError, OverflowError, TypeError) as error:
                raise OSError(f"not an address: {error}") from error

        return self._record(method, action, code, (*before, where))

    def _if_ready(self, action: Callable[[], _T]) -> _T | None:
        """Call it without waiting; None if it would have to wait."""
        try:
            return self._without_waiting(action)
        except BlockingIOError:
            return None

    def _without_waiting(self, action: Callable[[], _T]) -> _T:
        """Call it with the socket in non-blocking mode."""
        self.socket.settimeout(0)
        try:
            return action()
        finally:
            self.socket.settimeout(PEER)

    def _receive(self, size: int) -> bytes:
        """Receive without recording it. Raises `CaseTimedOut` when the case's budget is used up."""
        data = self.socket.recv(size)
        self._transcript.budget.receive(len(data))
        return data

    def _record(
        self,
        method: str,
        action: Callable[[], _T],
        code: str = "",
        arguments: tuple[object, ...] = (),
        timeout: float = PEER,
    ) -> _T:
        step = self._transcript.begin("peer", "" if method == "socket" else self.name, method, arguments)
        step.code = code or f"{self.name}.{method}({', '.join(repr(argument) for argument in arguments)})"
        try:
            result = action()
        except TimeoutError:
            self._transcript.end(step, f"nothing within {timeout:g} s")
            raise Mismatch(f"the peer's call {step.call}", "a result", f"nothing within {timeout:g} s") from None
        except OSError as error:
            self._transcript.end(step, str(error))
            if _of_this_host(error, self.kind, arguments):
                raise
            raise Mismatch(f"the peer's call {step.call}", "success", str(error)) from error
        except CaseTimedOut as error:
            self._transcript.end(step, str(error))
            raise
        self._transcript.end(step, "" if result is None else show(result))
        return result


def _of_this_host(error: OSError, kind: Kind, arguments: tuple[object, ...]) -> bool:
    """Whether the implementation cannot have caused an error: no room, or a refusal without a file that forbids it."""
    if error.errno not in (errno.EACCES, errno.EPERM, errno.EIO):
        return out_of_resources(error)
    if error.errno == errno.EPERM and kind.domain == "unix":  # Linux: the other end is connected elsewhere
        return False
    for path in arguments[-1:]:
        if isinstance(path, str):  # a socket file, which the implementation may have protected, as its folder
            return os.access(path if os.path.exists(path) else os.path.dirname(path), os.W_OK)
    return True


def family_of(kind: Kind) -> socket.AddressFamily:
    """The address family of a kind in the standard library."""
    names = {"inet": "AF_INET", "inet6": "AF_INET6", "unix": "AF_UNIX"}
    return socket.AddressFamily(getattr(socket, names[kind.domain]))


def type_of(kind: Kind) -> socket.SocketKind:
    """The socket type of a kind in the standard library."""
    return {"stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM, "raw": socket.SOCK_RAW}[kind.type]


def contract_address(kind: Kind, address: object) -> Address:
    """An address of the standard library in the contract's shape: `(host, port)`, for UNIX `(path, None)`."""
    if kind.domain == "unix":
        # The standard library returns an empty name as '' or b'', and recvfrom() as None.
        return (address if isinstance(address, (str, bytes)) and address else ""), None
    if isinstance(address, tuple):
        return str(address[0]), int(address[1])
    return "", None


def system_address(kind: Kind, host: str | bytes, port: int | None) -> SystemAddress:
    """An address in the contract's shape as the standard library takes it; without a port it is port 0."""
    return host if kind.domain == "unix" else (str(host), port or 0)
