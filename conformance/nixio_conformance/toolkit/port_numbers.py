"""Spellings of a port that the checks of bind and connect share: what each makes of a port that is free or in use."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Spelling = Callable[[int], int | str]

#: Ways to refuse a port: as an argument, as a service that there is none of, or by the system, with the address.
REFUSED = ("argument", "resolver", "EINVAL", "EADDRNOTAVAIL", "ERANGE", "EOVERFLOW")

#: Outside of 0 to 65535. Whoever keeps 16 or 32 bits only takes most of them for the port itself.
OUT_OF_RANGE = [
    pytest.param(lambda port: 65536, id="65536"),
    pytest.param(lambda port: 70000, id="70000"),
    pytest.param(lambda port: -1, id="-1"),
    pytest.param(lambda port: port + 2**16, id="port+2^16"),
    pytest.param(lambda port: port - 2**16, id="port-2^16"),
    pytest.param(lambda port: -port, id="-port"),
    pytest.param(lambda port: port + 2**31, id="port+2^31"),
    pytest.param(lambda port: port + 2**32, id="port+2^32"),
    pytest.param(lambda port: port - 2**32, id="port-2^32"),
    pytest.param(lambda port: port + 2**48, id="port+2^48"),
]

#: Other notations of the port's number: they may be refused or understood.
SPELLINGS = [
    pytest.param(lambda port: f" {port}", id="space-before"),
    pytest.param(lambda port: f"{port} ", id="space-after"),
    pytest.param(lambda port: f"{port}\n", id="newline"),
    pytest.param(lambda port: f"+{port}", id="plus"),
    pytest.param(lambda port: f"0{port}", id="zero-before"),
    pytest.param(lambda port: f"{port:#x}", id="hexadecimal"),
    pytest.param(lambda port: f"{port:_}", id="underscore"),
    pytest.param(lambda port: f"{port}.0", id="point-zero"),
    pytest.param(lambda port: "".join(chr(0xFEE0 + ord(digit)) for digit in str(port)), id="wide-digits"),
]

#: Digits that begin as the port does or end in its bits, and are no port as a whole.
TRAILING = [
    pytest.param(lambda port: f"{port}x", id="letter"),
    pytest.param(lambda port: f"{port} 1", id="word"),
    pytest.param(lambda port: f"{port}/tcp", id="protocol"),
    pytest.param(lambda port: f"{port}.5", id="fraction"),
    pytest.param(lambda port: str(port + 2**64), id="port+2^64"),
]

WRONG_TYPES = [
    pytest.param(True, id="true"),
    pytest.param(False, id="false"),
    pytest.param((80,), id="list"),
]


def in_form(port: int | str, form: str) -> int | str:
    """A port as a number or as text."""
    return str(port) if form == "text" else port


#: What a UNIX socket ignores in the place of a port: anything at all.
IGNORED = [
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
