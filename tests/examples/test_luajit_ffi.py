"""The example for LuaJIT: a part of the suite (NIXIO_EXAMPLES=whole: all of it), and features for Lua programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nixio_fixtures import load

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "luajit-ffi"
LUAJIT = shutil.which("luajit")
#: Whether all of the suite is run, and not only `CLAUSES`.
WHOLE = os.environ.get("NIXIO_EXAMPLES") == "whole"
#: Seconds for one command on a loaded machine.
TIMEOUT = 1200

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="nixio_ffi.lua was run on Linux only"),
    pytest.mark.skipif(LUAJIT is None, reason="luajit is not installed (on Debian: apt-get install luajit)"),
]

#: Clauses that use most of the implementation in little time: addresses of each family, the walk over the addresses of
#: a name, signals and garbage.
CLAUSES = [
    "accept.exhausted",
    "accept.interrupt",
    "accept.peer",
    "bind.unix",
    "close.garbage",
    "connect.resolution",
    "recvfrom.sender",
    "recvfrom.stream",
    "recvfrom.unix",
    "sendto.unix",
    "setopt.membership",
]


@pytest.mark.slow
def test_the_suite_passes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nixio_conformance", "run"]
    implementation = ["--lua", "nixio_ffi", "--lua-program", "luajit", "--lua-path", str(FOLDER)]
    chosen = ["-n", "2"] if WHOLE else [f"--select={clause}" for clause in CLAUSES]
    done = subprocess.run(
        [*command, *implementation, *chosen, "--report", str(tmp_path / "report")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "conforming" in done.stdout


def lua(script: str, *, before: str = "") -> str:
    """The output of a script that has the module as `nixio`; `before` runs before the module is loaded."""
    program = f'{before}\npackage.path = "{FOLDER}/?.lua"\nlocal nixio = require "nixio_ffi"\n{script}'
    assert LUAJIT is not None
    done = subprocess.run([LUAJIT, "-"], input=program, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        pytest.param('local s = nixio.socket("inet", "dgram") print(s:setblocking(true))', "true", id="success"),
        pytest.param(
            'print(nixio.socket("inet", "stream"):recv(1))',
            "nil 107 Transport endpoint is not connected",
            id="refused",
        ),
        pytest.param(
            's = nixio.socket("inet", "dgram") s:setblocking(false) print(s:recv(1))',
            "false 11 Resource temporarily unavailable",
            id="would-block",
        ),
        pytest.param(
            'local nothing, code = nixio.socket("inet", "dgram"):sendto("x", "no address", 9) print(nothing, code < 0)',
            "nil true",
            id="resolver",
        ),
        pytest.param('print(nixio.socket("unix", "dgram"):getsockname())', "nil", id="unnamed"),
        pytest.param('print(nixio.socket("inet", "dgram"):getopt("socket", "rcvtimeo"))', "0 0", id="two-values"),
        pytest.param('print(nixio.socket("inet", "dgram").nothing)', "nil", id="no-such-method"),
        pytest.param('s = nixio.socket("inet", "dgram") s:close() print(s)', "nixio socket (closed)", id="closed-text"),
        pytest.param("print(nixio.const.buffersize, nixio.const.ECONNREFUSED)", "8192 111", id="constants"),
    ],
)
def test_results(script: str, printed: str) -> None:
    assert lua(script).split() == printed.split()


@pytest.mark.parametrize(
    "call",
    ['s:bind("127.0.0.1", 65536)', 's:send("x", -1)', 's:setopt("ip", "multicast_if", "x")', "s.close(nil)"],
)
def test_a_bad_argument_is_an_error_at_the_callers_line(call: str) -> None:
    script = f's = nixio.socket("inet", "dgram")\nprint(pcall(function()\n  local x = {call}\n  return x\nend))'
    output = lua(script)
    # The script begins at line 4.
    assert output.startswith("false\tstdin:6: bad argument '"), output


def test_garbage_collection_keeps_errno() -> None:
    """The collected socket's descriptor was closed by other code, so that closing it again fails."""
    script = """
        local ffi = require "ffi"
        ffi.cdef "int close(int);"
        do
          local s = nixio.socket("inet", "dgram")
          ffi.C.close(s:fileno())
        end
        ffi.errno(1234)
        collectgarbage()
        print(ffi.errno())
    """
    assert lua(script).strip() == "1234"


#: connect() as POSIX specifies it, unlike Linux: a signal interrupts it while it continues in the
#: background, and a second call fails with EALREADY while it does, then with EISCONN.
INTERRUPTED = """
    local ffi = require "ffi"
    local real, calls, second = ffi.C, 0, %s
    local function connect(fd, address, length)
      calls = calls + 1
      if calls == 1 then
        real.fcntl(fd, 4, ffi.cast("int", 0x800)) -- O_NONBLOCK: it is in progress when the signal arrives
        real.connect(fd, address, length)
        ffi.errno(4) -- EINTR
        return -1
      end
      ffi.errno(second)
      return -1
    end
    ffi.C = setmetatable({ connect = connect }, { __index = function(_, name) return real[name] end })
"""


@pytest.mark.parametrize(
    ("second", "listens", "printed"),
    [
        pytest.param("106", True, "true", id="connected"),
        pytest.param("114", True, "true", id="already-connecting"),
        pytest.param("114", False, "nil 111 Connection refused", id="already-refused"),
    ],
)
def test_an_interrupted_connect_on_other_systems(second: str, listens: bool, printed: str) -> None:
    script = f"""
        local listener = assert(nixio.socket("inet", "stream"))
        assert(listener:bind("127.0.0.1", 0))
        if {str(listens).lower()} then assert(listener:listen(5)) end
        print(nixio.socket("inet", "stream"):connect(listener:getsockname()))
        if calls == 1 then error "connect() was not called again" end
    """
    assert lua(script, before=INTERRUPTED % second).split() == printed.split()


@pytest.mark.parametrize(
    ("system", "protocol_option", "absent"),
    [
        pytest.param(
            'ffi.os = "OSX"',
            42,
            ["socket.priority", "socket.bindtodevice", "tcp.cork", "ip.mtu", "ipv6.mtu"],
            id="macos",
        ),
        pytest.param('ffi.arch = "mips"', 99, [], id="linux-mips"),
        pytest.param('ffi.arch = "ppc"', 92, [], id="linux-powerpc"),
    ],
)
def test_the_tables_of_other_systems_are_complete(system: str, protocol_option: int, absent: list[str]) -> None:
    """The module loads with them, and they have a number for each option except the absent ones.

    An absent option is refused without a system call, as this system has other numbers.
    """
    pairs = [option.id for option in load().options]
    script = f"""
        local s = nixio.socket("inet", "stream")
        for pair in ("{" ".join(pairs)}"):gmatch "%S+" do
          local level, name = pair:match "(.*)%.(.*)"
          s.fd = 2 ^ 30 -- no such descriptor
          local _, number = s:getopt(level, name)
          if number == nixio.const.ENOPROTOOPT then print(pair) else assert(number == nixio.const.EBADF) end
        end
        print(nixio.const.ENOPROTOOPT)
    """
    said = lua(script, before=f'local ffi = require "ffi" {system}').split()
    assert sorted(said) == sorted([*absent, str(protocol_option)])


def test_a_system_without_a_table_is_refused() -> None:
    with pytest.raises(AssertionError, match="does not know the numbers of this system"):
        lua("", before='require "ffi".os = "Other"')
