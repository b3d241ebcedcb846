"""JSON in the Lua agent: the same answers by its own codec and by each library, on every Lua."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from tests.agents.support import FAKE

from nixio_conformance.target.lua import AGENT

#: lua-cjson makes every number a float, which these tell from an integer: the agent must not use it there.
INTEGERS = ("lua5.3", "lua5.4")

#: An argument as JSON, and what comes back when the port returns it: the same value, or the one that is named.
TEXTS = {
    "empty": '""',
    "ascii": '"text"',
    "escapes": r'"\"\\\/\b\f\n\r\t"',
    "control": r'"\u0001\u001f\u007f"',
    "nul-inside": r'"a\u0000b"',
    "two-bytes": r'"\u00e9"',
    "three-bytes": r'"\u20ac\uFFFD"',
    "surrogates": r'"\ud83d\ude00\uDBFF\uDFFF"',
    "utf-8": '"é€😀"',
    "long": json.dumps('x"\\é' * 5000),
}
NUMBERS = {
    "zero": 0,
    "minus-one": -1,
    "2^31": 2**31,
    "2^32": 2**32,
    "-2^31": -(2**31),
    "2^53": 2**53,
    "14-digits-and-more": 123456789012345,
    "16-digits": 9007199254740991,
    "-2^63": -(2**63),
}
#: Whole numbers that a Lua without integers can only come near to.
WIDE = {"2^53+1": 2**53 + 1, "2^63-1": 2**63 - 1, "-2^53-1": -(2**53) - 1}


@pytest.fixture(params=["own", "cjson", "dkjson", ""], ids=lambda name: name or "chosen")
def codec(request: pytest.FixtureRequest, interpreter: str, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    if name == "cjson" and interpreter in INTEGERS:
        pytest.skip("lua-cjson makes every number a float, so that the agent refuses it on this Lua")
    if name in ("cjson", "dkjson"):
        done = subprocess.run([interpreter, "-e", f"require('{name}')"], capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"{name} is not installed for {interpreter}")
    monkeypatch.setenv("NIXIO_AGENT_JSON", name)
    return name


def ask(interpreter: str, *lines: str) -> list[dict[str, Any]]:
    """What the agent replies to these requests, after a socket was made."""
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
def test_texts(interpreter: str) -> None:
    arguments = f"[{','.join(TEXTS.values())}]"
    assert echoed(interpreter, arguments) == json.loads(arguments)


@pytest.mark.usefixtures("codec")
def test_whole_numbers(interpreter: str) -> None:
    values = echoed(interpreter, json.dumps(list(NUMBERS.values())))
    assert values == list(NUMBERS.values())
    assert {type(value) for value in values} == {int}


@pytest.mark.usefixtures("codec")
def test_whole_numbers_that_no_float_holds(interpreter: str) -> None:
    values = echoed(interpreter, json.dumps(list(WIDE.values())))
    exact = interpreter in INTEGERS
    assert values == [value if exact else int(float(value)) for value in WIDE.values()]


@pytest.mark.usefixtures("codec")
def test_numbers_past_64_bits_are_foreign(interpreter: str) -> None:
    values = echoed(interpreter, "[1e300, 36893488147419103232]")
    assert [value["type"] for value in values] == ["foreign", "foreign"]


@pytest.mark.usefixtures("codec")
def test_fractions(interpreter: str) -> None:
    assert echoed(interpreter, "[0.5, -0.1, 1e-300, 1.5e3]") == [0.5, -0.1, 1e-300, 1500]


@pytest.mark.usefixtures("codec")
def test_nils_count(interpreter: str) -> None:
    assert echoed(interpreter, "[null]") == [None]
    assert echoed(interpreter, "[2, null, 1, null, null]") == [2, None, 1, None, None]
    assert echoed(interpreter, "[]") == []
    assert echoed(interpreter, "[true, false, null]") == [True, False, None]


@pytest.mark.usefixtures("codec")
def test_pairs_may_have_nils(interpreter: str) -> None:
    line = '{"do":"call","id":3,"socket":1,"method":"setopt","args":["ip","add_membership",["a",null]]}'
    assert ask(interpreter, line)[0]["values"] == ["ip", "add_membership", "a", None]


@pytest.mark.usefixtures("codec")
def test_buffers(interpreter: str) -> None:
    every = bytes(range(256))
    line = '{"do":"call","id":3,"socket":1,"method":"recv","args":[{"type":"buffer","hex":"%s"}]}'
    replies = ask(interpreter, line % every.hex(), line % every.hex().upper(), line % "", line % ("00ff" * 40000))
    assert [reply["values"][0]["hex"] for reply in replies] == [every.hex(), every.hex(), "", "00ff" * 40000]


@pytest.mark.usefixtures("codec")
def test_space_between_the_parts_of_a_request(interpreter: str) -> None:
    line = (
        ' { "do" : "call" , "id" : 3 , "socket" : 1 ,\t"method" : "echo" , "args" : [ 1 , [ ] , { "hex" : "61" } ] } '
    )
    values = ask(interpreter, line)[0]["values"]
    assert values[0] == 1
    assert values[1]["name"] == "table"
    assert values[2] == "a"


@pytest.mark.usefixtures("codec")
def test_requests_that_the_protocol_does_not_have(interpreter: str) -> None:
    reply, other, *rest = ask(
        interpreter,
        '{"do":"dance","id":3}',
        '{"id":4}',
        '{"do":"call","id":5,"socket":1,"method":"bind"}',
        '{"do":"call","id":6,"socket":99,"method":"bind","args":[]}',
        '{"do":"call","id":7,"args":[]}',
    )
    assert [(each["reply"], each["missing"]) for each in rest] == [("unsupported", False)] * 3
    assert reply == {"id": 3, "reply": "unsupported", "message": "no request dance", "missing": False}
    assert other["reply"] == "unsupported"


BROKEN = [
    '{"do":',
    "[1,]",
    '{"a" 1}',
    '"\\ud800"',
    '"\\x"',
    "{} {}",
    "tru",
    "[" * 100_000,
    '"abc',
    "1 2",
    "",
    "-",
    "nul",
    '{"a":}',
    '{"a":1,}',
]


@pytest.mark.parametrize("line", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_json_is_answered_so(interpreter: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIXIO_AGENT_JSON", "own")
    done = subprocess.run(
        [interpreter, str(AGENT), str(FAKE)],
        input=line + "\n", capture_output=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip
    reply = json.loads(done.stdout)
    assert (done.returncode, reply["id"], reply["reply"], reply["missing"]) == (0, 0, "unsupported", False)
    assert "a request is not a JSON object" in reply["message"]


@pytest.mark.parametrize("interpreter", INTEGERS, indirect=True)
def test_a_library_that_is_not_exact_is_refused_by_name(interpreter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIXIO_AGENT_JSON", "cjson")
    hello = '{"do":"hello","id":1,"protocol":1}\n'
    done = subprocess.run(
        [interpreter, str(AGENT), str(FAKE)], input=hello, capture_output=True, text=True, timeout=60, check=False
    )
    reply = json.loads(done.stdout)
    assert reply["reply"] == "unavailable"
    assert "NIXIO_AGENT_JSON asks for cjson" in reply["message"]
