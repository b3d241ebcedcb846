"""The coverage table, and that every judged clause has a fault."""

from __future__ import annotations

from nixio_fixtures import load
from tests.mutants import coverage, results
from tests.mutants.catalogue import catalogue
from tests.mutants.jobs import ReportingCase

SPEC = load()


def test_each_judged_clause_is_named_by_a_fault() -> None:
    """By its own id: a pattern with `*` counts for no clause."""
    assert not coverage.without_fault(SPEC, catalogue().declared())


def test_a_row_has_cases_faults_and_needs() -> None:
    clause = next(clause for clause in SPEC.clauses if clause.needs)
    line = coverage.row(clause, {clause.id: 4}, {clause.id: 7}, {clause.id: 3})
    assert line == f"| `{clause.id}` | {clause.level} | 7 | 4 | 3 | {', '.join(clause.needs)} |"


def test_a_table_from_the_catalogue_has_declared_faults_only() -> None:
    clause = SPEC.clauses[0]
    page = coverage.markdown(SPEC, {clause.id: 2})
    assert coverage.row(clause, {clause.id: 2}) in page.splitlines()
    assert f"| `{clause.id}` | {clause.level} |  | 2 |  |" in page
    assert page.count("| `") == len(SPEC.clauses)


def test_a_table_from_a_record_has_cases_and_reported_faults() -> None:
    clause = SPEC.clauses[0]
    finding = ReportingCase(clause=clause.id, case=clause.id, outcome="failed", message="")
    rows = (
        results.RowResult(id="a/b", does="", outcome="reported", named=(clause.id,), findings=(finding,)),
        results.RowResult(id="a/c", does="", outcome="survived", named=(clause.id,)),
        results.RowResult(id="a/d", does="", outcome="accepted"),
    )
    record = results.Record(header=results.RecordHeader(suite="1", started="now", cases={clause.id: 2}), results=rows)
    page = coverage.markdown(SPEC, {clause.id: 2}, record)
    assert "1 of 2 faults are reported as declared; 1 of 1 conforming variants" in page
    assert coverage.row(clause, {clause.id: 2}, {clause.id: 2}, {clause.id: 1}) in page.splitlines()
