"""Port arguments for bind and connect: spellings of a port number, and values that are not a port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Spelling:
    """An argument made from a usable port number: another notation of it, or one that is out of range."""

    id: str
    spell: Callable[[int], int | str]

    def __call__(self, port: int) -> int | str:
        return self.spell(port)


#: Failures for a wrong port: a bad argument, an unknown service, or the system's error for the address.
REFUSED = ("argument", "resolver", "EINVAL", "EADDRNOTAVAIL", "ERANGE", "EOVERFLOW")

#: Numbers outside of 0 to 65535. An implementation that keeps only 16 or 32 bits takes most of them for the port.
OUT_OF_RANGE = [
    Spelling("65536", lambda port: 65536),
    Spelling("70000", lambda port: 70000),
    Spelling("-1", lambda port: -1),
    Spelling("port+2^16", lambda port: port + 2**16),
    Spelling("port-2^16", lambda port: port - 2**16),
    Spelling("-port", lambda port: -port),
    Spelling("port+2^31", lambda port: port + 2**31),
    Spelling("port+2^32", lambda port: port + 2**32),
    Spelling("port-2^32", lambda port: port - 2**32),
    Spelling("port+2^48", lambda port: port + 2**48),
]

#: Other notations of the port number. They may be refused or understood.
OTHER_NOTATIONS = [
    Spelling("space-before", lambda port: f" {port}"),
    Spelling("space-after", lambda port: f"{port} "),
    Spelling("newline", lambda port: f"{port}\n"),
    Spelling("plus", lambda port: f"+{port}"),
    Spelling("zero-before", lambda port: f"0{port}"),
    Spelling("hexadecimal", lambda port: f"{port:#x}"),
    Spelling("underscore", lambda port: f"{port:_}"),
    Spelling("point-zero", lambda port: f"{port}.0"),
    Spelling("wide-digits", lambda port: "".join(chr(0xFEE0 + ord(digit)) for digit in str(port))),
]

#: Text that begins with the digits of the port, or a number that ends in its bits; as a whole neither is a port.
WITH_TRAILING_TEXT = [
    Spelling("letter", lambda port: f"{port}x"),
    Spelling("word", lambda port: f"{port} 1"),
    Spelling("protocol", lambda port: f"{port}/tcp"),
    Spelling("fraction", lambda port: f"{port}.5"),
    Spelling("port+2^64", lambda port: str(port + 2**64)),
]

WRONG_TYPES = [
    pytest.param(True, id="true"),
    pytest.param(False, id="false"),
    pytest.param((80,), id="list"),
]

#: Values for the port that a UNIX socket ignores: nixio's document allows any.
IGNORED_BY_UNIX = [
    pytest.param(None, id="none"),
    pytest.param(0, id="0"),
    pytest.param(80, id="80"),
    pytest.param(70000, id="70000"),
    pytest.param(-1, id="-1"),
    pytest.param("nonsense", id="text"),
    pytest.param("", id="empty"),
    pytest.param(1.5, id="fraction"),
    pytest.param(True, id="bool"),
    pytest.param((1, 2), id="list"),
]


def each_spelling(name: str, spellings: list[Spelling]) -> pytest.MarkDecorator:
    """Parameter `name`: each of these spellings."""
    return pytest.mark.parametrize(name, spellings, ids=lambda spelling: spelling.id)
