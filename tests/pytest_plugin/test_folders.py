"""Implementations that attack the folders of a run: their case fails, and the cases after it are judged as usual."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.runs import Runs

from nixio_conformance import checks
from nixio_conformance.driver.removal import remove

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="UNIX sockets")

#: bind() makes the attack that the end of its path names, on the case's folder and on the run's, in which that is.
ATTACKING = """
import os, pathlib, shutil
import nixio_reference as right

outside = pathlib.Path(os.environ["OUTSIDE"])

def replace(folder, make):
    folder.rename(outside / f"moved-{folder.name}")
    make(folder)

def link(folder):
    folder.symlink_to(outside)

def deep(case):
    here = os.getcwd()
    os.chdir(case)
    for _ in range(1100):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    os.chdir(here)

def odd(case):
    for name in (b"-rf", b"a\\nb", b"\\xff", b"*", b"~", b" ", b"$HOME"):
        open(os.path.join(os.fsencode(case), name), "w").close()
    os.mkfifo(case / "fifo")
    os.link(outside / "kept", case / "hard")
    (case / "soft").symlink_to(outside)
    (case / "closed" / "in").mkdir(parents=True)
    (case / "closed" / "soft").symlink_to(outside)
    (case / "closed" / "in").chmod(0)
    (case / "closed").chmod(0)

def many(case):
    for number in range(2000):
        (case / f"many-{number}").touch()

def empty(run):
    for path in run.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()

OF_FOLDERS = {
    "deleted": shutil.rmtree,
    "closed": lambda folder: folder.chmod(0),
    "readonly": lambda folder: folder.chmod(0o500),
    "link": lambda folder: replace(folder, link),
    "file": lambda folder: replace(folder, pathlib.Path.touch),
    "fifo": lambda folder: replace(folder, os.mkfifo),
    "other": lambda folder: replace(folder, pathlib.Path.mkdir),
    "empty": empty, "deep": deep, "odd": odd, "many": many,
}

class attacking:
    def __init__(self, domain, type, protocol=None):
        self.inner = right.socket(domain, type, protocol)
    def __getattr__(self, name):
        return getattr(self.inner, name)
    def bind(self, host, *port):
        path = pathlib.Path(host)
        _, which, attack, *_ = f"{path.name}---".split("-")
        if which:
            OF_FOLDERS[attack](path.parent if which == "case" else path.parent.parent)
        return self.inner.bind(host, *port)
"""
ON_BOTH = ("deleted", "closed", "readonly", "link", "file", "fifo", "other")
ON_FOLDERS = [*(f"{which}-{how}" for which in ("case", "run") for how in ON_BOTH), "run-empty", "case-odd"]
#: Each attack is followed by a case without one.
CHECK = """
import pytest
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.marks import clause

@clause("send.data.arrives")
@pytest.mark.parametrize("attack", [name for attack in ATTACKS for name in (f"-{attack}", f"after {attack}")])
def test_attack(case, attack):
    path = case.path() + (attack if attack[0] == "-" else "")
    expect.true(case.socket().bind(path, None), "bind()")
    case.pair()
"""


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """An empty folder with a short path, for socket files."""
    folder = Path(tempfile.mkdtemp(prefix="t-", dir="/tmp"))
    yield folder
    assert remove(folder)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is not the run's, with a file in it."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "kept").write_text("mine")
    (folder / "kept").chmod(0o444)
    folder.chmod(0o750)
    return folder


@pytest.mark.parametrize("attacks", [ON_FOLDERS, pytest.param(["case-deep", "case-many"], marks=pytest.mark.slow)])
def test_the_cases_after_an_attack_are_judged_as_usual(
    runs: Runs, make_checks: Callable[[str], Path], short_folder: Path, outside: Path, attacks: list[str]
) -> None:
    (runs.folder / "impl.py").write_text(ATTACKING)
    runs.checks = make_checks(CHECK.replace("ATTACKS", str(attacks)))
    words = ("--target", "impl:attacking", "--select", "unix-dgram")
    done = runs.run(*words, TMPDIR=str(short_folder), OUTSIDE=str(outside))
    outcomes = {row.case.partition("dgram-")[2].removesuffix("]"): row for row in done.stream.rows}
    assert {name: row.message for name, row in outcomes.items() if "after" in name and row.outcome != "passed"} == {}
    assert {name: row.message for name, row in outcomes.items() if row.outcome not in ("passed", "failed")} == {}
    # What is done to the run's folder is seen only when the next folder is made in it.
    passed = {name for name, row in outcomes.items() if row.outcome == "passed" and name[0] == "-"}
    assert passed <= {"-run-closed", "-run-readonly"}
    assert len(outcomes) == 2 * len(attacks)
    assert os.listdir(short_folder) == []
    assert (outside / "kept").read_text() == "mine"
    assert (outside.stat().st_mode & 0o777, (outside / "kept").stat().st_mode & 0o777) == (0o750, 0o444)


@pytest.mark.parametrize(
    "name",
    [
        "spaces and ümläuts",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("x" * 80, "missing", "file", ".")),
    ],
)
def test_temporary_files_may_be_anywhere(runs: Runs, short_folder: Path, name: str) -> None:
    """Among the selected cases are those with paths of an exact number of bytes."""
    base = short_folder / name
    if name == "file":
        base.touch()
    elif name != "missing":
        base.mkdir(exist_ok=True)
    runs.checks = Path(checks.__file__).parent
    shown = os.path.relpath(base, runs.folder) if name == "." else str(base)
    done = runs.run("--target", "impls:fine", "--select", "bind.unix", "--select", "connect.unix", TMPDIR=shown)
    assert done.code == 0, done.output
    assert set(done.outcomes.values()) == {"passed"}
    assert name == "file" or not base.exists() or os.listdir(base) == []


#: Binds to names that depend on the current folder, and leaves temporary files.
ASTRAY = """
import os, socket, tempfile
import nixio_reference as right

class astray:
    def __init__(self, domain, type, protocol=None):
        self.inner = right.socket(domain, type, protocol)
    def __getattr__(self, name):
        return getattr(self.inner, name)
    def bind(self, host, *port):
        os.close(tempfile.mkstemp()[0])
        return self.inner.bind("astray", None)
"""


def test_a_socket_file_at_a_wrong_path_is_not_where_the_user_stands(
    runs: Runs, make_checks: Callable[[str], Path], short_folder: Path
) -> None:
    (runs.folder / "impl.py").write_text(ASTRAY)
    runs.checks = make_checks(CHECK.replace("ATTACKS", "['x']").replace("    case.pair()", ""))
    usual = {*os.listdir(runs.folder), "__pycache__", "report"}
    done = runs.run("--target", "impl:astray", "--select", "unix-dgram", TMPDIR=str(short_folder))
    # Each case is judged as the first one: the file that it leaves does not disturb the next.
    assert done.outcomes == {"unix-dgram--x": "passed", "unix-dgram-after x": "passed"}
    assert "EADDRINUSE" not in str([row.steps for row in done.stream.rows])
    assert set(os.listdir(runs.folder)) <= usual
    assert os.listdir(short_folder) == []
