"""connect on unix: the host is a path or an abstract name, and the port is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixio_conformance.driver.wire import Argument
from nixio_conformance.host import platforms
from nixio_conformance.toolkit import expect, port_numbers
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.peer import Peer
from nixio_conformance.toolkit.reach import arrives
from nixio_fixtures import Kind, load

WHAT = "connect()"
TOO_LONG = ("argument", "ENAMETOOLONG", "EINVAL")


@clause("connect.unix.path")
@pytest.mark.parametrize("name", ["short", "longest-2", "longest-1", "longest", "spaces", "letters"])
def test_unix_path(case: Case, name: str) -> None:
    longest = platforms.this_platform().unix_path
    endings = {"short": "s", "spaces": " a:b%20 ", "letters": "-Grün"}
    path = case.path() + endings[name] if name in endings else case.path(longest - 1 + int(name[7:] or 0)) + "!"
    peer = _at(case, path)
    sock = case.socket()
    expect.true(sock.connect(path, None), WHAT)
    arrives(case, sock, peer)


@clause("connect.unix.last-byte")
@pytest.mark.parametrize("which", ["first", "second"])
def test_unix_last_byte(case: Case, which: str) -> None:
    path = case.path(platforms.this_platform().unix_path - 1)
    peers = {"first": _at(case, path + "a"), "second": _at(case, path + "b")}
    sock = case.socket()
    expect.true(sock.connect(*peers[which].address), WHAT)
    arrives(case, sock, peers[which])


@clause("connect.unix.too-long")
@pytest.mark.parametrize("excess", [pytest.param(1, id="1"), pytest.param(2, id="2"), pytest.param(93, id="93")])
def test_unix_too_long(case: Case, excess: int) -> None:
    path = case.path(platforms.this_platform().unix_path)
    _at(case, path)
    _at(case, path[:-1])
    expect.fails(case.socket().connect(path + "y" * excess, None), *TOO_LONG, what=WHAT)


@clause("connect.unix.nul")
def test_unix_nul(case: Case) -> None:
    path = str(case.destination().address[0])
    expect.fails(case.socket().connect(f"{path}\0end", None), "argument", "EINVAL", what=WHAT)


@clause("connect.unix.port-ignored")
@pytest.mark.parametrize("port", port_numbers.IGNORED)
def test_unix_port_ignored(case: Case, port: Argument) -> None:
    peer = case.destination()
    sock = case.socket()
    expect.true(sock.connect(peer.address[0], port), WHAT)
    arrives(case, sock, peer)


@clause("connect.unix.nothing")
@pytest.mark.parametrize("where", ["folder", "no-folder"])
def test_unix_nothing(case: Case, where: str) -> None:
    path = case.path() if where == "folder" else f"{case.path()}/name"
    expect.fails(case.socket().connect(path, None), "ENOENT", what=WHAT)


@clause("connect.unix.makes-no-file")
def test_unix_makes_no_file(case: Case) -> None:
    path = Path(case.path())
    case.socket().connect(str(path), None)
    expect.same([entry.name for entry in path.parent.iterdir()], [], "what is in the folder after connect()")


@clause("connect.unix.no-socket")
@pytest.mark.parametrize("what", ["file", "folder", "stale-socket"])
def test_unix_no_socket(case: Case, what: str) -> None:
    path = case.folder if what == "folder" else _left(case, what)
    expect.fails(case.socket().connect(path, None), "ECONNREFUSED", "ENOTSOCK", what=WHAT)


@clause("connect.unix.other-type")
def test_unix_other_type(case: Case, kind: Kind) -> None:
    other = case.destination(load().kind("unix-dgram" if kind.type == "stream" else "unix-stream"))
    expect.fails(case.socket().connect(*other.address), "EPROTOTYPE", what=WHAT)


@clause("connect.unix.leaves-file")
@pytest.mark.parametrize("what", ["file", "stale-socket", "socket"])
def test_unix_leaves_file(case: Case, what: str) -> None:
    path = str(case.destination().address[0]) if what == "socket" else _left(case, what)
    before = _fingerprint(path)
    case.socket().connect(path, None)
    expect.same(_fingerprint(path), before, "what is at the path (inode, mode, size) after connect()")


@clause("connect.unix.missing")
@pytest.mark.parametrize("arguments", [pytest.param((), id="left-out"), pytest.param((None, None), id="none")])
def test_unix_missing(case: Case, arguments: tuple[None, ...]) -> None:
    expect.refused_argument(case.socket().connect(*arguments), WHAT)


@clause("connect.unix.abstract")
@pytest.mark.parametrize("ending", ["plain", "binary", "long"])
def test_unix_abstract(case: Case, ending: str) -> None:
    name = case.abstract(b"\0a\xff\0" if ending == "binary" else b"")
    peer = _at(case, name.ljust(platforms.this_platform().unix_path, b"x") if ending == "long" else name)
    sock = case.socket()
    expect.true(sock.connect(*peer.address), WHAT)
    arrives(case, sock, peer)


@clause("connect.unix.abstract-unknown")
@pytest.mark.parametrize("change", ["longer", "shorter"])
def test_unix_abstract_unknown(case: Case, change: str) -> None:
    name = case.abstract()
    _at(case, name)
    other = name + b"\0" if change == "longer" else name[:-1]
    expect.fails(case.socket().connect(other, None), "ECONNREFUSED", what=WHAT)


def _at(case: Case, name: str | bytes) -> Peer:
    """A socket of the suite at this path or name that can be connected to."""
    peer = case.peer().bind(name)
    return peer.listen() if case.kind.type == "stream" else peer


def _left(case: Case, what: str) -> str:
    """A path where there is a plain file, or what a socket left that was closed."""
    path = case.path()
    if what == "file":
        Path(path).write_text("mine")
    else:
        case.peer().bind(path).close()
    return path


def _fingerprint(path: str) -> tuple[int, int, int] | None:
    if not Path(path).exists():
        return None
    found = Path(path).stat()
    return found.st_ino, found.st_mode, found.st_size
