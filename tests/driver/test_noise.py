"""An implementation may print, and read or close the standard streams, without breaking the protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.agents.support import open_socket

from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.target.python import python_agent

Begin = Callable[..., Session]

SOURCE = """
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
    (tmp_path / "noisy.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    argv = python_agent("target", "noisy")
    return begin(start=lambda: AgentProcess(argv))


@pytest.fixture
def sock(session: Session) -> ImplSocket:
    return open_socket(session)  # not the forged reply


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
def test_the_protocol_still_works(session: Session, sock: ImplSocket, code: str) -> None:
    assert sock.call("do", code) == Returned((True,))
    assert sock.call("do", "pass") == Returned((True,))
    session.end_case()


def test_its_output_is_part_of_standard_error(session: Session, sock: ImplSocket) -> None:
    sock.call("do", "print('to stdout', flush=True); print('to stderr', file=sys.stderr)")
    assert "to stdout\nto stderr\n" in session.current_stderr()


def test_a_child_process_does_not_inherit_the_protocol(sock: ImplSocket) -> None:
    code = "assert subprocess.run('ls /proc/self/fd | wc -l', shell=True, capture_output=True).stdout.strip() in {}"
    # 0, 1, 2 and one that ls opens; none of the agent's.
    assert sock.call("do", code.format("(b'4',)")) == Returned((True,))
