"""Agents that use up resources or block: each is killed with its children, and the error says what it did."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.agents.support import open_socket
from tests.processes import running

from nixio_conformance.driver import limits
from nixio_conformance.driver.deadline import wait_for
from nixio_conformance.driver.errors import AgentCrashed, AgentError, AgentHung, AgentProtocolError
from nixio_conformance.driver.outcome import Failure, Returned
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.transcript import Transcript

Begin = Callable[..., Session]

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems show and limit less of processes")
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")


@pytest.fixture(autouse=True)
def small() -> Iterator[None]:
    """Limits that are reached soon."""
    before = limits.imposed()
    limits.impose(limits.Limits(memory=200, descriptors=100, file=2))
    yield
    limits.impose(before)


@pytest.fixture
def wild(begin: Begin) -> Callable[..., Session]:
    """A session of `agents/wild.py`, in its first case."""
    argv = [sys.executable, "-S", str(Path(__file__).parent / "agents" / "wild.py")]
    return lambda seconds=10.0: begin(start=lambda: AgentProcess(argv), seconds=seconds)


Wild = Callable[..., Session]


def fails(session: Session, method: str, error: type[AgentError]) -> str:
    """The error of a call that ends the agent. Checks that the next case works."""
    pid = session.pid
    with pytest.raises(error) as caught:
        open_socket(session).call(method)
    assert not running(pid)
    session.begin_case(Transcript())
    open_socket(session)
    session.end_case()
    return str(caught.value)


@linux
@pytest.mark.parametrize(
    ("method", "seconds", "error", "text"),
    [
        ("allocate", 10, AgentCrashed, "ended with exit status 1; it used "),
        pytest.param(
            "allocate_and_hang", 2, AgentHung, "it was waiting inside the system; it used ", marks=pytest.mark.slow
        ),
    ],
)
def test_memory_is_limited(wild: Wild, method: str, seconds: float, error: type[AgentError], text: str) -> None:
    message = fails(wild(seconds), method, error)
    assert text in message
    assert message.endswith(" MiB of memory, and its limit is 200 MiB (--memory)")


@linux
def test_descriptors_are_limited(wild: Wild) -> None:
    outcome = open_socket(wild()).call("open_without_end")
    assert isinstance(outcome, Returned)
    assert outcome.values[0] in range(80, 100)


@linux
def test_files_are_limited(wild: Wild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "was killed by SIGXFSZ; it wrote more than 2 MiB to one file (standard error is one too)"
    assert text in fails(wild(), "fill_the_disk", AgentCrashed)


@linux
@pytest.mark.parametrize("method", ["child_in_a_group_of_its_own", "child_in_a_session_of_its_own", "daemon"])
def test_children_outside_of_the_group_end_too(wild: Wild, method: str) -> None:
    session = wild()
    assert open_socket(session).call(method) == Returned((None,))
    assert wait_for(lambda: session.current_stderr().endswith("\n"))
    child = int(session.current_stderr())
    assert running(child)
    session.kill()
    assert wait_for(lambda: not running(child))


@linux
@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("stop", "to answer; it was stopped by a signal"),
        ("deaf", "to answer; it was waiting inside the system"),
        ("drip", "; it wrote b'     "),
        ("pour", "; it wrote b'     "),
        ("unfinished", """; it wrote b'{"id": 3, "reply": "values", "values": []}' and no end of line"""),
        ("repeat_old_answers", "the agent answered earlier requests again for "),
    ],
)
def test_the_error_of_a_hang_has_the_state_of_the_agent(wild: Wild, method: str, text: str) -> None:
    session = wild(0.5)
    session.begin_case(Transcript())  # so that hello belongs to an earlier case
    message = fails(session, method, AgentHung)
    assert message.startswith(f"s1.{method}(): the agent ")
    assert text in message


@posix
def test_the_error_of_a_crash_has_an_unfinished_reply(wild: Wild) -> None:
    text = """ended with exit status 4; it wrote b'{"id": 3, "reply":' and no end of line"""
    assert text in fails(wild(), "unfinished_and_gone", AgentCrashed)


def test_closing_all_descriptors_is_a_crash(wild: Wild, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nixio_conformance.driver.process.ENDING", 0.1)
    assert "closed its output (or input) without ending" in fails(wild(), "close_everything", AgentCrashed)


def test_texts_of_an_agent_are_shortened_for_reports(wild: Wild) -> None:
    session = wild()
    sock = open_socket(session)
    outcome = sock.call("long_failure")
    assert isinstance(outcome, Failure)
    assert len(outcome.name) < 200
    assert len(outcome.message) < 2100
    assert len(str(sock.call("long_text"))) < 400
    with pytest.raises(AgentProtocolError, match="Object contains unknown field") as caught:
        sock.call("long_field")
    assert len(str(caught.value)) < 500


def test_values_are_not_shortened(wild: Wild) -> None:
    outcome = open_socket(wild()).call("long_text")
    assert outcome == Returned(("t" * 1_000_000,))
