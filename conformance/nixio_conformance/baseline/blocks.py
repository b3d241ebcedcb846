"""Finds the lines of each row in a baseline's file, because `tomllib` reports no line numbers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_HEADING = re.compile(r"\s*\[\[\s*deviation\s*\]\]\s*(#.*)?")
_KEY = re.compile(r"\s*(clause|kinds|cases|outcomes|reason)\s*=")
#: A blank line or a comment.
_BLANK = re.compile(r"\s*(#.*)?")


@dataclass(frozen=True, slots=True)
class TextBlock:
    """The lines of one row, counted from 0: from its comments and heading to its last value.

    Lines between two blocks belong to neither row, for example the heading of a group of rows.
    """

    first: int
    heading: int
    last: int

    def find(self, lines: list[str], value: str) -> int:
        """The line, counted from 1, that contains the string `value` literally; the heading's line if there is none."""
        spellings = (quoted(value), f"'{value}'")
        for number in range(self.heading, self.last + 1):
            if any(spelling in lines[number] for spelling in spellings):
                return number + 1
        return self.heading + 1

    def key(self, lines: list[str], name: str) -> int:
        """The line, counted from 1, where the value of the key `name` begins."""
        for number in range(self.heading, self.last + 1):
            if (found := _KEY.match(lines[number])) and found[1] == name:
                return number + 1
        return self.heading + 1


def blocks(lines: list[str]) -> list[TextBlock]:
    """The blocks of a file, one for each `[[deviation]]`, in their order."""
    headings = [number for number, line in enumerate(lines) if _HEADING.fullmatch(line)]
    made = []
    for heading, following in zip(headings, [*headings[1:], len(lines)], strict=False):
        first, last = heading, following - 1
        while first and lines[first - 1].lstrip().startswith("#"):
            first -= 1
        while last > heading and _BLANK.fullmatch(lines[last]):
            last -= 1
        made.append(TextBlock(first, heading, last))
    return made


def keys(block: list[str]) -> dict[str, list[str]]:
    """The lines of a row by the key that they belong to; those before the first key are under `""`."""
    parts: dict[str, list[str]] = {}
    key = ""
    for line in block:
        if (found := _KEY.match(line)) and found[1] not in parts:
            key = found[1]
        parts.setdefault(key, []).append(line)
    return parts


def quoted(text: str) -> str:
    """A string as a TOML literal: a JSON literal, in which DEL is escaped, because TOML forbids it unescaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
