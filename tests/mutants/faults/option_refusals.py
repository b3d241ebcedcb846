"""Options that must not be taken: failures swallowed, told otherwise, or after the fact."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable
from typing import Any

from tests.mutants.hooks import Optioned
from tests.mutants.registry import Chapter
from tests.mutants.wrapper import doing, raising, with_errno

CHAPTER = Chapter(__name__)
Pair = tuple[str, str]
DEVICE, ERROR = ("socket", "bindtodevice"), ("socket", "error")
LEVELS = ("socket", "tcp", "ip", "ipv6")


def row(name: str, does: str, clauses: tuple[str, ...], pairs: tuple[Pair, ...], **members: Any) -> None:
    """A fault of some pairs."""
    CHAPTER.row(name, does, clauses, Optioned, pairs=frozenset(pairs), **members)


def swallowed(*numbers: int) -> Any:
    """Say that a refusal was none."""
    return lambda sock, error, *value: True if with_errno(error, *numbers) else raising(error)


def argument(answer: Callable[[BaseException], Any]) -> Any:
    """Something else for a bad argument."""
    return lambda sock, error, *value: answer(error) if isinstance(error, (TypeError, ValueError)) else raising(error)


def zeroed(sock: Any) -> None:
    """What a failed call leaves."""
    for name in ("multicast_ttl", "multicast_hops", "priority"):
        for level in LEVELS:
            with contextlib.suppress(OSError, ValueError):
                sock.inner.setopt(level, name, 0)


row(
    "errors-swallowed",
    "each refusal of the system counts as success",
    ("setopt.wrong-kind.refused", "setopt.invalid.refused"),
    (),
    set_failed=lambda s, e, v: True if isinstance(e, OSError) and s.number >= 0 else raising(e),
)
row(
    "types-swallowed",
    "a value of a wrong type counts as set",
    ("setopt.value.wrong-type",),
    (),
    set_failed=argument(lambda e: True),
)
row(
    "read-only-swallowed",
    "setting what can only be read counts as success",
    ("setopt.read-only.refused",),
    (ERROR, ("ip", "mtu")),
    set_failed=swallowed(errno.ENOPROTOOPT),
)
row(
    "privilege-swallowed",
    "EPERM counts as success",
    ("setopt.privileged.refused",),
    (),
    set_failed=swallowed(errno.EPERM),
)
row(
    "unknown-key-error",
    "an unknown option raises KeyError",
    ("setopt.option.unknown",),
    (),
    set_failed=argument(lambda e: raising(KeyError("option"))),
)
row(
    "unknown-swallowed",
    "an unknown option counts as set",
    ("setopt.option.unknown",),
    (),
    set_failed=argument(lambda e: True),
)
row(
    "unknown-none",
    "an unknown option reads None",
    ("getopt.option.unknown", "getopt.level.unknown"),
    (),
    get_failed=argument(lambda e: None),
)
row(
    "unknown-attribute-error",
    "an unknown option raises AttributeError",
    ("getopt.option.unknown",),
    (),
    get_failed=argument(lambda e: raising(AttributeError("option"))),
)
row(
    "refused-sets",
    "a value that is refused sets 0",
    ("setopt.invalid.refused",),
    (),
    set_failed=lambda s, e, v: doing(raising, lambda: zeroed(s))(e),
)
row(
    "device-unknown-swallowed",
    "an unknown device counts as set",
    ("setopt.invalid.refused",),
    (DEVICE,),
    set_failed=swallowed(errno.ENODEV),
)
row(
    "get-none",
    "a refusal to read gives None",
    ("getopt.wrong-kind.refused", "getopt.set-only.refused"),
    (),
    get_failed=lambda s, e: None if isinstance(e, OSError) else raising(e),
)
row(
    "get-zero",
    "a refusal to read gives 0",
    ("getopt.wrong-kind.refused", "getopt.mtu.unconnected"),
    (),
    get_failed=lambda s, e: 0 if isinstance(e, OSError) else raising(e),
)
row(
    "v6only-swallowed",
    "v6only of a bound socket counts as set",
    ("setopt.ipv6-v6only.bound",),
    (("ipv6", "v6only"),),
    set_failed=swallowed(errno.EINVAL),
)
