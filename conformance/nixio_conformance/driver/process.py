"""An agent's process: started, spoken to line by line under a deadline, and killed with all its children."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence

from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.errors import AgentBroke, AgentCrashed, AgentHung, CannotStart

#: Bytes of one reply. The largest honest one is a buffer of `buffersize`; a flood is stopped before memory is.
LONGEST_LINE = 16 * 1024 * 1024
_STDERR_KEPT = 4000
_PR_SET_PDEATHSIG = 1


class AgentProcess:
    """One running agent program."""

    def __init__(self, argv: Sequence[str]) -> None:
        """Start `argv`; raises `CannotStart` when the system will not."""
        self.argv = tuple(argv)
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed in kill()
        self._buffer = bytearray()
        try:
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                bufsize=0,
                start_new_session=True,
                preexec_fn=_die_with_parent(),
            )
        except (OSError, ValueError) as error:
            self._stderr.close()
            raise CannotStart(f"the agent {' '.join(self.argv)!r} cannot be started: {error}") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input = self._process.stdin.fileno()
        self._output = self._process.stdout.fileno()
        if sys.platform != "win32":
            os.set_blocking(self._input, False)
            os.set_blocking(self._output, False)

    @property
    def pid(self) -> int:
        """Process id of the agent."""
        return self._process.pid

    def send(self, line: bytes, deadline: Deadline) -> None:
        """Write one line; an agent that does not read it in time has hung."""
        rest = memoryview(line + b"\n")
        while rest:
            try:
                rest = rest[os.write(self._input, rest) :]
            except BlockingIOError:
                select.select([], [self._input], [], self._left(deadline, "to read its request"))
            except (BrokenPipeError, ConnectionResetError):
                raise self._gone() from None

    def receive(self, deadline: Deadline) -> bytes:
        """The next line without its end; raises when the agent dies, floods, or is too late."""
        while True:
            end = self._buffer.find(b"\n")
            if end >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                return line
            if len(self._buffer) > LONGEST_LINE:
                raise AgentBroke(f"the agent wrote more than {LONGEST_LINE} bytes without an end of line")
            if not self._ready(self._left(deadline, "to answer")):
                continue
            self._read()

    def waiting(self, seconds: float) -> bool:
        """Whether something to receive is there or comes within that time."""
        return b"\n" in self._buffer or self._ready(seconds)

    def stderr(self) -> str:
        """The end of what it wrote to standard error so far."""
        if self._stderr.closed:
            return ""
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(size - _STDERR_KEPT, 0))
        return self._stderr.read().decode("utf-8", "replace")

    def forget_stderr(self) -> None:
        """Start the next case with nothing on standard error."""
        if self._stderr.seek(0, os.SEEK_END):
            self._stderr.seek(0)
            self._stderr.truncate()

    def kill(self) -> None:
        """End it and whatever it started; safe to call twice."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _ready(self, seconds: float) -> bool:
        if sys.platform == "win32":
            return True  # pipes cannot be waited for there; the read below blocks instead
        readable, _, _ = select.select([self._output], [], [], seconds)
        return bool(readable)

    def _read(self) -> None:
        try:
            chunk = os.read(self._output, 1 << 20)
        except BlockingIOError:
            return
        if not chunk:
            raise self._gone()
        self._buffer += chunk

    def _left(self, deadline: Deadline, purpose: str) -> float:
        left = deadline.remaining()
        if left <= 0:
            raise AgentHung(f"the agent took more than {deadline.elapsed:.1f} s {purpose}")
        return left

    def _gone(self) -> AgentCrashed:
        try:
            status = self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return AgentCrashed("the agent closed its output without ending")
        if status < 0:
            with contextlib.suppress(ValueError):
                return AgentCrashed(f"the agent was killed by {signal.Signals(-status).name}")
        return AgentCrashed(f"the agent ended with exit status {status}")


def _die_with_parent() -> Callable[[], None] | None:
    """Linux: have the system kill the agent when the suite dies, however that happens; nothing is left behind."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return in_child
