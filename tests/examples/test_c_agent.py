"""The example agent in C: its special features, and a part of the suite. `agent-check` runs in `tests/agentcheck`.

With NIXIO_EXAMPLES=whole the whole suite runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from nixio_conformance.driver.messages import Buffer, Failed, Reply, SocketRef, Unsupported, Values, decode_reply
from nixio_reports import read

WHOLE = os.environ.get("NIXIO_EXAMPLES") == "whole"
#: Seconds for a run of the suite or of the agent on a loaded machine.
TIMEOUT = 1200 if WHOLE else 240
#: Clauses for each part of the implementation: all methods, all shapes of values, waiting, signals, names, garbage.
SELECTION = (
    "accept.exhausted", "accept.peer", "bind.port.out-of-range", "bind.unix", "close.garbage", "connect.resolution",
    "fileno.kernel.kind", "getopt.value.shape", "getpeername.connected.remote", "getsockname.unix",
    "listen.backlog.zero", "recv.interrupt", "recvfrom.unix", "send.interrupt", "sendto.port.range",
    "setblocking.false.sending", "setopt.huge.refused", "setopt.membership.joined", "setopt.roundtrip.unchanged",
    "shutdown.word.refused", "socket.raw", "write.offset.wide",
)  # fmt: skip
OPEN = b'{"do": "socket", "id": 1, "args": ["inet", "dgram"]}'
GOOD = b'{"do": "call", "id": 9, "socket": 1, "method": "setblocking", "args": [true]}'

Build = Callable[..., Path]


@pytest.mark.slow
def test_the_suite_passes(c_agent: Path, tmp_path: Path) -> None:
    chosen = ["-n", "2"] if WHOLE else [f"--select={clause}" for clause in SELECTION]
    command = [sys.executable, "-m", "nixio_conformance", "run", "--agent", str(c_agent), f"--report={tmp_path}"]
    done = subprocess.run([*command, *chosen], capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = [row.outcome for row in read(tmp_path / "results.jsonl").rows]
    assert outcomes.count("passed") > 100


def replies(program: Path, lines: Sequence[bytes], unfinished: bytes = b"") -> list[Reply]:
    """The replies to these lines, sent at once, after the agent exited with status 0."""
    sent = b"".join(line + b"\n" for line in lines) + unfinished
    done = subprocess.run([program], input=sent, capture_output=True, timeout=TIMEOUT)
    assert (done.returncode, done.stderr) == (0, b"")
    return [decode_reply(line) for line in done.stdout.splitlines()]


def call(identifier: int, socket: int, method: str, *arguments: object) -> bytes:
    """A call as a line."""
    request = {"do": "call", "id": identifier, "socket": socket, "method": method, "args": arguments}
    return json.dumps(request).encode()


#: Lines that are not a JSON object, or have no valid id: the agent has a JSON decoder of its own.
BAD_LINES = {
    "empty": b"",
    "blank": b"  ",
    "garbage": b"\x00\x01\xfe\xff",
    "name": b"nothing",
    "number": b"7",
    "list": b'[{"do": "reset", "id": 1}]',
    "two": b'{"do": "reset", "id": 1} {}',
    "cut": b'{"do": "reset", "id": 1',
    "cut-string": b'{"do": "reset',
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
    "cut-character": b'{"do": "reset", "id": 1, "more": "\xe2\x82"}',
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
    "string-id": b'{"do": "reset", "id": "1"}',
    "fraction-id": b'{"do": "reset", "id": 1.0}',
    "huge-id": b'{"do": "reset", "id": 18446744073709551616}',
    "unknown-literal": b'{"do": "reset", "id": 1, "more": nil}',
    "deep": b'{"do": "reset", "id": 1, "more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "many": b'{"do": "reset", "id": 1, "more": [' + b"0," * 100_000 + b"0]}",
}


def test_each_bad_line_is_answered_once_and_does_no_harm(c_agent: Path) -> None:
    opened, *answers = replies(c_agent, [OPEN, *(line for bad in BAD_LINES.values() for line in (bad, GOOD))])
    assert opened == Values(1, [SocketRef(1)])
    assert answers[1::2] == [Values(9, [True])] * len(BAD_LINES)
    for name, answer in zip(BAD_LINES, answers[::2], strict=True):
        assert isinstance(answer, Unsupported), name
        assert (answer.id, answer.missing) == (0, False), name
        assert answer.message, name


BAD_REQUESTS = (
    {"do": "socket", "args": {}},
    {"do": "call", "socket": 2**64, "method": "fileno", "args": []},
    {"do": "call", "socket": 1, "method": "send", "args": [{"type": "buffer", "hex": "00\x00\x00"}]},
    {"do": "call", "socket": 1, "method": "send", "args": [{"type": "buffer", "hex": "00", "held_as": "array"}]},
    {"do": "call", "socket": 1, "method": "send", "args": [{"type": "socket", "socket": 1}]},
    {"do": "forget"},
)


def test_each_bad_request_is_answered_with_its_id(c_agent: Path) -> None:
    lines = [json.dumps({"id": 2, **request}).encode() for request in BAD_REQUESTS]
    _, *answers = replies(c_agent, [OPEN, *lines])
    for request, answer in zip(BAD_REQUESTS, answers, strict=True):
        assert isinstance(answer, Unsupported), request
        assert (answer.id, answer.missing) == (2, False), request


def test_an_unknown_method_is_reported_as_it_was_spelled(c_agent: Path) -> None:
    plain_line = '{"do": "call", "id": 3, "socket": 1, "method": "é😀", "args": []}'.encode()
    # json.dumps escapes: the agent decodes \u, here with a surrogate pair.
    lines = [OPEN, call(2, 1, 'é"\\\n\x1b😀'), plain_line, call(4, 1, "long" * 1000)]
    _, escaped, plain, long = replies(c_agent, lines)
    assert escaped == Unsupported(2, 'no method é"\\\n\x1b😀', True)
    assert plain == Unsupported(3, "no method é😀", True)
    assert isinstance(long, Unsupported)
    assert long.message.startswith("no method longlong")


#: Arguments of bind() as JSON, and its result: True, or the kind of the failure.
BINDS = {
    "[null, 0]": True,
    "[null, -0]": True,
    '[null, "0"]': True,
    "[]": "argument",
    "[null]": "argument",
    "[null, null]": "argument",
    "[null, 0.0]": "argument",
    "[null, 0e0]": "argument",
    "[null, 65536]": "argument",
    "[null, 4294967296]": "argument",
    "[null, 18446744073709551616]": "argument",
    "[null, 340282366920938463463374607431768211456]": "argument",
    "[null, -9223372036854775808]": "argument",
    "[null, -9223372036854775809]": "argument",
    "[null, true]": "argument",
    "[null, [0]]": "argument",
    "[null, 0, 0]": "argument",
}


def test_numbers_and_missing_arguments(c_agent: Path) -> None:
    lines = [
        line
        for socket, arguments in enumerate(BINDS, 1)
        for line in (
            OPEN,
            f'{{"do": "call", "id": 2, "socket": {socket}, "method": "bind", "args": {arguments}}}'.encode(),
        )
    ]
    results: list[object] = []
    for reply in replies(c_agent, lines)[1::2]:
        assert isinstance(reply, (Values, Failed)), reply
        results.append(reply.kind if isinstance(reply, Failed) else reply.values[0])
    assert dict(zip(BINDS, results, strict=True)) == BINDS


def test_a_request_that_is_too_long_is_refused_and_skipped(build_c_agent: Build) -> None:
    reset = b'{"do": "reset", "id": 3}'
    program = build_c_agent("-DLONGEST_LINE=100000", "-O0")
    too_long, *others = replies(program, [b"x" * 1_000_000, reset, b" " * 99_900 + reset])
    assert too_long == Unsupported(0, "a request of more than 100000 bytes", False)
    assert others == [Values(3, []), Values(3, [])]


def test_a_request_without_its_newline_is_not_answered(c_agent: Path) -> None:
    lines = [b'{"do": "reset", "id": 1}']
    assert replies(c_agent, lines, unfinished=b'{"do": "reset", "id": 2}') == [Values(1, [])]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a file system may refuse such a name")
def test_a_path_that_is_not_text_is_sent_as_a_buffer(c_agent: Path, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xe9"
    bind = call(2, 1, "bind", {"type": "buffer", "hex": path.hex()})
    reply = replies(c_agent, [OPEN.replace(b"inet", b"unix"), bind, call(3, 1, "getsockname")])[2]
    assert reply == Values(3, [Buffer(path.hex()), None])


def test_the_agent_exits_when_its_output_is_closed(c_agent: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([c_agent], input=b'{"do": "reset", "id": 1}\n', stdout=writer, timeout=TIMEOUT)
    os.close(writer)
    assert done.returncode == 1
