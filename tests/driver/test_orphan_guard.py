"""However the suite's process ends, its agents and their children end with it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

import pytest
from tests.processes import running

from nixio_conformance.driver.deadline import wait_for

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="process groups"),
    pytest.mark.usefixtures("cleaned"),
]

SUITE = """
import subprocess, sys
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.temporary import temporary_folder
temporary_folder().__enter__()
agent = AgentProcess([sys.executable, "-S", "-c", '''
import os, signal, subprocess, sys, time
child = subprocess.Popen(["sleep", "600"])
stray = subprocess.Popen(["sleep", "600"], start_new_session=True)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), child.pid, stray.pid, flush=True)
while True: time.sleep(60)
'''])
print(agent.receive(Deadline(30)).decode(), flush=True)
{ending}
"""


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
def test_all_processes_end(ending: str, number: int) -> None:
    suite = subprocess.run(
        [sys.executable, "-c", SUITE.format(ending=ending)], capture_output=True, timeout=60, text=True, check=False
    )
    assert suite.returncode == -number, suite.stderr
    *grouped, stray = map(int, suite.stdout.split())
    assert wait_for(lambda: not any(map(running, grouped)), 20)
    try:
        assert sys.platform != "linux" or wait_for(lambda: not running(stray), 20)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(stray, signal.SIGKILL)


def test_ctrl_c_in_a_terminal_does_not_reach_the_agent() -> None:
    """The agent is in a session of its own, so that only the suite ends it."""
    ending = "import os; print(os.getsid(0) != os.getsid(agent.pid), os.getpgid(agent.pid) == agent.pid); agent.kill()"
    suite = subprocess.run(
        [sys.executable, "-c", SUITE.format(ending=ending)], capture_output=True, timeout=60, text=True, check=True
    )
    assert suite.stdout.splitlines()[1] == "True True"
