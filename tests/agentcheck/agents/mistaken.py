"""The Python agent with one typical mistake, which the first argument names."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import nixio_reference
from nixio_conformance.agents.python import BadRequest, ImplementationHost, ignore_signal

JSON = dict[str, Any]
mistake = sys.argv[1]
host = ImplementationHost(nixio_reference)
hellos = itertools.count()


def changed(request: JSON, reply: JSON) -> JSON:
    """The reply, with the mistake if it is one in replies."""
    values = reply.get("values", [])
    if request["do"] == "hello":
        return hello(reply)
    if reply["reply"] == "failure":
        return failure(reply)
    if reply["reply"] == "unsupported":
        return unsupported(reply)
    if mistake == "text-for-a-buffer":
        reply["values"] = [
            bytes.fromhex(value["hex"]).decode("latin-1") if is_a(value, "buffer") else value for value in values
        ]
    elif mistake == "number-as-text":
        reply["values"] = [str(value) if type(value) is int else value for value in values]
    elif mistake == "no-true" and values == [True]:
        reply["values"] = []
    elif mistake == "one-for-true" and values == [True]:
        reply["values"] = [1]
    elif mistake == "port-before-host" and request.get("method") in ("getsockname", "getpeername"):
        reply["values"] = values[::-1]
    elif mistake == "port-as-null" and request.get("method") == "getsockname":
        reply["values"] = [values[0], None]
    elif mistake == "a-list-of-values" and len(values) > 1:
        reply["values"] = [values]
    elif mistake == "bare-value" and len(values) == 1:
        reply["values"] = values[0]
    elif mistake == "bare-socket-number":
        reply["values"] = [value["socket"] if is_a(value, "socket") else value for value in values]
    elif mistake == "socket-without-number":
        reply["values"] = [{"type": "socket"} if is_a(value, "socket") else value for value in values]
    elif mistake == "same-number":
        for value in values:
            if is_a(value, "socket"):
                value["socket"] = 1
    elif mistake == "accept-without-address" and request.get("method") == "accept":
        reply["values"] = values[:1]
    elif mistake == "empty-list-as-object" and values == []:
        reply["values"] = {}
    return reply


def hello(reply: JSON) -> JSON:
    if mistake == "hello-without-protocol":
        del reply["protocol"]
    elif mistake == "hello-without-name":
        del reply["name"]
    elif mistake == "unknown-capability":
        reply["capabilities"] = ["gc", "signal"]
    elif mistake == "capabilities-as-object":
        reply["capabilities"] = {}
    elif mistake == "no-signal-handler":
        reply["capabilities"] = ["signals"]
    elif mistake == "one-hello" and next(hellos):
        return {"id": reply["id"], "reply": "values", "values": []}
    return reply


def failure(reply: JSON) -> JSON:
    if mistake == "kind-missing":
        del reply["kind"]
    elif mistake == "kind-unknown":
        reply["kind"] = "errno"
    elif (mistake == "would-block-as-system" and reply["kind"] == "would-block") or (
        mistake == "resolver-as-system" and reply["kind"] == "resolver"
    ):
        reply["kind"] = "system"
    elif mistake == "argument-as-exception" and reply["kind"] == "argument":
        reply["kind"] = "exception"
    elif mistake == "no-errno" and reply["kind"] == "system":
        reply.pop("name", None), reply.pop("number", None)
    elif mistake == "stale-errno" and reply["kind"] == "system":
        reply |= {"name": "ENOENT", "number": 2}
    return reply


def unsupported(reply: JSON) -> JSON:
    if mistake == "never-missing":
        reply["missing"] = False
    elif mistake == "always-missing":
        reply["missing"] = True
    elif mistake == "text-as-failure":
        return {"reply": "failure", "kind": "exception", "message": "attempt to call a nil value", "id": reply["id"]}
    return reply


def is_a(value: object, type_: str) -> bool:
    return isinstance(value, dict) and value.get("type") == type_


def arguments(request: JSON) -> JSON:
    """The request, with the mistake if it is one in decoding."""
    args = request.get("args")
    if not isinstance(args, list):
        return request
    if mistake == "nulls-dropped":
        args = [value for value in args if value is not None]
    elif mistake == "32-bit-numbers":
        args = [value & 0xFFFFFFFF if type(value) is int else value for value in args]
    elif mistake == "buffer-through-utf-8":
        for value in args:
            if is_a(value, "buffer") and re.fullmatch("([0-9a-f]{2})*", value.get("hex", "")):
                value["hex"] = bytes.fromhex(value["hex"]).decode("latin-1").encode().hex()
    elif mistake == "ends-at-nul":
        for value in args:
            if is_a(value, "buffer") and re.fullmatch("([0-9a-f]{2})*", value.get("hex", "")):
                value["hex"] = bytes.fromhex(value["hex"]).split(b"\0")[0].hex()
    return {**request, "args": args}


def answer(line: bytes) -> str:
    request: Any = None
    if mistake in ("dies-of-garbage", "dies-of-odd-requests"):
        request = json.loads(line)
        if mistake == "dies-of-odd-requests":
            assert request["do"] in ("hello", "socket", "call", "reset", "forget")
            request["args"] if request["do"] in ("socket", "call") else None
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise BadRequest("no object")
        if mistake == "closed-is-gone" and request.get("method") == "close":
            host._sockets.pop(request["socket"], None)
            reply: JSON = {"reply": "values", "values": [True]}
        elif mistake in ("reset-forgets-to-close", "reset-keeps-numbers") and request.get("do") == "reset":
            if mistake == "reset-forgets-to-close":
                KEPT.append(dict(host._sockets))
                host._sockets.clear()
            else:
                for held in host._sockets.values():
                    held.close()
            reply = {"reply": "values", "values": []}
        elif mistake == "checks-protocol" and request.get("protocol", 1) != 1:
            raise BadRequest("another version")
        else:
            reply = host.answer(arguments(request))
    except (ValueError, BadRequest) as error:
        reply = {"reply": "unsupported", "message": str(error), "missing": False}
    identifier = request.get("id", 0) if isinstance(request, dict) else 0
    reply = {**reply, "id": identifier if type(identifier) is int else 0}
    if mistake == "id-not-repeated":
        reply["id"] = next(COUNTER) + 100
    if mistake == "id-as-text":
        reply["id"] = str(reply["id"])
    if isinstance(request, dict) and isinstance(request.get("do"), str):
        reply = changed(request, reply)
    return json.dumps(reply, ensure_ascii=mistake != "latin-1")


KEPT: list[object] = []
COUNTER = itertools.count(1)


def lines() -> Iterator[bytes]:
    """The lines of the input, with the mistake if it is one in reading."""
    if mistake == "one-line-a-read":
        while chunk := os.read(0, 65536):
            yield chunk.split(b"\n")[0]
    elif mistake == "line-a-read":
        while chunk := os.read(0, 1 << 24):
            yield from chunk.splitlines()
    elif mistake == "short-lines":
        while line := sys.stdin.buffer.readline(8192):
            yield line
    else:
        yield from sys.stdin.buffer


def main() -> None:
    if mistake == "not-flushed":
        sys.stdout = os.fdopen(os.dup(1), "w", buffering=1 << 16)
    signal.signal(signal.SIGUSR1, signal.SIG_DFL if mistake == "no-signal-handler" else ignore_signal)
    for line in lines():
        reply = answer(line)
        if mistake == "prints" and b'"close"' not in line and b'"socket"' in line:
            print("opening a socket")
        if mistake == "latin-1":
            sys.stdout.buffer.write(reply.encode("latin-1", "replace") + b"\n")
            sys.stdout.buffer.flush()
            continue
        print(reply, end="" if mistake == "no-newline" else "\n", flush=mistake != "not-flushed")
        if mistake == "twice":
            print(reply, flush=True)
    if mistake == "reads-on-at-the-end":
        while True:
            time.sleep(60)
    if mistake == "talks-at-the-end":
        print("bye")


main()
