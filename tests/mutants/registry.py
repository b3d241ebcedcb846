"""How faults and varieties are written down: a chapter is a file, a row is a port that differs from the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from tests.mutants.wrapper import Port

C = TypeVar("C", bound=type[Port])


class Fault(NamedTuple):
    """One faulty port."""

    #: `chapter/name`, or `chapter/behaviour/row` where a table says it.
    id: str
    #: What is wrong with it, in words that begin with the subject.
    does: str
    #: Clauses that must report it, each of them. One with `*` stands for several: one of these must.
    clauses: tuple[str, ...]


class Variety(NamedTuple):
    """One right port that uses a freedom."""

    id: str
    #: What is unusual about it.
    does: str
    #: Methods whose cases would show that the suite takes it for wrong; none for all.
    methods: tuple[str, ...]


class Chapter:
    """The rows of one file, with the ports that they are about."""

    def __init__(self, module: str) -> None:
        self.name = module.rpartition(".")[2]
        self.faults: list[Fault] = []
        self.varieties: list[Variety] = []
        self._ports: dict[str, Any] = {}

    def port(self, name: str) -> Any:
        """The port of a row: what `--target` would name. KeyError where there is none."""
        return self._ports[name]

    def fault(self, name: str, does: str, *clauses: str) -> Callable[[C], C]:
        """The decorator of a class that is a faulty port."""

        def register(port: C) -> C:
            self._put(name, port)
            self.faults.append(Fault(f"{self.name}/{name}", does, clauses))
            return port

        return register

    def variety(self, name: str, does: str, *methods: str) -> Callable[[C], C]:
        """The decorator of a class that is an unusual port."""

        def register(port: C) -> C:
            self.also(name, does, port, *methods)
            return port

        return register

    def also(self, name: str, does: str, port: Any, *methods: str) -> None:
        """An unusual port that is not made of one class."""
        self._put(name, port)
        self.varieties.append(Variety(f"{self.name}/{name}", does, methods))

    def row(self, name: str, does: str, clauses: Iterable[str], base: type[Port], **members: Any) -> None:
        """A faulty port that is a class with some members replaced."""
        if isinstance(clauses, str):
            raise TypeError(f"{self.name}/{name}: clauses are several texts, not one: {clauses!r}")
        self.fault(name, does, *clauses)(type(name, (base,), members))

    def unusual(self, name: str, does: str, methods: Iterable[str], base: type[Port], **members: Any) -> None:
        """An unusual port that is a class with some members replaced."""
        self.variety(name, does, *methods)(type(name, (base,), members))

    def _put(self, name: str, port: Any) -> None:
        if name in self._ports:
            raise ValueError(f"{self.name}/{name} stands twice; ids are unique")
        self._ports[name] = port


class Tabled(Chapter):
    """A chapter whose rows come from the specification's tables: a behaviour for each row that it applies to.

    `rows` needs the tables; `port` does not, as an agent that loads them would start at half the speed.
    """

    def __init__(self, module: str, rows: Callable[[], Iterator[Fault]], build: Callable[[str, str], Any]) -> None:
        super().__init__(module)
        self._rows = rows
        self._build = build

    def port(self, name: str) -> Any:
        """The port of `behaviour/row`."""
        behaviour, _, row = name.partition("/")
        return self._build(behaviour, row)

    def tabled(self) -> list[Fault]:
        """All rows."""
        return [row._replace(id=f"{self.name}/{row.id}") for row in self._rows()]
