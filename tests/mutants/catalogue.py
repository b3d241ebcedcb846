"""All rows of the proof: the faults that must be reported, and the varieties that must be accepted."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from nixio_fixtures import Spec, load
from tests.mutants import faults
from tests.mutants.implementation import TARGET
from tests.mutants.registry import Chapter, Fault, Tabled, Variety


class CatalogueError(ValueError):
    """A row is wrong: says which, and what was expected."""


class NoSuchRow(ValueError):
    """A word that names no row; says what there is."""


@dataclass(frozen=True)
class Catalogue:
    """The rows, in the order of their chapters."""

    faults: tuple[Fault, ...]
    varieties: tuple[Variety, ...]

    @property
    def rows(self) -> tuple[Fault | Variety, ...]:
        """All of them."""
        return (*self.faults, *self.varieties)

    def chosen(self, words: Sequence[str]) -> Catalogue:
        """The rows that words stand for: an id, a chapter, or a pattern with `*`; all rows for no word.

        Raises `NoSuchRow` for a word that stands for none.
        """
        for word in words:
            if not any(_stands_for(word, row.id) for row in self.rows):
                chapters = ", ".join(dict.fromkeys(row.id.partition("/")[0] for row in self.rows))
                raise NoSuchRow(f"{word!r} is no row of the catalogue; its chapters are {chapters} (--list shows all)")
        return self._kept(lambda row: not words or any(_stands_for(word, row) for word in words))

    def without(self, ids: Collection[str]) -> Catalogue:
        """The rows that have none of these ids."""
        return self._kept(lambda row: row not in ids)

    def _kept(self, wanted: Callable[[str], bool]) -> Catalogue:
        """The rows with an id that is wanted."""
        return Catalogue(
            tuple(row for row in self.faults if wanted(row.id)),
            tuple(row for row in self.varieties if wanted(row.id)),
        )

    def part(self, number: int, parts: int) -> Catalogue:
        """Every `parts`-th row, the first part being 1."""
        return Catalogue(self.faults[number - 1 :: parts], self.varieties[number - 1 :: parts])


def target(row: Fault | Variety) -> str:
    """What `--target` takes for a row's port."""
    return f"{TARGET}{row.id}"


def catalogue() -> Catalogue:
    """The catalogue that is shipped with this package. Raises `CatalogueError` for the first wrong row."""
    modules = sorted(module.name for module in pkgutil.iter_modules(faults.__path__))
    return collect([importlib.import_module(f"{faults.__name__}.{name}").CHAPTER for name in modules], load())


def collect(chapters: Iterable[Chapter], spec: Spec) -> Catalogue:
    """The rows of these chapters, checked against the tables."""
    faults: list[Fault] = []
    varieties: list[Variety] = []
    for chapter in chapters:
        faults += chapter.tabled() if isinstance(chapter, Tabled) else chapter.faults
        varieties += chapter.varieties
    seen: set[str] = set()
    methods = {method.name for method in spec.methods}
    found = Catalogue(tuple(faults), tuple(varieties))
    for row in found.rows:
        if row.id in seen:
            raise CatalogueError(f"{row.id} stands twice; ids are unique")
        seen.add(row.id)
    for fault in faults:
        if not fault.clauses:
            raise CatalogueError(f"{fault.id} names no clause; expected those that must report it")
        for name in fault.clauses:
            if not stands_for(name, spec):
                raise CatalogueError(f"{fault.id} names clause {name!r}, which no table has")
    for variety in varieties:
        for method in variety.methods:
            if method not in methods:
                raise CatalogueError(f"{variety.id} names method {method!r}, which no table has")
    return found


def stands_for(name: str, spec: Spec) -> tuple[str, ...]:
    """The clauses that a fault's row means by a name, which may have `*` in it."""
    return tuple(
        clause.id
        for clause in spec.clauses
        if clause.level != "may" and (clause.id == name or fnmatchcase(clause.id, name))
    )


def _stands_for(word: str, row: str) -> bool:
    return row == word or row.startswith(f"{word}/") or fnmatchcase(row, word)
