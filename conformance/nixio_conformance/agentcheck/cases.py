"""What a case of the protocol is, and the list of them: each is a function, with what the protocol says beside it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nixio_conformance.agentcheck.agent import Agent, Fault
from nixio_conformance.driver import messages
from nixio_conformance.driver.timeouts import CALL


@dataclass
class Play:
    """What a case is given: the agent, a folder for UNIX sockets, and the other ends."""

    agent: Agent
    folder: Path
    _opened: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def close(self) -> None:
        """Let go of the other ends."""
        self._opened.close()
        for path in self.folder.iterdir():
            path.unlink()

    def peer(self, family: socket.AddressFamily = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """A socket of our own; nothing at it takes longer than `CALL`."""
        made = self._opened.enter_context(socket.socket(family, kind))
        made.settimeout(CALL)
        return made

    def listener(self) -> socket.socket:
        """A socket of our own that listens."""
        made = self.peer()
        made.bind(("127.0.0.1", 0))
        made.listen(64)
        return made

    def connected(self) -> tuple[int, socket.socket]:
        """A stream of the agent that is connected to one of ours: its number, and ours."""
        listening = self.listener()
        number = self.agent.open()
        self.agent.returns("true", number, "connect", "127.0.0.1", listening.getsockname()[1])
        accepted, _ = listening.accept()
        self._opened.enter_context(accepted)
        accepted.settimeout(CALL)
        return number, accepted

    def listening(self) -> tuple[int, int]:
        """A socket of the agent that listens on loopback: its number, and its port."""
        number = self.agent.open()
        self.agent.returns("true", number, "bind", "127.0.0.1", 0)
        self.agent.returns("true", number, "listen", 8)
        return number, self.port_of(number)

    def port_of(self, number: int) -> int:
        """The port that a socket of the agent is bound to."""
        _, port = self.agent.returns("an address", number, "getsockname")
        assert isinstance(port, int)
        return port

    def datagrams(self) -> tuple[int, int]:
        """A datagram socket of the agent that is bound to loopback: its number, and its port."""
        number = self.agent.open("inet", "dgram")
        self.agent.returns("true", number, "bind", "127.0.0.1", 0)
        return number, self.port_of(number)

    def usable(self) -> None:
        """Hold the agent to going on as if nothing had been; it may not open sockets yet, and lack any method."""
        reply = self.agent.ask("socket", args=["inet", "stream"])
        if isinstance(reply, messages.Values):
            (found,) = self.agent.values("socket", reply, "socket")
            assert isinstance(found, messages.SocketRef)
            self.agent.call(found.socket, "fileno")


@dataclass(frozen=True)
class Case:
    """One case: plays something, and raises `Fault` (or `Skipped`)."""

    id: str
    title: str
    says: str
    mend: str
    #: A capability of the agent, or one of this host (`unix`), without which the case is skipped.
    needs: str
    play: Callable[[Play], None]


#: The first words of ids, in order.
CHAPTERS = ("hello", "requests", "values", "failures", "sockets", "pending", "signals", "forget", "reset", "end")
_CASES: list[Case] = []


_Function = Callable[[Play], None]


def case(name: str, *, says: str, mend: str, needs: str = "") -> Callable[[_Function], _Function]:
    """Make a function a case; its docstring is the title."""

    def register(function: _Function) -> _Function:
        title = (function.__doc__ or "").strip().rstrip(".")
        _CASES.append(Case(name, title, says, mend, needs, function))
        return function

    return register


def registered() -> list[Case]:
    """The cases of the modules that were imported, in the order in which somebody who writes an agent meets them."""
    return sorted(_CASES, key=lambda row: CHAPTERS.index(row.id.partition(".")[0]))


def buffer(data: bytes) -> dict[str, str]:
    """Bytes as an argument."""
    return {"type": "buffer", "hex": data.hex()}


def bytes_of(value: messages.Value) -> bytes:
    """The bytes of a value that is a buffer."""
    assert isinstance(value, messages.Buffer)
    try:
        return bytes.fromhex(value.hex)
    except ValueError:
        raise Fault(
            "`hex` is not hexadecimal", "write each byte as two digits of 0-9 and a-f, nothing between"
        ) from None


def receive(peer: socket.socket, count: int) -> bytes:
    """That many bytes of a stream; fewer at its end, or when no more come."""
    got = b""
    with contextlib.suppress(TimeoutError):
        while len(got) < count and (chunk := peer.recv(min(count - len(got), 1 << 20))):
            got += chunk
    return got


def ends(peer: socket.socket) -> bool:
    """Whether the other end of a stream is closed, now or soon."""
    try:
        return peer.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
