"""Interrupted calls go on: signals arrive while a call waits, and what it waits for comes with the third."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from nixio_reference import Socket

Make = Callable[..., Socket]
Pair = tuple[Socket, Socket]

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers on this platform")


@contextmanager
def interrupted(relief: Callable[[], object]) -> Iterator[None]:
    """Have the block interrupted every few milliseconds; the third signal's handler does what it waits for."""
    arrived: list[int] = []

    def handle(number: int, frame: object) -> None:
        arrived.append(number)
        if len(arrived) == 3:
            relief()

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(arrived) >= 3


@pytest.mark.parametrize("kind", ["stream", "dgram"])
def test_receiving(pair: Callable[..., Pair], kind: str) -> None:
    near, far = pair("inet", kind)
    with interrupted(lambda: near.send(b"late")):
        assert far.recv(9) == b"late"
    with interrupted(lambda: near.send(b"later")):
        assert far.recvfrom(9)[0] == b"later"


def test_sending(pair: Callable[..., Pair]) -> None:
    near, far = pair("unix", "stream")
    near.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            near.send(bytes(4096))
    near.setblocking(True)
    far.setblocking(False)

    def drain() -> None:
        with suppress(BlockingIOError):
            while far.recv(8192):
                pass

    with interrupted(drain):
        assert near.send(b"x") == 1


@pytest.mark.parametrize("domain", ["inet", "unix"])
def test_accepting(make: Make, domain: str, tmp_path: Path) -> None:
    listener, client = make(domain), make(domain)
    listener.bind("127.0.0.1" if domain == "inet" else str(tmp_path / "s"), 0)
    listener.listen(1)
    with interrupted(lambda: client.connect(*listener.getsockname())):
        accepted, _, _ = listener.accept()
    accepted.close()


def test_connecting_to_a_path_whose_backlog_is_full(make: Make, tmp_path: Path) -> None:
    """CPython itself reports a connection here that does not exist; see Socket._connect_path."""
    path = str(tmp_path / "s")
    listener = make("unix")
    listener.bind(path)
    listener.listen(0)
    with suppress(BlockingIOError):
        while True:
            filler = make("unix")
            filler.setblocking(False)
            filler.connect(path)
    client = make("unix")

    def make_room() -> None:
        listener.accept()[0].close()

    with interrupted(make_room):
        assert client.connect(path) is True
    assert client.getpeername() == (path, None)


def test_an_exception_of_a_handler_comes_through(pair: Callable[..., Pair]) -> None:
    _near, far = pair()

    def stop() -> None:
        raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"), interrupted(stop):
        far.recv(1)
