"""Shrinks a sequence that fails to a short one that fails too.

It takes few runs because it knows which operations were skipped and which come after the failure, and because it runs
candidates with a short timeout, so that a call that hangs costs little time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nixio_conformance.driver.errors import CaseTimedOut
from nixio_conformance.model.search import Counterexample, Searcher
from nixio_conformance.model.sequences import (
    BARE,
    Operation,
    OperationSequence,
    initial_operations,
    initial_states,
    without_socket,
)

#: The most candidates that are run.
MAX_ATTEMPTS = 250
#: The timeout of a call in a candidate, in seconds. The result is confirmed with the session's own.
SHORT_TIMEOUT = 0.7
#: What an integer parameter may be replaced by, the simplest first.
_SIMPLE = (1, 0, 2, 3, 10)


def shrink(searcher: Searcher, found: Counterexample, attempts: int = MAX_ATTEMPTS) -> Counterexample:
    """The shortest sequence that still fails, confirmed with a fresh agent; `found` itself if none can be confirmed.

    An implementation may depend on what earlier sequences did. If the result is not confirmed, shrinking starts again
    with a fresh agent for each candidate. Where there is a budget, half of what is left of it is used each time.
    """
    if isinstance(found.error, CaseTimedOut):  # no candidate would have any time
        return found
    for fresh in (False, True):
        best = _shortest(_Candidates(searcher, attempts, fresh), found)
        searcher.session.kill()
        confirmed = searcher.run(best.executed) or searcher.run(best.sequence)
        if confirmed and not isinstance(confirmed.error, CaseTimedOut):
            return confirmed
    return found


class _Candidates:
    """Runs candidates, each once, up to a maximum."""

    def __init__(self, searcher: Searcher, attempts: int, fresh: bool) -> None:
        self._searcher = searcher
        self._attempts = attempts
        self._fresh = fresh
        self._least_left = searcher.session.budget.remaining() / 2
        self._tried: set[OperationSequence] = set()

    def better(self, best: Counterexample, candidate: OperationSequence) -> Counterexample:
        """The candidate's own counterexample if it fails; else `best`."""
        if candidate in self._tried or len(self._tried) >= self._attempts:
            return best
        if self._searcher.session.budget.remaining() < self._least_left:
            return best
        self._tried.add(candidate)
        if self._fresh:
            self._searcher.session.kill()
        found = self._searcher.run(candidate, SHORT_TIMEOUT)
        return best if found is None or isinstance(found.error, CaseTimedOut) else found


def _shortest(candidates: _Candidates, found: Counterexample) -> Counterexample:
    best = found
    for sequence in (found.executed, replace(found.executed, finish=False)):
        best = candidates.better(best, sequence)
    best = _until_unchanged(candidates, best)
    # The sockets of an initial state can be removed only once they are operations of the sequence.
    executed = best.executed
    if executed.initial != BARE and not executed.nonblocking:
        bare = replace(executed, initial=BARE, operations=(*initial_operations(executed), *executed.operations))
        best = _until_unchanged(candidates, candidates.better(best, bare))
    return best


def _until_unchanged(candidates: _Candidates, best: Counterexample) -> Counterexample:
    while (after := _one_pass(candidates, best)) is not best:
        best = after
    return best


def _one_pass(candidates: _Candidates, best: Counterexample) -> Counterexample:
    """Try to remove operations and sockets; then apply the first simplification that still fails."""
    size = len(best.executed.operations)
    while size >= 1:
        best = _without_operations(candidates, best, size)
        size //= 2
    if best.executed.initial == BARE:
        best = _without_sockets(candidates, best)
    for simpler in _simpler_sequences(best.executed):
        after = candidates.better(best, simpler)
        if after is not best:
            return after
    return best


def _without_operations(candidates: _Candidates, best: Counterexample, size: int) -> Counterexample:
    """Remove `size` operations in a row, from the end first, because late operations are the least needed."""
    for start in [*range(len(best.executed.operations) - size, 0, -size), 0]:
        operations = best.executed.operations
        shorter = operations[:start] + operations[start + size :]
        best = candidates.better(best, replace(best.executed, operations=shorter))
    return best


def _without_sockets(candidates: _Candidates, best: Counterexample) -> Counterexample:
    """Remove sockets, each with all operations that name it."""
    for place in reversed(range(len(best.executed.operations))):
        if place < len(best.executed.operations) and (fewer := without_socket(best.executed, place)) is not None:
            best = candidates.better(best, fewer)
    return best


def _simpler_sequences(sequence: OperationSequence) -> Iterator[OperationSequence]:
    """The sequences that are simpler in one respect."""
    if sequence.finish:
        yield replace(sequence, finish=False)
    if sequence.nonblocking:
        yield replace(sequence, nonblocking=False)
    for initial in initial_states(sequence):
        if sequence.initial in (initial, BARE):
            break
        yield replace(sequence, initial=initial)
    for place, operation in enumerate(sequence.operations):
        for simpler in _simpler_operations(operation):
            yield replace(
                sequence, operations=(*sequence.operations[:place], simpler, *sequence.operations[place + 1 :])
            )


def _simpler_operations(operation: Operation) -> Iterator[Operation]:
    """The operations that are simpler in one respect: one parameter fewer, a simpler method, a smaller number."""
    number, name, *words = operation
    if name in ("send", "write", "sendto") and len(words) > (2 if name == "sendto" else 1):
        yield operation[:-1]
    if name in ("write", "read", "recvfrom"):
        yield (number, {"write": "send"}.get(str(name), "recv"), *words)
    if name in ("setopt", "getopt", "socket", "peer", "listen", "setblocking"):
        return
    for place, word in enumerate(words):
        if isinstance(word, int):
            for simple in _SIMPLE[: _SIMPLE.index(word) if word in _SIMPLE else len(_SIMPLE)]:
                yield (number, name, *words[:place], simple, *words[place + 1 :])
