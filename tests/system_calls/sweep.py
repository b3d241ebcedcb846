"""Makes one system call of a run fail, at any point of it, and looks at how the run ends (Linux, strace).

strace counts the calls of a first run. In each further run it lets one of them fail: it does not happen, and returns an
error that it may return on a host that is short of memory, descriptors, disk or permissions. It follows the suite's own
process and not the agents: a call of an agent that fails is the implementation's, and the clauses judge that.

It begins once the command line is imported (`--whole`: with the interpreter). A failure while Python itself
starts or imports ends in whatever Python says. SQLite tests its handling of full memory and disks in the same way.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from nixio_conformance.driver.deadline import wait_for
from nixio_reports import Stream, StreamError, read
from tests.command_line import traced
from tests.processes import marked

#: The errors that are tried for each call: what the manual page names, and what a host that lacks something gives.
ERRORS = {
    "accept4": ("EMFILE",),
    "bind": ("EACCES",),
    "clone": ("EAGAIN",),
    "connect": ("ENOBUFS",),
    "fcntl": ("EMFILE",),
    "ftruncate": ("EIO",),
    "getdents64": ("EIO",),
    "getsockname": ("ENOBUFS",),
    "kill": ("EPERM",),
    "listen": ("ENOBUFS",),
    "mkdir": ("ENOSPC",),
    "mmap": ("ENOMEM",),
    "mount": ("EPERM",),
    "newfstatat": ("EIO",),
    "openat": ("EMFILE",),
    "pipe2": ("EMFILE",),
    "poll": ("ENOMEM",),
    "read": ("EIO",),
    "recvfrom": ("ENOMEM",),
    "rmdir": ("EIO",),
    "sendto": ("ENOBUFS",),
    "setsockopt": ("ENOMEM",),
    "socket": ("EMFILE",),
    "unlink": ("EACCES",),
    "unshare": ("EPERM",),
    "vfork": ("EAGAIN",),
    "wait4": ("EINTR",),
    "write": ("ENOSPC", "EINTR"),
}
PAIRS = tuple((call, error) for call, errors in ERRORS.items() for error in errors)
#: At how many points of a run each call fails: its first, its last, and others spread evenly between them.
POINTS = 4
#: Some cases that use connections, datagrams, socket files, and descriptors of the implementation.
SELECTED = ("close.peer.end", "close.shared", "close.unix.path-stays", "kind=inet-stream", "kind=unix-dgram")
#: Seconds that a run may take; a normal one takes one second.
TIMEOUT = 40
#: Seconds in which all processes of a run that has ended must end.
_ENDING = 10
_MARK = "NIXIO_CONFORMANCE_SWEEP"
_OUTCOMES = {"passed", "host-skip", "suite-error", "not-run"}


@dataclass(frozen=True)
class Fault:
    """One call of a run that fails."""

    call: str
    error: str
    #: Which of the process's calls, counted from 1.
    when: int

    @property
    def words(self) -> list[str]:
        """The options of strace."""
        return ["-e", f"trace={self.call}", "-e", f"inject={self.call}:error={self.error}:when={self.when}"]

    def __str__(self) -> str:
        return f"{self.call} {self.when} {self.error}"


@dataclass
class Ended:
    """A run that has ended, and what is not as it must be."""

    code: int
    output: str
    errors: str
    seconds: float
    trace: str
    stream: Stream | None
    problems: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether the call was made to fail; the number of calls differs a little between runs."""
        return "(INJECTED)" in self.trace


class Sweep:
    """Runs of one selection of cases."""

    def __init__(self, arguments: Sequence[str], whole: bool = False) -> None:
        """`arguments` are those of `nixio-conformance run`; `whole`: trace the interpreter's start too."""
        self.arguments = tuple(arguments)
        self._whole = whole
        self._calls: dict[str, int] = {}

    @property
    def calls(self) -> dict[str, int]:
        """How often the process of a run makes each call."""
        if not self._calls:
            ended = self._run(["-c"])
            assert ended.code == 0, ended.output + ended.errors
            table = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", ended.trace, re.MULTILINE)
            self._calls = {call: int(number) for number, call in table if call != "total"}
        return self._calls

    def faults(self, call: str, error: str, points: int = POINTS) -> list[Fault]:
        """The call at this number of points, or at all if it is made less often; none where this system lacks it."""
        number = self.calls.get(call, 0)
        chosen = {1 + round((number - 1) * point / max(points - 1, 1)) for point in range(points)} if number else set()
        return [Fault(call, error, when) for when in sorted(chosen)]

    def run(self, fault: Fault) -> Ended:
        """A run in which this call fails."""
        ended = self._run(fault.words)
        ended.problems += _problems(ended)
        return ended

    def _run(self, words: Sequence[str]) -> Ended:
        name, value = _MARK, secrets.token_hex(8)
        with _folder() as folder, _folder() as temporary:
            trace = folder / "trace"
            trace.touch()
            strace = ["strace", "-qq", "-o", str(trace), *words]
            arguments = ["run", *self.arguments, "--report=report"]
            environment = {"TMPDIR": str(temporary), name: value}
            begin = time.monotonic()
            try:
                done = self._start(strace, arguments, folder, **environment)
                code, output, errors = done.returncode, done.stdout, done.stderr
            except subprocess.TimeoutExpired as late:
                code, output, errors = -signal.SIGKILL, str(late.output), str(late.stderr)
            seconds = time.monotonic() - begin
            ended = Ended(code, output, errors, seconds, trace.read_text(), None)
            if not wait_for(lambda: not marked(f"{name}={value}"), _ENDING):
                ended.problems.append("processes left")
            ended.problems += [f"left: {path.name}" for path in temporary.iterdir()]
            others = [path for path in folder.iterdir() if path.name not in ("trace", "report")]
            ended.problems += [f"left: {path.name}" for path in others]
            ended.problems += [f"left: {path.name}" for path in folder.glob("report/.*")]
            if (stream := folder / "report" / "results.jsonl").exists():
                try:
                    ended.stream = read(stream)
                except StreamError as error:
                    ended.problems.append(f"the stream: {error}")
            return ended

    def _start(
        self, strace: Sequence[str], arguments: Sequence[str], folder: Path, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        if not self._whole:
            return traced(strace, arguments, folder, TIMEOUT, **environment)
        return subprocess.run(
            [*strace, sys.executable, "-m", "nixio_conformance", *arguments],
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )


def _problems(ended: Ended) -> Iterator[str]:
    """What a run with a failed call must not do."""
    text = ended.output + ended.errors
    if any(word in text for word in ("Traceback", "INTERNALERROR", "Exception ignored", "Warning")):
        yield "a traceback on the terminal"
    if "NOT conforming" in text:
        yield "it accuses the reference"
    if ended.code == -signal.SIGKILL:
        yield f"it was killed after {TIMEOUT} s"
    elif ended.stream is None:
        yield from _problems_without_stream(ended)
    else:
        yield from _problems_with_stream(ended.code, ended.stream)


def _problems_without_stream(ended: Ended) -> Iterator[str]:
    """The run could not begin: 2 is for a report that cannot be written, which is known before anything else."""
    if ended.code not in (2, 3):
        yield f"exit code {ended.code} and no stream"
    lines = [line for line in ended.errors.splitlines() if line.strip()]
    # Pytest reads files of its plugins, and says at length that it could not.
    of_pytest = lines[:1] and lines[0].startswith("Error while loading plugin")
    if ended.code == 3 and not of_pytest and not 1 <= len(lines) <= 2:
        yield f"{len(lines)} lines on standard error, and not one or two"


def _problems_with_stream(code: int, stream: Stream) -> Iterator[str]:
    """A suite that failed after the footer, while it wrote the reports, ends with 3 too."""
    if code not in (0, 3):
        yield f"exit code {code}"
    outcomes = {row.outcome for row in stream.rows}
    yield from sorted(f"rows are {outcome}" for outcome in outcomes - _OUTCOMES)
    if code == 0:
        yield from map(str, stream.problems)
        if outcomes & {"suite-error", "not-run"}:
            yield f"exit code 0 with rows that are {outcomes}"
        if stream.footer is None or stream.footer.exit_code:
            yield f"exit code 0, and the footer is {stream.footer}"


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    # Short: the paths of sockets are in it.
    folder = Path(tempfile.mkdtemp(prefix="sw", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def unavailable() -> str:
    """Why this machine cannot make calls fail; empty if it can."""
    if not sys.platform.startswith("linux"):
        return "strace exists on Linux only"
    if shutil.which("strace") is None:
        return "strace is not installed"
    program = ["strace", "-qq", "-e", "trace=chdir", "-e", "inject=chdir:error=EIO:when=1", sys.executable, "-S", "-c"]
    done = subprocess.run([*program, "import os; os.chdir('/')"], capture_output=True, text=True, check=False)
    if f"[Errno {errno.EIO}]" in done.stderr:
        return ""
    return f"strace makes no call fail here: {done.stderr.strip().splitlines()[-1:]}"
