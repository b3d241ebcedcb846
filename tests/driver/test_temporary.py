"""The run's folder: where it is made, how it is replaced, and what killed runs have left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.processes import running

from nixio_conformance.driver import leftovers, run_folder, temporary
from nixio_conformance.driver.deadline import wait_for
from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.driver.removal import remove

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks of files, and short paths")

#: Makes a run's folder and prints it, starts a process, and waits.
RUN = """
import subprocess, sys
from nixio_conformance.driver.temporary import make_folder, temporary_folder
with temporary_folder() as folder:
    (folder / "file").write_text(make_folder())
    helper = subprocess.Popen(["sleep", "100"], start_new_session=True)
    print(folder, helper.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The only base, a folder with a short path."""
    folder = Path(tempfile.mkdtemp(prefix="t-", dir="/tmp"))
    monkeypatch.setattr(run_folder, "bases", lambda: [str(folder)])
    yield folder
    assert remove(folder)


class Run:
    """A process with a run's folder in `base`, and a process that it has started."""

    def __init__(self, base: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN],
            env={**os.environ, "TMPDIR": str(base)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        path, pid = self.process.stdout.readline().split()
        self.folder, self.helper = Path(path), int(pid)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


@pytest.fixture
def run(base: Path) -> Iterator[Run]:
    made = Run(base)
    yield made
    made.kill()
    if running(made.helper):
        os.kill(made.helper, signal.SIGKILL)


def test_what_a_killed_run_has_left_is_removed(base: Path, run: Run) -> None:
    run.kill()
    assert running(run.helper)
    (found,) = leftovers.remove()
    assert found == leftovers.Leftover(str(run.folder), 1 if sys.platform == "linux" else 0, True)
    assert os.listdir(base) == []
    if sys.platform == "linux":
        assert wait_for(lambda: not running(run.helper), 10)
    assert leftovers.remove() == []


def test_the_next_run_removes_it(base: Path, run: Run) -> None:
    run.kill()
    with temporary.temporary_folder() as folder:
        assert os.listdir(base) == [folder.name]


def test_a_live_run_is_left_alone(base: Path, run: Run) -> None:
    assert leftovers.remove() == []
    assert (run.folder / "file").exists()
    assert running(run.helper)


def test_what_only_looks_like_a_dead_runs_folder_is_left_alone(base: Path, run: Run) -> None:
    run.kill()
    shutil.copytree(run.folder, base / "nx-copied")
    (base / "elsewhere").mkdir()
    shutil.copytree(run.folder, base / "elsewhere" / run.folder.name)
    (base / "nx-link").symlink_to(run.folder)
    (base / "nx-empty").mkdir()
    (base / "nx-own").mkdir()
    (base / "nx-own" / "lock").write_text("mine")
    (base / "nx-fifo").mkdir()
    os.mkfifo(base / "nx-fifo" / "lock")
    (base / "nx-file").touch()
    before = set(os.listdir(base))
    (found,) = leftovers.remove()
    assert found.folder == str(run.folder)
    assert set(os.listdir(base)) == before - {run.folder.name}
    assert os.listdir(base / "elsewhere") == [run.folder.name]
    # Not even where a copy has its name and place.
    (base / "elsewhere" / run.folder.name).rename(run.folder)
    assert leftovers.remove() == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root changes owners")
def test_another_users_folder_is_left_alone(base: Path, run: Run) -> None:
    run.kill()
    os.chown(run.folder, 12345, -1)
    assert leftovers.remove() == []
    os.chown(run.folder, os.geteuid(), -1)
    assert len(leftovers.remove()) == 1


def test_a_folder_that_is_gone_is_replaced(base: Path) -> None:
    with temporary.temporary_folder() as folder:
        first = temporary.make_folder()
        assert Path(first).parent == folder
        shutil.rmtree(folder)
        second = temporary.make_folder()
        assert Path(second).parent != folder
        assert tempfile.gettempdir() == str(Path(second).parent)
        assert leftovers.remove() == []  # the new one has a lock, too
    assert os.listdir(base) == []


def test_a_worker_shares_the_folder_and_leaves_it(base: Path) -> None:
    with temporary.temporary_folder() as folder:
        code = (
            "import sys; from nixio_conformance.driver import temporary\n"
            "with temporary.shared_folder(sys.argv[1]): print(temporary.make_folder())"
        )
        done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
        assert Path(done.stdout.strip()).parent == folder
        assert Path(done.stdout.strip()).is_dir()


def test_a_long_path_is_counted_in_bytes_and_tried_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    letters = tmp_path / ("ü" * 40)
    assert len(str(letters)) - len(str(tmp_path)) == 41
    monkeypatch.setenv("TMPDIR", str(letters))
    assert run_folder.bases()[0] == "/tmp"
    assert run_folder.bases()[-1] == str(letters) or len(os.getcwd()) > run_folder.LONGEST_BASE


def test_without_any_base_nothing_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(run_folder, "bases", lambda: [str(tmp_path / "missing"), "/dev/null"])
    with pytest.raises(CannotStart, match=r"no folder takes temporary files: .*missing \(No such file.*set TMPDIR"):
        temporary.temporary_folder().__enter__()
