"""The agent for Python implementations: hosts one in its process and answers the requests of the agent protocol.

    python agent.py entry-point NAME                  an implementation that is installed
    python agent.py target MODULE:OBJECT [FOLDER]     what is in FOLDER, by default the current one, is importable
    python agent.py object MODULE:OBJECT              what is in the current folder is not importable

This file uses only the standard library and imports nothing of the project: it can be copied anywhere, and is the model
for agents in other languages. `ImplementationHost` is the agent without its input and output; `--in-process` uses it,
too.
"""

from __future__ import annotations

import array
import contextlib
import errno
import gc
import importlib
import json
import math
import os
import signal
import socket as stdlib_socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

PROTOCOL = 1
GROUP = "nixio.implementations"
JSON = dict[str, Any]
#: The maximum number of characters of a message that is sent: an implementation's may be of any length.
MAX_TEXT = 2000
#: Seconds that an alarm of the implementation (setitimer) is waited for at the end of a case.
LONGEST_ALARM = 0.1
#: The maximum number of characters of a foreign value's repr.
MAX_REPR = 200
#: Required fields of a request and their types, by the value of `do`; `id` is checked separately.
FIELDS: dict[str, dict[str, type]] = {
    "hello": {},
    "socket": {"args": list},
    "call": {"socket": int, "method": str, "args": list},
    "forget": {"socket": int},
    "reset": {},
}


class BadRequest(Exception):
    """A request that is not valid; the text says why."""


class Unavailable(Exception):
    """The implementation cannot be loaded; the text says why, and which names are installed."""


class Redirect(Exception):
    """The implementation is an agent program of its own, which `argv` starts."""

    def __init__(self, argv: list[str]) -> None:
        super().__init__(argv)
        self.argv = argv


def find(how: str, name: str, folder: str = "") -> Any:
    """The object that a user named: an entry point if `how` is `entry-point`, else `module:object`.

    If `how` is `target`, `folder` is importable, by default the current one.

    Raises `Unavailable` if it does not exist or its import fails.
    """
    try:
        if how == "entry-point":
            from importlib import metadata  # imported here, because that takes longer than the rest of the start

            found = metadata.entry_points(group=GROUP)
            if name not in found.names:
                names = ", ".join(sorted(found.names)) or "none"
                raise Unavailable(f"no implementation is called {name!r}; installed are: {names}")
            return found[name].load()
        module_name, _, attribute = name.partition(":")
        # So that `--target module:object` needs no packaging.
        if how == "target" and (folder := folder or os.getcwd()) not in sys.path:
            sys.path.insert(0, folder)
        found_object = importlib.import_module(module_name)
        for part in attribute.split(".") if attribute else ():
            found_object = getattr(found_object, part)
        return found_object
    except (Unavailable, KeyboardInterrupt):
        raise
    except BaseException as error:  # an import may raise anything, even SystemExit
        raise Unavailable(f"{name} cannot be imported: {describe(error)}{location(error)}") from error


def location(error: BaseException) -> str:
    """The line of the implementation that raised, as ` (mine.py, line 3)`; empty if it was raised elsewhere."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<frozen")]
    inner = [frame for frame in frames if frame.filename not in (__file__, importlib.__file__)]
    return f" ({inner[-1].filename}, line {inner[-1].lineno})" if inner else ""


class ImplementationHost:
    """Holds one implementation and its sockets, and answers requests."""

    def __init__(self, implementation: Any) -> None:
        factory = getattr(implementation, "socket", None)
        argv = getattr(implementation, "argv", None)
        if factory is None and isinstance(argv, (list, tuple)) and argv:
            raise Redirect([str(word) for word in argv])
        self._factory: Callable[..., Any] = implementation if factory is None else factory
        if not callable(self._factory):
            raise Unavailable(
                f"{foreign(implementation)['repr']} is neither a factory socket(domain, type, protocol=None), nor has "
                "it an attribute `socket` that is one, nor is it an Agent(argv=...)"
            )
        self._implementation = implementation
        self._sockets: dict[int, Any] = {}
        self._next = 1

    def hello(self) -> JSON:
        """The reply to hello, from the implementation's attributes `name`, `version` and `buffersize`."""
        described = self._implementation
        size = getattr(described, "buffersize", 8192)
        named = getattr(described, "name", "")
        version = getattr(described, "version", None) or getattr(described, "__version__", "")
        python = ".".join(str(number) for number in sys.version_info[:3])
        return {
            "reply": "hello",
            "protocol": PROTOCOL,
            "name": named if isinstance(named, str) else "",
            "version": version if isinstance(version, str) else "",
            "language": f"Python {python}",
            "platform": sys.platform,
            "capabilities": ["buffer-types", "gc", *(["signals"] if handles_signals() else [])],
            "buffersize": size if type(size) is int and 0 < size < 2**31 else 8192,
            # On Windows the Python of a virtual environment is a launcher that starts another process.
            "pid": 0 if sys.platform == "win32" else os.getpid(),
        }

    def answer(self, request: JSON) -> JSON:
        """The reply to one request, without its id. Raises `BadRequest` for an invalid request."""
        check(request)
        match request["do"]:
            case "hello":
                return self.hello()
            case "socket":
                return self._call(self._factory, request["args"])
            case "call":
                return self._method(request)
            case "forget":
                self._sockets.pop(request["socket"], None)
                gc.collect()
                return {"reply": "values", "values": []}
            case _:
                self.reset()
                return {"reply": "values", "values": []}

    def reset(self) -> None:
        """Close and drop all sockets, ignoring failures."""
        for held in self._sockets.values():
            with contextlib.suppress(Exception):
                held.close()
        self._sockets.clear()

    def _method(self, request: JSON) -> JSON:
        held = self._sockets.get(request["socket"])
        if held is None:
            return {"reply": "unsupported", "message": f"no socket {request['socket']}", "missing": False}
        try:
            method = getattr(held, request["method"], None)
        except Exception as error:  # a property or __getattr__ is code of the implementation
            return failure(error)
        if not callable(method):
            message = f"{type(held).__name__} has no method {request['method']}"
            return {"reply": "unsupported", "message": message, "missing": True}
        return self._call(method, request["args"])

    def _call(self, function: Callable[..., Any], arguments: list[Any]) -> JSON:
        given = [argument(value) for value in arguments]
        try:
            result = function(*given)
        except Exception as error:
            return failure(error)
        # A tuple stands for several values. A tuple of one is a value of the wrong type, and sent as foreign.
        values = result if isinstance(result, tuple) and len(result) != 1 else (result,)
        return {"reply": "values", "values": [self._value(value) for value in values]}

    def _value(self, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            # A subclass of int may override its text; the number counts.
            number = int.__int__(value)
            return number if -(2**63) <= number < 2**64 else foreign(value)
        if isinstance(value, float):
            return float.__float__(value) if math.isfinite(value) else foreign(value)
        if isinstance(value, str):
            text = str.__str__(value)
            return foreign(value) if any("\ud800" <= character <= "\udfff" for character in text) else text
        if isinstance(value, bytes):
            return {"type": "buffer", "hex": bytes.hex(value)}
        if is_socket(value):
            return {"type": "socket", "socket": self._hold(value)}
        return foreign(value)

    def _hold(self, value: Any) -> int:
        for number, held in self._sockets.items():
            if held is value:
                return number
        number = self._next
        self._next += 1
        self._sockets[number] = value
        return number


def is_socket(value: Any) -> bool:
    """Whether a result is a socket: it has some of a socket's methods. An implementation may lack any of them."""
    if isinstance(value, type):
        return False
    try:
        return any(callable(getattr(value, name, None)) for name in ("fileno", "recv", "close", "getsockname"))
    except Exception:  # __getattr__ is code of the implementation
        return False


def foreign(value: Any) -> JSON:
    """A value of a type outside the contract, as its type's name and its repr."""
    try:
        text = repr(value)
    except Exception as error:  # __repr__ is code of the implementation
        text = f"(its repr raises {type(error).__name__})"
    return {"type": "foreign", "name": type(value).__name__, "repr": clean(text)[:MAX_REPR]}


def clean(text: str) -> str:
    """Text that can be sent: without lone surrogates, and of a bounded length."""
    return text[:MAX_TEXT].encode("utf-8", "backslashreplace").decode()


def describe(error: BaseException) -> str:
    """An exception's type and text, even if its __str__ raises."""
    try:
        return clean(f"{type(error).__name__}: {error}")
    except Exception as nested:
        return f"{type(error).__name__} (its text raises {type(nested).__name__})"


def check(request: Any) -> None:
    """Raise `BadRequest` for a request that the protocol does not define."""
    if not isinstance(request, dict):
        raise BadRequest("a request is an object")
    do = request.get("do")
    if not isinstance(do, str) or do not in FIELDS:
        raise BadRequest(f"there is no request {clean(repr(do))}")
    for name, kind in FIELDS[do].items():
        if type(request.get(name)) is not kind:
            raise BadRequest(f"{do} needs a field {name!r} of type {kind.__name__}")


def identifier_of(request: Any) -> int:
    """The id for the reply: the request's, or 0 if it has none."""
    found = request.get("id") if isinstance(request, dict) else None
    if type(found) is not int:
        return 0
    return found


def argument(value: Any) -> Any:
    """An argument of a request as a Python value. Raises `BadRequest` for an invalid buffer."""
    if isinstance(value, dict):
        try:
            data = bytes.fromhex(value["hex"])
        except (KeyError, TypeError, ValueError):
            raise BadRequest(f"not a buffer: {clean(repr(value))}") from None
        match value.get("held_as", "bytes"):
            case "bytearray":
                return bytearray(data)
            case "memoryview":
                return memoryview(data)
            case "array":
                return array.array("H", data)
        return data
    if isinstance(value, list):
        return tuple(value)
    return value


def failure(error: Exception) -> JSON:
    """The reply for an exception, of the kind that the contract defines for its type."""
    reply: JSON = {"reply": "failure", "kind": "exception", "message": describe(error)}
    if isinstance(error, stdlib_socket.gaierror):
        reply |= {"kind": "resolver", "name": resolver_name(error.errno)} | numbered(error.errno)
    elif isinstance(error, BlockingIOError) and error.errno in (None, errno.EAGAIN, errno.EWOULDBLOCK):
        reply |= {"kind": "would-block", "name": "EAGAIN"} | numbered(error.errno)
    elif isinstance(error, OSError):
        reply |= {"kind": "system", "name": error_name(error.errno)} | numbered(error.errno)
    elif isinstance(error, (TypeError, ValueError)):
        reply |= {"kind": "argument"}
    elif isinstance(error, MemoryError):
        reply["message"] += " (an agent's memory is limited: --memory)"
    return reply


def error_name(number: object) -> str:
    """The symbolic name of an errno, such as `ECONNREFUSED`; empty if it has none."""
    return errno.errorcode.get(number, "") if isinstance(number, int) else ""


def numbered(number: object) -> JSON:
    """The error's number as a field of a reply; no field if no system call could have set it."""
    return {"number": int(number)} if isinstance(number, int) and abs(number) < 2**31 else {}


def resolver_name(number: object) -> str:
    """The symbolic name of a resolver's code, such as `EAI_NONAME`; empty if it has none."""
    for name in dir(stdlib_socket):
        if name.startswith("EAI_") and getattr(stdlib_socket, name) == number:
            return name
    return ""


def ignore_signal(number: int, frame: object) -> None:
    """A handler that does nothing. An ignored signal would not interrupt a call; a handled one does."""


def handles_signals() -> bool:
    """Whether SIGUSR1 may be sent to this process."""
    return hasattr(signal, "SIGUSR1") and signal.getsignal(signal.SIGUSR1) is ignore_signal


def settle() -> None:
    """Let what a case has left behind take effect in it, and not in a later one: finalizers, and an alarm."""
    gc.collect()
    left, interval = signal.getitimer(signal.ITIMER_REAL) if hasattr(signal, "getitimer") else (0.0, 0.0)
    if left and not interval:
        time.sleep(min(left, LONGEST_ALARM))


def parsed(line: bytes) -> Any:
    """Parse one line of input. Raises `BadRequest` if it is not JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"not JSON: {error}") from None


def private_streams() -> tuple[Any, Any]:
    """Input and output for the protocol that the implementation cannot interfere with.

    An implementation may print to standard output, or read or close the standard streams. Therefore the protocol uses
    duplicates, which no child process inherits, standard input becomes /dev/null, and standard output becomes a
    duplicate of standard error.
    """
    requests = os.fdopen(os.dup(0), "rb", buffering=-1)
    replies = os.fdopen(os.dup(1), "wb", buffering=-1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return requests, replies


def main(arguments: list[str]) -> int:
    """Answer requests until the input ends."""
    requests, replies = private_streams()
    if hasattr(signal, "SIGUSR1"):
        signal.signal(signal.SIGUSR1, ignore_signal)

    def send(identifier: int, reply: JSON) -> None:
        replies.write(json.dumps({"id": identifier, **reply}).encode() + b"\n")
        replies.flush()

    host: ImplementationHost | None = None
    for line in requests:
        request = None
        try:
            request = parsed(line)
            if host is None:
                host = ImplementationHost(find(*arguments))
                gc.freeze()  # what has been imported stays, and need not be searched for garbage in each case
            reply = host.answer(request)
            if request["do"] == "reset":
                settle()
            send(identifier_of(request), reply)
        except BadRequest as error:
            send(identifier_of(request), {"reply": "unsupported", "message": str(error), "missing": False})
        except Unavailable as error:
            send(identifier_of(request), {"reply": "unavailable", "message": str(error)})
            return 3
        except Redirect as error:
            send(identifier_of(request), {"reply": "instead", "argv": error.argv})
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
