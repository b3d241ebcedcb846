"""Makes a play in which port and model differ as short as it can be, with few plays.

Which moves meant something is known, and which came after the difference; and a hang need not be waited for with full
patience each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nixio_conformance.model.moves import BARE, SETTINGS, Move, Play, setting_of, without_socket
from nixio_conformance.model.search import Found, Table

#: Plays that shortening may take.
TRIES = 250
#: Seconds that a call may take meanwhile. What is told in the end is tried with patience.
SHORT_TIMEOUT = 0.7
#: What a number in a move may be replaced by, the simplest first.
_SIMPLE = (1, 0, 2, 3, 10)


def shorten(table: Table, found: Found, tries: int = TRIES) -> Found:
    """The shortest play that still differs, made with patience by a fresh agent; `found` itself if none of them does.

    A port may remember what other plays did: then each is tried with an agent of its own.
    """
    for fresh in (False, True):
        best = _shortest(_Hunt(table, tries, fresh), found)
        table.session.kill()
        if confirmed := table.play(best.made) or table.play(best.play):
            return confirmed
    return found


def _shortest(hunt: _Hunt, found: Found) -> Found:
    best = found
    for play in (found.made, replace(found.made, finish=False)):
        best = hunt.better(best, play)
    best = _rounds(hunt, best)
    # The sockets of a setting cannot be left out before they are moves.
    bare = replace(best.made, setting=BARE, moves=(*setting_of(best.made), *best.made.moves))
    if best.made.setting != BARE and not best.made.nonblocking:
        best = _rounds(hunt, hunt.better(best, bare))
    return best


def _rounds(hunt: _Hunt, best: Found) -> Found:
    while (after := _round(hunt, best)) is not best:
        best = after
    return best


class _Hunt:
    """Tries plays, each once, as long as it may."""

    def __init__(self, table: Table, tries: int, fresh: bool) -> None:
        self._table = table
        self._tries = tries
        self._fresh = fresh
        self._tried: set[Play] = set()

    def better(self, best: Found, play: Play) -> Found:
        """The play's own difference if it has one; else what was best before."""
        if play in self._tried or len(self._tried) >= self._tries:
            return best
        self._tried.add(play)
        if self._fresh:
            self._table.session.kill()
        return self._table.play(play, SHORT_TIMEOUT) or best


def _round(hunt: _Hunt, best: Found) -> Found:
    """Each way to make it simpler, once."""
    size = len(best.made.moves)
    while size >= 1:
        best = _without(hunt, best, size)
        size //= 2
    if best.made.setting == BARE:
        best = _without_sockets(hunt, best)
    for play in _simpler(best.made):
        after = hunt.better(best, play)
        if after is not best:
            return after
    return best


def _without(hunt: _Hunt, best: Found, size: int) -> Found:
    """Leave out moves, so many in a row; from the end, because what comes late is needed least."""
    for start in [*range(len(best.made.moves) - size, 0, -size), 0]:
        moves = best.made.moves
        best = hunt.better(best, replace(best.made, moves=moves[:start] + moves[start + size :]))
    return best


def _without_sockets(hunt: _Hunt, best: Found) -> Found:
    """Leave out sockets with all that they do."""
    for place in reversed(range(len(best.made.moves))):
        if place < len(best.made.moves) and (play := without_socket(best.made, place)) is not None:
            best = hunt.better(best, play)
    return best


def _simpler(play: Play) -> Iterator[Play]:
    """The play with one thing simpler."""
    if play.finish:
        yield replace(play, finish=False)
    if play.nonblocking:
        yield replace(play, nonblocking=False)
    for setting in SETTINGS[play.kind.partition("-")[2]]:
        if play.setting in (setting, BARE):
            break
        yield replace(play, setting=setting)
    for index, move in enumerate(play.moves):
        for simpler in _simpler_moves(move):
            yield replace(play, moves=(*play.moves[:index], simpler, *play.moves[index + 1 :]))


def _simpler_moves(move: Move) -> Iterator[Move]:
    who, do, *words = move
    if do in ("send", "write", "sendto") and len(words) > (2 if do == "sendto" else 1):
        yield move[:-1]
    if do in ("write", "read", "recvfrom"):
        yield (who, {"write": "send"}.get(str(do), "recv"), *words)
    if do in ("setopt", "getopt", "socket", "peer", "listen", "setblocking"):
        return
    for place, word in enumerate(words):
        if isinstance(word, int):
            for number in _SIMPLE[: _SIMPLE.index(word) if word in _SIMPLE else len(_SIMPLE)]:
                yield (who, do, *words[:place], number, *words[place + 1 :])


__all__ = ["TRIES", "shorten"]
