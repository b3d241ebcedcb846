"""A badge: the JSON that shields.io's endpoint takes."""

from __future__ import annotations

from .stream import Stream
from .summary import known_clauses, tally, verdict
from .text import count


def badge_data(stream: Stream) -> dict[str, str | int]:
    """The verdict as `schemaVersion`, `label`, `message` and `color`."""
    made = verdict(stream)
    counts = tally(stream.rows, stream.header.judged)
    known = known_clauses(stream.rows)
    conforming = (f"conforming, {counts.passed} passed", "brightgreen")
    if known:
        conforming = (f"conforming but for {count(known, 'known clause')}, {counts.passed} passed", "yellowgreen")
    message, color = {
        "conforming": conforming,
        "not-conforming": (f"not conforming, {counts.failed} failed", "red"),
        "no-verdict": ("no verdict", "lightgrey"),
    }[made.state]
    return {"schemaVersion": 1, "label": "nixio.Socket", "message": message, "color": color}
