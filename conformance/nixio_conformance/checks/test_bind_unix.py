"""bind on unix: the host is a path or an abstract name, and the port is nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from nixio_conformance.driver.wire import Argument
from nixio_conformance.host import platforms
from nixio_conformance.toolkit import expect, port_numbers
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.reach import listens, reached
from nixio_fixtures import Kind

WHAT = "bind()"
TOO_LONG = ("argument", "ENAMETOOLONG", "EINVAL")


@clause("bind.unix.path")
def test_unix_path(case: Case) -> None:
    path = case.path()
    expect.true(case.socket().bind(path, None), WHAT)
    found = stat.S_ISSOCK(Path(path).stat().st_mode) if Path(path).exists() else None
    expect.holds(found is True, "what is at the path", "a socket", "nothing" if found is None else "something else")


@clause("bind.unix.reached")
def test_unix_reached(case: Case, kind: Kind) -> None:
    path = case.path()
    sock = case.socket()
    expect.true(sock.bind(path, None), WHAT)
    reached(case, listens(sock, kind), (path, None))


@clause("bind.unix.exact")
@pytest.mark.parametrize("name", ["short", "longest-2", "longest-1", "longest", "spaces", "letters"])
def test_unix_exact(case: Case, name: str) -> None:
    longest = platforms.this_platform().unix_path
    endings = {"short": "s", "spaces": " a:b%20 ", "letters": "-Grün"}
    path = case.path() + endings[name] if name in endings else case.path(longest - 1 + int(name[7:] or 0)) + "!"
    expect.true(case.socket().bind(path, None), WHAT)
    expect.same(os.listdir(case.folder), [Path(path).name], "the names in the path's folder")


@clause("bind.unix.last-byte")
def test_unix_last_byte(case: Case) -> None:
    path = case.path(platforms.this_platform().unix_path - 1)
    expect.true(case.socket().bind(path + "a", None), WHAT)
    expect.true(case.socket().bind(path + "b", None), WHAT)


@clause("bind.unix.too-long")
@pytest.mark.parametrize("excess", [pytest.param(1, id="1"), pytest.param(2, id="2"), pytest.param(93, id="93")])
def test_unix_too_long(case: Case, excess: int) -> None:
    path = case.path(platforms.this_platform().unix_path + excess)
    expect.fails(case.socket().bind(path, None), *TOO_LONG, what=WHAT)


@clause("bind.unix.never-cut")
@pytest.mark.parametrize("excess", [pytest.param(1, id="1"), pytest.param(2, id="2"), pytest.param(93, id="93")])
def test_unix_never_cut(case: Case, excess: int) -> None:
    path = case.path(platforms.this_platform().unix_path + excess)
    case.socket().bind(path, None)
    others = set(os.listdir(case.folder)) - {Path(path).name}
    expect.holds(not others, "the names in the path's folder", "none but the one that was asked for", sorted(others))


@clause("bind.unix.nul")
def test_unix_nul(case: Case) -> None:
    outcome = case.socket().bind(f"{case.path()}\0end", None)
    expect.fails(outcome, "argument", "EINVAL", what=WHAT)
    expect.same(os.listdir(case.folder), [], "the names in the path's folder")


@clause("bind.unix.port-ignored")
@pytest.mark.parametrize("port", port_numbers.IGNORED)
def test_unix_port_ignored(case: Case, kind: Kind, port: Argument) -> None:
    path = case.path()
    sock = case.socket()
    expect.true(sock.bind(path, port), WHAT)
    reached(case, listens(sock, kind), (path, None))


@clause("bind.unix.existing")
@pytest.mark.parametrize("what", ["file", "socket", "stale-socket", "folder"])
def test_unix_existing(case: Case, what: str) -> None:
    expect.fails(case.socket().bind(_existing(case, what), None), "EADDRINUSE", what=WHAT)


@clause("bind.unix.existing-stays")
@pytest.mark.parametrize("what", ["file", "socket", "stale-socket"])
def test_unix_existing_stays(case: Case, what: str) -> None:
    path = Path(_existing(case, what))
    before = _fingerprint(path)
    case.socket().bind(str(path), None)
    expect.same(_fingerprint(path), before, "what is at the path (inode, mode, size) after a bind that failed")


@clause("bind.unix.no-folder")
@pytest.mark.parametrize(("parent", "error"), [("nothing", "ENOENT"), ("file", "ENOTDIR")])
def test_unix_no_folder(case: Case, parent: str, error: str) -> None:
    path = _existing(case, "file") if parent == "file" else case.path()
    expect.fails(case.socket().bind(f"{path}/name", None), error, what=WHAT)


@clause("bind.unix.missing")
@pytest.mark.parametrize("arguments", [pytest.param((), id="left-out"), pytest.param((None, None), id="none")])
def test_unix_missing(case: Case, arguments: tuple[None, ...]) -> None:
    expect.refused_argument(case.socket().bind(*arguments), WHAT)


@clause("bind.unix.abstract")
@pytest.mark.parametrize("ending", ["plain", "binary", "long"])
def test_unix_abstract(case: Case, kind: Kind, ending: str) -> None:
    name = _abstract(case, ending)
    sock = case.socket()
    expect.true(sock.bind(name, None), WHAT)
    reached(case, listens(sock, kind), (name, None))


@clause("bind.unix.abstract-no-file")
def test_unix_abstract_no_file(case: Case) -> None:
    expect.true(case.socket().bind(case.abstract(), None), WHAT)
    expect.same(os.listdir(case.folder), [], "the names in the case's folder")


@clause("bind.unix.abstract-too-long")
def test_unix_abstract_too_long(case: Case) -> None:
    name = case.abstract().ljust(platforms.this_platform().sun_path + 1, b"x")
    expect.fails(case.socket().bind(name, None), *TOO_LONG, what=WHAT)


def _existing(case: Case, what: str) -> str:
    if what == "folder":
        return case.folder
    if what == "file":
        path = case.path()
        Path(path).write_text("mine")
        return path
    peer = case.destination()
    path = str(peer.address[0])
    if what == "stale-socket":
        peer.close()
    return path


def _fingerprint(path: Path) -> tuple[int, int, int] | None:
    if not path.exists():
        return None
    found = path.stat()
    return found.st_ino, found.st_mode, found.st_size


def _abstract(case: Case, ending: str) -> bytes:
    if ending == "long":
        return case.abstract().ljust(platforms.this_platform().unix_path, b"x")
    return case.abstract(b"\0a\xff\0" if ending == "binary" else b"")
