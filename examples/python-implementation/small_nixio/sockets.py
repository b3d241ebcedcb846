"""The socket class: each method checks its arguments, makes the system call, and returns what nixio documents."""

from __future__ import annotations

import errno
import os
import socket as system
from collections.abc import Callable
from typing import Any

from small_nixio import options

LIMIT = 8192
FAMILIES = {"inet": "AF_INET", "inet6": "AF_INET6", "unix": "AF_UNIX"}
TYPES = {"stream": "SOCK_STREAM", "dgram": "SOCK_DGRAM", "raw": "SOCK_RAW"}
PROTOCOLS = {"icmp": 1, "icmpv6": 58}
DIRECTIONS = {"rdwr": system.SHUT_RDWR, "rd": system.SHUT_RD, "wr": system.SHUT_WR}

Address = tuple[str | bytes, int | None]


def socket(domain: str, type: str, protocol: str | int | None = None) -> Socket:  # noqa: A002 - the contract's name
    """A new socket; ValueError for a name that nixio does not document."""
    if domain not in FAMILIES or type not in TYPES:
        raise ValueError(f"no such socket: {domain!r}, {type!r}")
    if isinstance(protocol, str):
        if protocol not in PROTOCOLS:
            raise ValueError(f"no such protocol: {protocol!r}")
        protocol = PROTOCOLS[protocol]
    number = 0 if protocol is None else whole(protocol)
    if not 0 <= number < 2**31:
        raise ValueError(f"{number} is not a protocol number")
    return Socket(system.socket(getattr(system, FAMILIES[domain]), getattr(system, TYPES[type]), number))


class Socket:
    """A socket of nixio over one of the standard library."""

    def __init__(self, held: system.socket) -> None:
        held.settimeout(None)
        self._held = held

    def _open(self) -> system.socket:
        if self._held.fileno() < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._held

    def _address(self, found: Any) -> Address:
        if self._held.family == system.AF_UNIX:
            return found or "", None
        return (found[0], found[1]) if found else ("", None)

    # addresses

    def getsockname(self) -> Address:
        return self._address(self._open().getsockname())

    def getpeername(self) -> Address:
        return self._address(self._open().getpeername())

    def bind(self, host: str | bytes | None, port: int | str | None = None) -> bool:
        return self._first(self._open().bind, host, port, system.AI_PASSIVE)

    def connect(self, host: str | bytes | None, port: int | str | None = None) -> bool:
        return self._first(self._open().connect, host, port, 0)

    def _first(self, call: Callable[[Any], None], host: str | bytes | None, port: int | str | None, flags: int) -> bool:
        """Try the resolver's addresses until the call succeeds with one; else raise the last failure."""
        held = self._held
        if held.family == system.AF_UNIX:
            path = path_of(host)
            call(path)
            while call == held.connect and not self._is_connected():
                # After a signal, Python's connect() returns even if the listener's queue is still full.
                call(path)
            return True
        name = name_of(host, empty=True)
        if held.type == system.SOCK_RAW:
            found = system.getaddrinfo(
                name or ("::" if held.family == system.AF_INET6 else "0.0.0.0"), None, held.family
            )
        else:
            found = system.getaddrinfo(name, port_of(port), held.family, held.type, 0, flags)
        failed: OSError = system.gaierror(system.EAI_NONAME, "no addresses")
        for *_, address in found:
            try:
                call(address)
            except OSError as error:
                if error.errno in (errno.EINPROGRESS, errno.EALREADY, errno.EISCONN):
                    raise
                failed = error
            else:
                return True
        raise failed

    def _is_connected(self) -> bool:
        try:
            self._held.getpeername()
        except OSError as error:
            return error.errno != errno.ENOTCONN
        return True

    # connections

    def listen(self, backlog: int) -> bool:
        self._open().listen(min(max(whole(backlog), 0), 2**31 - 1))
        return True

    def accept(self) -> tuple[Socket, str | bytes, int | None]:
        held, address = self._open().accept()
        return Socket(held), *self._address(address)

    def shutdown(self, how: str | None = None) -> bool:
        if how is not None and how not in DIRECTIONS:
            raise ValueError(f"{how!r} is not one of rdwr, rd, wr")
        self._open().shutdown(DIRECTIONS[how or "rdwr"])
        return True

    # data

    def sendto(
        self,
        buffer: Any,
        host: str | bytes,
        port: int | str | None,
        offset: int | None = None,
        length: int | None = None,
    ) -> int:
        data = selected(buffer, offset, length)
        held = self._open()
        if held.family == system.AF_UNIX:
            return held.sendto(data, path_of(host))
        number = port_of(port)
        if not number.isdigit():
            raise ValueError(f"{port!r} is not the number of a port")
        name = name_of(host, empty=False)
        found = system.getaddrinfo(name, number, held.family, system.SOCK_DGRAM, 0, system.AI_NUMERICHOST)
        return held.sendto(data, found[0][4])

    def send(self, buffer: Any, offset: int | None = None, length: int | None = None) -> int:
        return self._open().send(selected(buffer, offset, length))

    write = send

    def recvfrom(self, length: int) -> tuple[bytes, str | bytes, int | None]:
        held = self._open()
        data, address = held.recvfrom(size) if (size := receive_size(length)) else (self.recv(0), None)
        return data, *self._address(address)

    def recv(self, length: int) -> bytes:
        return self._open().recv(receive_size(length))

    read = recv

    # the descriptor

    def close(self) -> bool:
        self._open().close()
        return True

    def fileno(self) -> int:
        return self._open().fileno()

    def setblocking(self, blocking: bool) -> bool:
        if not isinstance(blocking, bool):
            raise TypeError("blocking is true or false")
        self._open().setblocking(blocking)
        return True

    def setopt(self, level: str, option: str, value: Any) -> bool:
        options.find(level, option).set(self._open(), value)
        return True

    def getopt(self, level: str, option: str) -> Any:
        return options.find(level, option).get(self._open())

    def __del__(self) -> None:
        if hasattr(self, "_held"):
            self._held.close()


def whole(value: Any) -> int:
    """An int, but no bool; else TypeError."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not an integer")
    return int(value)


def receive_size(length: Any) -> int:
    """The number of bytes to receive at most."""
    wanted = whole(length)
    if wanted < 0:
        raise ValueError("a length is not negative")
    return min(wanted, LIMIT)


def selected(buffer: Any, offset: Any, length: Any) -> memoryview:
    """The part of a buffer that offset and length select, in bytes."""
    data = memoryview(buffer).cast("B") if not isinstance(buffer, memoryview) else memoryview(buffer.tobytes())
    start = 0 if offset is None else whole(offset)
    count = len(data) if length is None else whole(length)
    if start < 0 or count < 0:
        raise ValueError("offset and length are not negative")
    return data[start : start + count]


def port_of(port: Any) -> str:
    """A port for the resolver. Invalid numbers are refused here, because resolvers truncate them to 16 bits."""
    text = port if isinstance(port, str) else str(whole(port))
    number = text.isascii() and text.isdigit()
    if number and int(text) > 65535:
        raise ValueError(f"port {text} is out of range")
    if not number and not text[:1].isalpha():
        raise ValueError(f"{text!r} is neither a port nor a service")
    return text


def name_of(host: Any, *, empty: bool) -> str | None:
    """A host for the resolver."""
    if host is None and empty:
        return None
    if not isinstance(host, str):
        raise TypeError(f"{host!r} is not a host")
    if "\0" in host:
        raise ValueError("a host has no NUL")
    return host


def path_of(host: Any) -> str | bytes:
    """A UNIX address: a path that fits into sockaddr_un, or an abstract name."""
    if not isinstance(host, (str, bytes)):
        raise TypeError(f"{host!r} is not a path")
    path = os.fsencode(host)
    if not path or (b"\0" in path and not path.startswith(b"\0")):
        raise ValueError(f"{host!r} is not a path")
    if len(path) > 107:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    return path
