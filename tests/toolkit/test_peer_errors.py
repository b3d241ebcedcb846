"""Which errors of a peer's calls the implementation can have caused, and which only this host."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.toolkit.expect import Mismatch
from nixio_conformance.toolkit.peer import Peer
from nixio_fixtures import load


class Failing(socket.socket):
    """A socket of which one call fails."""

    number = 0

    def bind(self, address: object) -> None:
        raise OSError(self.number, "refused")


def bind(kind: str, number: int, host: str) -> Callable[[], object]:
    sock = Failing(getattr(socket, "AF_" + kind.partition("-")[0].upper()), socket.SOCK_STREAM)
    sock.number = number
    with sock:
        peer = Peer(Transcript(), load().kind(kind), sock, "peer")
        return lambda: peer.bind(host)


@pytest.mark.parametrize(("number", "ours"), [(errno.EMFILE, True), (errno.EACCES, True), (errno.EADDRINUSE, False)])
def test_an_address_of_the_internet(number: int, ours: bool) -> None:
    with pytest.raises(OSError if ours else Mismatch):
        bind("inet-stream", number, "127.0.0.1")()


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no UNIX sockets")
def test_a_path(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="refused"):
        bind("unix-stream", errno.EACCES, str(tmp_path / "s"))()
    with pytest.raises(Mismatch):
        bind("unix-stream", errno.EACCES, str(tmp_path / "protected" / "s"))()
