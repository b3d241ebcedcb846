"""This host: its row in the table of platforms, and how reports name it."""

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
    """The table's row of the system that this runs on; an unknown system is treated as the row `freebsd`."""
    rows = load().platforms
    for row in rows:
        if sys.platform.startswith(row.sys_platform):
            return row
    return next(row for row in rows if row.id == "freebsd")


def describe() -> Host:
    """This host, as reports name it."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as in containers
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return Host(
        system=platform.system(),
        release=platform.release(),
        machine=platform.machine(),
        python=platform.python_version(),
        user=user,
        capabilities=capabilities.current(),
    )
