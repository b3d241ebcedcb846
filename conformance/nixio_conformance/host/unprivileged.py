"""Starts a program without the privileges of its user, so that calls that only root may make fail.

    python unprivileged.py PROGRAM [ARGUMENT ...]

Linux only. The user id stays, so that the user's files stay accessible; the Linux capabilities are dropped for good.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

_PR_SET_SECUREBITS = 28
_PR_SET_NO_NEW_PRIVS = 38
#: SECBIT_NOROOT and its lock: user id 0 does not regain capabilities when it starts a program.
_NOROOT_LOCKED = 0b11
_CAPABILITY_VERSION_3 = 0x20080522


def drop() -> None:
    """Drop all capabilities of this process. Raises OSError when the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    nothing = bytes(24)
    if os.geteuid() == 0:
        _check(libc.prctl(_PR_SET_SECUREBITS, _NOROOT_LOCKED, 0, 0, 0), "prctl(PR_SET_SECUREBITS)")
    _check(libc.capset(header, nothing), "capset")
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    drop()
    os.execvp(sys.argv[1], sys.argv[1:])
