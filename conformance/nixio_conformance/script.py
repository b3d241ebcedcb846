"""A case's transcript as a Python program that does the same again, without the suite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nixio_conformance.driver.session import HeldAs, PortSocket
from nixio_conformance.driver.transcript import Step
from nixio_conformance.target import Target

_HEAD = """\
# {title}
# Required: {requires}
import array, socket, tempfile
from concurrent.futures import ThreadPoolExecutor

{load}

def call(function, *arguments):
    try:
        result = function(*arguments)
    except Exception as error:
        result = error
    print(getattr(function, "__name__", function), arguments, "->", repr(result)[:200])
    return result

def first(result):
    return result[0] if isinstance(result, tuple) else result

folder = tempfile.mkdtemp()
pending = ThreadPoolExecutor()
"""


def python(title: str, requires: str, target: Target, folder: str, steps: Sequence[Step]) -> str:
    """The program's text. Ports that the system chose are looked up again, paths go to a folder of its own."""
    head = _HEAD.format(title=title, requires=requires, load="\n".join(_load(target)))
    return head + "\n".join(_Writer(folder).lines(steps)) + "\n"


def _load(target: Target) -> Iterator[str]:
    if target.way == "entry-point":
        yield "from importlib.metadata import entry_points"
        yield f'nixio = entry_points(group="nixio.implementations")[{target.name!r}].load()'
    elif target.way == "target":
        module, _, attribute = target.name.partition(":")
        yield "import importlib"
        yield f"nixio = importlib.import_module({module!r})" + (f".{attribute}" if attribute else "")
    else:
        yield "import nixio_reference as nixio  # the calls, for a port in another language: here on the reference"
    yield 'open_socket = getattr(nixio, "socket", nixio)'


class _Writer:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        #: Expressions for ports that the system chose, by number.
        self._ports: dict[int, str] = {}

    def lines(self, steps: Sequence[Step]) -> Iterator[str]:
        late: list[str] = []
        for number, step in enumerate(steps):
            if step.actor == "observer":
                yield f"# seen from outside: {step.call} -> {step.result}"
            elif step.actor == "peer":
                yield self._replace(step.code, step)
            else:
                line = self._port(step, number)
                yield line
                if step.overlapped:
                    late.append(f"print(call_{number}.result(timeout=10))")
            self._learn(step)
        yield from late

    def _port(self, step: Step, number: int) -> str:
        if step.method == "forget":
            return f"del {', '.join(str(argument) for argument in step.arguments)}"
        function = f"{step.subject}.{step.method}" if step.subject else "open_socket"
        arguments = ", ".join([function, *(self._argument(argument) for argument in step.arguments)])
        if step.overlapped:
            return f"call_{number} = pending.submit(call, {arguments})"
        if step.assigns and step.assigns[0]:
            return f"{step.assigns[0]} = first(call({arguments}))"
        return f"call({arguments})"

    def _argument(self, argument: object) -> str:
        if isinstance(argument, int) and not isinstance(argument, bool) and argument in self._ports:
            return self._ports[argument]
        if isinstance(argument, str) and argument.startswith(self._folder):
            return f"folder + {argument[len(self._folder) :]!r}"
        if isinstance(argument, HeldAs):
            kind = "array.array" if argument.type == "array" else argument.type
            return f"{kind}('H', {argument.data!r})" if argument.type == "array" else f"{kind}({argument.data!r})"
        return repr(argument)

    def _replace(self, code: str, step: Step) -> str:
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
            elif step.method in ("getsockname", "getpeername") and not isinstance(values[0], PortSocket):
                self._ports.setdefault(port, f"{step.subject}.{step.method}()[1]")
