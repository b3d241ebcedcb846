"""bind of UNIX sockets: the socket file at the path, and existing files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from nixio_conformance.host import platforms
from nixio_conformance.toolkit import expect, unix_paths
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.reach import uses_name

WHAT = "bind()"


@clause("bind.unix.path")
def test_a_socket_file_is_made(case: Case) -> None:
    path = case.path()
    expect.true(case.socket().bind(path, None), WHAT)
    found = stat.S_ISSOCK(Path(path).stat().st_mode) if Path(path).exists() else None
    expect.holds(found is True, "what is at the path", "a socket", "nothing" if found is None else "something else")


@clause("bind.unix.reached")
def test_the_socket_is_reached_at_the_path(case: Case) -> None:
    uses_name(case, "bind", case.path())


@clause("bind.unix.exact")
@pytest.mark.parametrize("name", unix_paths.NAMES)
def test_the_file_has_exactly_the_given_path(case: Case, name: str) -> None:
    path = unix_paths.named(case, name)
    expect.true(case.socket().bind(path, None), WHAT)
    expect.same(os.listdir(case.folder), [Path(path).name], "the names in the path's folder")


@clause("bind.unix.last-byte")
def test_the_last_byte_of_the_longest_path_counts(case: Case) -> None:
    path = case.path(platforms.this_platform().unix_path - 1)
    expect.true(case.socket().bind(path + "a", None), WHAT)
    expect.true(case.socket().bind(path + "b", None), WHAT)


@clause("bind.unix.never-cut")
@pytest.mark.parametrize("excess", [pytest.param(1, id="1"), pytest.param(2, id="2"), pytest.param(93, id="93")])
def test_a_path_is_never_cut_short(case: Case, excess: int) -> None:
    path = case.path(platforms.this_platform().unix_path + excess)
    case.socket().bind(path, None)
    others = set(os.listdir(case.folder)) - {Path(path).name}
    expect.holds(not others, "the names in the path's folder", "only the given one", sorted(others))


@clause("bind.unix.existing")
@pytest.mark.parametrize("what", ["file", "socket", "stale-socket", "folder"])
def test_an_existing_path_is_in_use(case: Case, what: str) -> None:
    expect.fails(case.socket().bind(unix_paths.existing(case, what), None), "EADDRINUSE", what=WHAT)


@clause("bind.unix.existing-stays")
@pytest.mark.parametrize("what", ["file", "socket", "stale-socket"])
def test_an_existing_path_is_left_alone(case: Case, what: str) -> None:
    path = unix_paths.existing(case, what)
    before = unix_paths.fingerprint(path)
    case.socket().bind(path, None)
    expect.same(unix_paths.fingerprint(path), before, "what is at the path (inode, mode, size) after a failed bind()")


@clause("bind.unix.no-folder")
@pytest.mark.parametrize(("parent", "error"), [("nothing", "ENOENT"), ("file", "ENOTDIR")])
def test_a_path_without_its_folder_fails(case: Case, parent: str, error: str) -> None:
    path = unix_paths.existing(case, "file") if parent == "file" else case.path()
    expect.fails(case.socket().bind(f"{path}/name", None), error, what=WHAT)


@clause("bind.unix.abstract-no-file")
def test_an_abstract_name_makes_no_file(case: Case) -> None:
    expect.true(case.socket().bind(case.abstract(), None), WHAT)
    expect.same(os.listdir(case.folder), [], "the names in the case's folder")


@clause("bind.unix.abstract-too-long")
def test_an_abstract_name_that_is_too_long_is_refused(case: Case) -> None:
    name = case.abstract().ljust(platforms.this_platform().sun_path + 1, b"x")
    expect.fails(case.socket().bind(name, None), "argument", "ENAMETOOLONG", "EINVAL", what=WHAT)
