"""Reads and writes pipes with a timeout: with poll() on POSIX, with a thread of its own on Windows.

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


class PipeWriter(Protocol):
    """The writing end of a pipe."""

    def write(self, data: bytes, remaining: Callable[[], float]) -> bool:
        """Write all data; False if no seconds are `remaining` before. Raises `BrokenPipeError` if no process reads."""
        ...


class PollingWriter:
    """Waits with poll(), on a descriptor that does not block."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)

    def write(self, data: bytes, remaining: Callable[[], float]) -> bool:
        """Write all data; False if no seconds are `remaining` before. Raises `BrokenPipeError` if no process reads."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                if not self._poll.poll(remaining() * 1000) and remaining() <= 0:
                    return False
        return True


class ThreadedWriter:
    """Writes in a thread; one that blocks is left behind, until the reader ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes, remaining: Callable[[], float]) -> bool:
        """Write all data; False if no seconds are `remaining` before. Raises `BrokenPipeError` if no process reads."""
        failed: list[OSError] = []
        # A duplicate: the original may be closed and its number reused while the thread still writes.
        descriptor = os.dup(self._descriptor)

        def write_all() -> None:
            rest = memoryview(data)
            try:
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
            except OSError as error:
                failed.append(error)
            finally:
                os.close(descriptor)

        thread = threading.Thread(target=write_all, daemon=True, name="agent's input")
        thread.start()
        while thread.is_alive() and (left := remaining()) > 0:
            thread.join(left)
        if failed:
            raise failed[0]
        return not thread.is_alive()


def open_writer(descriptor: int) -> PipeWriter:
    """The writer for this system."""
    return ThreadedWriter(descriptor) if sys.platform == "win32" else PollingWriter(descriptor)
