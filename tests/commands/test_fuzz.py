"""`nixio-conformance fuzz`: what it prints, which files it writes, its exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1] / "model"


def fuzz(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`nixio-conformance fuzz` on plain loopback, where the implementations in tests/model are importable."""
    command = [sys.executable, "-m", "nixio_conformance", "fuzz", "--without=lab", f"--report={folder}/report"]
    return subprocess.run(
        [*command, *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(HERE)},
        capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.slow
def test_a_conforming_implementation_gives_0_and_no_files(tmp_path: Path) -> None:
    done = fuzz(tmp_path, "reference", "--for=1s", "--seed=4")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "seed 4" in done.stdout
    assert "no difference in" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_difference_gives_1_a_script_and_a_row(tmp_path: Path) -> None:
    done = fuzz(
        tmp_path,
        "--target=stateful_implementations:StaleAccept",
        "--kind=unix-stream",
        "--kind=inet-stream",
        "--seed=1",
    )
    assert done.returncode == 1, done.stdout + done.stderr
    report = tmp_path / "report"
    assert str(report / "difference.py") in done.stdout
    (row,) = tomllib.loads((report / "difference.toml").read_text())["example"]
    assert row["kind"] == "inet-stream"
    shown = subprocess.run(
        [sys.executable, str(report / "difference.py")],
        cwd=HERE, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "Expected: a socket and ('127.0.0.1', " in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["reference", "--for=soon"], "'soon' is not a duration"),
        (["reference", "--kind=inet-raw"], "inet-raw"),
        ([], "name one implementation"),
    ],
)
def test_wrong_usage_gives_2(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = fuzz(tmp_path, *arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_an_implementation_that_cannot_be_started_gives_3(tmp_path: Path) -> None:
    done = fuzz(tmp_path, "--target=no_such_module:socket", "--for=1s")
    assert done.returncode == 3
    assert "no_such_module" in done.stderr
