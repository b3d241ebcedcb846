"""A badge as JSON, for the endpoint badge of shields.io."""

from __future__ import annotations

from .summary import Summary
from .text import count


def badge_data(summary: Summary) -> dict[str, str | int]:
    """The verdict as the fields `schemaVersion`, `label`, `message` and `color`."""
    counts = summary.matrix.total
    conforming = (f"conforming, {counts.passed} passed", "brightgreen")
    if known := summary.verdict.known_clauses:
        conforming = (f"conforming except for {count(known, 'known clause')}, {counts.passed} passed", "yellowgreen")
    message, color = {
        "conforming": conforming,
        "not-conforming": (f"not conforming, {counts.failed} failed", "red"),
        "no-verdict": ("no verdict", "lightgrey"),
    }[summary.verdict.state]
    return {"schemaVersion": 1, "label": "nixio.Socket", "message": message, "color": color}
