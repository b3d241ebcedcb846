"""Runs the catalogue over the suite: every fault must be reported, every variety accepted."""

from __future__ import annotations

import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from nixio_conformance import __version__
from nixio_fixtures import Spec
from tests.mutants import results
from tests.mutants.catalogue import Catalogue, stands_for, target
from tests.mutants.jobs import Accept, Answer, Job, Seek
from tests.mutants.pool import Pool

#: In how many parts a variety's cases are run, so that all workers have something to do until the end.
PARTS = 8
#: One case in so many shows a variety in a short proof: other cases for each, so that all of them together show much.
SAMPLE = 40
#: About so many cases of a variety's own methods are run besides.
OWN = 250


def jobs(
    catalogue: Catalogue, spec: Spec, cases: Mapping[str, int], *, whole: bool = False, search: bool = True
) -> list[Job]:
    """What is to be done, the longest first. `cases`: how many each clause has."""
    long: list[Job] = []
    for number, variety in enumerate(catalogue.varieties):
        parts = PARTS if whole else SAMPLE
        for part in range(parts) if whole else [number % parts]:
            long.append(Accept(id=f"{variety.id}#{part}", target=target(variety), part=part, parts=parts))
        if variety.methods and not whole:
            clauses = tuple(c.id for c in spec.clauses if c.method in variety.methods and c.level != "may")
            share = max(1, sum(cases.get(clause, 0) for clause in clauses) // OWN)
            long.append(Accept(id=f"{variety.id}#own", target=target(variety), clauses=clauses, parts=share))
    return long + [
        Seek(
            id=fault.id,
            target=target(fault),
            promises={name: stands_for(name, spec) for name in fault.clauses},
            about=fault.id.rpartition("/")[2].replace("-", ".", 1) if fault.id.startswith("of_options/") else "",
            elsewhere=search,
        )
        for fault in catalogue.faults
    ]


def prove(
    catalogue: Catalogue,
    spec: Spec,
    pool: Pool,
    *,
    chosen: Sequence[str] = (),
    whole: bool = False,
    search: bool = True,
    earlier: Mapping[str, results.Result] = {},
    each: Callable[[results.Result], None] = lambda result: None,
) -> Iterator[results.Line]:
    """The lines of the proof's record as they come; `each` is told every result.

    `whole`: the whole suite over each variety, not a sample and its own methods. `search`: where no clause that a row
    names reports a fault, look for another one that does. `earlier`: results by their rows' ids that are taken as they
    are.
    """
    started = time.monotonic()
    yield results.Header(
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
        each(result)
        yield result
    yield results.Footer(counts=dict(counts), seconds=time.monotonic() - started)


def _results(catalogue: Catalogue, todo: Sequence[Job], answers: Iterator[Answer]) -> Iterator[results.Result]:
    faults = {fault.id: fault for fault in catalogue.faults}
    varieties = {variety.id: variety for variety in catalogue.varieties}
    due = Counter(job.id.partition("#")[0] for job in todo)
    parts: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.id in faults:
            yield results.of_fault(faults[answer.id], answer)
            continue
        name = answer.id.partition("#")[0]
        parts[name].append(answer)
        if len(parts[name]) == due[name]:
            yield results.of_variety(varieties[name], parts.pop(name))
