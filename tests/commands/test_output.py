"""Standard output or standard error is full, closed, or ends: no command fails in the middle because of that."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.command_line import FORKS, TIMEOUT, redirected
from tests.runs import Runs

from nixio_conformance.commands.output import NOT_PRINTED, Output
from nixio_conformance.driver.deadline import wait_for
from nixio_reports import read

pytestmark = pytest.mark.skipif(not FORKS, reason="/dev/full")

#: Commands that only print, and commands with a verdict; `REPORT` is the folder of a run.
PRINTING = {
    "help": ["--help"],
    "version": ["--version"],
    "help of a command": ["fuzz", "--help"],
    "list": ["list"],
    "spec": ["spec", "methods"],
    "schema": ["schema"],
    "agent-path": ["agent-path"],
    "agent-check --list": ["agent-check", "--list"],
    "baseline": ["baseline", "REPORT/results.jsonl"],
}
JUDGING = {
    "run": ["run", "reference", "--without=lab", "--select=send", "--checks=CHECKS"],
    "run with workers": ["run", "reference", "--without=lab", "--select=send", "--checks=CHECKS", "-n1"],
    "repeat": ["run", "reference", "--without=lab", "--select=send", "--checks=CHECKS", "--repeat=1"],
    "report": ["report", "REPORT/results.jsonl"],
    "smoke": ["smoke", "reference"],
    "fuzz": ["fuzz", "reference", "--for=0.1s", "--without=lab"],
    "agent-check": ["agent-check", "reference", "--select=requests.un"],
}
#: These take longer than a second.
SLOW = ("run with workers", "repeat")
COMMANDS = [
    pytest.param(name, words, id=name, marks=[pytest.mark.slow] if name in SLOW else [])
    for name, words in {**PRINTING, **JUDGING}.items()
]

Do = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, probes: Path) -> Path:
    """The report of a run."""
    runs = Runs(tmp_path_factory.mktemp("reported"), probes)
    assert runs.run("reference", "--select=send").code == 0
    return runs.report


@pytest.fixture
def do(tmp_path: Path, probes: Path, report: Path) -> Do:
    """A command whose standard output or error is a given path, or closed."""

    def made(words: Sequence[str], **streams: str) -> subprocess.CompletedProcess[str]:
        ready = [word.replace("REPORT", str(report)).replace("CHECKS", str(probes)) for word in words]
        return redirected(ready, tmp_path, **streams)

    return made


@pytest.mark.parametrize(("output", "reason"), [("/dev/full", os.strerror(errno.ENOSPC)), ("", "it is closed")])
@pytest.mark.parametrize(("name", "words"), COMMANDS)
def test_standard_output_is_lost(do: Do, tmp_path: Path, name: str, words: list[str], output: str, reason: str) -> None:
    done = do(words, output=output)
    assert done.returncode == (NOT_PRINTED if name in PRINTING else 0)
    said = [line for line in done.stderr.splitlines() if "deviations" not in line]
    assert said == [f"standard output cannot be written: {reason}; redirect it to a file or a pipe"]
    if name.startswith("run"):
        assert read(tmp_path / "nixio-report" / "results.jsonl").footer is not None
        assert (tmp_path / "nixio-report" / "report.html").exists()


@pytest.mark.parametrize("errors", ["/dev/full", ""])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["run", "reference", "--without=lab", "--select=send", "--checks=CHECKS"], 0),
        (["run", "missing"], 2),
        (["smoke", "--agent=/no/such/agent"], 3),
        (["baseline", "REPORT/results.jsonl", "-o", "new.toml"], 0),
    ],
)
def test_standard_error_is_lost(do: Do, words: list[str], code: int, errors: str) -> None:
    assert do(words, errors=errors).returncode == code


@pytest.mark.slow
def test_a_run_without_any_output(do: Do, tmp_path: Path) -> None:
    assert do(JUDGING["run"], errors="", output="").returncode == 0
    assert (tmp_path / "nixio-report" / "report.html").exists()


def test_a_command_that_did_not_find_what_it_needs_keeps_its_exit_code(do: Do) -> None:
    assert do(["list", "--nonsense"], output="/dev/full").returncode == 2


def test_a_reader_that_wants_no_more_is_no_failure() -> None:
    piped = f"'{sys.executable}' -m nixio_conformance spec | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, timeout=TIMEOUT, check=True)
    assert (done.stdout.split()[-1], done.stderr) == ("0", "")


@pytest.mark.slow
def test_a_run_goes_on_without_its_reader(runs: Runs) -> None:
    process = runs.start("--target=impls:hanging", "--select=send", "--deadline=1")
    assert process.stdout is not None
    assert wait_for(lambda: (runs.folder / "hanging").exists() or process.poll() is not None, TIMEOUT)
    process.stdout.close()
    assert process.wait(TIMEOUT) == 1
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    footer = read(runs.report / "results.jsonl").footer
    assert footer is not None
    assert footer.exit_code == 1
    assert (runs.report / "report.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_goes_on_without_its_terminal(runs: Runs, workers: str) -> None:
    ours, its = os.openpty()
    words = runs.command("--target=impls:hanging", "--select=send", "--deadline=1", "-n", workers)
    # The run is the session's leader: SIGHUP is for it.
    process = subprocess.Popen(words, cwd=runs.folder, preexec_fn=lambda: os.login_tty(its))
    os.close(its)
    try:
        assert wait_for(lambda: (runs.folder / "hanging").exists() or process.poll() is not None, TIMEOUT)
        os.close(ours)
        assert process.wait(TIMEOUT) == 1
    finally:
        process.kill()
        process.wait()
    stream = read(runs.report / "results.jsonl")
    assert not stream.problems
    assert stream.footer is not None
    assert stream.footer.exit_code == 1
    assert (runs.report / "report.html").exists()


def test_a_full_pipe_that_does_not_block_is_waited_for() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    output = Output(writer)
    received = bytearray()

    def read_all() -> None:
        while data := os.read(reader, 4096):
            received.extend(data)

    with open(writer, "w", encoding="ascii", closefd=False) as usual:
        stream = output.take(usual)
    thread = threading.Timer(0.05, read_all)
    thread.start()
    stream.write("x" * 300_000 + "é")
    stream.flush()
    os.close(output.descriptor)
    os.close(writer)
    thread.join()
    os.close(reader)
    assert output.lost is None
    assert received == b"x" * 300_000 + rb"\xe9"
