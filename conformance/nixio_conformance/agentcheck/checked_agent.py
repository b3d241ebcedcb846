"""The agent under test in `agent-check`: sends it lines, reads its lines, and keeps both for the printed result."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from nixio_conformance.agentcheck import shapes
from nixio_conformance.driver import messages, reply_hints
from nixio_conformance.driver.budget import BYTES, STEPS, Budget
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentError, CannotStart
from nixio_conformance.driver.outcome import errno_name
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.text import clip
from nixio_conformance.driver.timeouts import CALL, HELLO

#: How often an agent may redirect to another program in a row, as in a run.
_REDIRECTIONS = 1


class Violation(Exception):
    """The agent broke a rule of the protocol."""

    def __init__(self, what: str, hint: str = "", also: str = "") -> None:
        """`hint` replaces the hint of the case if a better one is known; `also` is added to the hint."""
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.also = also


class CaseSkipped(Exception):
    """The case cannot be run; the text says why."""


class CheckedAgent:
    """The agent under test; `ready` starts it, also after it was killed."""

    def __init__(self, start: Callable[[Sequence[str]], AgentProcess], argv: Sequence[str]) -> None:
        """`start` starts a program; `argv` is the agent's command line, until the agent redirects to another."""
        self._start = start
        self._argv = argv
        self._process: AgentProcess | None = None
        self._welcome: messages.Welcome | None = None
        self._identifier = 0
        self._due: set[int] = set()
        #: What the case may use.
        self.budget = Budget()
        #: The lines that were sent and received since `clear_wire()` was called.
        self.sent: list[bytes] = []
        self.received: list[bytes] = []

    @property
    def welcome(self) -> messages.Welcome:
        """Its reply to hello."""
        assert self._welcome is not None, "ready() was not called"
        return self._welcome

    @property
    def process(self) -> AgentProcess:
        """Its process; only while it is alive."""
        assert self._process is not None, "it was killed, or never started"
        return self._process

    @property
    def alive(self) -> bool:
        """Whether it was started and has not been killed since."""
        return self._process is not None

    def ready(self, redirections: int = 0) -> None:
        """Start it and say hello, unless it runs already. Raises `CannotStart`."""
        if self._process is not None:
            return
        self.start()
        try:
            reply = self.request("hello", protocol=messages.VERSION, seconds=HELLO)
        except Violation as error:
            stderr = self.process.stderr().strip()
            self.kill()
            hint = error.hint or error.also
            notes = [f"the agent did not say hello: {error}", hint and f"fix the agent: {hint}"]
            notes.append(stderr and f"it wrote: {stderr[-1500:]}")
            raise CannotStart("; ".join(note for note in notes if note)) from None
        itself = isinstance(reply, messages.Instead) and tuple(self._argv) == tuple(reply.argv)
        if isinstance(reply, messages.Instead) and not itself and redirections < _REDIRECTIONS:
            self.kill()
            self._argv = reply.argv
            self.ready(redirections + 1)
            return
        if not isinstance(reply, messages.Welcome):
            self.kill()
            why = reply.message if isinstance(reply, messages.Unavailable) else f"it answered hello with {reply}"
            raise CannotStart(clip(why))
        self._welcome = reply

    def start(self) -> None:
        """Start the program without saying hello. Raises `CannotStart`."""
        self.kill()
        with self.budget.shielded():
            self._process = self._start(self._argv)

    def kill(self) -> None:
        """Kill it if it runs."""
        process, self._process = self._process, None
        if process is not None:
            with self.budget.shielded():
                process.kill()

    def allow(self, seconds: float) -> Budget:
        """Begin a budget, of `seconds` and of the limits of a case, for all that follows."""
        self.budget = Budget(seconds, self.kill, self._pid, most_bytes=BYTES, most_steps=STEPS)
        return self.budget

    def _pid(self) -> int:
        return self._process.pid if self._process is not None else os.getpid()

    def clear_wire(self) -> None:
        """Discard the lines of earlier cases."""
        self.sent.clear()
        self.received.clear()

    # --- lines

    def next_id(self) -> int:
        """The number of the next request."""
        self._identifier += 1
        self._due.add(self._identifier)
        return self._identifier

    def send(self, request: dict[str, Any] | bytes) -> None:
        """Send one line: an object as JSON, bytes as they are."""
        self.write((request if isinstance(request, bytes) else json.dumps(request).encode()) + b"\n")

    def write(self, data: bytes) -> None:
        """Send bytes without adding a newline: several lines, or a part of one."""
        self.sent += data.rstrip(b"\n").split(b"\n")
        try:
            self.budget.step((data,))
            self.process.write(data, Deadline(CALL, self.process.pid))
        except AgentError as error:
            raise Violation(str(error)) from None

    def receive(self, *identifiers: object, seconds: float | None = None) -> messages.Reply:
        """Wait for the next line, which must be a reply to one of these requests."""
        try:
            self.budget.check()
            line = self.process.receive(Deadline(CALL if seconds is None else seconds, self.process.pid))
            self.budget.receive(len(line))
        except AgentError as error:
            raise Violation(str(error), also=_hint_for(str(error))) from None
        self.received.append(line)
        try:
            reply = messages.decode_reply(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Violation(f"this is not a reply: {clip(str(error), 200)}", reply_hints.hint(line)) from None
        if reply.id not in identifiers:
            if 0 < reply.id < self._identifier and reply.id not in self._due:
                raise Violation(f"request {reply.id} was answered before", "answer each request once")
            due = " or ".join(str(identifier) for identifier in identifiers)
            also = "repeat the request's id exactly"
            raise Violation(f"the reply has the id {reply.id}, but it answers request {due}", also=also)
        self._due.discard(reply.id)
        return reply

    def expect_silence(self) -> None:
        """Require that it has written nothing more."""
        if self.process.readable(0.0):
            self.received.append(line := self.process.receive(Deadline(CALL)))
            raise Violation("a line that answers no request", _hint_for_extra_line(line))

    # --- requests

    def request(self, do: str, *, seconds: float | None = None, **fields: Any) -> messages.Reply:
        """Send one request and wait for its reply."""
        identifier = self.next_id()
        self.send({"do": do, "id": identifier, **fields})
        return self.receive(identifier, seconds=seconds)

    def call(self, socket: int, method: str, *args: Any) -> messages.Reply:
        """Call a method; the arguments are in their representation on the wire."""
        return self.request("call", socket=socket, method=method, args=list(args))

    def returns(
        self, shape: str, socket: int, method: str, *args: Any, seconds: float | None = None
    ) -> list[messages.Value]:
        """Call a method that must return values of a shape (a name in `shapes.SHAPES`)."""
        reply = self.request("call", socket=socket, method=method, args=list(args), seconds=seconds)
        return self.values(shape, reply, method)

    def values(self, shape: str, reply: messages.Reply, method: str) -> list[messages.Value]:
        """The values of a reply, which must be of this shape."""
        if isinstance(reply, messages.Unsupported):
            raise CaseSkipped(f"{method}: {reply.message}")
        if isinstance(reply, messages.Failed):
            system = errno_name(reply.number) if reply.kind == "system" else ""
            failure = f"{reply.kind} {reply.name or system} {clip(reply.message, 300)}".strip()
            raise Violation(
                f"{method} failed ({failure}), which no correct implementation does here",
                "check the implementation before the agent",
            )
        if not isinstance(reply, messages.Values):
            raise Violation(f"{method} was answered with {type(reply).__name__.lower()!r}", "answer a call with values")
        if found := shapes.mismatch(shape, reply.values):
            raise Violation(f"{method}: {found.what}", found.hint)
        return reply.values

    def fails(self, kinds: Sequence[str], socket: int, method: str, *args: Any) -> messages.Failed:
        """Call a method that must fail with one of these kinds."""
        reply = self.call(socket, method, *args)
        if isinstance(reply, messages.Unsupported) and reply.missing:
            raise CaseSkipped(f"{method}: {reply.message}")
        if not isinstance(reply, messages.Failed) or reply.kind not in kinds:
            raise Violation(f"this should be a failure of kind {' or '.join(kinds)}")
        return reply

    def open(self, domain: str = "inet", kind: str = "stream") -> int:
        """Open a socket; returns its number."""
        (found,) = self.values("socket", self.request("socket", args=[domain, kind]), "socket")
        assert isinstance(found, messages.SocketRef)
        return found.socket

    def unsupported(self, request: dict[str, Any] | bytes, *identifiers: object, missing: bool = False) -> None:
        """Send an invalid request; it must be answered `unsupported`."""
        self.send(request)
        reply = self.receive(*identifiers)
        if not isinstance(reply, messages.Unsupported):
            raise Violation("this should be `unsupported`")
        if reply.missing != missing:
            raise Violation(f"`missing` should be {str(missing).lower()} (if it is left out, it is true)")


def _hint_for(error: str) -> str:
    """A hint for an error of the agent's process; empty if there is none."""
    if "no end of line" in error:
        return "end each reply with a newline, and flush standard output after it"
    if "it was computing" in error:
        return "if it was parsing a long line, use a JSON library that is written in C"
    if "to answer" in error:
        return "answer each request before reading the next one, and flush standard output after each reply"
    return ""


def _hint_for_extra_line(line: bytes) -> str:
    try:
        messages.decode_reply(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return reply_hints.hint(line)
    return "answer each request once"
