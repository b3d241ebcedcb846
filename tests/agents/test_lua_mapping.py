"""The Lua agent: values, failures and errors of a module in the contract's representation."""

from __future__ import annotations

import pytest
from tests.agents.support import Begin, Fake, opened

from nixio_conformance.driver.messages import Foreign
from nixio_conformance.driver.outcome import Failure, Returned
from nixio_conformance.driver.socket import ImplSocket

VALUES: dict[str, tuple[bool | int | float | str | bytes | None, ...]] = {
    "nothing": (),
    "nil": (None,),
    "false": (False,),
    "true": (True,),
    "three": (1, None, "x"),
    "trailing nils": (1, None, None),
    "fraction": (0.1,),
    "whole float": (3,),
    "minus zero": (0,),
    "2^53": (2**53,),
    "-2^63": (-(2**63),),
    "2^63": (2**63,),
    "text": ('hé"\\/\n\t\x7f\x01',),
    "data": (b"\0\xff\xc3\xa9",),
    "not UTF-8": (b"/tmp/\xff",),
    "overlong UTF-8": (b"\xc0\xaf",),
    "a surrogate in UTF-8": (b"\xed\xa0\x80",),
    "abstract": (b"\0name",),
    "path": ("/tmp/path",),
}


@pytest.mark.parametrize("what", VALUES)
def test_values(fake: Fake, what: str) -> None:
    outcome = fake.does(what)
    assert outcome == Returned(VALUES[what])
    assert isinstance(outcome, Returned)
    assert [type(value) for value in outcome.values] == [type(value) for value in VALUES[what]]


@pytest.mark.parametrize("what", ["huge", "nan", "infinite", "odd table", "a function"])
def test_values_outside_of_the_contract_are_foreign(fake: Fake, what: str) -> None:
    outcome = fake.does(what)
    assert isinstance(outcome, Returned)
    (value,) = outcome.values
    assert isinstance(value, Foreign)
    assert value.name in ("number", "table", "function")


@pytest.mark.parametrize("method", ["recv", "read", "recvfrom"])
def test_data_is_always_a_buffer(fake: Fake, method: str) -> None:
    outcome = fake.does("path", method)
    assert isinstance(outcome, Returned)
    assert outcome.values[0] == b"/tmp/path"


@pytest.mark.parametrize(
    ("method", "values"),
    [
        ("getsockname", ("/tmp/path", None)),
        ("getpeername", ("/tmp/path", None)),
        ("accept", ("/tmp/path", None, None)),
        ("recvfrom", (b"/tmp/path", None, None)),
        ("getopt", ("/tmp/path",)),
    ],
)
def test_trailing_nils_may_be_left_out(fake: Fake, method: str, values: tuple[str | bytes | None, ...]) -> None:
    assert fake.does("path", method) == Returned(values)
    assert fake.does("nothing", method) == Returned(())
    assert fake.does("nil", method) == Returned((None,))
    assert fake.does("false", method) == Returned((False,))


FAILURES = {
    "system": Failure("system", "EADDRINUSE", 98, "in use"),
    "unnamed": Failure("system", "ECONNREFUSED", 111, "refused"),
    "no message": Failure("system", "EADDRINUSE", 98, ""),
    "message not UTF-8": Failure("system", "EADDRINUSE", 98, "\\xff!"),
    "would block": Failure("would-block", "EAGAIN", 11, "again"),
    "resolver": Failure("resolver", "EAI_NONAME", -2, "unknown"),
    "unknown resolver": Failure("resolver", "", -99, "?"),
}


@pytest.mark.parametrize("what", FAILURES)
def test_failures(fake: Fake, what: str) -> None:
    assert fake.does(what) == FAILURES[what]


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("false and an error", "false is for EAGAIN alone"),
        ("nil and a text", "a failure is nil, errno, message"),
        ("errno 0", "0, which is not an errno"),
        ("errno 1.5", "1.5, which is not an errno"),
        ("errno true", "true, which is not an errno"),
    ],
)
def test_failures_outside_of_the_contract(fake: Fake, what: str, text: str) -> None:
    outcome = fake.does(what)
    assert isinstance(outcome, Failure)
    assert outcome.kind == "exception"
    assert text in outcome.message


def test_a_message_whose_tostring_raises(fake: Fake) -> None:
    outcome = fake.does("odd message")
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.number) == ("system", 98)
    assert "whose tostring raises" in outcome.message


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("refuses", "bad argument #1 to 'bind'"),
        ("refuses with a table", "table: "),
        ("refuses with an odd table", "whose tostring raises"),
        ("refuses with nil", "nil"),
        ("attempt to bind", "attempt to bind a closed socket"),
    ],
)
def test_an_error_is_the_refusal_of_an_argument(fake: Fake, what: str, text: str) -> None:
    outcome = fake.does(what)
    assert isinstance(outcome, Failure)
    assert outcome.kind == "argument"
    assert text in outcome.message


OWN = [
    "index", "call", "call nil", "arithmetic", "arithmetic on a field", "concatenation", "comparison",
    "comparison of two", "length", "deep", "memory", "for",
]  # fmt: skip


@pytest.mark.parametrize("what", [name for name in OWN if name != "call"])
def test_errors_of_the_interpreter_are_exceptions(fake: Fake, what: str) -> None:
    outcome = fake.does(what)
    assert isinstance(outcome, Failure)
    assert outcome.kind == "exception", outcome
    assert fake.does("true") == Returned((True,))


def test_the_message_of_an_error_in_a_metamethod(fake: Fake) -> None:
    outcome = fake.does("call")
    assert isinstance(outcome, Failure)
    assert "no field" in outcome.message


def test_a_returned_socket_has_a_number_of_its_own(fake: Fake) -> None:
    outcome = fake.does("another socket", "accept")
    assert isinstance(outcome, Returned)
    other = outcome.values[0]
    assert isinstance(other, ImplSocket)
    assert other.number == fake.socket.number + 1
    assert Fake(fake.session, other).does("path") == Returned(("/tmp/path",))


def test_an_object_with_a_callable_method_is_a_socket(begin_lua: Begin) -> None:
    session = begin_lua()
    outcome = session.open("callable")
    assert isinstance(outcome, Returned)
    assert isinstance(outcome.values[0], ImplSocket)
    assert outcome.values[0].close() == Returned((True,))


def test_the_lookup_of_a_method_may_raise(begin_lua: Begin) -> None:
    outcome = begin_lua().open("raising")
    assert isinstance(outcome, Returned)
    assert isinstance(outcome.values[0], ImplSocket)
    failure = outcome.values[0].call("bind")
    assert isinstance(failure, Failure)
    assert (failure.kind, "no bind" in failure.message) == ("argument", True)


def test_a_missing_method(fake: Fake) -> None:
    outcome = fake.call("listen")
    assert isinstance(outcome, Failure)
    assert outcome.kind == "missing"
    assert outcome.message == "the socket (a table) has no method listen"


def test_arguments(fake: Fake) -> None:
    assert fake.call("kinds", "text", b"data", 1, 1.5, True, None) == Returned(
        ("string string number number boolean nil",)
    )
    assert fake.call("kinds", (1, 2)) == Returned(("table",))
    assert fake.call("setopt", "socket", "rcvtimeo", (1, 500000)) == Returned(("socket", "rcvtimeo", 1, 500000))
    assert fake.call("setopt", "ip", "add_membership", ("g", "i")) == Returned(("ip", "add_membership", "g", "i"))
    assert fake.call("setopt", "socket", "rcvtimeo", 1) == Returned(("socket", "rcvtimeo", 1))


@pytest.mark.parametrize("value", [(1,), (1, 2, 3), ()])
def test_a_list_that_is_not_a_pair_is_passed_as_a_table(fake: Fake, value: tuple[int, ...]) -> None:
    outcome = fake.call("setopt", "socket", "rcvtimeo", value)
    assert isinstance(outcome, Returned)
    assert isinstance(outcome.values[2], Foreign)
    assert len(outcome.values) == 3


def test_a_pair_for_another_option_is_passed_as_a_table(fake: Fake) -> None:
    outcome = fake.call("setopt", "socket", "keepalive", (1, 2))
    assert isinstance(outcome, Returned)
    assert len(outcome.values) == 3
    assert isinstance(outcome.values[2], Foreign)


def test_a_released_socket_is_collected(fake: Fake) -> None:
    session = fake.session
    for _ in range(3):
        opened(session).socket.release()
    assert fake.call("count") == Returned((0, 1))


def test_reset_drops_sockets_whose_close_raises(fake: Fake) -> None:
    session = fake.session
    opened(session)
    session.end_case()
    session.collect_garbage()
    assert opened(session).call("count") == Returned((0, 1))


def test_an_error_of_the_factory(begin_lua: Begin) -> None:
    outcome = begin_lua().open("unix", "stream")
    assert isinstance(outcome, Failure)
    assert outcome.kind == "argument"
    assert "unknown domain" in outcome.message


def test_hello(begin_lua: Begin, interpreter: str) -> None:
    welcome = begin_lua().welcome
    assert welcome.name.endswith("fake.lua")
    assert (welcome.version, welcome.buffersize) == ("0.9", 4096)
    assert welcome.language.lower().replace(" ", "").startswith(interpreter)
    assert "gc" in welcome.capabilities
    assert welcome.platform
