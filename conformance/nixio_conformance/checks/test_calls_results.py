"""Results that several methods share: True on success, and a failure on sockets that are not streams."""

from __future__ import annotations

from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.calls import valid_arguments
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause


def successful_arguments(case: Case, method: str) -> tuple[Argument, ...]:
    """Arguments with which the method succeeds on a socket of the case's kind."""
    if method not in ("bind", "connect"):
        return valid_arguments(method, ("", None))
    if case.kind.type == "raw":
        return (case.loopback,)
    if method == "connect":
        return case.destination().address
    return (case.path(), None) if case.kind.domain == "unix" else (case.loopback, 0)


@clause("{bind,connect,listen,close}.result.true")
def test_success_is_true(case: Case, method: str) -> None:
    sock = case.bound()[0] if method == "listen" else case.socket()
    expect.true(sock.call(method, *successful_arguments(case, method)), f"{method}()")


@clause("{listen,accept}.not-stream")
def test_only_stream_sockets_listen_and_accept(case: Case, method: str) -> None:
    sock = case.socket() if case.kind.type == "raw" else case.bound()[0]
    expect.fails(sock.call(method, *successful_arguments(case, method)), "EOPNOTSUPP", what=f"{method}()")
