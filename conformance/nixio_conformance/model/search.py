"""Runs sequences on an implementation, one after the other, until one of them fails."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

from nixio_conformance.driver import alarm
from nixio_conformance.driver.errors import AgentCannot, AgentError
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.host import capabilities
from nixio_conformance.model.generate import draw
from nixio_conformance.model.runner import Inconclusive, Runner
from nixio_conformance.model.sequences import OperationSequence, kinds_of
from nixio_conformance.model.state import MAX_BACKLOG, MOST_UNREAD, System
from nixio_conformance.toolkit import leaks, room
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.expect import Mismatch

#: How many sequences belong to one seed; the next seed's begin after them.
_SEQUENCES_PER_SEED = 1_000_000


@dataclass
class Counterexample:
    """A sequence that fails: the implementation differs from the model, crashes, hangs or leaks."""

    sequence: OperationSequence
    #: The same without the operations that were skipped or that follow the failing one.
    executed: OperationSequence
    error: Mismatch | AgentError
    transcript: Transcript
    #: The folder of the UNIX paths in the transcript.
    folder: str
    stderr: str = ""


@dataclass
class Searcher:
    """Runs sequences on one implementation, and counts them."""

    session: Session
    #: The budget of each sequence, in seconds; None where the session has one for all of them, or none.
    sequence_seconds: float | None = None
    #: The number of sequences and of calls so far.
    sequences: int = 0
    calls: int = 0

    def run(self, sequence: OperationSequence, seconds: float | None = None) -> Counterexample | None:
        """Run a sequence; None if it does not fail. `seconds` is the timeout of a call, None for the session's own.

        A sequence that seems to leak is run a second time: the first may only have initialized the implementation.
        """
        found = self._run_once(sequence, seconds)
        if found is not None and isinstance(found.error, leaks.Leaked):
            found = self._run_once(sequence, seconds)
            if found is not None:
                self.session.kill()
        return found

    def search(
        self, kind: str, seed: int, count: int, has_time: Callable[[], bool] | None = None
    ) -> Counterexample | None:
        """Run `count` sequences of a kind that are drawn from a seed; the first that fails, or None.

        Ends early if `has_time`, which is called before each sequence, returns False.
        """
        for number in range(count):
            if has_time is not None and not has_time():
                break
            if (found := self.run(draw(kind, seed * _SEQUENCES_PER_SEED + number))) is not None:
                return found
        return None

    def _run_once(self, sequence: OperationSequence, seconds: float | None) -> Counterexample | None:
        case = Case(self.session, kinds_of(sequence)[0])
        if self.sequence_seconds is not None:
            self.session.allow(self.sequence_seconds)
        self.session.begin_case(case.transcript)
        runner = Runner(case, sequence, self._system(sequence), seconds)
        self.sequences += 1
        try:
            with leaks.watched(case), alarm.watched(self.session.budget):
                runner.run()
        except (Inconclusive, AgentCannot):
            self.session.kill()
        except (Mismatch, AgentError) as error:
            stderr = self.session.current_stderr().strip()
            leaked = isinstance(error, leaks.Leaked)
            if not leaked:
                self._end_case()
            finish = runner.finishing or leaked
            executed = replace(sequence, operations=tuple(runner.executed), finish=finish)
            return Counterexample(sequence, executed, error, case.transcript, case.folder, stderr)
        finally:
            self.calls += runner.calls
            runner.discard()
            case.close()
        return None

    def _system(self, sequence: OperationSequence) -> System:
        kinds = kinds_of(sequence)
        return System(
            keeps_data=sys.platform.startswith("linux"),
            exclusive=not capabilities.current()["lab"],  # the value is the reason why there is none
            buffersize=self.session.welcome.buffersize,
            room={kind.id: room.unread(kind, MOST_UNREAD[kind.id]) for kind in kinds},
            waiting={kind.id: room.connections(kind, MAX_BACKLOG) for kind in kinds if kind.type == "stream"},
        )

    def _end_case(self) -> None:
        """Close the sockets of a sequence that failed."""
        try:
            self.session.end_case()
        except AgentError:
            self.session.kill()
