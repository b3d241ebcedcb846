"""bind and connect: ports given as a number, as digits, or as the name of a service."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect, names, port_numbers
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.port_numbers import REFUSED, Spelling, each_spelling
from nixio_conformance.toolkit.reach import attempt, peer_at, port_of, reaches
from nixio_fixtures import Kind


@clause("bind.port.zero")
@pytest.mark.parametrize("port", [pytest.param(0, id="number"), pytest.param("0", id="text")])
def test_port_0_is_any_free_port(case: Case, port: int | str) -> None:
    sock, another = case.socket(), case.socket()
    expect.true(sock.bind(case.loopback, port), "bind()")
    expect.true(another.bind(case.loopback, port), "bind() of another socket")
    both = port_of(sock), port_of(another)
    expect.holds(both[0] != both[1], "the ports of two sockets", "two free ones", both)


@clause("{bind,connect}.port.number")
def test_the_given_port_is_used(case: Case, method: str) -> None:
    made = attempt(case, method, lambda port: port)
    expect.true(made.outcome, f"{method}()")
    made.right_address()


@clause("{bind,connect}.port.digits")
def test_a_port_in_digits_is_used(case: Case, method: str) -> None:
    made = attempt(case, method, str)
    expect.true(made.outcome, f"{method}()")
    made.right_address()


@clause("{bind,connect}.port.service")
def test_the_name_of_a_service_stands_for_its_port(case: Case, method: str, kind: Kind) -> None:
    host = names.own_host(case)
    name, port = names.service(kind, host)
    sock = case.socket()
    if method == "bind":
        expect.true(sock.bind(host, name), "bind()")
        expect.at(sock.getsockname(), (host, port), "getsockname()")
    else:
        peer = peer_at(case, host, port)
        expect.true(sock.connect(host, name), "connect()")
        reaches(case, sock, peer)


@clause("{bind,connect}.port.service-protocol")
def test_a_service_of_the_other_protocol_is_refused(case: Case, method: str, kind: Kind) -> None:
    name = names.foreign_service(kind)
    expect.fails(case.socket().call(method, case.loopback, name), *REFUSED, what=f"{method}()")


@clause("{bind,connect}.port.service-unknown")
@pytest.mark.parametrize("name", [names.NO_SERVICE, "http-nixio"])
def test_an_unknown_service_is_refused(case: Case, method: str, name: str) -> None:
    expect.fails(case.socket().call(method, case.loopback, name), "resolver", "argument", what=f"{method}()")


@clause("{bind,connect}.port.out-of-range")
@each_spelling("wrong", port_numbers.OUT_OF_RANGE)
@pytest.mark.parametrize("form", ["number", "text"])
def test_a_port_out_of_range_is_refused(case: Case, method: str, wrong: Spelling, form: str) -> None:
    made = attempt(case, method, lambda port: str(wrong(port)) if form == "text" else wrong(port))
    expect.fails(made.outcome, *REFUSED, what=f"{method}()")


@clause("{bind,connect}.port.spelling")
@each_spelling("spelling", port_numbers.OTHER_NOTATIONS)
def test_another_notation_is_understood_or_refused(case: Case, method: str, spelling: Spelling) -> None:
    made = attempt(case, method, spelling)
    if not isinstance(made.outcome, Returned):
        expect.fails(made.outcome, *REFUSED, what=f"{method}()")
        return
    expect.true(made.outcome, f"{method}()")
    made.right_address()


@clause("{bind,connect}.port.trailing")
@each_spelling("spelling", port_numbers.WITH_TRAILING_TEXT)
def test_digits_followed_by_text_are_refused(case: Case, method: str, spelling: Spelling) -> None:
    expect.fails(attempt(case, method, spelling).outcome, *REFUSED, what=f"{method}()")


@clause("{bind,connect}.port.fraction")
@pytest.mark.parametrize("part", [0.5, 0.25])
def test_a_fraction_is_refused(case: Case, method: str, part: float) -> None:
    expect.fails(attempt(case, method, lambda port: port + part).outcome, *REFUSED, what=f"{method}()")


@clause("{bind,connect}.port.required")
@pytest.mark.parametrize("host", ["given", "none"])
@pytest.mark.parametrize("port", [pytest.param((), id="left-out"), pytest.param((None,), id="none")])
def test_a_port_is_required(case: Case, method: str, host: str, port: tuple[None, ...]) -> None:
    given = case.loopback if host == "given" else None
    expect.fails(case.socket().call(method, given, *port), "argument", "resolver", what=f"{method}()")


@clause("{bind,connect}.port.types")
@pytest.mark.parametrize("port", port_numbers.WRONG_TYPES)
def test_a_port_of_a_wrong_type_is_refused(case: Case, method: str, port: Argument) -> None:
    expect.fails(case.socket().call(method, case.loopback, port), "argument", "resolver", what=f"{method}()")
