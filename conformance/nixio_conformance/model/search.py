"""Looks for a play in which port and model differ: plays are drawn from a seed, one after the other."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from nixio_conformance.driver.errors import AgentCannot, AgentError
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.host import capabilities
from nixio_conformance.model.moves import Play, kinds_of
from nixio_conformance.model.player import Abandoned, Player
from nixio_conformance.model.plays import draw
from nixio_conformance.model.state import System
from nixio_conformance.toolkit import leaks
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.expect import Mismatch

#: Two seeds have no plays in common before so many.
_APART = 1_000_000


@dataclass
class Found:
    """A play in which the port and the model differ."""

    play: Play
    #: The same without the moves that meant nothing or came too late.
    made: Play
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

    def play(self, play: Play, seconds: float | None = None) -> Found | None:
        """Make a play; a second time if it seems to leak, as only what leaks twice is a leak."""
        found = self._once(play, seconds)
        if found is not None and isinstance(found.error, leaks.Leaked):
            found = self._once(play, seconds)
            if found is not None:
                self.session.kill()
        return found

    def _once(self, play: Play, seconds: float | None) -> Found | None:
        case = Case(self.session, self.folder, kinds_of(play)[0])
        self.session.begin_case(case.transcript)
        welcome = self.session.welcome
        system = System(sys.platform.startswith("linux"), not capabilities.current()["lab"], welcome.buffersize)
        player = Player(case, play, system, seconds)
        self.plays += 1
        try:
            with leaks.watched(case):
                player.run()
        except (Abandoned, AgentCannot):
            self.session.kill()
        except (Mismatch, AgentError) as error:
            stderr = self.session.current_stderr().strip()
            if not isinstance(error, leaks.Leaked):
                self._end_case()
            made = replace(play, moves=tuple(player.made), finish=player.finishing or isinstance(error, leaks.Leaked))
            return Found(play, made, error, case.transcript, case.folder, stderr)
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

    def search(self, kind: str, number: int, count: int, go_on: Callable[[], bool] | None = None) -> Found | None:
        """Make so many plays of a kind, drawn from a seed, until one differs; that one.

        `go_on` is asked before each play whether there is time for it.
        """
        for turn in range(count):
            if go_on is not None and not go_on():
                break
            if (found := self.play(draw(kind, number * _APART + turn))) is not None:
                return found
        return None
