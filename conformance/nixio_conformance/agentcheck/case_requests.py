"""Requests of every form: odd ones, wrong ones, and several at once."""

from __future__ import annotations

import json

from nixio_conformance.agentcheck.agent import Fault
from nixio_conformance.agentcheck.cases import Play, buffer, case, receive
from nixio_conformance.driver import messages

_REFUSED = "What an agent cannot understand is answered `unsupported` with `missing` false, and the agent goes on."
#: Seconds for a large line: some languages have JSON libraries that take a character at a time.
_LARGE = 30.0
_LOOK = "look at the fields before they are used, or catch what the request's branch raises, and answer "
_ANSWER = '{"reply": "unsupported", "id": ID, "message": "...", "missing": false}'


@case(
    "requests.id",
    says="A reply repeats the `id` of its request: a whole number, below 2^53.",
    mend="keep ids in 64-bit integers or doubles, and print them as whole numbers (not 4.29e9, not 7.0)",
)
def identifiers(play: Play) -> None:
    """Ids are repeated exactly, also big ones"""
    for identifier in (2**31, 2**32 + 1, 2**53 - 1):
        play.agent.say({"do": "reset", "id": identifier})
        play.agent.hear(identifier)


@case(
    "requests.form",
    says="A request is JSON: fields in any order, spaces, escapes in any text. Fields that the agent does not know "
    "are ignored.",
    mend="read requests with a JSON library, and look fields up by name",
)
def form(play: Play) -> None:
    """The same request in another form of JSON"""
    number = play.agent.open()
    odd = r'{ "colour" : {"deep": [1, {"a": null}]}, "\u0061rgs":[ false ],"method":"set\u0062locking" , "socket": %d,'
    identifier = play.agent.next_id()
    play.agent.say((odd % number + rf' "do":"\u0063all","id":{identifier} }}').encode())
    play.agent.values("true", play.agent.hear(identifier), "setblocking")


@case("requests.unknown-do", says=_REFUSED, mend=f"in the branch for any other `do`, answer {_ANSWER}")
def unknown_do(play: Play) -> None:
    """A request that the agent does not know"""
    identifier = play.agent.next_id()
    play.agent.unsupported({"do": "dance", "id": identifier}, identifier)
    play.usable()


@case("requests.missing-field", says=_REFUSED, mend=_LOOK + _ANSWER)
def missing_field(play: Play) -> None:
    """A request that lacks a field"""
    number = play.agent.open()
    for rest in (
        {"do": "call", "socket": number, "args": []},
        {"do": "call", "method": "fileno", "args": []},
        {"do": "socket"},
        {},
    ):
        identifier = play.agent.next_id()
        play.agent.unsupported({**rest, "id": identifier}, identifier)
    play.usable()


@case("requests.wrong-type", says=_REFUSED, mend=_LOOK + _ANSWER)
def wrong_type(play: Play) -> None:
    """A request with a field of the wrong type"""
    number = play.agent.open()
    for rest in (
        {"do": "call", "socket": "first", "method": "fileno", "args": []},
        {"do": "call", "socket": number, "method": 7, "args": []},
        {"do": "call", "socket": number, "method": "fileno", "args": "none"},
        {"do": 5},
    ):
        identifier = play.agent.next_id()
        play.agent.unsupported({**rest, "id": identifier}, identifier)
    play.usable()


@case(
    "requests.bad-buffer", says=_REFUSED, mend="check that `hex` is pairs of hexadecimal digits, else answer " + _ANSWER
)
def bad_buffer(play: Play) -> None:
    """An argument that is no buffer"""
    number, peer = play.connected()
    for wrong in ({"type": "buffer", "hex": "0g"}, {"type": "buffer", "hex": "abc"}, {"type": "buffer"}):
        identifier = play.agent.next_id()
        play.agent.unsupported(
            {"do": "call", "id": identifier, "socket": number, "method": "send", "args": [wrong]}, identifier
        )
    play.agent.returns("number", number, "send", buffer(b"!"))
    if (got := receive(peer, 1)) != b"!":
        raise Fault(f"something of the refused buffers was sent: {got!r}")


@case(
    "requests.no-json",
    says="Every line is answered by one line. One that is no request is answered `unsupported`, with the id 0 where "
    "it has none.",
    mend='catch what the JSON library raises, and answer {"reply": "unsupported", "id": 0, "message": "...", '
    '"missing": false}',
)
def no_json(play: Play) -> None:
    """Lines that are no requests"""
    for line in (b"GET / HTTP/1.1", b'{"do": "reset", "id": ', b"[]", b"7", b"null", b'"reset"', b"\xff\xfe"):
        play.agent.unsupported(line, 0)
    play.usable()


@case(
    "requests.empty-line",
    says="Every line is answered by one line; an empty one, which is no request, may also be passed over.",
    mend='answer {"reply": "unsupported", "id": 0, "message": "...", "missing": false}, or read the next line',
)
def empty_line(play: Play) -> None:
    """An empty line"""
    identifier = play.agent.next_id()
    play.agent.write(b"\n" + json.dumps({"do": "reset", "id": identifier}).encode() + b"\n")
    reply = play.agent.hear(0, identifier)
    if reply.id == 0:
        if not isinstance(reply, messages.Unsupported):
            raise Fault("this should be `unsupported`")
        play.agent.hear(identifier)


@case(
    "requests.no-id",
    says="A request without an `id` that is a whole number is answered with the id 0.",
    mend="send 0 where the request has no id, and go on",
)
def no_id(play: Play) -> None:
    """A request without an id"""
    play.agent.say({"do": "dance"})
    play.agent.hear(0)
    play.usable()


@case(
    "requests.unknown-socket",
    says="A number that names no socket is answered `unsupported` with `missing` false.",
    mend="look the number up before the call; " + _ANSWER,
)
def unknown_socket(play: Play) -> None:
    """A socket that the agent never handed out"""
    for number in (4711, 0, -1, 2**40):
        identifier = play.agent.next_id()
        request = {"do": "call", "id": identifier, "socket": number, "method": "close", "args": []}
        play.agent.unsupported(request, identifier)
    play.usable()


@case(
    "requests.unknown-method",
    says="A method that the implementation does not have is answered `unsupported` with `missing` true.",
    mend='answer {"reply": "unsupported", "id": ID, "message": "no method ...", "missing": true}: it is judged; with '
    "`missing` false the case is skipped, as if only the agent lacked it",
)
def unknown_method(play: Play) -> None:
    """A method that no port has"""
    number = play.agent.open()
    identifier = play.agent.next_id()
    request = {"do": "call", "id": identifier, "socket": number, "method": "levitate", "args": []}
    play.agent.unsupported(request, identifier, missing=True)
    play.usable()


@case(
    "requests.together",
    says="Requests may stand in the pipe together: they are answered one after the other, in order.",
    mend="read line by line and keep what stands behind a line's end for the next one",
)
def together(play: Play) -> None:
    """Fifty requests in one write"""
    identifiers = [play.agent.next_id() for _ in range(50)]
    lines = [json.dumps({"do": "reset", "id": identifier}) for identifier in identifiers]
    play.agent.write("".join(f"{line}\n" for line in lines).encode())
    for identifier in identifiers:
        play.agent.hear(identifier)


@case(
    "requests.pieces",
    says="A request is a line: it ends with its newline, however many pieces it comes in.",
    mend="read until the newline before the line is parsed",
)
def pieces(play: Play) -> None:
    """A request that comes in two pieces"""
    identifier = play.agent.next_id()
    line = json.dumps({"do": "reset", "id": identifier}).encode()
    play.agent.write(line[:9])
    if play.agent.process.waiting(0.05):
        play.agent.hear()
    play.agent.write(line[9:] + b"\n")
    play.agent.hear(identifier)


@case(
    "requests.large",
    says="A line may be of any length: a buffer of some MB is one line.",
    mend="read lines of any length (no fixed buffer), and convert hex in one pass, not byte by byte to a new text",
)
def large(play: Play) -> None:
    """A buffer of 2 MB in one line"""
    number, peer = play.connected()
    play.agent.returns("true", number, "setblocking", False)
    data = bytes(range(256)) * (2 << 12)
    (count,) = play.agent.returns("number", number, "send", buffer(data), seconds=_LARGE)
    assert isinstance(count, int)
    if not 0 < count <= len(data) or receive(peer, count) != data[:count]:
        raise Fault(f"of {len(data)} bytes, {count} were said to be sent, and others arrived")
