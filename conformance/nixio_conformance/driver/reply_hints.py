"""Hints for authors of agents: what to change in an agent that wrote an invalid reply."""

from __future__ import annotations

import json
from typing import Any

#: Bytes of a line that is not looked at: as Python objects it could be many times as large.
_LONG = 1 << 20
_KINDS = ("system", "would-block", "resolver", "argument", "exception")
_REPLIES = ("hello", "values", "failure", "unsupported", "unavailable")


def hint(line: bytes) -> str:
    """What to change in an agent that wrote this invalid line."""
    if len(line) > _LONG:
        return "send what the call returned, as `nixio-conformance schema` describes it"
    try:
        reply = json.loads(line)
    except (ValueError, RecursionError):
        return _not_json(line)
    if not isinstance(reply, dict):
        return 'a reply is an object: {"reply": "values", "id": 1, "values": [...]}'
    if type(reply.get("id")) is not int:
        return "repeat the request's `id` in the reply, as a number"
    check = {"hello": _hello, "values": _values, "failure": _failure, "unsupported": _unsupported}.get(
        reply.get("reply", "") if isinstance(reply.get("reply"), str) else ""
    )
    if check is None:
        return f"`reply` is {reply.get('reply')!r}, but must be one of {', '.join(_REPLIES)}"[:300]
    return check(reply) or "leave out the fields that the schema does not have (`nixio-conformance schema`)"


def _not_json(line: bytes) -> str:
    if not line.strip():
        return "do not write empty lines: one reply, one line"
    if line.lstrip()[:1] in b'{["':
        return (
            "write valid JSON: names and text in double quotes; in text, escape quotes, backslashes and characters "
            "below U+0020; no NaN and no comma at the end of a list; the whole reply in one line, in UTF-8"
        )
    return (
        "standard output is for replies only: the agent, the implementation and their programs print to standard error "
        "(move the protocol to a copy of descriptor 1 and point 1 at 2)"
    )


def _hello(reply: dict[str, Any]) -> str:
    if type(reply.get("protocol")) is not int:
        return 'say which version the agent speaks: "protocol": 1'
    if not isinstance(reply.get("name"), str):
        return 'name the implementation: "name": "my-nixio"'
    if not isinstance(reply.get("capabilities", []), list):
        return (
            "`capabilities` is a list of names: [] if there are none (an empty table of Lua becomes {} in some JSON "
            "libraries)"
        )
    size = reply.get("buffersize", 1)
    if type(size) is not int or size < 1:
        return "`buffersize` is a number of bytes, at least 1; leave it out for 8192"
    return _texts(reply, ("version", "language", "platform"))


def _values(reply: dict[str, Any]) -> str:
    values = reply.get("values")
    if not isinstance(values, list):
        return (
            "`values` is a list even for one value or none: [true], [] (an empty table of Lua becomes {} in some JSON "
            "libraries)"
        )
    for value in values:
        if isinstance(value, list):
            return "several results are several elements of `values`: it never contains a list"
        if isinstance(value, dict) and (found := _object(value)):
            return found
    return ""


def _object(value: dict[str, Any]) -> str:
    match value.get("type"):
        case "buffer":
            return "" if isinstance(value.get("hex"), str) else 'a buffer is {"type": "buffer", "hex": "00ff"}'
        case "socket":
            return "" if type(value.get("socket")) is int else 'a socket is {"type": "socket", "socket": 1}'
        case "foreign":
            named = isinstance(value.get("name"), str) and isinstance(value.get("repr"), str)
            return "" if named else 'a foreign value is {"type": "foreign", "name": "table", "repr": "..."}'
    return "an object in `values` needs a `type`: buffer, socket or foreign"


def _failure(reply: dict[str, Any]) -> str:
    if reply.get("kind") not in _KINDS:
        return f"a failure needs its `kind`: {', '.join(_KINDS)}"
    if not isinstance(reply.get("number"), (int, type(None))):
        return "`number` is the number of the error, as a JSON number; leave it out if there is none"
    return _texts(reply, ("name", "message"))


def _unsupported(reply: dict[str, Any]) -> str:
    if not isinstance(reply.get("missing", True), bool):
        return "`missing` is true (the implementation lacks the method) or false (the agent cannot make the request)"
    return "say in `message` what is not supported" if not isinstance(reply.get("message"), str) else ""


def _texts(reply: dict[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        if not isinstance(reply.get(name, ""), str):
            return f"`{name}` is text; leave it out if there is none"
    return ""
