"""JSON in the Lua agent: the built-in codec and each library give the same replies, on each interpreter."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from tests.agents.support import FAKE, INTEGERS

from nixio_conformance.target.lua import AGENT

#: Strings as JSON, which the module returns unchanged.
STRINGS = (
    '""', '"text"', r'"\"\\\/\b\f\n\r\t"', r'"\u0001\u001f\u007f"', r'"a\u0000b"', r'"\u00e9"', r'"\u20ac\uFFFD"',
    r'"\ud83d\ude00\uDBFF\uDFFF"', '"é€😀"', json.dumps('x"\\é' * 5000),
)  # fmt: skip
#: Integers that every Lua represents exactly.
NUMBERS = [0, -1, 2**31, 2**32, -(2**31), 2**53, 123456789012345, 9007199254740991, -(2**63)]
#: Integers that a Lua without integers rounds to a float.
WIDE = [2**53 + 1, 2**63 - 1, -(2**53) - 1]
#: Lines that are not JSON.
BROKEN = (
    '{"do":', "[1,]", '{"a" 1}', r'"\ud800"', r'"\x"', "{} {}", "tru", "[" * 100_000, '"abc', "1 2", "", "-", "nul",
    '{"a":}', '{"a":1,}',
)  # fmt: skip


def ask(interpreter: str, *lines: str) -> list[dict[str, Any]]:
    """The replies to these requests, after a socket was opened."""
    first = ['{"do":"hello","id":1,"protocol":1}', '{"do":"socket","id":2,"args":["inet","stream"]}']
    done = subprocess.run(
        [interpreter, str(AGENT), str(FAKE)],
        input="\n".join([*first, *lines]) + "\n", capture_output=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()][2:]


def echoed(interpreter: str, arguments: str) -> list[Any]:
    (reply,) = ask(interpreter, f'{{"do":"call","id":3,"socket":1,"method":"echo","args":{arguments}}}')
    assert reply["reply"] == "values", reply
    values: list[Any] = reply["values"]
    return values


@pytest.mark.usefixtures("codec")
def test_strings(interpreter: str) -> None:
    arguments = f"[{','.join(STRINGS)}]"
    assert echoed(interpreter, arguments) == json.loads(arguments)


@pytest.mark.usefixtures("codec")
def test_integers(interpreter: str) -> None:
    values = echoed(interpreter, json.dumps(NUMBERS))
    assert values == NUMBERS
    assert {type(value) for value in values} == {int}


@pytest.mark.usefixtures("codec")
def test_integers_that_no_float_holds(interpreter: str) -> None:
    values = echoed(interpreter, json.dumps(WIDE))
    exact = interpreter in INTEGERS
    assert values == [value if exact else int(float(value)) for value in WIDE]


@pytest.mark.usefixtures("codec")
def test_numbers_past_64_bits_are_foreign(interpreter: str) -> None:
    values = echoed(interpreter, "[1e300, 36893488147419103232]")
    assert [value["type"] for value in values] == ["foreign", "foreign"]


@pytest.mark.usefixtures("codec")
def test_fractions(interpreter: str) -> None:
    assert echoed(interpreter, "[0.5, -0.1, 1e-300, 1.5e3]") == [0.5, -0.1, 1e-300, 1500]


@pytest.mark.usefixtures("codec")
def test_nils_are_kept(interpreter: str) -> None:
    assert echoed(interpreter, "[null]") == [None]
    assert echoed(interpreter, "[2, null, 1, null, null]") == [2, None, 1, None, None]
    assert echoed(interpreter, "[]") == []
    assert echoed(interpreter, "[true, false, null]") == [True, False, None]


@pytest.mark.usefixtures("codec")
def test_a_pair_may_have_a_nil(interpreter: str) -> None:
    line = '{"do":"call","id":3,"socket":1,"method":"setopt","args":["ip","add_membership",["a",null]]}'
    assert ask(interpreter, line)[0]["values"] == ["ip", "add_membership", "a", None]


@pytest.mark.usefixtures("codec")
def test_buffers(interpreter: str) -> None:
    every = bytes(range(256))
    line = '{"do":"call","id":3,"socket":1,"method":"recv","args":[{"type":"buffer","hex":"%s"}]}'
    replies = ask(interpreter, line % every.hex(), line % every.hex().upper(), line % "", line % ("00ff" * 40000))
    assert [reply["values"][0]["hex"] for reply in replies] == [every.hex(), every.hex(), "", "00ff" * 40000]


def test_lines_that_are_not_json_are_answered(interpreter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIXIO_AGENT_JSON", "own")
    replies = ask(interpreter, *BROKEN)
    assert [(reply["id"], reply["reply"], reply["missing"]) for reply in replies] == [(0, "unsupported", False)] * len(
        BROKEN
    )
    assert all("a request is not a JSON object" in reply["message"] for reply in replies)


@pytest.mark.parametrize("interpreter", INTEGERS, indirect=True)
def test_a_library_that_is_not_exact_is_refused(interpreter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIXIO_AGENT_JSON", "cjson")
    hello = '{"do":"hello","id":1,"protocol":1}\n'
    done = subprocess.run(
        [interpreter, str(AGENT), str(FAKE)], input=hello, capture_output=True, text=True, timeout=60, check=False
    )
    reply = json.loads(done.stdout)
    assert reply["reply"] == "unavailable"
    assert "NIXIO_AGENT_JSON asks for cjson" in reply["message"]
