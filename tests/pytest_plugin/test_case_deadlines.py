"""A case that does not end costs one verdict; many of them end the run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.runs import Runs

from nixio_conformance.driver.timeouts import CASE_SHORT
from nixio_conformance.pytest_plugin.case_deadlines import MANY, CaseDeadlines

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the alarm")

#: Two of the cases do not end, each in another loop; the last check is not run, as the run ends before.
ENDLESS = """
from nixio_conformance.toolkit.case import Pair
from nixio_conformance.toolkit.marks import clause

@clause("send.data.arrives")
def test_loops(either_pair: Pair) -> None:
    while either_pair.peer.kind.id == "inet-dgram":  # calls nothing
        pass
    pending = either_pair.impl.start("recv", 10)
    while either_pair.peer.kind.id == "unix-dgram":
        pending.done(0.001)
    either_pair.peer.send(b"x")
    pending.outcome()

@clause("write.data.arrives")
def test_passes(either_pair: Pair) -> None:
    pass
"""


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """A user's folder, with these checks as the suite."""
    checks = tmp_path / "checks"
    checks.mkdir()
    (checks / "test_endless.py").write_text(ENDLESS)
    return Runs(tmp_path, checks)


def test_a_case_that_does_not_end_costs_one_verdict_and_many_end_the_run(runs: Runs) -> None:
    limits = ("--case-deadline", "0.5", "--max-timeouts", "2")
    done = runs.run("--target", "impls:fine", *limits, "--select", "kind=inet-dgram", "--select", "kind=unix-dgram")
    assert done.code == 1, done.errors
    rows = {row.case: row for row in done.stream.rows}
    outcomes = {case: row.outcome for case, row in rows.items() if row.outcome != "host-skip"}
    assert outcomes.pop("send.data.arrives[inet-dgram-mutual]") == "timed-out"
    assert outcomes.pop("send.data.arrives[unix-dgram-mutual]") == "timed-out"
    assert set(outcomes.values()) == {"not-run"}
    row = rows["send.data.arrives[unix-dgram-mutual]"]
    assert row.message == "the case did not end within 0.5 s"
    assert row.steps[-1].call == "s1.recv(10)"
    assert done.stream.footer
    assert done.stream.footer.stopped == "too many cases timed out, --max-timeouts"
    assert "--max-timeouts" in done.output


@pytest.mark.slow
def test_many_end_a_run_without_a_report(runs: Runs) -> None:
    options = [
        "--nixio-target=impls:fine",
        "--nixio-case-deadline=0.5",
        "--nixio-max-timeouts=2",
        "--nixio-without=lab",
    ]
    done = runs.execute([sys.executable, "-m", "pytest", "-q", str(runs.checks), *options])
    assert done.code == 1, done.output
    assert "too many cases timed out, --max-timeouts" in done.output
    assert "2 failed" in done.output


def test_cases_of_a_method_in_which_many_timed_out_have_less_time() -> None:
    deadlines = CaseDeadlines(60.0)
    for _ in range(MANY):
        assert deadlines.of("send") == 60.0
        deadlines.timed_out("send")
    assert deadlines.of("send") == CASE_SHORT
    assert deadlines.of("recv") == 60.0


def test_a_short_deadline_is_not_made_longer() -> None:
    deadlines = CaseDeadlines(1.0)
    for _ in range(MANY):
        deadlines.timed_out("send")
    assert deadlines.of("send") == 1.0


def test_without_deadlines_there_is_none() -> None:
    deadlines = CaseDeadlines(None)
    for _ in range(MANY):
        deadlines.timed_out("send")
    assert deadlines.of("send") is None
