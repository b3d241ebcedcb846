"""A peer that vanished without closing: how ETIMEDOUT is reported."""

from __future__ import annotations

import errno
from typing import Any

from tests.mutants.errors import answer, substitute
from tests.mutants.hooks import Receiver, Sender
from tests.mutants.registry import Group
from tests.mutants.wrapper import RECEIVING, raising, size, system, with_errno

GROUP = Group(__name__)
fault = GROUP.fault
#: The end of the ids of the clauses about sending.
VANISHED = "vanished.told"  # words: allow


received = GROUP.rows(
    Receiver,
    "{method}-{}",
    "{method} reports a connection that the system gave up {}",
    "{method}.{}",
    methods=RECEIVING,
)
received("end", "as the end of the stream", "vanished.timed-out").override(failed=answer(b"", errno.ETIMEDOUT))
received("block", "as would-block", "vanished.timed-out").override(failed=substitute(errno.EAGAIN, errno.ETIMEDOUT))
received("reset", "as a reset", "vanished.timed-out").override(failed=substitute(errno.ECONNRESET, errno.ETIMEDOUT))
received("no-errno", "without an errno", "vanished.timed-out").override(
    failed=substitute(OSError("timed out"), errno.ETIMEDOUT)
)
received("value", "as the caller's mistake", "vanished.timed-out").override(
    failed=substitute(ValueError("timed out"), errno.ETIMEDOUT)
)


class GivenUp(Sender):
    """send and write, with a hook for connections that the system has timed out."""

    def given_up(self, buffer: Any) -> Any:
        """The result in place of the failure."""
        raise system(errno.ETIMEDOUT)

    def failed(self, error: OSError, buffer: Any, offset: Any, length: Any) -> Any:
        gone = with_errno(error, errno.ETIMEDOUT, errno.EPIPE) and self.stream and self.internet
        return self.given_up(buffer) if gone else raising(error)


sent = GROUP.rows(
    GivenUp,
    "{method}-{}",
    "after the system gave the connection up, {method} {}",
    "{method}.{}",
    methods=("send", "write"),
)
sent("sent", "returns that all was sent", VANISHED).override(given_up=lambda s, buffer: size(buffer))
sent("nothing", "returns that nothing was sent", VANISHED).override(given_up=lambda s, buffer: 0)
sent("block", "reports would-block", VANISHED).override(given_up=lambda s, buffer: raising(system(errno.EAGAIN)))
sent("unconnected", "reports ENOTCONN", VANISHED).override(given_up=lambda s, buffer: raising(system(errno.ENOTCONN)))
