"""Both ways to read a pipe under a deadline behave alike."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

import pytest

from nixio_conformance.driver.errors import AgentCrashed
from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.pipes import PipeReader, PollingReader, ThreadedReader, open_reader
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.socket import ImplSocket

WAYS = [ThreadedReader] if sys.platform == "win32" else [PollingReader, ThreadedReader]
Pipe = tuple[PipeReader, int]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Callable[[int], PipeReader]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def pipe(way: Callable[[int], PipeReader]) -> Iterator[tuple[PipeReader, int]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb", buffering=0, closefd=False):
        yield way(reading), writing
        try:
            os.close(writing)
        except OSError:
            return


def test_nothing_comes_within_the_time(pipe: Pipe) -> None:
    found, _ = pipe
    assert found.read(0.0) is None
    assert found.read(0.01) is None


def test_what_comes_is_read_and_then_the_end_for_ever(pipe: Pipe) -> None:
    found, writing = pipe
    os.write(writing, b"one")
    assert found.read(10) == b"one"
    os.close(writing)
    assert [found.read(10), found.read(10), found.read(0.0)] == [b"", b"", b""]


def test_a_session_works_over_either(
    way: Callable[[int], PipeReader], begin: Callable[..., Session], faulty: tuple[str, ...]
) -> None:
    session = begin(start=lambda: AgentProcess([*faulty, "honest"], way))
    port = session.open("inet", "stream").values[0]  # type: ignore[union-attr]
    assert isinstance(port, ImplSocket)
    assert port.call("echo", b"x" * 300_000) == Returned(("echo", b"x" * 300_000))
    with pytest.raises(AgentCrashed, match="exit status 3"):
        port.call("exit")


def test_this_system_has_one_of_them() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb"):
        assert type(open_reader(reading)) is WAYS[0]
