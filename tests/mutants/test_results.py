"""From answers to results, rates, exit codes and the record: pure functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants import results
from tests.mutants.jobs import SUITE_FAILED, Answer, Finding
from tests.mutants.registry import Fault, Variety

FAULT = Fault("chapter/name", "is wrong", ("send.a", "send.b"))
VARIETY = Variety("chapter/odd", "is odd", ())


def found(clause: str, outcome: str = "failed") -> Finding:
    return Finding(clause=clause, case=f"{clause}[x]", outcome=outcome, message="it is wrong")


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
        (Answer(id="", broke="the worker died"), "broke"),
        (Answer(id="", findings=(found("send.a", SUITE_FAILED), found("send.b"))), "broke"),
    ],
)
def test_what_comes_of_a_fault(answer: Answer, outcome: str) -> None:
    assert results.of_fault(FAULT, answer).outcome == outcome


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([Answer(id=""), Answer(id="")], "accepted"),
        ([Answer(id=""), Answer(id="", findings=(found("send.a"),))], "rejected"),
        ([Answer(id=""), Answer(id="", broke="the worker died")], "broke"),
    ],
)
def test_what_comes_of_a_variety(answers: list[Answer], outcome: str) -> None:
    assert results.of_variety(VARIETY, answers).outcome == outcome


def test_the_rate_of_a_clause_is_of_the_faults_that_name_it() -> None:
    reported = results.of_fault(FAULT, Answer(id="", findings=(found("send.a"), found("send.b"))))
    partly = results.of_fault(FAULT, Answer(id="", findings=(found("send.a"),), silent=("send.b",)))
    skipped = results.of_fault(FAULT, Answer(id="", findings=(found("send.a"),), skipped={"send.b": "no lab"}))
    elsewhere = results.of_fault(FAULT, Answer(id="", findings=(found("recv.c"),), silent=("send.a", "send.b")))
    rates = results.by_clause([reported, partly, skipped, elsewhere])
    assert rates == {"send.a": (3, 4), "send.b": (1, 3)}


def test_a_name_for_several_clauses_is_the_rate_of_none() -> None:
    fault = Fault("chapter/name", "is wrong", ("send.*",))
    assert results.by_clause([results.of_fault(fault, Answer(id="", silent=("send.*",)))]) == {}


def result(outcome: results.Outcome, *clauses: str) -> results.Result:
    return results.Result(
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
        (["reported", "broke"], 1),
        (["host-skip"], 3),
        ([], 3),
    ],
)
def test_exit_codes(outcomes: list[results.Outcome], code: int) -> None:
    assert results.exit_code([result(outcome) for outcome in outcomes]) == code


def test_a_clause_has_caught_what_it_was_to_catch() -> None:
    rows = [result("reported", "send.a", "send.b"), result("partly", "send.a"), result("elsewhere", "recv.c")]
    assert results.caught(rows) == {"send.a": 2, "send.b": 1}


def test_rates_by_method_leave_out_what_the_host_cannot_show() -> None:
    rows = [result("reported"), result("survived"), result("host-skip")]
    assert results.by_method(rows) == {"send": (1, 2)}


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    header = results.Header(suite="1", started="now", cases={"send.a": 3})
    row, footer = result("reported", "send.a"), results.Footer(counts={"reported": 1}, seconds=1.0)
    path = tmp_path / "proof.jsonl"
    results.write(path, [header, row, footer])
    assert results.read(path) == results.Proof(header=header, results=(row,), footer=footer)


def test_a_record_that_was_stopped_has_no_footer(tmp_path: Path) -> None:
    path = tmp_path / "proof.jsonl"
    results.write(path, [results.Header(suite="1", started="now")])
    assert results.read(path).footer is None


@pytest.mark.parametrize("text", ["", "nonsense\n"])
def test_what_is_no_record_is_told_with_what_to_do(tmp_path: Path, text: str) -> None:
    path = tmp_path / "proof.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"proof\.jsonl.*nixio-conformance prove"):
        results.read(path)


def earlier(outcome: results.Outcome, row: Fault | Variety = FAULT, *, whole: bool = False) -> results.Proof:
    named = row.clauses if isinstance(row, Fault) else ()
    found = results.Result(id=row.id, does=row.does, outcome=outcome, named=named)
    return results.Proof(header=results.Header(suite="1", started="now", whole=whole), results=(found,))


def test_what_came_out_right_need_not_be_had_again() -> None:
    assert set(results.still_good(earlier("reported"), [FAULT, VARIETY], "1", whole=True)) == {FAULT.id}


@pytest.mark.parametrize(
    ("proof", "row"),
    [
        (earlier("survived"), FAULT),
        (earlier("host-skip"), FAULT),
        (earlier("reported"), Fault(FAULT.id, "is wrong in another way", FAULT.clauses)),
        (earlier("reported"), Fault(FAULT.id, FAULT.does, ("send.a",))),
        (earlier("accepted", VARIETY), VARIETY),
    ],
    ids=["survived", "host-skip", "changed", "other-clauses", "sample-only"],
)
def test_what_is_to_be_had_again(proof: results.Proof, row: Fault | Variety) -> None:
    assert results.still_good(proof, [row], "1", whole=True) == {}


def test_another_suite_has_proven_nothing_of_this_one() -> None:
    assert results.still_good(earlier("reported"), [FAULT], "2", whole=False) == {}


def test_a_variety_that_the_whole_suite_accepted_need_not_be_had_again() -> None:
    proof = earlier("accepted", VARIETY, whole=True)
    assert set(results.still_good(proof, [VARIETY], "1", whole=True)) == {VARIETY.id}
