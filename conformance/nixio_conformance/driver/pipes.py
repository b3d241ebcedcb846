"""Reading a pipe under a deadline: the system waits for it on POSIX, a thread of its own where it cannot (Windows).

One wait costs a system call in the first way and two switches of threads in the second, which is why there are two.
"""

from __future__ import annotations

import os
import queue
import select
import sys
import threading
from collections.abc import Callable
from typing import Protocol

_CHUNK = 1 << 16


class Source(Protocol):
    """Where bytes come from."""

    def read(self, seconds: float) -> bytes | None:
        """What has come, waiting at most that long: None when nothing has, b"" at the end."""
        ...


class Polled:
    """A descriptor that the system can wait for."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def read(self, seconds: float) -> bytes | None:
        """What has come, waiting at most that long: None when nothing has, b"" at the end."""
        return os.read(self._descriptor, _CHUNK) if self._poll.poll(seconds * 1000) else None


class Pumped:
    """A descriptor that can only be read by waiting: a thread does."""

    def __init__(self, descriptor: int) -> None:
        # Bounded, so that a flood fills the pipe and not the memory.
        self._chunks: queue.Queue[bytes] = queue.Queue(maxsize=16)
        self._ended = False
        # A descriptor of its own: whoever closes the other one does not hand its number to this thread.
        threading.Thread(target=self._pump, args=(os.dup(descriptor),), daemon=True, name="agent's output").start()

    def read(self, seconds: float) -> bytes | None:
        """What has come, waiting at most that long: None when nothing has, b"" at the end."""
        if self._ended:
            return b""
        try:
            chunk = self._chunks.get(timeout=seconds) if seconds > 0 else self._chunks.get_nowait()
        except queue.Empty:
            return None
        self._ended = not chunk
        return chunk

    def _pump(self, descriptor: int) -> None:
        while chunk := os.read(descriptor, _CHUNK):
            self._chunks.put(chunk)
        os.close(descriptor)
        self._chunks.put(b"")


def source(descriptor: int) -> Source:
    """The way of this system."""
    return Pumped(descriptor) if sys.platform == "win32" else Polled(descriptor)


def room(descriptor: int) -> Callable[[], bool]:
    """Whether a pipe takes a short request (4096 bytes) just now without waiting for its reader.

    Windows cannot tell: there it is said to be so.
    """
    if sys.platform == "win32":
        return lambda: True
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return lambda: bool(poll.poll(0))
