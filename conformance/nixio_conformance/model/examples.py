"""Plays that found something once: `examples.toml`, replayed in each run."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

import msgspec

from nixio_conformance.model.moves import BARE, KINDS, SETTINGS, Play


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row: a play with an id and what it shows, written by hand."""

    id: str
    #: What goes wrong in it where something does.
    shows: str
    kind: str
    setting: str
    moves: tuple[tuple[int | str, ...], ...]
    nonblocking: bool = False
    finish: bool = False

    @property
    def play(self) -> Play:
        """The row as a play; ValueError for a kind or a setting that there is none of."""
        if self.kind not in KINDS or self.setting not in (BARE, *SETTINGS[self.kind.partition("-")[2]]):
            raise ValueError(f"examples.toml: {self.id}: no kind {self.kind!r} with a setting {self.setting!r}")
        return Play(self.kind, self.setting, self.nonblocking, self.moves, self.finish)


@cache
def examples() -> tuple[Example, ...]:
    """All rows. Raises `msgspec.ValidationError` for one that is wrong."""
    text = resources.files(__package__).joinpath("examples.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text)["example"], tuple[Example, ...])


def row(play: Play, name: str, shows: str) -> str:
    """A play as a row of the table, to be copied there."""
    moves = "".join(f"    {msgspec.json.encode(move).decode()},\n" for move in play.moves)
    flags = "".join(f"{flag} = true\n" for flag in ("nonblocking", "finish") if getattr(play, flag))
    head = {"id": name, "shows": shows, "kind": play.kind, "setting": play.setting}
    lines = "".join(f"{key} = {msgspec.json.encode(value).decode()}\n" for key, value in head.items())
    return f"[[example]]\n{lines}{flags}moves = [\n{moves}]\n"
