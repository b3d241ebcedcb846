"""One run at a time writes a stream, and a killed run does not keep others from it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.reports.samples import header, row

from nixio_reports import StreamInUse, Writer, read
from nixio_reports.lock import locked, writer_of

HOLDER = (
    "import sys; from nixio_reports.lock import locked\nwith locked(sys.argv[1]): print('held', flush=True); input()"
)


@contextmanager
def holder(stream: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock, until its standard input ends or it is killed."""
    command = [sys.executable, "-c", HOLDER, str(stream)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    return tmp_path / "results.jsonl"


def test_a_second_process_is_refused_and_the_stream_is_kept(stream: Path) -> None:
    stream.write_text("of the first run")
    with holder(stream) as other, pytest.raises(StreamInUse, match=f"in use by another run, process {other.pid}: wait"):
        Writer(stream)
    assert stream.read_text() == "of the first run"


def test_what_a_killed_run_leaves_is_taken_over_and_removed(stream: Path) -> None:
    with holder(stream) as other:
        other.kill()
        other.wait()
        assert writer_of(stream) is None
        with locked(stream):
            assert (stream.parent / "results.jsonl.lock").read_text() == f"{os.getpid()}\n"
    assert list(stream.parent.iterdir()) == []


def test_a_part_of_the_process_that_has_it_may_enter(stream: Path) -> None:
    with locked(stream):
        with Writer(stream) as writer:
            writer.write(header())
        assert writer_of(stream) is None
        assert (stream.parent / "results.jsonl.lock").exists()
    assert list(stream.parent.iterdir()) == [stream]


def test_a_stream_that_is_being_written_is_read_as_such(stream: Path) -> None:
    with Writer(stream) as writer:
        writer.write(header())
        writer.write(row())
    with holder(stream) as other:
        [problem] = read(stream).problems
        assert problem.what == f"the run is still going on, in process {other.pid}"
    [problem] = read(stream).problems
    assert problem.what == "the run was stopped before its end"


@pytest.mark.skipif(sys.platform == "win32", reason="there, all file systems have locks")
def test_without_locks_of_the_system_the_process_decides(stream: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    with holder(stream) as other:
        monkeypatch.setattr(fcntl, "flock", none)
        with pytest.raises(StreamInUse, match=f"process {other.pid}"), locked(stream):
            pass
        other.kill()
        other.wait()
        with locked(stream):
            assert writer_of(stream) is None


def test_a_stream_replaces_a_link_and_not_its_target(stream: Path) -> None:
    other = stream.parent / "other"
    other.write_text("precious")
    stream.symlink_to(other)
    with Writer(stream) as writer:
        writer.write(header())
    assert other.read_text() == "precious"
