"""What a host does with a full queue, which no port can change."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterator

import pytest

from nixio_conformance.toolkit import transfer


@pytest.fixture
def asked_anew() -> Iterator[None]:
    """The answer is remembered for a run."""
    transfer.a_full_queue_is_waited_for.cache_clear()
    yield
    transfer.a_full_queue_is_waited_for.cache_clear()


class Refusing(socket.socket):
    """What BSD says when a datagram finds no room."""

    def send(self, *arguments: object) -> int:
        raise OSError(errno.ENOBUFS, "no room")


@pytest.mark.usefixtures("asked_anew")
@pytest.mark.skipif(sys.platform != "linux", reason="another system's answer is its own")
def test_linux_waits() -> None:
    assert transfer.a_full_queue_is_waited_for()


@pytest.mark.usefixtures("asked_anew")
def test_a_system_that_refuses_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socketpair", lambda *kind: (Refusing(*kind), Refusing(*kind)))
    assert not transfer.a_full_queue_is_waited_for()
