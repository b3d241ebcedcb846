"""From answers to results, rates, exit codes and the record: pure functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants import results
from tests.mutants.jobs import SUITE_ERROR, Answer, ReportingCase
from tests.mutants.registry import Fault, Variant

FAULT = Fault("group/name", "is wrong", ("send.a", "send.b"))
VARIANT = Variant("group/odd", "is odd", ())


def found(clause: str, outcome: str = "failed") -> ReportingCase:
    return ReportingCase(clause=clause, case=f"{clause}[x]", outcome=outcome, message="it is wrong")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(id="", findings=(found("send.a"), found("send.b"))), "reported"),
        (Answer(id="", findings=(found("send.a"),), silent=("send.b",)), "partly"),
        (Answer(id="", findings=(found("send.a"),), skipped={"send.b": "no lab"}), "reported"),
        (Answer(id="", findings=(found("recv.c"),), silent=("send.a", "send.b")), "elsewhere"),
        (Answer(id="", findings=(found("recv.c"),), silent=("send.a",), skipped={"send.b": "no lab"}), "elsewhere"),
        (Answer(id="", silent=("send.a", "send.b")), "survived"),
        (Answer(id="", silent=("send.a",), skipped={"send.b": "no lab"}), "survived"),
        (Answer(id="", skipped={"send.a": "no lab", "send.b": "no lab"}), "host-skip"),
        (Answer(id="", error="the worker died"), "suite-error"),
        (Answer(id="", findings=(found("send.a", SUITE_ERROR), found("send.b"))), "suite-error"),
    ],
)
def test_outcome_of_a_fault(answer: Answer, outcome: str) -> None:
    assert results.of_fault(FAULT, answer).outcome == outcome


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([Answer(id=""), Answer(id="")], "accepted"),
        ([Answer(id=""), Answer(id="", findings=(found("send.a"),))], "rejected"),
        ([Answer(id=""), Answer(id="", error="the worker died")], "suite-error"),
        ([Answer(id=""), Answer(id="", findings=(found("send.a", SUITE_ERROR),))], "suite-error"),
    ],
)
def test_outcome_of_a_variant(answers: list[Answer], outcome: str) -> None:
    assert results.of_variant(VARIANT, answers).outcome == outcome


def test_the_rate_of_a_clause_counts_the_faults_that_name_it() -> None:
    reported = results.of_fault(FAULT, Answer(id="", findings=(found("send.a"), found("send.b"))))
    partly = results.of_fault(FAULT, Answer(id="", findings=(found("send.a"),), silent=("send.b",)))
    skipped = results.of_fault(FAULT, Answer(id="", findings=(found("send.a"),), skipped={"send.b": "no lab"}))
    elsewhere = results.of_fault(FAULT, Answer(id="", findings=(found("recv.c"),), silent=("send.a", "send.b")))
    rates = results.by_clause([reported, partly, skipped, elsewhere])
    assert rates == {"send.a": (3, 4), "send.b": (1, 3)}


def test_a_pattern_counts_for_no_clause() -> None:
    fault = Fault("group/name", "is wrong", ("send.*",))
    assert results.by_clause([results.of_fault(fault, Answer(id="", silent=("send.*",)))]) == {}


def result(outcome: results.Outcome, *clauses: str) -> results.RowResult:
    return results.RowResult(
        id="a/b", does="", outcome=outcome, named=("send.a",), findings=tuple(found(clause) for clause in clauses)
    )


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        (["reported", "accepted"], 0),
        (["reported", "host-skip"], 0),
        (["reported", "survived"], 1),
        (["accepted", "rejected"], 1),
        (["reported", "partly"], 1),
        (["reported", "elsewhere"], 1),
        (["reported", "suite-error"], 1),
        (["host-skip"], 3),
        ([], 3),
    ],
)
def test_exit_codes(outcomes: list[results.Outcome], code: int) -> None:
    assert results.exit_code([result(outcome) for outcome in outcomes]) == code


def test_a_clause_reported_the_faults_that_name_it() -> None:
    rows = [result("reported", "send.a", "send.b"), result("partly", "send.a"), result("elsewhere", "recv.c")]
    assert results.reported(rows) == {"send.a": 2, "send.b": 1}


def test_rates_by_method_leave_out_host_skips() -> None:
    rows = [result("reported"), result("survived"), result("host-skip")]
    assert results.by_method(rows) == {"send": (1, 2)}


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    header = results.RecordHeader(suite="1", started="now", cases={"send.a": 3})
    row, footer = result("reported", "send.a"), results.RecordFooter(counts={"reported": 1}, seconds=1.0)
    path = tmp_path / "mutants.jsonl"
    results.write(path, [header, row, footer])
    assert results.read(path) == results.Record(header=header, results=(row,), footer=footer)


def test_the_record_of_a_stopped_run_has_no_footer(tmp_path: Path) -> None:
    path = tmp_path / "mutants.jsonl"
    results.write(path, [results.RecordHeader(suite="1", started="now")])
    assert results.read(path).footer is None


@pytest.mark.parametrize("text", ["", "nonsense\n"])
def test_a_wrong_record_is_an_error_with_a_hint(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mutants.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"mutants[.]jsonl.*python -m tests.mutants"):
        results.read(path)


def earlier(outcome: results.Outcome, row: Fault | Variant = FAULT, *, whole: bool = False) -> results.Record:
    named = row.clauses if isinstance(row, Fault) else ()
    found = results.RowResult(id=row.id, does=row.does, outcome=outcome, named=named)
    return results.Record(header=results.RecordHeader(suite="1", started="now", whole=whole), results=(found,))


def test_a_good_result_is_still_valid() -> None:
    assert set(results.still_valid(earlier("reported"), [FAULT, VARIANT], "1", whole=True)) == {FAULT.id}


@pytest.mark.parametrize(
    ("record", "row"),
    [
        (earlier("survived"), FAULT),
        (earlier("host-skip"), FAULT),
        (earlier("reported"), Fault(FAULT.id, "is wrong in another way", FAULT.clauses)),
        (earlier("reported"), Fault(FAULT.id, FAULT.does, ("send.a",))),
        (earlier("accepted", VARIANT), VARIANT),
    ],
    ids=["survived", "host-skip", "changed", "other-clauses", "sample-only"],
)
def test_results_that_are_not_valid_any_more(record: results.Record, row: Fault | Variant) -> None:
    assert results.still_valid(record, [row], "1", whole=True) == {}


def test_results_of_another_version_are_not_valid() -> None:
    assert results.still_valid(earlier("reported"), [FAULT], "2", whole=False) == {}


def test_a_variant_that_the_whole_suite_accepted_is_still_valid() -> None:
    record = earlier("accepted", VARIANT, whole=True)
    assert set(results.still_valid(record, [VARIANT], "1", whole=True)) == {VARIANT.id}
