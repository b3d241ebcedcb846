"""Services that this host knows by name, on addresses where nothing listens, and names that nothing knows."""

from __future__ import annotations

import re
import socket
from functools import cache
from pathlib import Path

import pytest

from nixio_conformance.toolkit.case import LOOPBACK, Case
from nixio_conformance.toolkit.peer import Address, family_of, type_of
from nixio_fixtures import Kind

#: No resolver can ask anybody for a host whose name has a space in it: it says at once that there is none, on hosts
#: without DNS too.
NO_HOST = "no such host"
#: Well formed, and in no services file.
NO_SERVICE = "nixio-nothing"
#: Addresses that no host has, because they stand in documents (RFC 5737, RFC 3849).
NOT_LOCAL = {"inet": "192.0.2.1", "inet6": "2001:db8::1"}

PROTOCOLS = {"stream": "tcp", "dgram": "udp"}


@cache
def _table() -> dict[str, dict[str, int]]:
    """Ports by name and protocol, from 1024 (anybody may bind them) to where ports are given out by the system."""
    try:
        text = Path("/etc/services").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found: dict[str, dict[str, int]] = {}
    for name, port, protocol in re.findall(r"^(\S+)\s+(\d+)/(tcp|udp)\b", text, re.MULTILINE):
        found.setdefault(name, {})[protocol] = int(port)
    return found


def service(kind: Kind, host: str) -> tuple[str, int]:
    """A service of the kind's protocol whose port is free at `host`; skips the case where there is none."""
    protocol = PROTOCOLS[kind.type]
    for name, ports in _table().items():
        port = ports.get(protocol, 0)
        if 1024 <= port < 32768 and _known(name, protocol) == port and _free(kind, (host, port)):
            return name, port
    pytest.skip(f"/etc/services names no {protocol} port from 1024 on that can be had at {host}")


def foreign_service(kind: Kind) -> str:
    """A service that exists for the other protocol only; skips the case where there is none."""
    protocol = PROTOCOLS[kind.type]
    other = "udp" if protocol == "tcp" else "tcp"
    for name, ports in _table().items():
        if protocol not in ports and _known(name, other) and not _known(name, protocol):
            return name
    pytest.skip(f"/etc/services names no service that is {other}'s alone")


def own_host(case: Case) -> str:
    """An address of the case's family where no other program listens (capability `loopback-net`)."""
    address = case.own_address()
    return f"::ffff:{address}" if case.kind.domain == "inet6" else address


def local_name(kind: Kind) -> tuple[str, list[str]]:
    """A name for this host and the addresses it resolves to in the kind's family; skips where there is none."""
    for name in ("localhost", "ip6-localhost", "localhost6"):
        # What the file does not have would go to DNS, which may not answer for a long time.
        if name in _hosts().get(LOOPBACK[kind.domain], ()) and not isinstance(found := resolve(kind, name), OSError):
            return name, found
    pytest.skip(f"/etc/hosts gives {LOOPBACK[kind.domain]} no name")


def _hosts() -> dict[str, set[str]]:
    """Names by address, as in this host's own file. It is read each time, since a lab may cover it."""
    try:
        lines = Path("/etc/hosts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found: dict[str, set[str]] = {}
    for words in (line.partition("#")[0].split() for line in lines):
        found.setdefault(words[0] if words else "", set()).update(words[1:])
    return found


def not_local(kind: Kind) -> str:
    """An address that this host does not have; skips the case where any address can be bound (ip_nonlocal_bind)."""
    if _free(kind, (NOT_LOCAL[kind.domain], 0)):
        pytest.skip("this host binds any address, its own or not")
    return NOT_LOCAL[kind.domain]


def resolve(kind: Kind, name: str) -> list[str] | OSError:
    """What this host's resolver says of a name in the kind's family."""
    try:
        found = socket.getaddrinfo(name, 0, family_of(kind), type_of(kind))
    except OSError as error:
        return error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _known(name: str, protocol: str) -> int:
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
