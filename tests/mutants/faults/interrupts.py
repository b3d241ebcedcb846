"""Signals during a call, and calls that hang or end the process."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import signal
import struct
import sys
import time
from typing import Any

from tests.mutants.hooks import Hooked, Receiver, Sender
from tests.mutants.registry import Group
from tests.mutants.wrapper import FAMILIES, SENDING, Wrapped, flat, is_int, raising, system

GROUP = Group(__name__)
fault = GROUP.fault
interrupted = GROUP.rows(Wrapped, "{}-told")  # words: allow
LENGTH = 8192


def from_c(name: str, *arguments: Any) -> int:
    """Call a function of the C library once, without a retry after a signal. Raises OSError."""
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    function.restype = ctypes.c_ssize_t if name in ("recv", "sendto") else ctypes.c_int
    result = int(function(*arguments))
    if result < 0:
        raise system(ctypes.get_errno())
    return result


class FromC(Receiver):
    """recv and read that are not retried after a signal."""

    def interrupted(self, error: OSError) -> Any:
        """The result in place of EINTR."""
        raise error

    def receive(self, name: str, length: Any) -> Any:
        if name == "recvfrom" or not is_int(length) or length <= 0 or not self.blocking:
            return super().receive(name, length)
        room = ctypes.create_string_buffer(min(length, LENGTH))
        try:
            count = from_c("recv", self.number, room, ctypes.c_size_t(len(room)), 0)
        except InterruptedError as error:
            return self.interrupted(error)
        return room.raw[:count]


interrupted("recv", "recv and read report EINTR", "recv.interrupt.retried", "read.interrupt.retried").override(FromC)
fault("recv-empty", "an interrupted recv returns empty data", "recv.interrupt.retried").override(
    FromC, interrupted=lambda s, e: b""
)
fault("recv-block", "an interrupted recv reports would-block", "recv.interrupt.retried").override(
    FromC, interrupted=lambda s, e: raising(system(errno.EAGAIN))
)


@interrupted("recvfrom", "recvfrom reports EINTR", "recvfrom.interrupt.retried")
def recvfrom(self: Wrapped, *arguments: Any) -> Any:
    if self.blocking and arguments and is_int(arguments[0]) and arguments[0] > 0:
        wait(self.number, select.POLLIN)
    return self.inner.recvfrom(*arguments)


class Poll(ctypes.Structure):
    """poll(2)'s struct pollfd."""

    _fields_ = (("number", ctypes.c_int), ("events", ctypes.c_short), ("found", ctypes.c_short))


def wait(number: int, events: int) -> None:
    """Wait for a descriptor. A signal raises EINTR."""
    from_c("poll", ctypes.byref(Poll(number, events, 0)), 1, -1)


@interrupted("accept", "accept reports EINTR", "accept.interrupt.retried")
def accept(self: Wrapped) -> Any:
    if self.blocking and self.listens and self.inner.getopt("socket", "rcvtimeo") == (0, 0):
        wait(self.number, select.POLLIN)
    return Wrapped.accept(self)


@interrupted(
    "send",
    "send and write report EINTR although bytes were sent",
    "send.interrupt.counted",
    "write.interrupt.counted",
    methods=("send", "write"),
)
def transmit(self: Sender, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
    data = flat(buffer)
    if to or offset is not None or length is not None or not self.stream or not self.blocking or len(data) < LENGTH:
        return Sender.transmit(self, name, buffer, to, offset, length)
    sent = 0
    while sent < len(data):  # like a library that sends everything and stops at a signal
        wait(self.number, select.POLLOUT)
        with self.for_now(blocking=False):
            sent += self.inner.send(data[sent:])
    return sent


class SendsFromC(Sender):
    """A send without a retry after a signal: it returns what was sent before, or raises EINTR."""

    def transmit(self, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
        plain = offset is None and length is None and self.blocking
        if name not in self.methods or not plain or (to and not self.unix):
            return super().transmit(name, buffer, to, offset, length)
        data = flat(buffer)
        address = unix_address(to[0]) if to else b""
        return from_c("sendto", self.number, data, ctypes.c_size_t(len(data)), 0, address or None, len(address))


each = GROUP.rows(SendsFromC, "{method}-full-told", "{method} {}", "{method}.{}", methods=SENDING)  # words: allow
each("full", "reports EINTR before anything is sent", "interrupt.retried").override()


def unix_address(path: str) -> bytes:
    """A path as a struct sockaddr_un."""
    return struct.pack("=H", FAMILIES["unix"]) + path.encode() + b"\0"


@interrupted("connect", "connect reports EINTR", "connect.interrupt.finished")
def connect(self: Wrapped, *arguments: Any) -> Any:
    if not (self.unix and self.stream and self.blocking and arguments and isinstance(arguments[0], str)):
        return self.inner.connect(*arguments)
    path = arguments[0].encode()
    if not 0 < len(path) < 108 or 0 in path:
        return self.inner.connect(*arguments)
    address = unix_address(arguments[0])
    from_c("connect", self.number, address, len(address))
    return True


@fault("signal-lost", "a call that waits replaces a signal's handler", "recv.interrupt.*")
class Masked(Receiver):
    def failed(self, error: OSError, length: Any) -> Any:
        raise error

    def receive(self, name: str, length: Any) -> Any:
        if not self.blocking or not is_int(length) or length <= 0 or self.type == "raw":
            return super().receive(name, length)
        previous = signal.signal(signal.SIGUSR1, raises)
        try:
            return super().receive(name, length)
        finally:
            signal.signal(signal.SIGUSR1, previous)


def raises(number: int, frame: object) -> None:
    """A signal handler that ends the call."""
    raise RuntimeError("a signal came")


def hang(sock: Any, *arguments: Any) -> Any:
    """Sleep forever."""
    while True:
        time.sleep(60)


def loop(sock: Any, *arguments: Any) -> Any:
    """Loop forever."""
    while True:
        pass


def leave(sock: Any, *arguments: Any) -> Any:
    """Exit the process with status 0."""
    sys.exit(0)


def die(sock: Any, *arguments: Any) -> Any:
    """Exit the process without cleaning up."""
    os._exit(7)


def crash(sock: Any, *arguments: Any) -> Any:
    """Cause a segmentation fault."""
    ctypes.string_at(0)


def abort(sock: Any, *arguments: Any) -> Any:
    """Abort the process."""
    os.abort()


def interrupt(sock: Any, *arguments: Any) -> Any:
    """Raise what Ctrl-C does."""
    raise KeyboardInterrupt


def recurse(sock: Any, *arguments: Any) -> Any:
    """Recurse without end."""
    return recurse(sock, *arguments)


def closes_all(sock: Any, *arguments: Any) -> Any:
    """Close all descriptors of the process from 3 on."""
    os.closerange(3, 64)
    return True


fault("hangs-listen", "listen hangs", "listen.result.true").override(listen=hang)
fault("hangs-getsockname", "getsockname hangs", "getsockname.result.shape").override(getsockname=hang)
fault("loops-fileno", "fileno loops forever", "fileno.result.number").override(fileno=loop)
fault("leaves-setblocking", "setblocking exits the process", "setblocking.result.true").override(setblocking=leave)
fault("dies-shutdown", "shutdown exits the process with os._exit", "shutdown.result.true").override(shutdown=die)
fault("crashes-getpeername", "getpeername crashes", "getpeername.result.shape").override(getpeername=crash)
fault("aborts-accept", "accept aborts the process", "accept.result.values").override(accept=abort)
fault("interrupts-bind", "bind raises KeyboardInterrupt", "bind.result.true").override(bind=interrupt)
fault("recurses-close", "close recurses without end", "close.result.true").override(close=recurse)
fault("closes-all", "shutdown closes every descriptor of the process", "shutdown.result.true").override(
    shutdown=closes_all
)


@fault("alarm", "connect sets an alarm that kills the process", "connect.*", methods=("connect",))
def result(self: Hooked, result: Any) -> Any:
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    return result


@fault("garbage-answer", "recv writes a forged reply to every descriptor", "recv.data.arrives")
def result(self: Receiver, data: bytes, length: Any) -> Any:
    line = b'{"id": 1, "reply": "values", "values": [true]}\n'
    for number in range(3, 12):
        try:
            if not os.path.exists(f"/proc/self/fd/{number}") or "pipe" in os.readlink(f"/proc/self/fd/{number}"):
                os.write(number, line)
        except OSError:
            continue
    return data
