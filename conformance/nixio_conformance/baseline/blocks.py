"""The lines of a baseline's file: which of them make up each row. TOML's own parser does not tell."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_HEADING = re.compile(r"\s*\[\[\s*deviation\s*\]\]\s*(#.*)?")
_KEY = re.compile(r"\s*(clause|kinds|cases|outcomes|reason)\s*=")
#: A comment or nothing.
_SILENT = re.compile(r"\s*(#.*)?")


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of one row, from 0: its comments, the heading, and up to its last value.

    What stands before `first` and after the row above belongs to nobody: headings of a group of rows, say.
    """

    first: int
    heading: int
    last: int

    def find(self, lines: list[str], value: str) -> int:
        """The line, from 1, where a string stands; the heading's where it is written in some odd way."""
        spellings = (quoted(value), f"'{value}'")
        for number in range(self.heading, self.last + 1):
            if any(spelling in lines[number] for spelling in spellings):
                return number + 1
        return self.heading + 1

    def key(self, lines: list[str], name: str) -> int:
        """The line, from 1, where the value of a key begins."""
        for number in range(self.heading, self.last + 1):
            if (found := _KEY.match(lines[number])) and found[1] == name:
                return number + 1
        return self.heading + 1


def blocks(lines: list[str]) -> list[Block]:
    """Each `[[deviation]]` of a file, in its order."""
    headings = [number for number, line in enumerate(lines) if _HEADING.fullmatch(line)]
    made = []
    for heading, following in zip(headings, [*headings[1:], len(lines)], strict=False):
        first, last = heading, following - 1
        while first and lines[first - 1].lstrip().startswith("#"):
            first -= 1
        while last > heading and _SILENT.fullmatch(lines[last]):
            last -= 1
        made.append(Block(first, heading, last))
    return made


def keys(block: list[str]) -> dict[str, list[str]]:
    """A row's lines by the key whose value they are; what stands before the first key has none."""
    parts: dict[str, list[str]] = {}
    key = ""
    for line in block:
        if (found := _KEY.match(line)) and found[1] not in parts:
            key = found[1]
        parts.setdefault(key, []).append(line)
    return parts


def quoted(text: str) -> str:
    """A string as TOML writes it. JSON's form is one, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
