"""A session with agents over many cases: one agent at a time, one request at a time; a failed agent is replaced."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from nixio_conformance.driver import blocking, budget, messages, procfs, timeouts
from nixio_conformance.driver.budget import Budget
from nixio_conformance.driver.channel import Channel
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentCannot, AgentError, AgentHung, AgentProtocolError, CaseTimedOut
from nixio_conformance.driver.hello import Agents
from nixio_conformance.driver.orphan_guard import guard
from nixio_conformance.driver.outcome import Failure, Outcome, Returned, errno_name
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.reply_matching import receive
from nixio_conformance.driver.socket import ImplSocket, Pending
from nixio_conformance.driver.text import clip
from nixio_conformance.driver.transcript import Step, Transcript
from nixio_conformance.driver.wire import Argument, from_wire, to_wire

#: Seconds between two looks at what a case has left.
_LOOK = 0.002
#: How often this is waited for in vain before it no longer is.
_MOST_VAIN = 20


class Session:
    """Sends the calls of cases to an agent; an agent that failed is replaced at the beginning of the next case."""

    def __init__(
        self,
        start: Callable[[], Channel],
        seconds: float = timeouts.CALL,
        start_program: Callable[[Sequence[str]], Channel] = AgentProcess,
    ) -> None:
        """`start` starts an agent and may raise `CannotStart`. `seconds` is the timeout of each call.

        `start_program` starts the program that an agent redirects to.
        """
        self.agents = Agents(start, start_program, self.next_id)
        self._seconds = seconds
        #: The last request of earlier cases: a reply to it or to an older one is late.
        self._stale = 0
        self._channel: Channel | None = None
        self._welcome: messages.Welcome | None = None
        self._identifier = 0
        self._pending: Pending | None = None
        self._idle = ""
        #: The number of the agent's threads, children and orphans at the end of the case before, or at its start.
        self._company = 0
        #: How often those that a case had left were waited for in vain: they are there to stay.
        self._vain = 0
        self.stderr = ""
        self.transcript = Transcript()
        self.budget = Budget()

    @property
    def welcome(self) -> messages.Welcome:
        """The agent's reply to hello."""
        assert self._welcome is not None, "begin_case() was not called"
        return self._welcome

    @property
    def pid(self) -> int:
        """Process id of the agent."""
        return self._live.pid

    @property
    def remote(self) -> bool:
        """Whether the agent is not the process that was started: it runs behind ssh, in a container, under a shell."""
        return self.welcome.pid not in (0, self.pid)

    @property
    def alive(self) -> bool:
        """Whether there is an agent that takes requests."""
        return self._channel is not None

    def allow(self, seconds: float | None) -> Budget:
        """Begin a budget, of `seconds` and of the limits of a case, for all that follows; None: without any limit."""
        if seconds is None:
            self.budget = Budget()
        else:
            self.budget = Budget(seconds, self.kill, self._process, most_bytes=budget.BYTES, most_steps=budget.STEPS)
        return self.budget

    def _process(self) -> int:
        return self._channel.pid if self._channel is not None else os.getpid()

    def begin_case(self, transcript: Transcript, tries: int = 1) -> None:
        """Begin a new transcript, and start an agent if there is none. Raises `CannotStart`, as `Agents.start` does."""
        self.transcript = transcript
        transcript.budget = self.budget
        self.stderr = ""
        self._stale = self._identifier
        if self._channel is not None and self._channel.readable(0.0):
            self.kill()  # an unrequested line after the last case: not an error of this case
        if self._channel is None:
            with self.budget.shielded():
                self._channel, self._welcome = self.agents.start(tries)
            self._pending = None
            self._idle = blocking.idle_syscall(self._channel.pid)
            self._company = self._count_company()
        self._live.clear()

    def end_case(self) -> None:
        """Close the implementation's sockets. An agent that is still busy is killed and later replaced.

        Raises `AgentError` if the agent ends now, or broke the protocol in a reply that the case has not read.
        """
        if self._channel is None:
            return
        if self._pending is not None and not self._pending.done():
            self.kill()
            return
        if self._pending is not None:
            self._pending.outcome()  # not read by the case; it may be invalid
        self._reset()
        self._settle()
        # An agent that ends after a reply, however soon, does not answer this: its end is this case's.
        self._reset()

    def _reset(self) -> None:
        step = Step(0.0, "port", "", "reset", ())
        try:
            outcome = self.begin(messages.Reset(self.next_id()), step).outcome()
        except AgentCannot as error:
            outcome = Failure("missing", "", None, str(error))
        if isinstance(outcome, Failure):
            raise self._lost(AgentProtocolError(f"the agent answered with {outcome}, and not with no values"), step)

    def _settle(self) -> None:
        """Wait for threads and processes that the case has left: they may end the agent a moment later (Linux)."""
        if self._vain == _MOST_VAIN:
            return
        end = time.monotonic() + timeouts.SETTLING
        while (now := self._count_company()) > self._company and not self._live.readable(_LOOK):
            if time.monotonic() > end:
                self._vain += 1
                break
        self._company = now

    def _count_company(self) -> int:
        running = [child for child in procfs.children(self.pid) if not procfs.has_ended(child)]
        return procfs.threads(self.pid) + len(running) + len(guard().adopted())

    def kill(self) -> None:
        """Kill the agent; the next case gets a new one."""
        with self.budget.shielded():
            if self._channel is not None:
                self.stderr = self._channel.stderr()
                self._channel.kill()
            self._channel = None
            self._pending = None

    def collect_garbage(self) -> None:
        """Run the garbage collector of the implementation's language (capability `gc`)."""
        step = Step(0.0, "port", "", "forget", ())
        self.begin(messages.Forget(self.next_id(), 0), step).outcome()

    def next_id(self) -> int:
        """The number of the next request."""
        self._identifier += 1
        return self._identifier

    def open(self, *arguments: Argument) -> Outcome:
        """Call the factory `socket(domain, type, protocol=None)`."""
        request = messages.OpenSocket(self.next_id(), [to_wire(value) for value in arguments])
        step = self.transcript.begin("port", "", "socket", arguments)
        return self.begin(request, step).outcome()

    def begin(self, request: messages.Request, step: Step) -> Pending:
        """Send a request without waiting for its reply. Only one call may be pending at a time."""
        assert self._pending is None, "a call is pending already"
        try:
            self._live.send(messages.encode_request(request), Deadline(self._seconds, self.pid))
        except AgentError as error:
            raise self._lost(error, step) from None
        self._pending = Pending(self, request.id, step)
        return self._pending

    def readable(self, seconds: float) -> bool:
        """Whether a reply is available, or arrives within `seconds`."""
        self.budget.check()
        return self._live.readable(min(seconds, self.budget.remaining()))

    def wait_until_blocked(self) -> bool:
        """Wait until the pending call returns (False) or is blocked in a system call (True)."""
        self.budget.check()
        return blocking.wait_until_blocked(self.pid, self._idle, self._live.readable)

    def finish(self, identifier: int, step: Step, seconds: float | None = None) -> Outcome:
        """Wait for the reply to a request and record it."""
        try:
            most = min(self._seconds if seconds is None else seconds, self.budget.remaining())
            reply = receive(self._live, identifier, self._stale, most)
            outcome = self._outcome(reply)
        except AgentError as error:
            raise self._lost(error, step) from None
        self._pending = None
        values = outcome.values if isinstance(outcome, Returned) else ()
        names = [value.name if isinstance(value, ImplSocket) else "" for value in values]
        self.transcript.end(step, str(outcome), values, names)
        return outcome

    def current_stderr(self) -> str:
        """What the agent wrote to standard error during this case."""
        return self._channel.stderr() if self._channel is not None else self.stderr

    @property
    def _live(self) -> Channel:
        if self._channel is None:
            raise AgentProtocolError("the agent is gone")
        return self._channel

    def _socket(self, number: int) -> ImplSocket:
        return ImplSocket(self, number, self.transcript.name("s"))

    def _outcome(self, reply: messages.Reply) -> Outcome:
        match reply:
            case messages.Values(values=values):
                return Returned(tuple(from_wire(value, self._socket) for value in values))
            case messages.Failed(kind=kind, number=number, name=name, message=message):
                system = errno_name(number) if kind in ("system", "would-block") else ""
                return Failure(kind, clip(name, 100) or system, number, clip(message))
            case messages.Unsupported(message=message, missing=missing):
                if not missing:
                    raise AgentCannot(clip(message))
                return Failure("missing", "", None, clip(message))
        raise AgentProtocolError(f"the agent answered a call with {type(reply).__name__.lower()!r}")

    def _lost(self, error: AgentError, step: Step) -> AgentError:
        """Record an error in the transcript and kill the agent if it cannot continue. Returns the error to raise."""
        if isinstance(error, AgentCannot):
            self._pending = None
            self.transcript.end(step, f"the agent cannot make this call: {error}")
            return error
        if isinstance(error, AgentHung):
            try:
                self.budget.check()
            except CaseTimedOut as late:  # the call had no more time than the case
                error = late
        self.transcript.end(step, str(error))
        self.kill()
        return type(error)(f"{step.call}: {error}")
