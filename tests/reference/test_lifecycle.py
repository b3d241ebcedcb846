"""Making, closing and using sockets as Python objects do: with, garbage collection, selectors, asyncio."""

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
from typing import Any

import pytest

import nixio_reference
from nixio_reference import Socket, socket

Make = Callable[..., Socket]
Pair = tuple[Socket, Socket]


def is_open(descriptor: int) -> bool:
    """Tell whether a descriptor is open."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_module() -> None:
    assert nixio_reference.name == "reference"
    assert nixio_reference.buffersize == nixio_reference.const.buffersize == 8192
    assert set(nixio_reference.__all__) <= set(dir(nixio_reference))
    assert not hasattr(Socket, "__dict__") or "__slots__" in vars(Socket)
    with socket("inet", "stream") as sock, pytest.raises(AttributeError):
        sock.timeout = 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("packet", "raw"), ValueError),
        (("INET", "stream"), ValueError),
        ((2, "stream"), TypeError),
        ((None, "stream"), TypeError),
        ((["inet"], "stream"), TypeError),
        (("inet", "seqpacket"), ValueError),
        (("inet", 1), TypeError),
        (("inet", "stream", "tcp"), ValueError),
        (("inet", "stream", True), TypeError),
        (("inet", "stream", 6.0), TypeError),
        (("inet", "stream", -1), ValueError),
        (("inet", "stream", 2**32 + 6), ValueError),
        (("inet", "dgram", 6), OSError),
    ],
)
def test_words_of_the_factory(arguments: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        socket(*arguments)


def test_protocol_by_number() -> None:
    with socket("inet", "stream", standard.IPPROTO_TCP) as sock:
        assert sock.getopt("tcp", "nodelay") == 0


def test_with_closes_and_may_find_it_closed() -> None:
    with socket("inet", "stream") as sock:
        descriptor = sock.fileno()
    assert not is_open(descriptor)
    with socket("inet", "stream") as sock:
        assert sock.close() is True


def test_after_close_nothing_touches_the_descriptors_new_owner() -> None:
    sock = socket("inet", "stream")
    descriptor = sock.fileno()
    sock.close()
    owner = os.open(os.devnull, os.O_RDWR)  # as a rule it gets that number by itself
    if owner != descriptor:
        os.dup2(owner, descriptor)
        os.close(owner)
    calls: list[Callable[[], object]] = [
        sock.getsockname,
        sock.getpeername,
        lambda: sock.bind("127.0.0.1", 0),
        lambda: sock.connect("127.0.0.1", 9),
        lambda: sock.listen(1),
        sock.accept,
        lambda: sock.sendto(b"x", "127.0.0.1", 9),
        lambda: sock.send(b"x"),
        lambda: sock.send(b"x", 1),
        lambda: sock.recvfrom(1),
        lambda: sock.recv(1),
        lambda: sock.recv(0),
        lambda: sock.recvfrom(0),
        sock.shutdown,
        sock.fileno,
        lambda: sock.setblocking(True),
        lambda: sock.setopt("socket", "keepalive", 1),
        lambda: sock.getopt("socket", "keepalive"),
        sock.close,
    ]
    for call in calls:
        with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
            call()
    sock.__del__()
    assert is_open(descriptor)
    os.close(descriptor)


def test_garbage_collection_closes_silently() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        sock = socket("inet", "stream")
        descriptor = sock.fileno()
        del sock
        gc.collect()
    assert not is_open(descriptor)
    assert told == []


def test_a_failure_keeps_no_abandoned_socket_open() -> None:
    """No cycle of frames and errors: the socket goes when its last name goes, without a collector's help."""
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


def test_a_socket_that_was_never_made_goes_silently() -> None:
    with pytest.raises(ValueError, match="type"):
        Socket("inet", "nothing")
    object.__new__(Socket).__del__()


def test_a_descriptor_that_is_gone_already() -> None:
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
    """Have the program set a timeout for the standard library's new sockets."""
    standard.setdefaulttimeout(0.001)
    yield
    standard.setdefaulttimeout(None)


@pytest.mark.usefixtures("default_timeout")
def test_pythons_default_timeout_is_not_ours(pair: Callable[..., Pair]) -> None:
    near, far = pair()
    assert os.get_blocking(near.fileno())
    assert os.get_blocking(far.fileno())


def test_accepted_sockets_block_and_nothing_is_inherited(make: Make) -> None:
    listener, client = make(), make()
    listener.bind("127.0.0.1", 0)
    listener.listen(1)
    client.connect(*listener.getsockname())
    select.select([listener], [], [], 10)
    listener.setblocking(False)
    accepted, host, port = listener.accept()
    with accepted:
        assert isinstance(accepted, Socket)
        assert (host, port) == client.getsockname() == accepted.getpeername()
        assert os.get_blocking(accepted.fileno())
        for sock in (listener, client, accepted):
            assert not os.get_inheritable(sock.fileno())
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize("blocking", [0, 1, None, "", "false"])
def test_blocking_is_a_bool(make: Make, blocking: Any) -> None:
    sock = make()
    with pytest.raises(TypeError):
        sock.setblocking(blocking)
    assert sock.setblocking(False) is True
    assert not os.get_blocking(sock.fileno())
    assert sock.setblocking(True) is True
    assert os.get_blocking(sock.fileno())


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


def test_a_non_blocking_connect_completes(make: Make) -> None:
    listener, client = make(), make()
    listener.bind("127.0.0.1", 0)
    listener.listen(1)
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.connect(*listener.getsockname())
    select.select([], [client], [], 10)
    assert client.getopt("socket", "error") == 0
    assert client.getpeername() == listener.getsockname()
