"""Makes untrusted text safe to show, and formats numbers. Everything that an agent sends is untrusted."""

from __future__ import annotations

import re

# Control characters (they control a terminal), marks that change the reading direction (a line can then look like
# another one), and lone surrogates (they cannot be encoded). Newline and tab are kept.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def visible(text: str) -> str:
    """`text` with every character that is invisible or cannot be encoded written as an escape such as `\\x1b`."""
    return _INVISIBLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def clip(text: str, limit: int) -> str:
    """The first `limit` characters of `text`, and the number of characters that were left out, if any."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit} more characters)"


def one_line(text: str, limit: int = 300) -> str:
    """`text` on one line, safe to show: white space is folded, and `limit` is the number of characters kept."""
    return clip(" ".join(visible(text).split()), limit)


def duration(seconds: float) -> str:
    """A duration as text: `0.42 ms`, `18 ms`, `2.4 s`, `3 min 05 s`."""
    if seconds >= 60:
        return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
    if seconds >= 1:
        return f"{seconds:.1f} s"
    thousandths = seconds * 1000
    return f"{thousandths:.2f} ms" if thousandths < 10 else f"{thousandths:.0f} ms"


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 case`, `2 cases`; `many` is the plural if it is irregular."""
    return f"{number} {one if number == 1 else many or one + 's'}"
