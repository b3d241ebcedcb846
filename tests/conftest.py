"""Fixtures that several folders share: agents, Python implementations, and runs of the command line."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from nixio_conformance.driver import leftovers
from nixio_conformance.driver.channel import Channel
from nixio_conformance.driver.inprocess import InProcess
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.target.lua import AGENT
from nixio_conformance.target.python import python_agent
from tests.agents.support import FAKE, INTEGERS, INTERPRETERS, Fake, opened
from tests.agents.support import Begin as BeginLua
from tests.runs import Finished, Runs

# On a busy machine any example may take longer than Hypothesis's own deadline.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")

ROOT = Path(__file__).parents[1]
#: The example agent in C must compile without a warning.
STRICT = ("-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """An exit stack that is closed after the test."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def faulty() -> tuple[str, ...]:
    """The command line of `driver/agents/faulty.py`, without its mode."""
    return (sys.executable, "-S", str(Path(__file__).parent / "driver" / "agents" / "faulty.py"))


@pytest.fixture
def cleaned() -> Iterator[None]:
    """Removes the folders of programs that the test killed, as the next run would."""
    yield
    leftovers.remove()


Begin = Callable[..., Session]


@pytest.fixture
def begin(stack: ExitStack, faulty: tuple[str, ...]) -> Begin:
    """Starts a session in its first case: with the faulty agent, or with the agent that `start` starts."""

    def make(mode: str = "correct", *, seconds: float = 10.0, start: Callable[[], Channel] | None = None) -> Session:
        session = Session(start or (lambda: AgentProcess([*faulty, mode])), seconds)
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
    """Starts a session with a Python implementation of the given source, in an agent's process and in this one."""
    name = f"module_{tmp_path.name}_{request.param}".replace("-", "_")

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
    """Makes a folder with one file of checks, by default a copy of `probe_checks.py`."""

    def make(source: str = "") -> Path:
        folder = tmp_path_factory.mktemp("checks")
        (folder / "test_probes.py").write_text(source or (Path(__file__).parent / "probe_checks.py").read_text())
        return folder

    return make


@pytest.fixture(scope="session")
def probes(make_checks: Checks) -> Path:
    """A folder with a copy of `probe_checks.py`."""
    return make_checks()


@pytest.fixture
def runs(tmp_path: Path, probes: Path) -> Runs:
    """A user's folder with implementations in it."""
    return Runs(tmp_path, probes)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, probes: Path) -> Finished:
    """A run of an implementation with one fault for each kind of verdict."""
    runs = Runs(tmp_path_factory.mktemp("mixed"), probes)
    return runs.run("--target", "impls:mixed", "--select", "send", "--deadline", "0.5")


@pytest.fixture(params=INTERPRETERS)
def interpreter(request: pytest.FixtureRequest) -> str:
    """The name of a Lua interpreter; skipped if it is not installed."""
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


@pytest.fixture(params=["own", "cjson", "dkjson", ""], ids=lambda name: name or "default")
def codec(request: pytest.FixtureRequest, interpreter: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The JSON codec of the Lua agent; skipped if it is not installed."""
    name: str = request.param
    if name == "cjson" and interpreter in INTEGERS:
        pytest.skip("lua-cjson makes every number a float, and the agent refuses it on this Lua")
    if name in ("cjson", "dkjson"):
        done = subprocess.run([interpreter, "-e", f"require('{name}')"], capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"{name} is not installed for {interpreter}")
    monkeypatch.setenv("NIXIO_AGENT_JSON", name)
    return name


@pytest.fixture
def begin_lua(interpreter: str) -> Iterator[BeginLua]:
    """Starts a session with the Lua agent for a module, by default `fake.lua`."""
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
    """A socket of `fake.lua`."""
    return opened(begin_lua())


Build = Callable[..., Path]


@pytest.fixture(scope="session")
def build_c_agent(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Compiles the example agent in C, with more compiler options if given."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or sys.platform == "win32":
        pytest.skip("no C compiler for POSIX is installed: neither cc, nor gcc, nor clang")

    def build(*options: str) -> Path:
        program = tmp_path_factory.mktemp("c-agent") / "agent"
        source = ROOT / "examples" / "c-agent" / "agent.c"
        command = [compiler, *STRICT, *options, "-o", str(program), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        return program

    return build


@pytest.fixture(scope="session")
def c_agent(build_c_agent: Build) -> Path:
    """The example agent in C."""
    return build_c_agent()
