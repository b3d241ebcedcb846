"""However the suite's process ends, no agent and no child of one is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nixio_conformance.driver.session import wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups")

SUITE = """
import subprocess, sys
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.deadline import Deadline
agent = AgentProcess([sys.executable, "-S", "-c", '''
import os, signal, subprocess, sys, time
child = subprocess.Popen(["sleep", "600"])
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), child.pid, flush=True)
while True: time.sleep(60)
'''])
print(agent.receive(Deadline(30)).decode(), flush=True)
{ending}
"""


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    ("ending", "number"),
    [
        ("import os; os.kill(os.getpid(), 9)", signal.SIGKILL),
        ("import os; os.kill(os.getpid(), 15)", signal.SIGTERM),
        ("import os; os._exit(0)", 0),
        ("sys.exit(0)", 0),
        ("agent.kill()", 0),
    ],
)
def test_nothing_is_left(ending: str, number: int) -> None:
    suite = subprocess.run(
        [sys.executable, "-c", SUITE.format(ending=ending)], capture_output=True, timeout=60, text=True, check=False
    )
    assert suite.returncode == -number, suite.stderr
    agent, child = map(int, suite.stdout.split())
    assert wait_for(lambda: not running(agent) and not running(child), 20)


def test_a_terminals_ctrl_c_does_not_reach_the_agent() -> None:
    """Only the suite decides when an agent ends: it is in a session of its own."""
    ending = "import os; print(os.getsid(0) != os.getsid(agent.pid), os.getpgid(agent.pid) == agent.pid); agent.kill()"
    suite = subprocess.run(
        [sys.executable, "-c", SUITE.format(ending=ending)], capture_output=True, timeout=60, text=True, check=True
    )
    assert suite.stdout.splitlines()[1] == "True True"
