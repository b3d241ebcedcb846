"""In the process that the user started: proves that the port can be started, and records what the others judge."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from nixio_conformance import __version__
from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.driver.guard import guard
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.host import capabilities, platforms
from nixio_conformance.pytest_plugin import environment, expectations
from nixio_conformance.pytest_plugin.cases import PLAN_FILE, Cases, judged_levels
from nixio_conformance.pytest_plugin.faults import declared_faults
from nixio_conformance.pytest_plugin.recorder import BROKEN, FAIL_FAST, INTERRUPTED, Recorder
from nixio_conformance.pytest_plugin.stash import SESSION
from nixio_conformance.target import remote
from nixio_conformance.target.target import Target
from nixio_reports import Progress
from nixio_reports.records import Header, Implementation, Row

#: Set by the command line: what shows the run as it goes.
PROGRESS = pytest.StashKey[Progress]()


class Controller:
    """In the process that the user started: proves that the port can be started, and records."""

    def __init__(self, config: pytest.Config, target: Target) -> None:
        self._config = config
        self._target = target
        self._expecting = config.stash[expectations.EXPECTING]
        self._recorder: Recorder | None = None
        self._plan_file: Path | None = None
        self._session: pytest.Session | None = None
        self._stopped = ""
        self._workers: set[int] = set()

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Say hello to the port before anything is collected, and begin the stream."""
        self._session = session
        try:
            implementation = self._greet()
        except CannotStart as error:
            pytest.exit(f"{self._target.shell_text}: {error}{self._hint()}", returncode=3)
        folder = self._config.getoption("--nixio-report")
        if folder:
            header = Header(
                suite=__version__,
                implementation=implementation,
                host=platforms.describe(),
                command=shlex.join(["nixio-conformance", "run", *self._target.arguments, *self._expecting.words]),
                judged=judged_levels(self._config),
                selection=tuple(self._config.getoption("--nixio-select")),
                baseline=self._expecting.baseline,
                proven=declared_faults(),
                started=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
            )
            self._recorder = Recorder(Path(folder), header, self._config.stash.get(PROGRESS, None))
            self._plan_file = Path(folder).absolute() / ".plan.json"

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: object) -> None:
        """xdist: tell a worker where it is, and where to leave the plan."""
        environment.tell(node)
        expectations.tell(node, self._expecting)
        if self._plan_file is not None:
            node.workerinput[PLAN_FILE] = str(self._plan_file)  # type: ignore[attr-defined]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self, node: object) -> None:
        """xdist: a worker must not outlive this process."""
        if pid := _pid_of(node):
            self._workers.add(pid)
            guard().watch(pid, group=False)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object, error: object) -> None:
        """xdist: a worker is gone."""
        if pid := _pid_of(node):
            self._workers.discard(pid)
            guard().forget(pid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: list[str]) -> None:
        """xdist: take the plan that the first worker left."""
        if self._recorder and self._plan_file and self._plan_file.exists():
            plan = json.loads(self._plan_file.read_text())
            self._plan_file.unlink()
            if plan["wrong"]:
                raise pytest.UsageError(plan["wrong"])
            self._recorder.plan((node_id, msgspec.convert(row, Row)) for node_id, row in plan["rows"])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A check that cannot be collected is the suite's fault: no verdict on the port can come of the run."""
        if report.failed:
            self._stopped = BROKEN
            print(f"the suite itself cannot be collected: {report.nodeid}\n{report.longreprtext}", file=sys.stderr)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without xdist: the plan is here."""
        cases = self._config.pluginmanager.getplugin("nixio-cases")
        if self._recorder and isinstance(cases, Cases) and session.items:
            self._recorder.plan(cases.plan(session))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A case begins, here or in a worker."""
        if self._recorder:
            self._recorder.running(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A case ended, here or in a worker: write its row."""
        if self._recorder is None or self._stopped == FAIL_FAST:
            return
        if (row := getattr(report, "nixio_row", None)) is not None:
            self._recorder.done(report.nodeid, msgspec.convert(row, Row))
        elif report.when not in ("setup", "call", "teardown"):  # xdist: the worker itself died
            message = "the test process died in this case; a port that may crash needs a process of its own"
            self._recorder.lost(
                report.nodeid,
                lambda row: self._expecting.settle(msgspec.structs.replace(row, outcome="crashed", message=message)),
            )
        if self._recorder.findings and self._config.getoption("--nixio-fail-fast") and not self._stopped:
            self._stop(FAIL_FAST)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C, or a stop: a worker in the middle of a case must not hold up the report."""
        if not isinstance(excinfo.value, pytest.exit.Exception):
            self._stopped = self._stopped or INTERRUPTED
        self._interrupt_workers()

    def pytest_internalerror(self) -> None:
        """The suite failed, not the port."""
        self._stopped = BROKEN

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the footer, whatever ended the run."""
        if self._recorder is None:
            return
        stopped = self._stopped
        if not stopped and (session.shouldfail or session.shouldstop):
            stopped = FAIL_FAST if self._config.getoption("maxfail") else str(session.shouldstop)
        if self._plan_file is not None:
            self._plan_file.unlink(missing_ok=True)
        if exitstatus == pytest.ExitCode.USAGE_ERROR:
            self._recorder.discard()
        else:
            self._recorder.finish(stopped)
        self._recorder = None

    def _stop(self, reason: str) -> None:
        self._stopped = reason
        distributed = self._config.pluginmanager.getplugin("dsession")
        if distributed is not None:
            distributed.shouldstop = reason
            self._interrupt_workers()  # they would run all that they were given already
        elif self._session is not None:
            self._session.shouldfail = reason

    def _interrupt_workers(self) -> None:
        for pid in self._workers:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGTERM)

    def _hint(self) -> str:
        """What to do about a program that has to leave the lab's network, and cannot."""
        outside = self._target.form == "agent" and Path(self._target.argv[0]).name in (
            "ssh",
            "docker",
            "podman",
            "nsenter",
        )
        if not outside or capabilities.current()["lab"]:
            return ""
        return "; it was started in the lab, a network of its own: --without lab starts it in this host's"

    def _greet(self) -> Implementation:
        session = self._config.stash[SESSION]
        session.begin_case(Transcript())
        welcome = session.welcome
        capabilities.assume(capabilities.current() | remote.lacking(session, capabilities.current()))
        if self._config.pluginmanager.hasplugin("dsession"):
            session.kill()  # the workers have agents of their own
        return Implementation(
            name=welcome.name or self._target.name,
            version=welcome.version,
            language=welcome.language,
            platform=welcome.platform,
            asked=self._target.shell_text,
            capabilities=tuple(welcome.capabilities),
            buffersize=welcome.buffersize,
        )


def _pid_of(node: object) -> int:
    """The process of an xdist worker on this machine; 0 where it cannot be known."""
    process = getattr(getattr(getattr(node, "gateway", None), "_io", None), "popen", None)
    return int(getattr(process, "pid", 0))
