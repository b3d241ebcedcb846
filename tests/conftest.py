"""Fixtures that several folders share: agents of our own, Python implementations, and runs of the command line."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from nixio_conformance.driver.channel import Channel
from nixio_conformance.driver.inprocess import InProcess
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.target.lua import AGENT
from nixio_conformance.target.python import python_agent
from tests.agents.support import FAKE, INTERPRETERS, Fake, opened
from tests.agents.support import Begin as BeginLua
from tests.runs import Finished, Runs

#: Seconds after which a call has hung that a test wants to hang.
SHORT = 0.3


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Ends at the end whatever is put on it."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def faulty() -> tuple[str, ...]:
    """The command line of `driver/agents/faulty.py`, but for its mood."""
    return (sys.executable, "-S", str(Path(__file__).parent / "driver" / "agents" / "faulty.py"))


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


Checks = Callable[..., Path]


@pytest.fixture(scope="session")
def make_checks(tmp_path_factory: pytest.TempPathFactory) -> Checks:
    """A folder of checks with this source, `probes.py` if none is given."""

    def make(source: str = "") -> Path:
        folder = tmp_path_factory.mktemp("checks")
        (folder / "test_probes.py").write_text(source or (Path(__file__).parent / "probe_checks.py").read_text())
        return folder

    return make


@pytest.fixture(scope="session")
def probes(make_checks: Checks) -> Path:
    """The folder of the probes."""
    return make_checks()


@pytest.fixture
def runs(tmp_path: Path, probes: Path) -> Runs:
    """A user's folder with ports in it."""
    return Runs(tmp_path, probes)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, probes: Path) -> Finished:
    """A run of the port with one fault for each kind of verdict."""
    runs = Runs(tmp_path_factory.mktemp("mixed"), probes)
    return runs.run("--target", "ports:mixed", "--select", "send", "--deadline", "0.5")


@pytest.fixture(params=INTERPRETERS)
def interpreter(request: pytest.FixtureRequest) -> str:
    """A Lua, skipped where it is not installed."""
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


@pytest.fixture
def begin_lua(interpreter: str) -> Iterator[BeginLua]:
    """Starts an agent for a module, `fake.lua` if none is named, and says hello."""
    with ExitStack() as stack:

        def make(module: str | Path = FAKE, *arguments: str, before: str = "") -> Session:
            argv = [interpreter, *(["-e", before] if before else []), str(AGENT), *arguments, str(module)]
            session = Session(lambda: AgentProcess(argv), 20)
            stack.callback(session.kill)
            session.begin_case(Transcript())
            return session

        yield make


@pytest.fixture
def fake(begin_lua: BeginLua) -> Fake:
    """A socket of the fake module."""
    return opened(begin_lua())
