"""Moves by themselves: which are left of a play without one of its sockets."""

from __future__ import annotations

from nixio_conformance.model.moves import BARE, Play, without_socket

PLAY = Play(
    "inet-dgram",
    BARE,
    moves=(
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


def test_a_socket_goes_with_all_that_names_it() -> None:
    play = without_socket(PLAY, 2)
    assert play is not None
    assert play.moves == (
        (0, "socket"),
        (0, "bind", "fresh"),
        (0, "socket"),
        (1, "bind", "any"),
        (0, "connect", 1),
    )


def test_sizes_and_offsets_are_no_sockets() -> None:
    play = without_socket(PLAY, 0)
    assert play is not None
    assert play.moves[-2:] == ((1, "sendto", 3, 0, 0), (0, "recv", 3))


def test_a_move_that_makes_no_socket_is_not_one() -> None:
    assert without_socket(PLAY, 1) is None
