"""Exit codes and what is said to a user who asked for something that is not there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from nixio_fixtures import load

from .conftest import Finished, Runs


def cli(runs: Runs, *arguments: str) -> Finished:
    return runs.execute([sys.executable, "-m", "nixio_conformance", *arguments])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name one implementation: NAME (installed: "),
        (("nobody",), "no implementation is called 'nobody'; installed are: "),
        (("reference", "--target", "a:b"), "name one implementation"),
        (("--agent", "x 'y"), "No closing quotation"),
        (("--agent", "x", "--in-process"), "an agent program has a process of its own"),
        (("reference", "-n", "some"), "'some' is neither a number nor `auto`"),
        (("reference", "--select", "sned"), "did you mean send"),
        (
            ("reference", "--select", "family=inet7"),
            "--select family='inet7' matches nothing: there are inet, inet6, unix",
        ),
        (("reference", "--select", "no.such[inet-stream]"), "the part before the bracket is no clause"),
        (("reference", "--level", "never"), "'never' is not one of"),
        (("reference", "--deadline", "0"), "0.0 is not in the range"),
        (("reference", "--without", "gravity"), "no capability is called gravity: there are ipv4"),
        (("reference", "--report", "ports.py"), "is a file"),
        (("reference", "--", "--no-such-pytest-option"), "unrecognized arguments: --no-such-pytest-option"),
    ],
)
def test_wrong_usage_says_what_is_right(runs: Runs, arguments: tuple[str, ...], said: str) -> None:
    done = cli(runs, "run", *arguments)
    assert done.code == 2
    assert said in " ".join(done.errors.replace("│", " ").split())
    assert "Traceback" not in done.errors


@pytest.mark.parametrize("workers", ["0", "2"])
def test_selecting_nothing_is_wrong_usage(runs: Runs, workers: str) -> None:
    done = runs.run("reference", "--select", "inet-dgram", "--select", "listen", "-n", workers)
    assert done.code == 2
    assert "no case is selected" in done.errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--target", "absent:port"),
            "--target absent:port: absent:port cannot be imported: ModuleNotFoundError: No module",
        ),
        (("--target", "ports:absent"), "AttributeError: module 'ports' has no attribute 'absent'"),
        (("--target", "broken"), "SyntaxError: "),
        (("--target", "sys:path"), "neither a factory"),
        (("--agent", "/no/such/program --fast"), "the agent '/no/such/program --fast' cannot be started: "),
        (("--agent", "false"), "the agent did not say hello: the agent ended with exit status 1"),
    ],
)
def test_what_cannot_be_started_says_why(runs: Runs, arguments: tuple[str, ...], said: str) -> None:
    (runs.folder / "broken.py").write_text("def socket(:\n")
    runs.report.mkdir()
    (runs.report / "results.jsonl").write_text("an older run's")
    for command in ("run", "smoke"):
        done = runs.run(*arguments) if command == "run" else cli(runs, "smoke", *arguments)
        assert done.code == 3
        assert said in done.errors
        assert "Traceback" not in done.errors
    assert not (runs.report / "results.jsonl").exists(), "an older run's results are not this one's"


@pytest.mark.parametrize(
    ("terms", "count"),
    [
        (["send.data.arrives"], 6),
        (["send"], 6),
        (["method=send", "inet"], 3),
        (["send", "unix-dgram"], 1),
        (["send", "kind=unix-*"], 3),
        (["send.data.arrives[inet-stream-client]"], 1),
        (["send.data.arrives[inet-stream-client]", "send.data.arrives[unix-dgram-mutual]"], 2),
        (["send", "must"], 6),
        (["send.data", "family=inet", "family=unix", "level=must"], 6),
    ],
)
def test_selections(runs: Runs, terms: list[str], count: int) -> None:
    words = [word for term in terms for word in ("--select", term)]
    done = runs.run("reference", *words)
    rows = [row for row in done.stream.rows if not row.kind.startswith("inet6")]
    assert done.code == 0
    assert len(rows) == count
    assert {row.method for row in rows} == {"send"}


def test_levels_that_are_not_judged_do_not_run(runs: Runs) -> None:
    done = runs.run("--target", "ports:off_by_one", "--select", "send", "--level", "should")
    assert done.code == 2
    done = runs.run("--target", "ports:off_by_one", "--select", "send", "--level", "must", "--select", "unix-dgram")
    assert done.outcomes == {"unix-dgram-mutual": "failed"}
    assert done.stream.header.judged == ("must",)


def test_arguments_after_two_dashes_go_to_pytest(runs: Runs) -> None:
    for name in (["reference"], ["--target", "ports:fine"]):
        done = runs.run(*name, "--", "--collect-only")
        assert done.code == 1
        assert set(done.outcomes.values()) == {"not-run"}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_fail_fast_stops_at_the_first_finding(runs: Runs, workers: str) -> None:
    done = runs.run("--target", "ports:off_by_one", "--select", "send", "--fail-fast", "-n", workers)
    assert done.code == 1
    counts = list(done.outcomes.values())
    assert 1 <= counts.count("failed") <= 2
    assert "not-run" in counts
    assert done.stream.footer is not None
    assert done.stream.footer.stopped == "fail-fast"
    assert not done.stream.problems


@pytest.mark.parametrize("in_process", [False, True])
def test_the_suite_runs_as_plain_pytest(runs: Runs, in_process: bool) -> None:
    words = ["--nixio-target", "ports:off_by_one", "--nixio-select", "unix-dgram", f"--nixio-report={runs.report}"]
    words += ["--nixio-in-process"] if in_process else []
    done = runs.execute([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(runs.checks), *words])
    assert done.code == 1, done.output + done.errors
    assert "1 failed" in done.output
    assert "number of bytes written: expected 4, got 5" in done.output
    assert done.outcomes == {"unix-dgram-mutual": "failed"}


def test_the_suites_own_checks_can_be_named_to_pytest(runs: Runs) -> None:
    words = ["--nixio", "nobody", "--pyargs", "nixio_conformance.checks"]
    done = runs.execute([sys.executable, "-m", "pytest", *words])
    assert done.code == 3
    assert "no implementation is called 'nobody'" in done.output + done.errors


def test_plain_pytest_says_what_to_name(runs: Runs) -> None:
    done = runs.execute([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(runs.checks)])
    assert done.code == 2
    assert "name an implementation: --nixio NAME" in done.output


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--nixio-select=sned", "did you mean send"),
        ("--nixio-without=x", "no capability is called x"),
        ("--nixio-agent=x 'y", "No closing"),
    ],
)
def test_wrong_options_of_pytest_are_usage_errors(runs: Runs, option: str, said: str) -> None:
    done = runs.execute([sys.executable, "-m", "pytest", "--nixio=reference", option, str(runs.checks)])
    if "agent" in option:
        done = runs.execute([sys.executable, "-m", "pytest", option, str(runs.checks)])
    assert done.code == 4
    assert said in done.errors
    assert "Traceback" not in done.errors


def test_what_lies_in_the_users_folder_does_not_disturb(runs: Runs) -> None:
    (runs.folder / "conftest.py").write_text("raise RuntimeError('a conftest of the user')")
    (runs.folder / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (runs.folder / "test_mine.py").write_text("def test_mine(): assert False\n")
    (runs.folder / "evil.py").write_text("raise RuntimeError('a plugin of the user')")
    for workers in ("0", "2"):
        done = runs.run(
            "--target", "ports:fine", "--select", "unix-dgram", "-n", workers,
            PYTEST_ADDOPTS="--no-such-option", PYTEST_PLUGINS="evil",
        )  # fmt: skip
        assert done.code == 0, done.output + done.errors
        assert done.outcomes == {"unix-dgram-mutual": "passed"}
    assert {path.name for path in runs.folder.iterdir()} <= {
        "conftest.py", "pytest.ini", "test_mine.py", "evil.py", "ports.py", "pids", "report", "__pycache__",
    }  # fmt: skip


def test_having_the_package_installed_changes_no_other_tests(runs: Runs) -> None:
    (runs.folder / "test_mine.py").write_text("def test_mine(): pass\n")
    done = runs.execute([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_mine.py"])
    assert done.code == 0
    assert "1 passed" in done.output


def test_list_shows_what_is_plugged_in_and_what_the_host_can(runs: Runs) -> None:
    done = cli(runs, "list")
    assert done.code == 0
    assert "reference" in done.output
    for row in load().capabilities:
        assert row.id in done.output


@pytest.mark.parametrize("axis", ["clauses", "methods", "options"])
def test_spec_prints_a_table(runs: Runs, axis: str) -> None:
    done = cli(runs, "spec", axis)
    assert done.code == 0
    assert {"clauses": "send.data", "methods": "recvfrom", "options": "keepalive"}[axis] in done.output


def test_schema_prints_the_protocol(runs: Runs) -> None:
    assert set(json.loads(cli(runs, "schema").output)["$defs"]) > {"request", "reply", "Call", "Values"}


def test_smoke_tells_each_step(runs: Runs) -> None:
    done = cli(runs, "smoke", "--target", "ports:fine")
    assert done.code == 0, done.output
    assert "hello fine" in done.output or "hello Port" in done.output
    assert "ok    unix-stream: connect, send, recv, close" in done.output


def test_smoke_finds_a_port_that_is_wrong(runs: Runs) -> None:
    done = cli(runs, "smoke", "--target", "ports:leaving")
    assert done.code == 1
    assert "FAIL  unix-dgram: connect, send, recv, close" in done.output
    assert "the agent ended with exit status 9" in done.output
    assert "Traceback" not in done.errors


def test_report_shows_a_recorded_stream_again(runs: Runs, tmp_path: Path) -> None:
    assert runs.run("--target", "ports:off_by_one", "--select", "unix-dgram").code == 1
    again = tmp_path / "again"
    done = cli(runs, "report", str(runs.report / "results.jsonl"), "--report", str(again))
    assert done.code == 1
    assert (again / "report.html").exists()
    assert "NOT conforming" in done.output


def test_report_refuses_what_is_no_stream(runs: Runs) -> None:
    done = cli(runs, "report", "ports.py")
    assert done.code == 2
    assert "has no readable header" in done.errors
    assert "Traceback" not in done.errors
