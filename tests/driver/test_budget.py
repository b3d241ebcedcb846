"""The budget of a case ends it, whichever loop its check is in."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import time
from collections.abc import Callable

import pytest
from tests.agents.support import open_socket
from tests.conftest import Begin

from nixio_conformance.driver import alarm, budget
from nixio_conformance.driver.budget import Budget
from nixio_conformance.driver.errors import CaseTimedOut
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.toolkit.peer import Peer
from nixio_fixtures import load

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals, and socket pairs of UNIX sockets")


def forever(action: Callable[[], object]) -> None:
    while True:
        action()


# --- time


def test_it_ends_a_loop_of_calls(begin: Begin) -> None:
    session = begin()
    session.allow(0.1)
    session.begin_case(Transcript())
    with pytest.raises(CaseTimedOut, match=r"did not end within 0\.1 s"):
        forever(lambda: session.open("inet", "stream"))
    assert not session.alive


def test_it_ends_a_loop_that_waits_for_a_pending_call(begin: Begin) -> None:
    session = begin()
    sock = open_socket(session)
    session.transcript.budget = session.allow(0.2)

    def wait() -> None:
        pending = sock.start("hang")
        forever(lambda: pending.done(0.001))

    with pytest.raises(CaseTimedOut):
        wait()
    assert not session.alive


def test_it_ends_a_call_that_may_take_longer(begin: Begin) -> None:
    session = begin()
    sock = open_socket(session)
    session.transcript.budget = session.allow(0.5)
    with pytest.raises(CaseTimedOut, match=r"^s1\.hang\(\): the case did not end within"):
        sock.call("hang")
    assert "the case did not end" in session.transcript.steps[-1].result


def test_what_is_used_up_stays_so(begin: Begin) -> None:
    session = begin()
    given = session.allow(0.0)
    session.begin_case(Transcript())
    for _ in range(2):
        with pytest.raises(CaseTimedOut):
            given.check()
    with pytest.raises(CaseTimedOut):
        session.open("inet", "stream")


def test_a_later_case_has_a_budget_of_its_own(begin: Begin) -> None:
    session = begin()
    session.allow(0.0)
    session.begin_case(Transcript())
    with pytest.raises(CaseTimedOut):
        session.open("inet", "stream")
    session.allow(10.0)
    session.begin_case(Transcript())
    open_socket(session)


def test_time_without_a_processor_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    starved = [7.0]
    now = [100.0]
    monkeypatch.setattr(budget, "starvation", lambda pid: starved[0])
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    made = Budget(10.0)
    now[0] += 2
    made.check()
    now[0] += 10
    starved[0] += 4
    made.check()
    assert made.remaining() == 2
    now[0] += 2
    with pytest.raises(CaseTimedOut):
        made.check()


def test_starvation_is_credited_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(budget, "starvation", lambda pid: now[0])
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    made = Budget(10.0)
    now[0] += 9
    made.check()
    now[0] += 20
    made.check()
    now[0] += 2
    with pytest.raises(CaseTimedOut):
        made.check()


# --- bytes and steps


@pytest.fixture
def flooded(stack: contextlib.ExitStack) -> Callable[[int], Peer]:
    """Makes a peer with a budget of 1000 bytes and 100 steps that has received this many bytes, and no end."""

    def make(count: int) -> Peer:
        transcript = Transcript(budget=Budget(10.0, most_bytes=1000, most_steps=100))
        here, there = (stack.enter_context(end) for end in socket.socketpair())
        there.sendall(b"x" * count)
        return Peer(transcript, load().kind("unix-stream"), here)

    return make


@pytest.mark.parametrize(
    "receive",
    [
        pytest.param(lambda peer: peer.recv_all(), id="all"),
        pytest.param(lambda peer: peer.recv_exactly(5000), id="exactly"),
        pytest.param(lambda peer: list(iter(lambda: peer.recv(100), b"end")), id="up-to-an-end-mark"),
        pytest.param(lambda peer: peer.recv_until(lambda: False), id="until"),
        pytest.param(lambda peer: peer.pending(), id="pending"),
    ],
)
def test_a_peer_receives_no_more_than_the_budget(
    flooded: Callable[[int], Peer], receive: Callable[[Peer], object]
) -> None:
    peer = flooded(2000)
    with pytest.raises(CaseTimedOut, match="sent or received more than"):
        receive(peer)


def test_a_case_makes_no_more_calls_than_the_budget(flooded: Callable[[int], Peer]) -> None:
    peer = flooded(200)
    with pytest.raises(CaseTimedOut, match="more than 100 calls"):
        forever(lambda: peer.recv(1))


def test_arguments_and_results_are_counted() -> None:
    made = Budget(10.0, most_bytes=100)
    transcript = Transcript(budget=made)
    transcript.end(transcript.begin("port", "s1", "send", (b"x" * 60,)), "", ("y" * 60,))
    with pytest.raises(CaseTimedOut):
        transcript.begin("port", "s1", "send", ())


# --- the alarm


def test_the_alarm_ends_a_loop_that_calls_nothing() -> None:
    killed: list[bool] = []
    made = Budget(0.05, lambda: killed.append(True))
    with pytest.raises(CaseTimedOut), alarm.watched(made):
        forever(lambda: None)
    assert killed


def test_the_alarm_ends_a_peer_that_waits(flooded: Callable[[int], Peer]) -> None:
    peer = flooded(0)
    made = peer._transcript.budget = Budget(0.3)
    with pytest.raises(CaseTimedOut), alarm.watched(made):
        peer.recv()
    assert "did not end" in peer._transcript.steps[-1].result


def test_the_alarm_does_not_cut_short_the_start_or_end_of_an_agent() -> None:
    made = Budget(0.01)
    started: list[bool] = []

    def start_and_loop() -> None:
        with made.shielded():
            time.sleep(0.05)
            started.append(True)
        forever(lambda: None)

    with pytest.raises(CaseTimedOut), alarm.watched(made):
        start_and_loop()
    assert started


def test_the_alarm_leaves_nothing_behind() -> None:
    with alarm.watched(Budget(10.0)):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


def test_the_alarm_leaves_a_timer_of_others_alone() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    try:
        with alarm.watched(Budget(0.0)):
            assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
