"""The agent in C: built by the system's compiler, judged by a part of the suite, and sent whatever is no request.

In tox's environment `ports` the whole suite judges it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nixio_conformance.driver.messages import (
    Buffer,
    Failed,
    Reply,
    SocketRef,
    Unsupported,
    Values,
    Welcome,
    decode_reply,
)
from nixio_reports import read

SOURCE = Path(__file__).parents[2] / "examples" / "c-agent" / "agent.c"
STRICT = ("-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2")
#: Whether all of the suite is run, and not only `SELECTION`.
WHOLE = os.environ.get("NIXIO_PORTS") == "whole"
#: Seconds for a build, a conversation or a run, on a loaded machine.
TIMEOUT = 1200 if WHOLE else 240
#: A part of the suite for each part of the port: all methods, all shapes of values, waiting, signals, names, garbage.
SELECTION = (
    "accept.exhausted",
    "accept.peer",
    "bind.port.out-of-range",
    "bind.unix",
    "close.garbage",
    "connect.interrupt",
    "connect.resolution",
    "fileno.kernel.kind",
    "getopt.value.shape",
    "getpeername.connected.remote",
    "getsockname.unix",
    "listen.backlog.zero",
    "recv.interrupt",
    "recvfrom.unix",
    "send.interrupt",
    "sendto.port.range",
    "setblocking.false.sending",
    "setopt.huge.refused",
    "setopt.membership.joined",
    "setopt.roundtrip.unchanged",
    "shutdown.word.refused",
    "socket.raw",
    "write.offset.wide",
)

Build = Callable[..., Path]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Build the agent, with more options for the compiler where they are given."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or sys.platform == "win32":
        pytest.skip("there is no C compiler for POSIX here: neither cc, nor gcc, nor clang")

    def make(*options: str) -> Path:
        program = tmp_path_factory.mktemp("c-agent") / "agent"
        done = subprocess.run(
            [compiler, *STRICT, *options, "-o", program, SOURCE], capture_output=True, text=True, timeout=TIMEOUT
        )
        assert done.returncode == 0, done.stderr
        return program

    return make


@pytest.fixture(scope="session")
def agent(build: Build) -> Path:
    """The program."""
    return build()


def test_agent_check_finds_nothing_wrong(agent: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nixio_conformance", "agent-check", "--agent", str(agent)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr


class Conversation:
    """Requests that are sent in one go; the agent answers them, one after the other, until its input ends."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self._lines: list[bytes] = []

    def line(self, line: bytes) -> None:
        """Any line."""
        self._lines.append(line + b"\n")

    def ask(self, what: str, **members: Any) -> None:
        """A request; its id is its place, from 1 on."""
        self.line(json.dumps({"do": what, "id": len(self._lines) + 1, **members}).encode())

    def call(self, socket: int, method: str, *arguments: Any) -> None:
        """A call of a method."""
        self.ask("call", socket=socket, method=method, args=arguments)

    def replies(self, unfinished: bytes = b"") -> list[Reply]:
        """All replies, after the agent ended well."""
        sent = b"".join(self._lines) + unfinished
        done = subprocess.run([self._program], input=sent, capture_output=True, timeout=TIMEOUT)
        assert (done.returncode, done.stderr) == (0, b"")
        return [decode_reply(line) for line in done.stdout.splitlines()]


@pytest.fixture
def talk(agent: Path) -> Conversation:
    return Conversation(agent)


def test_the_suite_is_passed(agent: Path, tmp_path: Path) -> None:
    chosen = ["-n", "2"] if WHOLE else [f"--select={word}" for word in SELECTION]
    command = [sys.executable, "-m", "nixio_conformance", "run", "--agent", str(agent), f"--report={tmp_path}"]
    done = subprocess.run([*command, *chosen], capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = [row.outcome for row in read(tmp_path / "results.jsonl").rows]
    assert outcomes.count("passed") > 100


def test_hello_says_who_it_is(talk: Conversation) -> None:
    talk.ask("hello", protocol=1)
    (hello,) = talk.replies()
    assert isinstance(hello, Welcome)
    assert (hello.id, hello.protocol, hello.name, hello.language) == (1, 1, "c-agent", "C99")
    assert hello.platform == os.uname().sysname.lower()
    assert set(hello.capabilities) == {"gc", "signals"}


def test_each_request_has_its_reply(talk: Conversation) -> None:
    talk.ask("socket", args=["inet", "stream"])
    talk.call(1, "bind", None, 0)
    talk.call(1, "close")
    talk.call(1, "close")
    talk.ask("reset")
    assert [type(reply) for reply in talk.replies()] == [Values, Values, Values, Failed, Values]


BAD_LINES = {
    "empty": b"",
    "blank": b"  ",
    "garbage": b"\x00\x01\xfe\xff",
    "word": b"nothing",
    "number": b"7",
    "list": b'[{"do": "reset", "id": 1}]',
    "two": b'{"do": "reset", "id": 1} {}',
    "cut": b'{"do": "reset", "id": 1',
    "cut-text": b'{"do": "reset',
    "cut-escape": b'{"do": "reset\\',
    "cut-code": b'{"do": "reset\\u00',
    "comma": b'{"do": "reset", "id": 1,}',
    "colon": b'{"do" "reset", "id": 1}',
    "unquoted": b'{do: "reset", "id": 1}',
    "single-quotes": b"{'do': 'reset', 'id': 1}",
    "twice": b'{"do": "reset", "id": 1, "id": 2}',
    "escape": b'{"do": "reset", "id": 1, "more": "\\x72"}',
    "half-pair": b'{"do": "reset", "id": 1, "more": "\\ud83d"}',
    "two-halves": b'{"do": "reset", "id": 1, "more": "\\ud83d\\u0041"}',
    "bad-code": b'{"do": "reset", "id": 1, "more": "\\u00g0"}',
    "second-half": b'{"do": "reset", "id": 1, "more": "\\ude00"}',
    "control": b'{"do": "reset", "id": 1, "more": "\t"}',
    "latin-1": b'{"do": "reset", "id": 1, "more": "\xe9"}',
    "cut-letter": b'{"do": "reset", "id": 1, "more": "\xe2\x82"}',
    "overlong": b'{"do": "reset", "id": 1, "more": "\xc0\xaf"}',
    "overlong-3": b'{"do": "reset", "id": 1, "more": "\xe0\x80\xaf"}',
    "overlong-4": b'{"do": "reset", "id": 1, "more": "\xf0\x80\x80\xaf"}',
    "past-unicode": b'{"do": "reset", "id": 1, "more": "\xf4\x90\x80\x80"}',
    "surrogate": b'{"do": "reset", "id": 1, "more": "\xed\xa0\x80"}',
    "zeros": b'{"do": "reset", "id": 01}',
    "plus": b'{"do": "reset", "id": +1}',
    "dot": b'{"do": "reset", "id": 1.}',
    "exponent": b'{"do": "reset", "id": 1e}',
    "minus": b'{"do": "reset", "id": -}',
    "no-id": b'{"do": "reset"}',
    "text-id": b'{"do": "reset", "id": "1"}',
    "fraction-id": b'{"do": "reset", "id": 1.0}',
    "huge-id": b'{"do": "reset", "id": 18446744073709551616}',
    "unknown-word": b'{"do": "reset", "id": 1, "more": nil}',
    "deep": b'{"do": "reset", "id": 1, "more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "many": b'{"do": "reset", "id": 1, "more": [' + b"0," * 100_000 + b"0]}",
}


@pytest.mark.parametrize("line", [pytest.param(line, id=name) for name, line in BAD_LINES.items()])
def test_what_is_no_request_costs_one_reply(talk: Conversation, line: bytes) -> None:
    talk.line(line)
    talk.ask("socket", args=["inet", "dgram"])
    bad, good = talk.replies()
    assert isinstance(bad, Unsupported)
    assert (bad.id, bad.missing) == (0, False)
    assert bad.message
    assert good == Values(2, [SocketRef(1)])


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"do": 5},
        {"do": "dance"},
        {"do": "socket"},
        {"do": "socket", "args": {}},
        {"do": "call", "method": "fileno", "args": []},
        {"do": "call", "socket": 1, "args": []},
        {"do": "call", "socket": 1, "method": "fileno"},
        {"do": "call", "socket": 2, "method": "fileno", "args": []},
        {"do": "call", "socket": 2**64, "method": "fileno", "args": []},
        {"do": "call", "socket": 1, "method": "send", "args": [{"type": "buffer"}]},
        {"do": "call", "socket": 1, "method": "send", "args": [{"type": "buffer", "hex": "0"}]},
        {"do": "call", "socket": 1, "method": "send", "args": [{"type": "buffer", "hex": "0g"}]},
        {"do": "call", "socket": 1, "method": "send", "args": [{"type": "buffer", "hex": "00\x00\x00"}]},
        {"do": "call", "socket": 1, "method": "send", "args": [{"type": "buffer", "hex": "00", "held_as": "array"}]},
        {"do": "call", "socket": 1, "method": "send", "args": [{"type": "socket", "socket": 1}]},
        {"do": "forget"},
    ],
    ids=lambda request: "-".join(str(value) for value in request.values()),
)
def test_what_cannot_be_asked_is_said(talk: Conversation, request_: dict[str, Any]) -> None:
    talk.ask("socket", args=["inet", "dgram"])
    talk.line(json.dumps({"id": 2, **request_}).encode())
    talk.call(1, "fileno")
    _, bad, good = talk.replies()
    assert isinstance(bad, Unsupported)
    assert (bad.id, bad.missing) == (2, False)
    assert isinstance(good, Values)


def test_a_method_that_is_none_is_missing_and_told_as_it_was_spelled(talk: Conversation) -> None:
    talk.ask("socket", args=["inet", "dgram"])
    talk.call(1, 'é"\\\n\x1b😀')  # json.dumps escapes: the agent reads \u, a surrogate pair among them
    talk.line(b'{"do": "call", "id": 3, "socket": 1, "method": "\xc3\xa9\xf0\x9f\x98\x80", "args": []}')
    talk.call(1, "long" * 1000)
    _, escaped, plain, long = talk.replies()
    assert escaped == Unsupported(2, 'no method é"\\\n\x1b😀', True)
    assert plain == Unsupported(3, "no method é😀", True)
    assert isinstance(long, Unsupported)
    assert long.message.startswith("no method longlong")


def outcome(reply: Reply) -> object:
    """The values of a reply, or the kind of its failure."""
    assert isinstance(reply, (Values, Failed)), reply
    return reply.kind if isinstance(reply, Failed) else reply.values


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("[null, 0]", [True]),
        ("[null, -0]", [True]),
        ('[null, "0"]', [True]),
        ("[]", "argument"),
        ("[null]", "argument"),
        ("[null, null]", "argument"),
        ("[null, 0.0]", "argument"),
        ("[null, 0e0]", "argument"),
        ("[null, 65536]", "argument"),
        ("[null, 4294967296]", "argument"),
        ("[null, 18446744073709551616]", "argument"),
        ("[null, 340282366920938463463374607431768211456]", "argument"),
        ("[null, -9223372036854775808]", "argument"),
        ("[null, -9223372036854775809]", "argument"),
        ("[null, true]", "argument"),
        ("[null, [0]]", "argument"),
        ("[null, 0, 0]", "argument"),
    ],
)
def test_numbers_and_arguments_that_are_left_out(talk: Conversation, arguments: str, expected: object) -> None:
    talk.ask("socket", args=["inet", "dgram"])
    talk.line(f'{{"do": "call", "id": 2, "socket": 1, "method": "bind", "args": {arguments}}}'.encode())
    assert outcome(talk.replies()[1]) == expected


def test_a_buffer_of_megabytes_is_sent_as_it_is(talk: Conversation, tmp_path: Path) -> None:
    path, data = str(tmp_path / "s"), bytes(range(256)) * 4 * 4096
    for _ in range(2):
        talk.ask("socket", args=["unix", "stream"])
    talk.call(1, "bind", path)
    talk.call(1, "listen", 1)
    talk.call(2, "connect", path)
    talk.call(1, "accept")
    talk.call(2, "setblocking", False)
    talk.call(2, "send", {"type": "buffer", "hex": data.hex().upper()}, 3)
    talk.call(3, "recv", 2**64)
    *_, sent, received = talk.replies()
    assert isinstance(sent, Values)
    assert isinstance(received, Values)
    (count,), (got,) = sent.values, received.values
    assert isinstance(count, int)
    assert isinstance(got, Buffer)
    assert 0 < count < len(data)
    assert bytes.fromhex(got.hex) == data[3:][: min(count, 8192)]


def test_a_request_that_is_too_long_is_refused_and_read_past(build: Build) -> None:
    talk = Conversation(build("-DLONGEST_LINE=100000"))
    talk.line(b"x" * 1_000_000)
    talk.ask("reset")
    talk.line(b" " * 99_900 + b'{"do": "reset", "id": 3}')
    too_long, *others = talk.replies()
    assert too_long == Unsupported(0, "a request of more than 100000 bytes", False)
    assert others == [Values(2, []), Values(3, [])]


def test_a_request_without_its_end_has_no_reply(talk: Conversation) -> None:
    talk.ask("reset")
    assert talk.replies(unfinished=b'{"do": "reset", "id": 2}') == [Values(1, [])]


def test_nothing_to_do_is_no_failure(talk: Conversation) -> None:
    assert talk.replies() == []


def test_forgetting_and_resetting_close(talk: Conversation, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    for socket in (1, 2):
        talk.ask("socket", args=["unix", "dgram"])
        talk.call(socket, "bind", f"{path}{socket}")
    talk.ask("forget", socket=1)
    talk.ask("forget", socket=0)
    talk.call(2, "connect", f"{path}1")
    talk.call(2, "fileno")
    talk.ask("reset")
    talk.call(2, "fileno")
    *_, refused, descriptor, reset, gone = talk.replies()
    assert isinstance(refused, Failed)
    assert refused.name == "ECONNREFUSED"
    assert isinstance(descriptor, Values)
    assert reset == Values(9, [])
    assert gone == Unsupported(10, "no socket 2 is held", False)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a file system may refuse such a name")
def test_a_path_that_is_no_text_is_told_as_its_bytes(talk: Conversation, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xe9"
    talk.ask("socket", args=["unix", "dgram"])
    talk.call(1, "bind", {"type": "buffer", "hex": path.hex()})
    talk.call(1, "getsockname")
    reply = talk.replies()[2]
    assert isinstance(reply, Values)
    assert reply.values == [Buffer(path.hex()), None]


def test_an_output_that_nobody_reads_ends_it(agent: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([agent], input=b'{"do": "reset", "id": 1}\n', stdout=writer, timeout=TIMEOUT)
    os.close(writer)
    assert done.returncode == 1
