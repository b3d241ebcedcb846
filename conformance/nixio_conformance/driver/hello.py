"""The first exchange with an agent: it names the implementation, or another program to start instead of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nixio_conformance.driver import messages
from nixio_conformance.driver.channel import Channel
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentError, AgentHung, CannotStart
from nixio_conformance.driver.replies import receive
from nixio_conformance.driver.text import clip
from nixio_conformance.driver.timeouts import HELLO

Starter = Callable[[], Channel]


def greet(
    start: Starter, start_program: Callable[[Sequence[str]], Channel], next_id: Callable[[], int]
) -> tuple[Channel, messages.Welcome, Starter]:
    """Start an agent and say hello: its channel, what it says of itself, and how to start the next one.

    An agent may name another program (`instead`), which `start_program` starts and which is asked in its place. Raises
    `CannotStart` for an agent that cannot be started, is not available or speaks another protocol.
    """
    channel, reply = _hello(start, next_id())
    if isinstance(reply, messages.Instead):
        channel.kill()
        argv = reply.argv

        def start() -> Channel:
            return start_program(argv)

        channel, reply = _hello(start, next_id())
    if not isinstance(reply, messages.Welcome):
        unavailable = isinstance(reply, messages.Unavailable)
        why = clip(reply.message if unavailable else f"it answered hello with {reply!r}")  # type: ignore[union-attr]
        channel.kill()
        raise CannotStart(why)
    if reply.protocol != messages.VERSION:
        channel.kill()
        raise CannotStart(f"the agent speaks protocol {reply.protocol}, the suite speaks {messages.VERSION}")
    return channel, reply, start


def _hello(start: Starter, identifier: int) -> tuple[Channel, messages.Reply]:
    channel = start()
    try:
        hello = messages.Hello(identifier)
        channel.send(messages.encode_request(hello), Deadline(HELLO, channel.pid))
        return channel, receive(channel, identifier, 0, HELLO)
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
