"""A case's transcript as a Lua program that does the same again with the module alone, without the suite.

Lua has no sockets but the module's own, so that the other end is one of these too; and no threads, so that a call
that was left pending is made where it came back. What only the suite can do stands there as a comment.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence

from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.transcript import PENDING, Step
from nixio_conformance.driver.wire import HeldAs
from nixio_conformance.target.lua import PAIRS
from nixio_conformance.target.target import Target
from nixio_reports.records import Row

_HEAD = """\
-- {case}
-- Required: {requires}
{load}

-- A value as one reads it.
local function show(value)
  if type(value) ~= "string" then
    return tostring(value)
  end
  local text = value:sub(1, 200):gsub('[%c"\\\\\\127-\\255]', function(letter)
    return ("\\\\%03d"):format(letter:byte())
  end)
  return '"' .. text .. '"' .. (#value > 200 and ("... (" .. #value .. " bytes)") or "")
end

local function show_all(first, ...)
  if select("#", ...) == 0 then
    return show(first)
  end
  return show(first) .. ", " .. show_all(...)
end

local function told(what, fine, ...)
  print(what .. " -> " .. (fine and (select("#", ...) == 0 and "nothing" or show_all(...)) or "error: " .. show(...)))
  if fine then
    return ...
  end
end

-- Call a method, or the module's function where there is no socket; tell what came of it, and give it back.
local function call(name, socket, method, ...)
  local arguments = select("#", ...) == 0 and "" or show_all(...)
  if socket == nil and method ~= "socket" then
    return print(name .. "(" .. arguments .. ") cannot be made: there is no socket")
  end
  return told(name .. "(" .. arguments .. ")", pcall(function(...)
    if socket == nil then
      return nixio.socket(...)
    end
    return socket[method](socket, ...)
  end, ...))
end

local function port_of(socket, method)
  return (select(2, socket[method](socket)))
end
"""
_FOLDER = """
local folder = os.tmpname()
os.remove(folder)
os.execute("mkdir '" .. folder .. "'")
"""
#: Methods of a peer that every port has too, and how they are called there.
_ALIKE = {"bind", "listen", "connect", "send", "sendall", "sendto", "recv", "recvfrom", "close", "shutdown"}
_NEW_PEER = re.compile(r"(\w+) = socket\.socket\(socket\.AF_(\w+), socket\.SOCK_(\w+)\)$")
_ACCEPTED = re.compile(r"(\w+), _ = (\w+)\.accept\(\)$")
_HOW = {0: "rd", 1: "wr", 2: "rdwr"}


def applies(target: Target, language: str) -> bool:
    """Whether the port is a Lua module: named as one, or behind an agent that says so."""
    return target.way == "lua" or language.startswith(("Lua ", "LuaJIT"))


def write(row: Row, target: Target, name: str, folder: str, steps: Sequence[Step]) -> str:
    """The program's text; `name` is the module's. Ports of the system's choice are looked up again."""
    head = _HEAD.format(case=row.case, requires=row.requires, load="\n".join(_load(target, name)))
    body = list(_Writer(folder).lines(steps))
    if any("folder" in line for line in body):
        body = [_FOLDER, *body, """os.execute("rm -rf '" .. folder .. "'")"""]
    told = [f"print({quoted(f'{name}: {text}')})" for name, text in (("Expected", row.expected), ("Was", row.actual))]
    return "\n".join([head, *body, *told]) + "\n"


def _load(target: Target, name: str) -> Iterator[str]:
    module = target.name if target.way == "lua" else name
    path, cpath = target.lua.templates
    yield f"package.path = {quoted(path)} .. package.path .. {quoted(';./?.lua;./?/init.lua')}"
    yield f"package.cpath = {quoted(cpath)} .. package.cpath .. {quoted(';./?.so')}"
    yield f"nixio = {'dofile' if module.endswith('.lua') else 'require'}({quoted(module)})"


def quoted(text: str | bytes) -> str:
    """A literal of Lua, in every version of it."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    printable = {*range(32, 127)} - {ord('"'), ord("\\")}
    return '"' + "".join(chr(code) if code in printable else f"\\{code:03d}" for code in data) + '"'


class _Writer:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        #: Expressions for ports that the system chose, by number.
        self._ports: dict[int, str] = {}
        self._pending: list[Step] = []

    def lines(self, steps: Sequence[Step]) -> Iterator[str]:
        for step in steps:
            yield from self._came_back(step.at)
            if step.actor == "port" and step.overlapped:
                self._pending.append(step)
            elif step.actor == "port":
                yield from self._port(step)
            elif step.actor == "peer":
                yield from self._peer(step)
            else:
                yield _comment(f"seen from outside: {step.call} -> {step.result}")
            if not step.overlapped:
                self._learn(step)
        yield from self._came_back(math.inf)

    def _came_back(self, now: float) -> Iterator[str]:
        for step in list(self._pending):
            if step.result == PENDING and now == math.inf:
                yield _comment(f"left pending, and it never came back: {step.call}")
            elif step.result != PENDING and step.at + step.seconds <= now:
                self._pending.remove(step)
                yield _comment("this one began earlier, and waited")
                yield from self._port(step)
                self._learn(step)

    def _port(self, step: Step) -> Iterator[str]:
        if step.method == "forget":
            names = [str(argument) for argument in step.arguments]
            yield f"{', '.join(names)} = nil; collectgarbage(); collectgarbage()"
            return
        arguments = list(step.arguments)
        if step.method == "setopt" and len(arguments) == 3 and arguments[1] in PAIRS:
            pair = arguments.pop()
            arguments += pair if isinstance(pair, tuple) and len(pair) == 2 else [pair]
        made = self._call(step.subject, step.method, arguments)
        yield f"{step.assigns[0]} = {made}" if step.assigns and step.assigns[0] else made

    def _peer(self, step: Step) -> Iterator[str]:
        if made := _NEW_PEER.match(step.code):
            name, family, type_ = made.groups()
            yield f"{name} = {self._call('', 'socket', [family.lower(), type_.lower()])}"
            yield f'{name}:setopt("socket", "rcvtimeo", 5)'
        elif made := _ACCEPTED.match(step.code):
            yield f"{made[1]} = {self._call(made[2], 'accept', [])}"
        elif step.method in _ALIKE and step.code.startswith(f"{step.subject}.{step.method}("):
            yield self._call(step.subject, step.method.removesuffix("all"), self._alike(step))
        else:
            yield _comment(f"cannot be said with the module alone: {step.code} -> {step.result}")

    def _alike(self, step: Step) -> Iterator[object]:
        for argument in step.arguments:
            if step.method == "shutdown" and isinstance(argument, int):
                yield _HOW.get(argument)
            elif isinstance(argument, tuple):
                yield from argument[:2]
            else:
                yield argument

    def _call(self, subject: str, method: str, arguments: Iterator[object] | Sequence[object]) -> str:
        name = f"{subject}:{method}" if subject else method
        given = [quoted(name), subject or "nil", quoted(method), *(self._argument(each) for each in arguments)]
        return f"call({', '.join(given)})"

    def _argument(self, argument: object) -> str:
        if isinstance(argument, int) and not isinstance(argument, bool) and argument in self._ports:
            return self._ports[argument]
        if isinstance(argument, str) and argument.isdecimal() and int(argument) in self._ports:
            return f"tostring({self._ports[int(argument)]})"
        data = argument.data if isinstance(argument, HeldAs) else argument
        for kind, show in _LITERALS.items():
            if isinstance(data, kind):
                return self._in_folder(show(data)) if kind in (str, bytes) else show(data)
        if isinstance(data, tuple):
            return "{" + ", ".join(self._argument(inner) for inner in data) + "}"
        return "nil"

    def _in_folder(self, literal: str) -> str:
        """A literal with the case's folder, whose place another one takes."""
        return literal.replace(self._folder, '" .. folder .. "').removeprefix('"" .. ') if self._folder else literal

    def _learn(self, step: Step) -> None:
        values = step.values
        if len(values) >= 2 and isinstance(port := values[-1], int) and port > 1023:
            if step.actor == "peer":
                self._ports.setdefault(port, f'port_of({step.subject}, "getsockname")')
            elif step.method in ("getsockname", "getpeername") and not isinstance(values[0], ImplSocket):
                self._ports.setdefault(port, f'port_of({step.subject}, "{step.method}")')


def _number(number: float) -> str:
    if math.isnan(number):
        return "0/0"
    return ("-" if number < 0 else "") + "math.huge" if math.isinf(number) else repr(number)


_LITERALS: dict[type, Callable[[object], str]] = {
    bool: lambda value: str(value).lower(),
    int: str,
    float: lambda value: _number(float(str(value))),
    str: lambda value: quoted(str(value)),
    bytes: lambda value: quoted(bytes(value)),  # type: ignore[call-overload]
}


def _comment(text: str) -> str:
    return "-- " + text.replace("\n", " ").replace("\r", " ")
