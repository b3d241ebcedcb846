"""Agents that break the protocol: each fault raises its own error, and the next case works with a new agent."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

import pytest
from tests.agents.support import open_socket
from tests.processes import running

from nixio_conformance.driver import survivors
from nixio_conformance.driver.deadline import wait_for
from nixio_conformance.driver.errors import (
    AgentCannot,
    AgentCrashed,
    AgentError,
    AgentHung,
    AgentProtocolError,
    CannotRestart,
    CannotStart,
)
from nixio_conformance.driver.outcome import Failure, Returned
from nixio_conformance.driver.process import LONGEST_LINE, AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.timeouts import HELLO_AGAIN
from nixio_conformance.driver.transcript import Transcript

Begin = Callable[..., Session]


def works(session: Session) -> bool:
    """Whether a call in the next case succeeds."""
    session.begin_case(Transcript())
    outcome = open_socket(session).call("echo", 1, "two")
    session.end_case()
    return outcome == Returned(("echo", 1, "two"))


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("dead", "did not say hello: the agent ended with exit status 1"),
        ("exit", "exit status 7; it wrote: no such library"),
        ("segv", "killed by SIGSEGV"),
        ("garbage", "did not say hello: the agent wrote a line that is not a reply: b'Lua 5.1.5"),
        ("protocol", "speaks protocol version 2, the suite version 1"),
        ("unavailable", "module 'nixio' not found"),
        ("values", "answered hello with Values("),
        ("instead-of-itself", "answered hello with Instead("),
    ],
)
def test_the_error_of_a_failed_start_has_the_reason(begin: Begin, mode: str, text: str) -> None:
    with pytest.raises(CannotStart) as caught:
        begin(mode)
    assert text in str(caught.value)


def test_a_program_that_does_not_exist(begin: Begin) -> None:
    with pytest.raises(CannotStart, match=r"the agent '/nowhere/agent x' cannot be started: .*No such file"):
        begin(start=lambda: AgentProcess(["/nowhere/agent", "x"]))


def test_an_agent_that_never_answers_hello(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nixio_conformance.driver.hello.HELLO", 0.3)
    with pytest.raises(CannotStart, match=r"did not say hello: the agent took more than \d+\.\d s to answer"):
        begin("silent")


def test_no_agent_starts_any_more(begin: Begin, monkeypatch: pytest.MonkeyPatch, faulty: tuple[str, ...]) -> None:
    modes = iter(["correct", "silent", "correct", "garbage", "silent", "exit", "correct"])
    session = begin(start=lambda: AgentProcess([*faulty, next(modes)]))
    assert session.agents.seconds == HELLO_AGAIN
    session.agents.seconds = 0.3
    session.kill()
    session.begin_case(Transcript(), tries=3)
    assert not session.agents.given_up
    session.kill()
    session.agents.seconds = 0.3
    with pytest.raises(CannotRestart, match=r"no agent starts any more, 3 times in a row: .* exit status 7"):
        session.begin_case(Transcript(), tries=3)
    assert session.agents.given_up


def test_an_agent_that_cannot_be_killed(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it ends with its input, or is left behind."""
    monkeypatch.setattr("nixio_conformance.driver.process.KILLING", 0.3)
    monkeypatch.setattr("nixio_conformance.driver.process_tree.kill_all", lambda pid, mark: {pid})
    monkeypatch.setattr(survivors, "_messages", [])
    begin().kill()
    assert survivors.survivors() == []
    session = begin()
    pid = session.pid
    open_socket(session).start("hang")
    session.kill()
    (message,) = survivors.survivors()
    assert message.startswith(f"process {pid} of the agent ")
    assert "this user may not kill it" in message
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_an_agent_may_redirect_to_another_program(begin: Begin) -> None:
    session = begin("instead")
    assert session.welcome.name == "faulty"
    assert works(session)


@pytest.mark.parametrize(
    ("method", "error", "text"),
    [
        ("exit", AgentCrashed, "s1.exit(): the agent ended with exit status 3"),
        ("segv", AgentCrashed, "s1.segv(): the agent was killed by SIGSEGV"),
        ("garbage", AgentProtocolError, "s1.garbage(): the agent wrote a line that is not a reply: b'Segmentation"),
        ("not-utf-8", AgentProtocolError, "s1.not-utf-8(): the agent wrote a line that is not a reply"),
        ("nested", AgentProtocolError, "it has thousands of objects or lists within each other"),
        ("extra-field", AgentProtocolError, "unknown field `colour`"),
        ("wrong-id", AgentProtocolError, "the agent answered a request that was not made"),
        ("negative-id", AgentProtocolError, "the agent answered a request that was not made"),
        ("hello", AgentProtocolError, "s1.hello(): the agent answered a call with 'welcome'"),
        ("hex", AgentProtocolError, "a buffer that is not hexadecimal: '0g'"),
        ("odd-hex", AgentProtocolError, "a buffer that is not hexadecimal: 'abc'"),
    ],
)
def test_a_fault_in_a_call_ends_the_agent(begin: Begin, method: str, error: type[AgentError], text: str) -> None:
    session = begin()
    pid = session.pid
    with pytest.raises(error) as caught:
        open_socket(session).call(method)
    assert text in str(caught.value)
    assert session.transcript.steps[-1].result in str(caught.value)
    assert not session.alive
    assert not running(pid)
    assert works(session)


def test_the_standard_error_of_a_crashed_agent_is_kept(begin: Begin) -> None:
    session = begin()
    with pytest.raises(AgentCrashed):
        open_socket(session).call("exit")
    assert session.current_stderr() == "out of cheese\n"
    session.begin_case(Transcript())
    assert session.current_stderr() == ""


@pytest.mark.parametrize(("method", "activity"), [("hang", "waiting inside the system"), ("spin", "computing")])
def test_the_error_of_a_hang_has_the_call_and_the_time(begin: Begin, method: str, activity: str) -> None:
    session = begin(seconds=0.3)
    pid = session.pid
    text = rf"^s1\.{method}\(\): the agent took more than \d+\.\d s to answer(; it was {activity})?$"
    with pytest.raises(AgentHung, match=text):
        open_socket(session).call(method)
    assert not running(pid)
    assert works(session)


def test_a_call_may_have_its_own_timeout(begin: Begin) -> None:
    session = begin(seconds=600)
    with pytest.raises(AgentHung):
        open_socket(session).call("hang", seconds=0.1)


@pytest.mark.parametrize(("method", "error"), [("hang-with-child", AgentHung), ("exit-with-child", AgentCrashed)])
def test_children_end_with_the_agent(begin: Begin, method: str, error: type[AgentError]) -> None:
    # The child holds the pipe open, so that the agent's exit does not cause end of file.
    session = begin(seconds=0.5)
    with pytest.raises(error):
        open_socket(session).call(method)
    child = int(session.current_stderr())
    assert wait_for(lambda: not running(child))
    assert works(session)


def test_a_second_reply_is_an_error_of_the_next_call(begin: Begin) -> None:
    session = begin()
    sock = open_socket(session)
    assert sock.call("twice") == Returned((1,))
    with pytest.raises(AgentProtocolError, match=r"s1\.next\(\): the agent answered twice: .*while the reply to"):
        sock.call("next")
    assert works(session)


def test_a_second_reply_to_the_last_call_is_an_error_at_the_end_of_the_case(begin: Begin) -> None:
    session = begin()
    open_socket(session).call("twice")
    with pytest.raises(AgentProtocolError, match="the agent answered twice"):
        session.end_case()
    assert works(session)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not show its thread")
def test_a_second_reply_that_a_thread_sends_later_is_an_error_at_the_end_of_the_case(begin: Begin) -> None:
    session = begin()
    open_socket(session).call("twice-later", 0.005)
    with pytest.raises(AgentProtocolError, match="the agent answered twice"):
        session.end_case()
    assert works(session)


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite does not wait for threads at the end of a case, as where it cannot see them."""
    monkeypatch.setattr("nixio_conformance.driver.session._MOST_VAIN", 0)


@pytest.mark.usefixtures("unseen")
def test_a_late_reply_does_not_reach_another_case(begin: Begin) -> None:
    session = begin()
    assert open_socket(session).call("twice-later", 0.1) == Returned((1,))
    session.end_case()
    session.begin_case(Transcript())
    sock = open_socket(session)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:  # the late reply arrives in between
        assert sock.call("echo") == Returned(("echo",))
    session.end_case()


@pytest.mark.usefixtures("unseen")
def test_an_agent_with_a_late_reply_between_cases_is_replaced(begin: Begin) -> None:
    session = begin()
    pid = session.pid
    open_socket(session).call("twice-later", 0.05)
    session.end_case()
    assert wait_for(lambda: session.readable(0.0))
    assert works(session)
    assert session.pid != pid


def test_an_agent_that_dies_between_cases_is_replaced(begin: Begin) -> None:
    session = begin()
    session.end_case()
    os.kill(session.pid, signal.SIGKILL)
    assert wait_for(lambda: session.readable(0.0))
    assert works(session)


def test_an_agent_that_closes_its_output_without_exiting(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nixio_conformance.driver.process.ENDING", 0.1)
    session = begin()
    with pytest.raises(AgentCrashed, match=r"the agent closed its output \(or input\) without ending"):
        open_socket(session).call("close-stdout")
    assert works(session)


def test_an_agent_that_closes_its_input(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nixio_conformance.driver.process.ENDING", 0.1)
    session = begin()
    sock = open_socket(session)
    assert sock.call("close-stdin") == Returned((1,))
    with pytest.raises(AgentCrashed, match=r"^s1\.next\(\): the agent closed its output \(or input\)"):
        sock.call("next")
    assert works(session)


def test_a_flood_without_an_end_of_line_is_stopped(begin: Begin) -> None:
    session = begin()
    with pytest.raises(AgentProtocolError, match=f"more than {LONGEST_LINE} bytes without an end of line"):
        open_socket(session).call("flood")
    assert works(session)


def test_a_flood_of_standard_error_is_stopped(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nixio_conformance.driver.process.LONGEST_STDERR", 1_000_000)
    session = begin()
    with pytest.raises(AgentProtocolError, match="more than 1000000 bytes to standard error"):
        open_socket(session).call("flood-stderr")
    assert works(session)


def test_the_last_part_of_standard_error_is_kept(begin: Begin) -> None:
    session = begin()
    sock = open_socket(session)
    assert sock.call("much-stderr") == Returned((1,))
    dropped, _, end = session.current_stderr().partition("\n")
    assert dropped == f"[{500_007 - 4000} bytes before this are left out]"
    assert end.endswith("the end")
    assert len(end) == 4000
    session.end_case()
    session.begin_case(Transcript())
    assert session.current_stderr() == ""
    open_socket(session).call("much-stderr")  # the agent appends, also after the file was truncated
    assert len(session.current_stderr().partition("\n")[2]) == 4000
    assert "\0" not in session.current_stderr()


def test_a_large_request_that_is_not_read_hangs(begin: Begin) -> None:
    session = begin(seconds=0.3)
    sock = open_socket(session)
    sock.call("stop-reading")
    with pytest.raises(AgentHung, match=r"took more than \d+\.\d s to read its request"):
        sock.call("send", bytes(1 << 20))
    assert works(session)


def test_a_large_request_and_a_large_reply(begin: Begin) -> None:
    data = bytes(range(256)) * 4096
    assert open_socket(begin()).call("echo", data) == Returned(("echo", data))


def test_unsupported_by_the_agent_is_not_missing_in_the_implementation(begin: Begin) -> None:
    session = begin()
    sock = open_socket(session)
    assert sock.call("missing") == Failure("missing", "", None, "no such method")
    with pytest.raises(AgentCannot, match="no fileno over ssh"):
        sock.call("unsupported")
    assert sock.call("echo") == Returned(("echo",)), "the agent continues"


def test_a_busy_agent_is_replaced_at_the_end_of_a_case(begin: Begin) -> None:
    session = begin()
    pid = session.pid
    open_socket(session).start("hang")
    session.end_case()
    assert not running(pid)
    assert works(session)


def test_kill_may_be_called_twice(begin: Begin) -> None:
    session = begin()
    session.kill()
    session.kill()
    assert works(session)
