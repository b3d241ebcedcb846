"""recv, read and recvfrom: they return at most length and at most buffersize bytes; large numbers do not wrap."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Failure
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause, each_receiver
from nixio_conformance.toolkit.transfer import BINARY, data_of, numbered, receive, receive_exactly, receive_message

#: A number of bytes that fit into a datagram, and into the buffers of an unread stream, on every system.
AT_ONCE = 60_000
#: Lengths above any buffersize. In 32 bits one is 0, one small, and one negative.
each_long_length = pytest.mark.parametrize(
    "length",
    [
        pytest.param(65536, id="65536"),
        pytest.param(2**31 - 1, id="2e31-less-1"),
        pytest.param(2**31, id="2e31"),
        pytest.param(2**32, id="2e32"),
        pytest.param(2**32 + 3, id="2e32-and-3"),
        pytest.param(2**53, id="2e53"),
    ],
)
#: Numbers of bytes above buffersize: by one, by many, and by more than 32 bits hold.
each_excess = pytest.mark.parametrize(
    "beyond",
    [pytest.param(1, id="one-more"), pytest.param(50000, id="far-more"), pytest.param(2**32, id="2e32-more")],
)
each_negative = pytest.mark.parametrize(
    "length",
    [
        pytest.param(-1, id="minus-1"),
        pytest.param(-(2**31), id="minus-2e31"),
        pytest.param(-(2**32) + 2, id="minus-2e32-and-2"),
    ],
)
each_wrong_length = pytest.mark.parametrize(
    "given",
    [
        pytest.param((), id="missing"),
        pytest.param((None,), id="none"),
        pytest.param(("x",), id="text"),
        pytest.param(((1,),), id="tuple"),
    ],
)


def data_of_size(size: int) -> bytes:
    return numbered(size // 4 + 1)[:size]


def fitting(size: int) -> int:
    """A size of at most buffersize that UDP can carry."""
    return min(size, 65000)


def beyond_limit(case: Case) -> bytes:
    """More data than one call may return, but not more than the buffers of an unread socket hold.

    Skips the case if buffersize is too large for that.
    """
    if case.buffersize > 100_000:
        pytest.skip(f"a buffersize of {case.buffersize} bytes is more than a socket's buffers hold")
    return data_of_size(case.buffersize + min(3 * case.buffersize, 20_000))


@clause("recvfrom.limit.stream")
@each_receiver
@each_excess
def test_a_call_returns_no_more_than_buffersize(case: Case, pair: Pair, method: str, beyond: int) -> None:
    """The data is longer than several calls may return, and the size of each is checked."""
    left = len(beyond_limit(case))
    pair.peer.send(beyond_limit(case))
    sizes = [1]
    while left > 0 and sizes[-1]:
        sizes.append(len(data_of(pair.impl.call(method, case.buffersize + beyond), f"{method}()")))
        left -= sizes[-1]
    expect.holds(max(sizes) <= case.buffersize, f"bytes of one {method}()", f"at most {case.buffersize}", max(sizes))


@clause("recvfrom.limit.nothing-lost")
@each_receiver
def test_data_above_the_limit_is_returned_by_the_next_calls(case: Case, pair: Pair, method: str) -> None:
    data = beyond_limit(case)
    pair.peer.send(data)
    got = b""
    while len(got) < len(data):
        chunk = data_of(pair.impl.call(method, 1 << 20), f"{method}()")
        if not chunk:
            break
        got += chunk
    expect.same(got, data, "data received")


@clause("recvfrom.limit.datagram")
@each_receiver
@each_excess
def test_a_datagram_is_cut_at_buffersize(case: Case, pair: Pair, method: str, beyond: int) -> None:
    data = data_of_size(fitting(case.buffersize + 100))
    pair.peer.send(data)
    got = data_of(pair.impl.call(method, case.buffersize + beyond), f"{method}()")
    expect.same(got, data[: case.buffersize], "the datagram received")


@clause("recvfrom.limit.reached")
@each_receiver
def test_a_call_returns_as_much_as_buffersize(case: Case, pair: Pair, method: str) -> None:
    data = data_of_size(fitting(case.buffersize))
    pair.peer.send(data)
    expect.same(data_of(pair.impl.call(method, case.buffersize), f"{method}()"), data, "the datagram received")


@clause("recvfrom.limit.safe")
@each_receiver
@each_long_length
def test_a_long_length_is_truncated(pair: Pair, method: str, length: int) -> None:
    """It is neither refused nor wrapped."""
    pair.peer.send(BINARY)
    data = data_of(pair.impl.call(method, length), f"{method}()")
    rest = b"" if pair.peer.kind.type == "dgram" else receive_exactly(pair.impl, method, len(BINARY) - len(data))
    expect.same(data + rest, BINARY, "data received")


@clause("recv.zero.stream")
@each_receiver
def test_length_0_returns_empty_data(pair: Pair, method: str) -> None:
    pair.peer.send(b"abc")
    expect.same(data_of(pair.impl.call(method, 0), f"{method}(0)"), b"", f"data of {method}(0)")


@clause("recv.zero.waits-not")
@each_receiver
def test_length_0_does_not_wait_on_a_stream(pair: Pair, method: str) -> None:
    """It may fail with would-block."""
    pending = pair.impl.start(method, 0)
    waits = pending.blocked() and not pending.done(1.0)  # a slow implementation may be asleep without waiting for data
    if waits:
        pair.peer.send(b"abc")
    outcome = pending.outcome()
    expect.holds(
        not waits, f"{method}(0) without data", "a call that returns at once", f"{outcome}, after data arrived"
    )


@clause("recv.zero.data-stay")
@each_receiver
def test_length_0_leaves_the_data(pair: Pair, method: str) -> None:
    pair.peer.send(b"abc")
    pair.impl.call(method, 0)
    expect.same(receive_exactly(pair.impl, method, 3), b"abc", "data received next")


@clause("recv.zero.datagram")
@each_receiver
def test_length_0_of_a_datagram_returns_empty_data(pair: Pair, method: str) -> None:
    """Whether the datagram is lost depends on the system."""
    pair.peer.send(b"abc")
    pair.peer.send(b"def")
    expect.same(data_of(pair.impl.call(method, 0), f"{method}(0)"), b"", f"data of {method}(0)")
    expect.one_of(receive(pair.impl, method, 100), [b"abc", b"def"], "the datagram received next")


@clause("recv.negative.refused-or-all")
@each_receiver
@each_negative
def test_a_negative_length_is_refused_or_buffersize(pair: Pair, method: str, length: int) -> None:
    """After a refusal the data is still there."""
    pair.peer.send(b"abcdef")
    outcome = pair.impl.call(method, length)
    data = b""
    if isinstance(outcome, Failure):
        expect.refused_argument(outcome, f"{method}({length})")
    else:
        data = data_of(outcome, f"{method}({length})")
    if len(data) < 6 and (isinstance(outcome, Failure) or pair.peer.kind.type == "stream"):
        data += receive_message(pair.impl, method, pair.peer, 6 - len(data))
    expect.same(data, b"abcdef", "data received")


@clause("recv.negative.limit")
@each_receiver
@each_negative
def test_a_negative_length_returns_no_more_than_buffersize(case: Case, pair: Pair, method: str, length: int) -> None:
    size = case.buffersize + 100
    if size > AT_ONCE:
        pytest.skip(f"{size} bytes, more than buffersize, may not have arrived at once")
    pair.peer.send(bytes(size))
    outcome = pair.impl.call(method, length)
    if isinstance(outcome, Failure):
        expect.refused_argument(outcome, f"{method}({length})")
        return
    found = len(data_of(outcome, f"{method}({length})"))
    expect.holds(found <= case.buffersize, f"{method}({length})", f"at most {case.buffersize} bytes", f"{found} bytes")


@clause("recv.length.required")
@each_receiver
@each_wrong_length
def test_a_length_is_required(pair: Pair, method: str, given: tuple[Argument, ...]) -> None:
    pair.peer.send(b"abcdef")
    expect.refused_argument(pair.impl.call(method, *given), f"{method}()")


@clause("recv.length.refused-takes-nothing")
@each_receiver
@each_wrong_length
def test_a_refused_call_leaves_the_data(pair: Pair, method: str, given: tuple[Argument, ...]) -> None:
    pair.peer.send(b"abcdef")
    pair.impl.call(method, *given)
    expect.same(receive_message(pair.impl, method, pair.peer, 6), b"abcdef", "data received next")


@clause("recv.length.steps")
@each_receiver
def test_each_call_has_its_own_length(pair: Pair, method: str) -> None:
    """Growing and shrinking lengths detect an implementation that keeps a buffer between calls."""
    for data in (b"abc", b"defghij", b"kl"):
        pair.peer.send(data)
    parts = [receive_exactly(pair.impl, method, size) for size in (3, 7, 2)]
    expect.same(parts, [b"abc", b"defghij", b"kl"], "data received")
