"""Detects changes of links, addresses and the host name in the hermetic network."""

from __future__ import annotations

import errno
import itertools
import socket
import struct
from pathlib import Path

# Groups of NETLINK_ROUTE's messages: links, IPv4 addresses and routes, IPv6 addresses and routes (<linux/rtnetlink.h>).
_GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
# <linux/sockios.h>, <linux/if.h>
_SIOCGIFFLAGS, _SIOCGIFMTU = 0x8913, 0x8921
_IFF_UP = 0x1


class Watch:
    """Remembers the host name, and the links and addresses of the network namespace that it is created in.

    Listing links and addresses takes longer than most cases, so it is done only after the kernel reported a change.
    """

    def __init__(self) -> None:
        self._events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        try:
            self._events.bind((0, _GROUPS))
            self._events.setblocking(False)
            self.host_name = socket.gethostname()
            self._before = _state()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop watching."""
        self._events.close()

    def changes(self) -> set[str]:
        """What is `new: ...` or `gone: ...` since the start; empty if nothing changed."""
        if not self._notified() and socket.gethostname() == self.host_name:
            return set()
        now = _state()
        new = {f"new: {text}" for text in now - self._before}
        return new | {f"gone: {text}" for text in self._before - now}

    def _notified(self) -> bool:
        """Whether the kernel has sent a notification; takes all of them off the socket."""
        notified = False
        while True:
            try:
                self._events.recv(65536)
            except BlockingIOError:
                return notified
            except OSError as error:
                if error.errno != errno.ENOBUFS:  # more notifications than the kernel could queue
                    raise
            notified = True


def _state() -> frozenset[str]:
    return frozenset(_links() | _ipv4() | _ipv6() | {f"host name {socket.gethostname()}"})


def _links() -> set[str]:
    import fcntl  # missing on some systems

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:

        def ask(request: int, name: str, form: str) -> int:
            answer = fcntl.ioctl(sock, request, struct.pack("16s16x", name.encode()))
            return int(struct.unpack_from(form, answer, 16)[0])

        return {
            f"link {name}, {'up' if ask(_SIOCGIFFLAGS, name, '@H') & _IFF_UP else 'down'}, "
            f"mtu {ask(_SIOCGIFMTU, name, '@i')}"
            for _, name in socket.if_nameindex()
        }


def _ipv4() -> set[str]:
    """The addresses of this host: in fib_trie, each is in the line above its `/32 host LOCAL`."""
    lines = Path("/proc/thread-self/net/fib_trie").read_text().splitlines()
    pairs = itertools.pairwise(lines)
    return {f"address {above.split()[-1]}" for above, line in pairs if line.endswith("/32 host LOCAL")}


def _ipv6() -> set[str]:
    """Without link-local addresses (scope 20): the kernel adds those by itself, at any time."""
    try:
        rows = [line.split() for line in Path("/proc/thread-self/net/if_inet6").read_text().splitlines()]
    except FileNotFoundError:  # a kernel without IPv6
        return set()
    return {f"address {row[0]}/{int(row[2], 16)} on {row[5]}" for row in rows if row[3] != "20"}
