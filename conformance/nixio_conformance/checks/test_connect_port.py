"""connect: which port a number, digits or the name of a service stand for."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect, names, port_numbers
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Peer
from nixio_conformance.toolkit.reach import arrives
from nixio_fixtures import Kind

WHAT = "connect()"


@clause("connect.port.number")
def test_port_number(case: Case) -> None:
    peer, port = _destination(case)
    sock = case.socket()
    expect.true(sock.connect(case.loopback, port), WHAT)
    arrives(case, sock, peer)


@clause("connect.port.digits")
def test_port_digits(case: Case) -> None:
    peer, port = _destination(case)
    sock = case.socket()
    expect.true(sock.connect(case.loopback, str(port)), WHAT)
    arrives(case, sock, peer)


@clause("connect.port.service")
def test_port_service(case: Case, kind: Kind) -> None:
    host = names.own_host(case)
    name, port = names.service(kind, host)
    peer = case.peer().bind(host, port)
    if kind.type == "stream":
        peer.listen()
    sock = case.socket()
    expect.true(sock.connect(host, name), WHAT)
    arrives(case, sock, peer)


@clause("connect.port.service-protocol")
def test_port_service_protocol(case: Case, kind: Kind) -> None:
    name = names.foreign_service(kind)
    expect.fails(case.socket().connect(case.loopback, name), *port_numbers.REFUSED, what=WHAT)


@clause("connect.port.service-unknown")
@pytest.mark.parametrize("name", [names.NO_SERVICE, "http-nixio"])
def test_port_service_unknown(case: Case, name: str) -> None:
    expect.fails(case.socket().connect(case.loopback, name), "resolver", "argument", what=WHAT)


@clause("connect.port.out-of-range")
@pytest.mark.parametrize("wrong", port_numbers.OUT_OF_RANGE)
@pytest.mark.parametrize("form", ["number", "text"])
def test_port_out_of_range(case: Case, wrong: port_numbers.Spelling, form: str) -> None:
    _, port = _destination(case)
    outcome = case.socket().connect(case.loopback, port_numbers.in_form(wrong(port), form))
    expect.fails(outcome, *port_numbers.REFUSED, what=WHAT)


@clause("connect.port.spelling")
@pytest.mark.parametrize("spelling", port_numbers.SPELLINGS)
def test_port_spelling(case: Case, spelling: port_numbers.Spelling) -> None:
    peer, port = _destination(case)
    sock = case.socket()
    outcome = sock.connect(case.loopback, spelling(port))
    if not isinstance(outcome, Returned):
        expect.fails(outcome, *port_numbers.REFUSED, what=WHAT)
        return
    expect.true(outcome, WHAT)
    arrives(case, sock, peer)


@clause("connect.port.trailing")
@pytest.mark.parametrize("spelling", port_numbers.TRAILING)
def test_port_trailing(case: Case, spelling: port_numbers.Spelling) -> None:
    _, port = _destination(case)
    expect.fails(case.socket().connect(case.loopback, spelling(port)), *port_numbers.REFUSED, what=WHAT)


@clause("connect.port.fraction")
@pytest.mark.parametrize("part", [0.5, 0.25])
def test_port_fraction(case: Case, part: float) -> None:
    _, port = _destination(case)
    expect.fails(case.socket().connect(case.loopback, port + part), *port_numbers.REFUSED, what=WHAT)


@clause("connect.port.required")
@pytest.mark.parametrize("host", ["given", "none"])
@pytest.mark.parametrize("port", [pytest.param((), id="left-out"), pytest.param((None,), id="none")])
def test_port_required(case: Case, host: str, port: tuple[None, ...]) -> None:
    given = case.loopback if host == "given" else None
    expect.fails(case.socket().connect(given, *port), "argument", "resolver", what=WHAT)


@clause("connect.port.types")
@pytest.mark.parametrize("port", port_numbers.WRONG_TYPES)
def test_port_types(case: Case, port: Argument) -> None:
    expect.fails(case.socket().connect(case.loopback, port), "argument", "resolver", what=WHAT)


def _destination(case: Case) -> tuple[Peer, int]:
    peer = case.destination()
    return peer, peer.address[1] or 0
