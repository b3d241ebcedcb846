"""The coverage ledger: for each clause its level, its cases, the faults that it caught, and what a host must have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

from nixio_fixtures import Clause, Spec
from tests.mutants import results

#: The recorded numbers that are shipped, for reports to show: faults caught by clause.
CAUGHT = "caught.json"
_HEAD = """\
# Coverage ledger

What proves each clause. Written by `nixio-conformance prove --whole --ledger docs/coverage.md`: do not edit it by hand.

- **Cases**: on a host that lacks nothing, how often the clause's check is run.
- **Faults**: how many of the catalogue's faulty ports it reported, of those whose rows say that it must. A fault is run
  up to its first finding in each clause that its row names, so other clauses may report it too.
- **Needs**: what a host must have besides the families that the kinds name.

"""


def markdown(spec: Spec, proof: results.Proof) -> str:
    """The ledger as a page."""
    caught = results.caught(proof.results)
    judged = [clause for clause in spec.clauses if clause.level != "may"]
    proven = sum(clause.id in caught for clause in judged)
    good = sum(result.outcome == "reported" for result in proof.results)
    faults = sum(bool(result.named) and result.outcome != "host-skip" for result in proof.results)
    accepted = sum(result.outcome == "accepted" for result in proof.results)
    varieties = sum(not result.named for result in proof.results)
    lines = [
        _HEAD,
        f"{good} of {faults} faults are reported as their rows say; {accepted} of {varieties} unusual right ports are "
        f"accepted. {proven} of {len(judged)} judged clauses have a fault that they report.",
        "",
    ]
    for chapter in dict.fromkeys(clause.id.partition(".")[0] for clause in spec.clauses):
        lines += [
            f"## {chapter}",
            "",
            "| clause | level | cases | faults | needs |",
            "| --- | --- | ---: | ---: | --- |",
        ]
        lines += [
            row(clause, proof.header.cases, caught) for clause in spec.clauses if clause.id.startswith(f"{chapter}.")
        ]
        lines.append("")
    return "\n".join(lines)


def row(clause: Clause, cases: Mapping[str, int], caught: Mapping[str, int]) -> str:
    """One clause."""
    needs = ", ".join((*clause.needs, *clause.platforms))
    return f"| `{clause.id}` | {clause.level} | {cases.get(clause.id, 0)} | {caught.get(clause.id, 0)} | {needs} |"


def from_tables(page: str) -> set[tuple[str, str, str]]:
    """Clause, level and needs of each row of a page: what the tables alone say, to see whether it is up to date."""
    found = set()
    for line in page.splitlines():
        if line.startswith("| `"):
            clause, level, _, _, needs = (cell.strip() for cell in line.strip("|").split("|"))
            found.add((clause.strip("`"), level, needs))
    return found


def expected(spec: Spec) -> set[tuple[str, str, str]]:
    """The same of the tables."""
    return {(clause.id, clause.level, ", ".join((*clause.needs, *clause.platforms))) for clause in spec.clauses}


def without_fault(spec: Spec, caught: Iterable[str]) -> list[str]:
    """Judged clauses that no fault is reported by."""
    known = set(caught)
    return [clause.id for clause in spec.clauses if clause.level != "may" and clause.id not in known]


def recorded(proof: results.Proof) -> str:
    """What is shipped of a proof: the text of `CAUGHT`."""
    return json.dumps(dict(sorted(results.caught(proof.results).items())), indent=1) + "\n"


@cache
def caught() -> dict[str, int]:
    """Faults that each clause reported when this version was proven; empty where nothing was recorded."""
    try:
        text = (resources.files(__package__) / CAUGHT).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    return {str(clause): int(count) for clause, count in json.loads(text).items()}
