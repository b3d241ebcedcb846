"""bind and connect: what becomes of a failure."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any

from tests.mutants.hooks import Opener
from tests.mutants.registry import Chapter
from tests.mutants.wrapper import raising, system, with_errno

CHAPTER = Chapter(__name__)


def swallowed(*numbers: int) -> Any:
    """Say that a failure was none."""
    return lambda sock, error: True if with_errno(error, *numbers) else raising(error)


def instead(number: int, error_of: Callable[[], BaseException]) -> Any:
    """Report another failure."""
    return lambda sock, error: raising(error_of() if with_errno(error, number) else error)


def resolver_instead(error_of: Callable[[], BaseException]) -> Any:
    """Report another failure than the resolver's."""
    return lambda sock, error: raising(error_of() if isinstance(error, socket.gaierror) else error)


def argument_instead(error_of: Callable[[], BaseException]) -> Any:
    """Report another failure than that of an argument."""
    return lambda sock, error: raising(error_of() if isinstance(error, (TypeError, ValueError)) else error)


FAILURES = (
    (
        "used-swallowed",
        "bind",
        "swallows EADDRINUSE",
        ("bind.used.second", "bind.used.wildcard", "bind.used.listening", "bind.unix.existing"),
        swallowed(errno.EADDRINUSE),
    ),
    (
        "used-eacces",
        "bind",
        "reports EADDRINUSE as EACCES",
        ("bind.used.listening",),
        instead(errno.EADDRINUSE, lambda: system(errno.EACCES)),
    ),
    (
        "used-exists",
        "bind",
        "reports EADDRINUSE as EEXIST",
        ("bind.unix.existing",),
        instead(errno.EADDRINUSE, lambda: system(errno.EEXIST)),
    ),
    ("not-local-swallowed", "bind", "swallows EADDRNOTAVAIL", ("bind.host.not-local",), swallowed(errno.EADDRNOTAVAIL)),
    (
        "twice-swallowed",
        "bind",
        "a second time is said to work",
        (
            "bind.connected.refused",
            "bind.twice.refused",
        ),
        swallowed(errno.EINVAL),
    ),
    ("privilege-swallowed", "bind", "swallows EACCES", ("bind.privileged.refused",), swallowed(errno.EACCES)),
    (
        "folder-as-used",
        "bind",
        "reports ENOENT as EADDRINUSE",
        ("bind.unix.no-folder",),
        instead(errno.ENOENT, lambda: system(errno.EADDRINUSE)),
    ),
    (
        "resolver-system",
        "bind",
        "reports an unknown name as EINVAL",
        ("bind.host.unknown",),
        resolver_instead(lambda: system(errno.EINVAL)),
    ),
    (
        "resolver-no-code",
        "bind",
        "reports an unknown name as RuntimeError",
        ("bind.host.unknown",),
        resolver_instead(lambda: RuntimeError("no name")),
    ),
    (
        "argument-key-error",
        "bind",
        "reports a bad argument as KeyError",
        ("bind.port.types",),
        argument_instead(lambda: KeyError("port")),
    ),
    (
        "argument-overflow",
        "bind",
        "reports a port out of range as OverflowError",
        ("bind.port.out-of-range",),
        argument_instead(lambda: OverflowError("port")),
    ),
    (
        "refused-false",
        "connect",
        "returns false where it is refused",
        ("connect.refused.error",),
        lambda s, e: False if with_errno(e, errno.ECONNREFUSED) else raising(e),
    ),
    (
        "refused-true",
        "connect",
        "returns true where it is refused",
        ("connect.unix.abstract-unknown", "connect.refused.error", "connect.unix.no-socket"),
        swallowed(errno.ECONNREFUSED),
    ),
    (
        "refused-timeout",
        "connect",
        "reports a refusal as ETIMEDOUT",
        ("connect.refused.error",),
        instead(errno.ECONNREFUSED, lambda: system(errno.ETIMEDOUT)),
    ),
    (
        "refused-no-errno",
        "connect",
        "reports a refusal without its errno",
        ("connect.refused.error",),
        instead(errno.ECONNREFUSED, lambda: ConnectionError("refused")),
    ),
    (
        "refused-resolver",
        "connect",
        "reports a refusal as the resolver's",
        ("connect.refused.error",),
        instead(errno.ECONNREFUSED, lambda: socket.gaierror(-2, "refused")),
    ),
    (
        "prototype-refused",
        "connect",
        "reports EPROTOTYPE as ECONNREFUSED",
        ("connect.unix.other-type",),
        instead(errno.EPROTOTYPE, lambda: system(errno.ECONNREFUSED)),
    ),
    (
        "enoent-refused",
        "connect",
        "reports ENOENT as ECONNREFUSED",
        ("connect.unix.nothing",),
        instead(errno.ENOENT, lambda: system(errno.ECONNREFUSED)),
    ),
    (
        "twice-swallowed",
        "connect",
        "a second time is said to work",
        ("connect.twice.refused",),
        swallowed(errno.EISCONN),
    ),
    (
        "listening-swallowed",
        "connect",
        "is said to work on a listener",
        ("connect.listening.refused",),
        swallowed(errno.EISCONN, errno.EOPNOTSUPP, errno.EINVAL),
    ),
    (
        "progress-true",
        "connect",
        "returns true while it is in progress",
        ("connect.nonblocking.returns",),
        swallowed(errno.EINPROGRESS),
    ),
    (
        "progress-again",
        "connect",
        "reports EINPROGRESS as EAGAIN",
        ("connect.nonblocking.returns",),
        instead(errno.EINPROGRESS, lambda: system(errno.EAGAIN)),
    ),
    (
        "full-refused",
        "connect",
        "reports a full queue as a refusal",
        ("connect.nonblocking.full",),
        instead(errno.EAGAIN, lambda: system(errno.ECONNREFUSED)),
    ),
    (
        "resolver-system",
        "connect",
        "reports an unknown name as EHOSTUNREACH",
        ("connect.host.unknown",),
        resolver_instead(lambda: system(errno.EHOSTUNREACH)),
    ),
    (
        "argument-key-error",
        "connect",
        "reports a bad argument as KeyError",
        ("connect.port.types",),
        argument_instead(lambda: KeyError("port")),
    ),
    (
        "argument-overflow",
        "connect",
        "reports a port out of range as OverflowError",
        ("connect.port.out-of-range",),
        argument_instead(lambda: OverflowError("port")),
    ),
    (
        "unencodable-raises",
        "connect",
        "raises UnicodeError's like for a host that DNS cannot spell",
        ("connect.host.unencodable",),
        resolver_instead(lambda: LookupError("idna")),
    ),
    (
        "unencodable-raises",
        "bind",
        "raises UnicodeError's like for a host that DNS cannot spell",
        ("bind.host.unencodable",),
        resolver_instead(lambda: LookupError("idna")),
    ),
    (
        "family-swallowed",
        "bind",
        "takes an address of another family for all addresses",
        ("bind.host.other-family",),
        lambda s, e: s.inner.bind(None, 0) if isinstance(e, socket.gaierror) else raising(e),
    ),
    (
        "unknown-default",
        "connect",
        "takes an unknown name for a refusal",
        ("connect.host.unknown", "connect.host.other-family"),
        resolver_instead(lambda: system(errno.ECONNREFUSED)),
    ),
)
for name, method, does, names, failed in FAILURES:
    CHAPTER.row(f"{name}-{method}", f"{method} {does}", names, Opener, method=method, failed=failed)


CHAPTER.row(
    "wrong-type-swallowed-connect",
    "connect is said to work where a socket of another type is",
    ["connect.dgram.wrong-type"],
    Opener,
    method="connect",
    failed=swallowed(errno.EPROTOTYPE, errno.ECONNREFUSED),
)
