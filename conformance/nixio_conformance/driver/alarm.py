"""An alarm in the main thread: ends a case whose check is in a loop that calls neither implementation nor peer."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator

from nixio_conformance.driver.budget import Budget

#: Seconds between two looks at the budget, at most.
_INTERVAL = 1.0


@contextlib.contextmanager
def watched(budget: Budget) -> Iterator[None]:
    """Look at the budget from time to time; once it is used up, `CaseTimedOut` is raised wherever the code is.

    Without effect on Windows, outside of the main thread, and where something else uses SIGALRM, as pytest-timeout.
    """
    if sys.platform == "win32" or not budget.limited or not _is_free():
        yield
        return

    def look(number: int, frame: object) -> None:
        budget.alarm()

    interval = min(_INTERVAL, max(budget.remaining() / 2, 0.01))
    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, interval, interval)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _is_free() -> bool:
    return (
        threading.current_thread() is threading.main_thread()
        and sys.platform != "win32"
        and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
        and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    )
