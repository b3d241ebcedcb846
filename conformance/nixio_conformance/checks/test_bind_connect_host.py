"""bind and connect: which spellings of a host are understood, and which values are refused."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect, names
from nixio_conformance.toolkit.case import LOOPBACK, Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.reach import uses_loopback
from nixio_fixtures import Kind


def usable_port(case: Case, method: str) -> int | None:
    """A valid port, so that only the host can be wrong: 0 for bind, a peer's for connect (None for UNIX)."""
    return 0 if method == "bind" else case.destination().address[1]


@clause("{bind,connect}.host.spellings")
@pytest.mark.parametrize(
    "host",
    [
        pytest.param("0:0:0:0:0:0:0:1", id="long"),
        pytest.param("::0001", id="zeros"),
        pytest.param("::0.0.0.1", id="dotted"),
    ],
)
def test_other_spellings_of_an_ipv6_address_are_understood(case: Case, method: str, host: str) -> None:
    uses_loopback(case, method, host)


@clause("{bind,connect}.host.unknown")
def test_an_unknown_name_is_a_resolver_failure(case: Case, method: str) -> None:
    port = usable_port(case, method)
    expect.fails(case.socket().call(method, names.NO_HOST, port), "resolver", what=f"{method}()")


@clause("{bind,connect}.host.unencodable")
@pytest.mark.parametrize(
    "name", [pytest.param("x" * 64 + ".test", id="long-label"), pytest.param("a..b", id="no-label")]
)
def test_a_name_that_dns_cannot_encode_is_refused(case: Case, method: str, name: str) -> None:
    port = usable_port(case, method)
    expect.fails(case.socket().call(method, name, port), "resolver", "argument", what=f"{method}()")


@clause("{bind,connect}.host.other-family")
def test_an_address_of_the_other_family_is_refused(case: Case, method: str, kind: Kind) -> None:
    other = LOOPBACK["inet6" if kind.domain == "inet" else "inet"]
    port = usable_port(case, method)
    expect.fails(case.socket().call(method, other, port), "resolver", "argument", "EAFNOSUPPORT", what=f"{method}()")


@clause("{bind,connect}.host.nul")
def test_a_host_does_not_end_at_a_nul(case: Case, method: str) -> None:
    port = usable_port(case, method)
    outcome = case.socket().call(method, f"{case.loopback}\0.test", port)
    expect.fails(outcome, "resolver", "argument", what=f"{method}()")


@clause("{bind,connect}.host.types")
@pytest.mark.parametrize(
    "host", [pytest.param(True, id="true"), pytest.param(False, id="false"), pytest.param(("127.0.0.1",), id="list")]
)
def test_a_host_of_a_wrong_type_is_refused(case: Case, method: str, host: Argument) -> None:
    port = usable_port(case, method)
    expect.refused_argument(case.socket().call(method, host, port), f"{method}()")
