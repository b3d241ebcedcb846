"""Regression examples: sequences that once failed, in `examples.toml`; each run repeats them."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

import msgspec

from nixio_conformance.model.sequences import BARE, KINDS, Operation, OperationSequence, initial_states


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the table: a sequence, with an id and a comment that are written by hand."""

    id: str
    #: The fault that the sequence detects.
    shows: str
    kind: str
    initial: str
    operations: tuple[Operation, ...]
    nonblocking: bool = False
    finish: bool = False

    @property
    def sequence(self) -> OperationSequence:
        """The row's sequence. Raises ValueError for an unknown kind or initial state."""
        sequence = OperationSequence(self.kind, self.initial, self.nonblocking, self.operations, self.finish)
        if self.kind not in KINDS or self.initial not in (BARE, *initial_states(sequence)):
            raise ValueError(f"examples.toml: {self.id}: no kind {self.kind!r} with an initial state {self.initial!r}")
        return sequence


@cache
def examples() -> tuple[Example, ...]:
    """All rows. Raises `msgspec.ValidationError` for one that does not have the fields of `Example`."""
    text = resources.files(__package__).joinpath("examples.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text)["example"], tuple[Example, ...])


def example_row(sequence: OperationSequence, name: str, shows: str) -> str:
    """A sequence as a row, in TOML, to be copied into the table."""
    operations = "".join(f"    {msgspec.json.encode(operation).decode()},\n" for operation in sequence.operations)
    flags = "".join(f"{flag} = true\n" for flag in ("nonblocking", "finish") if getattr(sequence, flag))
    head = {"id": name, "shows": shows, "kind": sequence.kind, "initial": sequence.initial}
    lines = "".join(f"{key} = {msgspec.json.encode(value).decode()}\n" for key, value in head.items())
    return f"[[example]]\n{lines}{flags}operations = [\n{operations}]\n"
