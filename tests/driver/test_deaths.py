"""An agent that dies after it has answered a case's last call dies in this case, never in the next one."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.agents.support import open_socket

from nixio_conformance.driver.errors import AgentCrashed, AgentError, AgentProtocolError
from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.target.python import python_agent

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not show what a case has left")

#: Each method answers, and ends the agent 5 ms later or when garbage is collected.
DYING = """
import ctypes, os, signal, subprocess, sys, threading, time

def end_after_fork(detached):
    pid = os.getpid()
    child = os.fork()
    if child:
        return os.wait() if detached else None
    if detached:
        os.setsid()
        if os.fork():
            os._exit(0)
    time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os._exit(0)

class Finalized:
    def __init__(self):
        self.itself = self
    def __del__(self):
        ctypes.string_at(0)

class Socket:
    def thread(self): threading.Timer(0.005, os._exit, (1,)).start()
    def alarm(self): signal.setitimer(signal.ITIMER_REAL, 0.005)
    def child(self): end_after_fork(False)
    def daemon(self): end_after_fork(True)
    def shell(self): subprocess.Popen(["sh", "-c", f"sleep 0.005; kill -9 {os.getpid()}"])
    def garbage(self): Finalized()
    def helper(self): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    def close(self): pass

def socket(*arguments):
    return Socket()
"""
WAYS = ["thread", "alarm", "child", "daemon", "shell", "garbage"]
Begin = Callable[..., Session]


@pytest.fixture(autouse=True)
def long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take longer than a run would wait."""
    monkeypatch.setattr("nixio_conformance.driver.timeouts.SETTLING", 20.0)


@pytest.fixture
def dying(begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    (tmp_path / "dying.py").write_text(DYING)
    monkeypatch.chdir(tmp_path)
    argv = python_agent("target", "dying")
    return begin(start=lambda: AgentProcess(argv))


def dies_in_its_case(session: Session, way: str) -> None:
    session.begin_case(Transcript())
    assert open_socket(session).call(way) == Returned((None,))
    with pytest.raises(AgentCrashed, match=r"^reset\(\): the agent "):
        session.end_case()
    assert not session.alive


@pytest.mark.parametrize("way", WAYS)
def test_it_dies_in_its_case(dying: Session, way: str) -> None:
    dies_in_its_case(dying, way)


@pytest.mark.slow
def test_it_always_does(dying: Session) -> None:
    for _, way in zip(range(50), itertools.cycle(WAYS), strict=False):
        dies_in_its_case(dying, way)


def test_threads_that_stay_delay_only_some_cases(dying: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nixio_conformance.driver.timeouts.SETTLING", 0.001)
    monkeypatch.setattr("nixio_conformance.driver.session._MOST_VAIN", 2)
    pid = dying.pid
    for _ in range(4):
        dying.begin_case(Transcript())
        open_socket(dying).call("helper")
        dying.end_case()
    assert dying.pid == pid
    assert dying._vain == 2


#: An agent that does something in or after its reply to the reset of the case in which it was asked to.
RESETTING = """
import json, os, sys, time
asked = ""
for line in sys.stdin:
    request = json.loads(line)
    reply = {"id": request["id"], "reply": "values", "values": []}
    if request["do"] == "hello":
        reply = {"id": request["id"], "reply": "hello", "protocol": 1, "name": "resetting"}
    elif request["do"] == "socket":
        reply["values"] = [{"type": "socket", "socket": 1}]
    elif request["do"] == "call":
        asked = request["method"]
        if asked == "fork":
            os.fork()  # both answer, and both read what follows
    elif asked == "refuse":
        reply = {"id": request["id"], "reply": "unsupported", "message": "no such request"}
    text = json.dumps(reply) + "\\n"
    os.write(1, text.encode())
    if request["do"] == "reset" and asked:
        if asked == "twice":
            os.write(1, text.encode())
        elif asked == "half":
            os.write(1, text[:10].encode())
        elif asked == "exec":
            os.execvp("cat", ["cat"])
        elif asked == "exit":
            os._exit(6)
        elif asked == "late":
            time.sleep(0.005)
            os._exit(6)
"""


@pytest.mark.parametrize(
    ("asked", "error", "text"),
    [
        ("exit", AgentCrashed, "exit status 6"),
        ("late", AgentCrashed, "exit status 6"),
        ("refuse", AgentProtocolError, "the agent answered with missing: no such request, and not with no values"),
        ("twice", AgentProtocolError, "the agent answered twice"),
        ("fork", AgentProtocolError, "the agent answered twice"),
        ("half", AgentProtocolError, "the agent wrote a line that is not a reply"),
        ("exec", AgentProtocolError, "the agent wrote a line that is not a reply"),
    ],
)
def test_what_it_does_after_its_reply_to_reset_is_its_cases(
    begin: Begin, tmp_path: Path, asked: str, error: type[AgentError], text: str
) -> None:
    program = tmp_path / "agent.py"
    program.write_text(RESETTING)
    session = begin(start=lambda: AgentProcess([sys.executable, "-S", str(program)]))
    session.end_case()
    session.begin_case(Transcript())
    open_socket(session).call(asked)
    with pytest.raises(error) as caught:
        session.end_case()
    assert text in str(caught.value)
    session.begin_case(Transcript())
    open_socket(session).call("")
    session.end_case()
