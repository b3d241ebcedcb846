"""Which cases a run has: multiplies checks by methods, kinds and roles, compares with the baseline, and selects."""

from __future__ import annotations

import random
import shlex
from collections.abc import Generator

import msgspec
import pytest

from nixio_conformance.baseline.read import BaselineError
from nixio_conformance.pytest_plugin import selection, workers
from nixio_conformance.pytest_plugin.planned import METHOD, Planned, clauses_of, planned_case
from nixio_conformance.pytest_plugin.stash import EXPECTATIONS, OPTIONS, PLANNED, TARGET
from nixio_fixtures import Kind, load
from nixio_reports.records import Row


class Collection:
    """The part of the plugin that decides what runs, in every process that collects."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._options = config.stash[OPTIONS]
        self._expectations = config.stash[EXPECTATIONS]
        self._wrong = ""
        try:
            self._chosen = selection.parse(self._options.select, load())
        except selection.UnknownSelection as error:
            raise pytest.UsageError(str(error)) from None

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(
        self, collector: pytest.Collector, name: str, obj: object
    ) -> list[pytest.Item] | None:
        """Drop checks that are not selected before they are multiplied, which takes longer than running a few cases."""
        for mark in getattr(obj, "pytestmark", ()):
            if isinstance(mark, pytest.Mark) and mark.name == "clause":
                try:
                    clauses = clauses_of(mark.args[0])
                except KeyError:
                    raise collector.CollectError(
                        f"{name} names clause {mark.args[0]!r}, which is not in the tables"
                    ) from None
                if not any(selection.touches(self._chosen, clause) for clause in clauses.values()):
                    return []
        return None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Multiply a check by its row's methods and kinds, and by roles if it has a parameter `role`."""
        marker = next(metafunc.definition.iter_markers("clause"), None)
        if marker is None:
            return
        clauses = clauses_of(marker.args[0])
        methods = [method for method, clause in clauses.items() if selection.touches(self._chosen, clause)]
        # The method is first in the item's id, from where `planned_case` removes it.
        names = [METHOD] if len(clauses) > 1 else []
        if "kind" in metafunc.fixturenames and any(clause.kinds for clause in clauses.values()):
            names += ["kind", "role"] if "role" in metafunc.fixturenames else ["kind"]
        rows = [
            {METHOD: method, "kind": kind, "role": role}
            for method in methods
            for kind in (load().select_kinds(clauses[method].kinds) if "kind" in names else (None,))
            for role in (_roles(kind) if kind and "role" in names else ("",))
        ]
        if names:
            metafunc.parametrize(
                names, [[row[name] for name in names] for row in rows], ids=[_id(row, names) for row in rows]
            )

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, None, None]:
        """Compare the baseline with all collected cases; keep those that are selected, in the requested order."""
        for item in items:
            if (planned := planned_case(item)) is not None:
                item.stash[PLANNED] = planned
        self._check_baseline(items)
        yield
        chosen = [item for item in items if PLANNED in item.stash and self._is_chosen(item.stash[PLANNED])]
        config.hook.pytest_deselected(items=list(set(items).difference(chosen)))
        if seed := self._options.shuffle:
            random.Random(seed).shuffle(chosen)
        items[:] = chosen

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """In a worker: send the plan to the controller, which collects nothing itself."""
        if workers.is_worker(self._config):
            workers.send_plan(self._config, self.plan(session), self._wrong)

    def plan(self, session: pytest.Session) -> list[tuple[str, Row]]:
        """The rows of all cases before they have run, by pytest's node id."""
        return [(item.nodeid, planned_row(item)) for item in session.items]

    def _check_baseline(self, items: list[pytest.Item]) -> None:
        """Raise `pytest.UsageError` for a baseline with cases that do not exist."""
        if any("::" in str(argument) for argument in self._config.args):
            return  # only single tests were collected, so other cases are unknown
        try:
            self._expectations.check([item.stash[PLANNED] for item in items if PLANNED in item.stash])
        except BaselineError as error:
            if not workers.is_worker(self._config):
                raise pytest.UsageError(str(error)) from None
            self._wrong = str(error)  # the controller reports it
            items.clear()

    def _is_chosen(self, planned: Planned) -> bool:
        return selection.matches(self._chosen, planned.case, planned.clause, planned.kind)


def planned_row(item: pytest.Item) -> Row:
    """A case's row before it has run."""
    planned, stash = item.stash[PLANNED], item.config.stash
    words = ["nixio-conformance", "run", *stash[TARGET].arguments, "--select", planned.case]
    known = stash[EXPECTATIONS].deviation(planned)
    return msgspec.structs.replace(planned.row(shlex.join(words)), deviation=known.line if known else 0)


def _roles(kind: Kind) -> tuple[str, ...]:
    """The implementation's roles in a connection; datagram sockets have only one."""
    return ("client", "server") if kind.type == "stream" else ("mutual",)


def _id(row: dict[str, str | Kind | None], names: list[str]) -> str:
    """These parameters as they are written in the item's id."""
    values = [row[name] for name in names]
    return "-".join(value.id if isinstance(value, Kind) else str(value) for value in values)
