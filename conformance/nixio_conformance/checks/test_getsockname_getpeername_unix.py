"""getsockname and getpeername of UNIX sockets: the path or abstract name, whole, and no port."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Failure
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.toolkit import expect, unix_paths
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.reach import peer_at


def named_socket(case: Case, method: str, name: str | bytes) -> ImplSocket:
    """A socket for which the method has to return this path or abstract name."""
    sock = case.socket()
    if method == "getsockname":
        expect.true(sock.bind(name, None), "bind()")
    else:
        peer_at(case, name)
        expect.true(sock.connect(name, None), "connect()")
    return sock


def is_path_without_port(sock: ImplSocket, method: str) -> None:
    found = expect.address(sock.call(method), f"{method}()")
    expect.holds(type(found[0]) is str and found[1] is None, f"{method}()", "a path as text and None", found)


@clause("getsockname.result.unix")
@pytest.mark.parametrize("state", ["new", "bound", "connected"])
def test_the_own_address_is_a_path_without_a_port(case: Case, state: str) -> None:
    sock = case.bound()[0] if state == "bound" else case.socket()
    if state == "connected":
        expect.true(sock.connect(*case.destination().address), "connect()")
    is_path_without_port(sock, "getsockname")


@clause("getpeername.result.unix")
def test_the_peers_address_is_a_path_without_a_port(either_pair: Pair) -> None:
    is_path_without_port(either_pair.impl, "getpeername")


@clause("{getsockname,getpeername}.unix.no-port")
def test_a_given_port_is_not_returned(case: Case, method: str) -> None:
    sock = case.socket()
    naming = "bind" if method == "getsockname" else "connect"
    address = (case.path(), None) if method == "getsockname" else case.destination().address
    if isinstance(sock.call(naming, address[0], 80), Failure):  # other clauses require that bind succeeds
        expect.true(sock.call(naming, *address), f"{naming}()")
    expect.same(expect.address(sock.call(method), f"{method}()"), address, f"{method}()")


@clause("getsockname.unix.whole-path")
@pytest.mark.parametrize("name", ["longest", "spaces", "letters"])
def test_the_own_path_is_whole(case: Case, name: str) -> None:
    path = unix_paths.named(case, name)
    expect.at(named_socket(case, "getsockname", path).getsockname(), (path, None), "getsockname()")


@clause("getpeername.unix.whole-path")
@pytest.mark.parametrize("name", ["longest", "letters"])
def test_the_peers_path_is_whole(case: Case, name: str) -> None:
    path = unix_paths.named(case, name)
    expect.at(named_socket(case, "getpeername", path).getpeername(), (path, None), "getpeername()")


@clause("{getsockname,getpeername}.unix.abstract")
@pytest.mark.parametrize("ending", [pytest.param(b"", id="plain"), pytest.param(b"\0a\xff\0", id="binary")])
def test_an_abstract_name_is_returned(case: Case, method: str, ending: bytes) -> None:
    name = case.abstract(ending)
    expect.at(named_socket(case, method, name).call(method), (name, None), f"{method}()")
