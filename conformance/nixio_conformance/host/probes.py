"""The probes of a host: one function for each capability of the table, which uses the capability for real.

A probe returns when the host has the capability. Otherwise it raises `Lacking`, or the `OSError` of the call that
failed, and the text of the exception is the reason that reports show. Probes use the standard library alone, so that
"this host cannot" is never mixed up with "this implementation cannot".
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from nixio_conformance.driver import run_folder
from nixio_conformance.driver.temporary import fresh_folder
from nixio_conformance.driver.timeouts import PROBE
from nixio_conformance.host import observer, unprivileged
from nixio_conformance.netns import hermetic


class Lacking(Exception):
    """Raised by a probe: the host lacks the capability, and the text says why."""


def reason(capability: str) -> str:
    """Run the probe of a capability: why this host lacks it, empty if it has it. KeyError for an unknown capability."""
    probe = _PROBES[capability]
    try:
        probe()
    except observer.Hidden as error:
        return str(error.__cause__)
    except (Lacking, OSError, AttributeError, subprocess.SubprocessError) as error:
        return str(error) or type(error).__name__
    return ""


def _ip(family: str, host: str) -> None:
    number = getattr(socket, family, None)
    if number is None:
        raise Lacking(f"this Python has no {family}")
    _stream(number, (host, 0))
    _dgram(number, (host, 0))


def _unix() -> None:
    if not hasattr(socket, "AF_UNIX"):
        raise Lacking("this Python has no UNIX sockets")
    with fresh_folder() as folder:
        if (length := len(os.fsencode(folder))) > run_folder.LONGEST_FOLDER:
            raise Lacking(
                f"the path of a temporary folder, {folder}, has {length} bytes, which is too long for the address of a "
                f"UNIX socket; set TMPDIR to a folder whose path has at most {run_folder.LONGEST_BASE}"
            )
        _stream(socket.AF_UNIX, f"{folder}/s")
        _dgram(socket.AF_UNIX, f"{folder}/d")


def _stream(family: int, address: object) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as listener, socket.socket(family, socket.SOCK_STREAM) as client:
        listener.settimeout(PROBE)
        client.settimeout(PROBE)
        listener.bind(address)  # type: ignore[arg-type]
        listener.listen(1)
        client.connect(listener.getsockname())
        accepted, _ = listener.accept()
        with accepted:
            accepted.settimeout(PROBE)
            client.sendall(b"?")
            accepted.sendall(accepted.recv(1))
            _arrived(client.recv(1))


def _dgram(family: int, address: object) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as receiver, socket.socket(family, socket.SOCK_DGRAM) as sender:
        receiver.settimeout(PROBE)
        receiver.bind(address)  # type: ignore[arg-type]
        sender.sendto(b"?", receiver.getsockname())
        _arrived(receiver.recv(1))


def _arrived(data: bytes) -> None:
    if data != b"?":
        raise Lacking("a byte did not come back from loopback")


def _raw(family: str, protocol: str, host: str, echo_reply: int) -> None:
    """Send an ICMP echo reply without a request: the kernel delivers it to raw sockets and otherwise ignores it."""
    domain, number = getattr(socket, family), getattr(socket, protocol)
    with (
        socket.socket(domain, socket.SOCK_RAW, number) as receiver,
        socket.socket(domain, socket.SOCK_RAW, number) as sender,
    ):
        receiver.bind((host, 0))
        mark = b"nixio-probe-%d" % os.getpid()
        sender.sendto(bytes((echo_reply, 0, 0, 0)) + mark, (host, 0))
        end = time.monotonic() + PROBE
        while select.select([receiver], [], [], max(0, end - time.monotonic()))[0]:
            if mark in receiver.recv(1024):
                return
        raise Lacking("a packet did not come back from loopback")


def _abstract() -> None:
    if not sys.platform.startswith("linux"):
        raise Lacking("abstract names exist on Linux only")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(b"\0nixio-conformance-probe-%d" % os.getpid())


def _loopback_net() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind(("127.41.42.43", 0))


def _descriptors() -> None:
    if not Path(f"/proc/{os.getpid()}/fd").is_dir():
        raise Lacking("this system has no /proc/PID/fd")


def _limits() -> None:
    _descriptors()
    with _child_with_socket() as pid, observer.no_descriptor_left(pid):
        pass


def _kernel_view() -> None:
    _descriptors()
    with _child_with_socket() as pid, observer.borrowed(pid, 0) as sock:
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)


@contextlib.contextmanager
def _child_with_socket() -> Iterator[int]:
    """The id of a process whose standard input is a socket; it ends when the other end is closed."""
    near, far = socket.socketpair()
    with near, far:
        program = [sys.executable, "-S", "-E", "-c", "import sys; sys.stdin.read()"]
        # Its limit of descriptors may be lowered before it has started, of which it would write.
        child = subprocess.Popen(program, stdin=far.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield child.pid
        finally:
            near.close()
            far.close()
            with contextlib.suppress(OSError):
                child.kill()
            child.wait()


def _broadcast() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("", 0))
        receiver.settimeout(PROBE / 5)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.sendto(b"?", ("127.255.255.255", receiver.getsockname()[1]))
        _arrived(receiver.recv(1))


def _unprivileged() -> None:
    if sys.platform.startswith("linux"):
        program = [sys.executable, "-S", "-E", unprivileged.__file__, sys.executable, "-S", "-E", "-c", ""]
        done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=PROBE)
        if done.returncode:
            raise Lacking(f"privileges cannot be dropped: {done.stderr.strip().splitlines()[-1]}")
    elif sys.platform == "win32" or os.geteuid() == 0:
        raise Lacking("this user is privileged")


def _dual_stack() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::", 0))
        listener.listen(1)
        with socket.create_connection(("127.0.0.1", listener.getsockname()[1]), timeout=PROBE):
            pass


def _oob() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        with socket.create_connection(listener.getsockname(), timeout=PROBE) as client:
            accepted, _ = listener.accept()
            with accepted:
                client.send(b"?", socket.MSG_OOB)
                select.select([], [], [accepted], PROBE)
                _arrived(accepted.recv(1, socket.MSG_OOB))


def _multicast() -> None:
    loopback = socket.inet_aton("127.0.0.1")
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.settimeout(PROBE / 5)
        receiver.bind(("", 0))
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.77.66.55") + loopback)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, loopback)
        sender.sendto(b"?", ("239.77.66.55", receiver.getsockname()[1]))
        _arrived(receiver.recv(1))


def _lab() -> None:
    if hermetic.entered() is None:
        raise Lacking(hermetic.reason())


_PROBES: dict[str, Callable[[], None]] = {
    "ipv4": lambda: _ip("AF_INET", "127.0.0.1"),
    "ipv6": lambda: _ip("AF_INET6", "::1"),
    "unix": _unix,
    "raw": lambda: _raw("AF_INET", "IPPROTO_ICMP", "127.0.0.1", 0),
    "raw6": lambda: _raw("AF_INET6", "IPPROTO_ICMPV6", "::1", 129),
    "abstract": _abstract,
    "loopback-net": _loopback_net,
    "descriptors": _descriptors,
    "kernel-view": _kernel_view,
    "limits": _limits,
    "broadcast": _broadcast,
    "unprivileged": _unprivileged,
    "dual-stack": _dual_stack,
    "oob": _oob,
    "multicast": _multicast,
    "lab": _lab,
}
