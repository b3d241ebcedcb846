"""The suite as a pytest plugin: options, the multiplication of checks by their clauses' kinds, and the rows.

Nothing of it is active unless an implementation is named, so that having the package installed changes no other
pytest run.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shlex
import signal
import sys
from collections.abc import Generator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec
import pytest
from _pytest.runner import runtestprotocol

from nixio_conformance import __version__, place, selection
from nixio_conformance.driver.deadline import CALL
from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.driver.guard import guard
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.judge import Judgement, Planned
from nixio_conformance.lab import host
from nixio_conformance.recorder import BROKEN, FAIL_FAST, INTERRUPTED, Recorder
from nixio_conformance.target import Target
from nixio_fixtures import Clause, load
from nixio_reports import Progress
from nixio_reports.records import Header, Implementation, Row

JUDGEMENT = pytest.StashKey[Judgement]()
PLANNED = pytest.StashKey[Planned]()
SESSION = pytest.StashKey[Session]()
#: The same port without its user's privileges, for the clauses that need that.
UNPRIVILEGED = pytest.StashKey[Session]()
TARGET = pytest.StashKey[Target]()
#: Set by the command line: what shows the run as it goes.
PROGRESS = pytest.StashKey[Progress]()
_PLAN = "nixio_plan"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The choices of `nixio-conformance run`, as pytest options."""
    group = parser.getgroup("nixio", "nixio conformance")
    group.addoption("--nixio", metavar="NAME", help="judge an installed implementation by its entry point's name")
    group.addoption("--nixio-target", metavar="MODULE:OBJECT", help="judge a Python object")
    group.addoption("--nixio-agent", metavar="COMMAND", help="judge what an agent program hosts")
    group.addoption("--nixio-in-process", action="store_true", help="host a Python port in the test process")
    group.addoption("--nixio-select", metavar="TERM", action="append", default=[], help="clause, method, family, level")
    group.addoption("--nixio-level", action="append", default=[], choices=["must", "should", "may"], help="judge these")
    group.addoption("--nixio-report", metavar="DIR", help="write the result stream and the reports there")
    group.addoption("--nixio-shuffle", metavar="SEED", help="run the cases in an order that this seed decides")
    group.addoption("--nixio-fail-fast", action="store_true", help="stop at the first finding of a judged level")
    group.addoption("--nixio-deadline", metavar="SECONDS", type=float, default=CALL, help="what a call may take")
    group.addoption(
        "--nixio-without", metavar="CAPABILITY", action="append", default=[], help="as if this host lacked it"
    )
    group.addoption(
        "--nixio-require", metavar="CAPABILITY", action="append", default=[], help="end the run if this host lacks it"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; activate the suite when an implementation is named."""
    config.addinivalue_line("markers", "clause(id): the clause of the specification that a check proves")
    target = target_of(config)
    if target is not None:
        config.stash[TARGET] = target
        place.settle(config)
        config.pluginmanager.register(Judge(config, target), "nixio-judge")
        if not hasattr(config, "workerinput"):
            config.pluginmanager.register(Steering(config, target), "nixio-steering")


def target_of(config: pytest.Config) -> Target | None:
    """The implementation that the options name; None for a pytest run that is not about one."""
    in_process = bool(config.getoption("--nixio-in-process"))
    for option, way in (("--nixio", "entry-point"), ("--nixio-target", "target"), ("--nixio-agent", "agent")):
        if name := config.getoption(option):
            try:
                return Target(way, name, in_process)  # type: ignore[arg-type]
            except ValueError as error:
                raise pytest.UsageError(f"{option} {name!r}: {error}") from None
    return None


def judged_levels(config: pytest.Config) -> tuple[str, ...]:
    """The levels whose failures count."""
    return tuple(config.getoption("--nixio-level")) or ("must", "should")


@cache
def _clause(clause_id: str) -> Clause:
    return load().clause(clause_id)


def clause_of(node: pytest.Item | pytest.Function) -> Clause | None:
    """The clause that a check names; None for a test that is no check."""
    marker = node.get_closest_marker("clause")
    return _clause(marker.args[0]) if marker else None


class Judge:
    """In every process that runs cases."""

    def __init__(self, config: pytest.Config, target: Target) -> None:
        self._config = config
        self._target = target
        self._session = config.stash[SESSION] = Session(target.starter, config.getoption("--nixio-deadline"))
        config.stash[UNPRIVILEGED] = Session(
            target.start_unprivileged, config.getoption("--nixio-deadline"), target.start_unprivileged
        )
        try:
            self._chosen = selection.parse(config.getoption("--nixio-select"), load())
        except selection.UnknownSelection as error:
            raise pytest.UsageError(str(error)) from None
        if hasattr(config, "workerinput"):
            _obey_the_steering_process()

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(
        self, collector: pytest.Collector, name: str, obj: object
    ) -> list[pytest.Item] | None:
        """Leave out at once what is not selected: multiplying all checks would take longer than to run a few."""
        for mark in getattr(obj, "pytestmark", ()):
            if isinstance(mark, pytest.Mark) and mark.name == "clause":
                try:
                    clause = _clause(mark.args[0])
                except KeyError:
                    raise collector.CollectError(f"{name} names clause {mark.args[0]!r}, which no table has") from None
                if not selection.touches(self._chosen, clause):
                    return []
        return None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Multiply a check by its clause's kinds, and by the port's roles where it asks for them."""
        marker = next(metafunc.definition.iter_markers("clause"), None)
        if marker is None or "kind" not in metafunc.fixturenames:
            return
        kinds = load().select_kinds(load().clause(marker.args[0]).kinds)
        if not kinds:
            return
        if "role" not in metafunc.fixturenames:
            metafunc.parametrize("kind", [pytest.param(kind, id=kind.id) for kind in kinds])
            return
        roles = [
            (kind, role) for kind in kinds for role in (("client", "server") if kind.type == "stream" else ("mutual",))
        ]
        metafunc.parametrize(
            ("kind", "role"), [pytest.param(kind, role, id=f"{kind.id}-{role}") for kind, role in roles]
        )

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep what is selected, in the order that was asked for."""
        for item in items:
            if (planned := _plan(item)) is not None:
                item.stash[PLANNED] = planned
        chosen = [item for item in items if PLANNED in item.stash and self._is_chosen(item.stash[PLANNED])]
        config.hook.pytest_deselected(items=list(set(items).difference(chosen)))
        if seed := config.getoption("--nixio-shuffle"):
            random.Random(seed).shuffle(chosen)
        items[:] = chosen

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """In a worker: leave the plan for the steering process, which collects nothing itself."""
        work = getattr(self._config, "workerinput", None)
        if work and work["workerid"] == "gw0" and _PLAN in work:
            rows = [[item.nodeid, msgspec.to_builtins(self._planned_row(item))] for item in session.items]
            Path(work[_PLAN]).write_text(json.dumps(rows))

    def plan(self, session: pytest.Session) -> list[tuple[str, Row]]:
        """The rows of all cases before they have run."""
        return [(item.nodeid, self._planned_row(item)) for item in session.items]

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip what this host cannot show, with the reason."""
        planned = item.stash[PLANNED]
        item.stash[JUDGEMENT] = Judgement(self._planned_row(item), self._target)
        platform = host.this_platform().id
        if planned.clause.platforms and platform not in planned.clause.platforms:
            pytest.skip(f"holds on {', '.join(planned.clause.platforms)}; this is {platform}")
        needs = (*((planned.kind.capability,) if planned.kind else ()), *planned.clause.needs)
        for need in needs:
            if reason := host.capabilities()[need]:
                pytest.skip(f"{need}: {reason}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """Run a case; a second time if it seems to leak, as only what leaks twice is a leak."""
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        if item.stash[JUDGEMENT].leaked:
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
            if item.stash[JUDGEMENT].leaked:
                item.stash[JUDGEMENT].kill_agent()
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Take in each phase; the last one carries the row."""
        report = yield
        judgement = item.stash[JUDGEMENT]
        judgement.phase(call.when, call.duration, call.excinfo.value if call.excinfo else None)
        if call.when == "teardown":
            report.nixio_row = msgspec.to_builtins(judgement.row)  # type: ignore[attr-defined]
        return report

    def pytest_sessionfinish(self) -> None:
        """Leave no agent behind."""
        for session in (self._session, self._config.stash[UNPRIVILEGED]):
            session.kill()

    def _is_chosen(self, planned: Planned) -> bool:
        return selection.matches(self._chosen, planned.case, planned.clause, planned.kind)

    def _planned_row(self, item: pytest.Item) -> Row:
        planned = item.stash[PLANNED]
        words = ["nixio-conformance", "run", *self._target.words, "--select", planned.case]
        return planned.row(shlex.join(words))


class Steering:
    """In the process that the user started: proves that the port can be started, and records."""

    def __init__(self, config: pytest.Config, target: Target) -> None:
        self._config = config
        self._target = target
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
            pytest.exit(f"{self._target.asked}: {error}", returncode=3)
        folder = self._config.getoption("--nixio-report")
        if folder:
            header = Header(
                suite=__version__,
                implementation=implementation,
                host=host.describe(),
                command=shlex.join(["nixio-conformance", "run", *self._target.words]),
                judged=judged_levels(self._config),
                selection=tuple(self._config.getoption("--nixio-select")),
                started=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
            )
            self._recorder = Recorder(Path(folder), header, self._config.stash.get(PROGRESS, None))
            self._plan_file = Path(folder).absolute() / ".plan.json"

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: object) -> None:
        """xdist: tell a worker where it is, and where to leave the plan."""
        place.tell(node)
        if self._plan_file is not None:
            node.workerinput[_PLAN] = str(self._plan_file)  # type: ignore[attr-defined]

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
            rows = json.loads(self._plan_file.read_text())
            self._plan_file.unlink()
            self._recorder.plan((node_id, msgspec.convert(row, Row)) for node_id, row in rows)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A check that cannot be collected is the suite's fault: no verdict on the port can come of the run."""
        if report.failed:
            self._stopped = BROKEN
            print(f"the suite itself cannot be collected: {report.nodeid}\n{report.longreprtext}", file=sys.stderr)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without xdist: the plan is here."""
        judge = self._config.pluginmanager.getplugin("nixio-judge")
        if self._recorder and isinstance(judge, Judge) and session.items:
            self._recorder.plan(judge.plan(session))

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
                report.nodeid, lambda row: msgspec.structs.replace(row, outcome="crashed", message=message)
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

    def _greet(self) -> Implementation:
        session = self._config.stash[SESSION]
        session.begin_case(Transcript())
        welcome = session.welcome
        if self._config.pluginmanager.hasplugin("dsession"):
            session.kill()  # the workers have agents of their own
        return Implementation(
            name=welcome.name,
            version=welcome.version,
            language=welcome.language,
            platform=welcome.platform,
            asked=self._target.asked,
            capabilities=tuple(welcome.capabilities),
            buffersize=welcome.buffersize,
        )


def _pid_of(node: object) -> int:
    """The process of an xdist worker on this machine; 0 where it cannot be known."""
    process = getattr(getattr(getattr(node, "gateway", None), "_io", None), "popen", None)
    return int(getattr(process, "pid", 0))


def _obey_the_steering_process() -> None:
    """In a worker: a terminal's Ctrl-C comes to all processes at once, and only the steering one decides what ends."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, interrupt)


def _plan(item: pytest.Item) -> Planned | None:
    clause = clause_of(item)
    if clause is None:
        return None
    spec = getattr(item, "callspec", None)
    parameters = dict(spec.params) if spec else {}
    kind = parameters.pop("kind", None)
    case = f"{clause.id}[{spec.id}]" if spec else clause.id
    shown = {name: str(getattr(value, "id", value)) for name, value in parameters.items()}
    return Planned(case, clause, kind, shown)
