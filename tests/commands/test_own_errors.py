"""An exception in a hook ends the run with exit code 3, one message, a complete stream, and the traceback in a file."""

from __future__ import annotations

import pytest
from tests.runs import Finished, Runs

from nixio_conformance.driver.own_errors import FILE

#: Another plugin's hook; the suite's own are called in the same way.
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
    (runs.folder / "hooks.py").write_text(HOOK.format(hook=hook))
    done = _run(runs, "--target=impls:fine", f"-n{workers}", "--", "-p", "hooks")
    assert done.code == 3
    assert len(done.errors.splitlines()) == 2, done.errors
    assert "the suite itself failed: RuntimeError: a bug of ours" in done.errors
    assert "Traceback" not in done.output
    assert f"in {hook}" in (done.report / FILE).read_text()
    assert done.stream.problems == ()
    assert done.stream.footer is not None
    assert done.stream.footer.exit_code == 3


@pytest.mark.slow
def test_workers_that_cannot_start(runs: Runs) -> None:
    (runs.folder / "only_here.py").write_text(
        "import pytest\n@pytest.hookimpl(trylast=True)\ndef pytest_configure(config):\n"
        "    if hasattr(config, 'workerinput'):\n"
        "        raise OSError(24, 'no descriptors')\n"
    )
    done = _run(runs, "--target=impls:fine", "-n2", "--", "-p", "only_here")
    assert done.code == 3
    assert len(done.errors.splitlines()) == 2, done.errors
    assert "[Errno 24] no descriptors" in done.errors


def _run(runs: Runs, *arguments: str) -> Finished:
    """In an interpreter of its own: workers cannot import from the folder of a run that was forked."""
    program, *words = runs.command(*arguments)
    return runs.execute([program, "-u", *words])


def test_a_later_run_removes_the_file(runs: Runs) -> None:
    runs.report.mkdir()
    (runs.report / FILE).write_text("of an earlier run")
    assert runs.run("--target=impls:fine").code == 0
    assert not (runs.report / FILE).exists()
