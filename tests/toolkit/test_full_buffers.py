"""Whether this host's UNIX datagrams wait for room in a full queue is found out by trying."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterator

import pytest

from nixio_conformance.toolkit import full_buffers


@pytest.fixture(autouse=True)
def without_cache() -> Iterator[None]:
    """The answer is cached for the rest of the run."""
    full_buffers.waits_for_room_in_queue.cache_clear()
    yield
    full_buffers.waits_for_room_in_queue.cache_clear()


class RefusingSocket(socket.socket):
    """A socket as on BSD, where a datagram that finds no room is refused."""

    def send(self, *arguments: object) -> int:
        raise OSError(errno.ENOBUFS, "no room")


@pytest.mark.skipif(sys.platform != "linux", reason="what another system does is not known here")
def test_linux_waits() -> None:
    assert full_buffers.waits_for_room_in_queue()


def test_a_system_that_refuses_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socketpair", lambda *kind: (RefusingSocket(*kind), RefusingSocket(*kind)))
    assert not full_buffers.waits_for_room_in_queue()
