"""Protocol cases: arguments and results pass through the agent unchanged."""

from __future__ import annotations

import os
import socket
import time

from nixio_conformance.agentcheck.cases import case
from nixio_conformance.agentcheck.checked_agent import Violation
from nixio_conformance.agentcheck.exchange import Exchange, buffer, bytes_of, recv_bytes
from nixio_conformance.driver import messages
from nixio_conformance.driver.timeouts import BULK

EVERY_BYTE = bytes(range(256))


@case(
    "values.buffer-out",
    rule='A buffer is {"type": "buffer", "hex": "00ff"}: any bytes, including NUL and those above 127.',
    hint="convert hex into bytes, not into encoded text; avoid functions that stop at NUL",
)
def buffer_out(exchange: Exchange) -> None:
    """Every byte is sent unchanged"""
    number, peer = exchange.connected()
    (count,) = exchange.agent.returns("number", number, "send", buffer(EVERY_BYTE))
    if (got := recv_bytes(peer, 256)) != EVERY_BYTE or count != 256:
        raise Violation(f"send returned {count}, and the other end received {got!r}"[:400])


@case(
    "values.buffer-in",
    rule='Received data is a buffer: {"type": "buffer", "hex": "00ff"}.',
    hint='send what recv returns as {"type": "buffer", "hex": ...}, two digits for each byte',
)
def buffer_in(exchange: Exchange) -> None:
    """Every byte is received unchanged, and end of file is an empty buffer"""
    number, peer = exchange.connected()
    peer.sendall(EVERY_BYTE)
    (got,) = exchange.agent.returns("buffer", number, "recv", 512)
    if bytes_of(got) != EVERY_BYTE:
        raise Violation(f"256 bytes were sent, but recv returned {bytes_of(got)!r}"[:400])
    peer.shutdown(socket.SHUT_WR)
    (end,) = exchange.agent.returns("buffer", number, "recv", 512)
    if bytes_of(end) != b"":
        raise Violation("at the end of the stream, recv should return an empty buffer")


@case(
    "values.buffer-in-large",
    rule="A reply is one line, however long.",
    hint="write the whole reply: one write() to a pipe may be partial (use the language's buffered output, or loop)",
)
def buffer_in_large(exchange: Exchange) -> None:
    """`buffersize` bytes in one reply"""
    number, peer = exchange.connected()
    size = min(exchange.agent.welcome.buffersize, 1 << 20)
    data = os.urandom(size)
    peer.sendall(data)
    got = b""
    end = time.monotonic() + BULK
    while len(got) < size and time.monotonic() < end:
        (part,) = exchange.agent.returns("buffer", number, "recv", size - len(got))
        if not bytes_of(part):
            break
        got += bytes_of(part)
    if got != data:
        raise Violation(f"{size} bytes were sent, and {len(got)} different bytes were received")


@case(
    "values.null",
    rule="null in `args` is an argument that is passed as nil or None; later arguments keep their positions.",
    hint="keep the position of null in `args` (in Lua: keep the list's length, and call unpack(args, 1, n))",
)
def null(exchange: Exchange) -> None:
    """A null between two arguments keeps its position"""
    number, peer = exchange.connected()
    (count,) = exchange.agent.returns("number", number, "send", buffer(b"abcdef"), None, 2)
    got = recv_bytes(peer, count) if isinstance(count, int) else b""
    if got != b"ab":
        raise Violation(f"send(\"abcdef\", null, 2) sent {got!r}, but should send b'ab': two bytes from the start")


@case(
    "values.left-out",
    rule="An argument that is not in `args` was left out.",
    hint="pass as many arguments as `args` has; the agent adds no defaults",
)
def left_out(exchange: Exchange) -> None:
    """Arguments at the end may be left out, or be null"""
    number, peer = exchange.connected()
    for rest in ((), (None,), (None, None), (1,), (1, None)):
        (count,) = exchange.agent.returns("number", number, "send", buffer(b"abc"), *rest)
        want = b"abc"[rest[0] or 0 :] if rest else b"abc"
        if (got := recv_bytes(peer, len(want))) != want or count != len(want):
            shown = "".join(f", {'null' if value is None else value}" for value in rest)
            raise Violation(f'send("abc"{shown}) sent {got!r} and returned {count}')


@case(
    "values.text",
    needs="unix",
    rule="Text is Unicode, in JSON's escapes or as UTF-8, both ways.",
    hint="use a JSON library for both directions: \\uD834\\uDD1E is one character (U+1D11E); quotes, backslashes and "
    "control characters are escaped in replies; text is passed to the system in UTF-8",
)
def text(exchange: Exchange) -> None:
    """Letters, quotes, backslashes and control characters in a path"""
    for number, name in enumerate(("q\"u\\o'te", "tab\tline\nend", "\u00fc\u2603\U0001d11e", "\x01\x7f", "a b")):
        path = f"{exchange.folder}/{number}{name}"
        socket_ = exchange.agent.open("unix", "dgram")
        exchange.agent.returns("true", socket_, "bind", path, None)
        if f"{number}{name}" not in os.listdir(exchange.folder):
            raise Violation(
                f"bind should create the file {path!r}; the folder has {sorted(os.listdir(exchange.folder))}"[:400]
            )
        host, _ = exchange.agent.returns("an address", socket_, "getsockname")
        if host != path:
            raise Violation(f"getsockname should return {path!r}")


@case(
    "values.text-utf-8",
    needs="unix",
    rule="Text is Unicode, in JSON's escapes or as UTF-8.",
    hint="decode the input as UTF-8, whatever the locale",
)
def text_utf_8(exchange: Exchange) -> None:
    """Characters that are not escaped"""
    path = f"{exchange.folder}/\u00fc\u2603"
    number, identifier = exchange.agent.open("unix", "dgram"), exchange.agent.next_id()
    line = f'{{"do": "call", "id": {identifier}, "socket": {number}, "method": "bind", "args": ["{path}", null]}}'
    exchange.agent.send(line.encode())
    exchange.agent.values("true", exchange.agent.receive(identifier), "bind")
    if "\u00fc\u2603" not in os.listdir(exchange.folder):
        raise Violation(f"bind should create the file {path!r}; the folder has {os.listdir(exchange.folder)}"[:400])


@case(
    "values.large-numbers",
    rule="Numbers up to 2^63 - 1 reach the implementation unchanged; a number that the language cannot represent is "
    "answered `unsupported` with `missing` false.",
    hint="read integers as 64 bits (or doubles, up to 2^53), and never truncate them to 32 bits",
)
def large_numbers(exchange: Exchange) -> None:
    """An offset of 2^32 is not 0"""
    number, peer = exchange.connected()
    for offset in (2**32, 2**53 - 1, 2**53 + 1, 2**63 - 1, -(2**31) - 1):
        exchange.agent.call(number, "send", buffer(b"wrapped"), offset, 7)
    exchange.agent.returns("number", number, "send", buffer(b"!"))
    if (got := recv_bytes(peer, 1)) != b"!":
        raise Violation(
            f"send() with an offset of 2^32 or more sent {got!r}...",
            "read numbers as 64 bits; if the agent does, the implementation wraps them",
        )


@case(
    "values.other-numbers",
    rule="Fractions and negative numbers are valid arguments.",
    hint="pass them to the implementation; if the language cannot, answer `unsupported` with `missing` false",
)
def other_numbers(exchange: Exchange) -> None:
    """Fractions, negative and tiny numbers do not harm the agent"""
    number, _ = exchange.connected()
    for value in (0.5, -1, 1e300, 1e-300, -0.0):
        exchange.agent.call(number, "listen", value)
    exchange.check_usable()


@case(
    "values.flags",
    rule="The documented `true` is sent as true; false is a valid argument.",
    hint="convert JSON's true and false to the language's own, and send true if the document says true",
)
def flags(exchange: Exchange) -> None:
    """true and false, in both directions"""
    number, _ = exchange.connected()
    exchange.agent.returns("true", number, "setblocking", False)
    exchange.agent.fails(["would-block"], number, "recv", 1)
    exchange.agent.returns("true", number, "setblocking", True)


@case(
    "values.pairs",
    rule="A pair in an argument is a list of two numbers; getopt returns timeouts as two values.",
    hint="pass the pair as the implementation takes timeouts (two arguments, a table), and send both numbers back",
)
def pairs(exchange: Exchange) -> None:
    """A timeout is set as a list and returned as two values"""
    number, _ = exchange.datagrams()
    exchange.agent.returns("true", number, "setopt", "socket", "rcvtimeo", [7, 250000])
    seconds, micro = exchange.agent.returns("seconds and microseconds", number, "getopt", "socket", "rcvtimeo")
    # The kernel rounds timeouts to its clock ticks.
    if seconds != 7 or not isinstance(micro, int) or not 230000 <= micro <= 270000:
        raise Violation(f"a timeout of 7.25 s was set, and {seconds} s and {micro} microseconds were returned")
    exchange.agent.returns("true", number, "setopt", "socket", "rcvtimeo", [0, 20000])
    exchange.agent.fails(["would-block"], number, "recv", 1)


@case(
    "values.several",
    rule="Several results are several elements of `values`, in the document's order.",
    hint="send [HOST, PORT] for an address, [SOCKET, HOST, PORT] for accept, [BUFFER, HOST, PORT] for recvfrom",
)
def several(exchange: Exchange) -> None:
    """Addresses, accept and recvfrom"""
    listening, port = exchange.listening()
    peer = exchange.peer()
    peer.connect(("127.0.0.1", port))
    here = list(peer.getsockname())
    if (got := exchange.agent.returns("what accept returns", listening, "accept")[1:]) != here:
        raise Violation(f"accept should return the peer's address {here}, but returned {got}")
    number, port = exchange.datagrams()
    sender = exchange.peer(kind=socket.SOCK_DGRAM)
    sender.bind(("127.0.0.1", 0))
    sender.sendto(b"ping", ("127.0.0.1", port))
    here = list(sender.getsockname())
    if (got := exchange.agent.returns("what recvfrom returns", number, "recvfrom", 64)[1:]) != here:
        raise Violation(f"recvfrom should return the sender's address {here}, but returned {got}")


@case(
    "values.unix",
    needs="unix",
    rule='A UNIX address is the path and null; the path of an unnamed socket is "".',
    hint='send ["", null] for an unnamed UNIX socket, and null as the port of any UNIX socket',
)
def unix(exchange: Exchange) -> None:
    """The address of a UNIX socket"""
    number = exchange.agent.open("unix", "stream")
    host, port = exchange.agent.returns("an address", number, "getsockname")
    if (host, port) != ("", None):
        raise Violation(f'the address of an unnamed UNIX socket should be ["", null], but is {[host, port]}')
    path = f"{exchange.folder}/name"
    exchange.agent.returns("true", number, "bind", path, None)
    host, port = exchange.agent.returns("an address", number, "getsockname")
    if (host, port) != (path, None):
        raise Violation(f"the address of a bound UNIX socket should be [{path!r}, null], but is {[host, port]}")


@case(
    "values.foreign",
    rule="An argument of the wrong type reaches the implementation; its failure is the reply.",
    hint="do not validate arguments in the agent: the implementation's answer to them is judged",
)
def foreign(exchange: Exchange) -> None:
    """Arguments of the wrong type are refused by the implementation"""
    number = exchange.agent.open()
    for arguments in ([True, {"type": "buffer", "hex": "00"}], [[1, "two", None, False], 0.5]):
        reply = exchange.agent.call(number, "bind", *arguments)
        if not isinstance(reply, (messages.Failed, messages.Unsupported)):
            raise Violation("this should be a failure, or `unsupported` if the language has no such value")
    exchange.check_usable()
