"""A name with several addresses: bind and connect try them in the resolver's order, on one socket."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from typing import Any, ClassVar

from tests.mutants.registry import Group
from tests.mutants.wrapper import FAMILIES, TYPES, Wrapped, is_int, reference, with_effect

GROUP = Group(__name__)
fault = GROUP.fault


class Walk(Wrapped):
    """bind and connect that resolve names in Python; `walk` tries the addresses."""

    methods: ClassVar[tuple[str, ...]] = ()

    def attempt(self, address: Any) -> Any:
        """Try one address with the reference."""
        return getattr(self.inner, self.methods[0])(*address)

    def order(self, addresses: list[Any]) -> list[Any]:
        """The addresses in the order in which they are tried."""
        return addresses

    def between(self) -> None:
        """Called between two addresses."""

    def final(self, error: OSError) -> bool:
        """Whether this failure ends the walk."""
        return isinstance(error, BlockingIOError)

    def reported(self, errors: list[OSError]) -> OSError:
        """The failure to report if all addresses have failed."""
        return errors[-1]

    def walk(self, addresses: list[Any]) -> Any:
        """Try the addresses one by one."""
        errors: list[OSError] = []
        for number, address in enumerate(self.order(addresses)):
            try:
                if number:
                    self.between()
                return self.attempt(address)
            except OSError as error:
                if self.final(error):
                    raise
                errors.append(error)
        raise self.reported(errors)

    def _opened(self, name: str, *arguments: Any) -> Any:
        host, port = (*arguments, None, None)[:2]
        plain = self.internet and self.type != "raw" and isinstance(host, str) and "\0" not in host
        named = (isinstance(port, str) and port.isalnum()) or is_int(port)
        if name not in self.methods or not plain or not named or self.number < 0 or not _may_resolve(port):
            return getattr(self.inner, name)(*arguments)
        flags = socket.AI_PASSIVE if name == "bind" else 0
        try:
            found = socket.getaddrinfo(host, port, FAMILIES[self.domain], TYPES[self.type], 0, flags)
        except (OSError, UnicodeError):
            return getattr(self.inner, name)(*arguments)
        return self.walk([_address(entry[4]) for entry in found])

    def bind(self, *arguments: Any) -> Any:
        return self._opened("bind", *arguments)

    def connect(self, *arguments: Any) -> Any:
        return self._opened("connect", *arguments)


def _may_resolve(port: Any) -> bool:
    return 0 <= int(port) <= 65535 if is_int(port) or port.isdigit() else True


def _address(found: Any) -> tuple[str, int]:
    host, port = found[:2]
    zone = f"%{found[3]}" if len(found) == 4 and found[3] and "%" not in host else ""
    return host + zone, port


def new_number(sock: Any) -> None:
    """Use a new socket for the next address."""
    old, sock.inner = sock.inner, reference().socket(sock.domain, sock.type)
    old.close()


def new_behind(sock: Any) -> None:
    """Put a new socket behind the descriptor for the next address."""
    with socket.socket(FAMILIES[sock.domain], TYPES[sock.type]) as new:
        os.dup2(new.fileno(), sock.number, inheritable=False)


def leak(sock: Any) -> None:
    """Leak a descriptor for each address."""
    os.dup(sock.number)


both = GROUP.rows(Walk, "{}-{method}", "{method} {}", "{method}.{}", methods=("bind", "connect"))
both("first-only", "tries the first address only", "resolution.next").override(order=lambda s, a: a[:1])
both("first-two", "tries the first two addresses only", "resolution.third").override(order=lambda s, a: a[:2])
both("last-first", "starts with the last address", "resolution.first").override(order=lambda s, a: a[::-1])
both("sorted", "sorts the addresses", "resolution.first").override(order=lambda s, a: sorted(a))
both("first-failure", "reports the first failure", "resolution.last-failure").override(reported=lambda s, e: e[0])
both("new-number", "uses a new socket for each address", "resolution.same-descriptor").override(between=new_number)
both("new-behind", "puts a new socket behind the descriptor for each address", "resolution.same-descriptor").override(
    between=new_behind
)
both("leaks", "leaks a descriptor for each address", "resolution.next").override(between=leak)
both("closes", "closes the socket when all addresses have failed", "resolution.usable-after-failure").override(
    reported=lambda s, e: with_effect(e[-1], lambda: s.inner.close())
)
fault("only-refused", "connect continues after a refusal only", "connect.resolution.next-unusable").override(
    Walk, methods=("connect",), final=lambda s, e: e.errno != errno.ECONNREFUSED
)
fault("only-used", "bind continues after EADDRINUSE only", "bind.resolution.next").override(
    Walk, methods=("bind",), final=lambda s, e: e.errno != errno.EADDRINUSE
)
fault(
    "progress-goes-on",
    "connect continues with the next address while one is in progress",
    "connect.resolution.in-progress",
).override(Walk, methods=("connect",), final=lambda s, e: False)


@fault("all-of-them", "connect connects to every address", "connect.resolution.first-only", methods=("connect",))
def walk(self: Walk, addresses: list[Any]) -> Any:
    for address in addresses[1:]:
        if self.stream and self.blocking:
            other = reference().socket(self.domain, self.type)
            with contextlib.suppress(OSError):
                other.connect(*address)
            other.close()
    return Walk.walk(self, addresses)


@fault(
    "datagram-first-only",
    "connect of a datagram socket tries the first address only",
    "connect.resolution.next-unusable",
    methods=("connect",),
)
def order(self: Walk, addresses: list[Any]) -> list[Any]:
    return addresses[:1] if self.dgram else addresses


@fault(
    "service-alone",
    "bind and connect look services up in a table of their own",
    "bind.resolution.service",
    "connect.resolution.service",
)
class ServiceAlone(Wrapped):
    def bind(self, host: Any = None, port: Any = None) -> Any:
        return self.inner.bind(host, self._service(port))

    def connect(self, host: Any = None, port: Any = None) -> Any:
        return self.inner.connect(host, self._service(port))

    def _service(self, port: Any) -> Any:
        own = {"http": 80, "domain": 53, "ntp": 123}
        if self.unix or not isinstance(port, str) or port.isdigit() or self.type == "raw":
            return port
        if port in own:
            return own[port]
        raise socket.gaierror(socket.EAI_SERVICE, "no such service")
