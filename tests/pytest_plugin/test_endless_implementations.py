"""Implementations of which a method never ends or returns the same for ever: each run ends, and judges what it can."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nixio_fixtures import load
from nixio_reports import read

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="UNIX sockets, and the alarm")]

#: `METHOD_FAULT` is the reference with a fault in one method.
ENDLESS = """
import time
import nixio_reference as right

def hang(*arguments):
    while True:
        time.sleep(60)

def trickle(*arguments):
    time.sleep(0.1)
    return b"a"

FAULTS = {"hang": hang, "trickle": trickle, "zero": lambda *_: 0, "empty": lambda *_: b"", "none": lambda *_: None,
          "byte": lambda *_: b"a"}

class Faulty:
    def __init__(self, inner, method, fault):
        self.inner, self.method, self.fault = inner, method, fault
    def __getattr__(self, name):
        return FAULTS[self.fault] if name == self.method else getattr(self.inner, name)

def __getattr__(name):
    method, _, fault = name.partition("_")
    if fault not in FAULTS:
        raise AttributeError(name)
    return lambda *arguments: Faulty(right.socket(*arguments), method, fault)
"""

FAULTS = ("hang", "trickle", "zero", "empty", "none", "byte")
#: Bytes of memory that the process of a run may use; it imports the suite, which takes about 80 MB.
MEMORY = 400_000_000

#: Runs the command line, and prints the peak of its memory in bytes, without that of its children.
MEASURED = """
import resource, sys
from nixio_conformance.cli import main
try:
    main(sys.argv[1:], prog_name="nixio-conformance")
finally:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print("peak", peak * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.mark.parametrize("method", [method.name for method in load().methods])
@pytest.mark.parametrize("fault", FAULTS)
def test_the_run_ends(method: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text(ENDLESS)
    limits = ["--deadline=0.3", "--case-deadline=0.8", "--max-timeouts=8", "--memory=300"]
    selected = [f"--select={method}", "--select=kind=unix-stream"]
    words = ["run", f"--target=endless:{method}_{fault}", "--without=lab", "--report=report", *limits, *selected]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *words], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    stream = read(tmp_path / "report" / "results.jsonl")
    assert stream.footer is not None
    outcomes = {row.outcome for row in stream.rows}
    assert outcomes & {"failed", "timed-out", "crashed"} or method == "close"
    assert done.returncode == (1 if outcomes & {"failed", "timed-out", "crashed"} else 0), done.stderr
    assert int(done.stdout.rsplit("peak ")[-1]) < MEMORY
    for row in stream.rows:
        assert row.seconds < 20, row.case
        if row.outcome == "timed-out":
            assert row.steps, row.case
        if outcomes & {"not-run"}:
            assert stream.footer.stopped == "too many cases timed out, --max-timeouts"
