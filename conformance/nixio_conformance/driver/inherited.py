"""What this process has inherited from the one that started it, and would pass on to agents."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading

#: Open descriptors of the suite's own process: what it needs at least, and what is enough for each case.
_LEAST, _ENOUGH = 64, 1024


def reset() -> None:
    """Undo what would change results: ignored or blocked signals, and a low limit of descriptors that may be raised.

    SIGINT and SIGTERM may stay ignored, as under nohup. Only the main thread can do this; elsewhere nothing is done.
    """
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        return
    # If it is ignored, the exit status of a child is lost.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    import resource  # missing on Windows

    # macOS may have a lower limit of its own, and a sandbox may forbid to ask.
    with contextlib.suppress(OSError, ValueError):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(_ENOUGH, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def too_little() -> str:
    """What this process lacks to run any case, and how to get it; empty if it lacks nothing."""
    if sys.platform == "win32":
        return ""
    import resource  # missing on Windows

    try:
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    except OSError:
        return ""
    if limit == resource.RLIM_INFINITY or limit >= _LEAST:
        return ""
    return f"only {limit} descriptors may be open; the suite needs {_LEAST} or more: raise the limit (ulimit -n)"
