"""Faults that the table of options says: each pair ignored, only remembered, swapped, misread or refused."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.mutants.registry import Fault, TableGroup
from tests.mutants.wrapper import Wrapped, reference, system

if TYPE_CHECKING:  # an agent does without the tables
    from nixio_fixtures import Option

Pair = tuple[str, str]
MEMBERSHIPS = ("add_membership", "drop_membership")


class Differing(Wrapped):
    """The options of one pair are different."""

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

    @contextlib.contextmanager
    def aside(self) -> Iterator[Any]:
        """Another socket of the kind, on which values and failures are as they should be."""
        if self.number >= 0:
            other = reference().socket(self.domain, self.type, self.protocol)
            try:
                yield other
            finally:
                other.close()


class Ignored(Differing):
    """setopt looks at the value, says true, and does nothing."""

    def put(self, value: Any) -> Any:
        with self.aside() as other:
            return other.setopt(*self.pair, value)


class Remembered(Differing):
    """setopt looks at the value and remembers it for getopt, and the system never hears of it."""

    known: Any = None

    def put(self, value: Any) -> Any:
        with self.aside() as other:
            result = other.setopt(*self.pair, value)
            self.known = (other.getopt(*self.pair),)
        return result

    def take(self) -> Any:
        found = self.inner.getopt(*self.pair)
        return self.known[0] if self.known else found


class Stuck(Differing):
    """What was set cannot be taken off."""

    def put(self, value: Any) -> Any:
        if value in (0, (0, 0)) and not isinstance(value, bool):
            with self.aside() as other:
                return other.setopt(*self.pair, value)
        return self.inner.setopt(*self.pair, value)


class Once(Differing):
    """Only the first setopt does anything."""

    done = False

    def put(self, value: Any) -> Any:
        if self.done:
            with self.aside() as other:
                return other.setopt(*self.pair, value)
        result = self.inner.setopt(*self.pair, value)
        self.done = True
        return result


class NoneTold(Differing):
    """setopt returns nothing."""

    def put(self, value: Any) -> Any:
        self.inner.setopt(*self.pair, value)


class Constant(Differing):
    """getopt tells what a new socket has."""

    def take(self) -> Any:
        found = self.inner.getopt(*self.pair)
        try:
            with self.aside() as other:
                return other.getopt(*self.pair)
        except OSError:
            return found


class Inverted(Differing):
    """getopt tells a flag's contrary."""

    def take(self) -> Any:
        return int(not self.inner.getopt(*self.pair))


class AsText(Differing):
    """getopt tells a text."""

    def take(self) -> Any:
        return str(self.inner.getopt(*self.pair)) + " "


class Shifted(Differing):
    """getopt tells one more."""

    def take(self) -> Any:
        return self.inner.getopt(*self.pair) + 1


class ReadRefused(Differing):
    """getopt says that there is no such option."""

    def take(self) -> Any:
        self.inner.getopt(*self.pair)
        raise system(errno.ENOPROTOOPT)


class WriteRefused(Differing):
    """setopt says that there is no such option."""

    def put(self, value: Any) -> Any:
        with self.aside() as other:
            other.setopt(*self.pair, value)
        raise system(errno.ENOPROTOOPT)


class Unknown(Differing):
    """Level and option are not known at all."""

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
    """Two options are taken for each other."""

    pairs: tuple[Pair, Pair] = (("", ""), ("", ""))

    def _other(self, pair: tuple[Any, ...]) -> Any:
        one, other = self.pairs
        return other if pair == one else one if pair == other else pair

    def setopt(self, *arguments: Any) -> Any:
        return self.inner.setopt(*self._other(arguments[:2]), *arguments[2:])

    def getopt(self, *arguments: Any) -> Any:
        return self.inner.getopt(*self._other(arguments))


#: Pairs that are easily taken for each other; each is named by its first one.
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
    """Another of the system's options is set and read."""

    key: tuple[int, int] = (0, 0)

    def put(self, value: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            return self.inner.setopt(*self.pair, value)
        with self.aside() as other:
            other.setopt(*self.pair, value)
        with self.borrowed() as sock:
            sock.setsockopt(*self.key, value)
        return True

    def take(self) -> Any:
        self.inner.getopt(*self.pair)
        with self.borrowed() as sock:
            return sock.getsockopt(*self.key)


#: Constants that are easily taken for the right ones (Linux's numbers where Python has no name).
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
    """One way to be wrong that an option may have."""

    does: str
    #: The clauses that must say so, with `{}` for the pair as clauses spell it.
    clauses: tuple[str, ...]
    applies: Callable[[Option], bool]
    port: type[Wrapped]


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
    """Whether the system keeps what was set, for both to be compared."""
    return both(option) and option.stored


def of_shape(*shapes: str) -> Callable[[Option], bool]:
    """Options of these shapes that can be set."""
    return lambda option: option.shape in shapes and can_set(option)


EFFECT = "setopt.{}.effect.*"
#: Effects that are seen when an option is off, or when it does no more than it should: ignoring it shows nothing there.
OFF = ("off", "no-reset", "released", "in-time", "not-sending", "not-receiving", "seconds")
#: Those of them that a port shows which cannot take an option off again.
STUCK = ("off", "released")
BEHAVIOURS = {
    "ignored": Behaviour("setting {} does nothing", (EFFECT,), can_set, Ignored),
    "remembered": Behaviour("{} is only remembered", (EFFECT,), both, Remembered),
    "once": Behaviour("{} can be set once only", ("setopt.stored.latest",), stored, Once),
    "none": Behaviour("setting {} returns nothing", ("setopt.returns.true",), can_set, NoneTold),
    "write-refused": Behaviour("{} cannot be set", ("setopt.returns.true",), can_set, WriteRefused),
    "read-refused": Behaviour("{} cannot be read", ("getopt.value.shape",), can_get, ReadRefused),
    "unknown": Behaviour("{} is not known", ("[sg]etopt.*",), lambda option: True, Unknown),
    "constant": Behaviour("{} is read as if it had not been set", ("getopt.stored.value",), stored, Constant),
    "inverted": Behaviour(
        "{} is read inverted",
        ("getopt.value.default",),
        lambda o: o.shape == "flag" and o.default == 0 and can_get(o),
        Inverted,
    ),
    "text": Behaviour(
        "{} is read as text", ("getopt.value.shape",), lambda o: can_get(o) and o.shape != "membership", AsText
    ),
    "shifted": Behaviour(
        "{} is read as one more",
        ("getopt.stored.value",),
        lambda o: stored(o) and o.shape in ("int", "linger", "index"),
        Shifted,
    ),
    "at-new": Behaviour(
        "{} is set on new sockets", ("socket.new.options",), lambda o: of_shape("flag")(o) and o.default == 0, AtNew
    ),
    "int-refused": Behaviour("{} takes a bool only", ("setopt.roundtrip.accepted",), of_shape("flag"), BoolRefused),
}


def build(behaviour: str, name: str) -> Any:
    """The port of a row; KeyError where there is none."""
    if behaviour == "swapped":
        pairs = tuple(tuple(each.split("-", 1)) for each in (name, SIBLINGS[name]))
        return type(f"swapped {name}", (Swapped,), {"pairs": pairs})
    pair = tuple(name.split("-", 1))
    if behaviour == "other-constant":
        return type(f"constant of {name}", (Constants,), {"pair": pair, "key": CONSTANTS[name][1]})
    port = Stuck if behaviour == "stuck" else BEHAVIOURS[behaviour].port
    return type(f"{behaviour} {name}", (port,), {"pair": pair})


#: Rows whose clauses are others than those of the behaviour: an mtu has no value before there is a connection, text for
#: text has the right shape, and raw sockets' own flag is not on a stream's list.
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
    """The clauses about what a pair does whose last words are chosen."""
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
        # Without reuseaddr from the start there is nothing to take off.
        if row != "socket-reuseaddr" and (clauses := effects(row, lambda word: word in STUCK)):
            does = f"{row.replace('-', ' ')} cannot be taken off"
            yield Fault(f"stuck/{row}", does, clauses)
    for one, other in SIBLINGS.items():
        clauses = ("setopt.membership.*",) if "membership" in one else (f"setopt.{one}.effect.*",)
        yield Fault(f"swapped/{one}", f"{one} and {other} are swapped".replace("-", " "), clauses)
    for row, (constant, _) in CONSTANTS.items():
        yield Fault(f"other-constant/{row}", f"{row} is {constant}".replace("-", " "), ("setopt.stored.value",))


GROUP = TableGroup(__name__, rows, build)
