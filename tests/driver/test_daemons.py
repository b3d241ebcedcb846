"""Daemons of an implementation end with its agent, with the suite and after its death, whatever they do (Linux)."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.processes import running

from nixio_conformance.driver.deadline import Deadline, wait_for
from nixio_conformance.driver.errors import AgentHung
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.procfs import children, has_ended

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="other systems do not show who started a process"),
    pytest.mark.usefixtures("cleaned"),
]

AGENT = str(Path(__file__).parent / "agents" / "daemons.py")
KINDS = ["quiet", "holding_the_pipes", "deaf", "stopped", "forking", "parent"]
#: Starts an agent, and ends as the test demands.
SUITE = """
import os, sys
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.temporary import temporary_folder
temporary_folder().__enter__()
agent = AgentProcess(sys.argv[2:])
assert agent.receive(Deadline(30)) == b"ready"
exec(sys.argv[1])
"""


@pytest.fixture
def word() -> str:
    return secrets.token_hex(8)


def with_word(word: str) -> list[int]:
    """The running processes that have a word in their command line."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if word.encode() in Path("/proc", name, "cmdline").read_bytes() and running(int(name)):
                found.append(int(name))
        except OSError:
            continue  # it has just ended
    return found


def gone(word: str) -> bool:
    """Whether none runs: asked repeatedly, because a list of processes may miss one that has just been started."""
    return not any(with_word(word) for _ in range(20))


@pytest.mark.parametrize("kind", KINDS)
def test_they_end_with_the_agent(kind: str, word: str) -> None:
    agent = AgentProcess([sys.executable, "-S", AGENT, kind, word])
    assert agent.receive(Deadline(30)) == b"ready"
    assert wait_for(lambda: len(with_word(word)) >= 2, 20)
    begin = time.monotonic()
    agent.kill()
    assert time.monotonic() - begin < 10
    assert gone(word)


def test_those_that_have_ended_are_waited_for_while_the_agent_runs(word: str) -> None:
    agent = AgentProcess([sys.executable, "-S", AGENT, "forking", word])
    assert agent.receive(Deadline(30)) == b"ready"
    assert wait_for(lambda: len(children(os.getpid())) > 5, 20)
    before = set(filter(has_ended, children(os.getpid())))
    with pytest.raises(AgentHung):
        agent.receive(Deadline(0.3))
    assert not before & set(children(os.getpid()))
    agent.kill()


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        ("forking", "os.kill(os.getpid(), 9)"),
        ("deaf", "os.kill(os.getpid(), 9)"),
        ("deaf", "sys.exit()"),
        *(pytest.param(kind, "os.kill(os.getpid(), 9)", marks=pytest.mark.slow) for kind in KINDS),
    ],
)
def test_they_end_with_the_suite(kind: str, ending: str, word: str) -> None:
    agent = [sys.executable, "-S", AGENT, kind, word]
    suite = subprocess.run([sys.executable, "-c", SUITE, ending, *agent], capture_output=True, timeout=60, check=False)
    assert suite.returncode in (-9, 0), suite.stderr
    assert wait_for(lambda: gone(word), 20)
