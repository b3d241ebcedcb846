"""All methods: random sequences of operations compared with the model, and the regression examples."""

from __future__ import annotations

import pytest

from nixio_conformance.host import capabilities
from nixio_conformance.model.examples import examples
from nixio_conformance.model.search import Counterexample, Searcher
from nixio_conformance.model.sequences import OperationSequence, kinds_of
from nixio_conformance.model.shrink import shrink
from nixio_conformance.toolkit.case import Case, not_dual_by_default
from nixio_conformance.toolkit.marks import clause
from nixio_fixtures import Kind

#: Sequences per kind, which take about a second. `nixio-conformance fuzz` runs as many as the time allows.
SEQUENCES = 40


def report(case: Case, searcher: Searcher, found: Counterexample | None) -> None:
    """Raise the error of the shrunk counterexample, if there is one; its transcript becomes the case's."""
    if found is not None:
        case.transcript, case.folder = found.transcript, found.folder
        found = shrink(searcher, found)
        case.transcript, case.folder = found.transcript, found.folder
        raise found.error


def search(case: Case, request: pytest.FixtureRequest, kind: str) -> None:
    """Run sequences of a kind; the same seed gives the same sequences."""
    searcher = Searcher(case.session)
    report(case, searcher, searcher.search(kind, request.config.getoption("--nixio-seed"), SEQUENCES))


@clause("model.stream")
def test_sequences_on_streams(case: Case, request: pytest.FixtureRequest, kind: Kind) -> None:
    search(case, request, kind.id)


@clause("model.dgram")
def test_sequences_on_datagrams(case: Case, request: pytest.FixtureRequest, kind: Kind) -> None:
    search(case, request, kind.id)


@clause("model.dual-stack")
@pytest.mark.parametrize("type_", ["stream", "dgram"])
def test_sequences_on_both_families(case: Case, request: pytest.FixtureRequest, type_: str) -> None:
    if reason := not_dual_by_default():
        pytest.skip(reason)
    search(case, request, f"dual-{type_}")


# The parameter's name and text (OperationSequence.__str__) are part of the result stream, and keep their older terms.
@clause("model.example")
@pytest.mark.parametrize("play", [pytest.param(row.sequence, id=row.id) for row in examples()])  # words: allow
def test_regression_examples(case: Case, play: OperationSequence) -> None:  # words: allow
    sequence = play  # words: allow
    for kind in kinds_of(sequence):
        if reason := capabilities.current()[kind.capability]:
            pytest.skip(f"{kind.capability}: {reason}")
    if len(kinds_of(sequence)) > 1 and (reason := not_dual_by_default()):
        pytest.skip(reason)
    searcher = Searcher(case.session)
    report(case, searcher, searcher.run(sequence))
