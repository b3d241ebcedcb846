"""The coverage table: for each clause its level, cases, declared and reported faults, and required capabilities."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nixio_fixtures import Clause, Spec
from tests.mutants import results

#: Name of the table in the report folder.
TABLE = "coverage.md"
_HEAD = """\
# Coverage

- **cases**: how often the clause's check is run on the recording host.
- **declared**: faults of the catalogue that the clause must report. A fault that names a pattern with `*` counts for
  no clause.
- **reported**: faults that it reported, of those whose rows name it, by a pattern too. A fault is run up to its first
  finding for each name, so other clauses may report it as well.
- **needs**: what a host must have besides the families that the kinds name.

"""


def markdown(spec: Spec, declared: Mapping[str, int], record: results.Record | None = None) -> str:
    """The table as Markdown; without a record of a run, cases and reported faults are empty."""
    reported = results.reported(record.results) if record else None
    cases = record.header.cases if record else None
    lines = [_HEAD + _sums(spec, declared, record), ""]
    for group in dict.fromkeys(clause.id.partition(".")[0] for clause in spec.clauses):
        lines += [f"## {group}", "", "| clause | level | cases | declared | reported | needs |"]
        lines.append("| --- | --- | ---: | ---: | ---: | --- |")
        lines += [
            row(clause, declared, cases, reported) for clause in spec.clauses if clause.id.startswith(f"{group}.")
        ]
        lines.append("")
    return "\n".join(lines)


def row(
    clause: Clause,
    declared: Mapping[str, int],
    cases: Mapping[str, int] | None = None,
    reported: Mapping[str, int] | None = None,
) -> str:
    """The line of one clause."""
    counts = [str(counts.get(clause.id, 0)) if counts is not None else "" for counts in (cases, declared, reported)]
    needs = ", ".join((*clause.needs, *clause.platforms))
    return f"| `{clause.id}` | {clause.level} | {' | '.join(counts)} | {needs} |"


def without_fault(spec: Spec, clauses: Collection[str]) -> list[str]:
    """The judged clauses that are not among these."""
    return [clause.id for clause in spec.clauses if clause.level != "may" and clause.id not in clauses]


def _sums(spec: Spec, declared: Mapping[str, int], record: results.Record | None) -> str:
    judged = sum(clause.level != "may" for clause in spec.clauses)
    text = f"{judged - len(without_fault(spec, declared))} of {judged} judged clauses have a declared fault.\n"
    if record is None:
        return text
    found = results.reported(record.results)
    outcomes = [result.outcome for result in record.results]
    faults = sum(bool(result.named) and result.outcome != "host-skip" for result in record.results)
    variants = sum(not result.named for result in record.results)
    return (
        f"{text}{judged - len(without_fault(spec, found))} of {judged} reported one. {outcomes.count('reported')} of "
        f"{faults} faults are reported as declared; {outcomes.count('accepted')} of {variants} conforming variants are "
        "accepted.\n"
    )
