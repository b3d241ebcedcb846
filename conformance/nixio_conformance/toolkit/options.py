"""The options of the tables, read and set through the standard library on any socket.

On a view of the implementation's socket (`Case.view`) this shows what the implementation did; on a new socket of the
suite it shows what the system itself does.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Collection, Iterable
from pathlib import Path

from nixio_conformance.toolkit.peer import family_of, type_of
from nixio_fixtures import Kind, Option, Scalar, Value, load

#: Placeholders in the tables' values for this host's loopback interface and for a new multicast group.
_LOOPBACK = "@loopback"
_GROUP = "@group"
#: 127.0.0.1 as the system's options take it.
PACKED_LOOPBACK = socket.inet_aton("127.0.0.1")

_TIMEVAL = struct.Struct("@ll")
_LINGER = struct.Struct("@ii")
_SIZE = 16
_SIOCOUTQNSD = 0x894B

#: Linux options outside the API, by level and number; compared before and after to catch a setopt with a wrong number.
_OTHER_OPTIONS = {
    (1, 1): "SO_DEBUG", (1, 11): "SO_NO_CHECK", (1, 15): "SO_REUSEPORT", (1, 16): "SO_PASSCRED", (1, 18): "SO_RCVLOWAT",
    (1, 29): "SO_TIMESTAMP", (1, 36): "SO_MARK", (1, 46): "SO_BUSY_POLL",
    (6, 4): "TCP_KEEPIDLE", (6, 5): "TCP_KEEPINTVL", (6, 6): "TCP_KEEPCNT", (6, 7): "TCP_SYNCNT", (6, 8): "TCP_LINGER2",
    (6, 9): "TCP_DEFER_ACCEPT", (6, 18): "TCP_USER_TIMEOUT", (6, 23): "TCP_FASTOPEN",
    (0, 1): "IP_TOS", (0, 2): "IP_TTL", (0, 8): "IP_PKTINFO", (0, 10): "IP_MTU_DISCOVER", (0, 11): "IP_RECVERR",
    (0, 12): "IP_RECVTTL", (0, 13): "IP_RECVTOS", (0, 15): "IP_FREEBIND", (0, 21): "IP_MINTTL",
    (0, 49): "IP_MULTICAST_ALL",
    (41, 16): "IPV6_UNICAST_HOPS", (41, 23): "IPV6_MTU_DISCOVER", (41, 25): "IPV6_RECVERR",
    (41, 29): "IPV6_MULTICAST_ALL", (41, 49): "IPV6_RECVPKTINFO", (41, 51): "IPV6_RECVHOPLIMIT",
    (41, 62): "IPV6_DONTFRAG", (41, 67): "IPV6_TCLASS",
}  # fmt: skip


def fresh(kind: Kind) -> socket.socket:
    """A new socket of the standard library, of the kind and protocol that the checks use."""
    protocol = {"inet": 1, "inet6": 58}[kind.domain] if kind.type == "raw" else 0
    return socket.socket(family_of(kind), type_of(kind), protocol)


def number(option: Option) -> tuple[int, int]:
    """The system's numbers for an option's level and name."""
    return getattr(socket, option.sol, option.sol_number), getattr(socket, option.constant, option.number)


def read(sock: socket.socket, option: Option) -> Value:
    """The system's value in the contract's shape; linger that is on with 0 seconds is (1, 0).

    Raises `OSError` as the system does.
    """
    if option.shape in ("flag", "int", "index"):
        return sock.getsockopt(*number(option))
    raw = sock.getsockopt(*number(option), _SIZE)
    if option.shape == "timeout":
        seconds, microseconds = _TIMEVAL.unpack(raw)
        return int(seconds), int(microseconds)
    if option.shape == "linger":
        on, seconds = _LINGER.unpack(raw)
        return (1, 0) if on and not seconds else int(seconds) if on else 0
    if option.shape == "device":
        return os.fsdecode(raw.rstrip(b"\0"))
    return socket.inet_ntoa(raw[:4])


def write(sock: socket.socket, option: Option, value: Value) -> None:
    """Set a value that has the contract's shape. Raises `OSError` as the system does."""
    sock.setsockopt(*number(option), _encode(option, value))


def _encode(option: Option, value: Value) -> bytes | int:
    if option.shape == "membership":
        group, interface = value if isinstance(value, tuple) else (value, 0 if option.level == "ipv6" else "0.0.0.0")
        if option.level == "ipv6":
            return socket.inet_pton(socket.AF_INET6, str(group)) + struct.pack("@I", interface)
        return socket.inet_aton(str(group)) + socket.inet_aton(str(interface))
    if isinstance(value, str):
        return os.fsencode(value) + b"\0" if option.shape == "device" else socket.inet_aton(value)
    if option.shape == "timeout":
        return _TIMEVAL.pack(*(value if isinstance(value, tuple) else (value, 0)))
    assert isinstance(value, int)
    return _LINGER.pack(value != 0, value) if option.shape == "linger" else value


def concrete(option: Option, value: Value) -> Value:
    """A value of the tables with `@loopback` and `@group` replaced: this host's interface, a new group each time."""
    if isinstance(value, tuple):
        return tuple(_concrete(option, part) for part in value)
    return _concrete(option, value)


def _concrete(option: Option, value: Scalar) -> Scalar:
    if value == _GROUP:
        return group(option.level)
    if value != _LOOPBACK:
        return value
    index, name = loopback()
    if option.shape == "device":
        return name
    return index if option.level == "ipv6" else "127.0.0.1"


def group(level: str) -> str:
    """A random multicast group of the family of a level, "ip" or "ipv6"."""
    # Not from `random`: pytest plugins may set the same seed in all workers.
    one, two, three, four = os.urandom(4)
    return f"ff02::77:{one:x}{two:02x}:{three:x}{four:02x}" if level == "ipv6" else f"239.{two % 250}.{three}.{four}"


def loopback() -> tuple[int, str]:
    """Index and name of the loopback interface."""
    return next((index, name) for index, name in socket.if_nameindex() if name.startswith("lo"))


def member(sock: socket.socket, option: Option, value: Value) -> bool:
    """Whether a socket is a member of a group on an interface.

    Found out by joining, which fails for a member with EADDRINUSE and is undone otherwise.
    """
    add, drop = (load().option(f"{option.level}.{name}") for name in ("add_membership", "drop_membership"))
    try:
        write(sock, add, value)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return True
        raise
    write(sock, drop, value)
    return False


def snapshot(sock: socket.socket) -> dict[str, str]:
    """The system's values of a socket's options, also of some outside the tables, and its blocking mode, by name.

    The pending error is left out, as reading resets it.
    """
    found = {option.id: _raw(sock, *number(option)) for option in load().options if _is_stable(option)}
    found |= {name: _raw(sock, level, which) for (level, which), name in _OTHER_OPTIONS.items()}
    found["blocking"] = str(os.get_blocking(sock.fileno()))
    return found


def _is_stable(option: Option) -> bool:
    return bool(option.get) and option.id != "socket.error"


def _raw(sock: socket.socket, level: int, which: int) -> str:
    try:
        raw = sock.getsockopt(level, which, _SIZE)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return str(int.from_bytes(raw, "little", signed=True)) if len(raw) == 4 else repr(raw)


def changes(before: dict[str, str], after: dict[str, str], but: Collection[str] = ()) -> str:
    """The differences between two snapshots as text, without those of the options `but`; empty if there are none."""
    differing: Iterable[str] = (name for name in before if before[name] != after[name] and name not in but)
    return ", ".join(f"{name} from {before[name]} to {after[name]}" for name in differing)


def unsent(sock: socket.socket) -> int:
    """Bytes that TCP has not sent yet (Linux)."""
    import fcntl  # not on every system; this is called on Linux only

    return int.from_bytes(fcntl.ioctl(sock, _SIOCOUTQNSD, bytes(4)), "little")


def keepalive_timer(sock: socket.socket) -> bool:
    """Whether the keepalive timer of a TCP connection runs (Linux)."""
    inode = str(os.fstat(sock.fileno()).st_ino)
    table = "/proc/net/tcp6" if sock.family == socket.AF_INET6 else "/proc/net/tcp"
    for line in Path(table).read_text().splitlines()[1:]:
        words = line.split()
        if words[9] == inode:
            return words[5].startswith("02:")
    raise OSError(f"no connection with inode {inode} in {table}")
