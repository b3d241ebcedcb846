"""`nixio-conformance clean`: after SIGKILL, nothing of the run is left, and nothing else is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.stopped import StoppedRun

from nixio_conformance.driver.deadline import wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="/proc shows the processes that are left"),
]


def clean(run: StoppedRun, folder: Path) -> str:
    """What the command prints, in the environment of the run."""
    command = [sys.executable, "-m", "nixio_conformance", "clean", f"--report={run.report}"]
    environment = {**os.environ, "TMPDIR": str(run.temporary)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("whole", [False, True], ids=["controller", "all"])
def test_it_removes_what_a_killed_run_has_left(tmp_path: Path, whole: bool) -> None:
    with StoppedRun(["run", "reference", "--select=close", "-n2"], tmp_path) as run:
        run.wait_until(lambda: run.lines.count("\n") > 5)
        assert "no killed run" in clean(run, tmp_path)
        assert os.listdir(run.temporary)
        draft = run.report / f".report.html.{run.process.pid}"
        draft.touch()
        for pid in run.left() if whole else [run.process.pid]:
            os.kill(pid, signal.SIGKILL)
        run.process.wait()
        assert "removed" in clean(run, tmp_path)
        assert os.listdir(run.temporary) == []
        assert wait_for(lambda: not run.left(), 10)
        assert not draft.exists()
        assert not (run.report / "results.jsonl.lock").exists()
