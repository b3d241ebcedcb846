"""A peer that is gone without closing: what becomes of the system's word for it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from tests.mutants.hooks import Receiver, Sender
from tests.mutants.registry import Chapter
from tests.mutants.wrapper import RECEIVING, raising, size, system, with_errno

CHAPTER = Chapter(__name__)


def in_its_place(result: Callable[[], Any]) -> Callable[..., Any]:
    """A hook that has this result, or failure, where the connection was given up."""
    return lambda sock, error, *_: result() if with_errno(error, errno.ETIMEDOUT) else raising(error)


RECEIVED = (
    ("end", "as the end of the stream", lambda: b""),
    ("block", "as would-block", lambda: raising(system(errno.EAGAIN))),
    ("reset", "as a reset", lambda: raising(system(errno.ECONNRESET))),
    ("no-errno", "without an errno", lambda: raising(OSError("timed out"))),
    ("value", "as the caller's mistake", lambda: raising(ValueError("timed out"))),
)
for method in RECEIVING:
    for name, does, result in RECEIVED:
        CHAPTER.row(
            f"{method}-{name}",
            f"{method} tells a connection that was given up {does}",
            [f"{method}.vanished.timed-out"],
            Receiver,
            methods=(method,),
            failed=in_its_place(result),
        )


class GivenUp(Sender):
    """Sends that know when the system has given the connection up."""

    def given_up(self, buffer: Any) -> Any:
        """What is told then."""
        raise system(errno.ETIMEDOUT)

    def failed(self, error: OSError, buffer: Any, offset: Any, length: Any) -> Any:
        gone = with_errno(error, errno.ETIMEDOUT, errno.EPIPE) and self.stream and self.internet
        return self.given_up(buffer) if gone else raising(error)


SENT: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("sent", "says that all was sent", lambda s, buffer: size(buffer)),
    ("nothing", "says that nothing was sent", lambda s, buffer: 0),
    ("block", "would block", lambda s, buffer: raising(system(errno.EAGAIN))),
    ("unconnected", "says that there never was one", lambda s, buffer: raising(system(errno.ENOTCONN))),
)
for method in ("send", "write"):
    for name, does, told in SENT:
        CHAPTER.row(
            f"{method}-{name}",
            f"after a connection was given up, {method} {does}",
            [f"{method}.vanished.told"],
            GivenUp,
            methods=(method,),
            given_up=told,
        )
