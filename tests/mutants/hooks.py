"""Classes that hand every call on through hooks: one for each thing that a port can get wrong."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.mutants.wrapper import RECEIVING, SENDING, Port, chunk


class Sender(Port):
    """send, write and sendto through hooks."""

    #: The methods that are different.
    methods: ClassVar[tuple[str, ...]] = SENDING

    def applies(self) -> bool:
        """Whether this socket is different."""
        return True

    def chosen(self, buffer: Any, offset: Any, length: Any) -> tuple[Any, Any, Any]:
        """The buffer, offset and length that are handed on."""
        return buffer, offset, length

    def told(self, sent: Any, buffer: Any, offset: Any, length: Any) -> Any:
        """The result, from the number of bytes that were sent."""
        return sent

    def failed(self, error: OSError, buffer: Any, offset: Any, length: Any) -> Any:
        """What becomes of a failure of the system."""
        raise error

    def transmit(self, name: str, buffer: Any, to: tuple[Any, ...], offset: Any, length: Any) -> Any:
        """One call of `name`; `to` is empty, or host and port."""
        function = getattr(self.inner, name)
        if name not in self.methods or not self.applies():
            return function(buffer, *to, *chunk(offset, length))
        handed, start, count = self.chosen(buffer, offset, length)
        try:
            sent = function(handed, *to, *chunk(start, count))
        except OSError as error:
            return self.failed(error, buffer, offset, length)
        return self.told(sent, buffer, offset, length)

    def send(self, buffer: Any, offset: Any = None, length: Any = None) -> Any:
        return self.transmit("send", buffer, (), offset, length)

    def write(self, buffer: Any, offset: Any = None, length: Any = None) -> Any:
        return self.transmit("write", buffer, (), offset, length)

    def sendto(self, buffer: Any, host: Any, port: Any = None, offset: Any = None, length: Any = None) -> Any:
        return self.transmit("sendto", buffer, (host, port), offset, length)


class Receiver(Port):
    """recv, read and recvfrom through hooks."""

    methods: ClassVar[tuple[str, ...]] = RECEIVING

    def applies(self) -> bool:
        """Whether this socket is different."""
        return True

    def asked(self, length: Any) -> Any:
        """The length that is handed on."""
        return length

    def got(self, data: bytes, length: Any) -> Any:
        """The data of the result."""
        return data

    def sender(self, host: Any, port: Any) -> tuple[Any, ...]:
        """The values of recvfrom's result after the data."""
        return host, port

    def failed(self, error: OSError, length: Any) -> Any:
        """What becomes of a failure of the system, as the data."""
        raise error

    def receive(self, name: str, length: Any) -> Any:
        """One call of `name`."""
        if name not in self.methods or not self.applies():
            return getattr(self.inner, name)(length)
        host: Any = None
        port: Any = None
        try:
            result = getattr(self.inner, name)(self.asked(length))
        except OSError as error:
            data = self.failed(error, length)
        else:
            data, host, port = result if name == "recvfrom" else (result, None, None)
            data = self.got(data, length)
        return (data, *self.sender(host, port)) if name == "recvfrom" else data

    def recv(self, length: Any) -> Any:
        return self.receive("recv", length)

    def read(self, length: Any) -> Any:
        return self.receive("read", length)

    def recvfrom(self, length: Any) -> Any:
        return self.receive("recvfrom", length)


class Hooked(Port):
    """One method, `method`, through hooks: its arguments, its result and its failures."""

    method: ClassVar[str] = ""

    def given(self, *arguments: Any) -> tuple[Any, ...]:
        """The arguments that are handed on."""
        return arguments

    def told(self, result: Any) -> Any:
        """The result."""
        return result

    def failed(self, error: Exception) -> Any:
        """What becomes of a failure, the caller's among them."""
        raise error

    def hooked(self, name: str, *arguments: Any) -> Any:
        """One call of `name`."""
        function = getattr(super(), name)
        if name != self.method:
            return function(*arguments)
        try:
            result = function(*self.given(*arguments))
        except (OSError, ValueError, TypeError) as error:
            return self.failed(error)
        return self.told(result)

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
    """bind or connect through hooks that know host and port."""

    def where(self, host: Any, port: Any) -> tuple[Any, Any]:
        """The host and port that are handed on."""
        return host, port

    def given(self, *arguments: Any) -> tuple[Any, ...]:
        host, port = (*arguments, None, None)[:2]
        return self.where(host, port)


class Optioned(Port):
    """setopt and getopt through hooks, for some pairs of level and option."""

    #: The pairs that are different; none for all.
    pairs: ClassVar[frozenset[tuple[str, str]]] = frozenset()

    def written(self, value: Any) -> Any:
        """The value that is set."""
        return value

    def set_told(self, result: Any, value: Any) -> Any:
        """setopt's result."""
        return result

    def set_failed(self, error: Exception, value: Any) -> Any:
        """What becomes of setopt's failure."""
        raise error

    def found(self, value: Any) -> Any:
        """getopt's result."""
        return value

    def get_failed(self, error: Exception) -> Any:
        """What becomes of getopt's failure."""
        raise error

    def different(self, *pair: Any) -> bool:
        """Whether a pair is one of them."""
        return not self.pairs or pair in self.pairs

    def setopt(self, *arguments: Any) -> Any:
        if len(arguments) != 3 or not self.different(*arguments[:2]):
            return self.inner.setopt(*arguments)
        level, option, value = arguments
        try:
            result = self.inner.setopt(level, option, self.written(value))
        except (OSError, ValueError, TypeError) as error:
            return self.set_failed(error, value)
        return self.set_told(result, value)

    def getopt(self, *arguments: Any) -> Any:
        if len(arguments) != 2 or not self.different(*arguments):
            return self.inner.getopt(*arguments)
        try:
            value = self.inner.getopt(*arguments)
        except (OSError, ValueError, TypeError) as error:
            return self.get_failed(error)
        return self.found(value)
