"""The hermetic network of a process that runs cases: entered once, and gone when the process ends (Linux).

The namespaces are entered in two steps, because only a process with a single thread may enter a user namespace, and a
worker of pytest-xdist has two threads. The process that the user started probes how it can enter (`probe_entry`) and,
if needed, enters a user namespace (`prepare`). Each process that runs cases then enters a network namespace and a mount
namespace of its own (`enter`). Its host name and IPC objects are private too, where the host permits (`isolate` in
`namespaces.py`); the network does not need them.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from nixio_conformance.netns import namespaces, network, resolver_files
from nixio_conformance.netns.watch import Watch

#: Seconds that a probe in a child process may take.
TIMEOUT = 20.0


@dataclass(frozen=True)
class HermeticNetwork:
    """The hermetic network that this process is in."""

    #: The network namespace with the far ends of the links.
    far: namespaces.NetworkNamespace
    #: Reports changes of the links, addresses and host name on this side.
    watch: Watch

    def close(self) -> None:
        """Close the descriptors."""
        self.watch.close()
        self.far.close()


@dataclass(frozen=True)
class Entry:
    """Whether and how this process can enter a hermetic network."""

    #: Why it cannot; empty when it can.
    reason: str = ""
    #: Whether it has to enter a user namespace first.
    user_namespace: bool = False


#: The network of this process, or the reason why it has none. A process is in one network at a time, so this is
#: module-level state; only `enter`, `renew` and `stay_out` set it.
_state: HermeticNetwork | str = "this run is not in a hermetic network"


def entered() -> HermeticNetwork | None:
    """The hermetic network that this process is in, or None."""
    return None if isinstance(_state, str) else _state


def reason() -> str:
    """Why this process is not in a hermetic network; empty if it is in one."""
    return _state if isinstance(_state, str) else ""


def probe_entry() -> Entry:
    """Find out whether and how this process could enter a hermetic network.

    Child processes build a complete network to find out; this process is not changed.
    """
    if not sys.platform.startswith("linux"):
        return Entry("network namespaces exist on Linux only")
    try:
        return _probed()
    except OSError as error:
        return Entry(f"this host could not try it: {error}")


def _probed() -> Entry:
    # Root needs no user namespace, unless it is root of a container that lacks what the namespace would grant.
    if os.geteuid() == 0 and not try_inside(Entry(), _nothing):
        return Entry()
    if namespaces.threads() > 1:
        return Entry("this process has several threads, and may not enter a user namespace")
    entry = Entry(user_namespace=True)
    return replace(entry, reason=try_inside(entry, _nothing))


def prepare(entry: Entry) -> None:
    """Enter a user namespace if `entry` says so. Raises OSError when the kernel refuses."""
    if entry.user_namespace:
        namespaces.enter_user()


def enter() -> HermeticNetwork:
    """Enter a new network and mount namespace, and build the network there; a second call does nothing.

    Raises OSError when the kernel refuses a step. The process is then in a half-built network and must end.
    """
    global _state
    if isinstance(_state, str):
        _state = _build()
        atexit.register(stay_out, "this process is ending")
    return _state


def renew() -> None:
    """Enter a new hermetic network, because this one was changed. Child processes stay in the old one."""
    global _state
    if isinstance(_state, HermeticNetwork):
        with contextlib.suppress(OSError):  # without privileges it cannot have been changed
            socket.sethostname(_state.watch.host_name)
        stay_out("the hermetic network is being renewed")
    _state = _build()


def stay_out(reason: str) -> None:
    """Record that this process uses no hermetic network (any more), and the reason that skipped cases report."""
    global _state
    if isinstance(_state, HermeticNetwork):
        _state.close()
    _state = reason


def _build() -> HermeticNetwork:
    namespaces.enter_network_and_mount()
    with ExitStack() as undo:
        with _named("its network"):
            far = network.build()
            undo.callback(far.close)
            watch = Watch()
            undo.callback(watch.close)
        # A bind mount keeps its file alive: the folder can be removed at once, and nothing is left behind.
        with _named("its resolver files"), tempfile.TemporaryDirectory(prefix="nx") as folder:
            resolver_files.cover(Path(folder))
        undo.pop_all()
    return HermeticNetwork(far, watch)


@contextmanager
def _named(part: str) -> Iterator[None]:
    """Name the part of the network that could not be built, at the beginning of an OSError's text."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, f"{part}: {error.strerror or error}") from error


def try_inside(entry: Entry, action: Callable[[], str]) -> str:
    """What `action` returns inside a hermetic network, or why none could be entered.

    It runs in a child process; this process is not changed. Raises OSError when none can be started.
    """

    def attempt() -> str:
        try:
            prepare(entry)
            enter()
        except OSError as error:
            return str(error)
        return action()

    return _in_child(attempt)


def _nothing() -> str:
    return ""


def _in_child(action: Callable[[], str]) -> str:
    """What `action` returns in a child process, which is killed after `TIMEOUT`."""
    reader, writer = os.pipe()
    # The timeout uses no helper thread: for a while after one ended, the kernel still counts two threads here, and
    # refuses to let the process enter a user namespace.
    with os.fdopen(reader, "rb") as answer:
        try:
            child = os.fork()
            if child == 0:
                _answer_and_exit(action, writer)
        finally:
            os.close(writer)
        try:
            if not select.select([answer], [], [], TIMEOUT)[0]:
                os.kill(child, signal.SIGKILL)
            text = answer.read()
        finally:
            os.waitpid(child, 0)
    return str(json.loads(text)) if text else "the probe died or hung"


def _answer_and_exit(action: Callable[[], str], writer: int) -> NoReturn:
    try:
        os.write(writer, json.dumps(action()).encode())
    except BaseException as error:
        os.write(writer, json.dumps(f"{type(error).__name__}: {error}").encode())
    finally:
        os._exit(0)
