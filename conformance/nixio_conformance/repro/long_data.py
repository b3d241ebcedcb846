"""Long data in scripts: the rule that makes them, where they follow one, else their two ends.

The data of checks are megabytes, and nearly all of them repeat a few bytes or count up, so that the script stays short
and makes the same calls. Of other data zeros stand for the middle, and a comment says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nixio_conformance.driver.text import SCRIPT, digest

#: The longest unit of repeated data that is looked for.
_UNIT = 64
#: Lengths of data that are written in full, tried in this order until the script is short enough.
_IN_FULL = (4096, 256, 32)
#: Characters of one line.
_LINE = 2_000


@dataclass(frozen=True)
class Repeated:
    """`unit` repeated `times`, then `rest`."""

    unit: str | bytes
    times: int
    rest: str | bytes


@dataclass(frozen=True)
class Numbered:
    """`head`, then numbers of 4 bytes, the most significant first, from `first` to `last`, then `rest`."""

    head: bytes
    first: int
    last: int
    rest: bytes


@dataclass(frozen=True)
class Cut:
    """The two ends of data, and how much is missing between them; `note` says so."""

    head: str | bytes
    missing: int
    tail: str | bytes
    note: str


def repeated(data: str | bytes) -> Repeated | None:
    """Data as a repetition; None where they are none."""
    for size in range(1, _UNIT + 1):
        unit = data[:size]
        if data[size : 2 * size] == unit and data == (unit * (len(data) // size + 1))[: len(data)]:
            times = len(data) // size
            return Repeated(unit, times, data[times * size :])
    return None


def numbered(data: bytes) -> Numbered | None:
    """Data as numbers that count up; None where they do not."""
    for start in range(4):
        count = (len(data) - start) // 4
        first = int.from_bytes(data[start : start + 4], "big")
        if data[start + 4 : start + 8] != (first + 1).to_bytes(5, "big")[1:] or first + count > 1 << 32:
            continue
        numbers = range(first, first + count)
        if data[start : start + 4 * count] == b"".join(number.to_bytes(4, "big") for number in numbers):
            return Numbered(data[:start], first, numbers[-1], data[start + 4 * count :])
    return None


def cut(data: str | bytes) -> Cut:
    """The two ends of data."""
    unit = "bytes" if isinstance(data, bytes) else "characters"
    missing = len(data) - 32
    note = f"zeros stand for {missing} of {len(data)} {unit} (sha256 {digest(data)})"
    return Cut(data[:16], missing, data[-16:], note)


def fitted(lines: Callable[[int], Sequence[str]], comment: Callable[[str], str], most: int = SCRIPT) -> Sequence[str]:
    """The lines of a script of at most `most` characters.

    `lines` makes them, with data up to a length written in full. Where there are too many, those in the middle are
    left out: the first ones create the sockets, and the last ones lead to the failure.
    """
    made: Sequence[str] = ()
    for longest in _IN_FULL:
        made = lines(longest)
        if _size(made) <= most:
            return made
        if len(made) > most // 16:  # so many lines that shorter data cannot help
            break
    made = [line if len(line) <= _LINE else comment(f"left out, too long: {line[:200]}") for line in made]
    if _size(made) <= most:
        return made
    first, last = _within(made, most // 2), _within(made[::-1], most // 2 - 200)
    middle = comment(f"{len(made) - first - last} lines are left out here: the script would be too long")
    return [*made[:first], middle, *made[len(made) - last :]]


def _size(lines: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _within(lines: Sequence[str], most: int) -> int:
    """How many of the lines fit."""
    for number, line in enumerate(lines):
        most -= len(line) + 1
        if most < 0:
            return number
    return len(lines)
