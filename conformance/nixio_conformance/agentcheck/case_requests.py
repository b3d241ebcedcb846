"""Protocol cases: requests in unusual forms, invalid requests, several requests at once."""

from __future__ import annotations

import json

from nixio_conformance.agentcheck.cases import case
from nixio_conformance.agentcheck.checked_agent import Violation
from nixio_conformance.agentcheck.exchange import Exchange, buffer, recv_bytes
from nixio_conformance.driver import messages

_REFUSED = "An invalid request is answered `unsupported` with `missing` false, and the agent continues."
#: Seconds for a large line: JSON libraries of some languages read one character at a time.
_LARGE = 30.0
_VALIDATE = "check the fields before using them, or catch the errors of the request's branch, and answer "
_ANSWER = '{"reply": "unsupported", "id": ID, "message": "...", "missing": false}'


@case(
    "requests.id",
    rule="A reply repeats the `id` of its request: a whole number, below 2^53.",
    hint="keep ids in 64-bit integers or doubles, and print them as whole numbers (not 4.29e9, not 7.0)",
)
def identifiers(exchange: Exchange) -> None:
    """Ids are repeated exactly, even large ones"""
    for identifier in (2**31, 2**32 + 1, 2**53 - 1):
        exchange.agent.send({"do": "reset", "id": identifier})
        exchange.agent.receive(identifier)


@case(
    "requests.form",
    rule="A request is JSON: fields in any order, spaces, escapes in any string. Unknown fields are ignored.",
    hint="parse requests with a JSON library, and access fields by name",
)
def form(exchange: Exchange) -> None:
    """A request with spaces, escapes and unknown fields"""
    number = exchange.agent.open()
    odd = r'{ "colour" : {"deep": [1, {"a": null}]}, "\u0061rgs":[ false ],"method":"set\u0062locking" , "socket": %d,'
    identifier = exchange.agent.next_id()
    exchange.agent.send((odd % number + rf' "do":"\u0063all","id":{identifier} }}').encode())
    exchange.agent.values("true", exchange.agent.receive(identifier), "setblocking")


@case("requests.unknown-do", rule=_REFUSED, hint=f"in the branch for any other `do`, answer {_ANSWER}")
def unknown_do(exchange: Exchange) -> None:
    """An unknown request"""
    identifier = exchange.agent.next_id()
    exchange.agent.unsupported({"do": "dance", "id": identifier}, identifier)
    exchange.check_usable()


@case("requests.missing-field", rule=_REFUSED, hint=_VALIDATE + _ANSWER)
def missing_field(exchange: Exchange) -> None:
    """A request that lacks a field"""
    number = exchange.agent.open()
    for rest in (
        {"do": "call", "socket": number, "args": []},
        {"do": "call", "method": "fileno", "args": []},
        {"do": "socket"},
        {},
    ):
        identifier = exchange.agent.next_id()
        exchange.agent.unsupported({**rest, "id": identifier}, identifier)
    exchange.check_usable()


@case("requests.wrong-type", rule=_REFUSED, hint=_VALIDATE + _ANSWER)
def wrong_type(exchange: Exchange) -> None:
    """A request with a field of the wrong type"""
    number = exchange.agent.open()
    for rest in (
        {"do": "call", "socket": "first", "method": "fileno", "args": []},
        {"do": "call", "socket": number, "method": 7, "args": []},
        {"do": "call", "socket": number, "method": "fileno", "args": "none"},
        {"do": 5},
    ):
        identifier = exchange.agent.next_id()
        exchange.agent.unsupported({**rest, "id": identifier}, identifier)
    exchange.check_usable()


@case(
    "requests.bad-buffer",
    rule=_REFUSED,
    hint="check that `hex` consists of pairs of hexadecimal digits, else answer " + _ANSWER,
)
def bad_buffer(exchange: Exchange) -> None:
    """An argument that is not a valid buffer"""
    number, peer = exchange.connected()
    for wrong in ({"type": "buffer", "hex": "0g"}, {"type": "buffer", "hex": "abc"}, {"type": "buffer"}):
        identifier = exchange.agent.next_id()
        exchange.agent.unsupported(
            {"do": "call", "id": identifier, "socket": number, "method": "send", "args": [wrong]}, identifier
        )
    exchange.agent.returns("number", number, "send", buffer(b"!"))
    if (got := recv_bytes(peer, 1)) != b"!":
        raise Violation(f"data of the refused buffers was sent: {got!r}")


@case(
    "requests.no-json",
    rule="Every line is answered by one line. One that is not a request is answered `unsupported`, with the id 0 if it "
    "has none.",
    hint='catch the errors of the JSON library, and answer {"reply": "unsupported", "id": 0, "message": "...", '
    '"missing": false}',
)
def no_json(exchange: Exchange) -> None:
    """Lines that are not requests"""
    for line in (b"GET / HTTP/1.1", b'{"do": "reset", "id": ', b"[]", b"7", b"null", b'"reset"', b"\xff\xfe"):
        exchange.agent.unsupported(line, 0)
    exchange.check_usable()


@case(
    "requests.empty-line",
    rule="Every line is answered by one line; an empty one may be ignored instead.",
    hint='answer {"reply": "unsupported", "id": 0, "message": "...", "missing": false}, or read the next line',
)
def empty_line(exchange: Exchange) -> None:
    """An empty line"""
    identifier = exchange.agent.next_id()
    exchange.agent.write(b"\n" + json.dumps({"do": "reset", "id": identifier}).encode() + b"\n")
    reply = exchange.agent.receive(0, identifier)
    if reply.id == 0:
        if not isinstance(reply, messages.Unsupported):
            raise Violation("this should be `unsupported`")
        exchange.agent.receive(identifier)


@case(
    "requests.no-id",
    rule="A request without an `id` that is a whole number is answered with the id 0.",
    hint="send 0 if the request has no id, and continue",
)
def no_id(exchange: Exchange) -> None:
    """A request without an id"""
    exchange.agent.send({"do": "dance"})
    exchange.agent.receive(0)
    exchange.check_usable()


@case(
    "requests.unknown-socket",
    rule="A number without a socket is answered `unsupported` with `missing` false.",
    hint="look the number up before the call; " + _ANSWER,
)
def unknown_socket(exchange: Exchange) -> None:
    """A number that the agent never assigned"""
    for number in (4711, 0, -1, 2**40):
        identifier = exchange.agent.next_id()
        request = {"do": "call", "id": identifier, "socket": number, "method": "close", "args": []}
        exchange.agent.unsupported(request, identifier)
    exchange.check_usable()


@case(
    "requests.unknown-method",
    rule="A method that the implementation does not have is answered `unsupported` with `missing` true.",
    hint='answer {"reply": "unsupported", "id": ID, "message": "no method ...", "missing": true}, which is judged; '
    "with `missing` false the case is skipped, as if only the agent lacked the method",
)
def unknown_method(exchange: Exchange) -> None:
    """A method that no implementation has"""
    number = exchange.agent.open()
    identifier = exchange.agent.next_id()
    request = {"do": "call", "id": identifier, "socket": number, "method": "levitate", "args": []}
    exchange.agent.unsupported(request, identifier, missing=True)
    exchange.check_usable()


@case(
    "requests.together",
    rule="Several requests may be in the pipe at once: they are answered one after the other, in order.",
    hint="read line by line, and keep the bytes after a newline for the next line",
)
def together(exchange: Exchange) -> None:
    """Fifty requests in one write"""
    identifiers = [exchange.agent.next_id() for _ in range(50)]
    lines = [json.dumps({"do": "reset", "id": identifier}) for identifier in identifiers]
    exchange.agent.write("".join(f"{line}\n" for line in lines).encode())
    for identifier in identifiers:
        exchange.agent.receive(identifier)


@case(
    "requests.pieces",
    rule="A request ends with its newline, in however many pieces it arrives.",
    hint="read until the newline before parsing the line",
)
def pieces(exchange: Exchange) -> None:
    """A request that arrives in two pieces"""
    identifier = exchange.agent.next_id()
    line = json.dumps({"do": "reset", "id": identifier}).encode()
    exchange.agent.write(line[:9])
    if exchange.agent.process.readable(0.05):
        exchange.agent.receive()
    exchange.agent.write(line[9:] + b"\n")
    exchange.agent.receive(identifier)


@case(
    "requests.large",
    rule="A line may be of any length: a buffer of several MB is one line.",
    hint="read lines of any length (no fixed buffer), and convert hex in one pass, not by appending single bytes",
)
def large(exchange: Exchange) -> None:
    """A buffer of 2 MB in one line"""
    number, peer = exchange.connected()
    exchange.agent.returns("true", number, "setblocking", False)
    data = bytes(range(256)) * (2 << 12)
    (count,) = exchange.agent.returns("number", number, "send", buffer(data), seconds=_LARGE)
    assert isinstance(count, int)
    if not 0 < count <= len(data) or recv_bytes(peer, count) != data[:count]:
        raise Violation(f"send returned {count} of {len(data)} bytes, but different bytes arrived")
