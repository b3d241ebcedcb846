"""An agent as its protocol cases see it: lines out, lines in, and what went over the wire in this case."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from nixio_conformance.agentcheck import shapes
from nixio_conformance.driver import messages, mistakes
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentError, CannotStart
from nixio_conformance.driver.outcome import errno_name
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.text import clip
from nixio_conformance.driver.timeouts import CALL, HELLO


class Fault(Exception):
    """The agent did something that the protocol does not allow."""

    def __init__(self, what: str, mend: str = "", also: str = "") -> None:
        """`mend` says what to change where that is known better than for the whole case; `also` adds to it."""
        super().__init__(what)
        self.what = what
        self.mend = mend
        self.also = also


class Skipped(Exception):
    """The case cannot be played; the text says why."""


class Agent:
    """One running agent; started when it is first spoken to, and again after it was killed."""

    def __init__(self, start: Callable[[Sequence[str]], AgentProcess], argv: Sequence[str]) -> None:
        """`start` starts a program; `argv` is the agent's command line, until an agent names another."""
        self._start = start
        self._argv = argv
        self._process: AgentProcess | None = None
        self._welcome: messages.Welcome | None = None
        self._identifier = 0
        self._due: set[int] = set()
        #: What was sent and what came, since `forget_wire()`.
        self.sent: list[bytes] = []
        self.came: list[bytes] = []

    @property
    def welcome(self) -> messages.Welcome:
        """What it said of itself."""
        assert self._welcome is not None, "ready() was not called"
        return self._welcome

    @property
    def process(self) -> AgentProcess:
        """Its process."""
        assert self._process is not None, "it was killed, or never started"
        return self._process

    @property
    def alive(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    def ready(self) -> None:
        """Have it run and greeted. Raises `CannotStart`."""
        if self._process is not None:
            return
        self.start()
        try:
            reply = self.ask("hello", protocol=messages.VERSION, seconds=HELLO)
        except Fault as error:
            wrote = self.process.stderr().strip()
            self.kill()
            mend = error.mend or error.also
            notes = [f"the agent did not say hello: {error}", mend and f"mend: {mend}"]
            notes.append(wrote and f"it wrote: {wrote[-1500:]}")
            raise CannotStart("; ".join(note for note in notes if note)) from None
        if isinstance(reply, messages.Instead) and tuple(self._argv) != tuple(reply.argv):
            self.kill()
            self._argv = reply.argv
            self.ready()
            return
        if not isinstance(reply, messages.Welcome):
            self.kill()
            said = reply.message if isinstance(reply, messages.Unavailable) else f"it answered hello with {reply}"
            raise CannotStart(clip(said))
        self._welcome = reply

    def start(self) -> None:
        """Start the program without a word to it. Raises `CannotStart`."""
        self.kill()
        self._process = self._start(self._argv)

    def kill(self) -> None:
        """End it, however it is."""
        if self._process is not None:
            self._process.kill()
        self._process = None

    def forget_wire(self) -> None:
        """A case begins."""
        self.sent.clear()
        self.came.clear()

    # --- lines

    def next_id(self) -> int:
        """The number of the next request."""
        self._identifier += 1
        self._due.add(self._identifier)
        return self._identifier

    def say(self, request: dict[str, Any] | bytes) -> None:
        """Send one line: an object as JSON, bytes as they are."""
        self.write((request if isinstance(request, bytes) else json.dumps(request).encode()) + b"\n")

    def write(self, data: bytes) -> None:
        """Send bytes as they are: some lines, or a part of one."""
        self.sent += data.rstrip(b"\n").split(b"\n")
        try:
            self.process.write(data, Deadline(CALL, self.process.pid))
        except AgentError as error:
            raise Fault(str(error)) from None

    def hear(self, *identifiers: object, seconds: float | None = None) -> messages.Reply:
        """The next line, as a reply to one of these requests."""
        try:
            line = self.process.receive(Deadline(CALL if seconds is None else seconds, self.process.pid))
        except AgentError as error:
            raise Fault(str(error), also=_silence(str(error))) from None
        self.came.append(line)
        try:
            reply = messages.decode_reply(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Fault(f"that is no reply: {clip(str(error), 200)}", mistakes.mend(line)) from None
        if reply.id not in identifiers:
            if 0 < reply.id < self._identifier and reply.id not in self._due:
                raise Fault(f"request {reply.id} was answered before", "answer each request once")
            due = " or ".join(str(identifier) for identifier in identifiers)
            also = "repeat the request's id exactly"
            raise Fault(f"the reply has the id {reply.id}; it answers request {due}", also=also)
        self._due.discard(reply.id)
        return reply

    def silent(self) -> None:
        """Hold it to having written nothing more."""
        if self.process.waiting(0.0):
            self.came.append(line := self.process.receive(Deadline(CALL)))
            raise Fault("a line that answers no request", _surplus(line))

    # --- requests

    def ask(self, do: str, *, seconds: float | None = None, **fields: Any) -> messages.Reply:
        """One request and its reply."""
        identifier = self.next_id()
        self.say({"do": do, "id": identifier, **fields})
        return self.hear(identifier, seconds=seconds)

    def call(self, socket: int, method: str, *args: Any) -> messages.Reply:
        """Call a method; arguments in their form on the wire."""
        return self.ask("call", socket=socket, method=method, args=list(args))

    def returns(
        self, shape: str, socket: int, method: str, *args: Any, seconds: float | None = None
    ) -> list[messages.Value]:
        """Call a method that has to succeed with values of a shape (a name in `shapes.SHAPES`)."""
        reply = self.ask("call", socket=socket, method=method, args=list(args), seconds=seconds)
        return self.values(shape, reply, method)

    def values(self, shape: str, reply: messages.Reply, method: str) -> list[messages.Value]:
        """The values of a reply that has to be of a shape."""
        if isinstance(reply, messages.Unsupported):
            raise Skipped(f"{method}: {reply.message}")
        if isinstance(reply, messages.Failed):
            system = errno_name(reply.number) if reply.kind == "system" else ""
            told = f"{reply.kind} {reply.name or system} {clip(reply.message, 300)}".strip()
            raise Fault(f"{method} failed ({told}), which no right port does here", "look at the port first")
        if not isinstance(reply, messages.Values):
            raise Fault(f"{method} was answered with {type(reply).__name__.lower()!r}", "answer a call with values")
        if found := shapes.wrong(shape, reply.values):
            raise Fault(f"{method}: {found.what}", found.mend)
        return reply.values

    def fails(self, kinds: Sequence[str], socket: int, method: str, *args: Any) -> messages.Failed:
        """Call a method that has to fail in one of these kinds."""
        reply = self.call(socket, method, *args)
        if isinstance(reply, messages.Unsupported) and reply.missing:
            raise Skipped(f"{method}: {reply.message}")
        if not isinstance(reply, messages.Failed) or reply.kind not in kinds:
            raise Fault(f"this should be a failure of kind {' or '.join(kinds)}")
        return reply

    def open(self, domain: str = "inet", kind: str = "stream") -> int:
        """A new socket: its number."""
        (found,) = self.values("socket", self.ask("socket", args=[domain, kind]), "socket")
        assert isinstance(found, messages.SocketRef)
        return found.socket

    def unsupported(self, request: dict[str, Any] | bytes, *identifiers: object, missing: bool = False) -> None:
        """Send something that can only be answered `unsupported`."""
        self.say(request)
        reply = self.hear(*identifiers)
        if not isinstance(reply, messages.Unsupported):
            raise Fault("this should be `unsupported`")
        if reply.missing != missing:
            raise Fault(f"`missing` should be {str(missing).lower()} (left out it is true)")


def _silence(error: str) -> str:
    if "no end of line" in error:
        return "end each reply with a newline, and flush standard output after it"
    if "it was computing" in error:
        return "where that is the parsing of a long line, use a JSON library that is written in C"
    if "to answer" in error:
        return "answer each request before the next is read, and flush standard output after each reply"
    return ""


def _surplus(line: bytes) -> str:
    try:
        messages.decode_reply(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return mistakes.mend(line)
    return "answer each request once"
