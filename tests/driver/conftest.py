"""Agents for the tests of the driver: programs of our own, and Python ports in modules that a test writes."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from nixio_conformance.driver.inprocess import InProcess
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Channel, Session
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.target import python_agent

#: Seconds after which a call has hung that a test wants to hang.
SHORT = 0.3


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Ends at the end whatever is put on it."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def faulty() -> tuple[str, ...]:
    """The command line of `agents/faulty.py`, but for its mood."""
    return (sys.executable, "-S", str(Path(__file__).parent / "agents" / "faulty.py"))


Begin = Callable[..., Session]


@pytest.fixture
def begin(stack: ExitStack, faulty: tuple[str, ...]) -> Begin:
    """A session in its first case: of the faulty agent, or of what `start` starts."""

    def make(mood: str = "honest", *, seconds: float = 10.0, start: Callable[[], Channel] | None = None) -> Session:
        session = Session(start or (lambda: AgentProcess([*faulty, mood])), seconds)
        stack.callback(session.kill)
        session.begin_case(Transcript())
        return session

    return make


@pytest.fixture(params=["process", "in-process"])
def host(
    request: pytest.FixtureRequest,
    begin: Begin,
    stack: ExitStack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], Session]:
    """A session of a Python port whose source is given, in an agent's process or in this one."""
    name = f"port_{tmp_path.name}_{request.param}".replace("-", "_")

    def make(source: str) -> Session:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        stack.callback(sys.modules.pop, name, None)
        if request.param == "in-process":
            return begin(start=lambda: InProcess("target", name))
        argv = python_agent("target", name)
        return begin(start=lambda: AgentProcess(argv))

    return make
