"""A case's transcript as a Lua program that repeats it with the module alone, without the suite.

Lua has only the module's sockets, so the peers are sockets of the module too. It has no threads, so a call
that was left pending is made at the point where it returned. A step that only the suite can do becomes a comment.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence

from nixio_conformance.driver.text import cut
from nixio_conformance.driver.transcript import PENDING, Step
from nixio_conformance.driver.wire import HeldAs
from nixio_conformance.repro import long_data
from nixio_conformance.repro.replay import Notation, replay
from nixio_conformance.target.lua import PAIRS
from nixio_conformance.target.target import Target
from nixio_reports.records import Row
from nixio_reports.text import visible

_HEAD = """\
-- {case}
-- Required: {requires}
{load}

-- A value as text.
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

local function report(what, returned, ...)
  local values = select("#", ...) == 0 and "nothing" or show_all(...)
  print(what .. " -> " .. (returned and values or "error: " .. show(...)))
  if returned then
    return ...
  end
end

-- Call a method, or the module's function `socket` without a socket; print what it returns, and return that.
local function call(name, socket, method, ...)
  local arguments = select("#", ...) == 0 and "" or show_all(...)
  if socket == nil and method ~= "socket" then
    return print(name .. "(" .. arguments .. ") is left out: there is no socket")
  end
  return report(name .. "(" .. arguments .. ")", pcall(function(...)
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
#: Methods of a peer that a socket of the module has too.
_ALIKE = {"bind", "listen", "connect", "send", "sendall", "sendto", "recv", "recvfrom", "close", "shutdown"}
_NEW_PEER = re.compile(r"(\w+) = socket\.socket\(socket\.AF_(\w+), socket\.SOCK_(\w+)\)$")
_ACCEPTED = re.compile(r"(\w+), _ = (\w+)\.accept\(\)$")
#: Numbers of 4 bytes that count up.
_NUMBERS = (
    "(function() local all = {{}}; for n = {0}, {1} do "
    "all[#all + 1] = string.char(math.floor(n / 16777216) % 256, math.floor(n / 65536) % 256, "
    "math.floor(n / 256) % 256, n % 256) end; return table.concat(all) end)()"
)
_HOW = {0: "rd", 1: "wr", 2: "rdwr"}


def applies(target: Target, language: str) -> bool:
    """Whether the implementation is a Lua module: named with `--lua`, or hosted by an agent that reports Lua."""
    return target.form == "lua" or language.startswith(("Lua ", "LuaJIT"))


def write(row: Row, target: Target, name: str, folder: str, steps: Sequence[Step]) -> str:
    """The program's text. `name` is the module's; `folder` is the case's folder, replaced by a temporary one."""
    head = _HEAD.format(case=row.case, requires=row.requires, load="\n".join(_load(target, name)))
    body = long_data.fitted(lambda longest: [*replay(steps, _Lua(folder, longest))], "-- {}".format)
    if any("folder" in line for line in body):
        body = [_FOLDER, *body, """os.execute("rm -rf '" .. folder .. "'")"""]
    texts = (("Expected", row.expected), ("Actual", row.actual))
    verdict = [f"print({quoted(visible(f'{name}: {text}'))})" for name, text in texts]
    return "\n".join([head, *body, *verdict]) + "\n"


def _load(target: Target, name: str) -> Iterator[str]:
    """Lines that bind `nixio` to the module."""
    module = target.name if target.form == "lua" else name
    path, cpath = target.lua.templates
    yield f"package.path = {quoted(path)} .. package.path .. {quoted(';./?.lua;./?/init.lua')}"
    yield f"package.cpath = {quoted(cpath)} .. package.cpath .. {quoted(';./?.so')}"
    yield f"nixio = {'dofile' if module.endswith('.lua') else 'require'}({quoted(module)})"


def quoted(text: str | bytes) -> str:
    """A Lua string literal that every version of Lua reads."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    printable = {*range(32, 127)} - {ord('"'), ord("\\")}
    return '"' + "".join(chr(code) if code in printable else f"\\{code:03d}" for code in data) + '"'


class _Lua(Notation):
    """Pending calls are made when they returned; peers are sockets of the module."""

    def call(self, step: Step) -> Iterator[str]:
        arguments = list(step.arguments)
        if step.method == "setopt" and len(arguments) == 3 and arguments[1] in PAIRS:
            pair = arguments.pop()
            arguments += pair if isinstance(pair, tuple) and len(pair) == 2 else [pair]
        made = self._call(step.subject, step.method, arguments)
        yield f"{step.assigns[0]} = {made}" if step.assigns and step.assigns[0] else made

    def begin(self, step: Step, name: str) -> Iterator[str]:
        return iter(())

    def end(self, step: Step, name: str) -> Iterator[str]:
        if step.result == PENDING:
            yield self.comment(f"was left pending and never returned: {step.call}")
        else:
            yield self.comment("the next call began earlier, and was pending until now")
            yield from self.call(step)

    def peer(self, step: Step) -> Iterator[str]:
        if made := _NEW_PEER.match(step.code):
            name, family, type_ = made.groups()
            yield f"{name} = {self._call('', 'socket', [family.lower(), type_.lower()])}"
            yield f'{name}:setopt("socket", "rcvtimeo", 5)'
        elif made := _ACCEPTED.match(step.code):
            yield f"{made[1]} = {self._call(made[2], 'accept', [])}"
        elif step.method in _ALIKE and step.code.startswith(f"{step.subject}.{step.method}("):
            yield self._call(step.subject, step.method.removesuffix("all"), self._peer_arguments(step))
        else:
            yield self.comment(f"cannot be done with the module alone: {cut(step.code)} -> {step.result}")

    def release(self, names: Sequence[str]) -> str:
        return f"{', '.join(names)} = nil; collectgarbage(); collectgarbage()"

    def comment(self, text: str) -> str:
        return "-- " + text.replace("\n", " ").replace("\r", " ")

    def lookup(self, subject: str, method: str) -> str:
        return f'port_of({subject}, "{method}")'

    def as_text(self, expression: str) -> str:
        return f"tostring({expression})"

    def _peer_arguments(self, step: Step) -> Iterator[object]:
        """The arguments of Python's socket as the module's sockets take them."""
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
        if port := self.chosen_port(argument):
            return port
        data = argument.data if isinstance(argument, HeldAs) else argument
        if isinstance(data, (str, bytes)) and len(data) > self.longest:
            return self._shortened(data)
        for kind, show in _LITERALS.items():
            if isinstance(data, kind):
                return self._in_folder(show(data)) if kind in (str, bytes) else show(data)
        if isinstance(data, tuple):
            return "{" + ", ".join(self._argument(inner) for inner in data) + "}"
        return "nil"

    def _shortened(self, data: str | bytes) -> str:
        """Long data by the rule that they follow, or without their middle."""
        if found := long_data.repeated(data):
            return _joined(f"({quoted(found.unit)}):rep({found.times})", quoted(found.rest))
        if isinstance(data, bytes) and (numbers := long_data.numbered(data)):
            return _joined(quoted(numbers.head), _NUMBERS.format(numbers.first, numbers.last), quoted(numbers.rest))
        ends = long_data.cut(data)
        self.notes.append(ends.note)
        zeros = r'("\0")' if isinstance(data, bytes) else '("0")'
        return _joined(quoted(ends.head), f"{zeros}:rep({ends.missing})", quoted(ends.tail))

    def _in_folder(self, literal: str) -> str:
        """A string literal with the case's folder in it replaced by the variable `folder`."""
        return literal.replace(self.folder, '" .. folder .. "').removeprefix('"" .. ') if self.folder else literal


def _joined(*parts: str) -> str:
    return " .. ".join(part for part in parts if part != '""')


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
