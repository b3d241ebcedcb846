"""sendto over UNIX sockets: the host is a path, or on Linux an abstract name, and the port is ignored."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.wire import Argument
from nixio_conformance.host import platforms
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import sendto_to
from nixio_fixtures import load


@clause("sendto.unix.port-ignored")
@pytest.mark.parametrize(
    "port",
    [
        pytest.param(None, id="none"),
        pytest.param(0, id="zero"),
        pytest.param(4711, id="number"),
    ],
)
def test_the_port_is_ignored(case: Case, port: Argument) -> None:
    """Only valid ports: nixio documents only for bind and connect that any value is ignored."""
    peer = case.bound_peer()
    sock = case.socket()
    expect.count(sock.sendto(b"abc", peer.address[0], port), 3)
    expect.same(peer.recv(), b"abc", "what the peer received")


@clause("sendto.unix.missing")
def test_a_path_that_does_not_exist_fails(case: Case) -> None:
    outcome = case.socket().sendto(b"abc", case.path(), None)
    expect.fails(outcome, "ENOENT", what="sendto() to a path that does not exist")


@clause("sendto.unix.nobody")
def test_a_path_whose_socket_was_closed_is_refused(case: Case) -> None:
    peer = case.bound_peer()
    path = peer.address[0]
    peer.close()
    expect.fails(case.socket().sendto(b"abc", path, None), "ECONNREFUSED", what="sendto() to a closed socket's path")


@clause("sendto.unix.stream")
def test_a_path_of_a_stream_socket_fails(case: Case) -> None:
    listener = case.listening_peer(kind=load().kind("unix-stream"))
    outcome = case.socket().sendto(b"abc", *listener.address)
    expect.fails(outcome, "EPROTOTYPE", "ECONNREFUSED", what="sendto() where a stream listens")


@clause("sendto.unix.longest")
def test_the_longest_path_is_reached(case: Case) -> None:
    peer = case.peer().bind(case.path(platforms.this_platform().unix_path))
    sendto_to(case.socket(), peer).delivers(b"abc")


@clause("sendto.unix.too-long")
@pytest.mark.parametrize("more", [pytest.param(1, id="one-more"), pytest.param(93, id="far-more")])
def test_a_path_is_never_cut_short(case: Case, more: int) -> None:
    peer = case.peer().bind(case.path(platforms.this_platform().unix_path))
    path = str(peer.address[0]) + "x" * more
    outcome = case.socket().sendto(b"abc", path, None)
    expect.fails(outcome, "argument", "ENAMETOOLONG", "EINVAL", "ENOENT", what="sendto()")
    # Between UNIX sockets, a datagram has arrived when the call returns.
    expect.same(peer.pending(), None, "what waits at the shorter path")


@clause("sendto.unix.empty")
def test_an_empty_path_fails(case: Case) -> None:
    expect.fails(case.socket().sendto(b"abc", "", None), what="sendto() to an empty path")


@clause("sendto.unix.nul")
def test_a_path_does_not_end_at_a_nul(case: Case) -> None:
    peer = case.bound_peer()
    sock = case.socket()
    expect.fails(sock.sendto(b"abc", str(peer.address[0]) + "\x00x", None), what="sendto() to a path with a NUL")
    sendto_to(sock, peer).nothing_arrived()


@clause("sendto.unix.abstract")
def test_an_abstract_name_is_reached(case: Case) -> None:
    peer = case.peer().bind(case.abstract(b"\x00end"))
    sendto_to(case.socket(), peer).delivers(b"abc")


@clause("sendto.unix.abstract-exact")
@pytest.mark.parametrize("change", ["longer", "shorter"])
def test_an_abstract_name_of_another_length_is_refused(case: Case, change: str) -> None:
    """Neither the name with a NUL after it nor its beginning is the same name."""
    name = case.abstract(b"\x00end")
    peer = case.peer().bind(name)
    sock = case.socket()
    other = name + b"\x00" if change == "longer" else name[:-1]
    expect.fails(sock.sendto(b"abc", other, None), "ECONNREFUSED", "argument", what="sendto() to another name")
    sendto_to(sock, peer).nothing_arrived()
