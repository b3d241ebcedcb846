"""send, write and sendto: for random buffers, offsets and lengths, the bytes of the slice arrive."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from nixio_conformance.driver.errors import AgentError
from nixio_conformance.toolkit import expect, transfer
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import SENTINEL, Sender

#: Each run of the same code has the same examples; none is stored on disk.
REPEATABLE = settings(
    max_examples=30,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
BUFFERS = st.one_of(st.binary(max_size=8), st.binary(min_size=16, max_size=40))
#: Offsets and lengths: omitted, inside a buffer, just past its end, and far past it.
NUMBERS = st.one_of(st.none(), st.integers(0, 16), st.integers(0, 45), st.sampled_from([8192, 65536]))


def run_examples(example: Callable[[Sender, bytes, int | None, int | None], None], new: Callable[[], Sender]) -> None:
    """Run examples over one connection. After a failure, the next (simpler) example gets a new connection.

    If an example fails only sometimes, which Hypothesis reports as an error of its own, its failure is raised.
    """
    kept: list[Sender] = []
    broken: list[AgentError] = []
    failed: list[Exception] = []

    @REPEATABLE
    @given(buffer=BUFFERS, offset=NUMBERS, length=NUMBERS)
    def any_example(buffer: bytes, offset: int | None, length: int | None) -> None:
        if broken:  # the agent has ended: no simpler example can be tried
            raise broken[0]
        sender = kept.pop() if kept else new()
        try:
            example(sender, buffer, offset, length)
        except AgentError as error:
            broken.append(error)
            failed.append(error)
            raise
        except expect.Mismatch as error:
            failed.append(error)
            raise
        kept.append(sender)

    try:
        any_example()
    except Flaky:
        if not failed:
            raise
        raise failed[-1] from None


def chosen(buffer: bytes, offset: int | None, length: int | None) -> bytes:
    """The bytes to send. Python's slices are right for numbers that are not negative."""
    start = offset or 0
    return buffer[start:] if length is None else buffer[start : start + length]


def arrives(sender: Sender, buffer: bytes, offset: int | None, length: int | None) -> None:
    """Check that the selected bytes arrive, and nothing else before the next message."""
    chunk = chosen(buffer, offset, length)
    count = sender.count(sender(buffer, offset, length), len(chunk))
    sender.whole(SENTINEL)
    if sender.is_stream:
        got = sender.peer.recv_exactly(count + len(SENTINEL))
        expect.same(got, chunk[:count] + SENTINEL, "what the peer received, with the end mark")
        return
    # If there are no bytes to send: an empty datagram, or none.
    allowed = [[chunk]] if chunk else [[], [b""]]
    expect.one_of(list(iter(sender.peer.recv, SENTINEL)), allowed, "what the peer received")


@clause("{send,write}.chunk.any")
def test_any_chunk_arrives(case: Case, method: str, role: str) -> None:
    run_examples(arrives, lambda: transfer.sender(case, method, role))


@clause("sendto.chunk.any")
def test_any_chunk_of_sendto_arrives(case: Case) -> None:
    run_examples(arrives, lambda: transfer.sender(case, "sendto"))
