"""The hermetic lab of one worker: entered once, and gone with the process.

Namespaces come in two steps, because a user namespace can only be entered by a process with one thread, and a worker
of pytest-xdist has two: the process that the user started enters the user namespace (`prepare`), and each process that
runs cases enters a network and mounts of its own (`enter`).
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nixio_conformance.lab import names, namespaces, network

#: Seconds that a probe in a child process may take.
PATIENCE = 20.0


@dataclass(frozen=True)
class Lab:
    """The lab that this process is in."""

    #: The far ends of the links.
    far: namespaces.Network


_entered: Lab | None = None
_reason = "this run is not in a lab"


def entered() -> Lab | None:
    """The lab that this process is in, if it is in one."""
    return _entered


def reason() -> str:
    """Why this process is in no lab."""
    return _reason


def prepare() -> None:
    """Enter a user namespace, unless this process may make the others without. Raises OSError when it may not."""
    if os.geteuid() != 0 or not _may_unshare():
        namespaces.enter_user()


def enter() -> Lab:
    """Enter a network and mounts of this thread's own and furnish them.

    Raises OSError when something is not allowed; the process is then in a half-built lab and of no more use.
    """
    global _entered
    if _entered is None:
        namespaces.enter_network_and_mount()
        far = network.build()
        # What covers the system's files stays visible after it was removed here: nothing is left behind.
        with tempfile.TemporaryDirectory(prefix="nx") as folder:
            names.cover(Path(folder))
        _entered = Lab(far)
    return _entered


def stay_out(reason: str) -> None:
    """Have all cases run outside, and skips tell the reason."""
    global _reason
    _reason = reason


def unavailable() -> str:
    """Why this host has no lab; empty when it has one. A child process builds a whole one to find out."""
    if not sys.platform.startswith("linux"):
        return "namespaces are Linux's"
    if namespaces.threads() > 1 and os.geteuid() != 0:
        return "this process has several threads, and may not enter a user namespace"
    return in_child(_try)


def try_inside(action: Callable[[], str]) -> str:
    """What `action` returns inside a lab, in a child process: this one stays outside."""
    return in_child(lambda: _try() or action())


def in_child(action: Callable[[], str]) -> str:
    """What `action` returns in a child process, which is killed when it takes too long. Nothing changes here."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, json.dumps(action()).encode())
        except BaseException as error:
            os.write(writer, json.dumps(f"{type(error).__name__}: {error}").encode())
        finally:
            os._exit(0)
    os.close(writer)
    # No helper thread for the deadline: a process that had one may not enter a user namespace for a while.
    with os.fdopen(reader, "rb") as answer:
        if not select.select([answer], [], [], PATIENCE)[0]:
            os.kill(child, signal.SIGKILL)
        text = answer.read()
    os.waitpid(child, 0)
    return str(json.loads(text)) if text else "the probe died or hung"


def _try() -> str:
    try:
        prepare()
        enter()
    except OSError as error:
        return str(error)
    return ""


def _may_unshare() -> bool:
    """Whether root is root enough: in a container it may lack what a user namespace would give it."""

    def attempt() -> str:
        try:
            namespaces.enter_network_and_mount()
            network.build()
        except OSError as error:
            return str(error)
        return ""

    return in_child(attempt) == ""
