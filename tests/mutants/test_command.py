"""`python -m tests.mutants`: the command line, with the pool of the tests' process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.mutants import command, coverage, results
from tests.mutants.pool import ROOT, CannotStart, Pool

RECORD = Path("nixio-mutants") / command.RECORD


class Shared:
    """A started pool that outlives the command."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.answers = pool.answers
        self.ready = pool.ready

    def __enter__(self) -> Shared:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def shared(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "Pool", lambda workers, arguments: Shared(pool))


def mutants(*words: str) -> Result:
    return CliRunner().invoke(command.mutants, words)


@pytest.mark.usefixtures("shared")
def test_faults_are_run_and_recorded() -> None:
    done = mutants("closing/returns-zero", "chunks/swapped-*")
    assert done.exit_code == 0, done.output
    assert "4 reported as declared" in done.output
    record = results.read(RECORD)
    assert {result.outcome for result in record.results} == {"reported"}
    assert record.footer is not None
    page = RECORD.with_name(coverage.TABLE).read_text()
    assert "4 of 4 faults are reported as declared" in page


@pytest.mark.usefixtures("shared")
def test_a_stopped_run_is_resumed() -> None:
    assert mutants("closing/returns-zero").exit_code == 0
    (first,) = results.read(RECORD).results
    RECORD.write_bytes(b"".join(RECORD.read_bytes().splitlines(keepends=True)[:2]))  # without the footer
    done = mutants("closing/returns-zero", "chunks/swapped-send", "--resume")
    assert done.exit_code == 0, done.output
    assert "2 reported as declared" in done.output
    again = {result.id: result for result in results.read(RECORD).results}
    assert set(again) == {"closing/returns-zero", "chunks/swapped-send"}
    assert again[first.id] == first, "it was run again"


def test_a_wrong_record_is_an_error_and_stays() -> None:
    RECORD.parent.mkdir()
    RECORD.write_text("{}\n")
    done = mutants("closing/returns-zero", "--resume")
    assert done.exit_code == 1
    assert f"{RECORD}, line 1" in done.output
    assert RECORD.read_text() == "{}\n"


def test_rows_are_selected_by_the_clauses_that_must_report_them() -> None:
    done = mutants("--select", "clause=close.garbage.once", "--list")
    assert done.exit_code == 0
    assert "closing/garbage-again" in done.output
    assert "chunks/" not in done.output


def test_the_table_without_a_record_has_declared_faults() -> None:
    done = mutants("--table")
    assert done.exit_code == 0
    assert "| `close.garbage.once` | should |  | 1 |  |" in done.output
    assert not RECORD.parent.exists()


def test_the_table_with_a_record_has_cases_and_reported_faults() -> None:
    RECORD.parent.mkdir()
    results.write(RECORD, [results.RecordHeader(suite="1", started="now", cases={"close.garbage.once": 5})])
    assert "| `close.garbage.once` | should | 5 | 1 | 0 |" in mutants("--table").output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no-such-fault"], "is not in the catalogue"),
        (["--select", "no.such.clause"], "matches nothing"),
        (["--part", "3/2"], "is not K/N"),
        (["--part", "x"], "is not K/N"),
        (["unusual/plain", "--select", "method=send"], "no row is selected"),
        (["-n", "0"], "-n"),
    ],
)
def test_wrong_usage(words: list[str], message: str) -> None:
    done = mutants(*words)
    assert done.exit_code == 2
    assert message in done.output


def test_a_suite_that_cannot_be_started_is_exit_code_3(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Shared):
        def __init__(self) -> None:
            pass

        def __enter__(self) -> Shared:
            raise CannotStart("no network")

    monkeypatch.setattr(command, "Pool", lambda workers, arguments: Broken())
    done = mutants("closing/returns-zero")
    assert done.exit_code == 3
    assert "no network" in done.output


def test_the_package_is_a_command() -> None:
    command = [sys.executable, "-m", "tests.mutants", "closing/returns-zero", "--list"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "close returns 0" in done.stdout


@pytest.mark.slow
def test_rows_that_this_host_cannot_run_are_exit_code_3() -> None:
    done = mutants("walking/first-only-bind", "--without", "lab", "-n", "1")
    assert done.exit_code == 3, done.output
    assert "not run on this host" in done.output
