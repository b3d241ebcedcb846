"""Text of other people, made fit to be shown: agents' output is hostile until shown otherwise."""

from __future__ import annotations

import re

# Control characters (a terminal obeys them), marks that turn the reading direction (they can make a line read as
# another), and lone surrogates (they cannot be encoded). Newline and tab stay.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def visible(text: str) -> str:
    """`text` with everything that cannot be seen, or cannot be encoded, written as an escape such as `\\x1b`."""
    return _INVISIBLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def clip(text: str, limit: int) -> str:
    """The first `limit` characters of `text`, and how many were left out where any were."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit} more characters)"


def one_line(text: str, limit: int = 300) -> str:
    """`text` on one line: visible, white space folded, at most about `limit` characters."""
    return clip(" ".join(visible(text).split()), limit)


def duration(seconds: float) -> str:
    """A length of time for people: `0.42 ms`, `18 ms`, `2.4 s`, `3 min 05 s`."""
    if seconds >= 60:
        return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
    if seconds >= 1:
        return f"{seconds:.1f} s"
    thousandths = seconds * 1000
    return f"{thousandths:.2f} ms" if thousandths < 10 else f"{thousandths:.0f} ms"


def count(number: int, one: str, many: str = "") -> str:
    """`1 case`, `2 cases`: the number with its noun, `many` where the plural is irregular."""
    return f"{number} {one if number == 1 else many or one + 's'}"
