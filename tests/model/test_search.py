"""What the random plays find, and what they accept: ports whose faults depend on what was called before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nixio_conformance.driver.session import Session
from nixio_conformance.host.workspace import workspace
from nixio_conformance.model.examples import examples
from nixio_conformance.model.moves import KINDS, Play
from nixio_conformance.model.search import Found, Table
from nixio_conformance.model.shorten import shorten
from nixio_conformance.repro import python
from nixio_conformance.target.target import Target
from nixio_reports import Row

HERE = Path(__file__).parent
Sit = Callable[[str], Table]

#: Each fault, a kind of socket that shows it, and the most steps that its shortest script may have.
FAULTS = {
    "OffsetTwice": ("unix-stream", 14),
    "StalePeer": ("inet-dgram", 14),
    "SendtoConnects": ("unix-dgram", 14),
    "StaleAccept": ("inet6-stream", 14),
    "EndAfterBlocking": ("unix-stream", 14),
}


@pytest.fixture
def sit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sit]:
    """A table at which a port of `stateful_ports` is played, in this process."""
    monkeypatch.syspath_prepend(str(HERE))
    sessions = []
    with workspace() as folder:

        def table(name: str) -> Table:
            sessions.append(Session(Target("target", f"stateful_ports:{name}", in_process=True).starter))
            return Table(sessions[-1], folder)

        yield table
        for session in sessions:
            session.kill()


def searched(table: Table, kind: str) -> Found | None:
    """What is found in a fixed number of plays."""
    for seed in range(8):
        if (found := table.search(kind, seed, 25)) is not None:
            return found
    return None


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_needs_a_history_is_found_and_told_shortly(sit: Sit, name: str, tmp_path: Path) -> None:
    kind, most = FAULTS[name]
    table = sit(name)
    found = searched(table, kind)
    assert found is not None
    found = shorten(table, found)
    steps = found.transcript.steps
    assert len(steps) <= most, [step.call for step in steps]
    expected, actual = getattr(found.error, "expected", ""), getattr(found.error, "actual", "")
    assert f"Expected: {expected}\nActual: {actual}\n" in shown(found, name, tmp_path)


def shown(found: Found, name: str, folder: Path) -> str:
    """What the script of a difference prints, where the port is importable."""
    target = Target("target", f"stateful_ports:{name}")
    row = Row(
        case="model.example", clause="model.example", method="socket", level="should", source="design:model",
        requires="x", outcome="failed",
        expected=getattr(found.error, "expected", ""), actual=getattr(found.error, "actual", ""),
    )  # fmt: skip
    program = folder / "difference.py"
    program.write_text(python.write(row, target, found.folder, found.transcript.steps))
    done = subprocess.run(
        [sys.executable, str(program)], cwd=HERE, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["Fine", "ShortReads", "Plain"])
@pytest.mark.parametrize("kind", ["inet-stream", "unix-dgram", "dual-stream"])
def test_a_right_port_is_accepted(sit: Sit, name: str, kind: str) -> None:
    found = sit(name).search(kind, 7, 15)
    assert found is None, (found.made, found.error)


def test_the_same_seed_makes_the_same_plays(sit: Sit) -> None:
    drawn: list[list[Play]] = []
    for _ in range(2):
        table = sit("Fine")
        seen: list[Play] = []
        drawn.append(seen)
        original = table.play

        def play(play: Play, seconds: float | None = None, seen: list[Play] = seen) -> None:
            seen.append(play)

        table.play = play  # type: ignore[method-assign]
        assert original is not None
        table.search("inet-stream", 5, 10)
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 10


def test_no_file_is_left_by_drawing(sit: Sit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sit("Fine").search("inet-stream", 0, 3)
    assert list(tmp_path.iterdir()) == []


def test_each_example_can_be_played(sit: Sit) -> None:
    table = sit("Fine")
    assert len({row.id for row in examples()}) == len(examples())
    for row in examples():
        assert row.kind in KINDS
        found = table.play(row.play)
        assert found is None, (row.id, found.error)
