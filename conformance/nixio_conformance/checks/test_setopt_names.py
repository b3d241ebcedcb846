"""getopt and setopt: which levels and options there are, and which arguments there must be."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.option_cases import KINDS, OPTIONS, one, over, setting, spelled, untouched
from nixio_fixtures import Kind, Option, Value, load

LEVELS = ("socket", "tcp", "ip", "ipv6")
#: Kinds of socket where a level's options would do something, were they let through.
AT_HOME = {
    "socket": ("inet-stream", "inet6-dgram", "unix-stream"),
    "tcp": ("inet-stream", "inet6-stream"),
    "ip": ("inet-dgram",),
    "ipv6": ("inet6-dgram",),
}
UNKNOWN_LEVELS = pytest.mark.parametrize("level", ["", "SOCKET", "Socket", "socke", "socket ", "no-level"], ids=repr)
#: 1 and 9 are the system's own numbers for the level socket and its keepalive.
NO_TEXT = pytest.mark.parametrize(
    ("level", "option"),
    [(None, "keepalive"), (True, "keepalive"), (1, "keepalive"), (("socket",), "keepalive"), (1, 9)],
    ids=["none", "true", "number", "tuple", "numbers"],
)


def _spellings(level: str) -> list[str]:
    first = next(option.name for option in OPTIONS if option.level == level)
    return ["", first.upper(), first.capitalize(), first[:-1], f"{first} ", f" {first}", "no-such-option"]


UNKNOWN_OPTIONS = pytest.mark.parametrize(
    ("kind", "level", "word"),
    [
        pytest.param(load().kind(kind), level, word, id=f"{kind}-{level}-{word!r}")
        for level in LEVELS
        for kind in AT_HOME[level]
        for word in _spellings(level)
    ],
)


def _valid_elsewhere(name: str) -> Value:
    """A value that the option takes at its own level: it must not be the value that is refused."""
    option = next(row for row in OPTIONS if row.name == name)
    return setting(option, option.valid[0]) if option.valid else 1


OTHER_LEVELS = pytest.mark.parametrize(
    ("kind", "level", "word"),
    [
        pytest.param(kind, level, name, id=f"{kind.id}-{level}-{name}")
        for level in LEVELS
        for kind in KINDS
        if kind.id in AT_HOME[level]
        for name in sorted({option.name for option in OPTIONS})
        if (level, name) not in {(option.level, option.name) for option in OPTIONS}
    ],
)


@clause("getopt.level.unknown")
@UNKNOWN_LEVELS
def test_get_unknown_level(case: Case, kind: Kind, level: str) -> None:
    expect.refused_argument(case.socket().getopt(level, "keepalive"))


@clause("setopt.level.unknown")
@UNKNOWN_LEVELS
def test_set_unknown_level(case: Case, kind: Kind, level: str) -> None:
    sock = case.socket()
    with untouched(case, sock):
        expect.refused_argument(sock.setopt(level, "keepalive", 1))


@clause("getopt.level.not-text")
@NO_TEXT
def test_get_level_that_is_no_text(case: Case, kind: Kind, level: Argument, option: Argument) -> None:
    expect.refused_argument(case.socket().getopt(level, option))


@clause("setopt.level.not-text")
@NO_TEXT
def test_set_level_that_is_no_text(case: Case, kind: Kind, level: Argument, option: Argument) -> None:
    sock = case.socket()
    with untouched(case, sock):
        expect.refused_argument(sock.setopt(level, option, 1))


@clause("getopt.option.unknown")
@UNKNOWN_OPTIONS
def test_get_unknown_option(case: Case, kind: Kind, level: str, word: str) -> None:
    expect.refused_argument(case.socket().getopt(level, word))


@clause("setopt.option.unknown")
@UNKNOWN_OPTIONS
def test_set_unknown_option(case: Case, kind: Kind, level: str, word: str) -> None:
    sock = case.socket()
    with untouched(case, sock):
        expect.refused_argument(sock.setopt(level, word, 1))


@clause("getopt.option.not-text")
@pytest.mark.parametrize("word", [None, True, 9, ("keepalive",)], ids=["none", "true", "number", "tuple"])
def test_get_option_that_is_no_text(case: Case, kind: Kind, word: Argument) -> None:
    expect.refused_argument(case.socket().getopt("socket", word))


@clause("setopt.option.not-text")
@pytest.mark.parametrize("word", [None, True, 9, ("keepalive",)], ids=["none", "true", "number", "tuple"])
def test_set_option_that_is_no_text(case: Case, kind: Kind, word: Argument) -> None:
    sock = case.socket()
    with untouched(case, sock):
        expect.refused_argument(sock.setopt("socket", word, 1))


@clause("getopt.option.other-level")
@OTHER_LEVELS
def test_get_option_of_another_level(case: Case, kind: Kind, level: str, word: str) -> None:
    expect.refused_argument(case.socket().getopt(level, word))


@clause("setopt.option.other-level")
@OTHER_LEVELS
def test_set_option_of_another_level(case: Case, kind: Kind, level: str, word: str) -> None:
    sock = case.socket()
    with untouched(case, sock):
        expect.refused_argument(sock.setopt(level, word, _valid_elsewhere(word)))


@clause("getopt.arguments.missing")
@pytest.mark.parametrize("arguments", [(), ("socket",)], ids=spelled)
def test_get_without_arguments(case: Case, kind: Kind, arguments: tuple[str, ...]) -> None:
    expect.refused_argument(case.socket().getopt(*arguments))


@clause("setopt.arguments.missing")
@pytest.mark.parametrize("arguments", [(), ("socket",)], ids=spelled)
def test_set_without_arguments(case: Case, kind: Kind, arguments: tuple[str, ...]) -> None:
    expect.refused_argument(case.socket().setopt(*arguments))


@clause("setopt.value.missing")
@over(one)
def test_set_without_value(case: Case, kind: Kind, option: Option) -> None:
    sock = case.socket()
    with untouched(case, sock):
        expect.refused_argument(sock.setopt(option.level, option.name))
