"""A case's transcript as a Python program that repeats it without the suite."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nixio_conformance.driver.transcript import Step
from nixio_conformance.driver.wire import HeldAs
from nixio_conformance.repro import agent, long_data
from nixio_conformance.repro.replay import Notation, replay
from nixio_conformance.target.target import Target
from nixio_reports.records import Row
from nixio_reports.text import visible

_HEAD = """\
# {case}
# Required: {requires}
import array, faulthandler, os, queue, socket, sys, tempfile, threading, time

{load}
open_socket = getattr(nixio, "socket", nixio)
faulthandler.dump_traceback_later(15, exit=True)  # if a call hangs: print where, and exit


def show(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\\n")  # one write: two threads may print at the same time
    sys.stdout.flush()


def call(function, *arguments):
    try:
        result = function(*arguments)
    except Exception as error:
        result = error
    show(getattr(function, "__name__", function), arguments, "->", repr(result)[:200])
    return result


def peer(text, action):
    try:
        show("   ", text, "->", repr(action())[:200])
    except OSError as error:
        show("   ", text, "->", repr(error))


def begin(function, *arguments):
    results = queue.SimpleQueue()
    threading.Thread(target=lambda: results.put(call(function, *arguments)), daemon=True).start()
    time.sleep(0.2)  # until the call waits in the kernel
    return results


def outcome(pending):
    try:
        return pending.get(timeout=5)
    except queue.Empty:
        return show("a pending call does not return")


def first(result):
    return result[0] if isinstance(result, tuple) else result


temporary = tempfile.TemporaryDirectory()
folder = temporary.name

"""
#: A step's code that creates a peer; the first group is its variable.
_NEW_PEER = re.compile(r"(\w+)(?:, _)? = ")


def write(row: Row, target: Target, folder: str, steps: Sequence[Step]) -> str:
    """The program's text. `folder` is the case's folder; the program uses a temporary one instead."""
    head = _HEAD.format(case=row.case, requires=row.requires, load="\n".join(_load(target)))
    texts = (("Expected", row.expected), ("Actual", row.actual))
    verdict = [f"print({visible(f'{name}: {text}')!r})" for name, text in texts if text]
    body = long_data.fitted(lambda longest: [*replay(steps, _Python(folder, longest))], "# {}".format)
    return head + "\n".join([*body, *verdict]) + "\n"


def _load(target: Target) -> Iterator[str]:
    """Lines that bind `nixio` to the implementation."""
    if target.form == "entry-point":
        yield "from importlib.metadata import entry_points"
        yield f'(entry_point,) = entry_points(group="nixio.implementations", name={target.name!r})'
        yield "nixio = entry_point.load()"
    elif target.form == "target":
        module, _, attribute = target.name.partition(":")
        yield "import importlib"
        yield "sys.path.insert(0, os.getcwd())  # run this where the implementation can be imported"
        yield f"nixio = importlib.import_module({module!r})" + (f".{attribute}" if attribute else "")
    else:
        yield from agent.lines(target.argv)


class _Python(Notation):
    """Pending calls run in a thread; peers are sockets of the standard library."""

    def call(self, step: Step) -> Iterator[str]:
        yield self._kept(step, f"call({self._called(step)})")

    def begin(self, step: Step, name: str) -> Iterator[str]:
        yield f"{name} = begin({self._called(step)})"

    def end(self, step: Step, name: str) -> Iterator[str]:
        yield self._kept(step, f"outcome({name})")

    def peer(self, step: Step) -> Iterator[str]:
        code = self._replaced(step.code, step)
        if made := _NEW_PEER.match(code):
            yield code
            yield f"{made[1]}.settimeout(5)"
        elif _is_expression(code):
            yield f"peer({code!r}, lambda: {code})"
        else:
            yield code

    def release(self, names: Sequence[str]) -> str:
        return f"del {', '.join(names)}"

    def comment(self, text: str) -> str:
        return f"# {text}"

    def lookup(self, subject: str, method: str) -> str:
        return f"{subject}.{method}()[1]"

    def as_text(self, expression: str) -> str:
        return f"str({expression})"

    def _called(self, step: Step) -> str:
        """Function and arguments, as `call` and `begin` of the program take them."""
        function = f"{step.subject}.{step.method}" if step.subject else "open_socket"
        return ", ".join([function, *(self._argument(argument) for argument in step.arguments)])

    def _kept(self, step: Step, expression: str) -> str:
        return f"{step.assigns[0]} = first({expression})" if step.assigns and step.assigns[0] else expression

    def _argument(self, argument: object) -> str:
        if port := self.chosen_port(argument):
            return port
        if isinstance(argument, str) and argument.startswith(self.folder):
            return f"folder + {argument[len(self.folder) :]!r}"
        if isinstance(argument, HeldAs):
            made = "array.array('H', " if argument.type == "array" else f"{argument.type}("
            return f"{made}{self._literal(argument.data)})"
        return self._literal(argument)

    def _literal(self, value: object) -> str:
        """A value as an expression; long data by the rule that they follow, or without their middle."""
        if isinstance(value, tuple):
            inner = [self._literal(one) for one in value]
            return f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"
        if not isinstance(value, (str, bytes)) or len(value) <= self.longest:
            return repr(value)
        if found := long_data.repeated(value):
            return _sum(f"{found.unit!r} * {found.times}", repr(found.rest))
        if isinstance(value, bytes) and (numbers := long_data.numbered(value)):
            made = f'b"".join(number.to_bytes(4, "big") for number in range({numbers.first}, {numbers.last + 1}))'
            return _sum(repr(numbers.head), made, repr(numbers.rest))
        ends = long_data.cut(value)
        self.notes.append(ends.note)
        zeros = "bytes(1)" if isinstance(value, bytes) else "'0'"
        return _sum(repr(ends.head), f"{zeros} * {ends.missing}", repr(ends.tail))

    def _replaced(self, code: str, step: Step) -> str:
        """A peer's line with the paths and port numbers in it looked up."""
        for argument in step.arguments:
            if isinstance(argument, str) and argument.startswith(self.folder):
                code = code.replace(repr(argument), self._argument(argument))
            if isinstance(argument, tuple) and len(argument) == 2 and argument[1] in self.ports:
                code = code.replace(repr(argument), f"({argument[0]!r}, {self.ports[argument[1]]})")
            for data in argument if isinstance(argument, tuple) else (argument,):
                if isinstance(data, (str, bytes)) and len(data) > self.longest:
                    code = code.replace(repr(data), self._literal(data))
        return code


def _sum(*parts: str) -> str:
    return " + ".join(part for part in parts if part not in ("", "b''", "''"))


def _is_expression(code: str) -> bool:
    try:
        compile(code, "", "eval")
    except SyntaxError:
        return False
    return True
