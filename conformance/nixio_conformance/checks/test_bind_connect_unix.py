"""bind and connect of UNIX sockets: paths and abstract names, and a port that is ignored."""

from __future__ import annotations

import os

import pytest

from nixio_conformance.driver.wire import Argument
from nixio_conformance.host import platforms
from nixio_conformance.toolkit import expect, port_numbers
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.reach import peer_at, uses_name

TOO_LONG = ("argument", "ENAMETOOLONG", "EINVAL")


@clause("{bind,connect}.unix.too-long")
@pytest.mark.parametrize("excess", [pytest.param(1, id="1"), pytest.param(2, id="2"), pytest.param(93, id="93")])
def test_a_path_that_is_too_long_is_refused(case: Case, method: str, excess: int) -> None:
    path = case.path(platforms.this_platform().unix_path + excess)
    if method == "connect":  # connect() would succeed with the truncated path
        for cut in (excess, excess + 1):  # counted from the end: the folder's name may have letters of several bytes
            peer_at(case, path[:-cut])
    expect.fails(case.socket().call(method, path, None), *TOO_LONG, what=f"{method}()")


@clause("{bind,connect}.unix.nul")
def test_a_path_does_not_end_at_a_nul(case: Case, method: str) -> None:
    path = case.path()
    if method == "connect":  # connect() would succeed with the part before the NUL
        peer_at(case, path)
    before = os.listdir(case.folder)
    expect.fails(case.socket().call(method, f"{path}\0end", None), "argument", "EINVAL", what=f"{method}()")
    expect.same(os.listdir(case.folder), before, "the names in the path's folder")


@clause("{bind,connect}.unix.port-ignored")
@pytest.mark.parametrize("port", port_numbers.IGNORED_BY_UNIX)
def test_the_port_is_ignored(case: Case, method: str, port: Argument) -> None:
    uses_name(case, method, case.path(), port)


@clause("{bind,connect}.unix.missing")
@pytest.mark.parametrize("arguments", [pytest.param((), id="left-out"), pytest.param((None, None), id="none")])
def test_a_path_is_required(case: Case, method: str, arguments: tuple[None, ...]) -> None:
    expect.refused_argument(case.socket().call(method, *arguments), f"{method}()")


@clause("{bind,connect}.unix.abstract")
@pytest.mark.parametrize("ending", ["plain", "binary", "long"])
def test_an_abstract_name_is_used_whole(case: Case, method: str, ending: str) -> None:
    name = case.abstract(b"\0a\xff\0" if ending == "binary" else b"")
    uses_name(case, method, name.ljust(platforms.this_platform().unix_path, b"x") if ending == "long" else name)
