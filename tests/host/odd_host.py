"""Runs a program on a host with fewer system calls, or with other settings, files or limits than this one.

    python odd_host.py '{"refused": {"unshare": "EPERM"}, "sysctls": {"net/ipv6/bindv6only": "1"}}' PROGRAM ARGUMENT...

The keys, each of which may be left out:

- `refused`: system calls that fail with the given error, by a seccomp filter like those of containers; `socket(10)` is
  socket() with this first argument.
- `sysctls`: settings of a new network namespace with loopback up; `null` leaves loopback down.
- `mtu`: the MTU of loopback, in such a namespace too.
- `etc`: files of /etc with other contents; `null` removes the file.
- `limits`: resource limits, `{"NOFILE": 64}`.
- `environment`: variables; `null` removes one.
- `umask`, `ignored` (signals, by name) and `closed` (descriptors) as the program finds them when it starts.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from nixio_conformance.netns import hermetic, namespaces
from nixio_conformance.netns.netlink import Netlink

#: Numbers of system calls on x86_64.
NUMBERS = {
    "socket": 41,
    "mount": 165,
    "unshare": 272,
    "setns": 308,
    "pidfd_open": 434,
    "pidfd_getfd": 438,
    "prlimit": 302,
}
#: What it prints, followed by the reason, if this machine cannot be made such a host.
UNAVAILABLE = "no such host can be had here:"
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
# <linux/bpf_common.h>, <linux/seccomp.h>
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER_AT, _FIRST_ARGUMENT_AT = 0, 16


def refuse(calls: dict[str, str]) -> None:
    """Make these system calls fail with these errors, in this process and its children."""
    program = b"".join(_instructions(calls))
    filters = ctypes.create_string_buffer(program)
    size = len(program) // 8
    head = ctypes.create_string_buffer(struct.pack("@HP", size, ctypes.addressof(filters)))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_PR_SET_SECCOMP, _FILTER, head, 0, 0)):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl()")


def _instructions(calls: dict[str, str]) -> Iterator[bytes]:
    for call, name in calls.items():
        method, _, argument = call.partition("(")
        yield struct.pack("=HBBI", _LOAD, 0, 0, _NUMBER_AT)
        yield struct.pack("=HBBI", _JUMP_IF_EQUAL, 0, 3 if argument else 1, NUMBERS[method])
        if argument:
            yield struct.pack("=HBBI", _LOAD, 0, 0, _FIRST_ARGUMENT_AT)
            yield struct.pack("=HBBI", _JUMP_IF_EQUAL, 0, 1, int(argument.removesuffix(")")))
        yield struct.pack("=HBBI", _RETURN, 0, 0, _ERRNO | getattr(errno, name))
    yield struct.pack("=HBBI", _RETURN, 0, 0, _ALLOW)


def move(sysctls: dict[str, str] | None, mtu: int | None) -> None:
    """Move this process to a new network namespace with these settings."""
    hermetic.prepare(hermetic.probe_entry())
    namespaces.enter_network_and_mount()
    if sysctls is not None:
        with Netlink() as near:
            near.up("lo", mtu=mtu)
        for name, value in sysctls.items():
            Path("/proc/sys", name).write_text(value)


def change_etc(files: dict[str, str | None]) -> None:
    """Change files of /etc for this process and its children."""
    scratch = Path(tempfile.mkdtemp(prefix="nx"))
    try:
        namespaces.cover_with_layer(Path("/etc"), scratch)
    finally:
        scratch.rmdir()
    for name, text in files.items():
        file = Path("/etc", name)
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text)


def start(host: dict[str, Any], command: list[str]) -> NoReturn:
    """Become the program, on that host."""
    import resource  # missing on Windows, where this file is imported too

    try:
        if host.keys() & {"sysctls", "mtu", "etc"}:
            move(host.get("sysctls", {}), host.get("mtu"))
        if "etc" in host:
            change_etc(host["etc"])
    except OSError as error:
        sys.exit(f"{UNAVAILABLE} {error}")
    for name in host.get("ignored", ()):
        signal.signal(signal.Signals[name], signal.SIG_IGN)
    os.umask(int(host.get("umask", "022"), 8))
    for name, value in host.get("environment", {}).items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    refuse(host.get("refused", {}))
    for name, limit in host.get("limits", {}).items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (limit, limit))
    for descriptor in host.get("closed", ()):
        os.close(descriptor)
    os.execv(command[0], command)


if __name__ == "__main__":
    start(json.loads(sys.argv[1]), sys.argv[2:])
