"""Sockets as Python objects: with blocks, garbage collection, default timeouts, selectors, asyncio."""

from __future__ import annotations

import asyncio
import copy
import errno
import gc
import os
import pickle
import select
import selectors
import socket as standard
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

import nixio_reference
from nixio_reference import Socket, socket

Make = Callable[..., Socket]
Pair = tuple[Socket, Socket]


def is_open(descriptor: int) -> bool:
    """Return whether a descriptor is open."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_module() -> None:
    assert nixio_reference.name == "reference"
    assert nixio_reference.buffersize == nixio_reference.const.buffersize == 8192
    assert set(nixio_reference.__all__) <= set(dir(nixio_reference))
    with socket("inet", "stream") as sock, pytest.raises(AttributeError):
        sock.timeout = 1  # type: ignore[attr-defined]


def test_with_closes_and_accepts_a_closed_socket() -> None:
    with socket("inet", "stream") as sock:
        descriptor = sock.fileno()
    assert not is_open(descriptor)
    with socket("inet", "stream", standard.IPPROTO_TCP) as sock:
        assert sock.close() is True


def test_garbage_collection_closes_without_a_warning() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sock = socket("inet", "stream")
        descriptor = sock.fileno()
        del sock
        gc.collect()
    assert not is_open(descriptor)
    assert caught == []


def test_a_failure_keeps_no_unused_socket_open() -> None:
    """There is no cycle of frames and errors: the socket is closed with its last reference, without the collector."""
    gc.disable()
    try:
        sock = socket("inet", "stream")
        descriptor = sock.fileno()
        with suppress(OSError):
            sock.bind("192.0.2.1", 0)
        del sock
        assert not is_open(descriptor)
    finally:
        gc.enable()


def test_a_socket_that_was_never_created_is_collected_silently() -> None:
    with pytest.raises(ValueError, match="type"):
        Socket("inet", "nothing")
    object.__new__(Socket).__del__()


def test_a_descriptor_that_other_code_has_closed() -> None:
    sock = socket("inet", "stream")
    os.close(sock.fileno())
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        sock.close()


def test_one_descriptor_has_one_owner(make: Make) -> None:
    sock = make()
    for act in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            act(sock)


def test_repr(make: Make) -> None:
    sock = make("unix", "dgram")
    assert repr(sock) == f"<nixio_reference.Socket unix dgram fd={sock.fileno()}>"
    sock.close()
    assert repr(sock) == "<nixio_reference.Socket unix dgram closed>"


@pytest.fixture
def default_timeout() -> Iterator[None]:
    """Set a timeout for new sockets of the standard library."""
    standard.setdefaulttimeout(0.001)
    yield
    standard.setdefaulttimeout(None)


@pytest.mark.usefixtures("default_timeout")
def test_the_default_timeout_of_python_is_not_used(pair: Callable[..., Pair]) -> None:
    near, far = pair()
    assert os.get_blocking(near.fileno())
    assert os.get_blocking(far.fileno())


def test_select_and_selectors(pair: Callable[..., Pair]) -> None:
    near, far = pair()
    assert select.select([far], [near], [], 0) == ([], [near], [])
    near.send(b"x")
    assert select.select([far], [], [], 10) == ([far], [], [])
    with selectors.DefaultSelector() as selector:
        selector.register(far, selectors.EVENT_READ)
        assert [key.fileobj for key, _ in selector.select(10)] == [far]
        selector.unregister(far)


def test_asyncio(pair: Callable[..., Pair]) -> None:
    near, far = pair()
    far.setblocking(False)

    async def receive() -> bytes:
        loop = asyncio.get_running_loop()
        readable = loop.create_future()
        loop.add_reader(far, readable.cancel)
        near.send(b"hello")
        await asyncio.wait([readable], timeout=10)
        assert readable.cancelled()
        loop.remove_reader(far)
        return far.recv(9)

    assert asyncio.run(receive()) == b"hello"
