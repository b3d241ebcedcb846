"""Both readers of a pipe behave alike."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from tests.agents.support import open_socket

from nixio_conformance.driver.deadline import wait_for
from nixio_conformance.driver.errors import AgentCrashed
from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.pipes import (
    PipeReader,
    PipeWriter,
    PollingReader,
    PollingWriter,
    ThreadedReader,
    ThreadedWriter,
    open_reader,
)
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Session

READERS = [ThreadedReader] if sys.platform == "win32" else [PollingReader, ThreadedReader]
Pipe = tuple[PipeReader, int]


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest) -> Callable[[int], PipeReader]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def pipe(reader: Callable[[int], PipeReader]) -> Iterator[tuple[PipeReader, int]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb", buffering=0, closefd=False):
        yield reader(reading), writing
        try:
            os.close(writing)
        except OSError:
            return


def test_a_read_times_out(pipe: Pipe) -> None:
    found, _ = pipe
    assert found.read(0.0) is None
    assert found.read(0.01) is None


def test_data_is_read_and_then_end_of_file_again_and_again(pipe: Pipe) -> None:
    found, writing = pipe
    os.write(writing, b"one")
    assert found.read(10) == b"one"
    os.close(writing)
    assert [found.read(10), found.read(10), found.read(0.0)] == [b"", b"", b""]


def test_a_session_works_with_either_reader(
    reader: Callable[[int], PipeReader], begin: Callable[..., Session], faulty: tuple[str, ...]
) -> None:
    session = begin(start=lambda: AgentProcess([*faulty, "correct"], reader))
    sock = open_socket(session)
    assert sock.call("echo", b"x" * 300_000) == Returned(("echo", b"x" * 300_000))
    with pytest.raises(AgentCrashed, match="exit status 3"):
        sock.call("exit")


@pytest.mark.parametrize("writer", [ThreadedWriter] if sys.platform == "win32" else [PollingWriter, ThreadedWriter])
def test_a_write_ends_in_time(writer: Callable[[int], PipeWriter]) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "wb", buffering=0):
        found = writer(writing)
        assert found.write(b"one", lambda: 10.0)
        assert os.read(reading, 10) == b"one"
        left = iter([0.01, 0.0, 0.0])
        assert not found.write(bytes(1 << 20), lambda: next(left))
        reader.close()
        with pytest.raises(BrokenPipeError):
            found.write(b"two", lambda: 10.0)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes that do not block")
def test_a_write_that_was_given_up_never_reaches_another_pipe() -> None:
    reading, writing = os.pipe()
    left = iter([0.01, 0.0])
    assert not ThreadedWriter(writing).write(bytes(1 << 20), lambda: next(left))
    other, other_writing = os.pipe()
    os.dup2(other_writing, writing)  # the number is reused
    os.close(reading)  # the write returns what it has written so far
    with os.fdopen(other, "rb", buffering=0) as untouched, os.fdopen(writing, "wb"):
        os.set_blocking(other, False)
        assert wait_for(lambda: not any(thread.name == "agent's input" for thread in threading.enumerate()), 5)
        assert untouched.read() is None
    os.close(other_writing)


def test_the_reader_of_this_system() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb"):
        assert type(open_reader(reading)) is READERS[0]
