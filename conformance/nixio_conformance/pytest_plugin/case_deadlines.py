"""The deadline of each case: a short one for the methods in which many cases have timed out already."""

from __future__ import annotations

from collections import Counter

from nixio_conformance.driver.timeouts import CASE_SHORT

#: Cases that have to time out in a method before its other cases get less time.
MANY = 10


class CaseDeadlines:
    """Counts the cases that timed out in this process, by method."""

    def __init__(self, seconds: float | None) -> None:
        """`seconds` is the deadline of a case; None for none."""
        self._seconds = seconds
        self._timed_out: Counter[str] = Counter()

    def of(self, method: str) -> float | None:
        """The deadline of the next case of a method, in seconds; None for none."""
        if self._seconds is None or self._timed_out[method] < MANY:
            return self._seconds
        return min(self._seconds, CASE_SHORT)

    def timed_out(self, method: str) -> None:
        """Count a case that timed out."""
        self._timed_out[method] += 1
