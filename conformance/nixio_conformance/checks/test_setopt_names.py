"""getopt and setopt: which names of levels and options are refused, and which arguments are required."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.option_cases import KINDS, OPTIONS, one, over, setting, spelled, untouched
from nixio_fixtures import Kind, Option, Value, load

LEVELS = ("socket", "tcp", "ip", "ipv6")
#: For each level, kinds of socket on which its options have an effect, so that an accepted wrong name is noticed.
KINDS_OF_LEVEL = {
    "socket": ("inet-stream", "inet6-dgram", "unix-stream"),
    "tcp": ("inet-stream", "inet6-stream"),
    "ip": ("inet-dgram",),
    "ipv6": ("inet6-dgram",),
}
each_unknown_level = pytest.mark.parametrize(
    "level", ["", "SOCKET", "Socket", "socke", "socket ", "no-level"], ids=repr
)
#: 1 and 9 are Linux's numbers for SOL_SOCKET and SO_KEEPALIVE.
each_non_text = pytest.mark.parametrize(
    ("level", "option"),
    [(None, "keepalive"), (True, "keepalive"), (1, "keepalive"), (("socket",), "keepalive"), (1, 9)],
    ids=["none", "true", "number", "tuple", "numbers"],
)


def wrong_spellings(level: str) -> list[str]:
    """Names similar to that of an option of a level."""
    first = next(option.name for option in OPTIONS if option.level == level)
    return ["", first.upper(), first.capitalize(), first[:-1], f"{first} ", f" {first}", "no-such-option"]


each_unknown_option = pytest.mark.parametrize(
    ("kind", "level", "word"),
    [
        pytest.param(load().kind(kind), level, word, id=f"{kind}-{level}-{word!r}")
        for level in LEVELS
        for kind in KINDS_OF_LEVEL[level]
        for word in wrong_spellings(level)
    ],
)


def valid_value(name: str) -> Value:
    """A value that an option accepts at its own level, so that only the level can be refused."""
    option = next(row for row in OPTIONS if row.name == name)
    return setting(option, option.valid[0]) if option.valid else 1


each_option_elsewhere = pytest.mark.parametrize(
    ("kind", "level", "word"),
    [
        pytest.param(kind, level, name, id=f"{kind.id}-{level}-{name}")
        for level in LEVELS
        for kind in KINDS
        if kind.id in KINDS_OF_LEVEL[level]
        for name in sorted({option.name for option in OPTIONS})
        if (level, name) not in {(option.level, option.name) for option in OPTIONS}
    ],
)


def refuses(case: Case, method: str, level: Argument, option: Argument, value: Value = 1) -> None:
    """Check that getopt or setopt refuses this level and option, and that setopt changes no option of the socket."""
    sock = case.socket()
    if method == "getopt":
        expect.refused_argument(sock.getopt(level, option), "getopt()")
        return
    with untouched(case, sock):
        expect.refused_argument(sock.setopt(level, option, value), "setopt()")


@clause("{setopt,getopt}.level.unknown")
@each_unknown_level
def test_an_unknown_level_is_refused(case: Case, method: str, level: str) -> None:
    refuses(case, method, level, "keepalive")


@clause("{setopt,getopt}.level.not-text")
@each_non_text
def test_a_level_that_is_not_text_is_refused(case: Case, method: str, level: Argument, option: Argument) -> None:
    refuses(case, method, level, option)


@clause("{setopt,getopt}.option.unknown")
@each_unknown_option
def test_an_unknown_option_is_refused(case: Case, method: str, kind: Kind, level: str, word: str) -> None:
    refuses(case, method, level, word)


@clause("{setopt,getopt}.option.not-text")
@pytest.mark.parametrize("word", [None, True, 9, ("keepalive",)], ids=["none", "true", "number", "tuple"])
def test_an_option_that_is_not_text_is_refused(case: Case, method: str, word: Argument) -> None:
    refuses(case, method, "socket", word)


@clause("{setopt,getopt}.option.other-level")
@each_option_elsewhere
def test_an_option_of_another_level_is_refused(case: Case, method: str, kind: Kind, level: str, word: str) -> None:
    refuses(case, method, level, word, valid_value(word))


@clause("{setopt,getopt}.arguments.missing")
@pytest.mark.parametrize("arguments", [(), ("socket",)], ids=spelled)
def test_level_and_option_are_required(case: Case, method: str, arguments: tuple[str, ...]) -> None:
    expect.refused_argument(case.socket().call(method, *arguments), f"{method}()")


@clause("setopt.value.missing")
@over(one)
def test_a_value_is_required(case: Case, kind: Kind, option: Option) -> None:
    sock = case.socket()
    with untouched(case, sock):
        expect.refused_argument(sock.setopt(option.level, option.name))
