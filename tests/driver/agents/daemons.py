"""Starts a daemon with a session of its own, an empty environment and a parent that has ended, and answers nothing.

    python daemons.py KIND WORD

WORD only shows which processes are its own. The first line of the output says that the daemon runs.
"""

from __future__ import annotations

import os
import signal
import sys
import time

READY = 3


def quiet() -> None:
    os.closerange(0, READY)


def holding_the_pipes() -> None:
    """Keep the agent's standard input, output and error open."""


def deaf() -> None:
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)


def stopped() -> None:
    os.write(READY, b"!")
    os.kill(os.getpid(), signal.SIGSTOP)


def forking() -> None:
    """Change the process id every 10 ms, for 30 s."""
    os.write(READY, b"!")
    end = time.monotonic() + 30
    while time.monotonic() < end:
        time.sleep(0.01)
        if os.fork():
            os._exit(0)


def parent() -> None:
    """Have children in sessions of their own."""
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            break


def start(kind: str, word: str) -> None:
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.dup2(writer, READY)
            os.execve(sys.executable, [sys.executable, "-S", __file__, kind, word, "as a daemon"], {})
        os._exit(0)
    os.wait()
    os.close(writer)
    os.read(reader, 1)
    os.write(1, b"ready\n")


if len(sys.argv) == 3:
    start(*sys.argv[1:])
else:
    globals()[sys.argv[1]]()
    os.write(READY, b"!")
time.sleep(600)
