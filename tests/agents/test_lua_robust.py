"""The Lua agent works whatever the module does to standard streams, globals and the garbage collector."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.agents.support import FAKE, Begin, Fake, opened

from nixio_conformance.driver.errors import AgentCrashed, CannotStart
from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.socket import ImplSocket

#: Run before the agent: hides the libraries that can duplicate descriptors.
PLAIN = "package.preload['posix.unistd'] = function() error('none') end package.preload.ffi = nil"


@pytest.fixture(params=["installed libraries", "no library"])
def anywhere(request: pytest.FixtureRequest, begin_lua: Begin) -> Fake:
    """A socket of `fake.lua`, with and without a library for descriptors."""
    return opened(begin_lua(before=PLAIN if request.param == "no library" else ""))


def test_a_module_may_print(anywhere: Fake) -> None:
    assert anywhere.does("prints") == Returned((True,))
    assert anywhere.does("path") == Returned(("/tmp/path",))
    stderr = anywhere.session.current_stderr()
    assert "noise\t1\tnil" in stderr
    assert "more\n" in stderr
    assert "x\n" in stderr


def test_a_module_that_reads_gets_end_of_file(anywhere: Fake) -> None:
    assert anywhere.does("reads") == Returned((None, None))
    assert anywhere.does("path") == Returned(("/tmp/path",))


def test_a_module_may_close_the_standard_streams(anywhere: Fake) -> None:
    assert anywhere.does("closes") == Returned((True,))
    assert anywhere.does("path") == Returned(("/tmp/path",))


def test_a_module_may_change_the_standard_library(anywhere: Fake) -> None:
    assert anywhere.does("changes the world") == Returned((True,))
    assert anywhere.call("echo", "é", b"\xff", 1.5, None) == Returned(("é", b"\xff", 1.5, None))
    assert anywhere.does("path") == Returned(("/tmp/path",))
    anywhere.socket.release()
    anywhere.session.end_case()


def test_a_child_process_prints_to_standard_error(fake: Fake, interpreter: str) -> None:
    """It inherits descriptor 1, which the agent can only redirect with a library."""
    if not has(interpreter, "ffi") and not has(interpreter, "posix.unistd"):
        pytest.skip(f"{interpreter} has neither ffi nor luaposix")
    assert fake.does("runs a program") == Returned((True,))
    assert "noise" in fake.session.current_stderr()
    assert fake.does("path") == Returned(("/tmp/path",))


def test_finalizers_that_raise_errors(fake: Fake) -> None:
    """They may fail a call of the module, but never end the agent."""
    for _ in range(3):
        fake.does("leaves garbage that raises")
        fake.session.collect_garbage()
        assert fake.call("echo", "x" * 100_000) == Returned(("x" * 100_000,))


def test_a_module_that_exits_is_a_crash(fake: Fake) -> None:
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


def test_a_stale_errno_is_the_same_in_every_run(begin_lua: Begin, interpreter: str) -> None:
    if not has(interpreter, "ffi") and not has(interpreter, "posix.errno"):
        pytest.skip(f"{interpreter} has neither ffi nor luaposix")
    outcome = begin_lua(FAKE.with_name("nap.lua")).open()
    assert isinstance(outcome, Returned)
    socket = outcome.values[0]
    assert isinstance(socket, ImplSocket)
    for _ in range(3):
        assert socket.listen() == Returned((errno.ENOTDIR,))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "cannot open"),
        ("return 1", "returns a number without a function `socket`"),
        ("return {socket = 1}", "returns a table without a function `socket`"),
        ("return setmetatable({}, {__index = error})", "returns a table without"),
        ("error('no system for it')", "no system for it"),
        ("x = (", "module.lua:1:"),
        ("local x = nil; return x.y", "attempt to index"),
    ],
)
def test_a_module_that_cannot_be_loaded(begin_lua: Begin, tmp_path: Path, source: str | None, message: str) -> None:
    if source is not None:
        (tmp_path / "module.lua").write_text(source)
    with pytest.raises(CannotStart, match=r"module\.lua cannot be loaded by Lua") as caught:
        begin_lua(tmp_path / "module.lua")
    assert message in str(caught.value)


def test_a_module_that_does_not_exist(begin_lua: Begin) -> None:
    with pytest.raises(CannotStart) as caught:
        begin_lua("nowhere.to.be.found")
    assert "module 'nowhere.to.be.found' not found; name its folder with --lua-path FOLDER" in str(caught.value)


def test_a_module_is_found_by_templates_by_folder_and_in_the_current_directory(
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


def test_a_long_request_is_read_in_pieces(fake: Fake) -> None:
    data = bytes(range(256)) * 2048
    assert fake.call("recv", data) == Returned((data,))
