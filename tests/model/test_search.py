"""The search finds faults that depend on earlier calls, shrinks them, and accepts conforming implementations."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nixio_conformance.driver.errors import CaseTimedOut
from nixio_conformance.driver.session import Session
from nixio_conformance.model.examples import examples
from nixio_conformance.model.search import Counterexample, Searcher
from nixio_conformance.model.sequences import KINDS, OperationSequence
from nixio_conformance.model.shrink import shrink
from nixio_conformance.repro import python
from nixio_conformance.target.target import Target
from nixio_reports import Row

HERE = Path(__file__).parent
MakeSearcher = Callable[[str], Searcher]

#: Each faulty implementation, a kind of socket with which it is found, and the most steps of its shrunk reproducer.
FAULTS = {
    "OffsetTwice": ("unix-stream", 14),
    "StalePeer": ("inet-dgram", 14),
    "SendtoConnects": ("unix-dgram", 14),
    "StaleAccept": ("inet6-stream", 14),
    "EndAfterBlocking": ("unix-stream", 14),
}


@pytest.fixture
def make_searcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeSearcher]:
    """Makes a searcher for an implementation of `stateful_implementations`, in this process."""
    monkeypatch.syspath_prepend(str(HERE))
    sessions = []

    def make(name: str) -> Searcher:
        sessions.append(Session(Target("target", f"stateful_implementations:{name}", in_process=True).starter))
        return Searcher(sessions[-1])

    yield make
    for session in sessions:
        session.kill()


def search(searcher: Searcher, kind: str) -> Counterexample | None:
    """The first counterexample in a fixed number of sequences."""
    for seed in range(8):
        if (found := searcher.search(kind, seed, 25)) is not None:
            return found
    return None


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_depends_on_earlier_calls_is_found_and_shrunk(
    make_searcher: MakeSearcher, name: str, tmp_path: Path
) -> None:
    kind, most = FAULTS[name]
    searcher = make_searcher(name)
    found = search(searcher, kind)
    assert found is not None
    found = shrink(searcher, found)
    steps = found.transcript.steps
    assert len(steps) <= most, [step.call for step in steps]
    expected, actual = getattr(found.error, "expected", ""), getattr(found.error, "actual", "")
    assert f"Expected: {expected}\nActual: {actual}\n" in reproduced(found, name, tmp_path)


def reproduced(found: Counterexample, name: str, folder: Path) -> str:
    """What the reproducer prints, run where the implementation is importable."""
    target = Target("target", f"stateful_implementations:{name}")
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


@pytest.mark.parametrize("name", ["Conforming", "ShortReads", "ClosedIsBadArgument"])
@pytest.mark.parametrize("kind", ["inet-stream", "unix-dgram", "dual-stream"])
def test_a_conforming_implementation_is_accepted(make_searcher: MakeSearcher, name: str, kind: str) -> None:
    found = make_searcher(name).search(kind, 7, 15)
    assert found is None, (found.executed, found.error)


def test_the_same_seed_draws_the_same_sequences(make_searcher: MakeSearcher, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[OperationSequence] = []
    searcher = make_searcher("Conforming")
    monkeypatch.setattr(searcher, "run", drawn.append)
    for _ in range(2):
        searcher.search("inet-stream", 5, 10)
    assert len(drawn) == 20
    assert drawn[:10] == drawn[10:]


def test_a_search_leaves_no_files(make_searcher: MakeSearcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_searcher("Conforming").search("inet-stream", 0, 3)
    assert list(tmp_path.iterdir()) == []


def test_each_example_has_an_id_of_its_own_and_runs(make_searcher: MakeSearcher) -> None:
    searcher = make_searcher("Conforming")
    assert len({row.id for row in examples()}) == len(examples())
    for row in examples():
        assert row.kind in KINDS
        found = searcher.run(row.sequence)
        assert found is None, (row.id, found.error)


@pytest.fixture
def timeless(make_searcher: MakeSearcher) -> Searcher:
    """A searcher with a session whose budget is used up."""
    searcher = make_searcher("StalePeer")
    searcher.session.allow(0.0)
    return searcher


def test_a_sequence_ends_with_the_budget_of_its_case(timeless: Searcher) -> None:
    found = timeless.search("inet-dgram", 0, 1)
    assert found is not None
    assert isinstance(found.error, CaseTimedOut)
    assert shrink(timeless, found) is found


def test_shrinking_without_time_leaves_a_difference_as_it_was_found(make_searcher: MakeSearcher) -> None:
    searcher = make_searcher("StalePeer")
    found = search(searcher, "inet-dgram")
    assert found is not None
    searcher.session.allow(0.0)
    assert shrink(searcher, found) is found


def test_each_sequence_may_have_a_budget_of_its_own(timeless: Searcher) -> None:
    timeless.sequence_seconds = 60.0
    found = search(timeless, "inet-dgram")
    assert found is not None
    assert not isinstance(found.error, CaseTimedOut)
