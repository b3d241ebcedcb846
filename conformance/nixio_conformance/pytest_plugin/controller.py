"""The plugin in the process that the user started: starts the implementation once, then writes the stream."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from nixio_conformance import __version__
from nixio_conformance.driver import survivors
from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.driver.orphan_guard import guard
from nixio_conformance.driver.stopping import Stage, stopping
from nixio_conformance.host import capabilities, platforms
from nixio_conformance.pytest_plugin.collection import Collection
from nixio_conformance.pytest_plugin.faults import declared_faults
from nixio_conformance.pytest_plugin.greeting import greet, network_hint
from nixio_conformance.pytest_plugin.recorder import BROKEN, FAIL_FAST, INTERRUPTED, TIMEOUTS, UNWRITABLE, Recorder
from nixio_conformance.pytest_plugin.stash import EXPECTATIONS, OPTIONS, SESSION
from nixio_conformance.pytest_plugin.workers import Plan, WorkerSetup, hand_over, received_end
from nixio_conformance.target.target import Target
from nixio_reports import Progress, StreamInUse
from nixio_reports.records import Header, Row

#: Set by the command line: shows the progress of the run.
PROGRESS = pytest.StashKey[Progress]()
#: Set here: the recorder of the run, also after its end.
RECORDER = pytest.StashKey[Recorder]()

#: How many workers in a row may end before they have collected the cases.
_STARTS = 3


class Controller:
    """Says hello to the implementation before anything is collected, and records the rows that all processes report."""

    def __init__(self, config: pytest.Config, target: Target, collection: Collection) -> None:
        self._config = config
        self._target = target
        self._collection = collection
        self._options = config.stash[OPTIONS]
        self._expectations = config.stash[EXPECTATIONS]
        self._recorder: Recorder | None = None
        #: The plan of the first worker, if xdist runs the cases.
        self._plan: Plan | None = None
        self._session: pytest.Session | None = None
        self._stopped = ""
        #: Whether the run is being ended here, so that further reports do not count.
        self._ending = False
        #: Whether it ends because no case can be judged any more.
        self._unable = False
        #: Processes that workers could not end.
        self._survivors: list[str] = []
        self._workers: set[int] = set()
        #: Workers that are being started.
        self._starting = 0
        #: Workers that have collected the cases, and how many in a row have ended before they had.
        self._collected: set[object] = set()
        self._failed_starts = 0
        stopping.add(Stage.RECORD, self._record_stop)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Say hello to the implementation before anything is collected, and begin the stream."""
        self._session = session
        try:
            # Workers have agents of their own.
            distributed = self._config.pluginmanager.hasplugin("dsession")
            implementation = greet(self._config.stash[SESSION], self._target, keep=not distributed)
        except CannotStart as error:
            pytest.exit(f"{self._target.shell_text}: {error}{network_hint(self._target)}", returncode=3)
        header = Header(
            suite=__version__,
            implementation=implementation,
            host=platforms.describe(),
            command=shlex.join(["nixio-conformance", "run", *self._target.arguments, *self._expectations.words]),
            judged=self._options.judged,
            selection=self._options.select,
            baseline=self._expectations.baseline,
            proven=declared_faults(),  # words: allow, a field of the stream
            started=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
        )
        try:
            with stopping.held():
                self._recorder = Recorder(self._options.report, header, self._config.stash.get(PROGRESS, None))
        except (StreamInUse, OSError) as error:
            raise pytest.UsageError(str(error)) from None
        self._config.stash[RECORDER] = self._recorder

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: object) -> None:
        """xdist: hand a worker its setup, and receive the plan of the first one."""
        setup = WorkerSetup(
            capabilities.current(),
            self._expectations.baseline,
            tempfile.gettempdir(),
            self._config.stash[SESSION].agents.seconds,
        )
        hand_over(node, setup, self._take_plan)

    def _take_plan(self, plan: Plan) -> None:
        self._plan = plan

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, specs: Sequence[Any]) -> None:
        """xdist: workers are going to be started."""
        for spec in specs:
            if spec.popen and not spec.python:  # -P: a socket.py where the user stands is not the standard library's
                spec.python = f"{shlex.quote(sys.executable)} -P"
        self._expect_workers(len(specs))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_newgateway(self, gateway: object) -> None:
        """xdist: watch a worker, so that it does not outlive this process."""
        if pid := _pid_of(gateway):
            self._workers.add(pid)
            guard().watch(pid, group=False)
        self._expect_workers(self._starting - 1)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object, error: object) -> None:
        """xdist: a worker has ended; after an error another one is started."""
        self._survivors += received_end(node)
        if pid := _pid_of(getattr(node, "gateway", None)):
            self._workers.discard(pid)
            guard().unwatch(pid)
        if error:
            guard().kill_orphans()
            self._expect_workers(1)
            if node not in self._collected:
                self._count_failed_start(error)

    def _count_failed_start(self, error: object) -> None:
        """Raise RuntimeError for workers that end before they have collected: the next ones would end too."""
        self._failed_starts += 1
        if self._failed_starts >= _STARTS:
            raise RuntimeError(f"{_STARTS} workers in a row ended before their first case, the last one with: {error}")

    def _expect_workers(self, number: int) -> None:
        """Keep the terminal's signals from workers until they ignore them: they inherit what is blocked here."""
        self._starting = max(number, 0)
        if stopping.handled and hasattr(signal, "pthread_sigmask"):
            guard()
            how = signal.SIG_BLOCK if self._starting else signal.SIG_UNBLOCK
            signal.pthread_sigmask(how, {signal.SIGINT, signal.SIGHUP})

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: list[str]) -> None:
        """xdist: record the plan, once: the first worker has sent it."""
        self._collected.add(node)
        self._failed_starts = 0
        plan, self._plan = self._plan, None
        if plan is None:
            return
        if plan.wrong:
            raise pytest.UsageError(plan.wrong)
        if self._recorder:
            self._recorder.plan(plan.rows)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A check that cannot be collected is an error of the suite: the run has no verdict on the implementation."""
        if report.failed:
            self._stopped = BROKEN

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without xdist: record the plan of this process."""
        if self._recorder and session.items:
            self._recorder.plan(self._collection.plan(session))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Show that a case begins, here or in a worker."""
        if self._recorder:
            self._recorder.running(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the row of a case that ended, here or in a worker."""
        if self._recorder is None or self._ending:
            return
        if (row := getattr(report, "nixio_row", None)) is not None:
            self._recorder.done(report.nodeid, msgspec.convert(row, Row))
        elif report.when not in ("setup", "call", "teardown"):  # xdist: the worker itself died
            lost = self._lost_with_worker()
            self._recorder.lost(
                report.nodeid, lambda row: self._expectations.resolve(msgspec.structs.replace(row, **lost))
            )
        if self._recorder.failure:
            self._stop(UNWRITABLE)
        elif reason := getattr(report, "nixio_end", ""):
            self._unable = True
            self._stop(reason)
        elif (self._recorder.findings or self._recorder.suite_errors) and self._options.fail_fast:
            self._stop(FAIL_FAST)
        elif self._recorder.timeouts >= self._options.max_timeouts:
            self._stop(TIMEOUTS)

    def _lost_with_worker(self) -> dict[str, str]:
        """What the row of a case says whose worker died."""
        message = "the worker died in this case"
        if self._options.in_process:
            advice = "an implementation that may crash needs a process of its own"
            return {"outcome": "crashed", "message": f"{message}; {advice}"}
        return {
            "outcome": "suite-error",
            "message": f"{message}: either the implementation killed it, or it is an error of the suite",
        }

    def _record_stop(self) -> None:
        """Complete the stream when a signal ends this process."""
        if self._recorder is not None:
            self._recorder.finish(INTERRUPTED)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Stop the workers after Ctrl-C or a stop, so that no running case delays the report."""
        if not isinstance(excinfo.value, pytest.exit.Exception):
            self._stopped = self._stopped or INTERRUPTED
        self._interrupt_workers()

    def pytest_internalerror(self) -> None:
        """Record that the suite failed, not the implementation; the other workers need not go on."""
        self._stop(BROKEN)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None]:
        """Write the footer, whatever ended the run."""
        try:
            return (yield)
        except Exception:
            self._stopped = BROKEN
            raise
        finally:
            self._end_stream(session, exitstatus)

    def _end_stream(self, session: pytest.Session, exitstatus: int) -> None:
        if self._recorder is None:
            return
        self._survivors += survivors.survivors()
        stopped = self._stopped or "; ".join(self._survivors)
        unable = self._unable or bool(self._survivors)
        interrupted = self._unable and exitstatus == pytest.ExitCode.INTERRUPTED  # by this class, with workers
        judged = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        if interrupted or (judged and (unable or self._recorder.suite_errors)):
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR  # 3, as of the command line
        if not stopped and (session.shouldfail or session.shouldstop):
            stopped = FAIL_FAST if self._config.getoption("maxfail") else str(session.shouldstop)
        if exitstatus == pytest.ExitCode.USAGE_ERROR:
            recorder, self._recorder = self._recorder, None
            recorder.discard()
        else:
            self._recorder.finish(stopped, unable)
            if self._recorder.failure:
                session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
                print(self._recorder.failure, file=sys.stderr, flush=True)
            self._recorder = None

    def _stop(self, reason: str) -> None:
        self._ending = True
        if self._stopped != BROKEN:
            self._stopped = reason
        distributed = self._config.pluginmanager.getplugin("dsession")
        if distributed is not None:
            distributed.shouldstop = reason
            self._interrupt_workers()  # otherwise they would run all cases that they have been given
        elif self._session is not None:
            self._session.shouldfail = reason

    def _interrupt_workers(self) -> None:
        for pid in self._workers:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGTERM)


def _pid_of(gateway: object) -> int:
    """The process of an xdist worker on this machine; 0 if it cannot be known."""
    process = getattr(getattr(gateway, "_io", None), "popen", None)
    return int(getattr(process, "pid", 0))
