"""What the controller gives to each worker of xdist when it starts, and what a worker sends back.

Both go through xdist's own connection, so that a worker may run on another machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from nixio_reports.records import Baseline, Row

#: Our key in xdist's `workerinput`.
_KEY = "nixio"
#: All workers collect the same cases: this one sends the plan.
_PLANNER = "gw0"


class WorkerSetup(Struct, frozen=True):
    """Facts that the controller determines, so that all workers have the same ones."""

    #: Each capability, and why this host lacks it; empty if it has it.
    capabilities: dict[str, str]
    #: The parsed baseline: its file may be a pipe, or may be edited during the run.
    baseline: Baseline | None
    #: The folder for temporary files; removed by the controller.
    folder: str
    #: The timeout of an agent's reply to hello, in seconds.
    hello_seconds: float


class Plan(Struct, frozen=True):
    """The cases that are going to run: their rows before they have run, by pytest's node id."""

    rows: list[tuple[str, Row]]
    #: Why the baseline does not fit the cases; empty if it does.
    wrong: str = ""


class Silent:
    """In a worker: keeps errors of the suite from the terminal, because xdist hands them on to the controller."""

    def pytest_internalerror(self) -> bool:
        """Pytest prints the traceback if no plugin returns True."""
        return True


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of xdist."""
    return hasattr(config, "workerinput")


def hand_over(node: Any, setup: WorkerSetup, take_plan: Callable[[Plan], None]) -> None:
    """In the controller: give a worker that is about to start its setup; `take_plan` is later called with its plan.

    `node` is xdist's `WorkerController`. The plan arrives before xdist reports that the worker has collected.
    """
    given: dict[str, Any] = {"setup": msgspec.json.encode(setup).decode()}
    if node.gateway.id == _PLANNER:
        given["plan"] = channel = node.gateway.newchannel()
        channel.setcallback(lambda text: take_plan(msgspec.json.decode(text, type=Plan)))
    node.workerinput[_KEY] = given


def received(config: pytest.Config) -> WorkerSetup | None:
    """In a worker: the setup that the controller gave it. None in any other process."""
    if not is_worker(config):
        return None
    return msgspec.json.decode(_given(config)["setup"], type=WorkerSetup)


def send_plan(config: pytest.Config, rows: Iterable[tuple[str, Row]], wrong: str) -> None:
    """In a worker: send the plan to the controller, if this worker is the one that does so."""
    if (channel := _given(config).get("plan")) is not None:
        channel.send(msgspec.json.encode(Plan(list(rows), wrong)).decode())


def send_end(config: pytest.Config, survivors: list[str]) -> None:
    """In a worker, at its end: report to the controller which processes it could not end."""
    config.workeroutput[_KEY] = survivors  # type: ignore[attr-defined]


def received_end(node: Any) -> list[str]:
    """In the controller: the processes that a worker could not end."""
    found: list[str] = getattr(node, "workeroutput", {}).get(_KEY, [])
    return found


def _given(config: pytest.Config) -> dict[str, Any]:
    given: dict[str, Any] = config.workerinput[_KEY]  # type: ignore[attr-defined]
    return given
