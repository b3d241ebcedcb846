"""The other end: the standard library's socket, recorded, and with a deadline on everything that waits."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import socket
import struct
import time
from collections.abc import Callable
from typing import TypeVar

from nixio_conformance.driver.text import show
from nixio_conformance.driver.timeouts import BULK, PEER
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.toolkit.expect import Mismatch
from nixio_fixtures import Kind

#: Linux's <asm/socket.h> and <linux/filter.h>
_SO_ATTACH_FILTER, _BPF_RET = 26, 6

#: Bytes that any system's smallest buffer holds.
_SMALL = 2048

Address = tuple[str | bytes, int | None]
_T = TypeVar("_T")


class Peer:
    """A socket of the suite's own. Addresses are `(host, port)`, as the port gives them."""

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
        """Its own address, in the contract's shape."""
        return contract_address(self.kind, self.socket.getsockname())

    @property
    def remote(self) -> Address:
        """The address that it is connected to, in the contract's shape."""
        return contract_address(self.kind, self.socket.getpeername())

    def bind(self, host: str | bytes, port: int | None = 0) -> Peer:
        """Bind; port is ignored for UNIX."""
        where = system_address(self.kind, host, port)
        self._record("bind", lambda: self.socket.bind(where), arguments=(where,))
        self._transcript.steps[-1].values = self.address
        return self

    def listen(self, backlog: int = 8) -> Peer:
        """Listen."""
        self._record("listen", lambda: self.socket.listen(backlog), arguments=(backlog,))
        return self

    def connect(self, address: Address) -> Peer:
        """Connect, waiting for it."""
        where = system_address(self.kind, *address)
        self._record("connect", lambda: self.socket.connect(where), arguments=(where,))
        self._transcript.steps[-1].values = self.address
        return self

    def attempt(self, address: Address) -> str:
        """Try to connect: the symbolic name of the error, or an empty text when it worked."""
        where = system_address(self.kind, *address)
        number = self._record("connect_ex", lambda: self.socket.connect_ex(where), arguments=(where,))
        return errno.errorcode.get(number, str(number)) if number else ""

    def setsockopt(self, level: int, number: int, value: int | bytes) -> Peer:
        """Set an option of the peer's own socket."""
        self._record(
            "setsockopt", lambda: self.socket.setsockopt(level, number, value), arguments=(level, number, value)
        )
        return self

    def accept(self) -> Peer:
        """The next connection; a mismatch when none comes."""
        name = self._transcript.name("peer")
        accepted, _ = self._record("accept", self.socket.accept, f"{name}, _ = {self.name}.accept()")
        return Peer(self._transcript, self.kind, accepted, name)

    def send(self, data: bytes) -> None:
        """Send all of it (a datagram: at once). It waits for no reader: the buffer is made large enough."""
        if len(data) > _SMALL:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * len(data))
        self._record("sendall", lambda: self.socket.sendall(data), arguments=(data,))

    def sendto(self, data: bytes, address: Address) -> None:
        """Send one datagram there."""
        where = system_address(self.kind, *address)
        self._record("sendto", lambda: self.socket.sendto(data, where), arguments=(data, where))

    def send_urgent(self, byte: bytes) -> None:
        """Send one byte out of band."""
        self._record(
            "send", lambda: self.socket.send(byte, socket.MSG_OOB), f"{self.name}.send({byte!r}, socket.MSG_OOB)"
        )

    def recv(self, size: int = 65536) -> bytes:
        """What comes next: a chunk, a datagram, or b'' at the end of the stream; a mismatch when nothing comes."""
        return self._record("recv", lambda: self.socket.recv(size), arguments=(size,))

    def recvfrom(self, size: int = 65536) -> tuple[bytes, Address]:
        """The next datagram and who sent it."""
        data, where = self._record("recvfrom", lambda: self.socket.recvfrom(size), arguments=(size,))
        return data, contract_address(self.kind, where)

    def recv_exactly(self, size: int) -> bytes:
        """That many bytes of the stream; fewer only when the stream ends before."""

        def receive() -> bytes:
            data = bytearray()
            while len(data) < size:
                chunk = self.socket.recv(size - len(data))
                if not chunk:
                    break
                data += chunk
            return bytes(data)

        return self._record("recv", receive, f"{self.name}.recv({size}, socket.MSG_WAITALL)", (size,))

    def recv_all(self) -> bytes:
        """Everything until the stream ends."""

        def receive() -> bytes:
            data = bytearray()
            while chunk := self.socket.recv(1 << 20):
                data += chunk
            return bytes(data)

        code = f"while {self.name}.recv(65536): pass"
        return self._record("recv until the end", receive, code)

    def recv_until(self, done: Callable[[], bool]) -> bytes:
        """What comes until something is done, which a mismatch says when it takes too long."""

        def receive() -> bytes:
            data = bytearray()
            end = time.monotonic() + BULK
            self.socket.settimeout(0.01)
            while not done():
                if time.monotonic() > end:
                    raise TimeoutError
                with contextlib.suppress(TimeoutError):
                    data += self.socket.recv(1 << 20)
            self.socket.settimeout(PEER)
            return bytes(data)

        code = f"{self.name}.recv(1 << 20)"
        return self._record("recv while the port sends", receive, code, timeout=BULK)

    def pending(self) -> bytes | None:
        """What is there already, without waiting: None when nothing is."""

        def receive() -> bytes | None:
            self.socket.settimeout(0)
            try:
                return self.socket.recv(1 << 20)
            except BlockingIOError:
                return None
            finally:
                self.socket.settimeout(PEER)

        return self._record("recv without waiting", receive, f"{self.name}.recv(65536, socket.MSG_DONTWAIT)")

    def shutdown(self, how: int = socket.SHUT_WR) -> None:
        """Close one direction."""
        self._record("shutdown", lambda: self.socket.shutdown(how), arguments=(how,))

    def close(self) -> None:
        """Close in order."""
        self._record("close", self.socket.close)

    def reset(self) -> None:
        """Close so that the port's end sees a reset (TCP)."""
        linger = struct.pack("ii", 1, 0)
        code = f"{self.name}.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, {linger!r}); {self.name}.close()"

        def abort() -> None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.socket.close()

        self._record("reset", abort, code)

    def vanish(self) -> None:
        """Neither hear nor answer any more, as if the host were gone (Linux: a filter that drops all)."""
        code = f"# {self.name} drops all that comes in from now on (SO_ATTACH_FILTER)"
        drop_all = ctypes.create_string_buffer(struct.pack("=HBBI", _BPF_RET, 0, 0, 0))
        program = struct.pack("@HP", 1, ctypes.addressof(drop_all))
        self._record("vanish", lambda: self.socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program), code)

    def discard(self) -> None:
        """Let go of it at the end of a case, leaving no connection in TIME_WAIT behind."""
        if self.kind.domain != "unix" and self.kind.type == "stream":
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

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
            raise Mismatch(f"at the peer, {step.call}", "an answer", f"nothing within {timeout:g} s") from None
        except OSError as error:
            self._transcript.end(step, str(error))
            raise Mismatch(f"at the peer, {step.call}", "success", str(error)) from error
        self._transcript.end(step, "" if result is None else show(result))
        return result


def family_of(kind: Kind) -> socket.AddressFamily:
    """The address family of a kind in the standard library."""
    names = {"inet": "AF_INET", "inet6": "AF_INET6", "unix": "AF_UNIX"}
    return socket.AddressFamily(getattr(socket, names[kind.domain]))


def type_of(kind: Kind) -> socket.SocketKind:
    """The socket type of a kind in the standard library."""
    return {"stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM, "raw": socket.SOCK_RAW}[kind.type]


def contract_address(kind: Kind, address: object) -> Address:
    """An address of the standard library in the contract's shape."""
    if kind.domain == "unix":
        # The kernel's empty name comes as '' or as b'' or, from recvfrom, as None.
        return (address if isinstance(address, (str, bytes)) and address else ""), None
    if isinstance(address, tuple):
        return str(address[0]), int(address[1])
    return "", None


def system_address(kind: Kind, host: str | bytes, port: int | None) -> tuple[str, int] | str | bytes:
    """An address in the contract's shape as the standard library takes it."""
    return host if kind.domain == "unix" else (str(host), port or 0)
