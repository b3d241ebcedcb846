"""Exit codes and messages for a user who names something that does not exist."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace
from tests.runs import Runs

from nixio_conformance.cli import main
from nixio_conformance.pytest_plugin import selection
from nixio_fixtures import load

Cli = Callable[..., Result]


@pytest.fixture
def cli(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A command that starts no pytest, called here: a process for each would take most of the time."""
    monkeypatch.chdir(runs.folder)
    return lambda *arguments: CliRunner().invoke(main, arguments, prog_name="nixio-conformance")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name one implementation: NAME (installed: "),
        (("missing",), "no implementation is called 'missing'; installed are: "),
        (("reference", "--target", "a:b"), "name one implementation"),
        (("--agent", "x 'y"), "No closing quotation"),
        (("--agent", "x", "--in-process"), "an agent program has a process of its own"),
        (("reference", "-n", "some"), "'some' is neither a number nor `auto`"),
        (("reference", "--select", "sned"), "did you mean send"),
        (
            ("reference", "--select", "family=inet7"),
            "--select family='inet7' matches nothing; expected one of inet, inet6, unix",
        ),
        (("reference", "--select", "no.such[inet-stream]"), "it does not begin with a clause's id"),
        (("reference", "--level", "never"), "'never' is not one of"),
        (("reference", "--deadline", "0"), "0.0 is not in the range"),
        (("reference", "--report", "impls.py"), "is a file"),
    ],
)
def test_wrong_usage_says_what_is_right(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    done = cli("run", *arguments)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--without", "gravity"), "no capability is called gravity; the capabilities are ipv4"),
        (("--", "--no-such-pytest-option"), "unrecognized arguments: --no-such-pytest-option"),
    ],
)
def test_wrong_usage_that_pytest_finds(runs: Runs, arguments: tuple[str, ...], said: str) -> None:
    done = runs.run("reference", *arguments)
    assert done.code == 2
    assert said in done.errors
    assert "Traceback" not in done.errors


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_selecting_nothing_is_wrong_usage(runs: Runs, workers: str) -> None:
    done = runs.run("reference", "--select", "inet-dgram", "--select", "listen", "-n", workers)
    assert done.code == 2
    assert "no case is selected" in done.errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--target", "absent:socket"),
            "--target absent:socket: absent:socket cannot be imported: ModuleNotFoundError: No module",
        ),
        (("--target", "impls:absent"), "AttributeError: module 'impls' has no attribute 'absent'"),
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
    done = runs.run(*arguments)
    assert done.code == 3
    assert said in done.errors
    assert "Traceback" not in done.errors
    assert not (runs.report / "results.jsonl").exists(), "an older run's results are not this one's"


CASES = [
    ("send.data.arrives", "inet-stream", "[inet-stream-client]"),
    ("send.data.arrives", "inet-dgram", "[inet-dgram-mutual]"),
    ("send.data.arrives", "unix-dgram", "[unix-dgram-mutual]"),
    ("bind.result.true", "inet-stream", "[inet-stream]"),
    ("bind.result.true", "", ""),
]


@pytest.mark.parametrize(
    ("terms", "chosen"),
    [
        ([], {0, 1, 2, 3, 4}),
        (["send.data.arrives"], {0, 1, 2}),
        (["send"], {0, 1, 2}),
        (["send.data"], {0, 1, 2}),
        (["send.dat"], set()),
        (["bind", "send"], {0, 1, 2, 3, 4}),
        (["method=send", "inet"], {0, 1}),
        (["send", "unix-dgram"], {2}),
        (["kind=*-dgram"], {1, 2}),
        (["inet-stream"], {0, 3}),
        (["send.data.arrives[inet-stream-client]"], {0}),
        (["send.data.arrives[inet-stream-client]", "send.data.arrives[unix-dgram-mutual]"], {0, 2}),
        (["case=bind.result.true"], {4}),
        (["send", "must"], {0, 1, 2}),
        (["send", "should"], set()),
    ],
)
def test_selections(terms: list[str], chosen: set[int]) -> None:
    spec = load()
    made = replace(spec, clauses=tuple(replace(spec.clauses[0], id=id_, method=id_.partition(".")[0], level="must")
                                       for id_ in ("send.data.arrives", "bind.result.true")))  # fmt: skip
    try:
        parsed = selection.parse(terms, made)
    except selection.UnknownSelection:
        assert not chosen
        return
    found = set()
    for number, (clause, kind, rest) in enumerate(CASES):
        row = made.clause(clause)
        if selection.matches(parsed, clause + rest, row, made.kind(kind) if kind else None):
            assert selection.touches(parsed, row), "what is left out before it is multiplied is not selected"
            found.add(number)
    assert found == chosen


def test_a_selection_runs_what_it_chose(runs: Runs) -> None:
    done = runs.run("reference", "--select", "send.data.arrives", "--select", "inet")
    assert done.code == 0
    assert set(done.outcomes) == {"inet-stream-client", "inet-stream-server", "inet-dgram-mutual"}
    assert done.stream.header.selection == ("send.data.arrives", "inet")


def test_levels_that_are_not_judged_do_not_run(runs: Runs) -> None:
    done = runs.run("--target", "impls:off_by_one", "--select", "send", "--level", "should")
    assert done.code == 2
    done = runs.run("--target", "impls:off_by_one", "--select", "send", "--level", "must", "--select", "unix-dgram")
    assert done.outcomes == {"unix-dgram-mutual": "failed"}
    assert done.stream.header.judged == ("must",)


def test_arguments_after_two_dashes_go_to_pytest(runs: Runs) -> None:
    for name in (["reference"], ["--target", "impls:fine"]):
        done = runs.run(*name, "--", "--collect-only")
        assert done.code == 1
        assert set(done.outcomes.values()) == {"not-run"}


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_fail_fast_stops_at_the_first_finding(runs: Runs, workers: str) -> None:
    done = runs.run("--target", "impls:off_by_one", "--select", "send", "--fail-fast", "-n", workers)
    assert done.code == 1
    counts = list(done.outcomes.values())
    assert counts.count("failed") == 1
    assert counts.count("not-run") >= 3
    assert done.stream.footer is not None
    assert done.stream.footer.stopped == "fail-fast"
    assert not done.stream.problems


@pytest.mark.parametrize("in_process", [False, True])
def test_the_suite_runs_as_plain_pytest(runs: Runs, in_process: bool) -> None:
    words = ["--nixio-target", "impls:off_by_one", "--nixio-select", "unix-dgram", f"--nixio-report={runs.report}"]
    words += ["--nixio-without=lab"]
    words += ["--nixio-in-process"] if in_process else []
    done = runs.execute([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(runs.checks), *words])
    assert done.code == 1, done.output + done.errors
    assert "1 failed" in done.output
    assert "number of bytes written: expected 4, got 5" in done.output
    assert done.outcomes == {"unix-dgram-mutual": "failed"}


def test_the_suites_own_checks_can_be_named_to_pytest(runs: Runs) -> None:
    words = ["--nixio", "missing", "--nixio-without=lab", "--pyargs", "nixio_conformance.checks"]
    done = runs.execute([sys.executable, "-m", "pytest", *words])
    assert done.code == 3
    assert "no implementation is called 'missing'" in done.output + done.errors


@pytest.mark.slow
def test_plain_pytest_says_what_to_name(runs: Runs) -> None:
    done = runs.execute(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--pyargs", "nixio_conformance.checks"]
    )
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
    named = [] if "agent" in option else ["--nixio=reference"]
    done = runs.execute([sys.executable, "-m", "pytest", "--nixio-without=lab", *named, option, str(runs.checks)])
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
            "--target", "impls:fine", "--select", "unix-dgram", "-n", workers,
            PYTEST_ADDOPTS="--no-such-option", PYTEST_PLUGINS="evil",
        )  # fmt: skip
        assert done.code == 0, done.output + done.errors
        assert done.outcomes == {"unix-dgram-mutual": "passed"}
    assert {path.name for path in runs.folder.iterdir()} <= {
        "conftest.py", "pytest.ini", "test_mine.py", "evil.py", "impls.py", "pids", "report", "__pycache__",
    }  # fmt: skip


@pytest.mark.slow
def test_workers_import_no_standard_module_from_the_users_folder(runs: Runs) -> None:
    (runs.folder / "threading.py").write_text("raise RuntimeError('a file of the user')")
    done = runs.run("reference", "--select=unix-dgram", "-n", "1")
    assert done.code == 0, done.output + done.errors


@pytest.mark.slow
def test_random_buffers_leave_no_notes_in_the_users_folder(runs: Runs) -> None:
    """Hypothesis reads loaded local code, here the implementation's, and would store constants that it finds there."""
    command = [sys.executable, "-m", "nixio_conformance", "run", "--target=impls:fine", "--in-process", "--without=lab"]
    done = runs.execute([*command, "--select=clause=send.chunk.any", "--select=clause=write.chunk.any"])
    assert done.code == 0, done.output + done.errors
    assert not (runs.folder / ".hypothesis").exists()


def test_having_the_package_installed_changes_no_other_tests(runs: Runs) -> None:
    (runs.folder / "test_mine.py").write_text("def test_mine(): pass\n")
    done = runs.execute([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_mine.py"])
    assert done.code == 0
    assert "1 passed" in done.output


def test_list_shows_what_is_plugged_in_and_what_the_host_can(cli: Cli) -> None:
    done = cli("list")
    assert done.exit_code == 0
    assert "reference" in done.output
    for row in load().capabilities:
        assert row.id in done.output


@pytest.mark.parametrize(
    ("axis", "text"),
    [("clauses", "send.data"), ("methods", "recvfrom"), ("options", "keepalive"), ("sources", "design:contract")],
)
def test_spec_prints_a_table(cli: Cli, axis: str, text: str) -> None:
    done = cli("spec", axis)
    assert done.exit_code == 0
    assert text in done.output


def test_spec_says_where_each_source_can_be_read(cli: Cli) -> None:
    lines = [line for line in cli("spec", "clauses").output.splitlines()[2:] if line]
    assert len(lines) == len(load().clauses)
    assert {line.split()[-1] for line in lines} == {load().link(clause.source) for clause in load().clauses}


def test_spec_prints_the_clauses_of_a_method_one_a_line(cli: Cli) -> None:
    done = cli("spec", "clauses", "--select", "bind")
    rows = [line.split() for line in done.output.splitlines()[2:]]
    assert {row[0] for row in rows if row} == {row.id for row in load().clauses if row.method == "bind"}
    assert cli("spec", "options", "--select", "bind").exit_code == 2
    assert cli("spec", "clauses", "--select", "levitate").exit_code == 2


def test_schema_prints_the_protocol(cli: Cli) -> None:
    assert set(json.loads(cli("schema").output)["$defs"]) > {"request", "reply", "Call", "Values"}


def test_smoke_prints_each_step(cli: Cli) -> None:
    done = cli("smoke", "--target", "impls:fine")
    assert done.exit_code == 0, done.output
    assert "hello impls:fine" in done.output
    assert "ok    unix-stream: connect, send, recv, close" in done.output


def test_smoke_says_why_nothing_can_be_started(cli: Cli) -> None:
    done = cli("smoke", "--target", "absent:socket")
    assert done.exit_code == 3
    assert "absent:socket cannot be imported: ModuleNotFoundError" in done.stderr


def test_smoke_finds_a_port_that_is_wrong(cli: Cli) -> None:
    done = cli("smoke", "--target", "impls:leaving")
    assert done.exit_code == 1
    assert "FAIL  unix-dgram: connect, send, recv, close" in done.output
    assert "the agent ended with exit status 9" in done.output


def test_report_shows_a_recorded_stream_again(runs: Runs, cli: Cli, tmp_path: Path) -> None:
    assert runs.run("--target", "impls:off_by_one", "--select", "unix-dgram").code == 1
    again = tmp_path / "again"
    done = cli("report", str(runs.report / "results.jsonl"), "--report", str(again))
    assert done.exit_code == 1
    assert (again / "report.html").exists()
    assert "NOT conforming" in done.output


def test_report_refuses_what_is_no_stream(cli: Cli) -> None:
    done = cli("report", "impls.py")
    assert done.exit_code == 2
    assert "has no readable header" in done.stderr
