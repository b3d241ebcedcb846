"""Draws random sequences of operations from a seed.

The generator is the suite's own and not Hypothesis's, which finds fewer faults in the same number of sequences and does
not draw the same ones from a seed on every machine (docs/model.md has the measurements).
"""

from __future__ import annotations

import random
from functools import cache

from nixio_conformance.model.sequences import (
    LAST,
    OTHER_END,
    Operation,
    OperationSequence,
    initial_states,
    kinds_of,
)
from nixio_conformance.model.socket_rules import OPTIONS, applies
from nixio_conformance.model.state import Sock
from nixio_fixtures import Kind

#: The fewest and the most groups of operations (`_Generator._group`) in one sequence.
MIN_GROUPS, MAX_GROUPS = 8, 40
#: The relative frequency of each sort of operation; each sequence follows one profile. If all sorts were equally
#: frequent, everything would soon be closed; and operations that are left out cannot hide the effect of a fault.
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

#: Numbers of sockets: mostly one that suits the operation (`operations.resolve`), sometimes any.
_NUMBER = (-1, -2, -1, -2, -3, 0, 1, 2, 3)
_OTHER = (-1, -2, -1, 0, 1, 2)
_SIZE = (3, 1, 2, 5, 8, 20, 0, 300, 8300)
_OFFSET: tuple[int | str, ...] = (0, 1, 2, 4, 30, "none", -1, 2**32 + 1)
_LENGTH: tuple[int | str, ...] = (1, 2, 10, 0, 400, "none", -1, 2**32 + 1)
_LIMIT = (10, 1, 2, 3, 100, 8192, 20000, 0, -1)
_QUESTIONS = ("getsockname", "getpeername", "fileno")


def draw(kind: str, number: int) -> OperationSequence:
    """A random sequence about one of `sequences.KINDS`; the same one for the same number."""
    return _Generator(kind, random.Random(f"{kind} {number}")).sequence()


class _Generator:
    def __init__(self, kind: str, source: random.Random) -> None:
        self._kind = kind
        self._source = source
        self._first, self._second = kinds_of(OperationSequence(kind))
        self._stream = self._first.type == "stream"

    def sequence(self) -> OperationSequence:
        pick = self._source.choice
        initial = pick(list(initial_states(OperationSequence(self._kind))))
        weights = PROFILES[pick(list(PROFILES))]
        nonblocking, finish = pick((False, True)), pick((False, True))
        operations: list[Operation] = []
        for _ in range(self._source.randint(MIN_GROUPS, MAX_GROUPS)):
            operations += self._group(weights)
        return OperationSequence(self._kind, initial, nonblocking, tuple(operations), finish)

    def _group(self, weights: dict[str, int]) -> list[Operation]:
        """One operation; or one that is repeated, as some faults begin with the third call; or a few that go together.

        The numbers of random draws and their order define what a seed means: a change makes all sequences different.
        """
        name = self._source.choices(list(weights), list(weights.values()))[0]
        operation = self._operation(name)
        chance = self._source.random()
        if chance < 0.15:
            return [operation] * self._source.randint(2, 4)
        if name == "send" and chance < 0.5:
            return [operation, (OTHER_END, *self._receive())]
        if name == "shutdown" and chance < 0.6:  # after data of which the other end has read a part
            sent: Operation = (self._source.choice(_NUMBER), "send", 20)
            part: Operation = (OTHER_END, "recv", self._source.choice((1, 2, 10)))
            return [sent, part, (LAST, *operation[1:]), (LAST, *self._receive())]
        if (name in ("connect", "accept", "bind") or operation[1] == "sendto") and chance < 0.5:
            return [operation, (LAST, self._source.choice(_QUESTIONS))]
        if operation[1] == "setopt" and chance < 0.7:
            return [operation, (LAST, "getopt", operation[2])]
        return [operation]

    def _operation(self, name: str) -> Operation:
        pick = self._source.choice
        number = pick(_NUMBER)
        match name:
            case "send" if self._stream or pick((True, False)):
                return (number, pick(("send", "write")), pick(_SIZE), *self._offset_and_length())
            case "send" | "sendto":
                return (number, "sendto", pick(_SIZE), pick(_OTHER), *self._offset_and_length())
            case "accept":
                return (number, "accept") if self._stream else (number, "sendto", pick(_SIZE), pick(_OTHER))
            case "receive":
                return (number, *self._receive())
            case "ask":
                return (number, pick(_QUESTIONS))
            case "mode":
                return (number, "setblocking", pick((0, 1)))
            case "option":
                return (number, *self._option())
            case "bind":
                return (number, "bind", pick(("fresh", "any", *_OTHER)))
            case "connect":
                return (number, "connect", pick(_OTHER))
            case "listen":
                return (number, "listen", pick((5, 1)))
            case "open":
                return (0, pick(("socket", "peer")), *(("other",) if pick((True, False)) else ()))
            case "wait":
                methods = ("recv", "recvfrom", "accept") if self._stream else ("recv", "recvfrom")
                return (number, "wait", pick(methods), pick((10, 2)), pick(("send", "shutdown", "close")))
            case "shutdown":
                return (number, "shutdown", *pick((("wr",), ("rd",), ("rdwr",), ())))
        return (number, name)

    def _offset_and_length(self) -> Operation:
        """Offset and length, or the offset only, or (in half of the cases) neither."""
        pick = self._source.choice
        return ((), (), (pick(_OFFSET),), (pick(_OFFSET), pick(_LENGTH)))[self._source.randrange(4)]

    def _receive(self) -> tuple[str, int]:
        return self._source.choice(("recv", "recvfrom", "read")), self._source.choice(_LIMIT)

    def _option(self) -> Operation:
        key = self._source.choice(_option_keys(self._second))
        if self._source.random() < 0.3:
            return ("getopt", key)
        value = self._source.choice(OPTIONS[key])
        words = value if isinstance(value, tuple) else (value,)
        return ("setopt", key, *(int(str(word)) for word in words))


@cache
def _option_keys(kind: Kind) -> tuple[str, ...]:
    """The options that sockets of this kind have."""
    return tuple(key for key in OPTIONS if applies(key, Sock(kind, "implementation")))
