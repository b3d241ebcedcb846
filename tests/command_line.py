"""Runs `nixio-conformance` in processes of their own, forked from one that has imported it.

Most of a short run's time is spent on imports. One server process does them once; each run is a child of that process
with a folder, an environment and outputs of its own, so that runs cannot affect each other.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NoReturn

#: Seconds that any run may take on a loaded machine.
TIMEOUT = 120
#: Elsewhere each run starts an interpreter: macOS and Windows do not fork a process that has imported so much.
FORKS = sys.platform.startswith("linux")


_COMMAND = [sys.executable, "-m", "nixio_conformance"]


def nixio_conformance(words: Sequence[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`nixio-conformance` with these arguments, in this folder; raises `subprocess.TimeoutExpired` after `TIMEOUT`."""
    return execute([*_COMMAND, *words], folder, **environment)


def traced(
    tracer: Sequence[str], words: Sequence[str], folder: Path, seconds: int, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The same within `seconds`, under a tracer that is started with `-p PID` added once all is imported (Linux)."""
    return _server().run(list(words), folder, {**os.environ, **environment}, seconds, tracer)


def redirected(
    words: Sequence[str], folder: Path, output: str | None = None, errors: str | None = None
) -> subprocess.CompletedProcess[str]:
    """The same with a path as standard output or standard error; "" closes it (Linux)."""
    return _server().run(list(words), folder, dict(os.environ), streams=(output, errors))


def execute(command: Sequence[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Any program in this folder; `python -m nixio_conformance` is forked where that is possible."""
    if FORKS and list(command[:3]) == _COMMAND:
        return _server().run(list(command[3:]), folder, {**os.environ, **environment})
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@cache
def _server() -> _Server:
    return _Server()


class _Server:
    """The process that forks. It ends when its standard input does, with the tests."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(
        self,
        words: list[str],
        folder: Path,
        environment: dict[str, str],
        seconds: int = TIMEOUT,
        tracer: Sequence[str] = (),
        streams: tuple[str | None, str | None] = (None, None),
    ) -> subprocess.CompletedProcess[str]:
        with tempfile.NamedTemporaryFile() as output, tempfile.NamedTemporaryFile() as errors:
            names = (
                output.name if streams[0] is None else streams[0],
                errors.name if streams[1] is None else streams[1],
            )
            self._ask([words, str(folder), environment, *names, seconds, list(tracer)])
            if (code := self._answer()) is None:
                raise subprocess.TimeoutExpired(words, seconds, _text(output.name), _text(errors.name))
            return subprocess.CompletedProcess(words, code, _text(output.name), _text(errors.name))

    def _ask(self, request: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def _answer(self) -> int | None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the server of runs ended"
        answer: int | None = json.loads(line)
        return answer


def _text(path: str) -> str:
    return Path(path).read_text("utf-8", "replace")


def _serve() -> None:
    for module in ("hypothesis.strategies", "xdist.plugin", "nixio_conformance.cli"):
        importlib.import_module(module)
    # Load once what every run reads and compiles: the tables and the page's template.
    from nixio_fixtures import load
    from nixio_reports.html import template

    load()
    template()
    for line in sys.stdin:
        words, folder, environment, output, errors, seconds, tracer = json.loads(line)
        child = os.fork()
        if not child:
            _child(words, folder, environment, output, errors, bool(tracer))
        with _attached(tracer, child) if tracer else contextlib.nullcontext():
            code = _wait(child, seconds)
        print(json.dumps(code), flush=True)


@contextlib.contextmanager
def _attached(tracer: list[str], child: int) -> Iterator[None]:
    """Let a tracer follow the stopped child, which then continues; without a tracer, if that may not trace."""
    os.waitpid(child, os.WUNTRACED)
    with subprocess.Popen([*tracer, "-p", str(child)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and "TracerPid:\t0\n" in Path(f"/proc/{child}/status").read_text():
            time.sleep(0.001)
        os.kill(child, signal.SIGCONT)
        yield


def _wait(child: int, seconds: int) -> int | None:
    """The child's exit code; None if it was killed because it took too long."""
    timed_out: list[int] = []

    def kill(number: int, frame: object) -> None:
        timed_out.append(number)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, kill)
    signal.alarm(seconds)
    _, status = os.waitpid(child, 0)
    signal.alarm(0)
    return None if timed_out else os.waitstatus_to_exitcode(status)


def _child(
    words: list[str], folder: str, environment: dict[str, str], output: str, errors: str, stopped: bool
) -> NoReturn:
    """Do what `python -m nixio_conformance` does, and end as that does, with all that runs at an interpreter's exit."""
    os.setsid()
    for number, path, flags in ((0, os.devnull, os.O_RDONLY), (1, output, os.O_WRONLY), (2, errors, os.O_WRONLY)):
        if not path:  # as the interpreter does at its start
            os.close(number)
            setattr(sys, ("stdin", "stdout", "stderr")[number], None)
            continue
        file = os.open(path, flags)
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    sys.argv = ["nixio-conformance", *words]
    sys.path[0] = folder
    from nixio_conformance.__main__ import main

    if stopped:
        os.kill(os.getpid(), signal.SIGSTOP)
    main()
    raise SystemExit(0)


if __name__ == "__main__":
    _serve()
