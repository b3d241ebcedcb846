"""`run --repeat` reports the cases whose verdict changed; `--load` leaves no processes behind."""

from __future__ import annotations

import os
import sys

import pytest
from tests.runs import Finished, Runs

from nixio_conformance.commands import stress
from nixio_conformance.driver.orphan_guard import guard
from nixio_conformance.driver.procfs import children

FLAKY = '''
class flaky(Wrapped):
    """Right in the first process that it runs in, wrong for datagrams in the later ones."""
    def send(self, *arguments):
        later = len(open(f"{HERE}/pids").readlines()) > 1
        return self.inner.send(*arguments) + (later and self.kind == "inet-dgram")
'''


def repeat(runs: Runs, *arguments: str) -> Finished:
    with (runs.folder / "impls.py").open("a") as file:
        file.write(FLAKY)
    return runs.run("--select", "send.data.arrives", "--repeat", "3", *arguments)


@pytest.mark.slow
def test_the_same_verdicts_each_time(runs: Runs) -> None:
    done = repeat(runs, "--target", "impls:fine")
    assert done.code == 0, done.output + done.errors
    assert "cases had the same verdict 3 times" in done.output
    assert [path.name for path in runs.report.iterdir()] == ["repeat-1"], "repetitions that say nothing new are removed"


@pytest.mark.slow
def test_a_verdict_that_changes_is_reported(runs: Runs) -> None:
    done = repeat(runs, "--target", "impls:flaky")
    assert done.code == 1
    assert (runs.report / "changed.txt").read_text() == "send.data.arrives[inet-dgram-mutual]\n"
    assert "repeat-2" in done.output
    assert (runs.report / "repeat-2" / "results.jsonl").exists()


@pytest.mark.slow
def test_the_same_failure_each_time_is_not_conforming_but_stable(runs: Runs) -> None:
    done = repeat(runs, "--target", "impls:off_by_one", "--", "--tb=short")
    assert done.code == 1
    assert "had the same verdict 3 times" in done.output


def test_a_run_that_cannot_begin_is_not_repeated(runs: Runs) -> None:
    done = repeat(runs, "--target", "impls:fine", "--require", "flying")
    assert done.code == 2
    assert (
        done.output.count("no capability is called flying") + done.errors.count("no capability is called flying") == 1
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel lists a process's children on Linux")
def test_the_machine_is_busy_during_a_run_and_nothing_stays() -> None:
    guard().start()
    before = set(children(os.getpid()))
    with stress.busy():
        assert set(children(os.getpid())) > before
    assert set(children(os.getpid())) == before
