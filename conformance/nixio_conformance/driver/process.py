"""An agent's process: started, spoken to line by line under a deadline, and killed with all its children."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence

from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentBroke, AgentCrashed, AgentHung, CannotStart
from nixio_conformance.driver.guard import guard
from nixio_conformance.driver.pipes import Source, source

#: Bytes of one reply. The largest honest one is a buffer of `buffersize`; a flood is stopped before memory is.
LONGEST_LINE = 16 * 1024 * 1024
#: Bytes on standard error after which the agent is stopped, before the disk is full.
LONGEST_STDERR = 256 * 1024 * 1024
_STDERR_KEPT = 4000
#: Bytes that a pipe takes on every system without waiting for its reader.
_PIPE = 4096
#: Seconds that are waited without looking at deadlines: nearly every reply comes within them.
_SOON = 0.02
#: Seconds between two looks at whether the process is still there.
_SLICE = 0.1
#: Seconds that a process may take to end once its output is closed.
_ENDING = 2.0


class AgentProcess:
    """One running agent program."""

    def __init__(self, argv: Sequence[str], make_source: Callable[[int], Source] = source) -> None:
        """Start `argv`; raises `CannotStart` when the system will not."""
        self.argv = tuple(argv)
        self._stderr = _Stderr()
        self._buffer = bytearray()
        self._killed = False
        try:
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr.writer,
                bufsize=0,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self._stderr.close()
            raise CannotStart(f"the agent {' '.join(self.argv)!r} cannot be started: {error}") from error
        guard().watch(self.pid)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input = self._process.stdin.fileno()
        self._source = make_source(self._process.stdout.fileno())

    @property
    def pid(self) -> int:
        """Process id of the agent."""
        return self._process.pid

    def send(self, line: bytes, deadline: Deadline) -> None:
        """Write one line; an agent that does not read it in time has hung."""
        rest = memoryview(line + b"\n")
        with self._read_in_time(deadline) if len(rest) > _PIPE else contextlib.nullcontext():
            try:
                while rest:
                    rest = rest[os.write(self._input, rest) :]
            except (BrokenPipeError, ConnectionResetError):
                raise self._gone() from None

    def receive(self, deadline: Deadline) -> bytes:
        """The next line without its end; raises when the agent dies, floods, or is too late."""
        seconds = _SOON
        while (line := self._line()) is None:
            if len(self._buffer) > LONGEST_LINE:
                raise AgentBroke(f"the agent wrote more than {LONGEST_LINE} bytes without an end of line")
            if self._take(seconds):
                continue
            # Only now, when nothing is there: an answer that came while the suite itself was starved is in time.
            left = deadline.remaining()
            if left <= 0:
                raise AgentHung(f"the agent took more than {deadline.elapsed:.1f} s to answer")
            self._look()
            seconds = min(left, _SLICE)
        return line

    def waiting(self, seconds: float) -> bool:
        """Whether something to receive is there or comes within that time; the end counts as something."""
        return b"\n" in self._buffer or self._process.returncode is not None or self._waited(seconds)

    def stderr(self) -> str:
        """The end of what it wrote to standard error so far."""
        return self._stderr.text()

    def forget_stderr(self) -> None:
        """Start the next case with nothing on standard error."""
        self._stderr.forget()

    def kill(self) -> None:
        """End it and whatever it started; safe to call twice."""
        if self._killed:
            return
        self._killed = True
        self._kill_group()
        self._process.wait()
        guard().forget(self.pid)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._stderr.close()

    def _kill_group(self) -> None:
        if sys.platform == "win32":
            self._process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _take(self, seconds: float) -> bool:
        """Whether more came within that time; raises at the end."""
        chunk = self._source.read(seconds)
        if chunk is None:
            return False
        if not chunk:
            raise self._gone()
        self._buffer += chunk
        return True

    def _waited(self, seconds: float) -> bool:
        try:
            return self._take(seconds)
        except AgentCrashed:
            return True

    def _look(self) -> None:
        """Nothing came for a while: is it still there, and sane?"""
        if self._process.poll() is not None and not self._waited(0.0):
            raise self._gone()  # a child of its holds the pipe open: there will be no end
        if self._stderr.size() > LONGEST_STDERR:
            raise AgentBroke(f"the agent wrote more than {LONGEST_STDERR} bytes to standard error")

    @contextlib.contextmanager
    def _read_in_time(self, deadline: Deadline) -> Iterator[None]:
        """Kill the agent when it leaves a big request unread, as the write would wait for ever."""
        done, late = threading.Event(), threading.Event()

        def watch() -> None:
            while (left := deadline.remaining()) > 0:
                if done.wait(left):
                    return
            late.set()
            self._kill_group()

        watcher = threading.Thread(target=watch, daemon=True, name="agent's deadline")
        watcher.start()
        try:
            yield
        except AgentCrashed:
            if not late.is_set():
                raise
        finally:
            done.set()
            watcher.join()
        if late.is_set():
            raise AgentHung(f"the agent took more than {deadline.elapsed:.1f} s to read its request")

    def _gone(self) -> AgentCrashed:
        try:
            status = self._process.wait(timeout=_ENDING)
        except subprocess.TimeoutExpired:
            return AgentCrashed("the agent closed its output (or input) without ending")
        if status < 0:
            with contextlib.suppress(ValueError):
                return AgentCrashed(f"the agent was killed by {signal.Signals(-status).name}")
        return AgentCrashed(f"the agent ended with exit status {status}")


class _Stderr:
    """A file for standard error: an agent that writes a lot is neither held up nor kept in memory."""

    def __init__(self) -> None:
        self._reader, name = tempfile.mkstemp(prefix="nx-stderr-")
        # Appending, so that it can be cut short while the agent holds it.
        self.writer = os.open(name, os.O_WRONLY | os.O_APPEND)
        with contextlib.suppress(OSError):  # Windows keeps it until it is closed
            os.unlink(name)

    def size(self) -> int:
        return os.fstat(self._reader).st_size

    def text(self) -> str:
        if self._reader < 0:
            return ""
        os.lseek(self._reader, max(self.size() - _STDERR_KEPT, 0), os.SEEK_SET)
        return os.read(self._reader, _STDERR_KEPT).decode("utf-8", "replace")

    def forget(self) -> None:
        if self.size():
            os.ftruncate(self._reader, 0)

    def close(self) -> None:
        if self._reader >= 0:
            os.close(self._reader)
            os.close(self.writer)
            self._reader = self.writer = -1
