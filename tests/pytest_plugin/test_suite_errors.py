"""Errors of the suite's own code: an outcome of their own, which says nothing about the implementation."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.runs import Finished, Runs

Run = Callable[..., Finished]

#: What the checks below are made of: each uses an agent, and fails in its own way.
CHECK = """
import errno, os
import pytest
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.marks import clause

@pytest.fixture
def broken():
    yield
    raise LookupError("the fixture's end")

@clause("send.data.arrives")
def test_probe(case, kind, broken_if_asked_for):
    sock = case.socket()
    STATEMENT
"""
BASELINE = """
format = 1

[[deviation]]
clause = "send.data.arrives"
reason = "a known deviation"
"""


@pytest.fixture
def check(runs: Runs, make_checks: Callable[[str], Path]) -> Run:
    """Runs a check with this statement over an implementation; `fixture` makes its fixture fail at the end."""

    def run(statement: str, *arguments: str, port: str = "fine", fixture: bool = False) -> Finished:
        source = CHECK.replace("STATEMENT", statement)
        runs.checks = make_checks(source.replace(", broken_if_asked_for", ", broken" if fixture else ""))
        return runs.run("--target", f"impls:{port}", "--select", "inet-dgram", *arguments)

    return run


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_an_error_of_the_suite_is_its_own_outcome_in_every_report(check: Run, workers: str) -> None:
    done = check("[][1]", "-n", workers)
    (row,) = done.stream.rows
    assert row.outcome == "suite-error"
    assert row.message == "the suite itself failed: IndexError: list index out of range"
    assert "    [][1]\n" in row.traceback
    footer = done.stream.footer
    assert footer is not None
    assert (done.code, footer.exit_code, footer.counts) == (3, 3, {"suite-error": 1})
    output = " ".join(done.output.split())
    assert f"‼ {row.case} suite error: the suite itself failed: " in output
    assert "no verdict in the selected cases: 1 suite error; 1 case without a verdict" in output
    assert "please report it as an issue of nixio-conformance" in output
    assert "IndexError" in (done.report / "report.html").read_text()
    assert "please report" in (done.report / "report.html").read_text()
    assert ElementTree.parse(done.report / "junit.xml").find(".//testcase/error") is not None
    assert json.loads((done.report / "badge.json").read_text())["message"] == "no verdict"


RAISING = """
def bare(sock):
    assert sock is None

def fails(name):
    raise OSError(getattr(errno, name), os.strerror(getattr(errno, name)))

def out_of_memory():
    raise MemoryError

EACH = pytest.mark.parametrize("action", [
    pytest.param(bare, id="assert"),
    pytest.param(lambda sock: fails("EBADF"), id="ebadf"),
    pytest.param(lambda sock: pytest.fail("x"), id="fail"),
    pytest.param(lambda sock: exit(0), id="exit"),
    pytest.param(lambda sock: pytest.skip("x"), id="skip"),
    pytest.param(lambda sock: fails("EMFILE"), id="emfile"),
    pytest.param(lambda sock: fails("ENOBUFS"), id="enobufs"),
    pytest.param(lambda sock: out_of_memory(), id="memory"),
])
"""


def test_what_is_an_error_of_the_suite_and_what_is_a_host_that_lacks_something(
    runs: Runs, make_checks: Callable[[str], Path]
) -> None:
    check = CHECK.replace(", broken_if_asked_for", ", action").replace("STATEMENT", "action(sock)")
    runs.checks = make_checks(check.replace("@clause", f"{RAISING}\n@EACH\n@clause"))
    done = runs.run("--target", "impls:fine", "--select", "inet-dgram")
    assert {name.removeprefix("inet-dgram-"): outcome for name, outcome in done.outcomes.items()} == {
        **dict.fromkeys(("assert", "ebadf", "fail", "exit"), "suite-error"),
        **dict.fromkeys(("skip", "emfile", "enobufs", "memory"), "host-skip"),
    }
    assert done.rows["inet-dgram-emfile"].message.startswith("the suite ran out of resources: [Errno ")
    assert done.rows["inet-dgram-assert"].message == "the suite itself failed: AssertionError"


@pytest.mark.parametrize("statement", ["pass", "pytest.skip('cannot')"])
def test_an_error_at_the_end_of_a_case_is_one_too(check: Run, statement: str) -> None:
    done = check(statement, fixture=True)
    assert done.outcomes == {"inet-dgram": "suite-error"}
    assert done.rows["inet-dgram"].message == "the suite itself failed: LookupError: the fixture's end"


def test_a_failure_before_an_error_of_the_suite_stays_a_failure(check: Run) -> None:
    done = check("expect.mismatch('x', 1, 2)", fixture=True)
    assert (done.outcomes, done.code) == ({"inet-dgram": "failed"}, 1)


def test_a_crash_behind_an_error_of_the_suite_is_a_crash(check: Run) -> None:
    done = check("sock.start('send', b'x'); [][1]", port="leaving")
    assert (done.outcomes, done.code) == ({"inet-dgram": "crashed"}, 1)
    row = done.rows["inet-dgram"]
    assert "exit status 9; the check reported: the suite itself failed: IndexError" in row.message
    assert row.traceback == ""


@pytest.mark.slow
def test_a_baseline_neither_expects_nor_excuses_it(check: Run, runs: Runs) -> None:
    (runs.folder / "known.toml").write_text(BASELINE)
    done = check("[][1]", "--baseline", "known.toml")
    assert (done.outcomes, done.code) == ({"inet-dgram": "suite-error"}, 3)
    assert "out of date" not in done.output


TWO = """
@clause("send.datagram.boundaries")
def test_other(case, kind):
    STATEMENT
"""


def test_the_exit_code_is_3_whatever_else_failed(check: Run) -> None:
    done = check("[][1]" + TWO.replace("STATEMENT", "expect.mismatch('x', 1, 2)"))
    assert sorted(row.outcome for row in done.stream.rows) == ["failed", "suite-error"]
    assert done.code == 3
    output = " ".join(done.output.split())
    assert "NOT conforming in the selected cases: 1 suite error, 1 failed; 1 case without a verdict" in output


@pytest.mark.slow
def test_fail_fast_stops_at_it(check: Run) -> None:
    done = check("[][1]" + TWO.replace("STATEMENT", "pass"), "--fail-fast")
    assert sorted(row.outcome for row in done.stream.rows) == ["not-run", "suite-error"]
    assert done.code == 3


HOOK = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    raise LookupError("a hook of another plugin")
"""


@pytest.mark.slow
def test_a_failing_hook_of_another_plugin_is_an_error_of_the_suite_under_plain_pytest(runs: Runs) -> None:
    (runs.folder / "other_plugin.py").write_text(HOOK)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "other_plugin", str(runs.checks)]
    command += ["-p", "nixio_conformance.pytest_plugin.plugin", "--nixio-target=impls:fine", "--nixio-without=lab"]
    command += ["--nixio-select=send.data.arrives[inet-dgram-mutual]", f"--nixio-report={runs.report}"]
    done = runs.execute(command, PYTHONPATH=str(runs.folder), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert done.outcomes == {"inet-dgram-mutual": "suite-error"}, done.output
    assert "a hook of another plugin" in done.rows["inet-dgram-mutual"].message
    assert done.code == 3


#: `odd:METHOD` is the reference, of which the method returns another odd value at each call.
ODD = """
import itertools
import nixio_reference as right

VALUES = itertools.cycle((
    (), None, True, -1, 2**32 + 3, 2**63 - 1, 10**400, 1.5, "", "a\\0b", "x" * 70000, b"\\xff", (b"x",),
    (None, None), ("192.0.2.1", 5), ("127.0.0.1", 2**70), ("localhost", True), (b"abc", [1], {}), [[1], [2]],
    {"a": {"b": 1}}, object(),
))

class Odd:
    def __init__(self, method, inner):
        self.method, self.inner = method, inner
    def __getattr__(self, name):
        found = getattr(self.inner, name)
        def call(*arguments):
            result = found(*arguments)
            if name == self.method:
                return next(VALUES)
            return (Odd(self.method, result[0]), *result[1:]) if name == "accept" else result
        return call

def __getattr__(method):
    return lambda *arguments: Odd(method, right.socket(*arguments))
"""
KINDS = {"getsockname": "inet-stream", "accept": "inet6-stream", "fileno": "unix-stream", "recvfrom": "inet-dgram"}


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the observations by which values are compared")
@pytest.mark.parametrize("method", KINDS)
def test_no_returned_value_causes_an_error_of_the_suite(runs: Runs, method: str) -> None:
    (runs.folder / "odd.py").write_text(ODD)
    words = ["--select", f"method={method}", "--select", f"kind={KINDS[method]}", "-n", "2", "--deadline", "0.5"]
    words = [word for word in runs.words("--target", f"odd:{method}", *words) if not word.startswith("--checks=")]
    limits = ["--case-deadline", "1", "--max-timeouts", "1000", f"--report={runs.report}"]
    done = runs.execute([sys.executable, "-m", "nixio_conformance", *words, *limits])
    wrong = {row.case: row.message for row in done.stream.rows if row.outcome == "suite-error"}
    wrong |= {row.case: row.message for row in done.stream.rows if row.message.startswith("the suite ran out")}
    assert not wrong
    assert done.code == 1, done.errors
