"""An exception in a hook ends the run with exit code 3, one message, a complete stream, and the traceback in a file."""

from __future__ import annotations

import pytest
from tests.runs import Runs

from nixio_conformance.driver.own_errors import FILE

#: A hook of pytest in the folder of the checks; the suite's own are called in the same way.
HOOK = """
def {hook}():
    raise RuntimeError("a bug of ours")
"""


@pytest.mark.parametrize(
    ("hook", "workers"),
    [
        ("pytest_collection_modifyitems", "0"),
        ("pytest_runtest_logstart", "0"),
        ("pytest_sessionfinish", "0"),
        pytest.param("pytest_runtest_logstart", "2", marks=pytest.mark.slow),
    ],
)
def test_a_hook_that_fails(runs: Runs, hook: str, workers: str) -> None:
    checks = runs.folder / "checks"
    checks.mkdir()
    (checks / "test_probes.py").write_text((runs.checks / "test_probes.py").read_text())
    (checks / "conftest.py").write_text(HOOK.format(hook=hook))
    done = runs.run("--target=impls:fine", f"--checks={checks}", f"-n{workers}")
    assert done.code == 3
    assert len(done.errors.splitlines()) == 2, done.errors
    assert "the suite itself failed: RuntimeError: a bug of ours" in done.errors
    assert "Traceback" not in done.output
    assert f"in {hook}" in (done.report / FILE).read_text()
    assert done.stream.problems == ()
    assert done.stream.footer is not None
    assert done.stream.footer.exit_code == 3


def test_a_later_run_removes_the_file(runs: Runs) -> None:
    runs.report.mkdir()
    (runs.report / FILE).write_text("of an earlier run")
    assert runs.run("--target=impls:fine").code == 0
    assert not (runs.report / FILE).exists()
