"""The suite as a pytest plugin: options, the multiplication of checks by their clauses' kinds, and the rows.

Nothing of it is active unless an implementation is named, so that having the package installed changes no other
pytest run.
"""

from __future__ import annotations

import json
import random
import shlex
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from nixio_conformance import __version__, selection
from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.judge import Judgement, Planned
from nixio_conformance.lab import host
from nixio_conformance.recorder import Recorder
from nixio_conformance.target import Target
from nixio_fixtures import Clause, load
from nixio_reports.records import Header, Implementation, Row

JUDGEMENT = pytest.StashKey[Judgement]()
PLANNED = pytest.StashKey[Planned]()
SESSION = pytest.StashKey[Session]()
TARGET = pytest.StashKey[Target]()
#: Set by the command line: the recorder's progress, and the exit code at the end.
PROGRESS = pytest.StashKey[object]()
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


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; activate the suite when an implementation is named."""
    config.addinivalue_line("markers", "clause(id): the clause of the specification that a check proves")
    target = target_of(config)
    if target is not None:
        config.stash[TARGET] = target
        config.pluginmanager.register(Judge(config, target), "nixio-judge")
        if not hasattr(config, "workerinput"):
            config.pluginmanager.register(Steering(config, target), "nixio-steering")


def target_of(config: pytest.Config) -> Target | None:
    """The implementation that the options name; None for a pytest run that is not about one."""
    in_process = bool(config.getoption("--nixio-in-process"))
    for option, way in (("--nixio", "entry-point"), ("--nixio-target", "target"), ("--nixio-agent", "agent")):
        if name := config.getoption(option):
            return Target(way, name, in_process)  # type: ignore[arg-type]
    return None


def judged_levels(config: pytest.Config) -> tuple[str, ...]:
    """The levels whose failures count."""
    return tuple(config.getoption("--nixio-level")) or ("must", "should")


def clause_of(node: pytest.Item | pytest.Function) -> Clause | None:
    """The clause that a check names; None for a test that is no check."""
    marker = node.get_closest_marker("clause")
    return load().clause(marker.args[0]) if marker else None


class Judge:
    """In every process that runs cases."""

    def __init__(self, config: pytest.Config, target: Target) -> None:
        self._config = config
        self._target = target
        self._session = config.stash[SESSION] = Session(target.starter)
        self._chosen = selection.parse(config.getoption("--nixio-select"), load())

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
        config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
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

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Take in each phase; the last one carries the row."""
        report = yield
        judgement = item.stash.get(JUDGEMENT, None) or Judgement(self._planned_row(item), self._target)
        judgement.phase(call.when, call.duration, call.excinfo.value if call.excinfo else None)
        if call.when == "teardown":
            report.nixio_row = msgspec.to_builtins(judgement.row)  # type: ignore[attr-defined]
        return report

    def pytest_sessionfinish(self) -> None:
        """Leave no agent behind."""
        self._session.kill()

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
        self.exit_code: int | None = None

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Say hello to the port before anything is collected, and begin the stream."""
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
            progress = self._config.stash.get(PROGRESS, None)
            self._recorder = Recorder(Path(folder), header, progress)  # type: ignore[arg-type]
            self._plan_file = Path(folder) / ".plan.json"

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: object) -> None:
        """xdist: tell a worker where to leave the plan."""
        if self._plan_file is not None:
            node.workerinput[_PLAN] = str(self._plan_file.absolute())  # type: ignore[attr-defined]

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: list[str]) -> None:
        """xdist: take the plan that the first worker left."""
        if self._recorder and self._plan_file and self._plan_file.exists():
            rows = json.loads(self._plan_file.read_text())
            self._plan_file.unlink()
            self._recorder.plan((node_id, msgspec.convert(row, Row)) for node_id, row in rows)

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
        if self._recorder is None:
            return
        if (row := getattr(report, "nixio_row", None)) is not None:
            self._recorder.done(report.nodeid, msgspec.convert(row, Row))
        elif report.when not in ("setup", "call", "teardown"):  # xdist: the worker itself died
            message = "the worker process died in this case; a port that crashes needs a process of its own"
            self._recorder.lost(
                report.nodeid, lambda row: msgspec.structs.replace(row, outcome="crashed", message=message)
            )

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the footer, whatever ended the run."""
        if self._recorder is None:
            return
        stopped = ""
        if exitstatus == pytest.ExitCode.INTERRUPTED:
            stopped = "interrupted"
        elif session.shouldfail or session.shouldstop:
            stopped = "fail-fast" if self._config.getoption("maxfail") else str(session.shouldstop)
        if self._plan_file is not None:
            self._plan_file.unlink(missing_ok=True)
        self.exit_code = self._recorder.finish(stopped)
        self._recorder = None

    def _greet(self) -> Implementation:
        session = Session(self._target.starter)
        try:
            session.begin_case(Transcript())
            welcome = session.welcome
        finally:
            session.kill()
        return Implementation(
            name=welcome.name,
            version=welcome.version,
            language=welcome.language,
            platform=welcome.platform,
            asked=self._target.asked,
            capabilities=tuple(welcome.capabilities),
            buffersize=welcome.buffersize,
        )


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
