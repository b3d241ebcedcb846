"""Starts agents: each names its implementation in the handshake, or redirects to another agent program."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from nixio_conformance.driver import messages
from nixio_conformance.driver.channel import Channel
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentError, AgentHung, CannotRestart, CannotStart
from nixio_conformance.driver.reply_matching import receive
from nixio_conformance.driver.text import clip
from nixio_conformance.driver.timeouts import HELLO, HELLO_AGAIN

Starter = Callable[[], Channel]
#: How often an agent is started for a case before no case can be judged any more.
TRIES = 3
#: A later hello may take this many times as long as the one before it.
_SLOWER = 10


class Agents:
    """Starts the agents of a session, one after the other."""

    def __init__(
        self, start: Starter, start_program: Callable[[Sequence[str]], Channel], next_id: Callable[[], int]
    ) -> None:
        """`start` starts an agent. Where that redirects, `start_program` starts the program that it names."""
        self._start = start
        self._start_program = start_program
        self._next_id = next_id
        #: Seconds that the reply to the next hello may take; time in which the agent waits for a processor is extra.
        self.seconds = HELLO
        #: Why no agent starts any more; empty as long as one may.
        self.given_up = ""

    def start(self, tries: int = 1) -> tuple[Channel, messages.Welcome]:
        """Start an agent and say hello, in at most so many `tries`. Returns its channel and its reply.

        Raises `CannotStart` for an agent that cannot be started, is unavailable or speaks another version of the
        protocol, and `CannotRestart` after more than one try.
        """
        for _ in range(tries):
            begin = time.monotonic()
            try:
                channel, welcome = self._handshake()
            except CannotStart as error:
                reason = error
            else:
                self.seconds = min(HELLO, max(HELLO_AGAIN, _SLOWER * (time.monotonic() - begin)))
                return channel, welcome
        if tries == 1:
            raise reason
        self.given_up = f"no agent starts any more, {tries} times in a row: {reason}"
        raise CannotRestart(self.given_up) from None

    def _handshake(self) -> tuple[Channel, messages.Welcome]:
        channel, reply = self._hello()
        if isinstance(reply, messages.Instead):
            channel.kill()
            argv = reply.argv
            self._start = lambda: self._start_program(argv)
            channel, reply = self._hello()
        if not isinstance(reply, messages.Welcome):
            channel.kill()
            if isinstance(reply, messages.Unavailable):
                raise CannotStart(clip(reply.message))
            raise CannotStart(clip(f"it answered hello with {reply!r}"))
        if reply.protocol != messages.VERSION:
            channel.kill()
            version = reply.protocol
            raise CannotStart(f"the agent speaks protocol version {version}, the suite version {messages.VERSION}")
        return channel, reply

    def _hello(self) -> tuple[Channel, messages.Reply]:
        channel, identifier = self._start(), self._next_id()
        try:
            hello = messages.Hello(identifier)
            channel.send(messages.encode_request(hello), Deadline(self.seconds, channel.pid))
            return channel, receive(channel, identifier, 0, self.seconds)
        except AgentError as error:
            stderr = channel.stderr().strip()
            channel.kill()
            hint = "; fix the agent: answer hello at once, and flush standard output after each reply"
            raise CannotStart(
                f"the agent did not say hello: {error}"
                + (hint if isinstance(error, AgentHung) else "")
                + (f"; it wrote: {stderr[-1500:]}" if stderr else "")
            ) from None
        except BaseException:
            channel.kill()  # Ctrl-C while a slow agent starts
            raise
