"""What the checks of options share: the cases that the table makes, and what an outcome says in an option's shape."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.host import capabilities, platforms
from nixio_conformance.toolkit import expect, options
from nixio_conformance.toolkit.case import Case
from nixio_fixtures import Kind, Option, Value, load

OPTIONS = load().options
KINDS = load().kinds
Where = Callable[[Option], tuple[str, ...]]

TIMEOUTS = ("socket.sndtimeo", "socket.rcvtimeo")
BUFFERS = ("socket.sndbuf", "socket.rcvbuf")


def gets(option: Option) -> tuple[str, ...]:
    """Where the pair can be read."""
    return option.get


def sets(option: Option) -> tuple[str, ...]:
    """Where the pair can be set."""
    return option.set


def both(option: Option) -> tuple[str, ...]:
    """Where the pair can be set and read."""
    return tuple(kind.id for kind in _kinds(option.get) if kind in _kinds(option.set))


def one(option: Option) -> tuple[str, ...]:
    """One kind where the pair works, for what a kind cannot matter to."""
    return (_kinds(option.set or option.get)[0].id,)


def some(option: Option) -> tuple[str, ...]:
    """A kind of each family where the pair works, for what a type cannot matter to."""
    kinds = _kinds(option.set or option.get)
    return tuple({kind.domain: kind.id for kind in reversed(kinds)}.values())


def nowhere_get(option: Option) -> tuple[str, ...]:
    """Kinds whose sockets lack the pair, or where it cannot be read."""
    return _without(*option.get, *option.may_get)


def nowhere_set(option: Option) -> tuple[str, ...]:
    """Kinds whose sockets lack the pair, or where it cannot be set."""
    return _without(*option.set, *option.may_set)


def _without(*names: str) -> tuple[str, ...]:
    return tuple(kind.id for kind in KINDS if kind not in _kinds(names))


def _kinds(names: tuple[str, ...]) -> tuple[Kind, ...]:
    return load().select_kinds(names)


def stored() -> tuple[Option, ...]:
    """The pairs whose set value the system shows afterwards."""
    return tuple(option for option in OPTIONS if option.set and option.get and option.stored)


def plain() -> tuple[Option, ...]:
    """The pairs that can be read from a socket that is not connected."""
    return tuple(option for option in OPTIONS if option.get and not option.connected)


def chosen(*ids: str) -> tuple[Option, ...]:
    """Pairs by id."""
    return tuple(load().option(option) for option in ids)


def over(where: Where, rows: Iterable[Option] = OPTIONS) -> pytest.MarkDecorator:
    """Multiply a check by pairs, and each by the kinds that `where` gives for it (parameters `kind`, `option`)."""
    cases = [
        pytest.param(kind, option, id=f"{kind.id}-{option.id}", marks=_here(option))
        for option in rows
        for kind in _kinds(where(option))
    ]
    return pytest.mark.parametrize(("kind", "option"), cases)


def over_values(
    where: Where, rows: Iterable[Option] = OPTIONS, values: Callable[[Option], Iterable[Value]] = lambda row: row.valid
) -> pytest.MarkDecorator:
    """Multiply a check by pairs, kinds and values (parameters `kind`, `option`, `value`)."""
    cases = [
        pytest.param(kind, option, value, id=f"{kind.id}-{option.id}-{spelled(value)}", marks=_here(option))
        for option in rows
        for kind in _kinds(where(option))
        for value in values(option)
    ]
    return pytest.mark.parametrize(("kind", "option", "value"), cases)


def over_invalid(*, unprivileged: bool) -> pytest.MarkDecorator:
    """Multiply a check by the values that the table calls invalid, on every kind (`kind`, `option`, `invalid`).

    `unprivileged`: those that only a privileged user may set, or those that nobody may.
    """
    cases = [
        pytest.param(kind, option, invalid, id=f"{kind.id}-{option.id}-{invalid.id}", marks=_here(option))
        for option in OPTIONS
        for kind in _kinds(option.set)
        for invalid in option.invalid
        if invalid.unprivileged == unprivileged
        and not (unprivileged and kind.type == "raw")  # nobody without a privilege has one
    ]
    return pytest.mark.parametrize(("kind", "option", "invalid"), cases)


def _here(option: Option) -> tuple[pytest.MarkDecorator, ...]:
    platform = platforms.this_platform().id
    if platform in option.platforms:
        return ()
    return (pytest.mark.skip(reason=f"{option.id} is not on {platform}"),)


def spelled(value: object) -> str:
    """A value as case ids spell it."""
    if isinstance(value, tuple):
        return "-".join(spelled(part) for part in value) or "empty"
    return str(value).removeprefix("@") or "none"


# --- on the port


def setting(option: Option, value: Value) -> Value:
    """A value of the table as this host spells it."""
    return options.concrete(option, value)


def prepare(sock: ImplSocket, option: Option, value: Value) -> None:
    """What must have happened before the value can be set: a group is joined before it is left."""
    if option.name == "drop_membership":
        expect.true(sock.setopt(option.level, "add_membership", value), "setopt() of add_membership before")


def got(option: Option, outcome: Outcome) -> Value:
    """The value that getopt gave, which has to be in the option's shape; a flag as 0 or 1."""
    what = f"getopt() of {option.id}"
    if option.shape == "timeout":
        seconds, microseconds = expect.values(outcome, 2, what)
        if not _is_int(seconds) or not _is_int(microseconds):
            expect.mismatch(what, "seconds and microseconds as two ints", outcome)
        return seconds, microseconds  # type: ignore[return-value]
    if option.shape in ("device", "address"):
        text = expect.value(outcome, what)
        if not isinstance(text, str):
            expect.mismatch(what, "text", outcome)
        return text
    if option.shape == "flag":
        return _flag(outcome, what)
    return expect.integer(outcome, what)


def _flag(outcome: Outcome, what: str) -> int:
    found = expect.value(outcome, what)
    # BSD systems answer with the flag's own bit.
    if not isinstance(found, int) or (sys.platform.startswith("linux") and found not in (0, 1)):
        expect.mismatch(what, "0 or 1", outcome)
    return int(bool(found))


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def control(kind: Kind, option: Option, *values: Value) -> Value:
    """What the system itself shows after these values were set one after the other on a fresh socket.

    Skips the case where this user may not set them.
    """
    with options.fresh(kind) as sock:
        try:
            for value in values:
                options.write(sock, option, value)
        except PermissionError as error:
            pytest.skip(f"{option.id} {values}: {error} for this user")
        return options.read(sock, option)


def has_view() -> bool:
    """Whether the system's own view can be had here."""
    return not capabilities.current()["kernel-view"]


@contextmanager
def untouched(case: Case, sock: ImplSocket, but: tuple[str, ...] = ()) -> Iterator[None]:
    """What is called in between must change none of the socket's options, as far as the system can be asked.

    The socket is looked at anew afterwards: it must not have become another one without them.
    """
    if not has_view():
        yield
        return
    with case.view(sock) as view:
        before = options.snapshot(view)
    yield
    with case.view(sock) as view:
        changed = options.changes(before, options.snapshot(view), but)
    expect.holds(not changed, "the socket's options afterwards", "as before", changed)


def refused(option: Option, outcome: Outcome) -> Failure:
    """The pair, or this way to use it, is not to be had."""
    return expect.fails(outcome, *option.refused, what=f"{option.id} here")
