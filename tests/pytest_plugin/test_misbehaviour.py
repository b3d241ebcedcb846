"""Implementations that exhaust resources in one case: its row says so, and the other cases are judged as usual."""

from __future__ import annotations

import sys

import pytest
from tests.processes import running
from tests.runs import Finished, Runs

from nixio_conformance.driver.deadline import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and views of processes")

#: Each class is right except for what it does in send() on one kind of socket.
WILD = '''
import os, signal, socket as _socket, subprocess, sys, time
import nixio_reference as right

KEPT = []
DAEMON = os.path.join(os.path.dirname(os.path.abspath(__file__)), "daemon")

class Wrapped:
    def __init__(self, domain, type, protocol=None):
        self.inner = right.socket(domain, type, protocol)
        self.turns = (domain, type) == ("inet", "dgram")
    def __getattr__(self, name):
        return getattr(self.inner, name)
    def send(self, *arguments):
        if self.turns:
            self.turn()
        return self.inner.send(*arguments)

class allocating(Wrapped):
    def turn(self):
        while True:
            KEPT.append(bytearray(b"x") * (1 << 22))

class opening(Wrapped):
    def turn(self):
        while True:
            KEPT.append(_socket.socket())

class stopping(Wrapped):
    def turn(self):
        os.kill(os.getpid(), signal.SIGSTOP)

class spinning(Wrapped):
    def turn(self):
        while True:
            pass

class talking(Wrapped):
    """A lot to standard error, without an end of line."""
    def turn(self):
        os.write(2, b"e" * 3_000_000)
        os._exit(1)

class shouting(Wrapped):
    def turn(self):
        while True:
            os.write(2, b"e" * 1_000_000)

class forking(Wrapped):
    """A daemon that holds all that the agent has open."""
    def turn(self):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                open(DAEMON, "w").write(str(os.getpid()))
                time.sleep(600)
            os._exit(0)
        os.wait()
        while not os.path.exists(DAEMON) or not open(DAEMON).read():
            time.sleep(0.01)
        os._exit(0)

class closing(Wrapped):
    def turn(self):
        os.closerange(0, 100)
        time.sleep(600)
'''


@pytest.mark.parametrize(
    ("fault", "outcome", "said"),
    [
        ("allocating", "failed", "MemoryError:  (an agent's memory is limited: --memory)"),
        ("opening", "failed", "EMFILE ("),
        pytest.param(
            "stopping",
            "timed-out",
            "took more than {} s to answer; it was stopped by a signal",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "spinning", "timed-out", "took more than {} s to answer; it was computing", marks=pytest.mark.slow
        ),
        ("talking", "crashed", "the agent ended with exit status 1"),
        ("shouting", "crashed", "the agent wrote more than 67108864 bytes to standard error"),
        ("forking", "crashed", "the agent ended with exit status 0"),
        pytest.param(
            "closing",
            "crashed",
            "the agent closed its output (or input) without ending",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_it_costs_one_verdict(runs: Runs, fault: str, outcome: str, said: str) -> None:
    (runs.folder / "wild.py").write_text(WILD)
    select = ["--select", "send.data.arrives", "--select", "kind=*-dgram", "--deadline", "3", "--memory", "200"]
    done = runs.run("--target", f"wild:{fault}", *select)
    assert done.code == 1, done.errors
    found = done.outcomes
    assert found.pop("inet-dgram-mutual") == outcome
    assert set(found.values()) - {"host-skip"} == {"passed"}
    message = done.rows["inet-dgram-mutual"].message
    start, _, end = said.partition("{}")
    assert start in message
    assert end in message
    nothing_is_left(runs)
    size_is_sane(done)


def nothing_is_left(runs: Runs) -> None:
    daemon = runs.folder / "daemon"
    if daemon.exists():
        pid = int(daemon.read_text())
        assert wait_for(lambda: not running(pid))


def size_is_sane(done: Finished) -> None:
    assert (done.report / "results.jsonl").stat().st_size < 100_000
    stderr = done.rows["inet-dgram-mutual"].stderr
    assert len(stderr) < 5000
    if len(stderr) > 4000:
        assert "bytes before this are left out]" in stderr


def test_a_limit_that_has_no_effect_is_refused(runs: Runs) -> None:
    done = runs.run("reference", "--in-process", "--memory", "200")
    assert done.code == 2
    assert "the implementation is in the suite's own process; leave the option out" in done.errors
