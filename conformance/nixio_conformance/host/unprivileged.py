"""Starts a program without the privileges that its user has: what root may do must fail as it does for anybody.

    python unprivileged.py PROGRAM [ARGUMENT ...]

Linux only. The user stays the same, so that files are still its own; only the capabilities are gone, for good.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

_PR_SET_SECUREBITS = 28
_PR_SET_NO_NEW_PRIVS = 38
#: Root's user id brings no capabilities back when a program is started, and that cannot be undone.
_NOROOT_LOCKED = 0b11
_CAPABILITY_VERSION_3 = 0x20080522


def drop() -> None:
    """Give all capabilities up. Raises OSError when the system will not."""
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
