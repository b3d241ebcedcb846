"""Shared by checks of options: parameters made from the option table, and outcomes in an option's shape.

A *pair* is a level and an option, as the document lists them; a row of the option table has one pair.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.wire import Argument
from nixio_conformance.host import capabilities, platforms
from nixio_conformance.toolkit import expect, options
from nixio_conformance.toolkit.case import Case
from nixio_fixtures import Kind, Option, Value, load

OPTIONS = load().options
KINDS = load().kinds
#: Returns the names of kinds for a pair.
Where = Callable[[Option], tuple[str, ...]]

TIMEOUTS = ("socket.sndtimeo", "socket.rcvtimeo")
BUFFERS = ("socket.sndbuf", "socket.rcvbuf")


def gets(option: Option) -> tuple[str, ...]:
    """Kinds where the pair can be read."""
    return option.get


def sets(option: Option) -> tuple[str, ...]:
    """Kinds where the pair can be set."""
    return option.set


def both(option: Option) -> tuple[str, ...]:
    """Kinds where the pair can be set and read."""
    return tuple(kind.id for kind in _kinds(option.get) if kind in _kinds(option.set))


def one(option: Option) -> tuple[str, ...]:
    """One kind where the pair works, for requirements that do not depend on the kind."""
    return (_kinds(option.set or option.get)[0].id,)


def some(option: Option) -> tuple[str, ...]:
    """One kind of each family where the pair works, for requirements that do not depend on the type."""
    kinds = _kinds(option.set or option.get)
    return tuple({kind.domain: kind.id for kind in reversed(kinds)}.values())


def nowhere_get(option: Option) -> tuple[str, ...]:
    """Kinds where the pair cannot be read."""
    return _without(*option.get, *option.may_get)


def nowhere_set(option: Option) -> tuple[str, ...]:
    """Kinds where the pair cannot be set."""
    return _without(*option.set, *option.may_set)


def _without(*names: str) -> tuple[str, ...]:
    return tuple(kind.id for kind in KINDS if kind not in _kinds(names))


def _kinds(names: tuple[str, ...]) -> tuple[Kind, ...]:
    return load().select_kinds(names)


def stored() -> tuple[Option, ...]:
    """The pairs whose value the system returns after it was set."""
    return tuple(option for option in OPTIONS if option.set and option.get and option.stored)


def plain() -> tuple[Option, ...]:
    """The pairs that can be read on a socket that is not connected."""
    return tuple(option for option in OPTIONS if option.get and not option.connected)


def chosen(*ids: str) -> tuple[Option, ...]:
    """The pairs with these ids (`level.option`)."""
    return tuple(load().option(option) for option in ids)


def over(where: Where, rows: Iterable[Option] = OPTIONS) -> pytest.MarkDecorator:
    """Parameters `kind` and `option`: each pair on each kind that `where` gives for it."""
    cases = [
        pytest.param(kind, option, id=f"{kind.id}-{option.id}", marks=_here(option))
        for option in rows
        for kind in _kinds(where(option))
    ]
    return pytest.mark.parametrize(("kind", "option"), cases)


def over_values(
    where: Where, rows: Iterable[Option] = OPTIONS, values: Callable[[Option], Iterable[Value]] = lambda row: row.valid
) -> pytest.MarkDecorator:
    """Parameters `kind`, `option` and `value`: each pair on each kind with each of its values."""
    cases = [
        pytest.param(kind, option, value, id=f"{kind.id}-{option.id}-{spelled(value)}", marks=_here(option))
        for option in rows
        for kind in _kinds(where(option))
        for value in values(option)
    ]
    return pytest.mark.parametrize(("kind", "option", "value"), cases)


def over_roles(where: Where, rows: Iterable[Option]) -> pytest.MarkDecorator:
    """Parameters `kind`, `option` and `role`: as `over`, on kinds that can be connected, in each role there."""
    cases = [
        pytest.param(*case.values, role, id=f"{case.id}-{role}", marks=case.marks)
        for case in over(where, rows).args[1]
        if case.values[0].type != "raw"
        for role in (("client", "server") if case.values[0].type == "stream" else ("mutual",))
    ]
    return pytest.mark.parametrize(("kind", "option", "role"), cases)


def over_named(
    where: Where, rows: Iterable[Option], values: Callable[[Option], Mapping[str, Argument]]
) -> pytest.MarkDecorator:
    """Parameters `kind`, `option` and `value`: as `over_values`, for values that have names in case ids."""
    cases = [
        pytest.param(*case.values, value, id=f"{case.id}-{name}", marks=case.marks)
        for case in over(where, rows).args[1]
        for name, value in values(case.values[1]).items()
    ]
    return pytest.mark.parametrize(("kind", "option", "value"), cases)


def over_invalid(*, unprivileged: bool) -> pytest.MarkDecorator:
    """Parameters `kind`, `option` and `invalid`: each pair on each kind with each invalid value of the table.

    `unprivileged` selects the values that only a privileged user may set; else those that no user may.
    """
    cases = [
        pytest.param(kind, option, invalid, id=f"{kind.id}-{option.id}-{invalid.id}", marks=_here(option))
        for option in OPTIONS
        for kind in _kinds(option.set)
        for invalid in option.invalid
        if invalid.unprivileged == unprivileged
        and not (unprivileged and kind.type == "raw")  # an unprivileged user cannot open one
    ]
    return pytest.mark.parametrize(("kind", "option", "invalid"), cases)


def _here(option: Option) -> tuple[pytest.MarkDecorator, ...]:
    platform = platforms.this_platform().id
    if platform in option.platforms:
        return ()
    return (pytest.mark.skip(reason=f"{option.id} is not on {platform}"),)


def spelled(value: object) -> str:
    """A value as it is written in case ids."""
    if isinstance(value, tuple):
        return "-".join(spelled(part) for part in value) or "empty"
    return str(value).removeprefix("@") or "none"


# --- on the implementation's sockets


def setting(option: Option, value: Value) -> Value:
    """A value of the table with this host's interface and a new group in the place of the placeholders."""
    return options.concrete(option, value)


def set_option(sock: ImplSocket, level: str, option: str, value: Argument) -> None:
    """Set an option, and check that setopt() returns True."""
    expect.true(sock.setopt(level, option, value), f"setopt() of {level}.{option}")


def prepare(sock: ImplSocket, option: Option, value: Value) -> None:
    """Prepare the socket for a value to be set: join the group that drop_membership is going to leave."""
    if option.name == "drop_membership":
        expect.true(sock.setopt(option.level, "add_membership", value), "setopt() of add_membership before")


def got(option: Option, outcome: Outcome) -> Value:
    """The value that getopt() returned, a flag as 0 or 1. Raises `Mismatch` if its shape is wrong."""
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
    # BSD systems return the flag's own bit.
    if not isinstance(found, int) or (sys.platform.startswith("linux") and found not in (0, 1)):
        expect.mismatch(what, "0 or 1", outcome)
    return int(bool(found))


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def control(kind: Kind, option: Option, *values: Value) -> Value:
    """The system's value after these values were set one after the other on a new socket of the suite.

    Skips the case if this user may not set them.
    """
    with options.fresh(kind) as sock:
        try:
            for value in values:
                options.write(sock, option, value)
        except PermissionError as error:
            pytest.skip(f"this user may not set {option.id} to {values}: {error}")
        return options.read(sock, option)


def has_view() -> bool:
    """Whether `Case.view` works on this host."""
    return not capabilities.current()["kernel-view"]


@contextmanager
def untouched(case: Case, sock: ImplSocket, but: tuple[str, ...] = ()) -> Iterator[None]:
    """Check that the calls in the `with` block change no option of the socket except `but`, if `Case.view` works.

    A new view is made afterwards, because the descriptor may refer to another socket by then.
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
    """Check that the call failed as the table requires it where the pair cannot be used. Returns the failure."""
    return expect.fails(outcome, *option.refused, what=f"{option.id} on this kind of socket")
