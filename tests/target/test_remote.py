"""Remote agents: judged if they share the network of the suite, otherwise refused before the first case."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.agents.support import FAKE
from tests.command_line import nixio_conformance

from nixio_conformance.agents import python
from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.host import capabilities
from nixio_conformance.target import remote
from nixio_conformance.target.lua import AGENT
from nixio_conformance.target.target import Target
from nixio_reports import read

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no shell")
#: The reference under a shell that stays its parent process, as ssh does.
BELOW = f"{shlex.join([sys.executable, python.__file__, 'entry-point', 'reference'])}; true"


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_an_agent_below_a_shell_is_judged_without_a_look_at_its_process(tmp_path: Path, workers: str) -> None:
    clauses = ("send.data.arrives", "fileno.kernel.kind", "recv.interrupt.retried")
    words = [word for name in clauses for word in ("--select", name)]
    choices = ("--report", "out", "--without", "lab", "--agent", shlex.join(["sh", "-c", BELOW]), "-n", workers)
    done = nixio_conformance(["run", *choices, *words], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    stream = read(tmp_path / "out" / "results.jsonl")
    outcomes = {name: {row.outcome for row in stream.rows if row.clause == name} for name in clauses}
    assert outcomes["fileno.kernel.kind"] == outcomes["recv.interrupt.retried"] == {"host-skip"}
    assert "passed" in outcomes["send.data.arrives"]
    for name in ("descriptors", "kernel-view", "limits", "unprivileged"):
        assert stream.header.host.capabilities[name]


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_an_agent_in_another_network_is_refused_at_once(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = ["unshare", "--user", "--net"]
    if subprocess.run([*elsewhere, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this host allows no namespaces")
    monkeypatch.setattr(remote, "PROBE", 0.2)
    session = Session(Target("agent", shlex.join([*elsewhere, "sh", "-c", BELOW])).starter, 20)
    stack.callback(session.kill)
    session.begin_case(Transcript())
    with pytest.raises(CannotStart, match="does not reach the suite's peers"):
        remote.lacking(session, capabilities.current())


def test_an_agent_reports_its_own_process(interpreter: str) -> None:
    for argv in ([interpreter, str(AGENT), str(FAKE)], Target("entry-point", "reference").argv):
        session = Session(lambda argv=argv: AgentProcess(argv), 20)  # type: ignore[misc]
        try:
            session.begin_case(Transcript())
            assert session.welcome.pid == session.pid
            assert not session.remote
        finally:
            session.kill()
