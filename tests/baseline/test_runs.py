"""Runs with a baseline: known deviations do not fail the run, and rows that are no longer true do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.runs import Finished, Runs

from nixio_conformance.cli import main

#: The probes' cases of one kind each, and the deviations of the implementation `mixed`.
KNOWN = """\
format = 1

[[deviation]]
clause = "send.data.arrives"
kinds = ["inet-dgram"]
reason = "counts one byte less"

[[deviation]]
clause = "send.data.arrives"
kinds = ["unix-dgram"]
outcomes = ["crashed"]
reason = "an assertion"

[[deviation]]
clause = "send.data.arrives"
cases = [
    "send.data.arrives[unix-stream-client]",
]
outcomes = ["timed-out"]
reason = "never looks up"
"""


def held(runs: Runs, text: str, *arguments: str) -> Finished:
    (runs.folder / "known.toml").write_text(text)
    return runs.run("--select", "send", "--deadline", "0.5", "--baseline", "known.toml", *arguments)


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_what_the_baseline_knows_does_not_fail_the_run(runs: Runs, workers: str) -> None:
    done = held(runs, KNOWN, "--target", "impls:mixed", "--fail-fast", "-n", workers)
    assert done.code == 0, done.output + done.errors
    assert {name for name, outcome in done.outcomes.items() if outcome == "expected-failure"} == {
        "inet-dgram-mutual", "unix-dgram-mutual", "unix-stream-client",
    }  # fmt: skip
    row = done.rows["unix-dgram-mutual"]
    assert (row.found, row.deviation) == ("crashed", 8)
    assert "SIGSEGV" in row.message, "the evidence stays"
    assert done.stream.header.command.endswith("--baseline known.toml")
    assert "conforming except for known deviations from 1 clause" in " ".join(done.output.split())
    assert "an assertion" in done.output


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_what_passes_in_spite_of_the_baseline_fails_with_the_lines_to_delete(runs: Runs, workers: str) -> None:
    done = held(runs, KNOWN, "--target", "impls:fine", "-n", workers)
    assert done.code == 1
    message = done.rows["inet-dgram-mutual"].message
    assert message == "it passes, and known.toml:3 says that it fails: in known.toml, delete lines 3 to 6"
    assert done.rows["inet-dgram-mutual"].outcome == "unexpected-pass"
    assert done.rows["inet-dgram-mutual"].rerun.endswith("--baseline known.toml")
    assert "known.toml:14 send.data.arrives: 1 case passed: in known.toml, delete lines 14 to 20" in " ".join(
        done.output.split()
    )
    lines = KNOWN.split("\n")
    without = "\n".join(lines[:2] + lines[6:7] + lines[20:])
    assert held(runs, without, "--target", "impls:fine").code == 0


def test_a_row_that_covers_more_is_narrowed(runs: Runs) -> None:
    text = (
        'format = 1\n[[deviation]]\nclause = "send.data.arrives"\nkinds = ["inet-dgram", "inet-stream"]\nreason = "x"\n'
    )
    done = held(runs, text, "--target", "impls:mixed", "--select", "inet")
    assert done.code == 1
    assert done.outcomes["inet-dgram-mutual"] == "expected-failure"
    assert done.rows["inet-stream-client"].message.endswith(
        'in known.toml, delete "inet-stream" from kinds, line 4, and list the cases that still fail under cases, 1 of 2'
    )
    assert 'delete "inet-stream" from kinds, line 4 or: ' in " ".join(done.output.split()), "both cases pass"


def test_failing_in_another_way_is_not_known(runs: Runs) -> None:
    done = held(runs, KNOWN.replace('outcomes = ["crashed"]\n', ""), "--target", "impls:mixed")
    assert done.code == 1
    row = done.rows["unix-dgram-mutual"]
    assert row.outcome == "crashed"
    assert row.message.endswith("known.toml:8 expects failed, not crashed")
    assert "1 case crashed, which the row does not allow" in " ".join(done.output.split())


def test_what_depends_on_chance_may_pass(runs: Runs) -> None:
    text = KNOWN.replace('outcomes = ["crashed"]', 'outcomes = ["crashed", "passed"]')
    done = held(runs, text, "--target", "impls:fine", "--select", "unix-dgram")
    assert done.code == 0
    assert done.outcomes == {"unix-dgram-mutual": "passed"}


def test_what_the_host_cannot_show_is_not_stale(runs: Runs) -> None:
    done = held(runs, KNOWN, "--target", "impls:fine", "--without", "ipv4", "--select", "inet")
    assert done.outcomes["inet-dgram-mutual"] == "host-skip"
    assert "unproven  send.data.arrives on inet-dgram" in done.output
    assert "out of date" not in done.output


@pytest.mark.slow
def test_a_test_process_that_dies_may_be_known(runs: Runs) -> None:
    text = 'format = 1\n[[deviation]]\nclause = "send.data.arrives"\noutcomes = ["crashed"]\nreason = "x"\n'
    done = held(
        runs, text, "--target", "impls:leaving", "--select", "unix-dgram", "--select", "inet-dgram",
        "--in-process", "-n", "1",
    )  # fmt: skip
    assert done.outcomes == {"unix-dgram-mutual": "expected-failure", "inet-dgram-mutual": "expected-failure"}
    assert done.code == 0


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_a_row_for_a_case_that_is_gone_is_wrong_usage(runs: Runs, workers: str) -> None:
    text = KNOWN.replace("[unix-stream-client]", "[unix-stream-clint]")
    done = held(runs, text, "--target", "impls:mixed", "-n", workers)
    assert done.code == 2
    assert "ERROR: known.toml:17: there is no case 'send.data.arrives[unix-stream-clint]'" in done.errors
    assert "Traceback" not in done.errors
    assert "no case is selected" not in done.errors
    assert not runs.report.exists()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('kinds = ["inet-raw"]', "known.toml:4: send.data.arrives has no case on inet-raw: its kinds are inet-dgram"),
        (
            'kinds = ["inet-dgram"]\ncases = ["send.data.arrives[inet-dgram-mutual]"]',
            "known.toml:5: case 'send.data.arrives[inet-dgram-mutual]' is covered by kind inet-dgram already",
        ),
    ],
)
def test_a_row_that_fits_no_case_is_wrong_usage(runs: Runs, row: str, said: str) -> None:
    text = f'format = 1\n[[deviation]]\nclause = "send.data.arrives"\n{row}\nreason = "x"\n'
    done = held(runs, text, "--target", "impls:mixed")
    assert done.code == 2
    assert said in done.errors


@pytest.mark.slow
def test_plain_pytest_takes_a_baseline(runs: Runs) -> None:
    (runs.folder / "known.toml").write_text(KNOWN)
    words = ["--nixio-select=unix-dgram", "--nixio-without=lab", "--nixio-baseline=known.toml", "-rxf"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(runs.checks), *words]
    done = runs.execute([*command, "--nixio-target=impls:mixed"])
    assert done.code == 0, done.output + done.errors
    assert "1 xfailed" in done.output
    assert "an assertion" in done.output
    done = runs.execute([*command, "--nixio-target=impls:fine"])
    assert done.code == 1
    assert "in known.toml, delete lines 8 to 12" in done.output


def test_from_a_run_to_a_baseline_to_a_run_that_conforms(mixed: Finished, runs: Runs) -> None:
    file = runs.folder / "known.toml"
    words = ["baseline", str(mixed.report / "results.jsonl"), "-o", str(file)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert "3 reasons still to be written, in line " in done.stderr
    refused = held(runs, file.read_text(), "--target", "impls:mixed")
    assert refused.code == 2
    assert "3 reasons still to be written (lines " in refused.errors
    conforms = held(runs, file.read_text().replace('reason = ""', 'reason = "because"'), "--target", "impls:mixed")
    assert conforms.code == 0, conforms.output + conforms.errors
    assert CliRunner().invoke(main, words).exit_code == 0
    assert file.read_text().count('reason = "because"') == 3, "reasons are kept"


def test_the_command_leaves_a_file_that_is_no_baseline_as_it_is(mixed: Finished, tmp_path: Path) -> None:
    file = tmp_path / "precious.toml"
    file.write_text("x = 1\n")
    done = CliRunner().invoke(main, ["baseline", str(mixed.report / "results.jsonl"), "-o", str(file)])
    assert done.exit_code == 2
    assert "precious.toml:1: not a baseline" in done.stderr
    assert file.read_text() == "x = 1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["precious.toml"]


def test_the_command_refuses_a_run_that_was_cut_off(mixed: Finished, tmp_path: Path) -> None:
    stream = tmp_path / "results.jsonl"
    stream.write_bytes(b"".join((mixed.report / "results.jsonl").read_bytes().splitlines(keepends=True)[:-1]))
    done = CliRunner().invoke(main, ["baseline", str(stream)])
    assert done.exit_code == 2
    assert "the run was stopped before its end" in done.stderr
