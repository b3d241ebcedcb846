"""The agent protocol's messages: JSON Lines, one request, one reply.

This module is the protocol: the structs below are what may be said, `schema()` prints them as JSON Schema, and
`decode_reply` holds every agent to them. `agents/python.py` is an agent that speaks it; docs/protocol.md tells it in
words.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

#: The only version there is. The first exchange states it, so that a later one can be told apart.
VERSION = 1


class Buffer(Struct, frozen=True, tag_field="type", tag="buffer", forbid_unknown_fields=True):
    """Bytes, as hexadecimal digits. `held_as` asks a Python agent for another bytes-like type than `bytes`."""

    hex: str
    held_as: Literal["bytes", "bytearray", "memoryview", "array"] = "bytes"


class SocketRef(Struct, frozen=True, tag_field="type", tag="socket", forbid_unknown_fields=True):
    """A socket that the agent holds, by the number that the agent gave it."""

    socket: int


class Foreign(Struct, frozen=True, tag_field="type", tag="foreign", forbid_unknown_fields=True):
    """A value that the port returned and that the contract does not know, such as a list: type and text."""

    name: str
    repr: str


Value = None | bool | int | float | str | Buffer | SocketRef | Foreign
Argument = None | bool | int | float | str | Buffer | list[bool | int | float | str | None]


class Hello(Struct, frozen=True, tag_field="do", tag="hello", forbid_unknown_fields=True):
    """First request: who are you, and do you speak this version?"""

    id: int
    protocol: int = VERSION


class OpenSocket(Struct, frozen=True, tag_field="do", tag="socket", forbid_unknown_fields=True):
    """Call the factory. The reply's value is the new socket."""

    id: int
    args: list[Argument]


class Call(Struct, frozen=True, tag_field="do", tag="call", forbid_unknown_fields=True):
    """Call a method of a socket. An argument that is not there was left out; null was passed as nil or None."""

    id: int
    socket: int
    method: str
    args: list[Argument]


class Forget(Struct, frozen=True, tag_field="do", tag="forget", forbid_unknown_fields=True):
    """Drop the last reference to a socket without closing it, and collect garbage. Capability `gc`."""

    id: int
    socket: int


class Reset(Struct, frozen=True, tag_field="do", tag="reset", forbid_unknown_fields=True):
    """The case is over: close every socket that is still held, ignoring failures. The reply has no values."""

    id: int


Request = Hello | OpenSocket | Call | Forget | Reset


class Welcome(Struct, frozen=True, tag_field="reply", tag="hello", forbid_unknown_fields=True):
    """Reply to hello: which implementation this is. One that has no name of its own goes by what the user called it."""

    id: int
    protocol: int
    name: str
    version: str = ""
    language: str = ""
    platform: str = ""
    capabilities: list[str] = []
    buffersize: int = 8192
    #: The agent's own process id, as it sees it; 0 where it does not know. One that is not the process that was
    #: started is behind ssh or the like.
    pid: int = 0


class Instead(Struct, frozen=True, tag_field="reply", tag="instead", forbid_unknown_fields=True):
    """Reply to hello: what was asked for is an agent program; start that."""

    id: int
    argv: list[str]


class Unavailable(Struct, frozen=True, tag_field="reply", tag="unavailable", forbid_unknown_fields=True):
    """Reply to hello: the implementation cannot be loaded, and why."""

    id: int
    message: str


class Values(Struct, frozen=True, tag_field="reply", tag="values", forbid_unknown_fields=True):
    """The call returned: its values in order."""

    id: int
    values: list[Value]


class Failed(Struct, frozen=True, tag_field="reply", tag="failure", forbid_unknown_fields=True):
    """The call failed, in one of the contract's ways; `exception` is any other way, and always a finding."""

    id: int
    kind: Literal["system", "would-block", "resolver", "argument", "exception"]
    #: The system's error as a number of the agent's machine (`system`, `would-block`), or the resolver's code.
    number: int | None = None
    #: Its symbolic name (`ECONNREFUSED`, `EAI_NONAME`) where the agent knows it.
    name: str = ""
    message: str = ""


class Unsupported(Struct, frozen=True, tag_field="reply", tag="unsupported", forbid_unknown_fields=True):
    """The implementation has no such method, or the agent cannot express the request."""

    id: int
    message: str
    #: True: the implementation lacks it (judged). False: this agent cannot ask for it (not judged).
    missing: bool = True


Reply = Welcome | Instead | Unavailable | Values | Failed | Unsupported

encode_request = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Reply)


def decode_reply(line: bytes) -> Reply:
    """One line as a reply; `msgspec.DecodeError` says what is wrong with it."""
    reply: Reply = _decoder.decode(line)
    return reply


def schema() -> dict[str, Any]:
    """JSON Schema of both directions: `$defs` has every message, `request` and `reply` are the closed sums."""
    (request, reply), definitions = msgspec.json.schema_components([Request, Reply], ref_template="#/$defs/{name}")
    for choice in request["anyOf"]:
        # An agent passes over fields that it does not know; the suite takes no reply that has any.
        definitions[choice["$ref"].rpartition("/")[2]].pop("additionalProperties", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"nixio conformance agent protocol, version {VERSION}",
        "anyOf": [{"$ref": "#/$defs/request"}, {"$ref": "#/$defs/reply"}],
        "$defs": {**definitions, "request": request, "reply": reply},
    }
