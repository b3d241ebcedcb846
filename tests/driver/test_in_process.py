"""Implementations inside the suite's own process: what they raise is never an error of the suite."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.agents.support import open_socket

from nixio_conformance.driver.errors import AgentCrashed, CannotStart
from nixio_conformance.driver.inprocess import InProcess
from nixio_conformance.driver.outcome import Failure
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.transcript import Transcript

Begin = Callable[..., Session]


class Raising:
    """A socket whose methods raise what no caller expects."""

    def __init__(self, *_: object) -> None: ...

    def fileno(self) -> None:
        raise KeyError("x")

    def send(self, *_: object) -> None:
        pytest.skip("x")

    def close(self) -> None:
        raise SystemExit(5)


class _WithoutAttributes:
    def __getattr__(self, name: str) -> object:
        raise LookupError(name)


WITHOUT_ATTRIBUTES = _WithoutAttributes()


def hosted(begin: Begin, name: str) -> Session:
    return begin(start=lambda: InProcess("target", f"{__name__}:{name}"))


def test_an_exception_of_the_wrong_type_is_a_failure(begin: Begin) -> None:
    outcome = open_socket(hosted(begin, "Raising")).call("fileno")
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.message) == ("exception", "KeyError: 'x'")


def test_an_exception_that_ends_processes_or_cases_is_a_crash(begin: Begin) -> None:
    session = hosted(begin, "Raising")
    with pytest.raises(AgentCrashed, match="the implementation raised Skipped"):
        open_socket(session).call("send", b"x")
    session.begin_case(Transcript())
    open_socket(session)
    with pytest.raises(AgentCrashed, match="the implementation raised SystemExit: 5"):
        session.end_case()


def test_an_implementation_whose_attributes_raise_cannot_be_started(begin: Begin) -> None:
    with pytest.raises(CannotStart, match="WITHOUT_ATTRIBUTES cannot be used: LookupError: socket"):
        hosted(begin, "WITHOUT_ATTRIBUTES")
