"""A report of 60,000 failures takes seconds, and less memory than its stream."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from tests.reports.samples import header, large

from nixio_reports import Footer, Step, Writer
from nixio_reports.terminal import FULL, LINES

resource = pytest.importorskip("resource")
FAILURES = 60_000


def write(path: Path) -> None:
    """A stream of failures, each as long as those of runs: 4 KB."""
    steps = tuple(Step(at=n / 1000, actor="port", call=f"s1.send(b'abcd', {n})", result="4") for n in range(10))
    scripts = {"python": "import socket  # and so on\n" * 90}
    with Writer(path) as writer:
        writer.write(header())
        for one in large(FAILURES).rows:
            writer.write(
                msgspec.structs.replace(
                    one, outcome="failed", message="number of bytes: expected 4, got 3", expected="4", actual="3",
                    steps=steps, scripts=scripts, stderr="a warning\n", rerun=f"nixio-conformance run {one.case}",
                )
            )  # fmt: skip
        writer.write(Footer(planned=FAILURES, counts={"failed": FAILURES}, seconds=1.0, exit_code=1))


@pytest.mark.slow
def test_many_failures_are_reported_in_seconds_and_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    write(path)
    assert path.stat().st_size > 200_000_000
    command = [sys.executable, "-m", "nixio_conformance", "report", str(path)]
    with (tmp_path / "output").open("wb") as output:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        elapsed = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    text = (tmp_path / "output").read_text()
    assert process.returncode == 1, text[-2000:]
    # The time of the processor: other tests run at the same time.
    assert used.ru_utime + used.ru_stime < 10, f"{elapsed:.1f} s by the clock"
    assert used.ru_maxrss < 500 * (1024 if sys.platform != "darwin" else 1024 * 1024)
    assert f"and {FAILURES - FULL - LINES} more failures" in text
    assert (tmp_path / "junit.xml").read_text().count("<failure ") == FAILURES
