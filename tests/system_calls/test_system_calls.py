"""Each system call of a run may fail: the run ends with a verdict that is right, or says that it has none."""

from __future__ import annotations

import pytest

from tests.system_calls.sweep import PAIRS, SELECTED, Sweep, unavailable

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sweep() -> Sweep:
    if reason := unavailable():
        pytest.skip(reason)
    made = Sweep(["reference", *(f"--select={term}" for term in SELECTED)])
    if not made.calls:
        pytest.skip("strace may not attach to a process here")
    return made


@pytest.mark.parametrize(("call", "error"), PAIRS, ids=[":".join(pair) for pair in PAIRS])
def test_a_call_that_fails(sweep: Sweep, call: str, error: str) -> None:
    faults = sweep.faults(call, error)
    if not faults:
        pytest.skip(f"the C library of this system makes no call {call}")
    ended = {fault: sweep.run(fault) for fault in faults}
    assert any(run.failed for run in ended.values()), f"no {call} was made to fail"
    wrong = [
        f"{fault}: {run.problems}\n{run.output[-2000:]}{run.errors[-2000:]}"
        for fault, run in ended.items()
        if run.problems
    ]
    assert not wrong, "\n".join(wrong)
