"""The suite determines by a probe whether UNIX datagrams wait for room in a full queue on this host."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterator

import pytest

from nixio_conformance.toolkit import full_buffers


@pytest.fixture(autouse=True)
def without_cache() -> Iterator[None]:
    """Clear the cached answer before and after the test."""
    full_buffers.waits_for_room_in_queue.cache_clear()
    yield
    full_buffers.waits_for_room_in_queue.cache_clear()


class RefusingSocket(socket.socket):
    """A socket as on BSD, which refuses a datagram if the queue is full."""

    def send(self, *arguments: object) -> int:
        raise OSError(errno.ENOBUFS, "no room")


@pytest.mark.skipif(sys.platform != "linux", reason="the answer on other systems is unknown")
def test_linux_waits() -> None:
    assert full_buffers.waits_for_room_in_queue()


def test_a_system_that_refuses_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socketpair", lambda *kind: (RefusingSocket(*kind), RefusingSocket(*kind)))
    assert not full_buffers.waits_for_room_in_queue()
