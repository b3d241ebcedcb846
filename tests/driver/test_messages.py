"""The published JSON Schema accepts recorded traffic in both directions, and refuses malformed messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import msgspec
import pytest
from tests.agents.support import open_socket

from nixio_conformance.driver import messages
from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.wire import HeldAs
from nixio_conformance.target.python import python_agent

Begin = Callable[..., Session]


class Recorded(AgentProcess):
    """A process whose traffic is recorded."""

    sent: list[bytes]
    received: list[bytes]

    def send(self, line: bytes, deadline: Deadline) -> None:
        self.sent.append(line)
        super().send(line, deadline)

    def receive(self, deadline: Deadline) -> bytes:
        line = super().receive(deadline)
        self.received.append(line)
        return line


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found = messages.schema()
    jsonschema.Draft202012Validator.check_schema(found)
    return found


def valid(schema: dict[str, Any], side: str, message: object) -> bool:
    validator = jsonschema.Draft202012Validator({"$ref": f"#/$defs/{side}", "$defs": schema["$defs"]})
    return bool(validator.is_valid(message))


def test_recorded_traffic_is_valid_in_its_direction_only(begin: Begin, schema: dict[str, Any]) -> None:
    agent = Recorded(python_agent("entry-point", "reference"))
    agent.sent, agent.received = [], []
    session = begin(start=lambda: agent)
    sock = open_socket(session)
    sock.bind("127.0.0.1", 0)
    sock.getsockname()
    sock.setopt("socket", "rcvtimeo", (1, 500))
    sock.call("send", HeldAs(b"\x00\xff", "bytearray"), 0, None)
    sock.call("recv", -1.5, "x", True, None)
    sock.call("absent")
    sock.listen(2)
    sock.start("accept").blocked()
    session.kill()
    requests = [json.loads(line) for line in agent.sent]
    replies = [json.loads(line) for line in agent.received]
    assert len(requests) == 10
    assert {reply["reply"] for reply in replies} == {"hello", "values", "failure", "unsupported"}
    for message in requests:
        assert valid(schema, "request", message), message
        assert not valid(schema, "reply", message), message
    for message in replies:
        assert valid(schema, "reply", message), message
        assert not valid(schema, "request", message), message


MALFORMED = [
    [],
    {},
    {"id": 1},
    {"id": 1, "reply": "value"},
    {"id": "1", "reply": "values", "values": []},
    {"reply": "values", "values": []},
    {"id": 1, "reply": "values"},
    {"id": 1, "reply": "values", "values": None},
    {"id": 1, "reply": "values", "values": [[1]]},
    {"id": 1, "reply": "values", "values": [], "extra": 1},
    {"id": 1, "reply": "values", "values": [{"type": "buffer"}]},
    {"id": 1, "reply": "values", "values": [{"type": "bytes", "hex": "00"}]},
    {"id": 1, "reply": "values", "values": [{"type": "socket", "socket": "1"}]},
    {"id": 1, "reply": "failure"},
    {"id": 1, "reply": "failure", "kind": "error"},
    {"id": 1, "reply": "failure", "kind": "system", "number": "111"},
    {"id": 1, "reply": "unsupported"},
    {"id": 1, "reply": "hello", "protocol": 1},
    {"id": 1, "reply": "hello", "protocol": 1, "name": "", "buffersize": 0},
    {"id": 1, "reply": "instead", "argv": "lua"},
]


@pytest.mark.parametrize("message", MALFORMED, ids=json.dumps)
def test_a_malformed_reply_is_refused_by_schema_and_decoder(schema: dict[str, Any], message: object) -> None:
    assert not valid(schema, "reply", message)
    with pytest.raises(msgspec.DecodeError):
        messages.decode_reply(json.dumps(message).encode())


@pytest.mark.parametrize(
    "message",
    [
        {"id": 1, "reply": "values", "values": [None, True, 1, 1.5, "x", {"type": "buffer", "hex": "00ff"}]},
        {"id": 1, "reply": "values", "values": [{"type": "foreign", "name": "list", "repr": "[]"}]},
        {"id": 1, "reply": "failure", "kind": "system", "number": None, "name": "EPERM"},
        {"id": 1, "reply": "unsupported", "message": "no"},
        {"id": 1, "reply": "hello", "protocol": 1, "name": "x"},
        {"id": 1, "reply": "instead", "argv": ["lua"]},
        {"id": 1, "reply": "unavailable", "message": "no"},
    ],
    ids=json.dumps,
)
def test_a_valid_reply_is_accepted_by_schema_and_decoder(schema: dict[str, Any], message: object) -> None:
    assert valid(schema, "reply", message)
    messages.decode_reply(json.dumps(message).encode())


@pytest.mark.parametrize(
    "request_",
    [{"id": 1, "do": "call"}, {"id": 1, "do": "fly"}, {"do": "reset"}, {"id": 1, "do": "socket", "args": [{}]}],
    ids=json.dumps,
)
def test_a_malformed_request_is_refused_by_the_schema(schema: dict[str, Any], request_: object) -> None:
    assert not valid(schema, "request", request_)


def test_a_reply_of_millions_of_values_is_not_decoded() -> None:
    many = messages.MOST_PARTS + 1
    with pytest.raises(msgspec.DecodeError, match="more than 1000000 values and fields"):
        messages.decode_reply(b'{"id": 1, "reply": "values", "values": [%s 1]}' % (b"1," * many))
    text = '\\",' * many
    reply = messages.decode_reply(f'{{"id": 1, "reply": "values", "values": ["{text}"]}}'.encode())
    assert reply == messages.Values(1, [text.replace("\\", "")])
