"""An agent with faults: the first argument names the fault in its hello, a method's name the fault in a call.

Like any agent it imports nothing of the project.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any, NoReturn


def say(**reply: Any) -> None:
    write(json.dumps(reply).encode() + b"\n")


def write(data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(1, rest) :]


def values(identifier: int, *found: Any) -> None:
    say(id=identifier, reply="values", values=list(found))


def hang() -> NoReturn:
    while True:
        time.sleep(60)


def hello(identifier: int, mode: str) -> None:
    welcome = {"id": identifier, "reply": "hello", "protocol": 1, "name": "faulty", "capabilities": []}
    if mode == "exit":
        sys.stderr.write("no such library\n")
        sys.exit(7)
    elif mode == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif mode == "silent":
        hang()
    elif mode == "garbage":
        write(b"Lua 5.1.5  Copyright (C) 1994-2012\n")
    elif mode == "protocol":
        say(**{**welcome, "protocol": 2})
    elif mode == "unavailable":
        say(id=identifier, reply="unavailable", message="module 'nixio' not found")
    elif mode == "instead":
        say(id=identifier, reply="instead", argv=[sys.executable, __file__, "correct"])
    elif mode == "instead-of-itself":
        say(id=identifier, reply="instead", argv=[sys.executable, __file__, mode])
    elif mode == "values":
        values(identifier)
    else:
        say(**welcome)


#: What a call writes that is no reply.
LINES = {
    "nested": b'{"reply": "values", "id": 1, "values": [' + b'{"a": ' * 50_000 + b"1" + b"}" * 50_000 + b"]}\n",
    "garbage": b"Segmentation fault (core dumped)\n",
    "not-utf-8": b'{"id": 1, "reply": "\xff\xfe"}\n',
}
#: The fields of wrong or unusual replies to a call, besides the request's id.
REPLIES: dict[str, dict[str, Any]] = {
    "extra-field": {"reply": "values", "values": [], "colour": "red"},
    "negative-id": {"reply": "values", "values": [1], "id": -1},
    "hex": {"reply": "values", "values": [{"type": "buffer", "hex": "0g"}]},
    "odd-hex": {"reply": "values", "values": [{"type": "buffer", "hex": "abc"}]},
    "unsupported": {"reply": "unsupported", "message": "no fileno over ssh", "missing": False},
    "missing": {"reply": "unsupported", "message": "no such method"},
}


def end(identifier: int, method: str) -> None:
    """A call after which the agent takes no request; returns where the method is another one."""
    if method == "exit":
        sys.stderr.write("out of cheese\n")
        sys.stderr.flush()
        os._exit(3)
    elif method == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif method == "hang":
        hang()
    elif method == "hang-with-child":
        print(subprocess.Popen(["sleep", "600"]).pid, file=sys.stderr, flush=True)
        hang()
    elif method == "exit-with-child":
        print(subprocess.Popen(["sleep", "600"]).pid, file=sys.stderr, flush=True)
        os._exit(3)
    elif method == "close-stdout":
        os.close(1)
        hang()
    elif method == "close-stdin":
        os.close(0)
        values(identifier, 1)
        hang()
    elif method == "stop-reading":
        values(identifier, 1)
        hang()
    while method == "flood":
        write(b"x" * 65536)
    while method == "flood-stderr":
        os.write(2, b"e" * (1 << 20))
    while method == "spin":
        pass


def call(identifier: int, method: str, arguments: list[Any]) -> None:
    end(identifier, method)
    if method in LINES:
        write(LINES[method])
    elif method in REPLIES:
        say(**{"id": identifier, **REPLIES[method]})
    elif method == "twice":
        values(identifier, 1)
        values(identifier, 1)
    elif method == "twice-later":  # the second reply, after the end of the case
        values(identifier, 1)
        threading.Timer(arguments[0], values, (identifier, 2)).start()
    elif method == "wrong-id":
        values(identifier + 100, 1)
    elif method == "hello":
        hello(identifier, "correct")
    elif method == "much-stderr":
        os.write(2, b"e" * 500_000 + b"the end")
        values(identifier, 1)
    else:
        values(identifier, method, *arguments)


def main() -> None:
    if sys.argv[1] == "dead":
        sys.exit(1)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        identifier = request["id"]
        if request["do"] == "hello":
            hello(identifier, sys.argv[1])
        elif request["do"] == "socket":
            values(identifier, {"type": "socket", "socket": 1})
        elif request["do"] == "call":
            call(identifier, request["method"], request["args"])
        else:
            values(identifier)


main()
