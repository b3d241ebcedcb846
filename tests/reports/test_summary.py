"""From rows to totals, matrix, clauses and the verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.reports.samples import OUTCOMES as ALL
from tests.reports.samples import every, header, row, stream

from nixio_reports import (
    FINDINGS,
    METHODS,
    OUTCOMES,
    Footer,
    Outcome,
    Problem,
    Stream,
    Tally,
    badge_data,
    clauses,
    matrix,
    median_ms,
    skips,
    slowest,
    tally,
    totals,
    verdict,
)

JUDGED = ("must", "should")


def test_every_outcome_has_its_words() -> None:
    assert set(OUTCOMES) == set(ALL)


def test_totals_are_in_the_order_of_reports() -> None:
    assert list(totals([row("a"), row("b", "failed"), row("c")]).items()) == [("failed", 1), ("passed", 2)]


def test_tally_tells_may_apart_from_what_is_judged() -> None:
    rows = [row("a", "failed"), row("b", "failed", level="may"), row("c", "crashed"), row("d", "host-skip")]
    assert tally(rows, JUDGED) == Tally(failed=2, told=1, skipped=1)
    assert tally(rows, ("must",)).total == 4


def test_matrix_is_in_the_documents_order() -> None:
    rows = [
        row("socket.x", kind=""),
        row("getopt.x", kind="unix-stream"),
        row("novel.x", kind="odd"),
        row("bind.x", kind="inet6-dgram"),
        row("bind.y", kind="inet-stream"),
    ]
    found = matrix(rows, JUDGED)
    assert found.methods == ("bind", "getopt", "socket", "novel")
    assert found.kinds == ("inet-stream", "inet6-dgram", "unix-stream", "odd", "-")
    assert found.cells["socket", "-"].rows == (rows[0],)
    assert found.total.passed == 5


def test_matrix_counts_add_up() -> None:
    found = matrix(every().rows, JUDGED)
    assert found.methods == METHODS
    assert sum((cell.tally for cell in found.cells.values()), Tally()) == found.total
    assert sum(found.by_method.values(), Tally()) == sum(found.by_kind.values(), Tally()) == found.total


def test_clause_is_unproven_when_the_host_skipped_all_of_it() -> None:
    rows = [
        row("send.a[1]", "host-skip"),
        row("send.a[2]", "host-skip"),
        row("bind.b[1]", "host-skip"),
        row("bind.b[2]"),
    ]
    assert [(view.id, view.unproven) for view in clauses(rows, JUDGED)] == [("bind.b", False), ("send.a", True)]


def test_skips_are_grouped_by_reason() -> None:
    rows = [
        row("a", "host-skip", message="no"),
        row("b", "port-skip", message="no"),
        row("c", "host-skip", message="no"),
    ]
    assert [(skip.by, skip.reason, len(skip.rows)) for skip in skips(rows)] == [("host", "no", 2), ("port", "no", 1)]


def test_times_are_of_cases_that_ran() -> None:
    rows = [row("a", seconds=0.003), row("b", seconds=0.001), row("c", "host-skip", seconds=9)]
    assert median_ms(rows) == pytest.approx(2)
    assert [one.case for one in slowest(rows, 1)] == ["a"]
    assert median_ms([]) == 0


def test_conforming_in_words() -> None:
    made = verdict(stream(row("a"), row("b"), row("c", "host-skip"), row("d", "expected-failure")))
    assert made.conforming
    assert made.words == (
        "conforming but for known deviations from 1 clause: "
        "2 passed, 1 failed as the baseline says, 1 skipped by the host; "
        "1 clause unproven because of the host"
    )


@pytest.mark.parametrize("outcome", FINDINGS)
def test_finding_of_a_judged_level_does_not_conform(outcome: Outcome) -> None:
    made = verdict(stream(row("a"), row("b", outcome)))
    assert (made.state, len(made.findings)) == ("not-conforming", 1)
    assert made.words.startswith("NOT conforming: 1 ")


def test_finding_of_level_may_is_told_and_not_judged() -> None:
    sample = stream(row("a"), row("b", "failed", level="may"))
    assert sample.footer
    made = verdict(replace(sample, footer=Footer(planned=2, counts={}, seconds=1, exit_code=0)))
    assert (made.conforming, len(made.told), made.findings) == (True, 1, ())
    assert "1 told, not judged" in made.words


def test_level_that_is_not_asked_for_is_not_judged() -> None:
    sample = stream(row("a", "failed", level="should"), row("b"), header=header(judged=("must",)))
    assert not verdict(sample).findings


def ended(**changes: Any) -> Footer:
    return Footer(**{"planned": 1, "counts": {"passed": 1}, "seconds": 1.0, "exit_code": 0, **changes})


@pytest.mark.parametrize(
    ("sample", "words"),
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
def test_run_that_shows_too_little_has_no_verdict(sample: Stream, words: str) -> None:
    made = verdict(sample)
    assert made.state == "no-verdict"
    assert not made.conforming
    assert words in made.words


def test_selection_is_said() -> None:
    assert verdict(stream(row("a"), header=header(selection=("send",)))).words.startswith(
        "conforming in the selected cases: "
    )


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
    assert badge_data(sample) == expected
