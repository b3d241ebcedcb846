"""How much recv, read and recvfrom take: up to the length, up to buffersize, and never a wrapped number."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Failure
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case, Pair
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import BINARY, data_of, receive, receive_exactly, receive_message

#: Bytes that a datagram, and the buffers of a stream that nobody reads, have room for on every system.
AT_ONCE = 60_000
METHODS = pytest.mark.parametrize("method", ["recv", "read", "recvfrom"])
#: More than any buffersize's worth; one that is 0, one that is small, and one that is negative in 32 bits.
LONG = pytest.mark.parametrize(
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
#: Beyond buffersize by one, by much, and by more than 32 bits hold.
BEYOND = pytest.mark.parametrize(
    "beyond",
    [pytest.param(1, id="one-more"), pytest.param(50000, id="far-more"), pytest.param(2**32, id="2e32-more")],
)
NEGATIVE = pytest.mark.parametrize(
    "length",
    [
        pytest.param(-1, id="minus-1"),
        pytest.param(-(2**31), id="minus-2e31"),
        pytest.param(-(2**32) + 2, id="minus-2e32-and-2"),
    ],
)
NO_LENGTHS = pytest.mark.parametrize(
    "given",
    [
        pytest.param((), id="missing"),
        pytest.param((None,), id="none"),
        pytest.param(("x",), id="text"),
        pytest.param(((1,),), id="tuple"),
    ],
)


def pattern(size: int) -> bytes:
    """Data in which each place can be told."""
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]


def fitting(size: int) -> int:
    """As long a datagram as UDP carries when buffersize is beyond that."""
    return min(size, 65000)


def beyond_limit(case: Case) -> bytes:
    """More data than one call may give, and not more than a socket holds while nobody reads."""
    if case.buffersize > 100_000:
        pytest.skip(f"a buffersize of {case.buffersize} bytes is more than a socket holds")
    return pattern(case.buffersize + min(3 * case.buffersize, 20_000))


@clause("recvfrom.limit.stream")
@METHODS
@BEYOND
def test_a_call_gives_no_more_than_buffersize(case: Case, pair: Pair, method: str, beyond: int) -> None:
    """Much more is there than one call may give; each call on the way is held to it."""
    left = len(beyond_limit(case))
    pair.peer.send(beyond_limit(case))
    sizes = [1]
    while left > 0 and sizes[-1]:
        sizes.append(len(data_of(pair.impl.call(method, case.buffersize + beyond), f"{method}()")))
        left -= sizes[-1]
    expect.holds(max(sizes) <= case.buffersize, f"bytes of one {method}()", f"at most {case.buffersize}", max(sizes))


@clause("recvfrom.limit.nothing-lost")
@METHODS
def test_what_is_beyond_the_limit_comes_next(case: Case, pair: Pair, method: str) -> None:
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
@METHODS
@BEYOND
def test_a_datagram_is_cut_at_buffersize(case: Case, pair: Pair, method: str, beyond: int) -> None:
    data = pattern(fitting(case.buffersize + 100))
    pair.peer.send(data)
    got = data_of(pair.impl.call(method, case.buffersize + beyond), f"{method}()")
    expect.same(got, data[: case.buffersize], "the datagram received")


@clause("recvfrom.limit.reached")
@METHODS
def test_buffersize_itself_is_allowed(case: Case, pair: Pair, method: str) -> None:
    data = pattern(fitting(case.buffersize))
    pair.peer.send(data)
    expect.same(data_of(pair.impl.call(method, case.buffersize), f"{method}()"), data, "the datagram received")


@clause("recvfrom.limit.safe")
@METHODS
@LONG
def test_long_requests_are_truncated(pair: Pair, method: str, length: int) -> None:
    """Not refused, and not taken for another number."""
    pair.peer.send(BINARY)
    data = data_of(pair.impl.call(method, length), f"{method}()")
    rest = b"" if pair.peer.kind.type == "dgram" else receive_exactly(pair.impl, method, len(BINARY) - len(data))
    expect.same(data + rest, BINARY, "data received")


@clause("recv.zero.stream")
@METHODS
def test_length_0_gives_nothing(pair: Pair, method: str) -> None:
    pair.peer.send(b"abc")
    expect.same(data_of(pair.impl.call(method, 0), f"{method}(0)"), b"", f"data of {method}(0)")


@clause("recv.zero.waits-not")
@METHODS
def test_length_0_does_not_wait_for_a_stream(pair: Pair, method: str) -> None:
    """Or says that it would block, on a socket that must not wait; it never waits for what it would not take."""
    pending = pair.impl.start(method, 0)
    waits = pending.blocked() and not pending.done(1.0)  # a slow port may be seen asleep, too
    if waits:
        pair.peer.send(b"abc")
    outcome = pending.outcome()
    expect.holds(not waits, f"{method}(0) when nothing is there", "nothing, at once", f"{outcome}, once something came")


@clause("recv.zero.data-stay")
@METHODS
def test_length_0_takes_nothing_from_a_stream(pair: Pair, method: str) -> None:
    pair.peer.send(b"abc")
    pair.impl.call(method, 0)
    expect.same(receive_exactly(pair.impl, method, 3), b"abc", "data received next")


@clause("recv.zero.datagram")
@METHODS
def test_length_0_of_a_datagram(pair: Pair, method: str) -> None:
    """Whether the datagram is lost is the system's business."""
    pair.peer.send(b"abc")
    pair.peer.send(b"def")
    expect.same(data_of(pair.impl.call(method, 0), f"{method}(0)"), b"", f"data of {method}(0)")
    expect.one_of(receive(pair.impl, method, 100), [b"abc", b"def"], "the datagram received next")


@clause("recv.negative.refused-or-all")
@METHODS
@NEGATIVE
def test_a_negative_length(pair: Pair, method: str, length: int) -> None:
    """Refused, and then the data are still there; or as much as buffersize."""
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
@METHODS
@NEGATIVE
def test_a_negative_length_is_limited(case: Case, pair: Pair, method: str, length: int) -> None:
    size = case.buffersize + 100
    if size > AT_ONCE:
        pytest.skip(f"{size} bytes, more than buffersize, cannot be counted on to be on their way at once")
    pair.peer.send(bytes(size))
    outcome = pair.impl.call(method, length)
    if isinstance(outcome, Failure):
        expect.refused_argument(outcome, f"{method}({length})")
        return
    found = len(data_of(outcome, f"{method}({length})"))
    expect.holds(found <= case.buffersize, f"{method}({length})", f"at most {case.buffersize} bytes", f"{found} bytes")


@clause("recv.length.required")
@METHODS
@NO_LENGTHS
def test_what_is_no_length_is_refused(pair: Pair, method: str, given: tuple[Argument, ...]) -> None:
    pair.peer.send(b"abcdef")
    expect.refused_argument(pair.impl.call(method, *given), f"{method}()")


@clause("recv.length.refused-takes-nothing")
@METHODS
@NO_LENGTHS
def test_a_refused_call_takes_nothing(pair: Pair, method: str, given: tuple[Argument, ...]) -> None:
    pair.peer.send(b"abcdef")
    pair.impl.call(method, *given)
    expect.same(receive_message(pair.impl, method, pair.peer, 6), b"abcdef", "data received next")


@clause("recv.length.steps")
@METHODS
def test_each_length_is_taken_anew(pair: Pair, method: str) -> None:
    """Growing and shrinking, so that a buffer that is kept shows."""
    for data in (b"abc", b"defghij", b"kl"):
        pair.peer.send(data)
    parts = [receive_exactly(pair.impl, method, size) for size in (3, 7, 2)]
    expect.same(parts, [b"abc", b"defghij", b"kl"], "data received")
