"""Arguments and results: each sort goes through the agent as it is."""

from __future__ import annotations

import os
import socket

from nixio_conformance.agentcheck.agent import Fault
from nixio_conformance.agentcheck.cases import Play, buffer, bytes_of, case, receive
from nixio_conformance.driver import messages

EVERY_BYTE = bytes(range(256))


@case(
    "values.buffer-out",
    says='A buffer is {"type": "buffer", "hex": "00ff"}: any bytes, NUL and those above 127 too.',
    mend="turn hex into bytes, and not into text of some encoding; mind functions that end at NUL",
)
def buffer_out(play: Play) -> None:
    """Every byte goes out as it is"""
    number, peer = play.connected()
    (count,) = play.agent.returns("number", number, "send", buffer(EVERY_BYTE))
    if (got := receive(peer, 256)) != EVERY_BYTE or count != 256:
        raise Fault(f"send returned {count}, and the other end received {got!r}"[:400])


@case(
    "values.buffer-in",
    says='What was received is a buffer: {"type": "buffer", "hex": "00ff"}.',
    mend='send what recv returns as {"type": "buffer", "hex": ...}, two digits for each byte',
)
def buffer_in(play: Play) -> None:
    """Every byte comes in as it is, and nothing is an empty buffer"""
    number, peer = play.connected()
    peer.sendall(EVERY_BYTE)
    (got,) = play.agent.returns("buffer", number, "recv", 512)
    if bytes_of(got) != EVERY_BYTE:
        raise Fault(f"256 bytes were sent, and recv returned {bytes_of(got)!r}"[:400])
    peer.shutdown(socket.SHUT_WR)
    (end,) = play.agent.returns("buffer", number, "recv", 512)
    if bytes_of(end) != b"":
        raise Fault("at the end of the stream recv returns an empty buffer")


@case(
    "values.buffer-in-large",
    says="A reply is one line, however long.",
    mend="write the whole reply: a pipe takes only a part of it at once (use the language's buffered output, or loop)",
)
def buffer_in_large(play: Play) -> None:
    """As much as the port's buffersize in one reply"""
    number, peer = play.connected()
    size = min(play.agent.welcome.buffersize, 1 << 20)
    data = os.urandom(size)
    peer.sendall(data)
    got = b""
    while len(got) < size:
        (part,) = play.agent.returns("buffer", number, "recv", size - len(got))
        if not bytes_of(part):
            break
        got += bytes_of(part)
    if got != data:
        raise Fault(f"{size} bytes were sent, and other {len(got)} bytes were received")


@case(
    "values.null",
    says="null in `args` is an argument that was passed as nil or None; those behind it keep their place.",
    mend="keep null's place in `args` (in Lua: have the decoder tell the list's length, and unpack(args, 1, n))",
)
def null(play: Play) -> None:
    """A null between two arguments keeps its place"""
    number, peer = play.connected()
    (count,) = play.agent.returns("number", number, "send", buffer(b"abcdef"), None, 2)
    got = receive(peer, count) if isinstance(count, int) else b""
    if got != b"ab":
        raise Fault(f"send(\"abcdef\", null, 2) sent {got!r}, and should send b'ab': from the start, two bytes")


@case(
    "values.left-out",
    says="An argument that is not in `args` was left out.",
    mend="pass as many arguments as `args` has, and no defaults of the agent's own",
)
def left_out(play: Play) -> None:
    """Arguments at the end may be left out, or be null"""
    number, peer = play.connected()
    for rest in ((), (None,), (None, None), (1,), (1, None)):
        (count,) = play.agent.returns("number", number, "send", buffer(b"abc"), *rest)
        want = b"abc"[rest[0] or 0 :] if rest else b"abc"
        if (got := receive(peer, len(want))) != want or count != len(want):
            shown = "".join(f", {'null' if value is None else value}" for value in rest)
            raise Fault(f'send("abc"{shown}) sent {got!r} and returned {count}')


@case(
    "values.text",
    needs="unix",
    says="Text is Unicode, in JSON's escapes or as UTF-8, both ways.",
    mend="use a JSON library for both directions: \\uD834\\uDD1E is one character (U+1D11E); quotes, backslashes and "
    "control characters are escaped in replies; text goes to the system in UTF-8",
)
def text(play: Play) -> None:
    """Letters, quotes, backslashes and control characters in a path"""
    for number, name in enumerate(("q\"u\\o'te", "tab\tline\nend", "\u00fc\u2603\U0001d11e", "\x01\x7f", "a b")):
        path = f"{play.folder}/{number}{name}"
        socket_ = play.agent.open("unix", "dgram")
        play.agent.returns("true", socket_, "bind", path, None)
        if f"{number}{name}" not in os.listdir(play.folder):
            raise Fault(f"bind should make the file {path!r}; there are {sorted(os.listdir(play.folder))}"[:400])
        host, _ = play.agent.returns("an address", socket_, "getsockname")
        if host != path:
            raise Fault(f"getsockname should tell {path!r}")


@case(
    "values.text-utf-8",
    needs="unix",
    says="Text is Unicode, in JSON's escapes or as UTF-8.",
    mend="read the input as UTF-8, whatever the system's locale says",
)
def text_utf_8(play: Play) -> None:
    """Letters that are not escaped"""
    path = f"{play.folder}/\u00fc\u2603"
    number, identifier = play.agent.open("unix", "dgram"), play.agent.next_id()
    line = f'{{"do": "call", "id": {identifier}, "socket": {number}, "method": "bind", "args": ["{path}", null]}}'
    play.agent.say(line.encode())
    play.agent.values("true", play.agent.hear(identifier), "bind")
    if "\u00fc\u2603" not in os.listdir(play.folder):
        raise Fault(f"bind should make the file {path!r}; there are {os.listdir(play.folder)}"[:400])


@case(
    "values.large-numbers",
    says="Numbers up to 2^63 - 1 reach the port as they are; what the language cannot hold is answered `unsupported` "
    "with `missing` false.",
    mend="read integers as 64 bits (or doubles, up to 2^53), and never cut them to 32",
)
def large_numbers(play: Play) -> None:
    """An offset of 2^32 is not 0"""
    number, peer = play.connected()
    for offset in (2**32, 2**53 - 1, 2**53 + 1, 2**63 - 1, -(2**31) - 1):
        play.agent.call(number, "send", buffer(b"wrapped"), offset, 7)
    play.agent.returns("number", number, "send", buffer(b"!"))
    if (got := receive(peer, 1)) != b"!":
        raise Fault(
            f"send() with an offset of 2^32 or more sent {got!r}...",
            "read numbers as 64 bits; where the agent does, it is the port that wraps them",
        )


@case(
    "values.other-numbers",
    says="Fractions and negative numbers are arguments like any other.",
    mend="pass them to the port; where the language cannot, answer `unsupported` with `missing` false",
)
def other_numbers(play: Play) -> None:
    """Fractions, negative and tiny numbers do not disturb the agent"""
    number, _ = play.connected()
    for value in (0.5, -1, 1e300, 1e-300, -0.0):
        play.agent.call(number, "listen", value)
    play.usable()


@case(
    "values.flags",
    says="The documented `true` is true; false is an argument.",
    mend="pass JSON's true and false as the language's own, and send true where the document says true",
)
def flags(play: Play) -> None:
    """true and false, both ways"""
    number, _ = play.connected()
    play.agent.returns("true", number, "setblocking", False)
    play.agent.fails(["would-block"], number, "recv", 1)
    play.agent.returns("true", number, "setblocking", True)


@case(
    "values.pairs",
    says="A pair in an argument is a list of two; getopt returns timeouts as two values.",
    mend="hand the pair to the port as it takes timeouts (two arguments, a table), and send both of its numbers back",
)
def pairs(play: Play) -> None:
    """A timeout goes in as a list and comes back as two values"""
    number, _ = play.datagrams()
    play.agent.returns("true", number, "setopt", "socket", "rcvtimeo", [7, 250000])
    seconds, micro = play.agent.returns("seconds and microseconds", number, "getopt", "socket", "rcvtimeo")
    # The kernel counts in its own ticks.
    if seconds != 7 or not isinstance(micro, int) or not 230000 <= micro <= 270000:
        raise Fault(f"the timeout of 7.25 s is told as {seconds} s and {micro} microseconds")
    play.agent.returns("true", number, "setopt", "socket", "rcvtimeo", [0, 20000])
    play.agent.fails(["would-block"], number, "recv", 1)


@case(
    "values.several",
    says="Several results are several elements of `values`, in the document's order.",
    mend="send [HOST, PORT] for an address, [SOCKET, HOST, PORT] for accept, [BUFFER, HOST, PORT] for recvfrom",
)
def several(play: Play) -> None:
    """Addresses, accept and recvfrom"""
    listening, port = play.listening()
    peer = play.peer()
    peer.connect(("127.0.0.1", port))
    here = list(peer.getsockname())
    if (got := play.agent.returns("what accept returns", listening, "accept")[1:]) != here:
        raise Fault(f"accept should tell the peer's address {here}, and tells {got}")
    number, port = play.datagrams()
    sender = play.peer(kind=socket.SOCK_DGRAM)
    sender.bind(("127.0.0.1", 0))
    sender.sendto(b"ping", ("127.0.0.1", port))
    here = list(sender.getsockname())
    if (got := play.agent.returns("what recvfrom returns", number, "recvfrom", 64)[1:]) != here:
        raise Fault(f"recvfrom should tell the sender's address {here}, and tells {got}")


@case(
    "values.unix",
    needs="unix",
    says='A UNIX address is the path and null; "" stands for one without a name.',
    mend='send ["", null] for an unnamed UNIX socket, and null for its port whenever there is a name',
)
def unix(play: Play) -> None:
    """The address of a UNIX socket"""
    number = play.agent.open("unix", "stream")
    host, port = play.agent.returns("an address", number, "getsockname")
    if (host, port) != ("", None):
        raise Fault(f'an unnamed UNIX socket should be told as ["", null], and is {[host, port]}')
    path = f"{play.folder}/name"
    play.agent.returns("true", number, "bind", path, None)
    host, port = play.agent.returns("an address", number, "getsockname")
    if (host, port) != (path, None):
        raise Fault(f"a bound UNIX socket should be told as [{path!r}, null], and is {[host, port]}")


@case(
    "values.foreign",
    says="Text in `args` may be text that no host or option has; it reaches the port, whose failure is the reply.",
    mend="do not check arguments in the agent: what the port says to them is what is judged",
)
def foreign(play: Play) -> None:
    """Arguments of the wrong type are the port's to refuse"""
    number = play.agent.open()
    for arguments in ([True, {"type": "buffer", "hex": "00"}], [[1, "two", None, False], 0.5]):
        reply = play.agent.call(number, "bind", *arguments)
        if not isinstance(reply, (messages.Failed, messages.Unsupported)):
            raise Fault("this should be a failure, or `unsupported` where the language has no such value")
    play.usable()
