"""Host and service names of the hermetic network, in files that are mounted over the system's.

A name resolves to several addresses in a chosen order. The resolver keeps the order of the pool's addresses: each is
local and its route has another source address, so that no rule of RFC 6724 prefers one of them.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from pathlib import Path

from nixio_conformance.netns import namespaces
from nixio_conformance.netns.network import FOREIGN, POOL, UNREACHABLE

#: Names by family, each with its addresses in the order in which they resolve.
NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    family: {
        "one.test": POOL[family][:1],
        "first-second.test": (POOL[family][0], POOL[family][1]),
        "second-first.test": (POOL[family][1], POOL[family][0]),
        "three.test": POOL[family][2:5],
        "foreign-first.test": (FOREIGN[family], POOL[family][0]),
        "foreign-last.test": (POOL[family][0], FOREIGN[family]),
        "unreachable-last.test": (POOL[family][0], UNREACHABLE[family]),
    }
    for family in POOL
}
#: Services that no real /etc/services has: one with another port number for each protocol, and two of one protocol.
SERVICES = {
    ("nixio-test", "tcp"): 24671,
    ("nixio-test", "udp"): 24672,
    ("nixio-tcp", "tcp"): 24673,
    ("nixio-udp", "udp"): 24674,
}

_FILES = {
    "nsswitch.conf": "hosts: files\nservices: files\nprotocols: files\npasswd: files\ngroup: files\n",
    "resolv.conf": "# no name servers in the hermetic network\n",
    "host.conf": "multi on\n",
    # The same label and precedence for all addresses, so that the order of the file is kept.
    "gai.conf": "label ::/0 1\nprecedence ::/0 40\nscopev4 ::ffff:0:0/96 14\n",
}
#: Where a system has no such file, a file of the hermetic network would change nothing.
_OPTIONAL = ("host.conf", "gai.conf")
#: Folders with the sockets of daemons that would answer instead of the files.
_DAEMONS = ("/run/nscd", "/var/run/nscd", "/run/systemd/resolve", "/run/avahi-daemon")


def cover(folder: Path) -> None:
    """Write the files into `folder` and mount them over the system's.

    Raises OSError when refused, or when names resolve otherwise all the same.
    """
    files = {**_FILES, "hosts": _hosts(), "services": _services(Path("/etc/services"))}
    _create_missing([name for name in files if name not in _OPTIONAL], folder / "layer")
    for name, text in files.items():
        own = folder / name
        own.write_text(text)
        system = Path("/etc", name)
        if system.exists():
            namespaces.cover(system.resolve(), own)
    for daemon in {Path(name).resolve() for name in _DAEMONS}:
        if daemon.is_dir():
            namespaces.cover_with_nothing(daemon)
    _resolve()


def _create_missing(names: list[str], scratch: Path) -> None:
    """Create those of the files that this system lacks, as small containers do, in a layer over /etc."""
    paths = [Path("/etc", name) for name in names]
    if all(path.exists() for path in paths):
        return
    scratch.mkdir()
    namespaces.cover_with_layer(Path("/etc"), scratch)
    for path in paths:  # also those that were mounted over /etc, and are not seen any more
        if not path.exists():
            path.unlink(missing_ok=True)  # a link that leads nowhere
            path.touch()


def _resolve() -> None:
    """Resolve a name and a service, to see whether the C library reads these files."""
    host, service = "first-second.test", "nixio-test"
    expected = [(address, SERVICES[service, "tcp"]) for address in NAMES["inet"][host]]
    try:
        found = socket.getaddrinfo(host, service, socket.AF_INET, socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise OSError(errno.ENOENT, f"{host} and {service} do not resolve: {error.strerror}") from error
    if [address for *_, address in found] != expected:
        raise OSError(errno.ENOENT, f"{host} resolves to {found}")


def _hosts() -> str:
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
    for names in NAMES.values():
        lines += [f"{address} {name}" for name, addresses in names.items() for address in addresses]
    return "\n".join(lines) + "\n"


def _services(system: Path) -> str:
    lines = system.read_text(encoding="utf-8", errors="replace") if system.exists() else ""
    ours = "\n".join(f"{name} {port}/{protocol}" for (name, protocol), port in SERVICES.items())
    return f"{lines}\n{ours}\n"
