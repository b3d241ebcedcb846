"""`run --repeat N`: repeats a run in a different order each time, and reports cases whose verdict changed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nixio_conformance.commands.output import standard_output
from nixio_conformance.driver.exit_status import wait_for_exit
from nixio_conformance.driver.orphan_guard import guard
from nixio_conformance.driver.stopping import Stage, stopping
from nixio_conformance.pytest_plugin.recorder import STREAM
from nixio_reports import Row, Stream, StreamError, read
from nixio_reports.text import one_line

#: At most this many unstable cases are printed; changed.txt lists all.
PRINTED = 20
#: The outcome of a case that did not run because of `--fail-fast` or Ctrl-C: not a verdict.
_NO_VERDICT = "not-run"
#: Seconds that a run has for its report when it is stopped.
_ENDING = 30


@dataclass
class Verdicts:
    """The outcomes of each case over the repetitions."""

    #: By case and outcome: the first row with that outcome, and the number of its repetition.
    seen: dict[str, dict[str, tuple[int, Row]]] = field(default_factory=dict)
    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, number: int, stream: Stream) -> bool:
        """Add a repetition. Returns whether it has an outcome that differs from all earlier ones of the same case."""
        new = False
        for row in stream.rows:
            outcomes = self.seen.setdefault(row.case, {})
            self.counts.setdefault(row.case, Counter())[row.outcome] += 1
            if row.outcome not in outcomes and row.outcome != _NO_VERDICT:
                new = new or bool(outcomes)
                outcomes[row.outcome] = (number, row)
        return new

    def changed(self) -> list[str]:
        """The cases with more than one verdict, in the order of their first run."""
        return [case for case, outcomes in self.seen.items() if len(outcomes) > 1]


def _run_once(words: Sequence[str]) -> tuple[int, str]:
    """Run `nixio-conformance run`; its exit code and what it printed."""
    guard()
    with tempfile.TemporaryFile() as output:
        # Ctrl-C in a terminal is for this process alone, which hands it on: twice would end the run without a report.
        process = subprocess.Popen(
            [sys.executable, "-m", "nixio_conformance", "run", *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        guard().watch(process.pid)
        with stopping.step(Stage.PROCESSES, lambda: _stop(process)):
            process.wait()
        guard().unwatch(process.pid)
        output.seek(0)
        return process.returncode, output.read().decode("utf-8", "replace")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """When this process is stopped: stop the run, and wait until it has written its report."""
    with contextlib.suppress(OSError):
        os.kill(process.pid, signal.SIGTERM)
    if not stopping.hurried:
        wait_for_exit(process, _ENDING)


def _show_stop(verdicts: Verdicts, times: int, folder: Path) -> None:
    """Print what the repetitions before a signal showed."""
    console = Console(file=standard_output())
    done = max((counts.total() for counts in verdicts.counts.values()), default=0)
    console.print(Text(f"stopped after {done} of {times} repetitions"))
    if done > 1:
        _summarize(verdicts, done, folder, console)


def run(words: Sequence[str], times: int, seed: str, folder: Path, console: Console) -> int:
    """Repeat `nixio-conformance run`; returns the highest exit code, and 1 or more if a verdict changed.

    Each repetition has a subfolder of `folder`, which is deleted if it showed no new outcome.
    """
    verdicts = Verdicts()
    with stopping.step(Stage.REPORT, lambda: _show_stop(verdicts, times, folder)):
        return _repeat(words, times, seed, folder, console, verdicts)


def _repeat(words: Sequence[str], times: int, seed: str, folder: Path, console: Console, verdicts: Verdicts) -> int:
    worst = 0
    for number in range(1, times + 1):
        report = folder / f"repeat-{number}"
        own = (f"--shuffle={seed}-{number}", f"--report={report}")
        begin = time.monotonic()
        code, output = _run_once([*own, *words])
        try:
            stream = read(report / STREAM)
        except (OSError, StreamError):
            console.print(output, markup=False, highlight=False)
            return code or 3
        new = verdicts.add(number, stream)
        worst = max(worst, code)
        last = (output.strip().splitlines() or [""])[-1]
        console.print(Text(f"{number}/{times}  exit {code}  {time.monotonic() - begin:.0f} s  {last}"))
        if not new and number > 1:
            shutil.rmtree(report)
    return max(worst, _summarize(verdicts, times, folder, console))


def _summarize(verdicts: Verdicts, times: int, folder: Path, console: Console) -> int:
    changed = verdicts.changed()
    if not changed:
        console.print(Text(f"{len(verdicts.seen)} cases had the same verdict {times} times", style="bold green"))
        return 0
    table = Table(box=None, title=f"{len(changed)} cases whose verdict changed", title_justify="left")
    for heading in ("case", "verdict", "times", "first in", "message"):
        table.add_column(heading, overflow="fold")
    for case in changed[:PRINTED]:
        for outcome, (number, row) in verdicts.seen[case].items():
            times_seen = str(verdicts.counts[case][outcome])
            table.add_row(Text(one_line(case)), outcome, times_seen, f"repeat-{number}", Text(one_line(row.message)))
    console.print(table)
    (folder / "changed.txt").write_text("".join(f"{case}\n" for case in changed))
    console.print(Text(f"all of them: {folder / 'changed.txt'}; their rows: {folder}/repeat-*/{STREAM}"))
    return 1
