"""Faults made from the table of methods: each method missing, each result and failure wrong, each default refused."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.mutants.registry import Fault, TableGroup
from tests.mutants.wrapper import Wrapped, raising, system

if TYPE_CHECKING:  # an agent does not load the tables
    from nixio_fixtures import Method


class Behaviour(NamedTuple):
    """A fault that any method may have."""

    #: What is wrong, with `{}` for the method.
    does: str
    #: The clauses that must report it, with `{}` for the method.
    clauses: tuple[str, ...]
    #: Which methods it applies to.
    applies: Callable[[Method], bool]
    #: Returns the wrong method for the right one; the first argument of both is the socket.
    wrong: Callable[[Callable[..., Any]], Callable[..., Any]]
    #: For some methods, the clauses that must report it instead of `clauses`.
    besides: Mapping[str, tuple[str, ...]] = MappingProxyType({})


def after(change: Callable[[Any], Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Change the result."""
    return lambda right: lambda sock, *arguments: change(right(sock, *arguments))


def on_failure(change: Callable[[Wrapped, Exception], Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Change what happens when the system refuses the call."""

    def wrong(right: Callable[..., Any]) -> Callable[..., Any]:
        def method(sock: Any, *arguments: Any) -> Any:
            try:
                return right(sock, *arguments)
            except OSError as error:
                return change(sock, error)

        return method

    return wrong


def after_close(answer: Callable[[Wrapped], Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Change what the method does after close."""

    def wrong(right: Callable[..., Any]) -> Callable[..., Any]:
        def method(sock: Any, *arguments: Any) -> Any:
            try:
                sock.inner.fileno()
            except OSError:
                return answer(sock)
            return right(sock, *arguments)

        return method

    return wrong


def leaking(sock: Wrapped, error: Exception) -> Any:
    """Leak a duplicate of the descriptor."""
    with contextlib.suppress(OSError):
        os.dup(sock.number)
    raise error


def refusing_none(right: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse None as an argument."""
    return lambda sock, *arguments: raising(TypeError("None")) if None in arguments else right(sock, *arguments)


def result_is(kind: str) -> Callable[[Method], bool]:
    """Methods with one result of this type."""
    return lambda method: [result.type for result in method.results] == [kind]


def of_socket(method: Method) -> bool:
    """All methods except the factory."""
    return method.name != "socket"


#: For each method that fails in some case of the suite, the clause about that failure.
REFUSAL_CLAUSE = {
    "getpeername": "getpeername.state.unconnected",
    "bind": "bind.used.listening",
    "connect": "connect.refused.error",
    "listen": "listen.not-stream",
    "accept": "accept.not-stream",
    "sendto": "sendto.unix.nobody",
    "send": "send.unconnected.fails",
    "write": "write.alias.failure",
    "recvfrom": "close.after.method",
    "recv": "recv.unconnected.stream",
    "read": "read.alias.failure",
    "shutdown": "shutdown.unconnected",
    "setopt": "setopt.wrong-kind.refused",
    "getopt": "getopt.wrong-kind.refused",
}


REFUSALS = {method: (clause,) for method, clause in REFUSAL_CLAUSE.items()}

BEHAVIOURS = {
    "missing": Behaviour("{} is missing", ("{}.*",), of_socket, lambda right: raising(AttributeError("missing"))),
    "none": Behaviour(
        "{} returns nothing",
        ("{}.result.true",),
        lambda method: result_is("true")(method) and method.name != "setopt",
        after(lambda result: None),
        {"setopt": ("setopt.returns.true",)},
    ),
    "one": Behaviour(
        "{} returns 1",
        ("{}.result.true",),
        lambda method: result_is("true")(method) and method.name != "setopt",
        after(lambda result: 1),
    ),
    "setopt-none": Behaviour(
        "{} returns nothing",
        ("setopt.returns.true",),
        lambda method: method.name == "setopt",
        after(lambda result: None),
    ),
    "more": Behaviour(
        "{} returns an additional value",
        ("{}.*",),
        lambda method: of_socket(method) and bool(method.results),
        after(lambda result: (*result, None) if isinstance(result, tuple) else (result, None)),
    ),
    "fewer": Behaviour(
        "{} returns its first value only",
        ("{}.*",),
        lambda method: len(method.results) > 1,
        after(lambda result: result[0] if isinstance(result, tuple) else result),
    ),
    "reversed": Behaviour(
        "{} returns its values in reverse",
        ("{}.*",),
        lambda method: len(method.results) > 1,
        after(lambda result: result[::-1] if isinstance(result, tuple) else result),
    ),
    "failure-none": Behaviour(
        "{} returns nothing where it fails",
        (),
        lambda method: method.name in REFUSAL_CLAUSE,
        on_failure(lambda s, e: None),
        REFUSALS,
    ),
    "failure-runtime": Behaviour(
        "{} raises RuntimeError where it fails",
        (),
        lambda method: method.name in REFUSAL_CLAUSE,
        on_failure(lambda s, e: raising(RuntimeError(str(e)))),
        REFUSALS,
    ),
    "failure-no-errno": Behaviour(
        "{} fails without an errno",
        (),
        lambda method: method.name in REFUSAL_CLAUSE and method.name not in ("recvfrom",),
        on_failure(lambda s, e: raising(OSError(str(e)))),
        REFUSALS,
    ),
    "failure-stale": Behaviour(
        "{} fails with the errno of another failure",
        (),
        lambda method: method.name in REFUSAL_CLAUSE,
        on_failure(lambda s, e: raising(system(errno.ENOEXEC))),
        REFUSALS,
    ),
    "failure-leaks": Behaviour(
        "{} leaks a descriptor where it fails",
        (),
        lambda method: method.name in REFUSAL_CLAUSE,
        on_failure(leaking),
        {
            **REFUSALS,
            "bind": ("bind.call.fails-no-leak",),
            "connect": ("connect.call.fails-no-leak",),
            "accept": ("accept.failing.leaks-nothing",),
            "recvfrom": ("setblocking.false.receiving",),
        },
    ),
    "after-close": Behaviour(
        "after close, {} returns true", ("close.after.method",), of_socket, after_close(lambda sock: True)
    ),
    "no-none": Behaviour(
        "{} refuses None for an optional argument",
        ("{}.*",),
        lambda method: of_socket(method) and any(parameter.optional for parameter in method.parameters),
        refusing_none,
    ),
}


def build(behaviour: str, method: str) -> Any:
    """The implementation of a row. KeyError for an unknown one."""
    wrong = BEHAVIOURS[behaviour].wrong
    if behaviour == "missing":
        return type(f"without {method}", (Wrapped,), {method: property(lambda sock: raising(AttributeError(method)))})
    return type(f"{behaviour} {method}", (Wrapped,), {method: wrong(getattr(Wrapped, method))})


def rows() -> Iterator[Fault]:
    """A row for each behaviour and each method that it applies to."""
    from nixio_fixtures import load

    for name, behaviour in BEHAVIOURS.items():
        for method in load().methods:
            if behaviour.applies(method):
                clauses = behaviour.besides.get(method.name, behaviour.clauses)
                named = tuple(clause.format(method.name) for clause in clauses)
                yield Fault(f"{name}/{method.name}", behaviour.does.format(method.name), named)


GROUP = TableGroup(__name__, rows, build)
