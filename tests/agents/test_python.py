"""The Python agent: values and exceptions in the contract's representation, in its own process and --in-process."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator

import pytest
from tests.agents.support import open_socket

from nixio_conformance.driver.errors import AgentError, CannotStart
from nixio_conformance.driver.inprocess import InProcess
from nixio_conformance.driver.messages import Foreign
from nixio_conformance.driver.outcome import Failure, Returned
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.driver.wire import Argument, HeldAs
from nixio_conformance.target.python import python_agent

Host = Callable[[str], Session]

SOURCE = """
    import array, enum, errno, socket as _socket
    class Number(int):
        def __repr__(self): return "many"
        __str__ = __repr__
        def __int__(self): return 0
    class Text(str):
        def __str__(self): return "other"
    class Data(bytes):
        def hex(self, *_): return "zz"
    class Level(enum.IntEnum):
        HIGH = 3
    class Rude:
        def __repr__(self): raise RuntimeError("no")
    class Mute(Exception):
        def __str__(self): raise RuntimeError("no")
    class Delegating:
        def __init__(self, inner): self.inner = inner
        def __getattr__(self, name): return getattr(self.inner, name)
    def values(them):
        return them[0] if len(them) == 1 else them
    class Socket:
        attribute = 5
        @property
        def raising(self): raise OSError(errno.EBADF, "gone")
        def fileno(self): return 3
        def echo(self, *arguments): return values(arguments)
        def value(self, code): return eval(code, globals(), {"self": self})
        def error(self, code): raise eval(code)
        def leave(self): raise SystemExit(4)
        def types(self, *arguments): return values(tuple(type(one).__name__ for one in arguments))
        def close(self): pass
    def socket(domain, type, protocol=None):
        return Socket()
"""


@pytest.fixture(scope="module", params=["process", "in-process"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """One agent for all tests: a start is slow, and the implementation keeps no state."""
    folder = tmp_path_factory.mktemp("module")
    name = f"values_module_{folder.name}"
    (folder / f"{name}.py").write_text(textwrap.dedent(SOURCE))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", str(folder))
        argv = python_agent("target", name)
        session = Session(
            (lambda: InProcess("target", name)) if request.param == "in-process" else (lambda: AgentProcess(argv)), 20
        )
        session.begin_case(Transcript())
        yield session
        session.kill()
        sys.modules.pop(name, None)


@pytest.fixture
def session(shared: Session) -> Iterator[Session]:
    shared.begin_case(Transcript())
    yield shared
    shared.end_case()


@pytest.fixture
def sock(session: Session) -> ImplSocket:
    return open_socket(session)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("None", None),
        ("True", True),
        ("0", 0),
        ("-1", -1),
        ("2**64 - 1", 2**64 - 1),
        ("-2**63", -(2**63)),
        ("Number(7)", 7),
        ("Level.HIGH", 3),
        ("1.5", 1.5),
        ("'text'", "text"),
        ("Text('mine')", "mine"),
        ("'\\x00é€😀'", "\x00é€😀"),
        ("b'\\x00\\xff'", b"\x00\xff"),
        ("b''", b""),
        ("Data(b'ab')", b"ab"),
    ],
)
def test_a_value_is_returned_unchanged(sock: ImplSocket, code: str, expected: object) -> None:
    outcome = sock.call("value", code)
    assert outcome == Returned((expected,))  # type: ignore[arg-type]
    assert isinstance(outcome, Returned)
    assert type(outcome.values[0]) is type(expected)


@pytest.mark.parametrize(
    ("code", "name", "text"),
    [
        ("bytearray(b'x')", "bytearray", "bytearray(b'x')"),
        ("memoryview(b'x')", "memoryview", "<memory at"),
        ("array.array('B', b'x')", "array", "array('B', [120])"),
        ("[1, 2]", "list", "[1, 2]"),
        ("{'a': 1}", "dict", "{'a': 1}"),
        ("2**64", "int", str(2**64)),
        ("float('nan')", "float", "nan"),
        ("float('inf')", "float", "inf"),
        ("'\\ud800'", "str", "'\\ud800'"),
        ("Rude()", "Rude", "(its repr raises RuntimeError)"),
        ("Socket", "type", "<class "),
        ("'x' * 5000 + '\\ud800'", "str", "'xxxx"),
    ],
)
def test_a_value_outside_of_the_contract_is_foreign(sock: ImplSocket, code: str, name: str, text: str) -> None:
    outcome = sock.call("value", code)
    assert isinstance(outcome, Returned)
    (value,) = outcome.values
    assert isinstance(value, Foreign)
    assert value.name == name
    assert value.repr.startswith(text)
    assert len(value.repr) <= 200


@pytest.mark.parametrize(
    ("code", "expected"),
    [("()", ()), ("('127.0.0.1', 80)", ("127.0.0.1", 80)), ("(None, None)", (None,) * 2)],
)
def test_a_tuple_is_several_values(sock: ImplSocket, code: str, expected: tuple[object, ...]) -> None:
    assert sock.call("value", code) == Returned(expected)  # type: ignore[arg-type]


def test_a_tuple_of_one_is_foreign(sock: ImplSocket) -> None:
    assert sock.call("value", "(1,)") == Returned((Foreign("tuple", "(1,)"),))


def test_a_tuple_in_a_tuple_is_foreign(sock: ImplSocket) -> None:
    assert sock.call("value", "(1, (2, 3))") == Returned((1, Foreign("tuple", "(2, 3)")))


def test_a_socket_keeps_its_number(sock: ImplSocket) -> None:
    outcome = sock.call("value", "(self, Socket(), Delegating(Socket()))")
    assert isinstance(outcome, Returned)
    same, other, wrapped = outcome.values
    assert isinstance(same, ImplSocket)
    assert isinstance(other, ImplSocket)
    assert isinstance(wrapped, ImplSocket), "an implementation may return proxies"
    assert same.number == sock.number
    assert len({sock.number, other.number, wrapped.number}) == 3
    assert wrapped.fileno() == Returned((3,))


#: An exception, and the failure's kind, name, number and message.
FAILURES = (
    ("OSError(errno.ECONNREFUSED, 'no')", "system", "ECONNREFUSED", 111, "ConnectionRefusedError: [Errno 111] no"),
    ("OSError(99999, 'odd')", "system", "99999", 99999, "OSError: [Errno 99999] odd"),
    ("OSError('text only')", "system", "", None, "OSError: text only"),
    ("OSError('not', 'numbers')", "system", "", None, "OSError: [Errno not] numbers"),
    ("OSError([1], 'x')", "system", "", None, "OSError: [Errno [1]] x"),
    ("OSError(10**30, 'x')", "system", "", None, f"OSError: [Errno {10**30}] x"),
    ("BlockingIOError(errno.EAGAIN, 'later')", "would-block", "EAGAIN", 11, "BlockingIOError: [Errno 11] later"),
    ("BlockingIOError('later')", "would-block", "EAGAIN", None, "BlockingIOError: later"),
    ("BlockingIOError(errno.EINPROGRESS, 'on')", "system", "EINPROGRESS", 115, "BlockingIOError: [Errno 115] on"),
    ("TimeoutError('timed out')", "system", "", None, "TimeoutError: timed out"),
    ("_socket.gaierror(_socket.EAI_NONAME, 'who')", "resolver", "EAI_NONAME", -2, "gaierror: [Errno -2] who"),
    ("_socket.gaierror('who')", "resolver", "", None, "gaierror: who"),
    ("ValueError('bad')", "argument", "", None, "ValueError: bad"),
    ("TypeError('bad')", "argument", "", None, "TypeError: bad"),
    ("UnicodeError('bad')", "argument", "", None, "UnicodeError: bad"),
    ("RuntimeError('bug')", "exception", "", None, "RuntimeError: bug"),
    ("KeyError('bug')", "exception", "", None, "KeyError: 'bug'"),
    ("RuntimeError('\\ud800')", "exception", "", None, "RuntimeError: \\ud800"),
    ("Mute()", "exception", "", None, "Mute (its text raises RuntimeError)"),
)


@pytest.mark.parametrize(("code", "kind", "name", "number", "message"), FAILURES)
def test_an_exception_is_a_failure_of_its_kind(
    sock: ImplSocket, code: str, kind: str, name: str, number: int | None, message: str
) -> None:
    outcome = sock.call("error", code)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.name, outcome.number, outcome.message) == (kind, name, number, message)


def test_a_long_message_is_cut(sock: ImplSocket) -> None:
    outcome = sock.call("error", "RuntimeError('x' * 10**6)")
    assert isinstance(outcome, Failure)
    assert len(outcome.message) == 2000


@pytest.mark.parametrize("method", ["nothing", "attribute"])
def test_a_missing_method(sock: ImplSocket, method: str) -> None:
    assert sock.call(method) == Failure("missing", "", None, f"Socket has no method {method}")


def test_a_property_that_raises_fails_the_call(sock: ImplSocket) -> None:
    outcome = sock.call("raising")
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.name) == ("system", "EBADF")


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (None, None),
        (True, True),
        (2**63, 2**63),
        (-5, -5),
        (0.25, 0.25),
        ("é\x00", "é\x00"),
        (b"\x00\xff", b"\x00\xff"),
    ],
)
def test_an_argument_is_passed_unchanged(sock: ImplSocket, argument: Argument, expected: object) -> None:
    assert sock.call("echo", argument) == Returned((expected,))  # type: ignore[arg-type]


def test_buffers_are_passed_as_the_requested_type(sock: ImplSocket) -> None:
    held = [HeldAs(b"abcd", type_) for type_ in ("bytes", "bytearray", "memoryview", "array")]
    assert sock.call("types", *held) == Returned(("bytes", "bytearray", "memoryview", "array"))


def test_a_list_is_passed_as_a_tuple(sock: ImplSocket) -> None:
    assert sock.call("types", (1, 2)) == Returned(("tuple",))


def test_an_implementation_that_exits_is_a_crash(sock: ImplSocket, session: Session) -> None:
    with pytest.raises(
        AgentError, match=r"s1\.leave\(\): (the agent ended with exit status 4|the implementation raised SystemExit: 4)"
    ):
        sock.call("leave")
    assert not session.alive


def welcome(session: Session) -> tuple[str, str, int]:
    return session.welcome.name, session.welcome.version, session.welcome.buffersize


FACTORY = """
    class Socket:
        def close(self): pass
    def make(domain, type, protocol=None):
        if (domain, type, protocol) != ("inet", "stream", None): raise ValueError("other")
        return Socket()
"""


def test_a_module_with_a_factory_is_an_implementation(host: Host) -> None:
    session = host(FACTORY + "\n    socket = make\n    name, version, buffersize = 'mine', '2.0', 1024\n")
    assert welcome(session) == ("mine", "2.0", 1024)
    assert isinstance(open_socket(session), ImplSocket)


def test_a_module_needs_nothing_but_the_factory(host: Host, request: pytest.FixtureRequest) -> None:
    session = host(FACTORY + "\n    socket = make\n    __version__ = '3'\n    buffersize = 'big'\n")
    assert welcome(session) == ("", "3", 8192)


def test_another_object_is_refused(host: Host) -> None:
    with pytest.raises(CannotStart, match=r"neither a factory socket.*nor has it an attribute `socket`"):
        host("x = 1")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import nothing_like_this", "ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("raise SystemExit(2)", "SystemExit: 2"),
        ("def f(:", "SyntaxError: "),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_the_error_of_a_failed_import_has_the_line(host: Host, source: str, message: str) -> None:
    with pytest.raises(CannotStart) as caught:
        host("\n" + source)
    text = str(caught.value)
    assert "cannot be imported: " + message in text
    assert "line 2" in text
    assert ".py" in text
