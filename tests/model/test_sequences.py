"""Sequences by themselves: which operations remain when one of the sockets is removed."""

from __future__ import annotations

import pytest

from nixio_conformance.model.examples import examples
from nixio_conformance.model.sequences import BARE, OperationSequence, without_socket

SEQUENCE = OperationSequence(
    "inet-dgram",
    BARE,
    operations=(
        (0, "socket"),
        (0, "bind", "fresh"),
        (0, "peer"),
        (1, "bind", "fresh"),
        (0, "socket"),
        (2, "bind", "any"),
        (2, "sendto", 3, 1, 0),
        (1, "recv", 3),
        (0, "connect", 2),
    ),
)


def test_a_socket_is_removed_with_all_operations_that_name_it() -> None:
    shorter = without_socket(SEQUENCE, 2)
    assert shorter is not None
    assert shorter.operations == (
        (0, "socket"),
        (0, "bind", "fresh"),
        (0, "socket"),
        (1, "bind", "any"),
        (0, "connect", 1),
    )


def test_sizes_and_offsets_are_not_renumbered() -> None:
    shorter = without_socket(SEQUENCE, 0)
    assert shorter is not None
    assert shorter.operations[-2:] == ((1, "sendto", 3, 0, 0), (0, "recv", 3))


def test_an_operation_that_creates_no_socket_is_refused() -> None:
    assert without_socket(SEQUENCE, 1) is None


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.id)
def test_the_text_in_the_result_stream_keeps_its_form(example: object) -> None:
    """The streams of two releases have equal parameters for the same example."""
    from nixio_conformance.model.examples import Example

    assert isinstance(example, Example)
    text = str(example.sequence)
    kind, initial = example.kind, example.initial
    assert text.startswith(f"Play(kind='{kind}', setting='{initial}', nonblocking=False, moves=((")  # words: allow
    assert text.endswith("), finish=False)")
