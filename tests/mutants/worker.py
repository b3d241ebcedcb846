"""A worker process: collects the suite once and then judges one implementation after another.

Starting a run takes a second: Python's imports, the network namespace, nine thousand cases. A few cases of one clause,
which report a fault, take a tenth of that. So a worker stays, and a job only changes the implementation. Its agent is a
new process, and the leak check after each case works as in any run.

Jobs are read from standard input and answers written to what was standard output, one JSON line each (`jobs`).
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest

from nixio_conformance import checks
from nixio_conformance.host import capabilities
from nixio_conformance.pytest_plugin.cases import Cases
from nixio_conformance.pytest_plugin.stash import PLANNED
from nixio_conformance.target.target import Target
from nixio_reports.records import FINDINGS, Row
from tests.mutants.jobs import SUITE_ERROR, Accept, Answer, Job, Ready, ReportingCase, Seek

_CHECKS = Path(checks.__file__).parent
_JUDGED = ("must", "should")
#: The maximum number of a variant's findings in an answer; a single one is enough to reject it.
MOST_FINDINGS = 20


class Worker:
    """A pytest plugin that runs jobs instead of pytest's own loop over the cases."""

    def __init__(self, jobs: Iterable[bytes], answers: BinaryIO) -> None:
        self._jobs = jobs
        self._answers = answers
        self._rows: list[Row] = []
        self._by_clause: dict[str, list[pytest.Item]] = defaultdict(list)
        self._items: list[pytest.Item] = []
        #: The number of cases that the current job has run.
        self._ran = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Answer jobs until the input ends."""
        self._items = session.items
        for item in session.items:
            self._by_clause[item.stash[PLANNED].clause.id].append(item)
        counts = {clause: len(items) for clause, items in self._by_clause.items()}
        self._send(Ready(cases=counts, capabilities=dict(capabilities.current())))
        plugin = session.config.pluginmanager.getplugin("nixio-cases")
        assert isinstance(plugin, Cases)
        for line in self._jobs:
            job = msgspec.json.decode(line, type=Job)
            plugin.turn_to(Target("target", job.target))
            start = time.monotonic()
            self._ran = 0
            answer = self._seek(job) if isinstance(job, Seek) else self._accept(job)
            self._send(msgspec.structs.replace(answer, cases=self._ran, seconds=time.monotonic() - start))
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Store a case's row."""
        if (row := getattr(report, "nixio_row", None)) is not None:
            self._rows.append(msgspec.convert(row, Row))

    def _seek(self, job: Seek) -> Answer:
        findings: list[ReportingCase] = []
        silent: list[str] = []
        skipped: dict[str, str] = {}
        for name, clauses in job.names.items():
            reasons: list[str] = []
            items = [item for clause in clauses for item in self._by_clause[clause]]
            if job.about:
                items.sort(key=lambda item: job.about not in item.nodeid)
            found = next(self._findings(items, reasons.append), None)
            if found:
                findings.append(found)
            elif len(reasons) == len(items):
                skipped[name] = reasons[0] if reasons else "it has no case"
            else:
                silent.append(name)
        if not findings and silent and job.elsewhere:
            findings += self._elsewhere({clause for clauses in job.names.values() for clause in clauses})
        return Answer(id=job.id, findings=tuple(findings), silent=tuple(silent), skipped=skipped)

    def _elsewhere(self, named: set[str]) -> list[ReportingCase]:
        """The first finding of a clause that the row does not name; clauses of the same methods are run first."""
        methods = {self._by_clause[name][0].stash[PLANNED].clause.method for name in named}
        others = [item for item in self._items if item.stash[PLANNED].clause.id not in named]
        others.sort(key=lambda item: item.stash[PLANNED].clause.method not in methods)
        found = next(self._findings(others), None)
        return [found] if found else []

    def _accept(self, job: Accept) -> Answer:
        items = [item for name in job.clauses for item in self._by_clause[name]] if job.clauses else self._items
        findings: list[ReportingCase] = []
        for found in self._findings(items[job.part :: job.parts]):
            findings.append(found)
            if len(findings) == MOST_FINDINGS:
                break
        return Answer(id=job.id, findings=tuple(findings))

    def _findings(
        self, items: list[pytest.Item], skipped: Callable[[str], object] = lambda reason: None
    ) -> Iterator[ReportingCase]:
        for item in items:
            self._rows.clear()
            # There is no next item, because a finding decides which one it is: no fixture is kept for it.
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
            self._ran += 1
            for row in self._rows:
                if row.outcome == SUITE_ERROR or (row.outcome in FINDINGS and row.level in _JUDGED):
                    message = row.traceback[-500:] if row.outcome == SUITE_ERROR else row.message[:500]
                    yield ReportingCase(clause=row.clause, case=row.case, outcome=row.outcome, message=message)
                elif row.outcome in ("host-skip", "port-skip"):
                    skipped(row.message)

    def _send(self, message: Answer | Ready) -> None:
        self._answers.write(msgspec.json.encode(message) + b"\n")
        self._answers.flush()


def main() -> int:
    """Serve jobs until the input ends; the exit code is pytest's."""
    # All other output goes to standard error, so that standard output has only answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    jobs = os.fdopen(os.dup(0), "rb")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that fixtures and temporary files are cleaned up
    with tempfile.TemporaryDirectory(prefix="nx") as temporary:
        arguments = ["-c", f"{_CHECKS}/pytest.ini", f"--rootdir={_CHECKS}", str(_CHECKS), "-p", "no:terminal"]
        arguments += [
            f"--basetemp={temporary}/pytest",
            "-p",
            "nixio_conformance.pytest_plugin.plugin",
            "--assert=plain",
            "-s",
        ]
        return int(pytest.main([*arguments, "--nixio=reference", *sys.argv[1:]], plugins=[Worker(jobs, answers)]))


if __name__ == "__main__":
    sys.exit(main())
