"""`nixio-conformance prove` as a user types it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants import results

TIMEOUT = 300


def prove(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nixio_conformance", "prove", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT)


def test_a_few_faults_are_proven_and_recorded(tmp_path: Path) -> None:
    done = prove(tmp_path, "closing/returns-zero", "chunks/swapped-*", "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 reported as promised" in done.stdout
    proof = results.read(tmp_path / "nixio-proof" / "proof.jsonl")
    assert {result.outcome for result in proof.results} == {"reported"}
    assert proof.footer is not None


def test_a_proof_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    record = tmp_path / "nixio-proof" / "proof.jsonl"
    assert prove(tmp_path, "closing/returns-zero", "-n", "1").returncode == 0
    (first,) = results.read(record).results
    record.write_bytes(b"".join(record.read_bytes().splitlines(keepends=True)[:2]))  # no footer: it was stopped
    done = prove(tmp_path, "closing/returns-zero", "chunks/swapped-send", "-n", "1", "--resume")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 reported as promised" in done.stdout
    again = {result.id: result for result in results.read(record).results}
    assert set(again) == {"closing/returns-zero", "chunks/swapped-send"}
    assert again[first.id] == first, "it was run again"


def test_a_record_that_is_none_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    record = tmp_path / "nixio-proof" / "proof.jsonl"
    record.parent.mkdir()
    record.write_text("{}\n")
    done = prove(tmp_path, "closing/returns-zero", "--resume")
    assert done.returncode == 1
    assert f"{record.relative_to(tmp_path)}, line 1" in done.stderr
    assert record.read_text() == "{}\n"


def test_rows_are_chosen_by_the_clauses_that_must_report_them(tmp_path: Path) -> None:
    done = prove(tmp_path, "--select", "clause=close.garbage.once", "--list")
    assert done.returncode == 0
    assert "closing/garbage-again" in done.stdout
    assert "chunks/" not in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no-such-fault"], "is no row of the catalogue"),
        (["--select", "no.such.clause"], "matches nothing"),
        (["--part", "3/2"], "is not K/N"),
        (["--part", "x"], "is not K/N"),
        (["unusual/plain", "--select", "method=send"], "no row is chosen"),
        (["chunks", "--ledger", "page.md"], "--ledger tells of the whole catalogue"),
        (["-n", "0"], "-n"),
    ],
)
def test_what_cannot_be_meant_is_told(tmp_path: Path, words: list[str], said: str) -> None:
    done = prove(tmp_path, *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_host_that_can_show_nothing_of_it_is_no_proof(tmp_path: Path) -> None:
    done = prove(tmp_path, "walking/first-only-bind", "--without", "lab", "-n", "1")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "cannot be shown on this host" in done.stdout
