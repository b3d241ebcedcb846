"""Writes the transcript in docs/writing-an-agent.md from a real exchange with the agent of the reference.

    python tests/docs/transcript.py

Texts that differ between runs are replaced: port numbers, messages, versions.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path

from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.target.target import Target
from nixio_conformance.toolkit.names import NO_HOST

GUIDE = Path(__file__).parents[2] / "docs" / "writing-an-agent.md"
BLOCK = re.compile(r"(<!-- transcript -->\n```\n).*?(```\n<!-- end -->)", re.DOTALL)
#: These numbers replace the ephemeral ports.
SERVER, CLIENT, CLOSED = 40001, 40002, 40003


class Exchange:
    """An agent, and the lines of the exchange."""

    def __init__(self) -> None:
        self.agent = AgentProcess(Target("entry-point", "reference").argv)
        self.lines: list[str] = []
        self._names: dict[int, int] = {}
        self._identifier = 0

    def named(self, port: int, name: int) -> None:
        """Replace a port number in the shown lines."""
        self._names[port] = name

    def ask(self, do: str, while_pending: Callable[[], str] | None = None, **fields: object) -> list[object]:
        """Send a request, call `while_pending`, and wait for the reply; returns the values."""
        self._identifier += 1
        request = {"do": do, "id": self._identifier, **fields}
        self.agent.send(json.dumps(request).encode(), Deadline())
        self.lines.append(f"> {self._shown(json.dumps(request))}")
        if while_pending:
            self.lines.append(f"  ({while_pending()})")
        reply = json.loads(self.agent.receive(Deadline()))
        if "message" in reply:
            reply["message"] = "..."
        if reply["reply"] == "hello":
            reply |= {"language": "Python 3.11", "platform": "linux", "version": "0.1.0", "pid": 4711}
        shown = {"reply": reply.pop("reply"), "id": reply.pop("id"), **reply}
        self.lines.append(f"< {self._shown(json.dumps(shown))}")
        values: list[object] = reply.get("values", [])
        for value in values:
            if isinstance(value, int) and value > 1024 and value not in self._names:
                raise AssertionError(f"a port number was not replaced: {shown}")
        return values

    def call(
        self, number: int, method: str, *args: object, while_pending: Callable[[], str] | None = None
    ) -> list[object]:
        """Call a method."""
        return self.ask("call", while_pending, socket=number, method=method, args=args)

    def _shown(self, line: str) -> str:
        for port, name in self._names.items():
            line = re.sub(rf"\b{port}\b", str(name), line)
        return line


def transcript() -> str:
    """The lines: `>` to the agent, `<` from it; events in between are in brackets."""
    exchange = Exchange()
    with socket.socket() as peer, socket.socket() as closed:
        peer.bind(("127.0.0.1", 0))
        closed.bind(("127.0.0.1", 0))
        try:
            _run(exchange, peer, closed)
        finally:
            exchange.agent.kill()
    return "\n".join(exchange.lines) + "\n"


def _run(exchange: Exchange, peer: socket.socket, closed: socket.socket) -> None:
    exchange.named(peer.getsockname()[1], CLIENT)
    exchange.named(closed.getsockname()[1], CLOSED)
    exchange.ask("hello", protocol=1)
    exchange.ask("socket", args=["inet", "stream"])
    exchange.call(1, "bind", "127.0.0.1", 0)
    server = _port(exchange)
    exchange.call(1, "listen", 8)

    def connects() -> str:
        peer.connect(("127.0.0.1", server))
        return "the call blocks; a client connects; the call returns"

    exchange.call(1, "accept", while_pending=connects)
    exchange.call(2, "send", {"type": "buffer", "hex": b"\x00ping\xff".hex()}, 1, 4)
    exchange.call(2, "send", {"type": "buffer", "hex": b"ping".hex()}, None, 2)
    peer.sendall(b"pong")
    exchange.call(2, "recv", 16)
    exchange.call(2, "setblocking", False)
    exchange.call(2, "recv", 16)
    exchange.ask("socket", args=["inet", "stream"])
    exchange.call(3, "connect", "127.0.0.1", closed.getsockname()[1])
    exchange.call(3, "connect", NO_HOST, 80)
    exchange.call(3, "getopt", "nowhere", "nothing")
    exchange.call(3, "setopt", "socket", "rcvtimeo", [7, 0])
    exchange.call(3, "getopt", "socket", "rcvtimeo")
    exchange.call(3, "close")
    exchange.call(3, "fileno")
    exchange.call(2, "levitate")
    exchange.call(9, "close")
    exchange.ask("dance")
    exchange.ask("reset")
    exchange.lines.append("  (the input ends; the agent exits)")


def _port(exchange: Exchange) -> int:
    """The listener's port, shown as `SERVER`; read twice, as it must be known before the first line shows it."""
    request = {"do": "call", "id": 0, "socket": 1, "method": "getsockname", "args": []}
    exchange.agent.send(json.dumps(request).encode(), Deadline())
    port: int = json.loads(exchange.agent.receive(Deadline()))["values"][1]
    exchange.named(port, SERVER)
    exchange.call(1, "getsockname")
    return port


def main() -> None:
    text = GUIDE.read_text()
    made = transcript()
    GUIDE.write_text(BLOCK.sub(lambda found: found[1] + made + found[2], text))


if __name__ == "__main__":
    main()
