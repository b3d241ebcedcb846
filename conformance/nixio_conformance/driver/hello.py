"""The handshake with an agent: it names its implementation, or redirects to another agent program."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nixio_conformance.driver import messages
from nixio_conformance.driver.channel import Channel
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentError, AgentHung, CannotStart
from nixio_conformance.driver.reply_matching import receive
from nixio_conformance.driver.text import clip
from nixio_conformance.driver.timeouts import HELLO

Starter = Callable[[], Channel]


def handshake(
    start: Starter, start_program: Callable[[Sequence[str]], Channel], next_id: Callable[[], int]
) -> tuple[Channel, messages.Welcome, Starter]:
    """Start an agent and say hello. Returns its channel, its reply, and how to start the next agent.

    An agent may redirect to another program; then `start_program` starts that one, and its reply is used. Raises
    `CannotStart` for an agent that cannot be started, is unavailable or speaks another version of the protocol.
    """
    channel, reply = _hello(start, next_id())
    if isinstance(reply, messages.Instead):
        channel.kill()
        argv = reply.argv

        def start() -> Channel:
            return start_program(argv)

        channel, reply = _hello(start, next_id())
    if not isinstance(reply, messages.Welcome):
        channel.kill()
        if isinstance(reply, messages.Unavailable):
            raise CannotStart(clip(reply.message))
        raise CannotStart(clip(f"it answered hello with {reply!r}"))
    if reply.protocol != messages.VERSION:
        channel.kill()
        raise CannotStart(f"the agent speaks protocol version {reply.protocol}, the suite version {messages.VERSION}")
    return channel, reply, start


def _hello(start: Starter, identifier: int) -> tuple[Channel, messages.Reply]:
    channel = start()
    try:
        hello = messages.Hello(identifier)
        channel.send(messages.encode_request(hello), Deadline(HELLO, channel.pid))
        return channel, receive(channel, identifier, 0, HELLO)
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
