"""The Lua agent on every Lua that is installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.lua import AGENT

from .support import FAKE, INTERPRETERS, Begin, Fake, opened


@pytest.fixture(params=INTERPRETERS)
def interpreter(request: pytest.FixtureRequest) -> str:
    """A Lua, skipped where it is not installed."""
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


@pytest.fixture
def begin(interpreter: str) -> Iterator[Begin]:
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
def fake(begin: Begin) -> Fake:
    """A socket of the fake module."""
    return opened(begin())
