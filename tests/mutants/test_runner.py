"""Faults and conforming variants through a real worker: faults are reported, variants accepted."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from nixio_fixtures import load
from tests.mutants import results, runner
from tests.mutants.catalogue import Catalogue, catalogue
from tests.mutants.jobs import Accept, Answer
from tests.mutants.pool import CannotStart, Pool
from tests.mutants.registry import Fault, Variant
from tests.mutants.worker import Worker
from tests.reports.samples import row as sample_row

SPEC = load()


def judged(pool: Pool, *rows: Fault | Variant, search: bool = False) -> dict[str, results.RowResult]:
    """The results of these rows."""
    chosen = Catalogue(
        tuple(row for row in rows if isinstance(row, Fault)), tuple(row for row in rows if isinstance(row, Variant))
    )
    lines = runner.run(chosen, SPEC, pool, search=search)
    return {line.id: line for line in lines if isinstance(line, results.RowResult)}


@pytest.mark.parametrize(
    "row",
    [
        "chunks/offset-from-one-send",
        "shutting/shutdown-returns-word",
        "of_methods/missing/listen",
        "of_options/swapped/tcp-cork",
        "interrupts/crashes-getpeername",
    ],
)
def test_a_fault_is_reported_by_the_clauses_that_its_row_names(pool: Pool, row: str) -> None:
    (fault,) = catalogue().chosen([row]).faults
    result = judged(pool, fault)[row]
    assert result.outcome == "reported", result
    assert not result.silent


def test_a_fault_that_nothing_reports_survives(pool: Pool) -> None:
    harmless = Fault("unusual/plain", "does nothing wrong", ("close.result.true",))
    result = judged(pool, harmless)["unusual/plain"]
    assert result.outcome == "survived"
    assert result.silent == ("close.result.true",)


def test_a_named_clause_that_reports_nothing_makes_the_outcome_partly(pool: Pool) -> None:
    fault = Fault("closing/connected-none", "", ("close.result.connected", "close.result.listening"))
    result = judged(pool, fault)[fault.id]
    assert (result.outcome, result.silent) == ("partly", ("close.result.listening",))


def test_a_fault_that_only_another_clause_reports_is_found_elsewhere(pool: Pool) -> None:
    fault = Fault("of_methods/none/shutdown", "", ("shutdown.unconnected",))
    result = judged(pool, fault, search=True)[fault.id]
    assert result.outcome == "elsewhere"
    assert result.findings[0].clause.startswith("shutdown.")


def test_one_clause_of_a_pattern_is_enough(pool: Pool) -> None:
    fault = Fault("of_methods/none/shutdown", "", ("shutdown.result.*",))
    assert judged(pool, fault)[fault.id].outcome == "reported"


@pytest.mark.slow
def test_a_variant_is_accepted(pool: Pool) -> None:
    clauses = tuple(clause.id for clause in SPEC.clauses if clause.method == "shutdown")
    job = Accept(id="unusual/exchanged", target="tests.mutants.implementation:unusual/exchanged", clauses=clauses)
    (answer,) = pool.answers([job])
    assert answer.findings == ()
    assert answer.cases > 100


def test_a_fault_is_rejected_as_a_variant(pool: Pool) -> None:
    clauses = tuple(clause.id for clause in SPEC.clauses if clause.method == "close")
    job = Accept(id="closing/returns-zero", target="tests.mutants.implementation:closing/returns-zero", clauses=clauses)
    variant = Variant("closing/returns-zero", "", ("close",))
    result = results.of_variant(variant, pool.answers([job]))
    assert result.outcome == "rejected"
    assert "close.result.true" in {finding.clause for finding in result.findings}


@pytest.mark.slow
def test_a_fault_that_this_host_cannot_run_has_not_survived() -> None:
    (fault,) = catalogue().chosen(["walking/first-only-bind"]).faults
    with Pool(1, ["--nixio-without=lab"]) as pool:
        assert judged(pool, fault)[fault.id].outcome == "host-skip"


@pytest.mark.slow
def test_a_worker_that_cannot_start_says_why() -> None:
    with pytest.raises(CannotStart, match="no-such-capability"), Pool(1, ["--nixio-without=no-such-capability"]):
        pytest.fail("it started")


def test_an_error_of_the_suite_reports_no_fault() -> None:
    worker = Worker([], io.BytesIO())
    row = msgspec.to_builtins(sample_row("send.a[x]", "suite-error", level="may"))
    report = cast(pytest.TestReport, SimpleNamespace(nixio_row=row))
    hooks = SimpleNamespace(pytest_runtest_protocol=lambda item, nextitem: worker.pytest_runtest_logreport(report))
    found = tuple(worker._findings([cast(pytest.Item, SimpleNamespace(ihook=hooks))]))
    assert [(one.clause, one.outcome, one.message) for one in found] == [
        ("send.a", "suite-error", "Traceback\n  KeyError: 1\n")
    ]
    result = results.of_fault(Fault("group/name", "is wrong", ("send.a",)), Answer(id="", findings=found))
    assert results.exit_code([result]) == 1
