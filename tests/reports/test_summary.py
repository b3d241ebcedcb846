"""The summary of a stream: totals, matrix, clauses, skips and the verdict, computed once for all reports."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.reports.samples import OUTCOMES as ALL
from tests.reports.samples import every, header, row, stream

from nixio_conformance.commands import report
from nixio_fixtures import load
from nixio_reports import (
    FINDINGS,
    OUTCOMES,
    Footer,
    Outcome,
    Problem,
    Row,
    Stream,
    Summary,
    Tally,
    Verdict,
    Writer,
    badge_data,
    group,
    html_page,
    junit_xml,
    kinds,
    methods,
    print_report,
    summarize,
    totals,
    write_reports,
)


def of(*rows: Row) -> Summary:
    return summarize(stream(*rows))


def verdict(sample: Stream) -> Verdict:
    return summarize(sample).verdict


@pytest.fixture
def grouped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The cases whose group was determined so far, in order."""
    calls: list[str] = []

    def counted(row: Row, judged: tuple[str, ...]) -> str:
        calls.append(row.case)
        return group(row, judged)

    monkeypatch.setattr("nixio_reports.summary.group", counted)
    return calls


REPORTS: dict[str, Callable[[Summary, Path], object]] = {
    "terminal": lambda summary, path: print_report(Console(file=io.StringIO()), summary),
    "html": lambda summary, path: html_page(summary),
    "junit": lambda summary, path: junit_xml(summary),
    "badge": lambda summary, path: badge_data(summary),
    "files": write_reports,
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_computes_nothing_again(grouped: list[str], tmp_path: Path, name: str) -> None:
    sample = every()
    summary = summarize(sample)
    assert grouped == [one.case for one in sample.rows]
    REPORTS[name](summary, tmp_path)
    assert len(grouped) == len(sample.rows)


def test_the_command_makes_one_summary_for_all_reports(grouped: list[str], tmp_path: Path) -> None:
    sample = every()
    assert sample.footer
    with Writer(tmp_path / "results.jsonl") as writer:
        writer.write(sample.header)
        for one in sample.rows:
            writer.write(one)
        writer.write(sample.footer)
    report.show(tmp_path / "results.jsonl", tmp_path, Console(file=io.StringIO()))
    assert len(grouped) == len(sample.rows)


def test_a_summary_is_pure_and_cannot_be_changed() -> None:
    assert summarize(every()) == summarize(every())
    with pytest.raises(AttributeError):
        of(row()).median = 1.0  # type: ignore[misc]


def test_methods_and_kinds_are_those_of_the_tables() -> None:
    assert sorted(methods()) == sorted(method.name for method in load().methods)
    assert (methods()[0], methods()[-1]) == ("getsockname", "socket")
    assert sorted(kinds()) == sorted(kind.id for kind in load().kinds)
    assert kinds()[:4] == ("inet-stream", "inet-dgram", "inet-raw", "inet6-stream")


def test_every_outcome_has_a_label() -> None:
    assert set(OUTCOMES) == set(ALL)


def test_totals_are_in_the_order_of_reports() -> None:
    assert list(totals([row("a"), row("b", "failed"), row("c")]).items()) == [("failed", 1), ("passed", 2)]


def test_a_finding_of_level_may_is_informational() -> None:
    rows = [row("a", "failed"), row("b", "failed", level="may"), row("c", "crashed"), row("d", "host-skip")]
    assert of(*rows).matrix.total == Tally(failed=2, informational=1, skipped=1)
    assert of(*rows).groups == {"a": "failed", "b": "informational", "c": "failed", "d": "skipped"}


def test_matrix_is_in_the_documents_order() -> None:
    rows = [
        row("socket.x", kind=""),
        row("getopt.x", kind="unix-stream"),
        row("novel.x", kind="odd"),
        row("bind.x", kind="inet6-dgram"),
        row("bind.y", kind="inet-stream"),
    ]
    found = of(*rows).matrix
    assert found.methods == ("bind", "getopt", "socket", "novel")
    assert found.kinds == ("inet-stream", "inet6-dgram", "unix-stream", "odd", "-")
    assert found.cells["socket", "-"].rows == (rows[0],)
    assert found.total.passed == 5


def test_matrix_counts_add_up() -> None:
    found = summarize(every()).matrix
    assert found.methods == methods()
    assert sum((cell.tally for cell in found.cells.values()), Tally()) == found.total
    assert sum(found.by_method.values(), Tally()) == sum(found.by_kind.values(), Tally()) == found.total
    assert found.total.total == len(every().rows)


def test_a_clause_is_unproven_when_the_host_skipped_all_of_it() -> None:
    summary = of(
        row("send.a[1]", "host-skip"),
        row("send.a[2]", "host-skip"),
        row("bind.b[1]", "host-skip"),
        row("bind.b[2]"),
    )
    assert {name: clause.unproven for name, clause in summary.clauses.items()} == {"bind.b": False, "send.a": True}
    assert list(summary.clauses) == ["bind.b", "send.a"]
    assert [clause.id for clause in summary.unproven] == ["send.a"]


def test_skips_are_grouped_by_reason() -> None:
    summary = of(
        row("a", "host-skip", message="no"),
        row("b", "port-skip", message="no"),
        row("c", "host-skip", message="no"),
    )
    assert [(skip.by, skip.reason, len(skip.rows)) for skip in summary.skips] == [
        ("host", "no", 2),
        ("implementation", "no", 1),
    ]


def test_times_are_of_cases_that_ran() -> None:
    summary = of(row("a", seconds=0.003), row("b", seconds=0.001), row("c", "host-skip", seconds=9))
    assert summary.median == pytest.approx(0.002)
    assert [one.case for one in summary.slowest] == ["a", "b"]
    assert of().median == 0


def test_at_most_ten_slow_cases_are_listed() -> None:
    assert len(of(*(row(f"a[{number}]") for number in range(11))).slowest) == 10


def test_text_of_a_conforming_run() -> None:
    made = verdict(stream(row("a"), row("b"), row("c", "host-skip"), row("d", "expected-failure")))
    assert made.conforming
    assert made.text == (
        "conforming except for known deviations from 1 clause: "
        "2 passed, 1 failed as the baseline says, 1 skipped by the host; "
        "1 clause unproven because of the host"
    )


@pytest.mark.parametrize("outcome", FINDINGS)
def test_finding_of_a_judged_level_does_not_conform(outcome: Outcome) -> None:
    made = verdict(stream(row("a"), row("b", outcome)))
    assert (made.state, len(made.findings)) == ("not-conforming", 1)
    assert made.text.startswith("NOT conforming: 1 ")


def test_finding_of_level_may_is_not_judged() -> None:
    sample = stream(row("a"), row("b", "failed", level="may"))
    assert sample.footer
    made = verdict(replace(sample, footer=Footer(planned=2, counts={}, seconds=1, exit_code=0)))
    assert (made.conforming, len(made.informational), made.findings) == (True, 1, ())
    assert "1 informational" in made.text


def test_level_that_is_not_asked_for_is_not_judged() -> None:
    sample = stream(row("a", "failed", level="should"), row("b"), header=header(judged=("must",)))
    assert not verdict(sample).findings


def ended(**changes: Any) -> Footer:
    return Footer(**{"planned": 1, "counts": {"passed": 1}, "seconds": 1.0, "exit_code": 0, **changes})


@pytest.mark.parametrize(
    ("sample", "text"),
    [
        pytest.param(stream(row("a"), footer=None), "stopped before its end", id="no-footer"),
        pytest.param(stream(row("a"), footer=ended(stopped="interrupted")), "(interrupted)", id="interrupted"),
        pytest.param(stream(row("a"), footer=ended(planned=2)), "planned cases were not run", id="planned"),
        pytest.param(stream(row("a"), row("b", "not-run")), "planned cases were not run", id="not-run"),
        pytest.param(stream(row("a"), problems=(Problem("p", 1, "w", "m"),)), "damaged", id="problems"),
        pytest.param(stream(row("a"), footer=ended(exit_code=3)), "exit code 3", id="exit-code"),
        pytest.param(stream(row("a", "host-skip")), "no case could be run", id="all-skipped"),
        pytest.param(stream(), "no case was recorded", id="nothing"),
    ],
)
def test_run_that_shows_too_little_has_no_verdict(sample: Stream, text: str) -> None:
    made = verdict(sample)
    assert made.state == "no-verdict"
    assert not made.conforming
    assert text in made.text


def test_selection_is_said() -> None:
    selected = stream(row("a"), header=header(selection=("send",)))
    assert verdict(selected).text.startswith("conforming in the selected cases: ")


@pytest.mark.parametrize(
    ("sample", "message", "color"),
    [
        pytest.param(stream(row("a")), "conforming, 1 passed", "brightgreen", id="good"),
        pytest.param(stream(row("a", "failed")), "not conforming, 1 failed", "red", id="bad"),
        pytest.param(stream(row("a"), footer=None), "no verdict", "lightgrey", id="stopped"),
    ],
)
def test_badge(sample: Stream, message: str, color: str) -> None:
    expected = {"schemaVersion": 1, "label": "nixio.Socket", "message": message, "color": color}
    assert badge_data(summarize(sample)) == expected
