"""Environments in which a run cannot begin or be recorded: one message, the exit code, and what is on the disk."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.runs import Finished, Runs

from nixio_conformance.cli import main
from nixio_reports import read

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux's file systems and limits")

Cli = Callable[..., Result]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A command that ends before it starts an agent, called in this process."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, arguments, prog_name="nixio-conformance")


UNSHARE = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--mount", "sh", "-c"]


@cache
def mounts() -> str:
    """Why this host cannot mount in a namespace of its own; empty if it can."""
    if shutil.which("unshare") is None:
        return "unshare is not installed"
    done = subprocess.run([*UNSHARE, "mount -t tmpfs none /mnt"], capture_output=True, text=True, check=False)
    return done.stderr.strip()


@pytest.mark.parametrize("command", ["run", "fuzz", "smoke", "agent-check"])
def test_the_current_folder_is_gone(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    done = cli(command, "reference")
    assert done.exit_code == 2
    assert "the current folder cannot be used: No such file or directory; change to another one" in done.stderr


@pytest.mark.parametrize("command", ["run", "fuzz"])
@pytest.mark.parametrize(
    ("folder", "said"), [("/proc/report", "No such file"), ("file/report", "Not a directory"), ("file", "is a file")]
)
def test_no_report_can_be_written(cli: Cli, tmp_path: Path, command: str, folder: str, said: str) -> None:
    (tmp_path / "file").touch()
    done = cli(command, "reference", "--report", folder)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "--report" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_the_folder_of_the_report_is_read_only(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "report").mkdir(mode=0o555)
    done = cli("run", "reference", "--report", "report")
    assert done.exit_code == 2
    assert "report cannot be written" in done.stderr


def test_a_report_that_cannot_be_written_costs_no_other(cli: Cli, runs: Runs) -> None:
    assert runs.run("reference", "--select=send").code == 0
    for name in ("report.html", "junit.xml", "badge.json"):
        (runs.report / name).unlink()
    (runs.report / "report.html").mkdir()
    done = cli("report", str(runs.report / "results.jsonl"))
    assert done.exit_code == 3
    assert "report.html cannot be written: Is a directory; to write it elsewhere: nixio-conformance" in done.stderr
    assert "conforming" in done.stdout
    assert (runs.report / "junit.xml").is_file()
    assert (runs.report / "badge.json").is_file()
    assert not list(runs.report.glob(".*"))


#: What an implementation does to the folder of the report during the run.
ATTACKS = {
    "removed": "shutil.rmtree(report)",
    "moved": "os.rename(report, report + '-moved')",
    "replaced by a file": "shutil.rmtree(report); open(report, 'w').close()",
    "replaced by another": "os.rename(report, report + '-moved'); shutil.copytree(report + '-moved', report)",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_report_is_gone_during_the_run(runs: Runs, attack: str) -> None:
    (runs.folder / "attacking.py").write_text(
        "import os, shutil\nimport nixio_reference as right\n"
        f"report = {str(runs.report)!r}\n"
        "def socket(*arguments):\n"
        "    if not os.path.exists('done') and b'outcome' in open(report + '/results.jsonl', 'rb').read():\n"
        "        open('done', 'w').close()\n"
        f"        {ATTACKS[attack]}\n"
        "    return right.socket(*arguments)\n".replace("'done'", repr(str(runs.folder / "done")))
    )
    done = runs.run("--target=attacking", "--select=send")
    assert done.code == 3
    assert done.errors == f"{runs.report}/results.jsonl was removed or replaced during the run: run again\n"
    if attack == "replaced by another":
        assert len((runs.report / "results.jsonl").read_text().splitlines()) == 2


@pytest.fixture
def limit(runs: Runs) -> int:
    """A size of the stream of `impls:off_by_one` that suffices for a part of its rows."""
    assert runs.run("--target=impls:off_by_one", "--select=send").code == 1
    lines = (runs.report / "results.jsonl").read_bytes().splitlines(keepends=True)
    shutil.rmtree(runs.report)
    return len(lines[0]) + sum(map(len, lines[1:])) // 2


@pytest.mark.slow
def test_files_may_not_be_that_large(runs: Runs, limit: int) -> None:
    command = shlex.join(runs.command("--target=impls:off_by_one", "--select=send"))
    assert_cut(runs.execute(["sh", "-c", f"ulimit -f {limit // 512}; exec {command}"]), "File too large")


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_disk_of_the_report_is_full(runs: Runs, limit: int, workers: str) -> None:
    if reason := mounts():
        pytest.skip(f"no mount namespace: {reason}")
    before = f"""
        mkdir {runs.report} {runs.report}-saved
        mount -t tmpfs -o size={limit // 1024}k none {runs.report}
    """
    command = shlex.join(runs.command("--target=impls:off_by_one", "--select=send", "-n", workers))
    after = f"code=$?; cp {runs.report}/* {runs.report}-saved; exit $code"
    done = runs.execute([*UNSHARE, f"{before}\n{command}\n{after}"])
    runs.report.rmdir()
    (runs.folder / "report-saved").rename(runs.report)
    assert_cut(done, "No space left on device")


def assert_cut(done: Finished, reason: str) -> None:
    """The run ended with exit code 3 and a stream of whole lines."""
    assert done.code == 3, done.errors
    assert f"results.jsonl cannot be written: {reason}" in done.errors
    assert all("cannot be written" in line for line in done.errors.splitlines())
    assert (done.report / "results.jsonl").read_bytes().endswith(b"\n")
    stream = read(done.report / "results.jsonl")
    assert stream.rows
    assert stream.footer is None
    assert ["stopped before its end" in problem.what for problem in stream.problems] == [True]
