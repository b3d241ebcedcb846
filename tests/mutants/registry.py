"""How faults and conforming variants are declared: a group is a file, a row is a mutant of the reference.

A row has an id, a sentence, and the clauses that must report it (a variant has methods to judge it by instead). What
differs from the reference is given in one of three forms:

    @fault("offset-kept", "send keeps the last offset", "send.offset.default")
    def send(self: Wrapped, *arguments: Any) -> Any: ...          # replaces one method of the class that `self` names

    @fault("accepted-owned", "accepted sockets are closed with their listener", "accept.listener.closed")
    class AcceptedOwned(Wrapped): ...                               # several methods, or state

    fault("returns-zero", "close returns 0", "close.result.true").override(Close, result=lambda sock, result: 0)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from tests.mutants.wrapper import Wrapped

C = TypeVar("C", bound=Callable[..., Any])


class Fault(NamedTuple):
    """One faulty implementation."""

    #: `group/name`, or `group/behaviour/subject` in groups made from the specification's tables.
    id: str
    #: What is wrong, as a sentence that begins with the subject.
    does: str
    #: Clauses that must report it, each of them. A pattern with `*` stands for several, of which one must.
    clauses: tuple[str, ...]


class Variant(NamedTuple):
    """One conforming implementation with permitted but unusual behaviour: the suite must accept it."""

    id: str
    #: What is unusual about it.
    does: str
    #: Methods whose cases are run besides the sample; if empty, only the sample is run.
    methods: tuple[str, ...]


class Group:
    """The rows of one file of `faults/`, and the implementations that `--target` finds by their names."""

    def __init__(self, module: str) -> None:
        self.name = module.rpartition(".")[2]
        self.faults: list[Fault] = []
        self.variants: list[Variant] = []
        #: Rows that were declared without saying what differs from the reference.
        self.unfinished: set[str] = set()
        self._implementations: dict[str, Any] = {}

    def implementation(self, name: str) -> Any:
        """What `--target` finds by a row's name: a class or an object. KeyError for an unknown name."""
        return self._implementations[name]

    def fault(self, name: str, does: str, /, *clauses: str, **members: Any) -> Declaration:
        """Declare a fault; `members` are further attributes of its class."""
        return self.declare(Fault(f"{self.name}/{name}", does, clauses), Wrapped, members)

    def variant(self, name: str, does: str, /, *methods: str) -> Declaration:
        """Declare a conforming variant."""
        return self.declare(Variant(f"{self.name}/{name}", does, methods), Wrapped, {})

    def rows(
        self,
        base: type[Wrapped],
        id: str = "{}",  # noqa: A002
        does: str = "{}",
        clause: str = "{}",
        methods: tuple[str, ...] = (),
    ) -> Callable[..., Declaration]:
        """Return a function like `fault` for rows with a common base class and wording.

        The formats take the name, the sentence and each clause of a row. Where there are `methods`, each row is a fault
        for each of them, and the formats take `{method}` too.
        """

        def declare(name: str, sentence: str, /, *clauses: str, **members: Any) -> Declaration:
            declaration = Declaration(self)
            for method in methods or ("",):
                named = tuple(clause.format(each, method=method) for each in clauses)
                fault = Fault(
                    f"{self.name}/{id.format(name, method=method)}", does.format(sentence, method=method), named
                )
                own = {"methods": (method,)} if methods else {}
                declaration.add(fault, base, own | members)
            return declaration

        return declare

    def declare(self, row: Fault | Variant, base: type[Wrapped], members: dict[str, Any]) -> Declaration:
        """Declare one row."""
        declaration = Declaration(self)
        declaration.add(row, base, members)
        return declaration

    def announce(self, row: Fault | Variant) -> None:
        """Reserve a row's id. ValueError if it is taken."""
        name = row.id.partition("/")[2]
        if name in self._implementations or name in self.unfinished:
            raise ValueError(f"{row.id} is declared twice; ids are unique")
        self.unfinished.add(name)

    def finish(self, row: Fault | Variant, implementation: Any) -> None:
        """Add a row with its implementation."""
        name = row.id.partition("/")[2]
        self.unfinished.discard(name)
        self._implementations[name] = implementation
        if isinstance(row, Fault):
            self.faults.append(row)
        else:
            self.variants.append(row)


class Declaration:
    """The declaration of a row, or of one row for each of several methods, before its implementation is given.

    As a decorator it takes a class, or a function that replaces a method of the class which annotates its `self`.
    """

    def __init__(self, group: Group) -> None:
        self._group = group
        self._rows: list[tuple[Fault | Variant, type[Wrapped], dict[str, Any]]] = []

    def add(self, row: Fault | Variant, base: type[Wrapped], members: dict[str, Any]) -> None:
        """Add a row, with the base class and the members that its class always has."""
        self._group.announce(row)
        self._rows.append((row, base, members))

    def __call__(self, decorated: C) -> C:
        if isinstance(decorated, type):
            self.use(decorated)
        else:
            base = decorated.__annotations__["self"]
            self.override(decorated.__globals__[base], **{decorated.__name__: decorated})
        return decorated

    def override(self, base: type[Wrapped] | None = None, /, **members: Any) -> None:
        """Use a subclass of `base` with these members replaced."""
        for row, usual, own in self._rows:
            parent = base or usual
            for name in (*own, *members):
                if not hasattr(parent, name) and name not in parent.__annotations__:
                    raise TypeError(f"{row.id} overrides {name!r}, which {parent.__name__} does not have")
            self._group.finish(row, type(row.id, (parent,), {**own, **members}))

    def use(self, implementation: Any) -> None:
        """Use a class, or any object that `--target` may name."""
        for row, _, _ in self._rows:
            self._group.finish(row, implementation)


class TableGroup(Group):
    """A group made from the specification's tables: a behaviour for each of their rows that it applies to.

    `rows_of_tables` needs the tables; `implementation` does not, since an agent that loads them takes twice as long to
    start.
    """

    def __init__(self, module: str, rows: Callable[[], Iterator[Fault]], build: Callable[[str, str], Any]) -> None:
        super().__init__(module)
        self._of_tables = rows
        self._build = build

    def implementation(self, name: str) -> Any:
        """The implementation of `behaviour/subject`. KeyError for an unknown name."""
        behaviour, _, subject = name.partition("/")
        return self._build(behaviour, subject)

    def rows_of_tables(self) -> list[Fault]:
        """All rows, with the group's name in their ids."""
        return [row._replace(id=f"{self.name}/{row.id}") for row in self._of_tables()]
