"""What an agent may take of the machine: a port that allocates without end costs a verdict, and not the host.

Memory is limited as data (RLIMIT_DATA), and not as addresses (RLIMIT_AS): the runtimes of Go, Java and JavaScript
reserve gigabytes of addresses that they never touch, and would not start. Only Linux lets one process limit another
that runs already (prlimit); a limit set between fork and exec would cost each start more and is not safe in a process
with threads. Elsewhere there is no limit, and `unavailable()` says so.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """The most that an agent, and each program that it starts, may have."""

    #: MiB of memory that it can write to. An idle Java has 0.5 GiB, of which it uses a sixth.
    memory: int = 2048
    #: Open descriptors.
    descriptors: int = 1024
    #: MiB of any file that it writes, standard error too.
    file: int = 256

    def set_on(self, pid: int) -> None:
        """Hold a process to them, and all that it starts from now on; does nothing where the system cannot."""
        if unavailable():
            return
        import resource  # not on every system

        wanted = {
            resource.RLIMIT_DATA: self.memory * MIB,
            resource.RLIMIT_NOFILE: self.descriptors,
            resource.RLIMIT_FSIZE: self.file * MIB,
            # A core file for each crash would fill the disk, and writing it would hold up the next case.
            resource.RLIMIT_CORE: 0,
        }
        try:
            for name, most in wanted.items():
                _, hard = resource.prlimit(pid, name)
                least = most if hard == resource.RLIM_INFINITY else min(most, hard)
                resource.prlimit(pid, name, (least, least))
        except OSError:
            return  # it ended already, or it is another user's by now (a command that is setuid)


def unavailable() -> str:
    """Why this system cannot limit an agent; empty where it can."""
    return "" if sys.platform == "linux" else f"{sys.platform} lets no process set another's limits"


_imposed = Limits()


def impose(limits: Limits) -> None:
    """Have all agents that this process starts from now on held to these."""
    global _imposed
    _imposed = limits


def imposed() -> Limits:
    """What agents are held to."""
    return _imposed
