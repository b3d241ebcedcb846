"""Runs a program on a host with fewer system calls or other settings than this one.

    python odd_host.py '{"refused": {"unshare": "EPERM"}, "sysctls": {"net/ipv6/bindv6only": "1"}}' PROGRAM ARGUMENT...

`refused` are system calls that fail with the given error, by a seccomp filter like those of containers; `socket(10)` is
socket() with this first argument. `sysctls` are set in a new network namespace with loopback up; `null` leaves loopback
down.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

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


def move(sysctls: dict[str, str] | None) -> None:
    """Move this process to a new network namespace with these settings."""
    hermetic.prepare(hermetic.probe_entry())
    namespaces.enter_network_and_mount()
    if sysctls is not None:
        with Netlink() as near:
            near.up("lo")
        for name, value in sysctls.items():
            Path("/proc/sys", name).write_text(value)


if __name__ == "__main__":
    host = json.loads(sys.argv[1])
    if "sysctls" in host:
        move(host["sysctls"])
    refuse(host.get("refused", {}))
    os.execv(sys.argv[2], sys.argv[2:])
