"""A case before it runs, as the tables and pytest's parameters describe it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pytest

from nixio_fixtures import Clause, Kind, load
from nixio_reports import records

#: The parameter by which the check of a family of clauses is multiplied. It decides the clause and is not part of the
#: case's id: `{send,write}.data.arrives` has the cases `send.data.arrives[...]` and `write.data.arrives[...]`.
METHOD = "method"


@dataclass(frozen=True)
class Planned:
    """One case."""

    #: Its id: the clause's id, and in brackets the parameters of the check.
    case: str
    clause: Clause
    kind: Kind | None
    parameters: dict[str, str]

    def row(self, rerun: str) -> records.Row:
        """Its row before it has run; `rerun` is the command that runs it again."""
        return records.Row(
            case=self.case,
            clause=self.clause.id,
            method=self.clause.method,
            level=self.clause.level,
            kind=self.kind.id if self.kind else "",
            parameters=self.parameters,
            source=self.clause.source,
            requires=self.clause.requires,
            outcome="not-run",
            rerun=rerun,
        )


@cache
def clauses_of(row: str) -> dict[str, Clause]:
    """The clauses that a check's mark names, by method: those of a row of the tables, or of some of its methods.

    Raises `KeyError` if one of them is not in the tables, or if they are not of the same row.
    """
    methods, brace, suffix = row.removeprefix("{").partition("}")
    names = [f"{method}{suffix}" for method in methods.split(",")] if brace else [row]
    found = [clause for clause in load().clauses if clause.id in names]
    if len(found) != len(names) or len({clause.family for clause in found}) != 1:
        raise KeyError(row)
    return {clause.method: clause for clause in found}


def planned_case(item: pytest.Item) -> Planned | None:
    """The case of a pytest item; None for a test that is not a check."""
    marker = item.get_closest_marker("clause")
    if marker is None:
        return None
    clauses = clauses_of(marker.args[0])
    spec = getattr(item, "callspec", None)
    parameters = dict(spec.params) if spec else {}
    brackets = spec.id if spec else ""
    if len(clauses) > 1:
        clause = clauses[parameters.pop(METHOD)]
        brackets = brackets.removeprefix(clause.method).removeprefix("-")
    else:
        clause = next(iter(clauses.values()))
    kind = parameters.pop("kind", None)
    case = f"{clause.id}[{brackets}]" if spec and brackets else clause.id
    shown = {name: str(getattr(value, "id", value)) for name, value in parameters.items()}
    return Planned(case, clause, kind, shown)
