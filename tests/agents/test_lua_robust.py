"""What a Lua port does to its own world does not reach the agent; and what of it must end the agent does."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.agents.support import FAKE, Begin, Fake, opened

from nixio_conformance.driver.errors import AgentCrashed, CannotStart
from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.socket import ImplSocket

#: What is run before the agent: as if this Lua had no library that makes descriptors.
PLAIN = "package.preload['posix.unistd'] = function() error('none') end package.preload.ffi = nil"


@pytest.fixture(params=["whatever there is", "a plain Lua"])
def anywhere(request: pytest.FixtureRequest, begin_lua: Begin) -> Fake:
    """A socket of the fake module, with and without descriptors of the agent's own."""
    return opened(begin_lua(before=PLAIN if request.param == "a plain Lua" else ""))


def test_a_port_may_print(anywhere: Fake) -> None:
    assert anywhere.does("prints") == Returned((True,))
    assert anywhere.does("path") == Returned(("/tmp/path",))
    said = anywhere.session.current_stderr()
    assert "noise\t1\tnil" in said
    assert "more\n" in said
    assert "x\n" in said


def test_a_port_that_reads_gets_nothing(anywhere: Fake) -> None:
    assert anywhere.does("reads") == Returned((None, None))
    assert anywhere.does("path") == Returned(("/tmp/path",))


def test_a_port_may_close_the_standard_streams(anywhere: Fake) -> None:
    assert anywhere.does("closes") == Returned((True,))
    assert anywhere.does("path") == Returned(("/tmp/path",))


def test_a_port_may_change_the_standard_library(anywhere: Fake) -> None:
    assert anywhere.does("changes the world") == Returned((True,))
    assert anywhere.call("echo", "é", b"\xff", 1.5, None) == Returned(("é", b"\xff", 1.5, None))
    assert anywhere.does("path") == Returned(("/tmp/path",))
    anywhere.socket.release()
    anywhere.session.end_case()


def test_programs_of_the_ports_print_elsewhere(fake: Fake, interpreter: str) -> None:
    """They inherit the standard streams, which the agent can only move where it can make descriptors."""
    if not has(interpreter, "ffi") and not has(interpreter, "posix.unistd"):
        pytest.skip(f"{interpreter} has neither ffi nor luaposix")
    assert fake.does("runs a program") == Returned((True,))
    assert "noise" in fake.session.current_stderr()
    assert fake.does("path") == Returned(("/tmp/path",))


def test_finalizers_that_raise_errors(fake: Fake) -> None:
    """They may end one of the port's own calls, and never the agent."""
    for _ in range(3):
        fake.does("leaves garbage that raises")
        fake.session.collect_garbage()
        assert fake.call("echo", "x" * 100_000) == Returned(("x" * 100_000,))


def test_a_port_that_exits_ends_the_agent(fake: Fake) -> None:
    with pytest.raises(AgentCrashed, match="exit status 7"):
        fake.does("leaves")


def has(interpreter: str, library: str) -> bool:
    return (
        subprocess.run([interpreter, "-e", f"require('{library}')"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(sys.platform == "win32", reason="no signals on this system")
def test_a_signal_interrupts_a_call(begin_lua: Begin, interpreter: str) -> None:
    handled = has(interpreter, "ffi") or has(interpreter, "posix.signal")
    if not handled:
        assert "signals" not in begin_lua().welcome.capabilities
        pytest.skip(f"{interpreter} has neither ffi nor luaposix")
    session = begin_lua(FAKE.with_name("nap.lua"))
    assert "signals" in session.welcome.capabilities
    outcome = session.open()
    assert isinstance(outcome, Returned)
    socket = outcome.values[0]
    assert isinstance(socket, ImplSocket)
    for _ in range(3):
        pending = socket.start("recv")
        assert pending.blocked()
        os.kill(session.pid, signal.SIGUSR1)
        assert pending.outcome(5) == Returned((b"interrupted",))


def test_an_errno_that_nothing_set_is_known(begin_lua: Begin, interpreter: str) -> None:
    if not has(interpreter, "ffi") and not has(interpreter, "posix.errno"):
        pytest.skip(f"{interpreter} has neither ffi nor luaposix")
    outcome = begin_lua(FAKE.with_name("nap.lua")).open()
    assert isinstance(outcome, Returned)
    socket = outcome.values[0]
    assert isinstance(socket, ImplSocket)
    for _ in range(3):
        assert socket.listen() == Returned((errno.ENOTDIR,))


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (None, "cannot open"),
        ("return 1", "returns a number without a function `socket`"),
        ("return {socket = 1}", "returns a table without a function `socket`"),
        ("return setmetatable({}, {__index = error})", "returns a table without"),
        ("error('no system for it')", "no system for it"),
        ("x = (", "port.lua:1:"),
        ("local x = nil; return x.y", "attempt to index"),
    ],
)
def test_a_module_that_cannot_be_loaded(begin_lua: Begin, tmp_path: Path, source: str | None, told: str) -> None:
    if source is not None:
        (tmp_path / "port.lua").write_text(source)
    with pytest.raises(CannotStart, match=r"port\.lua cannot be loaded by Lua") as caught:
        begin_lua(tmp_path / "port.lua")
    assert told in str(caught.value)


def test_a_module_that_is_not_there(begin_lua: Begin) -> None:
    with pytest.raises(CannotStart) as caught:
        begin_lua("nowhere.to.be.found")
    assert "module 'nowhere.to.be.found' not found; name its folder with --lua-path FOLDER" in str(caught.value)


def test_a_module_is_found_by_paths_folders_and_where_one_stands(
    begin_lua: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some place").mkdir()
    (tmp_path / "some place" / "inner.lua").write_text(FAKE.read_text())
    (tmp_path / "outer.lua").write_text(FAKE.read_text())
    assert begin_lua("inner", "--path", str(tmp_path / "some place")).welcome.name == "inner"
    assert begin_lua("inner", "--path", f"/nowhere/?.lua;{tmp_path}/some place/?.lua").welcome.name == "inner"
    monkeypatch.setenv("LUA_PATH", "/nowhere/?.lua")
    monkeypatch.setenv("LUA_PATH_5_4", "/nowhere/?.lua")
    monkeypatch.chdir(tmp_path)
    assert begin_lua("outer").welcome.name == "outer"


def test_a_call_takes_no_longer_when_there_was_much(fake: Fake) -> None:
    """A long request is taken in pieces, and in time."""
    data = bytes(range(256)) * 8192
    started = time.monotonic()
    assert fake.call("recv", data) == Returned((data,))
    assert time.monotonic() - started < 20
