"""The agent protocol's messages: JSON Lines, one request, one reply.

This module defines the protocol: the structs below are its messages, `schema()` returns them as JSON Schema, and
`decode_reply` validates what agents send. `agents/python.py` is an agent that speaks it; docs/protocol.md describes it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

#: The only version so far. The handshake states it, so that later versions can be distinguished.
VERSION = 1
#: Most values of a reply, and fields of these values. A call of the contract returns at most three values.
MOST_PARTS = 1_000_000
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"')


class Buffer(Struct, frozen=True, tag_field="type", tag="buffer", forbid_unknown_fields=True):
    """Bytes, as hexadecimal digits. `held_as` asks a Python agent to pass another bytes-like type than `bytes`."""

    hex: str
    held_as: Literal["bytes", "bytearray", "memoryview", "array"] = "bytes"


class SocketRef(Struct, frozen=True, tag_field="type", tag="socket", forbid_unknown_fields=True):
    """A socket that the agent holds, by the number that the agent assigned."""

    socket: int


class Foreign(Struct, frozen=True, tag_field="type", tag="foreign", forbid_unknown_fields=True):
    """A returned value of a type outside the contract, such as a list: the type's name and the value as text."""

    name: str
    repr: str


Value = None | bool | int | float | str | Buffer | SocketRef | Foreign
Argument = None | bool | int | float | str | Buffer | list[bool | int | float | str | None]


class Hello(Struct, frozen=True, tag_field="do", tag="hello", forbid_unknown_fields=True):
    """First request: asks for the implementation's name and the agent's protocol version."""

    id: int
    protocol: int = VERSION


class OpenSocket(Struct, frozen=True, tag_field="do", tag="socket", forbid_unknown_fields=True):
    """Call the factory. The value of the reply is the new socket."""

    id: int
    args: list[Argument]


class Call(Struct, frozen=True, tag_field="do", tag="call", forbid_unknown_fields=True):
    """Call a method of a socket. An argument missing from `args` was left out; null is passed as nil or None."""

    id: int
    socket: int
    method: str
    args: list[Argument]


class Forget(Struct, frozen=True, tag_field="do", tag="forget", forbid_unknown_fields=True):
    """Drop the last reference to a socket without closing it, and collect garbage. Capability `gc`."""

    id: int
    socket: int


class Reset(Struct, frozen=True, tag_field="do", tag="reset", forbid_unknown_fields=True):
    """End of a case: close every socket that is still held, ignoring failures. The reply has no values."""

    id: int


Request = Hello | OpenSocket | Call | Forget | Reset


class Welcome(Struct, frozen=True, tag_field="reply", tag="hello", forbid_unknown_fields=True):
    """Reply to hello: describes the implementation. If `name` is empty, reports use the name that the user gave."""

    id: int
    protocol: int
    name: str
    version: str = ""
    language: str = ""
    platform: str = ""
    capabilities: list[str] = []
    buffersize: Annotated[int, Meta(ge=1)] = 8192
    #: The agent's own process id, 0 if unknown. It differs from the started process where the agent runs behind ssh,
    #: in a container or under a shell.
    pid: int = 0


class Instead(Struct, frozen=True, tag_field="reply", tag="instead", forbid_unknown_fields=True):
    """Reply to hello: the implementation is an agent program itself; start that program."""

    id: int
    argv: list[str]


class Unavailable(Struct, frozen=True, tag_field="reply", tag="unavailable", forbid_unknown_fields=True):
    """Reply to hello: the implementation cannot be loaded; `message` says why."""

    id: int
    message: str


class Values(Struct, frozen=True, tag_field="reply", tag="values", forbid_unknown_fields=True):
    """The call returned these values, in order."""

    id: int
    values: list[Value]


class Failed(Struct, frozen=True, tag_field="reply", tag="failure", forbid_unknown_fields=True):
    """The call failed. `exception` is any failure outside the contract, and always a finding."""

    id: int
    kind: Literal["system", "would-block", "resolver", "argument", "exception"]
    #: The errno of the agent's machine (`system`, `would-block`), or the resolver's code.
    number: int | None = None
    #: Its symbolic name (`ECONNREFUSED`, `EAI_NONAME`) where the agent knows it.
    name: str = ""
    message: str = ""


class Unsupported(Struct, frozen=True, tag_field="reply", tag="unsupported", forbid_unknown_fields=True):
    """The implementation has no such method, or the agent cannot express the request."""

    id: int
    message: str
    #: True: the implementation lacks the method (judged). False: this agent cannot make the request (not judged).
    missing: bool = True


Reply = Welcome | Instead | Unavailable | Values | Failed | Unsupported

encode_request = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Reply)


def decode_reply(line: bytes) -> Reply:
    """Decode one line as a reply; raises `msgspec.DecodeError` with the reason for anything else."""
    # Decoded, millions of short values are many times as large as their line. In texts a comma is no separator.
    commas = line.count(b",")
    if commas > MOST_PARTS and commas - sum(text[0].count(b",") for text in _TEXT.finditer(line)) > MOST_PARTS:
        raise msgspec.ValidationError(f"it has more than {MOST_PARTS} values and fields")
    try:
        reply: Reply = _decoder.decode(line)
    except RecursionError:
        raise msgspec.ValidationError("it has thousands of objects or lists within each other") from None
    return reply


def schema() -> dict[str, Any]:
    """JSON Schema of both directions: `$defs` has every message; `request` and `reply` are their unions."""
    (request, reply), definitions = msgspec.json.schema_components([Request, Reply], ref_template="#/$defs/{name}")
    for choice in request["anyOf"]:
        # Agents ignore unknown fields of a request; the suite accepts none in a reply.
        definitions[choice["$ref"].rpartition("/")[2]].pop("additionalProperties", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"nixio conformance agent protocol, version {VERSION}",
        "anyOf": [{"$ref": "#/$defs/request"}, {"$ref": "#/$defs/reply"}],
        "$defs": {**definitions, "request": request, "reply": reply},
    }
