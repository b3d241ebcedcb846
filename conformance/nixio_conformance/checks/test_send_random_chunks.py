"""Random buffers, offsets and lengths against a model of one line, over every way to send and each kind of socket."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nixio_conformance.driver.errors import AgentError
from nixio_conformance.toolkit import expect, transfer
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import SENTINEL, Sender

#: The same examples in each run of the same code, and none kept on the disk of whoever runs the suite.
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
#: Left out, in a buffer and just behind it, and far away.
PLACES = st.one_of(st.none(), st.integers(0, 16), st.integers(0, 45), st.sampled_from([8192, 65536]))


def play(example: Callable[[Sender, bytes, int | None, int | None], None], new: Callable[[], Sender]) -> None:
    """Play examples over one connection. One that failed has spoilt it, so the next, a simpler one, gets a new one."""
    kept: list[Sender] = []
    broken: list[AgentError] = []

    @REPEATABLE
    @given(buffer=BUFFERS, offset=PLACES, length=PLACES)
    def any_example(buffer: bytes, offset: int | None, length: int | None) -> None:
        if broken:  # the agent is gone: nothing simpler can be tried
            raise broken[0]
        sender = kept.pop() if kept else new()
        try:
            example(sender, buffer, offset, length)
        except AgentError as error:
            broken.append(error)
            raise
        kept.append(sender)

    any_example()


def chosen(buffer: bytes, offset: int | None, length: int | None) -> bytes:
    """The model: what is to be sent. Python's slices do just that for numbers that are not negative."""
    start = offset or 0
    return buffer[start:] if length is None else buffer[start : start + length]


def arrives(sender: Sender, buffer: bytes, offset: int | None, length: int | None) -> None:
    """What the model says arrives, and nothing before the next message."""
    chunk = chosen(buffer, offset, length)
    count = sender.count(sender(buffer, offset, length), len(chunk))
    sender.whole(SENTINEL)
    if sender.is_stream:
        got = sender.peer.recv_exactly(count + len(SENTINEL))
        expect.same(got, chunk[:count] + SENTINEL, "what the peer received, with the end mark")
        return
    # Without bytes to send: an empty datagram, or none.
    allowed = [[chunk]] if chunk else [[], [b""]]
    expect.one_of(list(iter(sender.peer.recv, SENTINEL)), allowed, "what the peer received")


@clause("send.chunk.any")
def test_any_chunk(case: Case, role: str) -> None:
    play(arrives, lambda: transfer.sender(case, "send", role))


@clause("write.chunk.any")
def test_any_written_chunk(case: Case, role: str) -> None:
    play(arrives, lambda: transfer.sender(case, "write", role))


@clause("sendto.chunk.any")
def test_any_chunk_to_an_address(case: Case) -> None:
    play(arrives, lambda: transfer.sender(case, "sendto"))
