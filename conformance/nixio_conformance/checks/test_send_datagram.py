"""send, write and sendto of datagrams: each call sends one datagram, whole or not at all."""

from __future__ import annotations

import socket

import pytest

from nixio_conformance.toolkit import expect, transfer
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import Sender

each_method = pytest.mark.parametrize("method", ["send", "write", "sendto"])


def too_long(sender: Sender) -> int:
    """A size in bytes above that of the longest datagram: UDP's limit, or the send buffer of a UNIX socket."""
    if sender.peer.kind.domain == "unix":
        return sender.peer.socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) + 1
    return 65508 if sender.peer.kind.domain == "inet" else 65528


def large(case: Case, sender: Sender) -> int:
    """A size in bytes above `buffersize`, which limits only receiving, but not above what the system can send."""
    limit = 60000
    if sender.peer.kind.domain == "unix":
        limit = min(limit, sender.peer.socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - 64)
    return min(case.buffersize + 1000, limit)


@clause("send.datagram.boundaries")
@each_method
def test_each_call_is_one_datagram(case: Case, method: str) -> None:
    sender = transfer.sender(case, method)
    sender.whole(b"first")
    sender.whole(b"2\n")
    expect.same(sender.peer.recv(), b"first", "the first datagram that the peer received")
    expect.same(sender.arrived(), [b"2\n"], "the datagrams that the peer received after it")


@clause("send.datagram.empty")
@each_method
def test_an_empty_buffer_is_an_empty_datagram(case: Case, method: str) -> None:
    sender = transfer.sender(case, method)
    expect.count(sender(b""), 0)
    expect.same(sender.arrived(), [b""], "the datagrams that the peer received")


@clause("send.datagram.large")
@each_method
def test_a_datagram_longer_than_buffersize_is_sent_whole(case: Case, method: str) -> None:
    sender = transfer.sender(case, method)
    data = (transfer.BINARY * 300)[: large(case, sender)]
    expect.count(sender(data), len(data))
    expect.same(sender.peer.recv(), data, "the datagram that the peer received")


@clause("send.datagram.too-long")
@each_method
def test_a_datagram_that_is_too_long_fails(case: Case, method: str) -> None:
    sender = transfer.sender(case, method)
    expect.fails(sender(b"x" * too_long(sender)), "EMSGSIZE", what=f"{method}() of {too_long(sender)} bytes")


@clause("send.datagram.too-long-nothing")
@each_method
def test_nothing_is_sent_of_a_datagram_that_is_too_long(case: Case, method: str) -> None:
    sender = transfer.sender(case, method)
    sender(b"x" * too_long(sender))
    sender.nothing_arrived()
