"""Measure the reference against the standard library's socket, in one run: ``python benchmarks/bench_socket.py``.

Every operation is written once for each of the two, as one would write it with that library, and both are measured
one after the other, so that a busy machine is busy for both. At the end a table gives both times and their ratio; the
goal is at most 1.15 for the small ones. This is a benchmark and not a test: it judges nothing.

All options of pyperf work: ``--fast``, ``-o results.json``, ``--affinity 1``. All traffic stays on the loopback.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "reference"))

import pyperf  # type: ignore[import-untyped]

import nixio_reference

LOOPBACK = "127.0.0.1"
Timed = Callable[[int], float]


class Operation(NamedTuple):
    """One thing to do, with either library; each takes a number of loops and returns the seconds."""

    name: str
    reference: Timed
    standard: Timed


def tcp_pair() -> tuple[nixio_reference.Socket, nixio_reference.Socket]:
    """Return two sockets of the reference that are connected over TCP."""
    with nixio_reference.bind(LOOPBACK, 0, "inet") as listener:
        listener.listen(1)
        near = nixio_reference.connect(*listener.getsockname(), "inet")
        far, _, _ = listener.accept()
    near.setopt("tcp", "nodelay", 1)
    return near, far


def standard_tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Return two sockets of the standard library that are connected over TCP."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return near, far


def send_recv(pair: Callable[[], tuple[Any, Any]], size: int) -> Timed:
    """Send and receive over TCP; the calls are spelled alike in both libraries."""

    def timed(loops: int) -> float:
        near, far = pair()
        data = b"x" * size
        with near, far:
            start = time.perf_counter()
            for _ in range(loops):
                near.send(data)
                far.recv(size)
            return time.perf_counter() - start

    return timed


def sendto_recvfrom(loops: int) -> float:
    """Send a datagram of 64 bytes and receive it, with the reference."""
    data = b"x" * 64
    with nixio_reference.bind(LOOPBACK, 0, "inet", "dgram") as far, nixio_reference.socket("inet", "dgram") as near:
        host, port = far.getsockname()
        start = time.perf_counter()
        for _ in range(loops):
            near.sendto(data, host, port)
            far.recvfrom(64)
        return time.perf_counter() - start


def standard_sendto_recvfrom(loops: int) -> float:
    """Send a datagram of 64 bytes and receive it, with the standard library."""
    data = b"x" * 64
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far, socket.socket(far.family, far.type) as near:
        far.bind((LOOPBACK, 0))
        host, port = far.getsockname()
        start = time.perf_counter()
        for _ in range(loops):
            near.sendto(data, (host, port))
            far.recvfrom(64)
        return time.perf_counter() - start


def getopt(loops: int) -> float:
    """Get an option with the reference."""
    with nixio_reference.socket("inet", "stream") as sock:
        start = time.perf_counter()
        for _ in range(loops):
            sock.getopt("socket", "keepalive")
        return time.perf_counter() - start


def standard_getopt(loops: int) -> float:
    """Get an option with the standard library."""
    with socket.socket() as sock:
        start = time.perf_counter()
        for _ in range(loops):
            sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        return time.perf_counter() - start


def setopt(loops: int) -> float:
    """Set an option with the reference."""
    with nixio_reference.socket("inet", "stream") as sock:
        start = time.perf_counter()
        for _ in range(loops):
            sock.setopt("socket", "keepalive", 1)
        return time.perf_counter() - start


def standard_setopt(loops: int) -> float:
    """Set an option with the standard library."""
    with socket.socket() as sock:
        start = time.perf_counter()
        for _ in range(loops):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return time.perf_counter() - start


def cycle(loops: int) -> float:
    """Create, connect, accept and close with the reference."""
    with nixio_reference.bind(LOOPBACK, 0, "inet") as listener:
        listener.listen(8)
        host, port = listener.getsockname()
        start = time.perf_counter()
        for _ in range(loops):
            near = nixio_reference.socket("inet", "stream")
            near.connect(host, port)
            far, _, _ = listener.accept()
            near.close()
            far.close()
        return time.perf_counter() - start


def standard_cycle(loops: int) -> float:
    """Create, connect, accept and close with the standard library."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        listener.listen(8)
        host, port = listener.getsockname()
        start = time.perf_counter()
        for _ in range(loops):
            near = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            near.connect((host, port))
            far, _ = listener.accept()
            near.close()
            far.close()
        return time.perf_counter() - start


OPERATIONS = (
    Operation("TCP send+recv 64 B", send_recv(tcp_pair, 64), send_recv(standard_tcp_pair, 64)),
    Operation("TCP send+recv 8 KiB", send_recv(tcp_pair, 8192), send_recv(standard_tcp_pair, 8192)),
    Operation("UDP sendto+recvfrom 64 B", sendto_recvfrom, standard_sendto_recvfrom),
    Operation("getopt keepalive", getopt, standard_getopt),
    Operation("setopt keepalive", setopt, standard_setopt),
    Operation("socket+connect+accept+2 close", cycle, standard_cycle),
)


def summary(results: list[tuple[str, pyperf.Benchmark, pyperf.Benchmark]]) -> str:
    """Return the comparison as a table: medians in microseconds, and their ratio."""
    lines = ["", f"{'operation':<32}{'reference':>12}{'socket':>12}{'ratio':>8}"]
    for name, reference, standard in results:
        ours, theirs = reference.median(), standard.median()
        lines.append(f"{name:<32}{ours * 1e6:>9.3f} us{theirs * 1e6:>9.3f} us{ours / theirs:>8.2f}")
    return "\n".join(lines)


def main() -> None:
    """Run every operation with both libraries, then print the comparison."""
    runner = pyperf.Runner()
    results = []
    for operation in OPERATIONS:
        reference = runner.bench_time_func(f"{operation.name}: reference", operation.reference)
        standard = runner.bench_time_func(f"{operation.name}: socket", operation.standard)
        if reference is not None and standard is not None:
            results.append((operation.name, reference, standard))
    # A worker measures one function and has nothing to compare.
    if results and not runner.args.worker:
        print(summary(results))


if __name__ == "__main__":
    main()
