"""Host names, service names and addresses: some that this host has, and some that no host has."""

from __future__ import annotations

import re
import socket
from functools import cache
from pathlib import Path

import pytest

from nixio_conformance.toolkit.case import LOOPBACK, Case
from nixio_conformance.toolkit.peer import Address, family_of, type_of
from nixio_fixtures import Kind

#: A host name with a space: a resolver fails at once and asks no server, so that it takes no time without DNS either.
NO_HOST = "no such host"
#: A valid service name that is in no services file.
NO_SERVICE = "nixio-nothing"
#: Addresses reserved for documentation, which no host has (RFC 5737, RFC 3849).
NOT_LOCAL = {"inet": "192.0.2.1", "inet6": "2001:db8::1"}

PROTOCOLS = {"stream": "tcp", "dgram": "udp"}


@cache
def _table() -> dict[str, dict[str, int]]:
    """The ports of /etc/services by service name and protocol; empty if the file cannot be read."""
    try:
        text = Path("/etc/services").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found: dict[str, dict[str, int]] = {}
    for name, port, protocol in re.findall(r"^(\S+)\s+(\d+)/(tcp|udp)\b", text, re.MULTILINE):
        found.setdefault(name, {})[protocol] = int(port)
    return found


def service(kind: Kind, host: str) -> tuple[str, int]:
    """The name and port of a service for the kind's protocol whose port is free at `host`.

    The port is one that any user may bind and that the system does not assign by itself. Skips the case if
    /etc/services has none.
    """
    protocol = PROTOCOLS[kind.type]
    for name, ports in _table().items():
        port = ports.get(protocol, 0)
        if 1024 <= port < 32768 and _known(name, protocol) == port and _free(kind, (host, port)):
            return name, port
    pytest.skip(f"/etc/services has no {protocol} service whose port is 1024 or higher and free at {host}")


def foreign_service(kind: Kind) -> str:
    """The name of a service that the kind's protocol does not have and the other one has; else skips the case."""
    protocol = PROTOCOLS[kind.type]
    other = "udp" if protocol == "tcp" else "tcp"
    for name, ports in _table().items():
        if protocol not in ports and _known(name, other) and not _known(name, protocol):
            return name
    pytest.skip(f"/etc/services has no service that exists for {other} only")


def own_host(case: Case) -> str:
    """A loopback address of this case alone, for IPv6 an IPv4-mapped one (capability `loopback-net`)."""
    address = case.own_address()
    return f"::ffff:{address}" if case.kind.domain == "inet6" else address


def local_name(kind: Kind) -> tuple[str, list[str]]:
    """A name of this host and the addresses of the kind's family that it resolves to; else skips the case."""
    for name in ("localhost", "ip6-localhost", "localhost6"):
        # A name that the hosts file does not have would be looked up by DNS, which may be slow.
        if name in _hosts().get(LOOPBACK[kind.domain], ()) and not isinstance(found := resolve(kind, name), OSError):
            return name, found
    pytest.skip(f"/etc/hosts has no name for {LOOPBACK[kind.domain]}")


def _hosts() -> dict[str, set[str]]:
    """The names of /etc/hosts by address. The file is read each time: a network namespace may have another one."""
    try:
        lines = Path("/etc/hosts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found: dict[str, set[str]] = {}
    for words in (line.partition("#")[0].split() for line in lines):
        found.setdefault(words[0] if words else "", set()).update(words[1:])
    return found


def not_local(kind: Kind) -> str:
    """An address that this host does not have. Skips the case if any can be bound (sysctl ip_nonlocal_bind)."""
    if _free(kind, (NOT_LOCAL[kind.domain], 0)):
        pytest.skip("this host allows binding to addresses that it does not have")
    return NOT_LOCAL[kind.domain]


def resolve(kind: Kind, name: str) -> list[str] | OSError:
    """The addresses of the kind's family that this host's resolver has for a name, or its error."""
    try:
        found = socket.getaddrinfo(name, 0, family_of(kind), type_of(kind))
    except OSError as error:
        return error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _known(name: str, protocol: str) -> int:
    """The port that getservbyname(3) returns for a service; 0 if there is none."""
    try:
        return socket.getservbyname(name, protocol)
    except OSError:
        return 0


def _free(kind: Kind, address: Address) -> bool:
    try:
        with socket.socket(family_of(kind), type_of(kind)) as trial:
            trial.bind(address)
    except OSError:
        return False
    return True
