"""The catalogue: the faults that the suite must report, and the conforming variants that it must accept."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from nixio_fixtures import Spec, load
from tests.mutants import faults
from tests.mutants.implementation import TARGET
from tests.mutants.registry import Fault, Group, TableGroup, Variant


class CatalogueError(ValueError):
    """Raised for a wrong row; the message names the row and what was expected."""


class NoSuchRow(ValueError):
    """Raised if a pattern selects no row; the message lists the groups."""


@dataclass(frozen=True)
class Catalogue:
    """Rows, in the order of their groups."""

    faults: tuple[Fault, ...]
    variants: tuple[Variant, ...]

    @property
    def rows(self) -> tuple[Fault | Variant, ...]:
        """Faults and variants."""
        return (*self.faults, *self.variants)

    def chosen(self, patterns: Sequence[str]) -> Catalogue:
        """The rows that the patterns select, each an id, a group, or a pattern with `*`; without patterns, all rows.

        Raises `NoSuchRow` for a pattern that selects none.
        """
        for pattern in patterns:
            if not any(_selects(pattern, row.id) for row in self.rows):
                groups = ", ".join(dict.fromkeys(row.id.partition("/")[0] for row in self.rows))
                raise NoSuchRow(f"{pattern!r} is not in the catalogue; its groups are {groups} (--list shows all rows)")
        return self._filtered(lambda row: not patterns or any(_selects(pattern, row) for pattern in patterns))

    def without(self, ids: Collection[str]) -> Catalogue:
        """The rows that have none of these ids."""
        return self._filtered(lambda row: row not in ids)

    def _filtered(self, wanted: Callable[[str], bool]) -> Catalogue:
        return Catalogue(
            tuple(row for row in self.faults if wanted(row.id)), tuple(row for row in self.variants if wanted(row.id))
        )

    def part(self, number: int, parts: int) -> Catalogue:
        """Every `parts`-th row, beginning with row `number` (from 1)."""
        return Catalogue(self.faults[number - 1 :: parts], self.variants[number - 1 :: parts])

    def declared(self) -> dict[str, int]:
        """How many faults each clause is declared to report, by its id.

        A name with `*` counts for no clause: one of several clauses must report such a fault, and the row does not say
        which one.
        """
        return dict(sorted(Counter(name for fault in self.faults for name in fault.clauses if "*" not in name).items()))


def target(row: Fault | Variant) -> str:
    """The value of `--target` for a row."""
    return f"{TARGET}{row.id}"


def catalogue() -> Catalogue:
    """All rows of `faults/`. Raises `CatalogueError` for the first wrong one."""
    modules = sorted(module.name for module in pkgutil.iter_modules(faults.__path__))
    return collect([importlib.import_module(f"{faults.__name__}.{name}").GROUP for name in modules], load())


def collect(groups: Iterable[Group], spec: Spec) -> Catalogue:
    """The rows of these groups, checked against the specification's tables."""
    faults: list[Fault] = []
    variants: list[Variant] = []
    for group in groups:
        if group.unfinished:
            raise CatalogueError(f"{group.name}/{min(group.unfinished)} does not say what differs from the reference")
        faults += group.rows_of_tables() if isinstance(group, TableGroup) else group.faults
        variants += group.variants
    found = Catalogue(tuple(faults), tuple(variants))
    _check(found, spec)
    return found


def _check(found: Catalogue, spec: Spec) -> None:
    counts = Counter(row.id for row in found.rows)
    for row, count in counts.items():
        if count > 1:
            raise CatalogueError(f"{row} is declared twice; ids are unique")
    for fault in found.faults:
        if not fault.clauses:
            raise CatalogueError(f"{fault.id} names no clause; expected those that must report it")
        for name in fault.clauses:
            if not matching(name, spec):
                raise CatalogueError(f"{fault.id} names clause {name!r}, which is not in the tables")
    methods = {method.name for method in spec.methods}
    for variant in found.variants:
        for method in variant.methods:
            if method not in methods:
                raise CatalogueError(f"{variant.id} names method {method!r}, which is not in the tables")


def matching(name: str, spec: Spec) -> tuple[str, ...]:
    """The judged clauses that a fault's row names: an id, or a pattern with `*`."""
    return tuple(
        clause.id
        for clause in spec.clauses
        if clause.level != "may" and (clause.id == name or fnmatchcase(clause.id, name))
    )


def _selects(pattern: str, row: str) -> bool:
    return row == pattern or row.startswith(f"{pattern}/") or fnmatchcase(row, pattern)
