"""The terminal's report and progress, at 80 columns, with and without colour, Unicode and a terminal."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from tests.reports.samples import every, large, row, stream

from nixio_reports import Problem, Progress, Stream, print_report, summarize

ATTACK = "\x1b[2J\x1b]0;title\x07[bold]x[/] \u202e\udc80\r"


def shown(sample: Stream, *, encoding: str = "utf-8", terminal: bool = False, limit: int = 20) -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    console = Console(file=file, width=80, force_terminal=terminal, legacy_windows=False)
    print_report(console, summarize(sample), limit=limit)
    return raw.getvalue().decode(encoding)


def test_a_failure_is_shown_in_full() -> None:
    text = shown(stream(row("send.offset[inet-stream-tail]", "failed"), row("b")))
    for part in (
        "✗ send.offset[inet-stream-tail]",
        "send.offset (must, norm:120)",
        "The `offset` counts from 0.",
        "what is wrong (failed)",
        "expected  b'cd'",
        "actual    b'bcd'",
        "0.5 ms implementation s1.send(b'abcd', 2) → 3",
        "a warning",
        "rerun     nixio-conformance run --target a:b --select 'send.offset[inet-stream-tail]'",
    ):
        assert part in text
    assert text.rstrip().endswith("✗ NOT conforming: 1 failed, 1 passed")


@pytest.mark.parametrize("sample", [every(), large(300)], ids=["every", "large"])
def test_eighty_columns_hold_all_but_commands(sample: Stream) -> None:
    for line in shown(sample).splitlines():
        assert len(line) <= 80 or line.startswith("  rerun"), line


def test_commands_are_never_folded() -> None:
    long = "nixio-conformance run --select '" + "x" * 200 + "'"
    assert long in shown(stream(row("a", "failed", rerun=long)))


def test_failures_beyond_the_limit_get_a_line_each() -> None:
    rows = [row(f"send.x[{number}]", "failed") for number in range(25)]
    text = shown(stream(*rows), limit=3)
    assert text.count("expected  ") == 3
    assert "22 more failures" in text
    assert "report.html" in text
    assert all(one.case in text for one in rows)


def test_summary_by_method_and_family() -> None:
    rows = [row("send.a[1]", "failed"), row("send.a[2]"), row("send.a[3]", kind="unix-dgram"), row("socket.a", kind="")]
    text = re.sub(" +", " ", shown(stream(*rows)))
    assert "method inet unix no kind failed other skipped passed" in text
    assert "send ✗1/2 ✓1 · 1 · · 2" in text
    assert "socket · · ✓1 · · · 1" in text


def test_skips_problems_and_verdict() -> None:
    problem = Problem("results.jsonl", 3, "the line was cut off", "run it again")
    text = shown(stream(row("a"), row("b", "host-skip", message="no IPv6 here"), problems=(problem,)))
    assert "results.jsonl:3: the line was cut off; run it again" in text
    assert "1 by the host: no IPv6 here" in text
    assert "no verdict: 1 passed" in text


@pytest.mark.parametrize("terminal", [True, False])
def test_hostile_text_cannot_command_the_terminal(terminal: bool) -> None:
    rows = [
        row(f"{ATTACK}{number}", "failed", message=ATTACK, expected=ATTACK, actual=ATTACK, stderr=ATTACK, rerun=ATTACK)
        for number in range(3)
    ]
    text = shown(stream(*rows, row("s", "host-skip", message=ATTACK)), terminal=terminal, limit=1)
    assert not re.search("[\x07\r\u202e\udc80]", text)
    assert "\x1b[2J" not in text
    assert "\x1b]0;" not in text
    assert "[bold]x[/]" in text


def test_terminal_without_unicode() -> None:
    text = shown(stream(row("a", "failed", actual="ü → ☃"), row("b")), encoding="ascii")
    assert "x a" in text
    assert "\\u2603" in text


def test_verdict_needs_no_colour() -> None:
    assert summarize(every()).verdict.text.split(":")[0] in shown(every())


def test_plain_progress_is_sparse_and_prints_failures_at_once() -> None:
    file = io.StringIO()
    progress = Progress(Console(file=file, width=80, force_terminal=False), 100)
    with progress:
        for number in range(100):
            one = row(f"send.x[{number}]", "failed" if number == 42 else "passed")
            progress.running(one.case)
            progress.done(one)
    lines = file.getvalue().splitlines()
    assert len(lines) == 11
    assert lines[4] == "✗ send.x[42] what is wrong (failed)"
    assert lines[-1] == "100 % of 100 cases: 1 failed, 99 passed"


def test_plain_progress_without_a_plan() -> None:
    file = io.StringIO()
    progress = Progress(Console(file=file, force_terminal=False), None)
    for number in range(500):
        progress.done(row(f"x[{number}]"))
    assert file.getvalue().splitlines() == ["250 cases: 250 passed", "500 cases: 500 passed"]
    progress.plan(1000)
    progress.done(row("y"))
    progress.stop()


def test_live_progress_shows_counts_and_the_running_case() -> None:
    file = io.StringIO()
    console = Console(file=file, width=120, force_terminal=True, legacy_windows=False, _environ={"TERM": "xterm"})
    progress = Progress(console, 10)
    progress.start()
    progress.done(row("a"))
    progress.done(row("b", "failed", message=ATTACK))
    progress._refreshed = 0
    progress.running("send.offset[here]")
    progress.stop()
    progress.stop()
    text = file.getvalue()
    assert "send.offset[here]" in text
    assert "✗1 ✓1" in text
    assert "2/10" in text
    assert "\x1b]0;" not in text


def test_progress_marks_findings_of_level_may() -> None:
    file = io.StringIO()
    Progress(Console(file=file, force_terminal=False), 100).done(row("a", "failed", level="may"))
    assert file.getvalue().startswith("△ a ")
