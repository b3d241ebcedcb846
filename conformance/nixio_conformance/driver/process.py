"""An agent's process: started, spoken to line by line under a deadline, and killed with all its children."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from nixio_conformance.driver import ending, limits, processes
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentBroke, AgentCrashed, AgentHung, CannotStart
from nixio_conformance.driver.guard import guard
from nixio_conformance.driver.pipes import Source, room, source
from nixio_conformance.driver.stderr import Stderr
from nixio_conformance.driver.text import show
from nixio_conformance.driver.timeouts import ENDING

#: Bytes of one reply. The largest honest one is a buffer of `buffersize`; a flood is stopped before memory is.
LONGEST_LINE = 16 * 1024 * 1024
#: Bytes on standard error after which the agent is stopped, before the disk is full.
LONGEST_STDERR = 64 * 1024 * 1024
#: Bytes that a pipe takes on every system without waiting for its reader.
_PIPE = 4096
#: Seconds that are waited without looking at deadlines: nearly every reply comes within them.
_SOON = 0.02
#: Seconds between two looks at whether the process is still there.
_SLICE = 0.1
#: Seconds for reading the rest of a long reply that was written before the deadline.
_LATE = 1.0


class AgentProcess:
    """One running agent program."""

    def __init__(self, argv: Sequence[str], make_source: Callable[[int], Source] = source) -> None:
        """Start `argv`; raises `CannotStart` when the system will not."""
        self.argv = tuple(argv)
        self._stderr = Stderr()
        self._buffer = bytearray()
        self._searched = 0
        self._killed = False
        self._limits = limits.imposed()
        self._memory = 0
        self._mark = f"{guard().mark}-{secrets.token_hex(4)}"
        try:
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr.writer,
                bufsize=0,
                start_new_session=True,
                env={**os.environ, processes.MARK: self._mark},
            )
        except (OSError, ValueError) as error:
            self._stderr.close()
            raise CannotStart(f"the agent {' '.join(self.argv)!r} cannot be started: {error}") from error
        self._limits.set_on(self.pid)
        guard().watch(self.pid)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input = self._process.stdin.fileno()
        self._room = room(self._input)
        self._source = make_source(self._process.stdout.fileno())

    @property
    def pid(self) -> int:
        """Process id of the agent."""
        return self._process.pid

    def send(self, line: bytes, deadline: Deadline) -> None:
        """Write one line; an agent that does not read it in time has hung."""
        self.write(line + b"\n", deadline)

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Write bytes as they are; an agent that does not read them in time has hung."""
        rest = memoryview(data)
        at_once = len(rest) <= _PIPE and self._room()
        with contextlib.nullcontext() if at_once else self._read_in_time(deadline):
            try:
                while rest:
                    rest = rest[os.write(self._input, rest) :]
            except (BrokenPipeError, ConnectionResetError):
                raise self._gone() from None

    def receive(self, deadline: Deadline) -> bytes:
        """The next line without its end; raises when the agent dies, floods, or is too late."""
        seconds, late = _SOON, 0.0
        while (line := self._line()) is None:
            if len(self._buffer) > LONGEST_LINE:
                raise AgentBroke(f"the agent wrote more than {LONGEST_LINE} bytes without an end of line")
            if self._take(seconds):
                if deadline.remaining() <= 0:
                    # What is there already is in time, but not what goes on coming.
                    seconds, late = 0.0, late or time.monotonic()
                    if time.monotonic() - late > _LATE:
                        raise self._hung("end its answer", deadline)
                continue
            # Only now, when nothing is there: an answer that came while the suite itself was starved is in time.
            left = deadline.remaining()
            self._look()
            if left <= 0:
                raise self._hung("answer", deadline)
            seconds = min(left, _SLICE)
        self._refuse_flood()  # an answer may be that the file has come to its limit
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

    def end_input(self) -> None:
        """Say that no request will follow."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def kill(self) -> None:
        """End it and whatever it started; safe to call twice."""
        if self._killed:
            return
        self._killed = True
        self._kill_all()
        ending.wait(self._process)
        guard().forget(self.pid)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._stderr.close()

    def _kill_all(self) -> None:
        if sys.platform == "win32":
            self._process.kill()
        else:
            processes.kill_all(self.pid, self._mark)

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._buffer)  # a long line comes in many pieces
            return None
        self._searched = 0
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
        self._memory = max(self._memory, processes.memory(self.pid))
        if (used := ending.wait(self._process, 0.0)) is not None:
            self._memory = max(self._memory, used)
            if not self._waited(0.0):
                raise self._gone()  # a child of its holds the pipe open: there will be no end
        self._refuse_flood()

    def _refuse_flood(self) -> None:
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
            self._kill_all()

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
            raise self._hung("read its request", deadline)

    def _hung(self, what: str, deadline: Deadline) -> AgentHung:
        notes = [f"the agent took more than {deadline.elapsed:.1f} s to {what}", processes.doing(self.pid)]
        if self._buffer:
            notes.append(f"it wrote {show(self._buffer)} and no end of line (a reply ends with a newline)")
        return AgentHung("; ".join(note for note in notes if note) + ending.near(self._memory, self._limits))

    def _gone(self) -> AgentCrashed:
        used = ending.wait(self._process, ENDING)
        if used is None:
            return AgentCrashed("the agent closed its output (or input) without ending")
        self._memory = max(self._memory, used)
        assert self._process.returncode is not None
        unfinished = f"; it wrote {show(self._buffer)} and no end of line" if self._buffer else ""
        return AgentCrashed(ending.told(self._process.returncode, self._memory, self._limits) + unfinished)
