"""Peers in a sequence: non-blocking sockets of the standard library with the methods of nixio's."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable

from nixio_conformance.driver.errors import out_of_resources
from nixio_conformance.driver.outcome import Failure, Outcome, Returned, errno_name
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.driver.wire import Argument
from nixio_conformance.model.chunk import select_chunk
from nixio_conformance.model.state import WILDCARD
from nixio_conformance.toolkit.peer import contract_address, family_of, system_address, type_of
from nixio_fixtures import Kind

_HOW = {"rd": "SHUT_RD", "wr": "SHUT_WR", "rdwr": "SHUT_RDWR"}


class PeerSocket:
    """A socket of the suite, whose outcomes have the same form as an implementation's, for the same model."""

    def __init__(self, transcript: Transcript, kind: Kind, sock: socket.socket | None = None, name: str = "") -> None:
        self.kind = kind
        self.name = name or transcript.name("peer")
        self._transcript = transcript
        if sock is None:
            family, type_ = family_of(kind), type_of(kind)
            step = transcript.begin("peer", "", "socket", ())
            step.code = f"{self.name} = socket.socket(socket.{family.name}, socket.{type_.name})"
            sock = socket.socket(family, type_)
            transcript.end(step, self.name)
        self.socket = sock
        self.socket.setblocking(False)

    def __repr__(self) -> str:
        return self.name

    def call(self, method: str, *arguments: Argument) -> Outcome:
        """Call a method with nixio's arguments, and record the call in the transcript."""
        action, given = self._action(method, arguments)
        step = self._transcript.begin("peer", self.name, method, given)
        step.code = f"{self.name}.{method}({', '.join(repr(argument) for argument in given)})"
        try:
            outcome: Outcome = Returned(self._values(method, action()))  # type: ignore[arg-type]  # accept() returns a PeerSocket
        except BlockingIOError as error:
            blocks = error.errno in (errno.EAGAIN, errno.EWOULDBLOCK)
            outcome = Failure("would-block" if blocks else "system", errno_name(error.errno), error.errno, str(error))
            if method in ("recv", "recvfrom"):  # in the reproducer this socket has a timeout, and would block
                step.code = f"{self.name}.{method}({given[0]!r}, socket.MSG_DONTWAIT)"
        except OSError as error:
            if out_of_resources(error):
                raise
            outcome = Failure("system", errno_name(error.errno), error.errno, str(error))
        if method == "accept" and isinstance(outcome, Returned):
            step.code = f"{outcome.values[0]!r}, _ = {self.name}.accept()"
        self._transcript.end(step, str(outcome))
        if method == "getsockname" and isinstance(outcome, Returned):
            step.values = outcome.values
        return outcome

    def discard(self) -> None:
        """Close the socket."""
        with contextlib.suppress(OSError):  # an implementation in this process may have closed its descriptor
            self.socket.close()

    def _action(self, method: str, arguments: tuple[Argument, ...]) -> tuple[Callable[[], object], tuple[object, ...]]:
        """The call on the standard library's socket, and its arguments for the transcript."""
        sock = self.socket
        match method:
            case "bind" | "connect":
                address = self._address(*arguments)
                function = sock.bind if method == "bind" else sock.connect
                return lambda: function(address), (address,)
            case "send":
                data = select_chunk(*arguments).data
                return lambda: sock.send(data), (data,)
            case "sendto":
                data, address = select_chunk(arguments[0], *arguments[3:]).data, self._address(*arguments[1:3])
                return lambda: sock.sendto(data, address), (data, address)
            case "shutdown":
                name = _HOW[str(arguments[0]) if arguments else "rdwr"]
                how = getattr(socket, name)
                return lambda: sock.shutdown(how), (int(how),)
            case _:
                function = getattr(sock, method)
                return lambda: function(*arguments), arguments

    def _address(self, host: Argument = None, port: Argument = None) -> tuple[str, int] | str | bytes:
        name = host if isinstance(host, str) else WILDCARD[self.kind.domain]
        return system_address(self.kind, name, port if isinstance(port, int) else None)

    def _values(self, method: str, found: object) -> tuple[object, ...]:
        if method in ("getsockname", "getpeername"):
            return contract_address(self.kind, found)
        if method in ("send", "sendto", "recv"):
            return (found,)
        if method == "recvfrom" and isinstance(found, tuple):
            return found[0], *contract_address(self.kind, found[1])
        if method == "accept" and isinstance(found, tuple):
            name = self._transcript.name("peer")
            return PeerSocket(self._transcript, self.kind, found[0], name), *contract_address(self.kind, found[1])
        return (True,)
