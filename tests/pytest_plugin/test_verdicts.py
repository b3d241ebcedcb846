"""The rows of a run: of an implementation with a fault for each kind of verdict, and of others with one fault."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.processes import running
from tests.runs import Finished, Runs

from nixio_conformance.driver.deadline import wait_for


def test_each_fault_has_its_own_verdict_and_the_run_goes_on(mixed: Finished) -> None:
    assert mixed.code == 1, mixed.errors
    assert {name: outcome for name, outcome in mixed.outcomes.items() if not name.startswith("inet6")} == {
        "inet-stream-client": "passed",
        "inet-stream-server": "passed",
        "inet-dgram-mutual": "failed",
        "unix-stream-client": "timed-out",
        "unix-stream-server": "passed",
        "unix-dgram-mutual": "crashed",
    }
    assert mixed.stream.footer is not None
    assert mixed.stream.footer.exit_code == 1
    assert mixed.stream.footer.stopped == ""
    assert not mixed.stream.problems


def test_a_mismatch_says_what_was_required_expected_and_got(mixed: Finished) -> None:
    row = mixed.rows["inet-dgram-mutual"]
    assert row.message == "number of bytes written: expected 4, got 3"
    assert (row.expected, row.actual) == ("4", "3")
    assert row.requires
    assert row.source.startswith("norm:")
    assert (row.steps[-1].call, row.steps[-1].result) == ("s1.send(b'abcd')", "3")
    times = [step.at for step in row.steps]
    assert len(times) > 1
    assert times == sorted(times)


def test_a_crash_names_the_call_and_the_signal(mixed: Finished) -> None:
    row = mixed.rows["unix-dgram-mutual"]
    assert row.message == "s1.send(b'abcd'): the agent was killed by SIGSEGV"
    assert "Segmentation fault" in row.stderr, "faulthandler prints where"
    assert row.steps[-1].result == "the agent was killed by SIGSEGV"


def test_a_hang_names_the_call_and_the_time(mixed: Finished) -> None:
    row = mixed.rows["unix-stream-client"]
    assert row.message.startswith("s1.send(b'abcd'): the agent took more than ")
    assert row.seconds >= 0.5


def test_findings_are_printed_with_the_command_that_runs_them_alone(mixed: Finished) -> None:
    assert "send.data.arrives[inet-dgram-mutual]" in mixed.output
    assert mixed.rows["inet-dgram-mutual"].rerun == shlex.join(
        ["nixio-conformance", "run", "--target", "impls:mixed", "--select", "send.data.arrives[inet-dgram-mutual]"]
    )
    assert "NOT conforming" in mixed.output


def test_the_rerun_command_runs_exactly_that_case(mixed: Finished, runs: Runs) -> None:
    words = shlex.split(mixed.rows["inet-dgram-mutual"].rerun)
    assert words[:2] == ["nixio-conformance", "run"]
    done = runs.run(*words[2:])
    assert done.outcomes == {"inet-dgram-mutual": "failed"}
    assert done.code == 1


def test_the_script_of_a_failing_row_shows_the_failure_by_itself(mixed: Finished, runs: Runs) -> None:
    script = runs.folder / "shown.py"
    script.write_text(mixed.rows["inet-dgram-mutual"].scripts["python"])
    done = runs.execute([sys.executable, str(script)])
    assert done.code == 0, done.errors
    assert "send (b'abcd',) -> 3\n" in done.output
    assert "Expected: 4\nActual: 3\n" in done.output


def test_the_script_of_a_crash_crashes(mixed: Finished, runs: Runs) -> None:
    script = runs.folder / "shown.py"
    script.write_text(mixed.rows["unix-dgram-mutual"].scripts["python"])
    assert runs.execute([sys.executable, str(script)]).code == -11


def test_the_script_of_a_hang_ends_and_shows_where(mixed: Finished, runs: Runs) -> None:
    script = runs.folder / "shown.py"
    text = mixed.rows["unix-stream-client"].scripts["python"]
    assert "dump_traceback_later(15, exit=True)" in text
    script.write_text(text.replace("dump_traceback_later(15", "dump_traceback_later(0.5"))
    done = runs.execute([sys.executable, str(script)])
    assert done.code == 1
    assert "in hang" in done.errors


@pytest.mark.slow
def test_workers_give_the_same_rows(mixed: Finished, runs: Runs) -> None:
    done = runs.run("--target", "impls:mixed", "--select", "send", "--deadline", "0.5", "-n", "2")
    assert done.outcomes == mixed.outcomes
    assert done.code == mixed.code
    assert done.stream.footer is not None
    assert mixed.stream.footer is not None
    assert done.stream.footer.counts == mixed.stream.footer.counts
    for name, row in mixed.rows.items():
        other = done.rows[name]
        assert (row.case, row.requires, row.rerun, row.expected) == (
            other.case,
            other.requires,
            other.rerun,
            other.expected,
        )


def test_all_reports_are_written(mixed: Finished) -> None:
    assert {path.name for path in mixed.report.iterdir()} == {"results.jsonl", "report.html", "junit.xml", "badge.json"}
    assert "send.data.arrives" in (mixed.report / "report.html").read_text()


def test_progress_without_a_terminal_is_sparse(mixed: Finished) -> None:
    assert "\x1b" not in mixed.output
    assert "\r" not in mixed.output
    progress = [line for line in mixed.output.splitlines() if "% of" in line]
    assert 0 < len(progress) <= 10
    assert mixed.errors == ""


def test_a_right_port_conforms(runs: Runs) -> None:
    done = runs.run("--target", "impls:fine")
    assert done.code == 0, done.output + done.errors
    assert set(done.outcomes.values()) - {"host-skip"} == {"passed"}
    assert done.stream.header.implementation.asked == "--target impls:fine"


def test_a_port_that_lacks_a_method_fails_that_methods_cases(runs: Runs) -> None:
    done = runs.run("--target", "impls:without_send", "--select", "inet-stream")
    assert done.code == 1
    by_method = {(row.method, row.outcome) for row in done.stream.rows if "server" not in row.case}
    assert by_method == {("send", "failed"), ("listen", "passed")}
    assert "has no method send" in done.rows["inet-stream-client"].message


def test_a_leak_is_found_whatever_ran_before(runs: Runs) -> None:
    done = runs.run("--target", "impls:leaking", "--select", "send.data.arrives[inet-dgram-mutual]")
    assert done.outcomes == {"inet-dgram-mutual": "failed"}
    assert "1 more: socket:[" in done.rows["inet-dgram-mutual"].actual


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what a process holds can be seen on Linux")
@pytest.mark.parametrize(("port", "left"), [("piping", "pipe:["), ("spawning", "child process ")])
def test_what_else_is_left_is_found_too(runs: Runs, port: str, left: str) -> None:
    done = runs.run("--target", f"impls:{port}", "--select", "send.data.arrives[inet-dgram-mutual]")
    assert done.outcomes == {"inet-dgram-mutual": "failed"}
    assert left in done.rows["inet-dgram-mutual"].actual


linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not show who started a process")


@linux
def test_a_daemon_is_found_in_its_case_and_ends(runs: Runs) -> None:
    done = runs.run("--target", "impls:daemonizing", "--select", "send.data.arrives", "--select", "kind=*-dgram")
    failed = [name for name, outcome in done.outcomes.items() if outcome != "passed"]
    assert failed == ["inet-dgram-mutual"]
    first, second = runs.daemons()
    assert done.rows["inet-dgram-mutual"].actual == f"1 more: child process {second}"
    assert wait_for(lambda: not any(map(running, (first, second))), 20)


@linux
@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_a_daemon_ends_after_the_process_that_ran_the_case_was_killed(runs: Runs, workers: str) -> None:
    chosen = ("--select", "send.data.arrives", "--select", "kind=*-dgram", "-n", workers)
    done = runs.run("--target", "impls:murdering", *chosen)
    if workers == "2":
        assert done.outcomes["inet-dgram-mutual"] == "suite-error"
    else:
        assert done.code == -signal.SIGKILL
    assert wait_for(lambda: not any(map(running, runs.daemons())), 20)


@linux
def test_a_daemon_ends_with_a_run_in_the_suites_own_process(runs: Runs) -> None:
    runs.run("--target", "impls:daemonizing", "--select", "send.data.arrives[inet-dgram-mutual]", "--in-process")
    assert wait_for(lambda: not any(map(running, runs.daemons())), 20)


def test_files_that_no_call_named_are_found(runs: Runs) -> None:
    done = runs.run("--target", "impls:littering", "--select", "send.data.arrives", "--select", "unix")
    assert set(done.outcomes.values()) == {"passed", "failed"}
    assert done.rows["unix-dgram-mutual"].message.endswith(".lock")
    assert done.rows["unix-dgram-mutual"].outcome == "failed"


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_a_port_that_changes_the_network_is_found_and_the_next_case_has_a_new_lab(runs: Runs, workers: str) -> None:
    chosen = ("--target", "impls:renumbering", "--select", "send.data.arrives", "-n", workers)
    done = runs.execute(runs.command(*chosen, lab=True))
    if done.code == 3:
        pytest.skip(done.output + done.errors)
    failed = {name: row.actual for name, row in done.rows.items() if row.outcome != "passed"}
    assert failed == {"inet-dgram-mutual": "new: address 192.0.2.200"}


def test_a_helper_that_is_opened_once_is_no_leak(runs: Runs) -> None:
    done = runs.run("--target", "impls:helped", "--select", "inet", "--select", "send")
    assert done.code == 0, done.output


def test_in_process_gives_the_same_verdicts(runs: Runs) -> None:
    done = runs.run("--target", "impls:off_by_one", "--select", "unix", "--select", "send", "--in-process")
    assert done.code == 1
    assert done.outcomes == {
        "unix-stream-client": "failed",
        "unix-stream-server": "passed",
        "unix-dgram-mutual": "failed",
    }
    assert done.rows["unix-dgram-mutual"].rerun.endswith("--in-process --select 'send.data.arrives[unix-dgram-mutual]'")


def test_an_agent_in_any_language_is_judged(runs: Runs) -> None:
    command = f"{sys.executable} -m nixio_conformance.agents.python target impls:off_by_one"
    done = runs.run("--agent", command, "--select", "unix-dgram")
    assert done.outcomes == {"unix-dgram-mutual": "failed"}
    script = runs.folder / "shown.py"
    script.write_text(done.rows["unix-dgram-mutual"].scripts["python"])
    shown = runs.execute([sys.executable, str(script)])
    assert shown.code == 0, shown.errors
    assert "Expected: 4\nActual: 5\n" in shown.output


GARBAGE = """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "hello":
        print(json.dumps({"id": request["id"], "reply": "hello", "protocol": 1, "name": "odd"}), flush=True)
    else:
        FAULT
"""


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            'print("lua: attempt to index nil", flush=True)',
            "the agent wrote a line that is not a reply: b'lua: attempt to index nil'",
        ),
        (
            'print(json.dumps({"id": request["id"] + 9, "reply": "values", "values": []}), flush=True)',
            "request that was not made",
        ),
        ("sys.exit(5)", "socket('unix', 'dgram'): the agent ended with exit status 5"),
    ],
)
def test_a_broken_agent_is_named_in_each_case(runs: Runs, fault: str, said: str) -> None:
    (runs.folder / "odd.py").write_text(GARBAGE.replace("FAULT", fault))
    done = runs.run("--agent", f"{sys.executable} odd.py", "--select", "unix-dgram")
    assert done.code == 1
    assert done.outcomes == {"unix-dgram-mutual": "crashed"}
    assert said in done.rows["unix-dgram-mutual"].message


@pytest.mark.slow
def test_a_worker_that_a_port_brings_down_has_a_crashed_row(runs: Runs) -> None:
    select = ["--select", "send.data.arrives"]
    done = runs.run("--target", "impls:leaving", "--in-process", "-n", "2", *select, "--select", "unix")
    assert done.code == 1
    assert done.outcomes == {
        "unix-stream-client": "crashed",
        "unix-stream-server": "passed",
        "unix-dgram-mutual": "crashed",
    }
    assert "the worker died in this case" in done.rows["unix-dgram-mutual"].message


def test_a_capability_that_is_lacking_is_a_host_skip_with_the_reason(runs: Runs) -> None:
    done = runs.run("--target", "impls:fine", "--select", "send", "--without", "unix")
    assert done.code == 0, done.output
    skipped = {name: row.message for name, row in done.rows.items() if row.outcome == "host-skip"}
    assert skipped == dict.fromkeys(
        ("unix-stream-client", "unix-stream-server", "unix-dgram-mutual"), "unix: excluded by --without unix"
    ) | {name: text for name, text in skipped.items() if name.startswith("inet6")}
    assert done.stream.header.host.capabilities["unix"] == "excluded by --without unix"


CHECK = """
from nixio_conformance.toolkit.marks import clause
import pytest

@clause("send.data.arrives")
"""


def test_a_crash_behind_a_silent_peer_is_a_crash(runs: Runs, make_checks: Callable[[str], Path]) -> None:
    source = """
def test_pending(case):
    from nixio_conformance.toolkit import expect
    case.kind
    sock = case.socket()
    sock.start("send", b"x")
    expect.mismatch("what the peer received", "a byte", "nothing")
"""
    runs.checks = make_checks(CHECK + source.replace("(case)", "(case, kind)"))
    done = runs.run("--target", "impls:leaving", "--select", "inet-dgram")
    (row,) = done.stream.rows
    assert row.outcome == "crashed"
    assert "exit status 9; the check reported: what the peer received: expected a byte, got nothing" in row.message


@pytest.mark.parametrize(
    "source", ["def test_bug(: pass\n", "def test_x(case): pass\n\n@clause('no.such.clause')\ndef test_y(): pass\n"]
)
def test_checks_that_cannot_be_collected_give_no_verdict(
    runs: Runs, make_checks: Callable[[str], Path], source: str
) -> None:
    runs.checks = make_checks(CHECK + source)
    done = runs.run("--target", "impls:fine")
    assert done.code == 3
    assert "the suite itself cannot be collected: test_probes.py" in done.errors
    assert "conforming" not in done.output
