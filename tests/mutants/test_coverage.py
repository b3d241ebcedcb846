"""The coverage ledger: a page that says what the tables say, and numbers that a proof recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixio_fixtures import load
from tests.mutants import coverage, results
from tests.mutants.catalogue import catalogue
from tests.mutants.jobs import Finding

SPEC = load()
PAGE = Path(__file__).parents[2] / "docs/coverage.md"
MEND = "record it anew: nixio-conformance prove --whole --ledger docs/coverage.md"


def test_the_page_has_the_clauses_levels_and_needs_of_the_tables() -> None:
    if not PAGE.exists():
        pytest.skip("the ledger is not beside these tests")
    assert coverage.from_tables(PAGE.read_text()) == coverage.expected(SPEC), MEND


def test_each_number_that_is_shipped_is_of_a_clause_that_there_is() -> None:
    assert set(coverage.caught()) <= {clause.id for clause in SPEC.clauses}, MEND


def test_each_judged_clause_is_named_by_a_fault() -> None:
    """By its own name: a name with `*` promises one of several clauses, and so none of them."""
    named = {name for fault in catalogue().faults for name in fault.clauses if "*" not in name}
    assert not coverage.without_fault(SPEC, named)


def test_each_judged_clause_has_a_recorded_fault_that_it_reports() -> None:
    assert not coverage.without_fault(SPEC, coverage.caught()), MEND


def test_a_row_tells_cases_faults_and_needs() -> None:
    clause = next(clause for clause in SPEC.clauses if clause.needs)
    line = coverage.row(clause, {clause.id: 7}, {clause.id: 3})
    assert line == f"| `{clause.id}` | {clause.level} | 7 | 3 | {', '.join(clause.needs)} |"


def test_a_page_says_what_its_proof_came_to() -> None:
    clause = SPEC.clauses[0].id
    finding = Finding(clause=clause, case=clause, outcome="failed", message="")
    rows = (
        results.Result(id="a/b", does="", outcome="reported", named=(clause,), findings=(finding,)),
        results.Result(id="a/c", does="", outcome="survived", named=(clause,)),
        results.Result(id="a/d", does="", outcome="accepted"),
    )
    proof = results.Proof(header=results.Header(suite="1", started="now", cases={clause: 2}), results=rows)
    page = coverage.markdown(SPEC, proof)
    assert "1 of 2 faults are reported" in page
    assert "1 of 1 unusual right ports" in page
    assert coverage.row(SPEC.clauses[0], {clause: 2}, {clause: 1}) in page.splitlines()
    assert coverage.from_tables(page) == coverage.expected(SPEC)
    assert coverage.recorded(proof) == f'{{\n "{clause}": 1\n}}\n'
