"""A badge: the JSON that shields.io's endpoint takes."""

from __future__ import annotations

from .stream import Stream
from .summary import tally, verdict


def badge_data(stream: Stream) -> dict[str, str | int]:
    """The verdict as `schemaVersion`, `label`, `message` and `color`."""
    made = verdict(stream)
    counts = tally(stream.rows, stream.header.judged)
    message, color = {
        "conforming": (f"conforming, {counts.passed} passed", "brightgreen"),
        "not-conforming": (f"not conforming, {counts.failed} failed", "red"),
        "no-verdict": ("no verdict", "lightgrey"),
    }[made.state]
    return {"schemaVersion": 1, "label": "nixio.Socket", "message": message, "color": color}
