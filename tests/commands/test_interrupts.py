"""However a run is stopped, the recorded cases can be read, and no process is left."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from tests.command_line import TIMEOUT
from tests.processes import running
from tests.runs import Runs

from nixio_conformance.driver.deadline import wait_for
from nixio_reports import Stream, read

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def stop(runs: Runs, workers: str, number: int) -> tuple[int, str, str]:
    """Start a run, wait until a case hangs, and send it a signal. Returns the exit code and the outputs."""
    process = runs.start("--target", "impls:hanging", "--select", "send", "--deadline", "600", "-n", workers)
    try:
        hangs = wait_for(lambda: (runs.folder / "hanging").exists() or process.poll() is not None, TIMEOUT)
        assert hangs
        assert process.poll() is None, process.communicate()
        process.send_signal(number)
        output, errors = process.communicate(timeout=TIMEOUT)
    finally:
        process.kill()
        process.communicate()
    return process.returncode, output, errors


def read_partly(runs: Runs) -> Stream:
    """The stream of a run that was stopped while `unix-stream-client` hung."""
    stream = read(runs.report / "results.jsonl")
    outcomes = {row.case: row.outcome for row in stream.rows}
    assert "passed" in outcomes.values()
    assert outcomes.get("send.data.arrives[unix-stream-client]", "not-run") == "not-run"
    assert set(outcomes.values()) <= {"passed", "host-skip", "not-run"}
    return stream


@pytest.mark.parametrize(
    ("workers", "number", "code"),
    [
        ("0", signal.SIGINT, 130),
        ("0", signal.SIGTERM, 143),
        pytest.param("2", signal.SIGINT, 130, marks=pytest.mark.slow),
        pytest.param("2", signal.SIGTERM, 143, marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_run_is_reported(runs: Runs, workers: str, number: int, code: int) -> None:
    returncode, output, errors = stop(runs, workers, number)
    assert returncode == code, errors
    stream = read_partly(runs)
    assert stream.footer is not None
    assert stream.footer.stopped == "interrupted"
    assert stream.footer.exit_code == 130
    assert stream.footer.planned == len(stream.rows) == 9
    assert not stream.problems
    assert (runs.report / "report.html").exists()
    assert "no verdict" in output
    assert "Traceback" not in errors
    assert wait_for(lambda: not any(map(running, runs.pids())), 30)
    assert not list(runs.report.glob(".*"))


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_a_killed_run_leaves_rows_and_no_process(runs: Runs, workers: str) -> None:
    returncode, _, _ = stop(runs, workers, signal.SIGKILL)
    assert returncode == -signal.SIGKILL
    stream = read_partly(runs)
    assert stream.footer is None
    assert wait_for(lambda: not any(map(running, runs.pids())), 30)


def test_ctrl_c_while_a_slow_port_starts(runs: Runs) -> None:
    (runs.folder / "slow.py").write_text("import impls\nimpls.hang()\n")
    process = runs.start("--target", "slow")
    assert wait_for(lambda: (runs.folder / "hanging").exists(), TIMEOUT)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert wait_for(lambda: not any(map(running, runs.pids())), 30)


@pytest.mark.slow
def test_a_stopped_runs_stream_can_be_reported(runs: Runs) -> None:
    stop(runs, "0", signal.SIGKILL)
    done = subprocess.run(
        [sys.executable, "-m", "nixio_conformance", "report", str(runs.report / "results.jsonl")],
        capture_output=True, text=True, timeout=TIMEOUT, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "the run was stopped before its end" in done.stdout
    assert (runs.report / "report.html").exists()
