"""Which bytes offset and length choose: every cell of the grid over send, write and sendto.

The peer tells what arrived; that the port says the same is part of each cell.
"""

from __future__ import annotations

import pytest

from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.wire import Argument
from nixio_conformance.toolkit import expect, transfer
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.marks import clause
from nixio_conformance.toolkit.transfer import Sender
from nixio_fixtures import Cell, load

#: Bytes that are all different, so that each says where it stood; with a NUL, line ends and high bytes among them.
BUFFER = b"\x80ab\x00c\xff\r\nd\xc3\xa9e \x01f\x7fg\xfe\th"
assert len(BUFFER) == len(set(BUFFER)) == load().grid.size


def cells(topic: str) -> pytest.MarkDecorator:
    """Multiply a check by the grid's cells about one topic."""
    chosen = [cell for cell in load().grid.cells if cell.topic == topic]
    return pytest.mark.parametrize("cell", [pytest.param(cell, id=cell.id) for cell in chosen])


def check(case: Case, method: str, cell: Cell) -> None:
    """The cell's bytes arrive and are counted; or nothing does, where refusing the arguments is right too."""
    sender = transfer.sender(case, method)
    outcome = sender(BUFFER, *cell.arguments)
    if isinstance(outcome, Failure) and _may_refuse(sender, cell):
        expect.fails(outcome, *_may_refuse(sender, cell), what=f"{method}()")
        sender.nothing_arrived()
        return
    _finish(sender, cell, outcome)
    chunk = BUFFER[cell.start : cell.stop]
    # Without bytes to send, a datagram socket may send an empty datagram, or nothing.
    allowed = [[chunk]] if chunk else [[], [b""]]
    expect.one_of(sender.arrived(), allowed, f"what arrived of {method}()")


def _may_refuse(sender: Sender, cell: Cell) -> tuple[str, ...]:
    """Failures that are right: of the arguments, and of giving an address on a connected stream (Linux ignores it)."""
    connected = ("EISCONN",) if sender.is_stream and sender.destination else ()
    return (*connected, *(("argument",) if cell.refusable else ()))


def _finish(sender: Sender, cell: Cell, outcome: Outcome) -> None:
    """The count is that of the cell's bytes; when a stream took fewer, the others are asked for in the same way."""
    wanted = cell.stop - cell.start
    done = sender.count(outcome, wanted)
    while done < wanted:
        rest: tuple[Argument, ...] = (cell.start + done,)
        if cell.length is not None:
            rest += (wanted - done,)
        done += sender.count(sender(BUFFER, *rest), wanted - done)


@clause("send.offset.default")
@cells("offset.default")
def test_send_offset_default(case: Case, cell: Cell) -> None:
    check(case, "send", cell)


@clause("send.offset.zero-based")
@cells("offset.zero-based")
def test_send_offset_zero_based(case: Case, cell: Cell) -> None:
    check(case, "send", cell)


@clause("send.length.default")
@cells("length.default")
def test_send_length_default(case: Case, cell: Cell) -> None:
    check(case, "send", cell)


@clause("send.length.chunk")
@cells("length.chunk")
def test_send_length_chunk(case: Case, cell: Cell) -> None:
    check(case, "send", cell)


@clause("send.length.zero")
@cells("length.zero")
def test_send_length_zero(case: Case, cell: Cell) -> None:
    check(case, "send", cell)


@clause("send.length.past-end")
@cells("length.past-end")
def test_send_length_past_end(case: Case, cell: Cell) -> None:
    check(case, "send", cell)


@clause("send.offset.past-end")
@cells("offset.past-end")
def test_send_offset_past_end(case: Case, cell: Cell) -> None:
    check(case, "send", cell)


@clause("send.offset.negative")
@cells("offset.negative")
def test_send_offset_negative(case: Case, cell: Cell) -> None:
    check(case, "send", cell)


@clause("send.offset.wide")
@cells("offset.wide")
def test_send_offset_wide(case: Case, cell: Cell) -> None:
    check(case, "send", cell)


@clause("send.length.negative")
@cells("length.negative")
def test_send_length_negative(case: Case, cell: Cell) -> None:
    check(case, "send", cell)


@clause("send.length.wide")
@cells("length.wide")
def test_send_length_wide(case: Case, cell: Cell) -> None:
    check(case, "send", cell)


@clause("write.offset.default")
@cells("offset.default")
def test_write_offset_default(case: Case, cell: Cell) -> None:
    check(case, "write", cell)


@clause("write.offset.zero-based")
@cells("offset.zero-based")
def test_write_offset_zero_based(case: Case, cell: Cell) -> None:
    check(case, "write", cell)


@clause("write.length.default")
@cells("length.default")
def test_write_length_default(case: Case, cell: Cell) -> None:
    check(case, "write", cell)


@clause("write.length.chunk")
@cells("length.chunk")
def test_write_length_chunk(case: Case, cell: Cell) -> None:
    check(case, "write", cell)


@clause("write.length.zero")
@cells("length.zero")
def test_write_length_zero(case: Case, cell: Cell) -> None:
    check(case, "write", cell)


@clause("write.length.past-end")
@cells("length.past-end")
def test_write_length_past_end(case: Case, cell: Cell) -> None:
    check(case, "write", cell)


@clause("write.offset.past-end")
@cells("offset.past-end")
def test_write_offset_past_end(case: Case, cell: Cell) -> None:
    check(case, "write", cell)


@clause("write.offset.negative")
@cells("offset.negative")
def test_write_offset_negative(case: Case, cell: Cell) -> None:
    check(case, "write", cell)


@clause("write.offset.wide")
@cells("offset.wide")
def test_write_offset_wide(case: Case, cell: Cell) -> None:
    check(case, "write", cell)


@clause("write.length.negative")
@cells("length.negative")
def test_write_length_negative(case: Case, cell: Cell) -> None:
    check(case, "write", cell)


@clause("write.length.wide")
@cells("length.wide")
def test_write_length_wide(case: Case, cell: Cell) -> None:
    check(case, "write", cell)


@clause("sendto.offset.default")
@cells("offset.default")
def test_sendto_offset_default(case: Case, cell: Cell) -> None:
    check(case, "sendto", cell)


@clause("sendto.offset.zero-based")
@cells("offset.zero-based")
def test_sendto_offset_zero_based(case: Case, cell: Cell) -> None:
    check(case, "sendto", cell)


@clause("sendto.length.default")
@cells("length.default")
def test_sendto_length_default(case: Case, cell: Cell) -> None:
    check(case, "sendto", cell)


@clause("sendto.length.chunk")
@cells("length.chunk")
def test_sendto_length_chunk(case: Case, cell: Cell) -> None:
    check(case, "sendto", cell)


@clause("sendto.length.zero")
@cells("length.zero")
def test_sendto_length_zero(case: Case, cell: Cell) -> None:
    check(case, "sendto", cell)


@clause("sendto.length.past-end")
@cells("length.past-end")
def test_sendto_length_past_end(case: Case, cell: Cell) -> None:
    check(case, "sendto", cell)


@clause("sendto.offset.past-end")
@cells("offset.past-end")
def test_sendto_offset_past_end(case: Case, cell: Cell) -> None:
    check(case, "sendto", cell)


@clause("sendto.offset.negative")
@cells("offset.negative")
def test_sendto_offset_negative(case: Case, cell: Cell) -> None:
    check(case, "sendto", cell)


@clause("sendto.offset.wide")
@cells("offset.wide")
def test_sendto_offset_wide(case: Case, cell: Cell) -> None:
    check(case, "sendto", cell)


@clause("sendto.length.negative")
@cells("length.negative")
def test_sendto_length_negative(case: Case, cell: Cell) -> None:
    check(case, "sendto", cell)


@clause("sendto.length.wide")
@cells("length.wide")
def test_sendto_length_wide(case: Case, cell: Cell) -> None:
    check(case, "sendto", cell)
