"""The steps of a process that a signal stops: their order, what puts them off, what a second signal leaves out."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

PROGRAM = """
import os, signal, sys, time
from nixio_conformance.driver.stopping import CLEANING, SAME, Stage, stopping

def say(word):
    os.write(1, f"{word} ".encode())

def send(number=signal.SIGINT):
    os.kill(os.getpid(), number)

def again():
    time.sleep(SAME)
    send()
    say("not reached")

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)  # what the tests inherit, from nohup for example, may be ignored
stopping.handle()
for stage in reversed(Stage):
    stopping.add(stage, lambda stage=stage: say(stage.name))
"""


def run(code: str) -> tuple[int, list[str]]:
    """The exit code of a program with steps, and what it wrote."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys\nsys.path[:] = {sys.path!r}\n{PROGRAM}\n{code}\nsay('after')"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert not done.stderr
    return done.returncode, done.stdout.split()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_stages_are_in_order_and_nothing_follows(number: int) -> None:
    assert run(f"send({int(number)})") == (128 + number, ["RECORD", "PROCESSES", "FILES", "REPORT"])


def test_a_step_that_fails_does_not_stop_the_others() -> None:
    assert run("stopping.add(Stage.RECORD, lambda: 1 / 0); send()")[1][0] == "RECORD"


def test_what_is_held_is_completed_first() -> None:
    code, words = run("with stopping.held():\n    send()\n    say('held')")
    assert code == 130
    assert words == ["held", "RECORD", "PROCESSES", "FILES", "REPORT"]


def test_the_same_signal_twice_at_once_is_one() -> None:
    assert run("with stopping.held():\n    send()\n    send()")[1][-1] == "REPORT"


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("RECORD", ["not", "reached", "RECORD", "PROCESSES", "FILES"]),  # it is completed
        ("FILES", ["RECORD", "PROCESSES", "PROCESSES", "FILES"]),
        ("REPORT", ["RECORD", "PROCESSES", "FILES", "PROCESSES", "FILES"]),
    ],
)
def test_a_second_signal_leaves_out_the_report(stage: str, words: list[str]) -> None:
    program = f"once = []\nstopping.add(Stage.{stage}, lambda: once or (once.append(1), again()))\nsend()"
    assert run(program) == (130, words)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [("SAME", ["RECORD", "PROCESSES", "FILES"]), pytest.param("CLEANING", [], marks=pytest.mark.slow)],
)
def test_a_third_signal_ends_the_process_if_it_hangs(seconds: str, words: list[str]) -> None:
    program = f"stopping.add(Stage.RECORD, lambda: (time.sleep(SAME), send(), time.sleep({seconds}), send()))\nsend()"
    assert run(program) == (130, words)


def test_a_forked_child_does_none_of_the_steps() -> None:
    program = "pid = os.fork()\nif not pid: send()\nsay(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    assert run(program) == (0, ["130", "after"])


def test_an_ignored_signal_stays_ignored() -> None:
    program = "signal.signal(signal.SIGINT, signal.SIG_IGN)\nstopping.handle()\nsend()"
    assert run(program) == (0, ["after"])


def test_at_the_end_signals_are_ignored() -> None:
    assert run("stopping.ignore()\nsend()\nsend(signal.SIGTERM)") == (0, ["after"])
