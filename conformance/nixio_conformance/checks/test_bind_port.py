"""bind: which port a number, digits or the name of a service stand for."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect, names, port_numbers
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.reach import bind_free, port_of
from nixio_fixtures import Kind

WHAT = "bind()"


@clause("bind.port.zero")
@pytest.mark.parametrize("port", [pytest.param(0, id="number"), pytest.param("0", id="text")])
def test_port_zero(case: Case, port: int | str) -> None:
    sock, another = case.socket(), case.socket()
    expect.true(sock.bind(case.loopback, port), WHAT)
    expect.true(another.bind(case.loopback, port), "bind() of another socket")
    both = port_of(sock), port_of(another)
    expect.holds(both[0] != both[1], "the ports of two sockets", "two free ones", both)


@clause("bind.port.number")
def test_port_number(case: Case) -> None:
    sock, port, outcome = bind_free(case, lambda port: port)
    expect.true(outcome, WHAT)
    expect.at(sock.getsockname(), (case.loopback, port), "getsockname()")


@clause("bind.port.digits")
def test_port_digits(case: Case) -> None:
    sock, port, outcome = bind_free(case, str)
    expect.true(outcome, WHAT)
    expect.at(sock.getsockname(), (case.loopback, port), "getsockname()")


@clause("bind.port.service")
def test_port_service(case: Case, kind: Kind) -> None:
    host = names.own_host(case)
    name, port = names.service(kind, host)
    sock = case.socket()
    expect.true(sock.bind(host, name), WHAT)
    expect.at(sock.getsockname(), (host, port), "getsockname()")


@clause("bind.port.service-protocol")
def test_port_service_protocol(case: Case, kind: Kind) -> None:
    name = names.foreign_service(kind)
    expect.fails(case.socket().bind(case.loopback, name), *port_numbers.REFUSED, what=WHAT)


@clause("bind.port.service-unknown")
@pytest.mark.parametrize("name", [names.NO_SERVICE, "http-nixio"])
def test_port_service_unknown(case: Case, name: str) -> None:
    expect.fails(case.socket().bind(case.loopback, name), "resolver", "argument", what=WHAT)


@clause("bind.port.out-of-range")
@pytest.mark.parametrize("wrong", port_numbers.OUT_OF_RANGE)
@pytest.mark.parametrize("form", ["number", "text"])
def test_port_out_of_range(case: Case, wrong: port_numbers.Spelling, form: str) -> None:
    outcome = bind_free(case, lambda port: port_numbers.in_form(wrong(port), form))[2]
    expect.fails(outcome, *port_numbers.REFUSED, what=WHAT)


@clause("bind.port.spelling")
@pytest.mark.parametrize("spelling", port_numbers.SPELLINGS)
def test_port_spelling(case: Case, spelling: port_numbers.Spelling) -> None:
    sock, port, outcome = bind_free(case, spelling)
    if not isinstance(outcome, Returned):
        expect.fails(outcome, *port_numbers.REFUSED, what=WHAT)
        return
    expect.true(outcome, WHAT)
    expect.at(sock.getsockname(), (case.loopback, port), "getsockname()")


@clause("bind.port.trailing")
@pytest.mark.parametrize("spelling", port_numbers.TRAILING)
def test_port_trailing(case: Case, spelling: port_numbers.Spelling) -> None:
    expect.fails(bind_free(case, spelling)[2], *port_numbers.REFUSED, what=WHAT)


@clause("bind.port.fraction")
@pytest.mark.parametrize("part", [0.5, 0.25])
def test_port_fraction(case: Case, part: float) -> None:
    expect.fails(bind_free(case, lambda port: port + part)[2], *port_numbers.REFUSED, what=WHAT)


@clause("bind.port.required")
@pytest.mark.parametrize("host", ["given", "none"])
@pytest.mark.parametrize("port", [pytest.param((), id="left-out"), pytest.param((None,), id="none")])
def test_port_required(case: Case, host: str, port: tuple[None, ...]) -> None:
    given = case.loopback if host == "given" else None
    expect.fails(case.socket().bind(given, *port), "argument", "resolver", what=WHAT)


@clause("bind.port.types")
@pytest.mark.parametrize("port", port_numbers.WRONG_TYPES)
def test_port_types(case: Case, port: Argument) -> None:
    expect.fails(case.socket().bind(case.loopback, port), "argument", "resolver", what=WHAT)
