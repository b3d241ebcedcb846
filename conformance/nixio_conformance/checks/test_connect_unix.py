"""connect of UNIX sockets: which socket a path refers to, and how connect fails if there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixio_conformance.host import platforms
from nixio_conformance.toolkit import expect, unix_paths
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.reach import peer_at, reaches, uses_name
from nixio_fixtures import Kind, load

WHAT = "connect()"


@clause("connect.unix.path")
@pytest.mark.parametrize("name", unix_paths.NAMES)
def test_the_peer_at_the_path_is_reached(case: Case, name: str) -> None:
    uses_name(case, "connect", unix_paths.named(case, name))


@clause("connect.unix.last-byte")
@pytest.mark.parametrize("which", ["first", "second"])
def test_the_last_byte_of_the_longest_path_counts(case: Case, which: str) -> None:
    path = case.path(platforms.this_platform().unix_path - 1)
    peers = {"first": peer_at(case, path + "a"), "second": peer_at(case, path + "b")}
    sock = case.socket()
    expect.true(sock.connect(*peers[which].address), WHAT)
    reaches(case, sock, peers[which])


@clause("connect.unix.nothing")
@pytest.mark.parametrize("where", ["folder", "no-folder"])
def test_a_path_that_does_not_exist_fails(case: Case, where: str) -> None:
    path = case.path() if where == "folder" else f"{case.path()}/name"
    expect.fails(case.socket().connect(path, None), "ENOENT", what=WHAT)


@clause("connect.unix.makes-no-file")
def test_no_file_is_made(case: Case) -> None:
    path = Path(case.path())
    case.socket().connect(str(path), None)
    expect.same([entry.name for entry in path.parent.iterdir()], [], "what is in the folder after connect()")


@clause("connect.unix.no-socket")
@pytest.mark.parametrize("what", ["file", "folder", "stale-socket"])
def test_a_path_without_an_open_socket_is_refused(case: Case, what: str) -> None:
    path = unix_paths.existing(case, what)
    expect.fails(case.socket().connect(path, None), "ECONNREFUSED", "ENOTSOCK", what=WHAT)


@clause("connect.unix.other-type")
def test_a_socket_of_the_other_type_fails(case: Case, kind: Kind) -> None:
    other = case.destination(load().kind("unix-dgram" if kind.type == "stream" else "unix-stream"))
    expect.fails(case.socket().connect(*other.address), "EPROTOTYPE", what=WHAT)


@clause("connect.unix.leaves-file")
@pytest.mark.parametrize("what", ["file", "stale-socket", "socket"])
def test_the_file_at_the_path_is_left_alone(case: Case, what: str) -> None:
    path = unix_paths.existing(case, what)
    before = unix_paths.fingerprint(path)
    case.socket().connect(path, None)
    expect.same(unix_paths.fingerprint(path), before, "what is at the path (inode, mode, size) after connect()")


@clause("connect.unix.abstract-unknown")
@pytest.mark.parametrize("change", ["longer", "shorter"])
def test_an_abstract_name_of_another_length_is_refused(case: Case, change: str) -> None:
    name = case.abstract()
    peer_at(case, name)
    other = name + b"\0" if change == "longer" else name[:-1]
    expect.fails(case.socket().connect(other, None), "ECONNREFUSED", what=WHAT)
