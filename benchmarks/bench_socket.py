"""Compare the speed of the reference with that of the standard library: ``python benchmarks/bench_socket.py``.

Each operation is written once for each of the two, as a user of that library would write it. Both are measured in turn,
so that other load on the machine affects both. The table at the end has both times and their ratio. The goal for the
data path (the first three rows) is a ratio of at most 1.15; nothing fails if it is missed. The other rows have no goal:
there the reference is written to be read.

What that costs, and what the three shortcuts of ``_socket.py`` save, measured with CPython 3.11 on Linux:

    connection   +3.8 us   ``socket.socket`` and its accept() instead of CPython's basic type and private _accept()
    setopt       +0.3 us   a table lookup and a function for each shape of value, instead of setting an int in place
    getopt       +0.15 us  the same
    send         +0.03 us  chunk() is called also where the whole buffer is sent
    sendto       -0.6 us   the last destination is kept
    recv         -0.15 us  the usual length is checked in place; recvfrom too
    recvfrom     -0.15 us  host and port of inet and inet6 are taken from the address in place

All options of pyperf work: ``--fast``, ``-o results.json``, ``--affinity 1``. Only the loopback is used.
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
    """An operation with each of the two libraries: functions that repeat it and return the seconds that it took."""

    name: str
    reference: Timed
    standard: Timed


def tcp_pair() -> tuple[nixio_reference.Socket, nixio_reference.Socket]:
    """Return two sockets of the reference, connected over TCP."""
    with nixio_reference.bind(LOOPBACK, 0, "inet") as listener:
        listener.listen(1)
        near = nixio_reference.connect(*listener.getsockname(), "inet")
        far, _, _ = listener.accept()
    near.setopt("tcp", "nodelay", 1)
    return near, far


def standard_tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Return two sockets of the standard library, connected over TCP."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return near, far


def send_recv(pair: Callable[[], tuple[Any, Any]], size: int) -> Timed:
    """Return a function that sends and receives over TCP. The calls are the same in both libraries."""

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
    """Return a table of the medians in microseconds and their ratios."""
    lines = ["", f"{'operation':<32}{'reference':>12}{'socket':>12}{'ratio':>8}"]
    for name, reference, standard in results:
        ours, theirs = reference.median(), standard.median()
        lines.append(f"{name:<32}{ours * 1e6:>9.3f} us{theirs * 1e6:>9.3f} us{ours / theirs:>8.2f}")
    return "\n".join(lines)


def main() -> None:
    """Measure each operation with both libraries, then print the comparison."""
    runner = pyperf.Runner()
    results = []
    for operation in OPERATIONS:
        reference = runner.bench_time_func(f"{operation.name}: reference", operation.reference)
        standard = runner.bench_time_func(f"{operation.name}: socket", operation.standard)
        if reference is not None and standard is not None:
            results.append((operation.name, reference, standard))
    # pyperf runs this program again for each function that it measures; those runs have nothing to compare.
    if results and not runner.args.worker:
        print(summary(results))


if __name__ == "__main__":
    main()
