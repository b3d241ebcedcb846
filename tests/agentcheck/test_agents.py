"""`agent-check` over each agent of the project: what the protocol requires of an agent is tested here only."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.agents.support import FAKE

from nixio_conformance.agentcheck import runner
from nixio_conformance.cli import main

FFI = Path(__file__).parents[2] / "examples" / "luajit-ffi"
#: Reasons for skipped cases with `bare.lua`: it lacks most methods, and a plain Lua has no signals.
REASONS = r"has no method \w+$|the capability `signals`$"

Check = Callable[..., dict[str, str]]


@pytest.fixture
def check() -> Check:
    """Runs `agent-check`; returns the results by the cases' ids, and the reasons of those that were skipped."""

    def run(*arguments: str) -> dict[str, str]:
        done = CliRunner().invoke(main, ["agent-check", *arguments], prog_name="nixio-conformance")
        assert done.exit_code == 0, done.output
        rows = dict(re.findall(r"^(?:ok|skip) +([a-z0-9.-]+): (.*)$", done.output, re.MULTILINE))
        assert set(rows) == {case.id for case in runner.chosen(())}
        return dict(re.findall(r"^skip +([a-z0-9.-]+): (.*)$", done.output, re.MULTILINE))

    return run


def test_python(check: Check) -> None:
    assert check("reference") == {}


def test_c(check: Check, c_agent: Path) -> None:
    assert check("--agent", str(c_agent)) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="nixio_ffi.lua was made for Linux")
@pytest.mark.skipif(shutil.which("luajit") is None, reason="luajit is not installed (Debian: package luajit)")
def test_lua(check: Check) -> None:
    assert check("--lua", "nixio_ffi", "--lua-program", "luajit", "--lua-path", str(FFI)) == {}


@pytest.mark.usefixtures("codec")
def test_lua_on_each_interpreter_with_each_codec(check: Check, interpreter: str) -> None:
    """Without a library for sockets, which only LuaJIT has: `test_lua` runs the cases that need one."""
    skipped = check("--lua", str(FAKE.with_name("bare.lua")), "--lua-program", interpreter)
    assert [reason for reason in skipped.values() if not re.search(REASONS, reason)] == []
    assert len(skipped) <= 31
