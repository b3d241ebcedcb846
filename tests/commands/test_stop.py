"""A signal at any moment ends a command as it should: exit code, stream, standard error, processes, files."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runs import Runs
from tests.stopped import StoppedRun

from nixio_conformance.driver.stopping import SAME

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc shows when a process is ready")

#: Signals of the sweep over a run's length.
POINTS = 40
#: Collects until it is stopped.
COLLECTING = """
import pathlib, time
pathlib.Path("collecting").touch()
time.sleep(600)
"""


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """The end of a pipe that cannot be written to: whoever tries waits."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, bytes(4096))
    except BlockingIOError:
        os.set_blocking(writer, True)
    yield writer
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_before_anything_is_imported(tmp_path: Path, number: int) -> None:
    with StoppedRun(["run", "--target=nixio_reference"], tmp_path) as run:
        run.wait_until(run.handles_signals)
        run.send(number, group=True)
        assert run.problems(128 + number) == []
        assert run.stream is None


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_during_collection(runs: Runs, workers: str) -> None:
    checks = runs.folder / "checks"
    checks.mkdir()
    (checks / "test_collecting.py").write_text(COLLECTING)
    words = runs.words("--target", "impls:fine", f"--checks={checks}", "-n", workers)
    with StoppedRun(words, runs.folder) as run:
        run.wait_until((runs.folder / "collecting").exists)
        run.send(signal.SIGINT, group=True)
        assert run.problems(130) == []
        assert run.stream is not None


def test_a_second_signal_ends_a_run_that_cannot_print(runs: Runs, full_pipe: int) -> None:
    with StoppedRun(runs.words("--target", "impls:fine"), runs.folder, output=full_pipe) as run:
        run.wait_until(lambda: '"row"' in run.lines)  # it waits with the first line of its progress
        run.send(signal.SIGINT)
        run.wait_until(lambda: '"footer"' in run.lines)
        assert run.process.poll() is None
        time.sleep(SAME)
        run.send(signal.SIGINT)
        assert run.problems(130) == []


@pytest.mark.slow
def test_while_the_report_is_written(runs: Runs) -> None:
    with StoppedRun(runs.words("--target", "impls:fine"), runs.folder) as run:
        run.wait_until(lambda: '"footer"' in run.lines)
        run.send(signal.SIGTERM)
        assert run.problems(143) == []


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "2"])
def test_at_points_spread_evenly_over_a_run(workers: str, tmp_path: Path) -> None:
    words = ["run", "--target=nixio_reference", "--select=listen", "--level=must", "-n", workers]
    with StoppedRun(words, tmp_path) as whole:
        whole.wait_until(whole.handles_signals)
        begin = time.monotonic()
        assert whole.end() == 0, whole.errors
        length = time.monotonic() - begin
    wrong = []
    for point in range(POINTS):
        number = signal.SIGTERM if point % 2 else signal.SIGINT
        with StoppedRun(words, tmp_path) as run:
            run.wait_until(run.handles_signals)
            time.sleep(length * point / POINTS)
            run.send(number, group=point % 4 < 2)
            # One that was quicker than the first may have ended.
            if problems := run.problems(0 if run.ended_well() else 128 + number):
                wrong.append(f"{number.name} at point {point} of {length:.2f} s: {problems}\n{run.errors[-2000:]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["fuzz", "--target=nixio_reference", "--for=10m"], "interrupted after"),
        (["run", "--target=nixio_reference", "--select=send", "--repeat=9", "--load"], "stopped after 0 of 9"),
    ],
    ids=["fuzz", "repeat"],
)
def test_other_commands(tmp_path: Path, words: list[str], printed: str, number: int) -> None:
    with StoppedRun(words, tmp_path) as run:
        if words[0] == "fuzz":
            run.wait_until(lambda: "seed" in run.output)
        else:
            run.wait_until((run.report / "repeat-1" / "results.jsonl").exists)
        run.send(number, group=True)
        assert run.problems(128 + number) == []
        assert printed in run.output
