"""bind: the local address for a given or omitted host."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Returned
from nixio_conformance.toolkit import expect, names
from nixio_conformance.toolkit.case import ANY, Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import contract_address
from nixio_conformance.toolkit.reach import bound_to_any, listens, port_of, reached
from nixio_fixtures import Kind

WHAT = "bind()"


@clause("bind.host.given")
def test_the_host_is_the_local_address(case: Case) -> None:
    sock = case.socket()
    expect.true(sock.bind(case.loopback, 0), WHAT)
    with case.view(sock) as seen:
        found, _ = contract_address(case.kind, seen.getsockname())
    expect.same(found, case.loopback, "the local address in the kernel")


@clause("bind.host.reached")
def test_the_socket_is_reached_at_the_host(case: Case, kind: Kind) -> None:
    sock, address = case.bound()
    reached(case, listens(sock, kind), address)


@clause("bind.host.only")
def test_only_the_given_address_is_bound(case: Case) -> None:
    sock = case.socket()
    expect.true(sock.bind(case.own_address(), 0), WHAT)
    # If the socket had all addresses, the system would refuse its port at this other address.
    case.peer().bind(case.own_address(), port_of(sock))


@clause("bind.host.default")
def test_without_a_host_all_addresses_are_bound(case: Case, kind: Kind) -> None:
    sock = case.socket()
    expect.true(sock.bind(None, 0), WHAT)
    with case.view(sock) as seen:
        found, _ = contract_address(case.kind, seen.getsockname())
    expect.same(found, ANY[kind.domain], "the local address in the kernel")


@clause("bind.host.default-loopback")
def test_without_a_host_it_is_reached_over_loopback(case: Case, kind: Kind) -> None:
    sock, port = bound_to_any(case)
    reached(case, listens(sock, kind), (case.loopback, port))


@clause("bind.host.default-others")
def test_without_a_host_it_is_reached_at_other_addresses(case: Case, kind: Kind) -> None:
    sock, port = bound_to_any(case)
    reached(case, listens(sock, kind), (case.own_address(), port))


@clause("bind.host.unspecified")
def test_the_unspecified_address_is_all_addresses(case: Case, kind: Kind) -> None:
    sock = case.socket()
    expect.true(sock.bind(ANY[kind.domain], 0), WHAT)
    expect.same(expect.address(sock.getsockname())[0], ANY[kind.domain], "the host of getsockname()")
    reached(case, listens(sock, kind), (case.loopback, port_of(sock)))


@clause("bind.host.mapped")
def test_an_ipv4_mapped_address_is_understood(case: Case, kind: Kind) -> None:
    ipv4 = case.ipv4_kind()
    sock = case.socket()
    expect.true(sock.bind("::ffff:127.0.0.1", 0), WHAT)
    reached(case, listens(sock, kind), ("127.0.0.1", port_of(sock)), ipv4)


@clause("bind.host.name")
def test_a_name_is_resolved(case: Case, kind: Kind) -> None:
    name, addresses = names.local_name(kind)
    sock = case.socket()
    expect.true(sock.bind(name, 0), WHAT)
    found = expect.address(sock.getsockname(), "getsockname()")[0]
    expect.one_of(found, addresses, "the host of getsockname()")
    reached(case, listens(sock, kind), (str(found), port_of(sock)))


@clause("bind.host.not-local")
def test_an_address_of_another_host_is_not_available(case: Case, kind: Kind) -> None:
    foreign = names.not_local(kind)
    expect.fails(case.socket().bind(foreign, 0), "EADDRNOTAVAIL", what=WHAT)


@clause("bind.host.empty")
def test_an_empty_host_is_all_addresses_or_refused(case: Case, kind: Kind) -> None:
    sock = case.socket()
    outcome = sock.bind("", 0)
    if not isinstance(outcome, Returned):
        expect.fails(outcome, "resolver", "argument", what=WHAT)
        return
    expect.true(outcome, WHAT)
    expect.same(expect.address(sock.getsockname())[0], ANY[kind.domain], "the host of getsockname()")


@clause("bind.host.number")
def test_a_number_is_no_host(case: Case) -> None:
    expect.fails(case.socket().bind(7, 0), "argument", "resolver", "EADDRNOTAVAIL", what=WHAT)


@clause("bind.raw.without-port")
@pytest.mark.parametrize("port", [pytest.param((), id="left-out"), pytest.param((None,), id="none")])
def test_a_raw_socket_is_bound_without_a_port(case: Case, port: tuple[None, ...]) -> None:
    sock = case.socket()
    expect.true(sock.bind(case.loopback, *port), WHAT)
    expect.same(expect.address(sock.getsockname())[0], case.loopback, "the host of getsockname()")
