"""Reads a pipe with a timeout: with poll() on POSIX, with a thread of its own on Windows.

poll() costs a system call for each wait, the thread two context switches; hence two implementations.
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


class PipeReader(Protocol):
    """The reading end of a pipe."""

    def read(self, seconds: float) -> bytes | None:
        """The available bytes, waiting at most `seconds` for some: None if none arrive, b"" at end of file."""
        ...


class PollingReader:
    """Waits with poll()."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def read(self, seconds: float) -> bytes | None:
        """The available bytes, waiting at most `seconds` for some: None if none arrive, b"" at end of file."""
        return os.read(self._descriptor, _CHUNK) if self._poll.poll(seconds * 1000) else None


class ThreadedReader:
    """Reads in a thread, for descriptors that poll() does not support."""

    def __init__(self, descriptor: int) -> None:
        # Bounded, so that a flood fills the pipe and not this process's memory.
        self._chunks: queue.Queue[bytes] = queue.Queue(maxsize=16)
        self._ended = False
        # A duplicate: the original may be closed and its number reused while the thread still reads.
        threading.Thread(target=self._read_all, args=(os.dup(descriptor),), daemon=True, name="agent's output").start()

    def read(self, seconds: float) -> bytes | None:
        """The available bytes, waiting at most `seconds` for some: None if none arrive, b"" at end of file."""
        if self._ended:
            return b""
        try:
            chunk = self._chunks.get(timeout=seconds) if seconds > 0 else self._chunks.get_nowait()
        except queue.Empty:
            return None
        self._ended = not chunk
        return chunk

    def _read_all(self, descriptor: int) -> None:
        while chunk := os.read(descriptor, _CHUNK):
            self._chunks.put(chunk)
        os.close(descriptor)
        self._chunks.put(b"")


def open_reader(descriptor: int) -> PipeReader:
    """The reader for this system."""
    return ThreadedReader(descriptor) if sys.platform == "win32" else PollingReader(descriptor)


def write_readiness(descriptor: int) -> Callable[[], bool]:
    """A function that returns whether a pipe now takes 4096 bytes without blocking; always True on Windows."""
    if sys.platform == "win32":
        return lambda: True
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return lambda: bool(poll.poll(0))
