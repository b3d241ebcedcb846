"""Resource limits of agents: an implementation that allocates without end fails its case and does not exhaust the host.

Memory is limited as data (RLIMIT_DATA), not as address space (RLIMIT_AS): the runtimes of Go, Java and JavaScript
reserve gigabytes of addresses that they never touch, and would not start. Only Linux can set the limits of another
running process (prlimit). Limits set between fork and exec would make each start slower and are not safe in a process
with threads. On other systems nothing is limited, and `unavailable()` says so.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Limits of an agent, and of each program that it starts."""

    #: MiB of writable memory. An idle Java VM reserves 0.5 GiB and uses a sixth of it.
    memory: int = 2048
    #: Open descriptors.
    descriptors: int = 1024
    #: MiB of each file that it writes, including standard error.
    file: int = 256

    def set_on(self, pid: int) -> None:
        """Limit a process and the processes that it starts from now on; does nothing if `unavailable()`."""
        if unavailable():
            return
        import resource  # missing on Windows

        wanted = {
            resource.RLIMIT_DATA: self.memory * MIB,
            resource.RLIMIT_NOFILE: self.descriptors,
            resource.RLIMIT_FSIZE: self.file * MIB,
            # A core file for each crash would fill the disk, and writing it would delay the next case.
            resource.RLIMIT_CORE: 0,
        }
        try:
            for name, value in wanted.items():
                _, hard = resource.prlimit(pid, name)
                limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
                resource.prlimit(pid, name, (limit, limit))
        except OSError:
            return  # it has ended, or it runs as another user (a setuid program)


def unavailable() -> str:
    """Why this system cannot limit an agent; empty if it can."""
    return "" if sys.platform == "linux" else f"{sys.platform} lets no process set another's limits"


#: Module-level state, as agents are started in several places and none of them may have other limits than the user's.
_imposed = Limits()


def impose(limits: Limits) -> None:
    """Apply these limits to all agents that this process starts from now on."""
    global _imposed
    _imposed = limits


def imposed() -> Limits:
    """The limits of the agents that this process starts."""
    return _imposed
