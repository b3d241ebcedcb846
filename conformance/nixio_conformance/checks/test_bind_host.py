"""bind: which address a host stands for."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect, names
from nixio_conformance.toolkit.case import ANY, LOOPBACK, Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.reach import listens, port_of, reached
from nixio_fixtures import Kind

WHAT = "bind()"


@clause("bind.host.given")
def test_host_given(case: Case) -> None:
    sock = case.socket()
    expect.true(sock.bind(case.loopback, 0), WHAT)
    with case.view(sock) as seen:
        found = seen.getsockname()[0]
    expect.same(found, case.loopback, "the local address, as the system has it")


@clause("bind.host.reached")
def test_host_reached(case: Case, kind: Kind) -> None:
    sock, address = case.bound()
    reached(case, listens(sock, kind), address)


@clause("bind.host.only")
def test_host_only(case: Case) -> None:
    sock = case.socket()
    expect.true(sock.bind(case.own_address(), 0), WHAT)
    # The system gives the same port to nobody else at this other address if the first has all addresses.
    case.peer().bind(case.own_address(), port_of(sock))


@clause("bind.host.default")
def test_host_default(case: Case, kind: Kind) -> None:
    sock = case.socket()
    expect.true(sock.bind(None, 0), WHAT)
    with case.view(sock) as seen:
        found = seen.getsockname()[0]
    expect.same(found, ANY[kind.domain], "the local address, as the system has it")


@clause("bind.host.default-loopback")
def test_host_default_loopback(case: Case, kind: Kind) -> None:
    sock = case.socket()
    expect.true(sock.bind(None, 0), WHAT)
    reached(case, listens(sock, kind), (case.loopback, port_of(sock)))


@clause("bind.host.default-others")
def test_host_default_others(case: Case, kind: Kind) -> None:
    sock = case.socket()
    expect.true(sock.bind(None, 0), WHAT)
    reached(case, listens(sock, kind), (case.own_address(), port_of(sock)))


@clause("bind.host.unspecified")
def test_host_unspecified(case: Case, kind: Kind) -> None:
    sock = case.socket()
    expect.true(sock.bind(ANY[kind.domain], 0), WHAT)
    expect.same(expect.address(sock.getsockname())[0], ANY[kind.domain], "the host of getsockname()")
    reached(case, listens(sock, kind), (case.loopback, port_of(sock)))


@clause("bind.host.spellings")
@pytest.mark.parametrize(
    "host",
    [
        pytest.param("0:0:0:0:0:0:0:1", id="long"),
        pytest.param("::0001", id="zeros"),
        pytest.param("::0.0.0.1", id="dotted"),
    ],
)
def test_host_spellings(case: Case, kind: Kind, host: str) -> None:
    sock = case.socket()
    expect.true(sock.bind(host, 0), WHAT)
    reached(case, listens(sock, kind), (case.loopback, port_of(sock)))


@clause("bind.host.mapped")
def test_host_mapped(case: Case, kind: Kind) -> None:
    ipv4 = case.ipv4_kind()
    sock = case.socket()
    expect.true(sock.bind("::ffff:127.0.0.1", 0), WHAT)
    reached(case, listens(sock, kind), ("127.0.0.1", port_of(sock)), ipv4)


@clause("bind.host.name")
def test_host_name(case: Case, kind: Kind) -> None:
    name, addresses = names.local_name(kind)
    sock = case.socket()
    expect.true(sock.bind(name, 0), WHAT)
    found = expect.address(sock.getsockname(), "getsockname()")[0]
    expect.one_of(found, addresses, "the host of getsockname()")
    reached(case, listens(sock, kind), (str(found), port_of(sock)))


@clause("bind.host.unknown")
def test_host_unknown(case: Case) -> None:
    expect.fails(case.socket().bind(names.NO_HOST, 0), "resolver", what=WHAT)


@clause("bind.host.unencodable")
@pytest.mark.parametrize(
    "name", [pytest.param("x" * 64 + ".test", id="long-label"), pytest.param("a..b", id="no-label")]
)
def test_host_unencodable(case: Case, name: str) -> None:
    expect.fails(case.socket().bind(name, 0), "resolver", "argument", what=WHAT)


@clause("bind.host.other-family")
def test_host_other_family(case: Case, kind: Kind) -> None:
    other = LOOPBACK["inet6" if kind.domain == "inet" else "inet"]
    expect.fails(case.socket().bind(other, 0), "resolver", "argument", "EAFNOSUPPORT", what=WHAT)


@clause("bind.host.not-local")
def test_host_not_local(case: Case, kind: Kind) -> None:
    foreign = names.not_local(kind)
    expect.fails(case.socket().bind(foreign, 0), "EADDRNOTAVAIL", what=WHAT)


@clause("bind.host.nul")
def test_host_nul(case: Case) -> None:
    expect.fails(case.socket().bind(f"{case.loopback}\0.test", 0), "resolver", "argument", what=WHAT)


@clause("bind.host.empty")
def test_host_empty(case: Case, kind: Kind) -> None:
    sock = case.socket()
    outcome = sock.bind("", 0)
    if not isinstance(outcome, Returned):
        expect.fails(outcome, "resolver", "argument", what=WHAT)
        return
    expect.true(outcome, WHAT)
    expect.same(expect.address(sock.getsockname())[0], ANY[kind.domain], "the host of getsockname()")


@clause("bind.host.types")
@pytest.mark.parametrize(
    "host", [pytest.param(True, id="true"), pytest.param(False, id="false"), pytest.param(("127.0.0.1",), id="list")]
)
def test_host_types(case: Case, host: Argument) -> None:
    expect.refused_argument(case.socket().bind(host, 0), WHAT)


@clause("bind.host.number")
def test_host_number(case: Case) -> None:
    expect.fails(case.socket().bind(7, 0), "argument", "resolver", "EADDRNOTAVAIL", what=WHAT)


@clause("bind.raw.without-port")
@pytest.mark.parametrize("port", [pytest.param((), id="left-out"), pytest.param((None,), id="none")])
def test_raw_without_port(case: Case, port: tuple[None, ...]) -> None:
    sock = case.socket()
    expect.true(sock.bind(case.loopback, *port), WHAT)
    expect.same(expect.address(sock.getsockname())[0], case.loopback, "the host of getsockname()")
