"""Faults made from the table of options: each pair ignored, only stored, swapped, misread or refused."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.mutants.registry import Fault, TableGroup
from tests.mutants.wrapper import Wrapped, system

if TYPE_CHECKING:  # an agent does not load the tables
    from nixio_fixtures import Option

Pair = tuple[str, str]


class Differing(Wrapped):
    """setopt and getopt of one pair, with hooks."""

    pair: Pair = ("", "")

    def put(self, value: Any) -> Any:
        """setopt of the pair."""
        return self.inner.setopt(*self.pair, value)

    def take(self) -> Any:
        """getopt of the pair."""
        return self.inner.getopt(*self.pair)

    def setopt(self, *arguments: Any) -> Any:
        mine = len(arguments) == 3 and arguments[:2] == self.pair
        return self.put(arguments[2]) if mine else self.inner.setopt(*arguments)

    def getopt(self, *arguments: Any) -> Any:
        return self.take() if arguments == self.pair else self.inner.getopt(*arguments)


class Ignored(Differing):
    """setopt checks the value, returns true, and does nothing."""

    def put(self, value: Any) -> Any:
        with self.twin() as other:
            return other.setopt(*self.pair, value)


class Remembered(Differing):
    """setopt checks the value and stores it for getopt without a system call."""

    known: Any = None

    def put(self, value: Any) -> Any:
        with self.twin() as other:
            result = other.setopt(*self.pair, value)
            self.known = (other.getopt(*self.pair),)
        return result

    def take(self) -> Any:
        found = self.inner.getopt(*self.pair)
        return self.known[0] if self.known else found


class Stuck(Differing):
    """setopt ignores 0."""

    def put(self, value: Any) -> Any:
        if value in (0, (0, 0)) and not isinstance(value, bool):
            with self.twin() as other:
                return other.setopt(*self.pair, value)
        return self.inner.setopt(*self.pair, value)


class Once(Differing):
    """Only the first setopt has an effect."""

    done = False

    def put(self, value: Any) -> Any:
        if self.done:
            with self.twin() as other:
                return other.setopt(*self.pair, value)
        result = self.inner.setopt(*self.pair, value)
        self.done = True
        return result


class NoneReturned(Differing):
    """setopt returns nothing."""

    def put(self, value: Any) -> Any:
        self.inner.setopt(*self.pair, value)


class Constant(Differing):
    """getopt returns the value of a new socket."""

    def take(self) -> Any:
        found = self.inner.getopt(*self.pair)
        try:
            with self.twin() as other:
                return other.getopt(*self.pair)
        except OSError:
            return found


class Inverted(Differing):
    """getopt returns a flag inverted."""

    def take(self) -> Any:
        return int(not self.inner.getopt(*self.pair))


class AsText(Differing):
    """getopt returns a string."""

    def take(self) -> Any:
        return str(self.inner.getopt(*self.pair)) + " "


class Shifted(Differing):
    """getopt returns a value that is too high by one."""

    def take(self) -> Any:
        return self.inner.getopt(*self.pair) + 1


class ReadRefused(Differing):
    """getopt raises ENOPROTOOPT."""

    def take(self) -> Any:
        self.inner.getopt(*self.pair)
        raise system(errno.ENOPROTOOPT)


class WriteRefused(Differing):
    """setopt raises ENOPROTOOPT."""

    def put(self, value: Any) -> Any:
        with self.twin() as other:
            other.setopt(*self.pair, value)
        raise system(errno.ENOPROTOOPT)


class Unknown(Differing):
    """setopt and getopt refuse the pair as a bad argument."""

    def put(self, value: Any) -> Any:
        raise ValueError("option")

    def take(self) -> Any:
        raise ValueError("option")


class AtNew(Differing):
    """A new socket has the option set."""

    def start(self) -> None:
        if not self.accepted:
            with contextlib.suppress(OSError, ValueError, TypeError):
                self.inner.setopt(*self.pair, 1)


class BoolRefused(Differing):
    """setopt refuses 1 and 0."""

    def put(self, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            raise TypeError("a bool")
        return self.inner.setopt(*self.pair, value)


class Swapped(Wrapped):
    """Two options are exchanged."""

    pairs: tuple[Pair, Pair] = (("", ""), ("", ""))

    def _other(self, pair: tuple[Any, ...]) -> Any:
        one, other = self.pairs
        return other if pair == one else one if pair == other else pair

    def setopt(self, *arguments: Any) -> Any:
        return self.inner.setopt(*self._other(arguments[:2]), *arguments[2:])

    def getopt(self, *arguments: Any) -> Any:
        return self.inner.getopt(*self._other(arguments))


#: Pairs that are easily confused; a row is named by the first one.
SIBLINGS: dict[str, str] = {
    "socket-sndbuf": "socket-rcvbuf",
    "socket-sndtimeo": "socket-rcvtimeo",
    "tcp-cork": "tcp-nodelay",
    "socket-keepalive": "socket-oobinline",
    "socket-broadcast": "socket-dontroute",
    "socket-reuseaddr": "socket-broadcast",
    "ip-multicast_ttl": "ip-multicast_loop",
    "ipv6-multicast_hops": "ipv6-multicast_loop",
    "ip-add_membership": "ip-drop_membership",
    "ipv6-add_membership": "ipv6-drop_membership",
    "ipv6-v6only": "ipv6-multicast_loop",
}


class Constants(Differing):
    """A wrong option of the system is set and read."""

    key: tuple[int, int] = (0, 0)

    def put(self, value: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            return self.inner.setopt(*self.pair, value)
        with self.twin() as other:
            other.setopt(*self.pair, value)
        with self.borrowed() as sock:
            sock.setsockopt(*self.key, value)
        return True

    def take(self) -> Any:
        self.inner.getopt(*self.pair)
        with self.borrowed() as sock:
            return sock.getsockopt(*self.key)


#: Constants that are easily confused with the right ones (Linux's numbers where Python has no name).
CONSTANTS: dict[str, tuple[str, tuple[int, int]]] = {
    "socket-reuseaddr": ("SO_REUSEPORT", (socket.SOL_SOCKET, 15)),
    "socket-priority": ("SO_RCVLOWAT", (socket.SOL_SOCKET, 18)),
    "socket-oobinline": ("SO_PASSCRED", (socket.SOL_SOCKET, 16)),
    "socket-rcvbuf": ("SO_RCVLOWAT", (socket.SOL_SOCKET, 18)),
    "ip-multicast_ttl": ("IP_TTL", (socket.IPPROTO_IP, 2)),
    "ip-multicast_loop": ("IP_MULTICAST_ALL", (socket.IPPROTO_IP, 49)),
    "ipv6-multicast_hops": ("IPV6_UNICAST_HOPS", (41, 16)),
    "ipv6-multicast_loop": ("IP_MULTICAST_LOOP", (socket.IPPROTO_IP, 34)),
    "tcp-nodelay": ("TCP_QUICKACK", (socket.IPPROTO_TCP, 12)),
}


class Behaviour(NamedTuple):
    """A fault that an option may have."""

    does: str
    #: The clauses that must report it, with `{}` for the pair as clauses spell it.
    clauses: tuple[str, ...]
    applies: Callable[[Option], bool]
    implementation: type[Wrapped]


def can_set(option: Option) -> bool:
    """Whether it can be set."""
    return bool(option.set)


def can_get(option: Option) -> bool:
    """Whether it can be read."""
    return bool(option.get)


def both(option: Option) -> bool:
    """Whether it can be set and read."""
    return can_set(option) and can_get(option)


def stored(option: Option) -> bool:
    """Whether getopt returns what setopt set."""
    return both(option) and option.stored


def of_shape(*shapes: str) -> Callable[[Option], bool]:
    """Options of these shapes that can be set."""
    return lambda option: option.shape in shapes and can_set(option)


EFFECT = "setopt.{}.effect.*"
#: Effects of an option that is off or has no effect: a setopt that does nothing passes their checks.
OFF = ("off", "no-reset", "released", "in-time", "not-sending", "not-receiving", "seconds")
#: Those of `OFF` whose checks fail if an option cannot be cleared.
STUCK = ("off", "released")
BEHAVIOURS = {
    "ignored": Behaviour("setting {} does nothing", (EFFECT,), can_set, Ignored),
    "remembered": Behaviour("{} is only stored", (EFFECT,), both, Remembered),
    "once": Behaviour("{} can be set only once", ("setopt.stored.latest",), stored, Once),
    "none": Behaviour("setting {} returns nothing", ("setopt.returns.true",), can_set, NoneReturned),
    "write-refused": Behaviour("{} cannot be set", ("setopt.returns.true",), can_set, WriteRefused),
    "read-refused": Behaviour("{} cannot be read", ("getopt.value.shape",), can_get, ReadRefused),
    "unknown": Behaviour("{} is unknown", ("[sg]etopt.*",), lambda option: True, Unknown),
    "constant": Behaviour("{} is always read as the default", ("getopt.stored.value",), stored, Constant),
    "inverted": Behaviour(
        "{} is read inverted",
        ("getopt.value.default",),
        lambda o: o.shape == "flag" and o.default == 0 and can_get(o),
        Inverted,
    ),
    "text": Behaviour(
        "{} is read as a string", ("getopt.value.shape",), lambda o: can_get(o) and o.shape != "membership", AsText
    ),
    "shifted": Behaviour(
        "{} is read as one too high",
        ("getopt.stored.value",),
        lambda o: stored(o) and o.shape in ("int", "linger", "index"),
        Shifted,
    ),
    "at-new": Behaviour(
        "{} is set on new sockets", ("socket.new.options",), lambda o: of_shape("flag")(o) and o.default == 0, AtNew
    ),
    "int-refused": Behaviour("{} accepts a bool only", ("setopt.roundtrip.accepted",), of_shape("flag"), BoolRefused),
}


def build(behaviour: str, name: str) -> Any:
    """The implementation of a row. KeyError for an unknown one."""
    if behaviour == "swapped":
        pairs = tuple(tuple(each.split("-", 1)) for each in (name, SIBLINGS[name]))
        return type(f"swapped {name}", (Swapped,), {"pairs": pairs})
    pair = tuple(name.split("-", 1))
    if behaviour == "other-constant":
        return type(f"constant of {name}", (Constants,), {"pair": pair, "key": CONSTANTS[name][1]})
    base = Stuck if behaviour == "stuck" else BEHAVIOURS[behaviour].implementation
    return type(f"{behaviour} {name}", (base,), {"pair": pair})


#: Rows that other clauses than the behaviour's must report: an mtu has no value before the socket is connected, a str
#: is the right shape for text options, and hdrincl is an option of raw sockets only.
ELSEWHERE = {
    ("read-refused", "ip-mtu"): ("getopt.mtu.connected",),
    ("read-refused", "ipv6-mtu"): ("getopt.mtu.connected",),
    ("text", "ip-mtu"): ("getopt.mtu.connected",),
    ("text", "ipv6-mtu"): ("getopt.mtu.connected",),
    ("text", "socket-bindtodevice"): ("getopt.stored.value",),
    ("text", "ip-multicast_if"): ("getopt.stored.value",),
    ("at-new", "ip-hdrincl"): ("getopt.fresh.as-the-system-made-it",),
}


def effects(row: str, chosen: Callable[[str], bool]) -> tuple[str, ...]:
    """The clauses about the effects of a pair, for these last parts of their ids."""
    from nixio_fixtures import load

    start = f"setopt.{row}.effect."
    return tuple(c.id for c in load().clauses if c.id.startswith(start) and chosen(c.id.removeprefix(start)))


def rows() -> Iterator[Fault]:
    """A row for each behaviour and each pair that it applies to."""
    from nixio_fixtures import load

    options = {f"{option.level}-{option.name}": option for option in load().options}
    for name, behaviour in BEHAVIOURS.items():
        for row, option in options.items():
            if behaviour.applies(option):
                clauses = tuple(clause.format(row) for clause in behaviour.clauses)
                clauses = ELSEWHERE.get((name, row), clauses)
                if name == "ignored":
                    clauses = effects(row, lambda word: word not in OFF) or effects(row, lambda word: word in STUCK)
                yield Fault(f"{name}/{row}", behaviour.does.format(row.replace("-", " ")), clauses)
    for row in options:
        # The check of reuseaddr's `off` never sets it.
        if row != "socket-reuseaddr" and (clauses := effects(row, lambda word: word in STUCK)):
            does = f"{row.replace('-', ' ')} cannot be cleared"
            yield Fault(f"stuck/{row}", does, clauses)
    for one, other in SIBLINGS.items():
        clauses = ("setopt.membership.*",) if "membership" in one else (f"setopt.{one}.effect.*",)
        yield Fault(f"swapped/{one}", f"{one} and {other} are swapped".replace("-", " "), clauses)
    for row, (constant, _) in CONSTANTS.items():
        yield Fault(f"other-constant/{row}", f"{row} is {constant}".replace("-", " "), ("setopt.stored.value",))


GROUP = TableGroup(__name__, rows, build)
