"""Files that a user names: each wrong one is one clear error with exit code 2, and costs no recorded result."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace
from tests.reports.samples import row, stream
from tests.runs import Runs

from nixio_conformance.cli import main
from nixio_reports import Footer, Record, Row, Writer
from nixio_reports.lock import locked


def write(folder: Path, *rows: Row, **footer: object) -> Path:
    """A stream of a finished run in a folder."""
    path = folder / "results.jsonl"
    sample = stream(*rows)
    assert sample.footer is not None
    ending: Footer = replace(sample.footer, **footer)
    records: list[Record] = [sample.header, *rows, ending]
    with Writer(path) as writer:
        for record in records:
            writer.write(record)
    return path


def command(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="nixio-conformance")


@pytest.mark.parametrize("name", ["report", "baseline"])
def test_what_is_no_stream_is_wrong_usage(tmp_path: Path, name: str) -> None:
    (tmp_path / "page.html").write_text("<!doctype html>\n")
    for path, said in (
        (tmp_path / "absent", "No such file"),
        (tmp_path, "is a directory"),
        ("-", "standard input"),
        (tmp_path / "page.html", "page.html has no readable header"),
    ):
        done = command(name, path)
        assert done.exit_code == 2
        assert said in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("rows", "footer", "code"),
    [
        pytest.param([row("a.b")], {}, 0, id="conforming"),
        pytest.param([row("a.b")], {"counts": {}}, 2, id="rows-were-added"),
        pytest.param([row("a.b")], {"exit_code": 256}, 2, id="exit-code-of-no-process"),
        pytest.param([row("a.b", "failed")], {"exit_code": 0}, 1, id="failures"),
        pytest.param([row("a.b", "host-skip")], {}, 2, id="nothing-judged"),
        pytest.param([row("a.b")], {"exit_code": 143}, 143, id="its-own"),
    ],
)
def test_success_is_what_the_rows_show(tmp_path: Path, rows: list[Row], footer: dict[str, object], code: int) -> None:
    assert command("report", write(tmp_path, *rows, **footer)).exit_code == code


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such device")
@pytest.mark.parametrize("name", [os.devnull, "."])
def test_a_baseline_is_written_into_no_device(tmp_path: Path, name: str) -> None:
    before = os.stat(os.devnull)
    assert command("baseline", write(tmp_path, row("a.b", "failed")), "-o", name).exit_code == 2
    assert os.stat(os.devnull).st_ino == before.st_ino


@pytest.mark.parametrize(
    "text",
    ["", 'format = 1\n[[deviation]]\nclause = "send.data.arrives"\ncases = ["send.data.arrives[x]"]\nreason = "x"'],
)
def test_a_run_with_a_wrong_baseline_keeps_the_recorded_results(runs: Runs, text: str) -> None:
    runs.report.mkdir()
    recorded = write(runs.report, row("a.b")).read_bytes()
    (runs.folder / "known.toml").write_text(text)
    done = runs.run("reference", "--select", "send", "--baseline", "known.toml")
    assert (done.code, len(done.errors.strip().splitlines())) == (2, 1)
    assert (runs.report / "results.jsonl").read_bytes() == recorded
    assert [path.name for path in runs.report.iterdir()] == ["results.jsonl"]


def test_a_run_with_a_wrong_baseline_leaves_no_folder(runs: Runs) -> None:
    assert runs.run("reference", "--select", "send", "--baseline", "absent.toml").code == 2
    assert not runs.report.exists()


@pytest.mark.parametrize("more", [(), pytest.param(("--repeat", "2"), marks=pytest.mark.slow)])
def test_a_second_run_in_a_folder_is_refused(runs: Runs, more: tuple[str, ...]) -> None:
    runs.report.mkdir()
    recorded = write(runs.report, row("a.b")).read_bytes()
    with locked(runs.report / "results.jsonl"):
        done = runs.run("reference", "--select", "send", *more)
        assert done.code == 2
        assert f"is in use by another run, process {os.getpid()}: wait for its end" in done.errors
        assert (runs.report / "results.jsonl").read_bytes() == recorded
    assert runs.run("reference", "--select", "send").code == 0


@pytest.mark.slow
def test_a_pytest_run_in_a_folder_in_use_is_refused(runs: Runs) -> None:
    runs.report.mkdir()
    with locked(runs.report / "results.jsonl"):
        words = ["--nixio", "reference", f"--nixio-report={runs.report}", "--nixio-without=lab", str(runs.checks)]
        done = runs.execute([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words])
    assert done.code != 0
    assert "is in use by another run" in done.output + done.errors
    assert "Traceback" not in done.output + done.errors
