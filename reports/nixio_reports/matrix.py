"""The matrix of a report: methods by kinds of socket, with the number of cases in each group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .order import NO_KIND, in_order, kinds, methods
from .outcomes import GROUPS, Group
from .records import Row


@dataclass(frozen=True, slots=True)
class Tally:
    """The number of cases in each group."""

    error: int = 0
    failed: int = 0
    informational: int = 0
    known: int = 0
    unrun: int = 0
    skipped: int = 0
    passed: int = 0

    @classmethod
    def of(cls, groups: Iterable[Group]) -> Tally:
        """Count the groups of some cases."""
        return cls(**Counter[str](groups))

    @property
    def total(self) -> int:
        """All cases."""
        return sum(number for _, number in self.parts())

    def __add__(self, other: Tally) -> Tally:
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in GROUPS})

    def parts(self) -> tuple[tuple[Group, int], ...]:
        """The groups with their numbers of cases, the most urgent first, without empty groups."""
        return tuple((name, getattr(self, name)) for name in GROUPS if getattr(self, name))


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One method on one kind of socket, with its rows in the order of the run."""

    method: str
    kind: str
    tally: Tally
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Methods by kinds. `cells` has the pairs with at least one case; a case without a kind is in column `NO_KIND`."""

    methods: tuple[str, ...]
    kinds: tuple[str, ...]
    cells: Mapping[tuple[str, str], MatrixCell]
    by_method: Mapping[str, Tally]
    by_kind: Mapping[str, Tally]
    total: Tally


def matrix(rows: Iterable[Row], groups: Mapping[str, Group]) -> Matrix:
    """Arrange rows by method and kind; `groups` has the group of each case.

    Methods and kinds are in the order of the document, unknown ones follow.
    """
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.method, row.kind or NO_KIND), []).append(row)
    cells = {
        (method, kind): MatrixCell(method, kind, Tally.of(groups[row.case] for row in of), tuple(of))
        for (method, kind), of in found.items()
    }
    by_method: dict[str, Tally] = {}
    by_kind: dict[str, Tally] = {}
    for (method, kind), cell in cells.items():
        by_method[method] = by_method.get(method, Tally()) + cell.tally
        by_kind[kind] = by_kind.get(kind, Tally()) + cell.tally
    return Matrix(
        methods=in_order(by_method, methods()),
        kinds=in_order(by_kind, kinds()),
        cells=cells,
        by_method=by_method,
        by_kind=by_kind,
        total=sum(by_method.values(), Tally()),
    )
