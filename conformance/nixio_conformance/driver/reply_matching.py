"""Matches replies to requests by id, so that a late reply never reaches another case."""

from __future__ import annotations

import msgspec

from nixio_conformance.driver import messages, reply_hints
from nixio_conformance.driver.channel import Channel
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentHung, AgentProtocolError
from nixio_conformance.driver.text import clip, show


def receive(channel: Channel, identifier: int, stale: int, seconds: float) -> messages.Reply:
    """Wait at most `seconds` for the reply to request `identifier`.

    Replies to requests up to `stale` belong to earlier cases and are dropped. Raises `AgentProtocolError` for a line
    that is not a reply and for a reply to another request, `AgentHung` when the deadline passes.
    """
    deadline = Deadline(seconds, channel.pid)
    while True:
        line = channel.receive(deadline)
        try:
            reply = messages.decode_reply(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            why = f"{clip(str(error), 200)}; fix the agent: {reply_hints.hint(line)}"
            raise AgentProtocolError(f"the agent wrote a line that is not a reply: {show(line)}: {why}") from None
        if reply.id == identifier:
            return reply
        if 0 < reply.id <= stale:
            # A late second answer from an earlier case: neither this case's value nor its error.
            if deadline.remaining() <= 0:
                raise AgentHung(f"the agent answered earlier requests again for {deadline.elapsed:.1f} s")
            continue
        twice = 0 < reply.id < identifier
        what = "answered twice" if twice else "answered a request that was not made"
        hint = "answer each request once" if twice else "repeat the request's `id` in the reply"
        due = f"while the reply to request {identifier} was due; fix the agent: {hint}"
        raise AgentProtocolError(f"the agent {what}: {show(line)} {due}")
