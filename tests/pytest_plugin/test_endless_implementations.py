"""Implementations of which a method never ends or returns the same for ever: each run ends, and judges what it can."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from nixio_fixtures import load
from nixio_reports import Stream, read

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="UNIX sockets, and the alarm")]

#: `METHOD_TURN` is the reference with a fault in one method, on each kind of socket another one.
ENDLESS = """
import contextlib, os, socket, threading, time
import nixio_reference as right

def hang(*arguments):
    while True:
        time.sleep(60)

def trickle(*arguments):
    time.sleep(0.1)
    return b"a"

ONE = {"unix": hang, "inet": lambda *_: 0, "inet6": lambda *_: b"a"}
OTHER = {"unix": trickle, "inet": lambda *_: b"", "inet6": lambda *_: None}
TURNS = {"1": {"stream": ONE, "dgram": OTHER}, "2": {"stream": OTHER, "dgram": ONE}}

class Faulty:
    def __init__(self, inner, method, fault):
        self.inner, self.method, self.fault = inner, method, fault
    def __getattr__(self, name):
        return self.fault if name == self.method else getattr(self.inner, name)
    def accept(self):
        if self.method == "accept":
            return self.fault()
        accepted, *address = self.inner.accept()
        return Faulty(accepted, self.method, self.fault), *address

class Flooding:
    # Each send() goes on for ever.
    def __init__(self, domain, type, protocol=None, inner=None):
        self.inner = inner or right.socket(domain, type, protocol)
    def __getattr__(self, name):
        return getattr(self.inner, name)
    def accept(self):
        accepted, *address = self.inner.accept()
        return Flooding("", "", None, accepted), *address
    def send(self, *arguments):
        with contextlib.suppress(OSError):
            end = socket.socket(fileno=os.dup(self.inner.fileno()))
            end.setblocking(True)
            threading.Thread(target=self.flood, args=(end,), daemon=True).start()
        return self.inner.send(*arguments)
    def flood(self, end):
        with contextlib.suppress(OSError):
            while True:
                end.sendall(b"x" * 65536)

def __getattr__(name):
    method, _, turn = name.partition("_")
    if turn not in TURNS:
        raise AttributeError(name)
    def open_socket(domain, type, protocol=None):
        return Faulty(right.socket(domain, type, protocol), method, TURNS[turn].get(type, ONE)[domain])
    return open_socket
"""

#: Bytes of memory that the process of a run may use; it imports the suite, which takes about 80 MB.
MEMORY = 400_000_000

#: Runs the command line, and prints the peak of its memory in bytes, without that of its children.
MEASURED = """
import resource, sys
from nixio_conformance.cli import main
try:
    main(sys.argv[1:], prog_name="nixio-conformance")
finally:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print("peak", peak * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Stream]:
    """Runs `nixio-conformance` over an implementation of `ENDLESS` with small budgets; the stream that it writes."""

    def make(implementation: str, *selected: str) -> Stream:
        (tmp_path / "endless.py").write_text(ENDLESS)
        limits = ["--deadline=0.3", "--case-deadline=0.8", "--max-timeouts=6", "--memory=300", "--without=lab"]
        words = ["run", f"--target=endless:{implementation}", "--report=report", *limits, *selected]
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        assert int(done.stdout.rsplit("peak ")[-1]) < MEMORY
        stream = read(tmp_path / "report" / "results.jsonl")
        assert stream.footer is not None
        stopped = stream.footer.stopped
        counts = Counter(row.outcome for row in stream.rows)
        assert (counts["timed-out"] >= 6) == (stopped == "too many cases timed out, --max-timeouts")
        assert bool(counts["not-run"]) <= bool(stopped)
        for row in stream.rows:
            assert row.seconds < 20, row.case
            assert row.steps or row.outcome != "timed-out", row.case
        return stream

    return make


@pytest.mark.parametrize("method", [method.name for method in load().methods if method.name != "socket"])
@pytest.mark.parametrize("turn", ["1", "2"])
def test_the_run_ends(run: Callable[..., Stream], method: str, turn: str) -> None:
    run(f"{method}_{turn}", f"--select=method={method}", "--select=kind=*-stream", "--select=kind=*-dgram")


def test_a_flood_of_bytes_ends_the_case_and_not_the_suite(run: Callable[..., Stream]) -> None:
    stream = run("Flooding", "--select=method=shutdown", "--select=method=close", "--select=kind=*-stream")
    ended = [row for row in stream.rows if row.message.endswith("sent or received more than 32 MiB")]
    assert {row.outcome for row in ended} == {"timed-out"}
