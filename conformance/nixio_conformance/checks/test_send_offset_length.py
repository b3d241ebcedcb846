"""send, write and sendto: which bytes offset and length select, for each cell of the grid table.

The received bytes and the returned count are compared.
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

#: All bytes are different, so that each shows its place; among them NUL, line ends and bytes that are not ASCII.
BUFFER = b"\x80ab\x00c\xff\r\nd\xc3\xa9e \x01f\x7fg\xfe\th"
assert len(BUFFER) == len(set(BUFFER)) == load().grid.size


def cells(topic: str) -> pytest.MarkDecorator:
    """Parameter `cell`: the cells of the grid on one topic."""
    chosen = [cell for cell in load().grid.cells if cell.topic == topic]
    return pytest.mark.parametrize("cell", [pytest.param(cell, id=cell.id) for cell in chosen])


def check_cell(case: Case, method: str, cell: Cell) -> None:
    """Check that the cell's bytes arrive and are counted, or that nothing is sent if the arguments are refused."""
    sender = transfer.sender(case, method)
    outcome = sender(BUFFER, *cell.arguments)
    allowed_failures = failures_of(sender, cell)
    if isinstance(outcome, Failure) and allowed_failures:
        expect.fails(outcome, *allowed_failures, what=f"{method}()")
        sender.nothing_arrived()
        return
    send_rest(sender, cell, outcome)
    chunk = BUFFER[cell.start : cell.stop]
    # If there are no bytes to send, a datagram socket may send an empty datagram, or nothing.
    allowed = [[chunk]] if chunk else [[], [b""]]
    expect.one_of(sender.arrived(), allowed, f"what arrived from {method}()")


def failures_of(sender: Sender, cell: Cell) -> tuple[str, ...]:
    """Allowed failures: for the arguments, and for an address on a connected stream, which Linux ignores."""
    connected = ("EISCONN",) if sender.is_stream and sender.destination else ()
    return (*connected, *(("argument",) if cell.refusable else ()))


def send_rest(sender: Sender, cell: Cell, outcome: Outcome) -> None:
    """Check the count of bytes; if a stream took fewer than the cell has, send the rest in calls of the same form."""
    wanted = cell.stop - cell.start
    done = sender.count(outcome, wanted)
    while done < wanted:
        rest: tuple[Argument, ...] = (cell.start + done,)
        if cell.length is not None:
            rest += (wanted - done,)
        done += sender.count(sender(BUFFER, *rest), wanted - done)


@clause("{send,write,sendto}.offset.default")
@cells("offset.default")
def test_without_an_offset_it_is_0(case: Case, method: str, cell: Cell) -> None:
    check_cell(case, method, cell)


@clause("{send,write,sendto}.offset.zero-based")
@cells("offset.zero-based")
def test_offsets_count_from_0(case: Case, method: str, cell: Cell) -> None:
    check_cell(case, method, cell)


@clause("{send,write,sendto}.length.default")
@cells("length.default")
def test_without_a_length_the_rest_is_sent(case: Case, method: str, cell: Cell) -> None:
    check_cell(case, method, cell)


@clause("{send,write,sendto}.length.chunk")
@cells("length.chunk")
def test_the_length_counts_from_the_offset(case: Case, method: str, cell: Cell) -> None:
    check_cell(case, method, cell)


@clause("{send,write,sendto}.length.zero")
@cells("length.zero")
def test_length_0_sends_nothing(case: Case, method: str, cell: Cell) -> None:
    check_cell(case, method, cell)


@clause("{send,write,sendto}.length.past-end")
@cells("length.past-end")
def test_a_length_past_the_end_sends_the_rest(case: Case, method: str, cell: Cell) -> None:
    check_cell(case, method, cell)


@clause("{send,write,sendto}.offset.past-end")
@cells("offset.past-end")
def test_an_offset_past_the_end_sends_nothing(case: Case, method: str, cell: Cell) -> None:
    check_cell(case, method, cell)


@clause("{send,write,sendto}.offset.negative")
@cells("offset.negative")
def test_a_negative_offset_does_not_count_from_the_end(case: Case, method: str, cell: Cell) -> None:
    check_cell(case, method, cell)


@clause("{send,write,sendto}.offset.wide")
@cells("offset.wide")
def test_a_large_offset_does_not_wrap(case: Case, method: str, cell: Cell) -> None:
    check_cell(case, method, cell)


@clause("{send,write,sendto}.length.negative")
@cells("length.negative")
def test_a_negative_length_is_refused_or_the_rest(case: Case, method: str, cell: Cell) -> None:
    check_cell(case, method, cell)


@clause("{send,write,sendto}.length.wide")
@cells("length.wide")
def test_a_large_length_does_not_wrap(case: Case, method: str, cell: Cell) -> None:
    check_cell(case, method, cell)
