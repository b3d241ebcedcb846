"""The port under test as the checks see it: sockets with nixio's methods, each call recorded and under a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from nixio_conformance.driver import blocked, messages, mistakes
from nixio_conformance.driver.deadline import CALL, Deadline
from nixio_conformance.driver.errors import AgentBroke, AgentError, AgentHung, CannotStart
from nixio_conformance.driver.outcome import Failure, Outcome, Returned, clip, errno_name, show
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.transcript import Step, Transcript

#: Seconds until the first answer: a language's runtime and the port's imports may be slow.
HELLO = 30.0


class Channel(Protocol):
    """What carries lines to an agent and back: a process, or a thread."""

    @property
    def pid(self) -> int: ...
    def send(self, line: bytes, deadline: Deadline) -> None: ...
    def receive(self, deadline: Deadline) -> bytes: ...
    def waiting(self, seconds: float) -> bool: ...
    def stderr(self) -> str: ...
    def forget_stderr(self) -> None: ...
    def kill(self) -> None: ...


@dataclass(frozen=True)
class HeldAs:
    """Bytes that a Python port is to be given as another bytes-like type."""

    data: bytes
    type: str

    def __repr__(self) -> str:
        return f"{self.type}({show(self.data)})"


Argument = None | bool | int | float | str | bytes | HeldAs | tuple[bool | int | float | str | None, ...]


class PortSocket:
    """A socket of the port under test. Each method makes the call and gives its outcome; none judges it."""

    def __init__(self, session: Session, number: int, name: str) -> None:
        self.session = session
        self.number = number
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def call(self, method: str, *arguments: Argument, seconds: float | None = None) -> Outcome:
        """Call any method by name; raises `AgentError` when the agent dies, hangs or breaks the protocol.

        The deadline is the session's unless the call has one of its own.
        """
        return self.start(method, *arguments).outcome(seconds)

    def start(self, method: str, *arguments: Argument) -> Pending:
        """Begin a call and leave it pending."""
        request = messages.Call(self.session.next_id(), self.number, method, [_to_wire(value) for value in arguments])
        step = self.session.transcript.begin("port", self.name, method, arguments)
        return self.session.begin(request, step)

    def forget(self) -> None:
        """Drop the port's last reference to the socket and have it collect garbage (capability `gc`)."""
        step = self.session.transcript.begin("port", "", "forget", (self,))
        self.session.begin(messages.Forget(self.session.next_id(), self.number), step).outcome()

    # The 18 methods; arguments left out here are left out in the call.
    def getsockname(self) -> Outcome:
        return self.call("getsockname")

    def getpeername(self) -> Outcome:
        return self.call("getpeername")

    def bind(self, *arguments: Argument) -> Outcome:
        return self.call("bind", *arguments)

    def connect(self, *arguments: Argument) -> Outcome:
        return self.call("connect", *arguments)

    def listen(self, *arguments: Argument) -> Outcome:
        return self.call("listen", *arguments)

    def accept(self) -> Outcome:
        return self.call("accept")

    def sendto(self, *arguments: Argument) -> Outcome:
        return self.call("sendto", *arguments)

    def send(self, *arguments: Argument) -> Outcome:
        return self.call("send", *arguments)

    def write(self, *arguments: Argument) -> Outcome:
        return self.call("write", *arguments)

    def recvfrom(self, *arguments: Argument) -> Outcome:
        return self.call("recvfrom", *arguments)

    def recv(self, *arguments: Argument) -> Outcome:
        return self.call("recv", *arguments)

    def read(self, *arguments: Argument) -> Outcome:
        return self.call("read", *arguments)

    def close(self) -> Outcome:
        return self.call("close")

    def shutdown(self, *arguments: Argument) -> Outcome:
        return self.call("shutdown", *arguments)

    def fileno(self) -> Outcome:
        return self.call("fileno")

    def setblocking(self, *arguments: Argument) -> Outcome:
        return self.call("setblocking", *arguments)

    def setopt(self, *arguments: Argument) -> Outcome:
        return self.call("setopt", *arguments)

    def getopt(self, *arguments: Argument) -> Outcome:
        return self.call("getopt", *arguments)


class Pending:
    """A call that was begun and whose outcome has not been asked for."""

    def __init__(self, session: Session, identifier: int, step: Step) -> None:
        self._session = session
        self._identifier = identifier
        self._step = step
        self._outcome: Outcome | None = None

    def blocked(self) -> bool:
        """Wait until the call either came back (False) or waits inside the system (True)."""
        return self._outcome is None and self._session.settle()

    def done(self, seconds: float = 0.0) -> bool:
        """Whether the call came back, waiting at most that long for it."""
        return self._outcome is not None or self._session.waiting(seconds)

    def outcome(self, seconds: float | None = None) -> Outcome:
        """What the call came to; raises `AgentError` when it does not come back in time (the session's, if None)."""
        if self._outcome is None:
            self._outcome = self._session.finish(self._identifier, self._step, seconds)
        return self._outcome


class Session:
    """One agent and what is said to it; a broken agent is replaced when the next case begins."""

    def __init__(
        self,
        start: Callable[[], Channel],
        seconds: float = CALL,
        start_program: Callable[[Sequence[str]], Channel] = AgentProcess,
    ) -> None:
        """`start` makes an agent; it may raise `CannotStart`. `seconds` is the deadline of each call.

        `start_program` starts the program that the first agent says is to be used instead of it.
        """
        self._start = start
        self._start_program = start_program
        self._seconds = seconds
        #: The last request of the cases before: an answer to it or an older one is late.
        self._before = 0
        self._channel: Channel | None = None
        self._welcome: messages.Welcome | None = None
        self._identifier = 0
        self._pending: Pending | None = None
        self._idle = ""
        self.stderr = ""
        self.transcript = Transcript()

    @property
    def welcome(self) -> messages.Welcome:
        """What the implementation said of itself."""
        assert self._welcome is not None, "begin_case() was not called"
        return self._welcome

    @property
    def pid(self) -> int:
        """Process id of the agent."""
        return self._live.pid

    @property
    def remote(self) -> bool:
        """Whether the agent is another process than the one that was started: behind ssh, or below a shell."""
        return self.welcome.pid not in (0, self.pid)

    @property
    def alive(self) -> bool:
        """Whether there is an agent that can be asked."""
        return self._channel is not None

    def begin_case(self, transcript: Transcript) -> None:
        """Start recording into a new transcript; starts an agent where there is none. Raises `CannotStart`."""
        self.transcript = transcript
        self.stderr = ""
        self._before = self._identifier
        if self._channel is not None and self._channel.waiting(0.0):
            self.kill()  # it said something nobody asked for after the last case ended: not this case's business
        if self._channel is None:
            self._greet()
        self._live.forget_stderr()

    def end_case(self) -> None:
        """Close the port's sockets. An agent that is still busy, or says more than it should, is replaced.

        Raises `AgentError` when the agent broke the protocol during the case and nobody noticed yet.
        """
        if self._channel is None:
            return
        if self._pending is not None and not self._pending.done():
            self.kill()
            return
        if self._pending is not None:
            self._pending.outcome()  # an answer that nobody asked for yet: it may still be a broken one
        step = Step(0.0, "port", "", "reset", ())
        self.begin(messages.Reset(self.next_id()), step).outcome()

    def kill(self) -> None:
        """End the agent; the next case gets a fresh one."""
        if self._channel is not None:
            self.stderr = self._channel.stderr()
            self._channel.kill()
        self._channel = None
        self._pending = None

    def collect_garbage(self) -> None:
        """Have the port's language collect what nothing refers to (capability `gc`)."""
        step = Step(0.0, "port", "", "forget", ())
        self.begin(messages.Forget(self.next_id(), 0), step).outcome()

    def next_id(self) -> int:
        """The number of the next request."""
        self._identifier += 1
        return self._identifier

    def open(self, *arguments: Argument) -> Outcome:
        """Call the factory `socket(domain, type, protocol=None)`."""
        request = messages.OpenSocket(self.next_id(), [_to_wire(value) for value in arguments])
        step = self.transcript.begin("port", "", "socket", arguments)
        return self.begin(request, step).outcome()

    def begin(self, request: messages.Request, step: Step) -> Pending:
        """Send a request and do not wait for its reply. One may be under way at a time."""
        assert self._pending is None, "a call is pending already"
        try:
            self._live.send(messages.encode_request(request), Deadline(self._seconds, self.pid))
        except AgentError as error:
            raise self._died(error, step) from None
        self._pending = Pending(self, request.id, step)
        return self._pending

    def waiting(self, seconds: float) -> bool:
        """Whether a reply is there or comes within that time."""
        return self._live.waiting(seconds)

    def settle(self) -> bool:
        """Wait until the pending call came back (False) or sleeps in the system (True)."""
        return blocked.wait(self.pid, self._idle, self._live.waiting)

    def finish(self, identifier: int, step: Step, seconds: float | None = None) -> Outcome:
        """Wait for a reply and take it down."""
        try:
            reply = self._receive(identifier, self._seconds if seconds is None else seconds)
            outcome = self._outcome(reply)
        except AgentError as error:
            raise self._died(error, step) from None
        self._pending = None
        values = outcome.values if isinstance(outcome, Returned) else ()
        names = [value.name if isinstance(value, PortSocket) else "" for value in values]
        self.transcript.end(step, str(outcome), values, names)
        return outcome

    def current_stderr(self) -> str:
        """What the agent wrote to standard error during this case."""
        return self._channel.stderr() if self._channel is not None else self.stderr

    @property
    def _live(self) -> Channel:
        if self._channel is None:
            raise AgentBroke("the agent is gone")
        return self._channel

    def _receive(self, identifier: int, seconds: float) -> messages.Reply:
        deadline = Deadline(seconds, self.pid)
        while True:
            line = self._live.receive(deadline)
            try:
                reply = messages.decode_reply(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                why = f"{clip(str(error), 200)}; mend the agent: {mistakes.mend(line)}"
                raise AgentBroke(f"the agent wrote what is no reply: {show(line)}: {why}") from None
            if reply.id == identifier:
                return reply
            if 0 < reply.id <= self._before:
                # A late second answer to an earlier case: neither this case's value nor its fault.
                if deadline.remaining() <= 0:
                    raise AgentHung(f"the agent answered earlier requests again for {deadline.elapsed:.1f} s")
                continue
            twice = 0 < reply.id < identifier
            what = "answered twice" if twice else "answered a request that was not made"
            mend = "answer each request once" if twice else "repeat the request's `id` in the reply"
            due = f"while the reply to request {identifier} was due; mend the agent: {mend}"
            raise AgentBroke(f"the agent {what}: {show(line)} {due}")

    def _outcome(self, reply: messages.Reply) -> Outcome:
        match reply:
            case messages.Values(values=values):
                return Returned(tuple(self._from_wire(value) for value in values))
            case messages.Failed(kind=kind, number=number, name=name, message=message):
                system = errno_name(number) if kind in ("system", "would-block") else ""
                return Failure(kind, clip(name, 100) or system, number, clip(message))
            case messages.Unsupported(message=message, missing=missing):
                if not missing:
                    raise AgentCannot(clip(message))
                return Failure("missing", "", None, clip(message))
        raise AgentBroke(f"the agent answered a call with {type(reply).__name__.lower()!r}")

    def _from_wire(
        self, value: messages.Value
    ) -> bool | int | float | str | bytes | messages.Foreign | PortSocket | None:
        if isinstance(value, messages.Buffer):
            try:
                return bytes.fromhex(value.hex)
            except ValueError:
                raise AgentBroke(f"the agent sent a buffer that is not hexadecimal: {value.hex[:40]!r}") from None
        if isinstance(value, messages.SocketRef):
            return PortSocket(self, value.socket, self.transcript.name("s"))
        return value

    def _died(self, error: AgentError, step: Step) -> AgentError:
        if isinstance(error, AgentCannot):
            self._pending = None
            self.transcript.end(step, f"the agent cannot ask this: {error}")
            return error
        self.transcript.end(step, str(error))
        self.kill()
        return type(error)(f"{step.call}: {error}")

    def _greet(self) -> None:
        channel, reply = self._hello(self._start)
        if isinstance(reply, messages.Instead):
            channel.kill()
            argv = reply.argv
            self._start = lambda: self._start_program(argv)
            channel, reply = self._hello(self._start)
        if not isinstance(reply, messages.Welcome):
            asked = isinstance(reply, messages.Unavailable)
            why = clip(reply.message if asked else f"it answered hello with {reply!r}")  # type: ignore[union-attr]
            channel.kill()
            raise CannotStart(why)
        if reply.protocol != messages.VERSION:
            channel.kill()
            raise CannotStart(f"the agent speaks protocol {reply.protocol}, the suite speaks {messages.VERSION}")
        self._channel, self._welcome, self._pending = channel, reply, None
        self._idle = blocked.idle(channel.pid)

    def _hello(self, start: Callable[[], Channel]) -> tuple[Channel, messages.Reply]:
        channel = start()
        self._channel = channel
        try:
            hello = messages.Hello(self.next_id())
            channel.send(messages.encode_request(hello), Deadline(HELLO, channel.pid))
            return channel, self._receive(hello.id, HELLO)
        except AgentError as error:
            said = channel.stderr().strip()
            channel.kill()
            late = "; mend the agent: answer hello at once, and flush standard output after each reply"
            raise CannotStart(
                f"the agent did not say hello: {error}"
                + (late if isinstance(error, AgentHung) else "")
                + (f"; it wrote: {said[-1500:]}" if said else "")
            ) from None
        except BaseException:
            channel.kill()  # Ctrl-C while a slow agent starts
            raise
        finally:
            self._channel = None


class AgentCannot(AgentError):
    """This agent has no way to ask for something: the case is skipped for the port's sake, not failed."""


def _to_wire(value: Argument) -> messages.Argument:
    if isinstance(value, bytes):
        return messages.Buffer(value.hex())
    if isinstance(value, HeldAs):
        return msgspec.convert({"type": "buffer", "hex": value.data.hex(), "held_as": value.type}, messages.Buffer)
    if isinstance(value, tuple):
        return list(value)
    return value


def wait_for(condition: Callable[[], bool], seconds: float = CALL) -> bool:
    """Wait until a condition holds; False when it does not within that time."""
    deadline = time.monotonic() + seconds
    pause = 0.0002
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
    return True


def words(values: Sequence[object]) -> str:
    """Values as a list in a sentence."""
    return " or ".join(str(value) for value in values)
