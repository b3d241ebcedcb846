"""Formats values and texts of an implementation for reports, shortened to a bounded length.

The limits of a row of the result stream are all here. An implementation may return anything, millions of values too;
what is made of it for the stream is small, so that neither the suite's memory nor the reports grow with it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from nixio_conformance.driver.messages import Foreign

# The longest texts of failing rows that checks cause by themselves, apart from scripts and lists of large data: 400
# characters for `expected` and `actual`, 200 for a step, 4 KiB for all steps. The limits are far above, and their sum
# is below that of a row.
#: Bytes of a row as JSON.
ROW = 64_000
#: Characters of one text: the result of a step, what was expected, what was seen instead.
TEXT = 3_000
#: Characters of the message of a row.
MESSAGE = 6_000
#: Values of a reply that are shown and kept; of more, the first and the last ones.
VALUES = 100
#: Characters of all steps of a row. The last steps are kept.
STEPS = 12_000
#: Characters of a script.
SCRIPT = 16_000
#: Bytes or characters of a value. No check sends or expects more in one call; what is longer is shown with a hash.
LARGE = 2 << 20
_NOTE = re.compile(r"\.\.\. \(\d+ (?:characters|bytes|values), sha256 [0-9a-f]{12}\) \.\.\.")


def clip(text: str, most: int = 2000) -> str:
    """Text of at most `most` characters, and the full length if it was cut."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"


def cut(text: str, most: int = TEXT) -> str:
    """Text of at most `most` characters; a longer one has its length and a hash in place of its middle.

    A text that was cut before keeps its first note.
    """
    if len(text) <= most:
        return text
    before = _NOTE.search(text)
    note = before[0] if before else f"... ({len(text)} characters, sha256 {digest(text)}) ..."
    kept = max(most - len(note), 2)
    return text[: kept - kept // 3] + note + text[-(kept // 3) :]


def digest(data: str | bytes) -> str:
    """The beginning of the SHA-256 of data, of a text in UTF-8: equal for equal values, whatever was cut."""
    encoded = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return hashlib.sha256(encoded).hexdigest()[:12]


def show(value: object) -> str:
    """A value as text for people; long ones are shortened."""
    if isinstance(value, Foreign):
        return f"{clip(value.repr, 200)} (a {clip(value.name, 100)})"
    if isinstance(value, str):
        return clip(repr(value), 300) if len(value) <= LARGE else _ends(value, "characters")
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        if len(data) > LARGE:
            return _ends(data, "bytes")
        return repr(data) if len(data) <= 48 else f"{data[:32]!r}... ({len(data)} bytes)"
    return cut(_repr(value))


def show_all(values: Sequence[object]) -> str:
    """Values as text, separated by commas; of many, the first and the last ones."""
    if len(values) <= VALUES:
        return cut(", ".join(map(show, values)))
    first, last = (", ".join(map(show, some)) for some in (values[:10], values[-5:]))
    return f"{cut(first, TEXT // 2)}, ... ({len(values)} values, sha256 {digest(_repr(values))}) ..., {cut(last, 1000)}"


def alternatives(values: Sequence[object]) -> str:
    """Values as alternatives in a sentence: `a or b`."""
    return " or ".join(str(value) for value in values)


def _ends(data: str | bytes, unit: str) -> str:
    return f"{data[:32]!r}... ({len(data)} {unit}, sha256 {digest(data)}) ...{data[-16:]!r}"


def _repr(value: object) -> str:
    try:
        return repr(value)
    except ValueError:  # an int with more digits than Python converts
        return hex(value) if isinstance(value, int) else f"a {type(value).__name__} without a repr"
