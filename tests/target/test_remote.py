"""An agent that is not the process that was started: judged where it can be, refused at once where it cannot."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.agents.support import FAKE

from nixio_conformance.agents import python
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.target.lua import AGENT
from nixio_conformance.target.target import Target
from nixio_reports import read

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no shell")
#: The reference below a shell that does not give way to it, as ssh does not.
BELOW = f"{shlex.join([sys.executable, python.__file__, 'entry-point', 'reference'])}; true"


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nixio_conformance", "run", "--report", "out", "--without", "lab", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_an_agent_below_a_shell_is_judged_without_a_look_at_its_process(tmp_path: Path, workers: str) -> None:
    clauses = ("send.data.arrives", "fileno.kernel.kind", "recv.interrupt.retried")
    words = [word for name in clauses for word in ("--select", name)]
    done = run("--agent", shlex.join(["sh", "-c", BELOW]), *words, "-n", workers, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    stream = read(tmp_path / "out" / "results.jsonl")
    outcomes = {name: {row.outcome for row in stream.rows if row.clause == name} for name in clauses}
    assert outcomes["fileno.kernel.kind"] == outcomes["recv.interrupt.retried"] == {"host-skip"}
    assert "passed" in outcomes["send.data.arrives"]
    for name in ("descriptors", "kernel-view", "limits", "unprivileged"):
        assert stream.header.host.capabilities[name]


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_an_agent_in_another_network_is_refused_at_once(tmp_path: Path) -> None:
    elsewhere = ["unshare", "--user", "--net"]
    if subprocess.run([*elsewhere, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this host allows no namespaces")
    done = run("--agent", shlex.join([*elsewhere, "sh", "-c", BELOW]), cwd=tmp_path)
    assert done.returncode == 3
    assert "does not reach the suite's peers" in " ".join(done.stderr.split())


def test_the_agents_tell_their_own_process(interpreter: str) -> None:
    for argv in ([interpreter, str(AGENT), str(FAKE)], Target("entry-point", "reference").argv):
        session = Session(lambda argv=argv: AgentProcess(argv), 20)  # type: ignore[misc]
        try:
            session.begin_case(Transcript())
            assert session.welcome.pid == session.pid
            assert not session.remote
        finally:
            session.kill()
