"""The exchange of a protocol case: the agent, a folder for UNIX sockets, and sockets of the suite."""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from nixio_conformance.agentcheck.checked_agent import CheckedAgent, Violation
from nixio_conformance.driver import messages
from nixio_conformance.driver.text import show
from nixio_conformance.driver.timeouts import BULK, CALL


@dataclass
class Exchange:
    """The exchange of one case with an agent, and the peers of the agent's sockets."""

    agent: CheckedAgent
    folder: Path
    _opened: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def close(self) -> None:
        """Close the peers."""
        self._opened.close()

    def peer(self, family: socket.AddressFamily = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """A socket of the suite; its operations time out after `CALL` seconds."""
        made = self._opened.enter_context(socket.socket(family, kind))
        made.settimeout(CALL)
        return made

    def listener(self) -> socket.socket:
        """A listening socket of the suite, on loopback."""
        made = self.peer()
        made.bind(("127.0.0.1", 0))
        made.listen(64)
        return made

    def connected(self) -> tuple[int, socket.socket]:
        """A connected stream: the number of the agent's socket, and the suite's socket."""
        listening = self.listener()
        number = self.agent.open()
        self.agent.returns("true", number, "connect", "127.0.0.1", listening.getsockname()[1])
        accepted, _ = listening.accept()
        self._opened.enter_context(accepted)
        accepted.settimeout(CALL)
        return number, accepted

    def listening(self) -> tuple[int, int]:
        """A listening socket of the agent, on loopback: its number and its TCP port."""
        number = self.agent.open()
        self.agent.returns("true", number, "bind", "127.0.0.1", 0)
        self.agent.returns("true", number, "listen", 8)
        return number, self.port_of(number)

    def port_of(self, number: int) -> int:
        """The TCP or UDP port that a socket of the agent is bound to."""
        _, port = self.agent.returns("an address", number, "getsockname")
        if not isinstance(port, int) or not 0 < port < 65536:
            raise Violation(
                f"the port of a bound socket is {show(port)}", "send the number that getsockname returned, 1 to 65535"
            )
        return port

    def datagrams(self) -> tuple[int, int]:
        """A datagram socket of the agent, bound to loopback: its number and its UDP port."""
        number = self.agent.open("inet", "dgram")
        self.agent.returns("true", number, "bind", "127.0.0.1", 0)
        return number, self.port_of(number)

    def check_usable(self) -> None:
        """Require that the agent still answers, even if the implementation has no sockets or methods yet."""
        reply = self.agent.request("socket", args=["inet", "stream"])
        if isinstance(reply, messages.Values):
            (found,) = self.agent.values("socket", reply, "socket")
            assert isinstance(found, messages.SocketRef)
            self.agent.call(found.socket, "fileno")


def buffer(data: bytes) -> dict[str, str]:
    """Bytes as an argument of a request."""
    return {"type": "buffer", "hex": data.hex()}


def bytes_of(value: messages.Value) -> bytes:
    """The bytes of a value that is a buffer."""
    assert isinstance(value, messages.Buffer)
    try:
        return bytes.fromhex(value.hex)
    except ValueError:
        raise Violation(
            "`hex` is not hexadecimal", "write each byte as two digits of 0-9 and a-f, with nothing between them"
        ) from None


def recv_bytes(peer: socket.socket, count: int) -> bytes:
    """Receive `count` bytes of a stream; fewer at its end, or when they do not arrive in time."""
    got = b""
    end = time.monotonic() + BULK
    with contextlib.suppress(TimeoutError):
        while len(got) < count and time.monotonic() < end and (chunk := peer.recv(min(count - len(got), 1 << 20))):
            got += chunk
    return got


def is_closed(peer: socket.socket) -> bool:
    """Whether the other end of a stream is closed, or closes before the timeout."""
    try:
        return peer.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
