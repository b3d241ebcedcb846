"""Folders are removed whatever is in them, and nothing outside of them is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nixio_conformance.driver.removal import remove

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files that only POSIX systems have")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with a file, to which what is removed refers."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "kept").write_text("mine")
    (folder / "kept").chmod(0o440)
    folder.chmod(0o550)
    return folder


def check_untouched(outside: Path) -> None:
    assert (outside.stat().st_mode & 0o777, (outside / "kept").stat().st_mode & 0o777) == (0o550, 0o440)
    assert (outside / "kept").read_text() == "mine"
    assert os.listdir(outside) == ["kept"]


def test_odd_files_and_folders_without_permissions_are_removed(tmp_path: Path, outside: Path) -> None:
    folder = tmp_path / "folder"
    inner = folder / "a" / "b" / "c"
    inner.mkdir(parents=True)
    for name in (b"-rf", b"a\nb", b"\xff", b"*", b" "):
        open(os.path.join(os.fsencode(inner), name), "w").close()
        open(os.path.join(os.fsencode(folder), name), "w").close()
    os.mkfifo(inner / "fifo")
    os.link(outside / "kept", inner / "hard")
    for where in (folder, inner, inner.parent):
        (where / "soft").symlink_to(outside)
    for closed in (inner, inner.parent, folder):
        closed.chmod(0)
    assert remove(folder)
    assert not folder.exists()
    check_untouched(outside)


@pytest.mark.parametrize("what", ["link", "file", "fifo", "nothing"])
def test_what_has_taken_the_folders_place_is_removed(tmp_path: Path, outside: Path, what: str) -> None:
    path = tmp_path / "folder"
    if what == "link":
        path.symlink_to(outside)
    elif what != "nothing":
        os.mkfifo(path) if what == "fifo" else path.touch()
    assert remove(path)
    assert not os.path.lexists(path)
    check_untouched(outside)


def test_deep_nesting_needs_neither_descriptors_nor_recursion(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    here = os.getcwd()
    folder.mkdir()
    os.chdir(folder)
    for _ in range(250):  # a path longer than PATH_MAX
        os.mkdir("d" * 20)
        os.chdir("d" * 20)
    os.chdir(here)
    code = (
        "import resource, sys; from nixio_conformance.driver.removal import remove;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16)); sys.setrecursionlimit(60);"
        "sys.exit(not remove(sys.argv[1]))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(folder)], check=False).returncode == 0
    assert not folder.exists()


def test_the_last_file_stays_as_long_as_something_else_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    (folder / "stuck").mkdir(parents=True)
    (folder / "lock").touch()
    with monkeypatch.context() as patched:
        patched.setattr("nixio_conformance.driver.removal._move_up", lambda top, inner, moved: None)
        (folder / "stuck" / "file").touch()
        assert not remove(folder, last="lock")
        assert (folder / "lock").exists()
    assert remove(folder, last="lock")


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root makes files immutable")
def test_immutable_files_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "file").touch()
    chattr = shutil.which("chattr")
    if chattr is None or subprocess.run([chattr, "+i", folder / "in" / "file", folder / "in"], check=False).returncode:
        pytest.skip("this file system has no immutable files")
    assert remove(folder)


#: Mounts `outside` in a folder and in a folder of that, in a mount namespace of its own, and removes the folder.
MOUNTING = """
import ctypes, os, sys
from nixio_conformance.driver.removal import remove
from nixio_conformance.netns.namespaces import enter_user
enter_user()
libc = ctypes.CDLL(None, use_errno=True)
folder, outside = sys.argv[1:]
def check(result):
    if result:
        print(os.strerror(ctypes.get_errno()))
        sys.exit(77)
check(libc.unshare(0x20000))
check(libc.mount(None, b"/", None, 0x44000, None))
for name in ("a", "b/c"):
    os.makedirs(f"{folder}/{name}")
    check(libc.mount(os.fsencode(outside), os.fsencode(f"{folder}/{name}"), None, 0x1000, None))
assert os.listdir(f"{folder}/b/c") == ["kept"]
assert remove(folder)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mount namespaces")
def test_what_is_mounted_in_the_folder_is_detached_and_kept(tmp_path: Path, outside: Path) -> None:
    command = [sys.executable, "-c", MOUNTING, str(tmp_path / "folder"), str(outside)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        pytest.skip(f"mounts are not allowed here: {done.stdout}")
    assert done.returncode == 0, done.stderr
    check_untouched(outside)
