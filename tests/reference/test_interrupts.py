"""Calls that signals interrupt: those that CPython itself gets wrong, or that no agent can set up."""

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
def interrupted(third: Callable[[], object]) -> Iterator[None]:
    """Interrupt the block every few milliseconds; the handler of the third signal calls a function."""
    arrived: list[int] = []

    def handle(number: int, frame: object) -> None:
        arrived.append(number)
        if len(arrived) == 3:
            third()

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(arrived) >= 3


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


def test_an_exception_in_a_handler_is_raised(pair: Callable[..., Pair]) -> None:
    _near, far = pair()

    def stop() -> None:
        raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"), interrupted(stop):
        far.recv(1)
