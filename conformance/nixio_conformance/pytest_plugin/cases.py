"""Runs cases: skips those that this host cannot run, and records a verdict for each."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Generator

import msgspec
import pytest

# Private, because pytest has no public API to run an item again; plugins that rerun tests call the same function.
from _pytest.runner import runtestprotocol

from nixio_conformance.driver import alarm, survivors, temporary
from nixio_conformance.driver.orphan_guard import guard
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.stopping import stopping
from nixio_conformance.host import capabilities, platforms
from nixio_conformance.netns import hermetic
from nixio_conformance.pytest_plugin import workers
from nixio_conformance.pytest_plugin.case_deadlines import CaseDeadlines
from nixio_conformance.pytest_plugin.collection import planned_row
from nixio_conformance.pytest_plugin.stash import (
    DEADLINES,
    EXPECTATIONS,
    JUDGEMENT,
    OPTIONS,
    PLANNED,
    SESSION,
    TARGET,
    UNPRIVILEGED,
)
from nixio_conformance.pytest_plugin.verdict import Judgement
from nixio_conformance.target.target import Target
from nixio_reports.text import visible


class Cases:
    """The part of the plugin that runs cases: in each worker, or without workers in the only process."""

    def __init__(self, config: pytest.Config, target: Target) -> None:
        self._config = config
        self._options = config.stash[OPTIONS]
        self._expectations = config.stash[EXPECTATIONS]
        self.turn_to(target)
        if workers.is_worker(config):
            _obey_the_controller()

    def turn_to(self, target: Target) -> None:
        """Judge this implementation from the next case on; the agents of the previous one are ended."""
        self._end_agents()
        stash, seconds = self._config.stash, self._options.deadline
        stash[DEADLINES] = CaseDeadlines(None if target.in_process else self._options.case_deadline)
        self._target = stash[TARGET] = target
        stash[SESSION] = Session(target.starter, seconds)
        stash[UNPRIVILEGED] = Session(target.start_unprivileged, seconds, target.start_unprivileged)
        if (setup := workers.received(self._config)) is not None:
            for session in self._sessions():
                session.agents.seconds = setup.hello_seconds

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip a case that this host cannot run, with the reason."""
        planned = item.stash[PLANNED]
        platform = platforms.this_platform().id
        if planned.clause.platforms and platform not in planned.clause.platforms:
            pytest.skip(f"the clause applies to {', '.join(planned.clause.platforms)}; this is {platform}")
        needs = (*((planned.kind.capability,) if planned.kind else ()), *planned.clause.needs)
        for need in needs:
            if reason := capabilities.current()[need]:
                pytest.skip(f"{need}: {reason}")

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """Run the check, and end it once the case has used up its budget."""
        case = item.stash[JUDGEMENT].case
        with alarm.watched(case.session.budget) if case else contextlib.nullcontext():
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """Run a case; run it again if it seems to leak, because only a second leak counts."""
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports = self._run(item, nextitem)
        if item.stash[JUDGEMENT].leaked:
            reports = self._run(item, nextitem)
            if item.stash[JUDGEMENT].leaked:
                item.stash[JUDGEMENT].kill_agent()
        if item.stash[JUDGEMENT].network_changed:
            self._end_agents()
            temporary.ensure()
            hermetic.renew()
        row = item.stash[JUDGEMENT].row
        if row.outcome == "timed-out":
            self._config.stash[DEADLINES].timed_out(row.method)
        row = self._expectations.resolve(row)
        self._expectations.show(reports, row)
        # The report of the last phase, teardown, carries the row to the controller (with workers, through xdist).
        if not self._no_agent():
            reports[-1].nixio_row = msgspec.to_builtins(row)  # type: ignore[attr-defined]
        if reason := self._no_agent() or "; ".join(survivors.survivors()):
            item.session.shouldfail = reports[-1].nixio_end = reason  # type: ignore[attr-defined]
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _run(self, item: pytest.Item, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
        """Run the phases of a case. Its verdict is there before them: hooks of other plugins may raise errors."""
        item.stash[JUDGEMENT] = Judgement(planned_row(item), self._target)
        return runtestprotocol(item, log=False, nextitem=nextitem)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add a phase to the verdict."""
        report = yield
        item.stash[JUDGEMENT].phase(call.when, call.duration, call.excinfo.value if call.excinfo else None)
        # Under plain pytest, its terminal shows the text: the implementation's messages must not act there.
        if report.failed and (safe := visible(report.longreprtext)) != report.longreprtext:
            report.longrepr = safe
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """End the agents. In a worker: report to the controller which do not end."""
        self._end_agents()
        if workers.is_worker(self._config):
            workers.send_end(self._config, survivors.survivors())

    def _end_agents(self) -> None:
        for session in self._sessions():
            session.kill()

    def _no_agent(self) -> str:
        """Why no agent starts any more, so that no further case can be judged; empty as long as one may."""
        return next((session.agents.given_up for session in self._sessions() if session.agents.given_up), "")

    def _sessions(self) -> list[Session]:
        return [self._config.stash[key] for key in (SESSION, UNPRIVILEGED) if key in self._config.stash]


def _obey_the_controller() -> None:
    """Ignore what a terminal sends to all processes: the controller stops the workers with SIGTERM."""
    if threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stopping.handle()
    stopping.continue_without_terminal()
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGHUP})  # the controller blocked them
    guard()  # ends the agents
