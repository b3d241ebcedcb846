"""What an agent can do wrong: each fault ends in its own error that says what happened, and the next case is well."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest
from tests.processes import running

from nixio_conformance.driver.deadline import wait_for
from nixio_conformance.driver.errors import (
    AgentCannot,
    AgentCrashed,
    AgentError,
    AgentHung,
    AgentProtocolError,
    CannotStart,
)
from nixio_conformance.driver.outcome import Failure, Returned
from nixio_conformance.driver.process import LONGEST_LINE, AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.transcript import Transcript

Begin = Callable[..., Session]


def opened(session: Session) -> ImplSocket:
    outcome = session.open("inet", "stream")
    assert isinstance(outcome, Returned)
    (found,) = outcome.values
    assert isinstance(found, ImplSocket)
    return found


def works(session: Session) -> bool:
    """Whether the next case gets what it asks for."""
    session.begin_case(Transcript())
    outcome = opened(session).call("echo", 1, "two")
    session.end_case()
    return outcome == Returned(("echo", 1, "two"))


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        ("dead", "did not say hello: the agent ended with exit status 1"),
        ("exit", "exit status 7; it wrote: no such library"),
        ("segv", "killed by SIGSEGV"),
        ("garbage", "did not say hello: the agent wrote what is no reply: b'Lua 5.1.5"),
        ("protocol", "speaks protocol 2, the suite speaks 1"),
        ("unavailable", "module 'nixio' not found"),
        ("values", "answered hello with Values("),
        ("instead-of-itself", "answered hello with Redirect("),
    ],
)
def test_an_agent_that_cannot_start_says_why(begin: Begin, mood: str, said: str) -> None:
    with pytest.raises(CannotStart) as caught:
        begin(mood)
    assert said in str(caught.value)


def test_a_program_that_does_not_exist_is_named(begin: Begin) -> None:
    with pytest.raises(CannotStart, match=r"the agent '/nowhere/agent x' cannot be started: .*No such file"):
        begin(start=lambda: AgentProcess(["/nowhere/agent", "x"]))


def test_an_agent_that_never_says_hello_is_given_up(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nixio_conformance.driver.hello.HELLO", 0.3)
    with pytest.raises(CannotStart, match=r"did not say hello: the agent took more than \d+\.\d s to answer"):
        begin("silent")


def test_an_agent_may_name_another_program(begin: Begin) -> None:
    session = begin("instead")
    assert session.welcome.name == "faulty"
    assert works(session)


@pytest.mark.parametrize(
    ("method", "error", "said"),
    [
        ("exit", AgentCrashed, "s1.exit(): the agent ended with exit status 3"),
        ("segv", AgentCrashed, "s1.segv(): the agent was killed by SIGSEGV"),
        ("garbage", AgentProtocolError, "s1.garbage(): the agent wrote what is no reply: b'Segmentation fault"),
        ("not-utf-8", AgentProtocolError, "s1.not-utf-8(): the agent wrote what is no reply"),
        ("extra-field", AgentProtocolError, "unknown field `colour`"),
        ("wrong-id", AgentProtocolError, "the agent answered a request that was not made"),
        ("negative-id", AgentProtocolError, "the agent answered a request that was not made"),
        ("hello", AgentProtocolError, "s1.hello(): the agent answered a call with 'welcome'"),
        ("hex", AgentProtocolError, "a buffer that is not hexadecimal: '0g'"),
        ("odd-hex", AgentProtocolError, "a buffer that is not hexadecimal: 'abc'"),
    ],
)
def test_a_fault_in_a_call_ends_the_agent(begin: Begin, method: str, error: type[AgentError], said: str) -> None:
    session = begin()
    pid = session.pid
    with pytest.raises(error) as caught:
        opened(session).call(method)
    assert said in str(caught.value)
    assert session.transcript.steps[-1].result in str(caught.value)
    assert not session.alive
    assert not running(pid)
    assert works(session)


def test_what_a_dying_agent_wrote_is_kept(begin: Begin) -> None:
    session = begin()
    with pytest.raises(AgentCrashed):
        opened(session).call("exit")
    assert session.current_stderr() == "out of cheese\n"
    session.begin_case(Transcript())
    assert session.current_stderr() == ""


@pytest.mark.parametrize(("method", "doing"), [("hang", "waiting inside the system"), ("spin", "computing")])
def test_a_call_that_hangs_is_named_with_its_time(begin: Begin, method: str, doing: str) -> None:
    session = begin(seconds=0.3)
    pid = session.pid
    said = rf"^s1\.{method}\(\): the agent took more than \d+\.\d s to answer(; it was {doing})?$"
    with pytest.raises(AgentHung, match=said):
        opened(session).call(method)
    assert not running(pid)
    assert works(session)


def test_a_call_may_have_a_deadline_of_its_own(begin: Begin) -> None:
    session = begin(seconds=600)
    with pytest.raises(AgentHung):
        opened(session).call("hang", seconds=0.1)


@pytest.mark.parametrize(("method", "error"), [("hang-with-child", AgentHung), ("exit-with-child", AgentCrashed)])
def test_children_end_with_the_agent(begin: Begin, method: str, error: type[AgentError]) -> None:
    # The child holds the pipe open: the end of the agent does not show as the end of its output.
    session = begin(seconds=0.5)
    with pytest.raises(error):
        opened(session).call(method)
    child = int(session.current_stderr())
    assert wait_for(lambda: not running(child))
    assert works(session)


def test_two_answers_are_the_fault_of_the_call_after(begin: Begin) -> None:
    session = begin()
    port = opened(session)
    assert port.call("twice") == Returned((1,))
    with pytest.raises(AgentProtocolError, match=r"s1\.next\(\): the agent answered twice: .*while the reply to"):
        port.call("next")
    assert works(session)


def test_two_answers_to_the_last_call_are_found_at_the_end_of_the_case(begin: Begin) -> None:
    session = begin()
    opened(session).call("twice")
    with pytest.raises(AgentProtocolError, match="the agent answered twice"):
        session.end_case()
    assert works(session)


def test_a_late_answer_does_not_reach_another_case(begin: Begin) -> None:
    session = begin()
    assert opened(session).call("twice-later", 0.1) == Returned((1,))
    session.end_case()
    session.begin_case(Transcript())
    port = opened(session)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:  # the late answer comes in between
        assert port.call("echo") == Returned(("echo",))
    session.end_case()


def test_a_late_answer_between_cases_is_thrown_away_with_its_agent(begin: Begin) -> None:
    session = begin()
    pid = session.pid
    opened(session).call("twice-later", 0.05)
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


def test_an_agent_that_closes_its_output_is_told_from_one_that_ended(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nixio_conformance.driver.process.ENDING", 0.1)
    session = begin()
    with pytest.raises(AgentCrashed, match=r"the agent closed its output \(or input\) without ending"):
        opened(session).call("close-stdout")
    assert works(session)


def test_an_agent_that_closes_its_input_is_found_by_the_next_request(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nixio_conformance.driver.process.ENDING", 0.1)
    session = begin()
    port = opened(session)
    assert port.call("close-stdin") == Returned((1,))
    with pytest.raises(AgentCrashed, match=r"^s1\.next\(\): the agent closed its output \(or input\)"):
        port.call("next")
    assert works(session)


def test_a_flood_without_an_end_of_line_is_stopped(begin: Begin) -> None:
    session = begin()
    with pytest.raises(AgentProtocolError, match=f"more than {LONGEST_LINE} bytes without an end of line"):
        opened(session).call("flood")
    assert works(session)


def test_a_flood_of_standard_error_is_stopped(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nixio_conformance.driver.process.LONGEST_STDERR", 1_000_000)
    session = begin()
    with pytest.raises(AgentProtocolError, match="more than 1000000 bytes to standard error"):
        opened(session).call("flood-stderr")
    assert works(session)


def test_of_much_standard_error_the_end_is_kept(begin: Begin) -> None:
    session = begin()
    port = opened(session)
    assert port.call("much-stderr") == Returned((1,))
    dropped, _, end = session.current_stderr().partition("\n")
    assert dropped == f"[{500_007 - 4000} bytes before this are left out]"
    assert end.endswith("the end")
    assert len(end) == 4000
    session.end_case()
    session.begin_case(Transcript())
    assert session.current_stderr() == ""
    opened(session).call("much-stderr")  # the agent goes on writing at the end, not where it was
    assert len(session.current_stderr().partition("\n")[2]) == 4000
    assert "\0" not in session.current_stderr()


def test_a_big_request_that_is_not_read_hangs(begin: Begin) -> None:
    session = begin(seconds=0.3)
    port = opened(session)
    port.call("stop-reading")
    with pytest.raises(AgentHung, match=r"took more than \d+\.\d s to read its request"):
        port.call("send", bytes(1 << 20))
    assert works(session)


def test_a_big_request_that_is_read_goes_both_ways(begin: Begin) -> None:
    data = bytes(range(256)) * 4096
    assert opened(begin()).call("echo", data) == Returned(("echo", data))


def test_what_an_agent_cannot_ask_is_told_from_what_a_port_lacks(begin: Begin) -> None:
    session = begin()
    port = opened(session)
    assert port.call("missing") == Failure("missing", "", None, "no such method")
    with pytest.raises(AgentCannot, match="no fileno over ssh"):
        port.call("unsupported")
    assert port.call("echo") == Returned(("echo",)), "the agent goes on"


def test_a_busy_agent_is_replaced_at_the_end_of_a_case(begin: Begin) -> None:
    session = begin()
    pid = session.pid
    opened(session).start("hang")
    session.end_case()
    assert not running(pid)
    assert works(session)


def test_killing_twice_does_no_harm(begin: Begin) -> None:
    session = begin()
    session.kill()
    session.kill()
    assert works(session)
