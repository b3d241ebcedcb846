"""Deadlines: the time that a process waits for a processor does not count, up to a limit."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from nixio_conformance.driver.deadline import Deadline
from nixio_conformance.driver.timeouts import HUNG

PID = 4711


class Machine:
    """A clock that the test sets, and the process's file in /proc."""

    def __init__(self, proc: Path) -> None:
        self.proc = proc
        self.now = 1000.0
        (proc / str(PID)).mkdir()
        self.starved(5.0)

    def starved(self, seconds: float) -> None:
        (self.proc / str(PID) / "schedstat").write_text(f"123456789 {int(seconds * 1e9)} 42\n")

    def deadline(self, seconds: float) -> Deadline:
        made = Deadline(seconds, PID, self.proc)
        assert made.remaining() == seconds
        return made


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    clock = SimpleNamespace(monotonic=lambda: made.now)
    monkeypatch.setattr("nixio_conformance.driver.deadline.time", clock)
    return made


def test_expires_by_the_clock(machine: Machine) -> None:
    limit = machine.deadline(2.0)
    machine.now += 1.5
    assert limit.remaining() == 0.5
    machine.now += 1.0
    assert limit.remaining() == 0.0
    assert limit.elapsed == 2.5


def test_waiting_for_a_processor_does_not_count(machine: Machine) -> None:
    limit = machine.deadline(2.0)
    machine.now += 3.0
    machine.starved(5.0 + 1.75)
    assert limit.remaining() == 0.75
    machine.now += 0.75
    assert limit.remaining() == 0.0


def test_starvation_before_the_call_is_not_credited(machine: Machine) -> None:
    machine.starved(100.0)
    limit = machine.deadline(2.0)
    machine.now += 2.5
    assert limit.remaining() == 0.0


def test_starvation_does_not_extend_a_deadline_that_has_not_expired(machine: Machine) -> None:
    limit = machine.deadline(2.0)
    machine.now += 0.5
    machine.starved(50.0)
    assert limit.remaining() == 1.5


def test_starvation_is_credited_up_to_a_limit(machine: Machine) -> None:
    limit = machine.deadline(2.0)
    machine.now += HUNG - 1
    machine.starved(5.0 + HUNG)
    assert limit.remaining() > 0
    machine.now += 1
    assert limit.remaining() == 0.0


@pytest.mark.parametrize("content", ["", "0", "a b c"])
def test_without_the_file_the_clock_counts(machine: Machine, content: str) -> None:
    (machine.proc / str(PID) / "schedstat").write_text(content)
    limit = machine.deadline(1.0)
    machine.now += 1.0
    assert limit.remaining() == 0.0


def test_without_a_process_the_clock_counts(machine: Machine) -> None:
    limit = Deadline(1.0)
    machine.now += 0.25
    assert limit.remaining() == 0.75
    machine.now += 1
    assert limit.remaining() == 0.0
