"""Makes untrusted text safe to show, and formats numbers. Everything that an agent sends is untrusted."""

from __future__ import annotations

import re

# Control characters (they control a terminal), characters without a width or that change the reading direction (a line
# can then look like another one), and lone surrogates (they cannot be encoded). Newline and tab are kept.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f]"
)
# What CI servers take from a log as a command: `::error file=x::text` at the beginning of a line, which may be a line
# that was wrapped there, and `##[error]`, `##vso[task.complete]` and `##teamcity[message]` anywhere. An IPv6 address is
# none: the names of commands are not hexadecimal.
_COMMAND = re.compile(
    r"::(?=(?:add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|internal-[a-z-]+|notice|remove-matcher|"
    r"save-state|set-env|set-output|stop-commands|warning)\b)|##(?=\[|vso\[|teamcity\[)",
    re.IGNORECASE,
)


def visible(text: str) -> str:
    """Text of others, safe for a terminal, a log and each format of the reports (which escape their own characters).

    Every character that is invisible or cannot be encoded is written as an escape such as `\\x1b`, and so is the first
    character of what a CI server would take for a command.
    """
    if "::" in text or "##" in text:
        text = _COMMAND.sub(_escape, text)
    # Nearly all texts, and much faster than the search.
    if text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return _INVISIBLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    first, rest = ord(match[0][0]), match[0][1:]
    return (f"\\x{first:02x}" if first < 256 else f"\\u{first:04x}" if first < 65536 else f"\\U{first:08x}") + rest


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
    if not 0 <= seconds < 1e9:  # a stream may have any number
        return f"{seconds:g} s"
    if seconds >= 60:
        return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
    if seconds >= 1:
        return f"{seconds:.1f} s"
    thousandths = seconds * 1000
    return f"{thousandths:.2f} ms" if thousandths < 10 else f"{thousandths:.0f} ms"


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 case`, `2 cases`; `many` is the plural if it is irregular."""
    return f"{number} {one if number == 1 else many or one + 's'}"
