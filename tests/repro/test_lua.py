"""Lua scripts that repeat a case: they run by themselves on every version of Lua, and make the same calls."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nixio_conformance.driver.session import Session
from nixio_conformance.driver.wire import HeldAs
from nixio_conformance.repro import lua
from nixio_conformance.target.lua import Lua
from nixio_conformance.target.target import Target
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_fixtures import load
from nixio_reports import Row

REFERENCE = Target("entry-point", "reference")
#: A module with made-up results: the script prints its calls and results, so no implementation is needed.
FAKE = """
local Socket = {}
Socket.__index = function(_, name)
  if name == "getsockname" then return function() return "here", 4711 end end
  if name == "accept" then return function(self) return setmetatable({}, Socket), "there", 4712 end end
  return function(self, ...)
    if name == "recv" then return nil, 104, "re\\0set" end
    if name == "getopt" then error("bad argument") end
    return true
  end
end
return { socket = function(...) return setmetatable({}, Socket) end }
"""
Repeat = Callable[..., list[str]]


@pytest.fixture
def repeat(tmp_path: Path, interpreter: str) -> Iterator[Repeat]:
    """Runs a case on the reference, then its Lua script on the fake module. Returns the lines that it prints."""
    session = Session(REFERENCE.starter, 20)
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "fake.lua").write_text(FAKE)
    target = Target("lua", "fake", lua=Lua(path=str(tmp_path / "modules")))

    def run(steps: Callable[[Case], object], kind: str) -> list[str]:
        case = Case(session, load().kind(kind))
        session.begin_case(case.transcript)
        steps(case)
        program = lua.write(row(kind), target, "", case.folder, case.transcript.steps)
        session.end_case()
        case.close()
        (tmp_path / "shown.lua").write_text(program)
        done = subprocess.run(
            [interpreter, "shown.lua"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr + "\n" + program
        assert case.folder not in program
        return done.stdout.splitlines()

    yield run
    session.kill()


def row(kind: str) -> Row:
    return Row(
        case=f"send.data.arrives[{kind}]", clause="send.data.arrives", method="send", level="must", kind=kind,
        source="norm:1", requires="It's {said}.", outcome="failed", expected='"x"\n', actual="b'y'",
    )  # fmt: skip


def test_a_pair(repeat: Repeat) -> None:
    def steps(case: Case) -> None:
        pair = case.pair("server")
        pair.impl.send(b"to the peer\x00", 1, None)
        pair.peer.recv()
        pair.peer.send(b"to the implementation")
        pair.impl.recv(100)
        pair.peer.reset()
        pair.impl.release()

    output = repeat(steps, "inet-stream")
    assert output[0].startswith('socket("inet", "stream") -> table: ')
    assert output[1:4] == [
        's1:bind("127.0.0.1", 0) -> true', 's1:getsockname() -> "here", 4711', "s1:listen(8) -> true",
    ]  # fmt: skip
    assert 'peer1:connect("127.0.0.1", 4711) -> true' in output
    assert 's2:send("to the peer\\000", 1, nil) -> true' in output
    assert 'peer1:send("to the implementation") -> true' in output
    assert 's2:recv(100) -> nil, 104, "re\\000set"' in output
    assert output[-3:] == ['Expected: "x"', "", "Actual: b'y'"]


def test_paths_are_in_a_temporary_folder(repeat: Repeat) -> None:
    def steps(case: Case) -> None:
        case.pair("client")
        case.socket().bind(case.abstract(), None)

    output = repeat(steps, "unix-stream")
    bound = next(line for line in output if line.startswith("peer1:bind("))
    assert bound.endswith('/1") -> true')
    assert not Path(bound.partition('"')[2].partition("/1")[0]).exists()
    assert any(':bind("\\000/' in line for line in output)


def test_a_pending_call_is_made_where_it_returned(repeat: Repeat) -> None:
    def steps(case: Case) -> None:
        listener, address = case.listening()
        pending = listener.start("accept")
        assert pending.blocked()
        case.peer().connect(address)
        accepted = expect.socket(expect.returned(pending.outcome())[0])
        accepted.start("recv", 100).blocked()
        case.peer()

    output = repeat(steps, "inet-stream")
    order = [line.partition("(")[0] for line in output]
    assert order.index("peer1:connect") < order.index("s1:accept")
    assert "s2:recv" not in order


def test_odd_arguments(repeat: Repeat) -> None:
    def steps(case: Case) -> None:
        sock = case.socket()
        sock.setopt("socket", "rcvtimeo", (1, 500000))
        sock.setopt("socket", "keepalive", (1, 500000))
        sock.getopt('é"\\\n', float("inf"), float("nan"), 1.5, True, None)
        sock.send(HeldAs(b"\xff\x01", "bytearray"), 2**63)

    output = repeat(steps, "inet-dgram")
    assert 's1:setopt("socket", "rcvtimeo", 1, 500000) -> true' in output
    assert any(line.startswith('s1:setopt("socket", "keepalive", table: ') for line in output)
    assert any(line.startswith('s1:getopt("\\195\\169\\034\\092\\010", inf, ') for line in output)
    assert any(line.endswith('bad argument"') for line in output)
    assert any(line.startswith('s1:send("\\255\\001", ') for line in output)


@pytest.mark.parametrize(
    ("target", "language", "is_lua"),
    [
        (Target("lua", "nixio"), "", True),
        (Target("agent", "ssh router lua agent.lua nixio"), "Lua 5.1", True),
        (Target("agent", "luajit agent.lua nixio"), "LuaJIT 2.1", True),
        (Target("agent", "./agent"), "C99", False),
        (Target("entry-point", "reference"), "Python 3.13", False),
    ],
)
def test_which_implementations_have_one(target: Target, language: str, is_lua: bool) -> None:
    assert lua.applies(target, language) is is_lua


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (Target("lua", "nixio"), 'nixio = require("nixio")'),
        (Target("lua", "/a b/module.lua"), 'nixio = dofile("/a b/module.lua")'),
        (Target("agent", "lua agent.lua other"), 'nixio = require("named")'),
    ],
)
def test_the_module_is_loaded_as_it_was_named(target: Target, line: str) -> None:
    assert line in lua.write(row("inet-stream"), target, "named", "/nowhere", []).splitlines()
