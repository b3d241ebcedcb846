"""The hermetic lab of one worker: entered once, and gone with the process.

Namespaces come in two steps, because a user namespace can only be entered by a process with one thread, and a worker
of pytest-xdist has two: the process that the user started finds a way (`find_way`) and goes it (`prepare`), which
may mean to enter a user namespace; and each process that runs cases enters a network and mounts of its own (`enter`).
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from nixio_conformance.netns import namespaces, network, resolver_files
from nixio_conformance.netns.watch import Watch

#: Seconds that a probe in a child process may take.
TIMEOUT = 20.0


@dataclass(frozen=True)
class Lab:
    """The lab that this process is in."""

    #: The far ends of the links.
    far: namespaces.Network
    #: Whether somebody changed this end.
    watch: Watch


@dataclass(frozen=True)
class Way:
    """How this process can enter a lab."""

    #: Why it cannot; empty when it can.
    reason: str = ""
    user_namespace: bool = False


_entered: Lab | None = None
_reason = "this run is not in a lab"


def entered() -> Lab | None:
    """The lab that this process is in, if it is in one."""
    return _entered


def reason() -> str:
    """Why this process is in no lab."""
    return _reason


def find_way() -> Way:
    """How this process could enter a lab. Child processes build a whole one to find out; nothing changes here."""
    if not sys.platform.startswith("linux"):
        return Way("namespaces are Linux's")
    # Root can do without a user namespace, unless it is a container's and lacks what such a namespace would give it.
    if os.geteuid() == 0 and not try_inside(Way(), _nothing):
        return Way()
    if namespaces.threads() > 1:
        return Way("this process has several threads, and may not enter a user namespace")
    way = Way(user_namespace=True)
    return replace(way, reason=try_inside(way, _nothing))


def prepare(way: Way) -> None:
    """Enter a user namespace, if that is the way. Raises OSError when it is not allowed."""
    if way.user_namespace:
        namespaces.enter_user()


def enter() -> Lab:
    """Enter a network and mounts of this thread's own and furnish them.

    Raises OSError when something is not allowed; the process is then in a half-built lab and of no more use.
    """
    global _entered
    if _entered is None:
        namespaces.enter_network_and_mount()
        with _named("its network"):
            far = network.build()
            watch = Watch()
        # What covers the system's files stays visible after it was removed here: nothing is left behind.
        with _named("its files of names"), tempfile.TemporaryDirectory(prefix="nx") as folder:
            resolver_files.cover(Path(folder))
        _entered = Lab(far, watch)
    return _entered


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Have an error say which part of the lab could not be made."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, f"{what}: {error.strerror or error}") from error


def renew() -> None:
    """Enter a new lab, as somebody changed this one. What was started before stays in the old one."""
    global _entered
    _entered = None
    enter()


def stay_out(reason: str) -> None:
    """Have all cases run outside, and skips tell the reason."""
    global _reason
    _reason = reason


def try_inside(way: Way, action: Callable[[], str]) -> str:
    """What `action` returns inside a lab, or why there is none; in a child process: this one stays outside."""

    def attempt() -> str:
        try:
            prepare(way)
            enter()
        except OSError as error:
            return str(error)
        return action()

    return in_child(attempt)


def _nothing() -> str:
    return ""


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
        if not select.select([answer], [], [], TIMEOUT)[0]:
            os.kill(child, signal.SIGKILL)
        text = answer.read()
    os.waitpid(child, 0)
    return str(json.loads(text)) if text else "the probe died or hung"
