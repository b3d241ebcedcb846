"""An agent whose methods use up resources, start processes, or block. It imports nothing of the project."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any, NoReturn

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]


def say(**reply: Any) -> None:
    os.write(1, json.dumps(reply).encode() + b"\n")


def report(pid: int) -> None:
    os.write(2, f"{pid}\n".encode())


def hang() -> NoReturn:
    while True:
        time.sleep(60)


def allocate() -> None:
    """Allocate until it fails."""
    kept = []
    while True:
        kept.append(bytearray(b"x") * (1 << 22))


def allocate_and_hang() -> None:
    kept = []
    try:
        while True:
            kept.append(bytearray(b"x") * (1 << 22))
    except MemoryError:
        hang()


def open_without_end() -> int:
    kept: list[int] = []
    try:
        for _ in itertools.count():
            kept.append(os.dup(0))
    except OSError:
        found = len(kept)
        for descriptor in kept:
            os.close(descriptor)
    return found


def fill_the_disk() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    # An unlinked file, which disappears with this process.
    descriptor = os.open(".", os.O_TMPFILE | os.O_WRONLY)
    while True:
        os.write(descriptor, bytes(1 << 20))


def child_in_a_group_of_its_own() -> None:
    report(subprocess.Popen(SLEEP, process_group=0, stdin=subprocess.DEVNULL).pid)


def child_in_a_session_of_its_own() -> None:
    report(subprocess.Popen(SLEEP, start_new_session=True, stdin=subprocess.DEVNULL, env={}).pid)


def daemon() -> None:
    """Start a process that has a session of its own and whose parent has ended."""
    middle = os.fork()
    if middle:
        os.waitpid(middle, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    report(os.getpid())
    hang()


def stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def deaf() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    hang()


def drip() -> None:
    """Write an endless reply slowly."""
    while True:
        os.write(1, b" ")
        time.sleep(0.005)


def pour() -> None:
    """Write an endless reply, faster than it is read."""
    while True:
        os.write(1, b" ")


def unfinished() -> None:
    os.write(1, b'{"id": 3, "reply": "values", "values": []}')
    hang()


def unfinished_and_gone() -> None:
    os.write(1, b'{"id": 3, "reply":')
    os._exit(4)


def repeat_old_answers() -> None:
    while True:
        say(id=1, reply="values", values=[])


def close_everything() -> None:
    os.closerange(0, 100)
    hang()


def long_failure(identifier: int) -> None:
    say(id=identifier, reply="failure", kind="system", name="E" * 1_000_000, message="m" * 1_000_000)


def long_text(identifier: int) -> None:
    say(id=identifier, reply="values", values=["t" * 1_000_000])


def long_field(identifier: int) -> None:
    say(**{"id": identifier, "reply": "values", "values": [], "f" * 1_000_000: 1})


def main() -> None:
    for line in sys.stdin.buffer:
        request = json.loads(line)
        identifier = request["id"]
        if request["do"] == "hello":
            say(id=identifier, reply="hello", protocol=1, name="wild")
        elif request["do"] == "socket":
            say(id=identifier, reply="values", values=[{"type": "socket", "socket": 1}])
        elif request.get("method") in ("long_failure", "long_text", "long_field"):
            globals()[request["method"]](identifier)
        elif request["do"] == "call":
            found = globals()[request["method"]]()
            say(id=identifier, reply="values", values=[found])
        else:
            say(id=identifier, reply="values", values=[])


main()
