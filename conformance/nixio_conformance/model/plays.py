"""Draws plays: a setting and moves that do not depend on one another, so that leaving some out is a play too.

By a seeded generator and not by Hypothesis, which finds less in the same number of plays and does not draw the same
from one seed everywhere (docs/model.md has the numbers).
"""

from __future__ import annotations

import random
from functools import cache

from nixio_conformance.model.moves import LAST, OTHER_END, SETTINGS, Move, Play, kinds_of
from nixio_conformance.model.names import OPTIONS, applies
from nixio_conformance.model.state import Sock
from nixio_fixtures import Kind

#: Bursts of moves in one play.
FEWEST, MOST = 8, 40
#: What a play is mostly about, and how often each of its moves comes. A play in which everything happens has nothing
#: left to send before long; and what is left out of a play cannot hide what else goes wrong.
PROFILES: dict[str, dict[str, int]] = {
    "data": {"send": 5, "receive": 5, "option": 1, "mode": 1, "ask": 1, "wait": 1},
    "connections": {"open": 3, "connect": 4, "accept": 4, "bind": 2, "listen": 2, "ask": 3, "send": 1, "receive": 1},
    "settings": {"option": 4, "mode": 3, "ask": 2, "accept": 2, "connect": 2, "open": 1, "receive": 4, "send": 2},
    "ends": {"send": 4, "receive": 5, "shutdown": 2, "close": 1, "ask": 1, "accept": 1, "connect": 1, "sendto": 1},
    "numbers": {"open": 3, "close": 3, "ask": 5, "accept": 2, "connect": 2, "bind": 1, "send": 2, "receive": 2},
    "all": dict.fromkeys(
        ("send", "receive", "ask", "mode", "option", "bind", "connect", "accept", "listen", "sendto", "open", "wait",
         "shutdown", "close"), 1,
    ),
}  # fmt: skip

#: Mostly sockets that the move makes sense for (`moves.settled`), sometimes any.
_WHO = (-1, -2, -1, -2, -3, 0, 1, 2, 3)
_OTHER = (-1, -2, -1, 0, 1, 2)
_SIZE = (3, 1, 2, 5, 8, 20, 0, 300, 8300)
_OFFSET: tuple[int | str, ...] = (0, 1, 2, 4, 30, "none", -1, 2**32 + 1)
_LENGTH: tuple[int | str, ...] = (1, 2, 10, 0, 400, "none", -1, 2**32 + 1)
_ROOM = (10, 1, 2, 3, 100, 8192, 20000, 0, -1)
_NAMES = ("getsockname", "getpeername", "fileno")


def draw(kind: str, number: int) -> Play:
    """A play about one of `moves.KINDS`: the same one for the same number."""
    return _Drawer(kind, random.Random(f"{kind} {number}")).play()


class _Drawer:
    def __init__(self, kind: str, source: random.Random) -> None:
        self._kind = kind
        self._source = source
        self._first, self._second = kinds_of(Play(kind))
        self._stream = self._first.type == "stream"

    def play(self) -> Play:
        pick = self._source.choice
        setting = pick(list(SETTINGS[self._kind.partition("-")[2]]))
        weights = PROFILES[pick(list(PROFILES))]
        nonblocking, finish = pick((False, True)), pick((False, True))
        moves: list[Move] = []
        for _ in range(self._source.randint(FEWEST, MOST)):
            moves += self._burst(weights)
        return Play(self._kind, setting, nonblocking, tuple(moves), finish)

    def _burst(self, weights: dict[str, int]) -> list[Move]:
        """One move; or the same a few times, as there are faults that begin with the third; or two that belong."""
        name = self._source.choices(list(weights), list(weights.values()))[0]
        move = self._move(name)
        chance = self._source.random()
        if chance < 0.15:
            return [move] * self._source.randint(2, 4)
        if name == "send" and chance < 0.5:
            return [move, (OTHER_END, *self._receive())]
        if name == "shutdown" and chance < 0.6:  # with something sent before, of which a part was read
            sent, part = (self._source.choice(_WHO), "send", 20), (OTHER_END, "recv", self._source.choice((1, 2, 10)))
            return [sent, part, (LAST, *move[1:]), (LAST, *self._receive())]
        if (name in ("connect", "accept", "bind") or move[1] == "sendto") and chance < 0.5:
            return [move, (LAST, self._source.choice(_NAMES))]
        if move[1] == "setopt" and chance < 0.7:
            return [move, (LAST, "getopt", move[2])]
        return [move]

    def _move(self, name: str) -> Move:
        pick = self._source.choice
        who = pick(_WHO)
        match name:
            case "send" if self._stream or pick((True, False)):
                return (who, pick(("send", "write")), pick(_SIZE), *self._chunk())
            case "send" | "sendto":
                return (who, "sendto", pick(_SIZE), pick(_OTHER), *self._chunk())
            case "accept":
                return (who, "accept") if self._stream else (who, "sendto", pick(_SIZE), pick(_OTHER))
            case "receive":
                return (who, *self._receive())
            case "ask":
                return (who, pick(_NAMES))
            case "mode":
                return (who, "setblocking", pick((0, 1)))
            case "option":
                return (who, *self._option())
            case "bind":
                return (who, "bind", pick(("fresh", "any", *_OTHER)))
            case "connect":
                return (who, "connect", pick(_OTHER))
            case "listen":
                return (who, "listen", pick((5, 1)))
            case "open":
                return (0, pick(("socket", "peer")), *(("other",) if pick((True, False)) else ()))
            case "wait":
                methods = ("recv", "recvfrom", "accept") if self._stream else ("recv", "recvfrom")
                return (who, "wait", pick(methods), pick((10, 2)), pick(("send", "shutdown", "close")))
            case "shutdown":
                return (who, "shutdown", *pick((("wr",), ("rd",), ("rdwr",), ())))
        return (who, name)

    def _chunk(self) -> Move:
        """Offset and length, or one of them, or mostly none."""
        pick = self._source.choice
        return ((), (), (pick(_OFFSET),), (pick(_OFFSET), pick(_LENGTH)))[self._source.randrange(4)]

    def _receive(self) -> tuple[str, int]:
        return self._source.choice(("recv", "recvfrom", "read")), self._source.choice(_ROOM)

    def _option(self) -> Move:
        key = self._source.choice(_keys(self._second))
        if self._source.random() < 0.3:
            return ("getopt", key)
        value = self._source.choice(OPTIONS[key])
        words = value if isinstance(value, tuple) else (value,)
        return ("setopt", key, *(int(str(word)) for word in words))


@cache
def _keys(kind: Kind) -> tuple[str, ...]:
    """The options that this kind of socket has."""
    return tuple(key for key in OPTIONS if applies(key, Sock(kind, "port")))
