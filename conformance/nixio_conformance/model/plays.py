"""Draws plays: a setting and moves that do not depend on one another, so that leaving some out is a play too."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from nixio_conformance.model.moves import KINDS, SETTINGS, Move, Play, kinds_of
from nixio_conformance.model.names import OPTIONS, applies
from nixio_conformance.model.state import Sock
from nixio_fixtures import Kind, Value

#: Moves of one play.
LONGEST = 25

#: Mostly sockets that the move makes sense for (`moves.settled`), sometimes any.
_who = st.sampled_from([-1, -2, -1, -2, -3, 0, 1, 2, 3])
_other = st.sampled_from([-1, -2, -1, 0, 1, 2])
_size = st.sampled_from([3, 1, 2, 5, 20, 0, 300, 8300])
_offset: st.SearchStrategy[int | str] = st.sampled_from([0, 1, 2, 4, 30, "none", -1, 2**32 + 1])
_length: st.SearchStrategy[int | str] = st.sampled_from([1, 2, 10, 0, 400, "none", -1, 2**32 + 1])
_chunk: st.SearchStrategy[Move] = st.one_of(
    st.just(()), st.just(()), st.tuples(_offset), st.tuples(_offset, _length)
)  # fmt: skip
_room = st.sampled_from([10, 1, 2, 3, 100, 8192, 20000, 0, -1])


def _joined(*parts: st.SearchStrategy[Move]) -> st.SearchStrategy[Move]:
    return st.tuples(*parts).map(lambda found: tuple(word for part in found for word in part))


def _move(method: str, *words: st.SearchStrategy[int] | st.SearchStrategy[str]) -> st.SearchStrategy[Move]:
    return st.tuples(_who, st.just(method), *words)


def _sends() -> st.SearchStrategy[Move]:
    method = st.sampled_from(["send", "write"])
    return _joined(st.tuples(_who, method, _size), _chunk)


def _receives() -> st.SearchStrategy[Move]:
    return st.tuples(_who, st.sampled_from(["recv", "recvfrom", "read"]), _room)


def _binds() -> st.SearchStrategy[Move]:
    return st.one_of(_move("bind", st.sampled_from(["fresh", "any"])), _move("bind", _other))


def _options(kind: Kind) -> st.SearchStrategy[Move]:
    """Only the options that this kind of socket has."""
    sock = Sock(kind, "port")
    keys = [key for key in OPTIONS if applies(key, sock)]
    pairs: list[tuple[str, Value]] = [(key, value) for key in keys for value in OPTIONS[key]]
    sets = st.sampled_from(pairs).map(lambda pair: (pair[0], *(pair[1] if isinstance(pair[1], tuple) else (pair[1],))))
    return st.one_of(
        _joined(st.tuples(_who, st.just("setopt")), sets),  # type: ignore[arg-type]  # these values are ints
        _move("getopt", st.sampled_from(keys)),
    )


def _waits(stream: bool) -> st.SearchStrategy[Move]:
    methods = ["recv", "recvfrom", "accept"] if stream else ["recv", "recvfrom"]
    return _move(
        "wait", st.sampled_from(methods), st.sampled_from([10, 2]), st.sampled_from(["send", "shutdown", "close"])
    )


@cache
def _moves(kind: str) -> st.SearchStrategy[Move]:
    first, other = kinds_of(Play(kind))
    stream = first.type == "stream"
    rare = [
        _move("getsockname"),
        _move("getpeername"),
        _move("fileno"),
        _move("setblocking", st.integers(0, 1)),
        _options(other),
        _binds(),
        _move("close"),
        _move("listen", st.sampled_from([5, 1])),
        _move("connect", _other),
        st.tuples(st.just(0), st.sampled_from(["socket", "peer"]), *([st.just("other")] if first != other else [])),
        _waits(stream),
    ]
    how = st.sampled_from(["wr", "rd", "rdwr"])
    rare += [st.one_of(_move("shutdown", how), _move("shutdown")) if stream else _move("shutdown", how)]
    rare += [_move("accept")] if stream else []
    sendto = _joined(st.tuples(_who, st.just("sendto"), _size, _other), _chunk)
    often = [_sends(), _receives(), *([_move("accept")] if stream else [sendto, sendto])]
    return st.one_of(*often, *often, *often, *rare, *([sendto] if stream else []))


def _bursts(kind: str) -> st.SearchStrategy[tuple[Move, ...]]:
    """One move, or the same a few times: there are faults that begin with the third of them."""
    times = st.sampled_from([1, 1, 1, 1, 1, 2, 3, 4])
    return st.tuples(_moves(kind), times).map(lambda found: (found[0],) * found[1])


def plays(kind: str) -> st.SearchStrategy[Play]:
    """Plays about one of `KINDS`."""
    settings = list(SETTINGS[kind.partition("-")[2]])
    return st.builds(
        Play,
        kind=st.just(kind),
        setting=st.sampled_from(settings),
        nonblocking=st.booleans(),
        moves=st.integers(0, LONGEST)
        .flatmap(lambda count: st.lists(_bursts(kind), min_size=count, max_size=count))
        .map(lambda found: tuple(move for burst in found for move in burst)),
        finish=st.booleans(),
    )


__all__ = ["KINDS", "LONGEST", "plays"]
