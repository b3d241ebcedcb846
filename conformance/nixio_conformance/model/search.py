"""Looks for a play in which port and model differ, and makes it short."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from nixio_conformance import hygiene
from nixio_conformance.driver.errors import AgentError
from nixio_conformance.driver.session import AgentCannot, Session
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.expect import Mismatch
from nixio_conformance.lab import host
from nixio_conformance.lab.case import Case
from nixio_conformance.model.moves import Play, kinds_of
from nixio_conformance.model.player import Abandoned, Player
from nixio_conformance.model.plays import plays
from nixio_conformance.model.state import System

#: Seconds that shortening may take, and that a call may take meanwhile: what is told in the end is tried with patience.
SHORTENING = 20.0
IMPATIENCE = 0.7


@dataclass
class Found:
    """A play in which the port and the model differ."""

    play: Play
    error: Mismatch | AgentError
    transcript: Transcript
    folder: str
    stderr: str = ""


@dataclass
class Table:
    """Where plays are made: a port, and what came of those that were made already."""

    session: Session
    folder: Path
    #: Plays and calls that were made.
    plays: int = 0
    calls: int = 0
    _known: dict[Play, Found | None] = field(default_factory=dict)

    def play(self, play: Play, seconds: float | None = None) -> Found | None:
        """Make a play; a second time if it seems to leak, as only what leaks twice is a leak."""
        found = self._once(play, seconds)
        if found is not None and isinstance(found.error, hygiene.Leaked):
            found = self._once(play, seconds)
            if found is not None:
                self.session.kill()
        return found

    def _once(self, play: Play, seconds: float | None) -> Found | None:
        case = Case(self.session, self.folder, kinds_of(play)[0])
        self.session.begin_case(case.transcript)
        welcome = self.session.welcome
        system = System(sys.platform.startswith("linux"), not host.capabilities()["lab"], welcome.buffersize)
        player = Player(case, play, system, seconds)
        self.plays += 1
        try:
            with hygiene.watched(self.session):
                player.run()
        except (Abandoned, AgentCannot):
            self.session.kill()
        except (Mismatch, AgentError) as error:
            stderr = self.session.current_stderr().strip()
            if not isinstance(error, hygiene.Leaked):
                self._end_case()
            return Found(play, error, case.transcript, case.folder, stderr)
        finally:
            self.calls += player.calls
            player.discard()
            with contextlib.suppress(OSError):
                case.close()
        return None

    def _end_case(self) -> None:
        """Close what a play that broke off has left."""
        try:
            self.session.end_case()
        except AgentError:
            self.session.kill()

    def search(
        self, kind: str, number: int, examples: int, shortening: float = SHORTENING, go_on: Callable[[], bool] = bool
    ) -> Found | None:
        """Make that many plays of a kind, drawn from a seed; the shortest that is found to differ, or None.

        `go_on` is asked before each play whether there is time for it; nobody is asked if it is left out.
        """
        hunt = _Hunt(self, shortening, go_on if go_on is not bool else lambda: True)
        _drive(hunt, kind, number, examples)
        return hunt.confirmed()


class _Hunt:
    """One search: makes each play once, so that what came of it stays what it was while it is shortened."""

    def __init__(self, table: Table, shortening: float, go_on: Callable[[], bool]) -> None:
        self._table = table
        self._shortening = shortening
        self._go_on = go_on
        self._known: dict[Play, bool] = {}
        #: The plays that differed, in the order in which they were found: later ones are shorter.
        self._found: list[Found] = []
        self._until = float("inf")

    def differs(self, play: Play) -> bool:
        """Whether a play differs; when there is no time left, only whether it is known to."""
        if play in self._known or time.monotonic() > self._until or not (self._found or self._go_on()):
            return self._known.get(play, False)
        found = self._table.play(play, IMPATIENCE if self._found else None)
        self._known[play] = found is not None
        if found is not None:
            if not self._found:
                self._until = time.monotonic() + self._shortening
            self._found.append(found)
        return found is not None

    def confirmed(self) -> Found | None:
        """The shortest play that differs when it is made with patience."""
        for found in sorted(self._found, key=_size)[:3]:
            if (again := self._table.play(found.play)) is not None:
                return again
        return self._found[0] if self._found else None


def _size(found: Found) -> tuple[int, int, str]:
    return len(found.transcript.steps), len(found.play.moves), repr(found.play)


class _Differs(Exception):
    """Tells Hypothesis that a play is worth shortening."""


def _drive(hunt: _Hunt, kind: str, number: int, examples: int) -> None:
    """Have Hypothesis draw plays, and shorten the first that differs. It keeps no files, and prints nothing."""

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        verbosity=Verbosity.quiet,
    )
    @given(plays(kind))
    def one(play: Play) -> None:
        if hunt.differs(play):
            raise _Differs

    with contextlib.suppress(_Differs):
        one()
