"""This host: its row in the table of platforms, and its description in reports."""

from __future__ import annotations

import getpass
import os
import platform
import sys
from functools import cache

from nixio_conformance.host import capabilities
from nixio_fixtures import Platform, load
from nixio_reports.records import Host


@cache
def this_platform() -> Platform:
    """The row of this operating system in the table of platforms; an unknown system is treated as `freebsd`."""
    rows = load().platforms
    for row in rows:
        if sys.platform.startswith(row.sys_platform):
            return row
    return next(row for row in rows if row.id == "freebsd")


def describe() -> Host:
    """This host, as the header of the result stream records it."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a user id without an entry in passwd, as in containers
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return Host(
        system=platform.system(),
        release=platform.release(),
        machine=platform.machine(),
        python=platform.python_version(),
        user=user,
        capabilities=capabilities.current(),
    )
