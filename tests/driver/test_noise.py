"""A port that prints, reads or closes the standard streams by itself does not break the protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.target.python import python_agent

Begin = Callable[..., Session]

PORT = """
import os, subprocess, sys
print("imported")
class Socket:
    def do(self, code):
        exec(code)
        return True
    def close(self): print("closed")
def socket(domain, type, protocol=None):
    os.write(1, b'{"id": 2, "reply": "values", "values": ["forged"]}\\n')
    return Socket()
"""


@pytest.fixture
def session(begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    (tmp_path / "noisy.py").write_text(PORT)
    monkeypatch.chdir(tmp_path)
    argv = python_agent("target", "noisy")
    return begin(start=lambda: AgentProcess(argv))


@pytest.fixture
def port(session: Session) -> ImplSocket:
    outcome = session.open("inet", "stream")
    assert isinstance(outcome, Returned)
    assert isinstance(outcome.values[0], ImplSocket), "what the port wrote is no reply"
    return outcome.values[0]


@pytest.mark.parametrize(
    "code",
    [
        "print('hello')",
        "sys.stdout.write('x' * 100000)",
        "os.system('echo from a shell')",
        "subprocess.run(['cat'], check=True)",
        "assert sys.stdin.read() == ''",
        "os.close(0)",
        "os.close(1)",
        "os.close(0); os.close(1); os.close(2)",
        "sys.stdin.close(); sys.stdout.close()",
        "sys.stdout = sys.stdin = None",
        "os.dup2(os.open('/dev/null', os.O_WRONLY), 1)",
    ],
)
def test_the_protocol_goes_on(session: Session, port: ImplSocket, code: str) -> None:
    assert port.call("do", code) == Returned((True,))
    assert port.call("do", "pass") == Returned((True,))
    session.end_case()


def test_what_it_prints_is_shown_with_standard_error(session: Session, port: ImplSocket) -> None:
    port.call("do", "print('to stdout', flush=True); print('to stderr', file=sys.stderr)")
    assert "to stdout\nto stderr\n" in session.current_stderr()


def test_a_program_that_it_starts_does_not_inherit_the_protocol(port: ImplSocket) -> None:
    code = "assert subprocess.run('ls /proc/self/fd | wc -l', shell=True, capture_output=True).stdout.strip() in {}"
    # 0, 1, 2 and the listing's own; nothing is left of the agent's.
    assert port.call("do", code.format("(b'4',)")) == Returned((True,))
