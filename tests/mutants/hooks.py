"""Classes that pass calls on to the reference through hook methods. A fault overrides one hook.

`pass_on` returns the arguments to call the reference with, `result` what the method returns, and `failed` what it
returns or raises in place of an error. Hooks apply to `methods` only.
"""

from __future__ import annotations

from typing import Any, ClassVar

from tests.mutants.wrapper import RECEIVING, SENDING, Wrapped, chunk


class Sender(Wrapped):
    """send, write and sendto, with hooks."""

    methods: ClassVar[tuple[str, ...]] = SENDING

    def applies(self) -> bool:
        """Whether this socket is faulty."""
        return True

    def pass_on(self, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
        """The buffer, offset and length to send."""
        return buffer, offset, length

    def result(self, sent: Any, buffer: Any, offset: Any, length: Any) -> Any:
        """The result, from the number of bytes that were sent."""
        return sent

    def failed(self, error: OSError, buffer: Any, offset: Any, length: Any) -> Any:
        """The result in place of an OSError."""
        raise error

    def transmit(self, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
        """One call of the method `name`; `to` is empty, or host and port."""
        function = getattr(self.inner, name)
        if name not in self.methods or not self.applies():
            return function(buffer, *to, *chunk(offset, length))
        handed, start, count = self.pass_on(buffer, offset, length)
        try:
            sent = function(handed, *to, *chunk(start, count))
        except OSError as error:
            return self.failed(error, buffer, offset, length)
        return self.result(sent, buffer, offset, length)

    def send(self, buffer: Any, offset: Any = None, length: Any = None) -> Any:
        return self.transmit("send", buffer, (), offset, length)

    def write(self, buffer: Any, offset: Any = None, length: Any = None) -> Any:
        return self.transmit("write", buffer, (), offset, length)

    def sendto(self, buffer: Any, host: Any, port: Any = None, offset: Any = None, length: Any = None) -> Any:
        return self.transmit("sendto", buffer, (host, port), offset, length)


class Receiver(Wrapped):
    """recv, read and recvfrom, with hooks."""

    methods: ClassVar[tuple[str, ...]] = RECEIVING

    def applies(self) -> bool:
        """Whether this socket is faulty."""
        return True

    def pass_on(self, length: Any) -> Any:
        """The length to receive."""
        return length

    def result(self, data: bytes, length: Any) -> Any:
        """The data of the result."""
        return data

    def sender(self, host: Any, port: Any) -> tuple[Any, ...]:
        """The values after the data in recvfrom's result."""
        return host, port

    def failed(self, error: OSError, length: Any) -> Any:
        """The data of the result in place of an OSError."""
        raise error

    def receive(self, name: str, length: Any) -> Any:
        """One call of the method `name`."""
        if name not in self.methods or not self.applies():
            return getattr(self.inner, name)(length)
        host: Any = None
        port: Any = None
        try:
            result = getattr(self.inner, name)(self.pass_on(length))
        except OSError as error:
            data = self.failed(error, length)
        else:
            data, host, port = result if name == "recvfrom" else (result, None, None)
            data = self.result(data, length)
        return (data, *self.sender(host, port)) if name == "recvfrom" else data

    def recv(self, length: Any) -> Any:
        return self.receive("recv", length)

    def read(self, length: Any) -> Any:
        return self.receive("read", length)

    def recvfrom(self, length: Any) -> Any:
        return self.receive("recvfrom", length)


class Hooked(Wrapped):
    """The methods that exchange no data, with hooks."""

    methods: ClassVar[tuple[str, ...]] = ()

    def before(self, *arguments: Any) -> None:
        """Runs before the call."""

    def pass_on(self, *arguments: Any) -> tuple[Any, ...]:
        """The arguments to call with."""
        return arguments

    def after(self, result: Any) -> None:
        """Runs after a call that succeeded."""

    def result(self, result: Any) -> Any:
        """The result."""
        return result

    def failed(self, error: Exception) -> Any:
        """The result in place of any failure, including a refused argument."""
        raise error

    def hooked(self, name: str, *arguments: Any) -> Any:
        """One call of the method `name`."""
        function = getattr(super(), name)
        if name not in self.methods:
            return function(*arguments)
        try:
            self.before(*arguments)
            result = function(*self.pass_on(*arguments))
        except (OSError, ValueError, TypeError) as error:
            return self.failed(error)
        self.after(result)
        return self.result(result)

    def getsockname(self) -> Any:
        return self.hooked("getsockname")

    def getpeername(self) -> Any:
        return self.hooked("getpeername")

    def bind(self, *arguments: Any) -> Any:
        return self.hooked("bind", *arguments)

    def connect(self, *arguments: Any) -> Any:
        return self.hooked("connect", *arguments)

    def listen(self, *arguments: Any) -> Any:
        return self.hooked("listen", *arguments)

    def accept(self) -> Any:
        return self.hooked("accept")

    def close(self) -> Any:
        return self.hooked("close")

    def shutdown(self, *arguments: Any) -> Any:
        return self.hooked("shutdown", *arguments)

    def fileno(self) -> Any:
        return self.hooked("fileno")

    def setblocking(self, *arguments: Any) -> Any:
        return self.hooked("setblocking", *arguments)


class Opener(Hooked):
    """bind and connect, with hooks that take the host and the port."""

    def address(self, host: Any, port: Any) -> tuple[Any, Any]:
        """The host and port to call with."""
        return host, port

    def pass_on(self, *arguments: Any) -> tuple[Any, ...]:
        host, port = (*arguments, None, None)[:2]
        return self.address(host, port)


class Optioned(Wrapped):
    """setopt and getopt, with hooks for some pairs of level and option."""

    #: The pairs that are faulty; empty means all.
    pairs: ClassVar[tuple[tuple[str, str], ...]] = ()

    def pass_on(self, value: Any) -> Any:
        """The value to set."""
        return value

    def set_result(self, result: Any, value: Any) -> Any:
        """setopt's result."""
        return result

    def set_failed(self, error: Exception, value: Any) -> Any:
        """setopt's result in place of a failure."""
        raise error

    def get_result(self, value: Any) -> Any:
        """getopt's result."""
        return value

    def get_failed(self, error: Exception) -> Any:
        """getopt's result in place of a failure."""
        raise error

    def applies(self, *pair: Any) -> bool:
        """Whether a pair is one of the faulty ones."""
        return not self.pairs or pair in self.pairs

    def setopt(self, *arguments: Any) -> Any:
        if len(arguments) != 3 or not self.applies(*arguments[:2]):
            return self.inner.setopt(*arguments)
        level, option, value = arguments
        try:
            result = self.inner.setopt(level, option, self.pass_on(value))
        except (OSError, ValueError, TypeError) as error:
            return self.set_failed(error, value)
        return self.set_result(result, value)

    def getopt(self, *arguments: Any) -> Any:
        if len(arguments) != 2 or not self.applies(*arguments):
            return self.inner.getopt(*arguments)
        try:
            value = self.inner.getopt(*arguments)
        except (OSError, ValueError, TypeError) as error:
            return self.get_failed(error)
        return self.get_result(value)
