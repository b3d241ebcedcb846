"""Runs the suite over the catalogue: jobs for the pool, and results from its answers."""

from __future__ import annotations

import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from nixio_conformance import __version__
from nixio_fixtures import Spec
from tests.mutants import results
from tests.mutants.catalogue import Catalogue, matching, target
from tests.mutants.jobs import Accept, Answer, Job, Seek
from tests.mutants.pool import Pool

#: The number of jobs into which a whole run over a variant is divided, so that no worker is idle at the end.
PARTS = 8
#: The sample of a variant is one case in this many; each variant starts with a different case.
SAMPLE = 40
#: The approximate number of cases of a variant's own methods that are run besides the sample.
OWN = 250


def jobs(
    catalogue: Catalogue, spec: Spec, cases: Mapping[str, int], *, whole: bool = False, search: bool = True
) -> list[Job]:
    """The jobs for these rows, the longest first. `cases` is the number of cases of each clause on this host."""
    long: list[Job] = []
    for number, variant in enumerate(catalogue.variants):
        parts = PARTS if whole else SAMPLE
        for part in range(parts) if whole else [number % parts]:
            long.append(Accept(id=f"{variant.id}#{part}", target=target(variant), part=part, parts=parts))
        if variant.methods and not whole:
            clauses = tuple(c.id for c in spec.clauses if c.method in variant.methods and c.level != "may")
            share = max(1, sum(cases.get(clause, 0) for clause in clauses) // OWN)
            long.append(Accept(id=f"{variant.id}#own", target=target(variant), clauses=clauses, parts=share))
    return long + [
        Seek(
            id=fault.id,
            target=target(fault),
            names={name: matching(name, spec) for name in fault.clauses},
            about=fault.id.rpartition("/")[2].replace("-", ".", 1) if fault.id.startswith("of_options/") else "",
            elsewhere=search,
        )
        for fault in catalogue.faults
    ]


def run(
    catalogue: Catalogue,
    spec: Spec,
    pool: Pool,
    *,
    chosen: Sequence[str] = (),
    whole: bool = False,
    search: bool = True,
    earlier: Mapping[str, results.RowResult] = {},
    on_result: Callable[[results.RowResult], None] = lambda result: None,
) -> Iterator[results.RecordLine]:
    """The lines of the record, as they are known; `on_result` is called with each row's result.

    `chosen`: the command line's words that select rows. `whole`: run the whole suite over each variant, not a sample
    and its own methods. `search`: where no named clause reports a fault, look for another one that does. `earlier`:
    results by row id that are taken over instead of running the row.
    """
    started = time.monotonic()
    yield results.RecordHeader(
        suite=__version__,
        started=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
        chosen=tuple(chosen),
        whole=whole,
        cases=pool.ready.cases,
        capabilities=pool.ready.capabilities,
    )
    counts: Counter[str] = Counter()
    todo = jobs(catalogue.without(earlier), spec, pool.ready.cases, whole=whole, search=search)
    for result in itertools.chain(earlier.values(), _results(catalogue, todo, pool.answers(todo))):
        counts[result.outcome] += 1
        on_result(result)
        yield result
    yield results.RecordFooter(counts=dict(counts), seconds=time.monotonic() - started)


def _results(catalogue: Catalogue, todo: Sequence[Job], answers: Iterator[Answer]) -> Iterator[results.RowResult]:
    faults = {fault.id: fault for fault in catalogue.faults}
    variants = {variant.id: variant for variant in catalogue.variants}
    due = Counter(job.id.partition("#")[0] for job in todo)
    parts: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.id in faults:
            yield results.of_fault(faults[answer.id], answer)
            continue
        name = answer.id.partition("#")[0]
        parts[name].append(answer)
        if len(parts[name]) == due[name]:
            yield results.of_variant(variants[name], parts.pop(name))
