"""A case's transcript as a Python program that does the same again, without the suite."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.transcript import PENDING, Step
from nixio_conformance.driver.wire import HeldAs
from nixio_conformance.repro import agent
from nixio_conformance.target.target import Target
from nixio_reports.records import Row

_HEAD = """\
# {case}
# Required: {requires}
import array, faulthandler, os, queue, socket, sys, tempfile, threading, time

{load}
open_socket = getattr(nixio, "socket", nixio)
faulthandler.dump_traceback_later(15, exit=True)  # a call that hangs ends the program, and shows where


def show(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\\n")  # in one piece: two threads may tell something
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
    time.sleep(0.2)  # for the call to wait in the system
    return results


def outcome(pending):
    try:
        return pending.get(timeout=5)
    except queue.Empty:
        return show("a call that was left pending does not come back")


def first(result):
    return result[0] if isinstance(result, tuple) else result


temporary = tempfile.TemporaryDirectory()
folder = temporary.name

"""
#: A peer that comes to be: what the step's code binds.
_NEW_PEER = re.compile(r"(\w+)(?:, _)? = ")


def python(row: Row, target: Target, folder: str, steps: Sequence[Step]) -> str:
    """The program's text. Ports that the system chose are looked up again, paths go to a folder of its own."""
    head = _HEAD.format(case=row.case, requires=row.requires, load="\n".join(_load(target)))
    told = [f"print({f'{name}: {text}'!r})" for name, text in (("Expected", row.expected), ("Was", row.actual)) if text]
    return head + "\n".join([*_Writer(folder).lines(steps), *told]) + "\n"


def _load(target: Target) -> Iterator[str]:
    if target.way == "entry-point":
        yield "from importlib.metadata import entry_points"
        yield f'(entry_point,) = entry_points(group="nixio.implementations", name={target.name!r})'
        yield "nixio = entry_point.load()"
    elif target.way == "target":
        module, _, attribute = target.name.partition(":")
        yield "import importlib"
        yield "sys.path.insert(0, os.getcwd())  # run this where the port is importable"
        yield f"nixio = importlib.import_module({module!r})" + (f".{attribute}" if attribute else "")
    else:
        yield from agent.lines(target.argv)


class _Writer:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        #: Expressions for ports that the system chose, by number.
        self._ports: dict[int, str] = {}
        #: Calls that were left pending, by the variable that their result comes in.
        self._pending: dict[str, Step] = {}

    def lines(self, steps: Sequence[Step]) -> Iterator[str]:
        for number, step in enumerate(steps):
            yield from self._came_back(step.at)
            if step.actor == "observer":
                yield f"# seen from outside: {step.call} -> {step.result}"
            elif step.actor == "peer":
                yield from self._peer(step)
            elif step.method == "forget":
                yield f"del {', '.join(str(argument) for argument in step.arguments)}"
            else:
                yield self._port(step, f"pending_{number}")
            if not step.overlapped:
                self._learn(step)
        yield from self._came_back(float("inf"))

    def _came_back(self, now: float) -> Iterator[str]:
        """The pending calls that had come back by then."""
        for name, step in list(self._pending.items()):
            if now == float("inf") or (step.result != PENDING and step.at + step.seconds <= now):
                del self._pending[name]
                yield self._kept(step, f"outcome({name})")
                self._learn(step)

    def _port(self, step: Step, name: str) -> str:
        function = f"{step.subject}.{step.method}" if step.subject else "open_socket"
        arguments = ", ".join([function, *(self._argument(argument) for argument in step.arguments)])
        if step.overlapped:
            self._pending[name] = step
            return f"{name} = begin({arguments})"
        return self._kept(step, f"call({arguments})")

    def _kept(self, step: Step, expression: str) -> str:
        return f"{step.assigns[0]} = first({expression})" if step.assigns and step.assigns[0] else expression

    def _peer(self, step: Step) -> Iterator[str]:
        code = self._replaced(step.code, step)
        if made := _NEW_PEER.match(code):
            yield code
            yield f"{made[1]}.settimeout(5)"
        elif _is_expression(code):
            yield f"peer({code!r}, lambda: {code})"
        else:
            yield code

    def _argument(self, argument: object) -> str:
        if isinstance(argument, int) and not isinstance(argument, bool) and argument in self._ports:
            return self._ports[argument]
        if isinstance(argument, str) and argument.isdecimal() and int(argument) in self._ports:
            return f"str({self._ports[int(argument)]})"
        if isinstance(argument, str) and argument.startswith(self._folder):
            return f"folder + {argument[len(self._folder) :]!r}"
        if isinstance(argument, HeldAs):
            made = "array.array('H', " if argument.type == "array" else f"{argument.type}("
            return f"{made}{argument.data!r})"
        return repr(argument)

    def _replaced(self, code: str, step: Step) -> str:
        for argument in step.arguments:
            if isinstance(argument, str) and argument.startswith(self._folder):
                code = code.replace(repr(argument), self._argument(argument))
            if isinstance(argument, tuple) and len(argument) == 2 and argument[1] in self._ports:
                code = code.replace(repr(argument), f"({argument[0]!r}, {self._ports[argument[1]]})")
        return code

    def _learn(self, step: Step) -> None:
        values = step.values
        if len(values) >= 2 and isinstance(port := values[-1], int) and port > 1023:
            if step.actor == "peer":
                self._ports.setdefault(port, f"{step.subject}.getsockname()[1]")
            elif step.method in ("getsockname", "getpeername") and not isinstance(values[0], ImplSocket):
                self._ports.setdefault(port, f"{step.subject}.{step.method}()[1]")


def _is_expression(code: str) -> bool:
    try:
        compile(code, "", "eval")
    except SyntaxError:
        return False
    return True
