"""Private names: a name resolves to several addresses in an order that the suite chose.

The files of the resolver are covered by the lab's own, for this process and what it starts. The pool's addresses are
such that the resolver keeps the order in which they are written (each is local, and its route has another source, so
that no rule of RFC 6724 prefers one to the other).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nixio_conformance.netns import namespaces
from nixio_conformance.netns.network import FOREIGN, POOL, UNREACHABLE

#: Names by family: to which addresses each resolves, in which order. A case picks a port where the right ones listen.
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
#: Services that no real table has; one name, a port for each protocol.
SERVICES = {("nixio-test", "tcp"): 24671, ("nixio-test", "udp"): 24672}

_FILES = {
    "nsswitch.conf": "hosts: files\nservices: files\nprotocols: files\npasswd: files\ngroup: files\n",
    "resolv.conf": "# no name servers in the lab\n",
    "host.conf": "multi on\n",
    # One label and one precedence for all, so that the order is the file's.
    "gai.conf": "label ::/0 1\nprecedence ::/0 40\nscopev4 ::ffff:0:0/96 14\n",
}
#: Where daemons would answer for the resolver, past the files.
_DAEMONS = ("/run/nscd", "/var/run/nscd", "/run/systemd/resolve", "/run/avahi-daemon")


def cover(folder: Path) -> None:
    """Write the lab's files into `folder`, and show them in place of the system's. Raises OSError."""
    files = {**_FILES, "hosts": _hosts(), "services": _services(Path("/etc/services"))}
    for name, text in files.items():
        own = folder / name
        own.write_text(text)
        system = Path("/etc", name)
        if system.exists():
            namespaces.cover(system.resolve(), own)
    for daemon in {Path(name).resolve() for name in _DAEMONS}:
        if daemon.is_dir():
            namespaces.cover_with_nothing(daemon)


def _hosts() -> str:
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
    for names in NAMES.values():
        lines += [f"{address} {name}" for name, addresses in names.items() for address in addresses]
    return "\n".join(lines) + "\n"


def _services(system: Path) -> str:
    lines = system.read_text(encoding="utf-8", errors="replace") if system.exists() else ""
    ours = "\n".join(f"{name} {port}/{protocol}" for (name, protocol), port in SERVICES.items())
    return f"{lines}\n{ours}\n"
