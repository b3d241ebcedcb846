"""In every process that runs cases: which there are, which are skipped, and their verdicts as pytest's phases go by."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shlex
import signal
from collections.abc import Generator
from functools import cache
from pathlib import Path

import msgspec
import pytest
from _pytest.runner import runtestprotocol

from nixio_conformance.baseline.read import BaselineError
from nixio_conformance.driver.session import Session
from nixio_conformance.host import capabilities, platforms
from nixio_conformance.netns import hermetic
from nixio_conformance.pytest_plugin import expectations, selection
from nixio_conformance.pytest_plugin.stash import JUDGEMENT, PLANNED, SESSION, TARGET, UNPRIVILEGED
from nixio_conformance.pytest_plugin.verdict import Judgement, Planned
from nixio_conformance.target.target import Target
from nixio_fixtures import Clause, load
from nixio_reports.records import Row

#: What a worker is told: where to leave the plan.
PLAN_FILE = "nixio_plan"


def judged_levels(config: pytest.Config) -> tuple[str, ...]:
    """The levels whose failures count."""
    return tuple(config.getoption("--nixio-level")) or ("must", "should")


@cache
def _family(row: str) -> dict[str, Clause]:
    """The clauses that a check's mark names, by method: those of a row of the tables, or one clause of a family.

    Raises `KeyError` where there is neither.
    """
    clauses = [clause for clause in load().clauses if row in (clause.family, clause.id)]
    if not clauses:
        raise KeyError(row)
    return {clause.method: clause for clause in clauses}


#: The parameter by which the check of a family of clauses is multiplied. It names the clause and is not part of the
#: case's id: `{send,write}.data.arrives` has the cases `send.data.arrives[...]` and `write.data.arrives[...]`.
METHOD = "method"


class Cases:
    """In every process that runs cases."""

    def __init__(self, config: pytest.Config, target: Target) -> None:
        self._config = config
        self.turn_to(target)
        self._expecting = config.stash[expectations.EXPECTING]
        self._wrong = ""
        try:
            self._chosen = selection.parse(config.getoption("--nixio-select"), load())
        except selection.UnknownSelection as error:
            raise pytest.UsageError(str(error)) from None
        if hasattr(config, "workerinput"):
            _obey_the_steering_process()

    def turn_to(self, target: Target) -> None:
        """Judge this implementation from the next case on; the agents of another one before it are ended."""
        self._end_agents()
        stash, seconds = self._config.stash, self._config.getoption("--nixio-deadline")
        self._target = stash[TARGET] = target
        stash[SESSION] = Session(target.starter, seconds)
        stash[UNPRIVILEGED] = Session(target.start_unprivileged, seconds, target.start_unprivileged)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(
        self, collector: pytest.Collector, name: str, obj: object
    ) -> list[pytest.Item] | None:
        """Leave out at once what is not selected: multiplying all checks would take longer than to run a few."""
        for mark in getattr(obj, "pytestmark", ()):
            if isinstance(mark, pytest.Mark) and mark.name == "clause":
                try:
                    family = _family(mark.args[0])
                except KeyError:
                    raise collector.CollectError(f"{name} names clause {mark.args[0]!r}, which no table has") from None
                if not any(selection.touches(self._chosen, clause) for clause in family.values()):
                    return []
        return None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Multiply a check by its row's methods and kinds, and by the implementation's roles where it asks for them."""
        marker = next(metafunc.definition.iter_markers("clause"), None)
        if marker is None:
            return
        family = _family(marker.args[0])
        if len(family) > 1:  # first, so that it comes first in the item's id, from where `_planned` takes it away
            chosen = [method for method, clause in family.items() if selection.touches(self._chosen, clause)]
            metafunc.parametrize(METHOD, chosen)
        if "kind" not in metafunc.fixturenames:
            return
        # One row: all of its clauses have the same kinds.
        kinds = load().select_kinds(next(iter(family.values())).kinds)
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

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, None, None]:
        """Hold the baseline against all cases that there are; keep what is selected, in the order asked for."""
        for item in items:
            if (planned := _planned(item)) is not None:
                item.stash[PLANNED] = planned
        self._hold_against_baseline(items)
        yield
        chosen = [item for item in items if PLANNED in item.stash and self._is_chosen(item.stash[PLANNED])]
        config.hook.pytest_deselected(items=list(set(items).difference(chosen)))
        if seed := config.getoption("--nixio-shuffle"):
            random.Random(seed).shuffle(chosen)
        items[:] = chosen

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """In a worker: leave the plan for the steering process, which collects nothing itself."""
        work = getattr(self._config, "workerinput", None)
        if work and work["workerid"] == "gw0" and PLAN_FILE in work:
            rows = [[item.nodeid, msgspec.to_builtins(self._planned_row(item))] for item in session.items]
            plan = {"wrong": self._wrong, "rows": rows}
            # In one step: the steering process looks for it as soon as any worker has collected.
            path = Path(work[PLAN_FILE])
            draft = path.with_name(f"{path.name}.{os.getpid()}")
            draft.write_text(json.dumps(plan))
            draft.replace(path)

    def plan(self, session: pytest.Session) -> list[tuple[str, Row]]:
        """The rows of all cases before they have run."""
        return [(item.nodeid, self._planned_row(item)) for item in session.items]

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip what this host cannot show, with the reason."""
        planned = item.stash[PLANNED]
        item.stash[JUDGEMENT] = Judgement(self._planned_row(item), self._target)
        platform = platforms.this_platform().id
        if planned.clause.platforms and platform not in planned.clause.platforms:
            pytest.skip(f"holds on {', '.join(planned.clause.platforms)}; this is {platform}")
        needs = (*((planned.kind.capability,) if planned.kind else ()), *planned.clause.needs)
        for need in needs:
            if reason := capabilities.current()[need]:
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
        if item.stash[JUDGEMENT].network_changed:
            self._end_agents()
            hermetic.renew()
        self._expecting.show(reports, self._expecting.settle(item.stash[JUDGEMENT].row))
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
            report.nixio_row = msgspec.to_builtins(self._expecting.settle(judgement.row))  # type: ignore[attr-defined]
        return report

    def pytest_sessionfinish(self) -> None:
        """Leave no agent behind."""
        self._end_agents()

    def _end_agents(self) -> None:
        for key in (SESSION, UNPRIVILEGED):
            if key in self._config.stash:
                self._config.stash[key].kill()

    def _hold_against_baseline(self, items: list[pytest.Item]) -> None:
        """Raise `pytest.UsageError` for a baseline that knows cases that there are none of."""
        if any("::" in str(argument) for argument in self._config.args):
            return  # single tests were named: others are not known
        try:
            self._expecting.check([item.stash[PLANNED] for item in items if PLANNED in item.stash])
        except BaselineError as error:
            if not hasattr(self._config, "workerinput"):
                raise pytest.UsageError(str(error)) from None
            self._wrong = str(error)  # the steering process says it
            items.clear()

    def _is_chosen(self, planned: Planned) -> bool:
        return selection.matches(self._chosen, planned.case, planned.clause, planned.kind)

    def _planned_row(self, item: pytest.Item) -> Row:
        planned = item.stash[PLANNED]
        words = ["nixio-conformance", "run", *self._target.arguments, "--select", planned.case]
        known = self._expecting.deviation(planned)
        return msgspec.structs.replace(planned.row(shlex.join(words)), deviation=known.line if known else 0)


def _obey_the_steering_process() -> None:
    """In a worker: a terminal's Ctrl-C comes to all processes at once, and only the steering one decides what ends."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, interrupt)


def _planned(item: pytest.Item) -> Planned | None:
    """The case that an item is; None for a test that is no check."""
    marker = item.get_closest_marker("clause")
    if marker is None:
        return None
    family = _family(marker.args[0])
    spec = getattr(item, "callspec", None)
    parameters = dict(spec.params) if spec else {}
    brackets = spec.id if spec else ""
    if len(family) > 1:
        clause = family[parameters.pop(METHOD)]
        brackets = brackets.removeprefix(clause.method).removeprefix("-")
    else:
        clause = next(iter(family.values()))
    kind = parameters.pop("kind", None)
    case = f"{clause.id}[{brackets}]" if brackets else clause.id
    shown = {name: str(getattr(value, "id", value)) for name, value in parameters.items()}
    return Planned(case, clause, kind, shown)
