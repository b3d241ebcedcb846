"""Which reply of an agent belongs to which request: replies are matched by id, and a late one reaches no other case."""

from __future__ import annotations

import msgspec

from nixio_conformance.driver import messages, mistakes
from nixio_conformance.driver.channel import Channel
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentBroke, AgentHung
from nixio_conformance.driver.text import clip, show


def receive(channel: Channel, identifier: int, stale: int, seconds: float) -> messages.Reply:
    """Wait for the reply to request `identifier`, at most `seconds`.

    Replies to requests up to `stale`, which are of earlier cases, are dropped. Raises `AgentBroke` for a line that is
    no reply or a reply to another request, `AgentHung` when the deadline passes.
    """
    deadline = Deadline(seconds, channel.pid)
    while True:
        line = channel.receive(deadline)
        try:
            reply = messages.decode_reply(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            why = f"{clip(str(error), 200)}; mend the agent: {mistakes.mend(line)}"
            raise AgentBroke(f"the agent wrote what is no reply: {show(line)}: {why}") from None
        if reply.id == identifier:
            return reply
        if 0 < reply.id <= stale:
            # A late second answer to an earlier case: neither this case's value nor its fault.
            if deadline.remaining() <= 0:
                raise AgentHung(f"the agent answered earlier requests again for {deadline.elapsed:.1f} s")
            continue
        twice = 0 < reply.id < identifier
        what = "answered twice" if twice else "answered a request that was not made"
        mend = "answer each request once" if twice else "repeat the request's `id` in the reply"
        due = f"while the reply to request {identifier} was due; mend the agent: {mend}"
        raise AgentBroke(f"the agent {what}: {show(line)} {due}")
