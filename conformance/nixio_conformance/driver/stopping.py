"""What this process does when Ctrl-C, SIGTERM or the end of its terminal stops it, whatever it is doing.

The handler raises no exception. One that is raised between any two instructions can hit an import, a destructor, or the
code of pytest and xdist, which swallow it or take it for an error of their own. The handler itself does what is left to
do, as steps that were registered before, and then ends the process.

At the first signal all steps run. A second one, which may interrupt them, leaves out the report; the record is always
completed. A third one ends the process at once, if the second one has not done so by then.
"""

from __future__ import annotations

import contextlib
import enum
import os
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType

#: A second signal so soon is the same one: timeout(1) and others send it to the process and to its group.
SAME = 0.1
#: After a second signal processes and files are removed; a third one abandons that, but only after this time.
CLEANING = 1.0
_HANGUP = getattr(signal, "SIGHUP", None)  # Windows has none
_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([_HANGUP] if _HANGUP is not None else []))


class Stage(enum.IntEnum):
    """When a step is done. Within a stage the step that was registered last is the first."""

    RECORD = 1
    PROCESSES = 2
    FILES = 3
    REPORT = 4


class Stopping:
    """The steps of this process, and the signals that it has received."""

    def __init__(self) -> None:
        self._owner = 0
        self._steps: list[tuple[Stage, Callable[[], object]]] = []
        self._received: list[tuple[int, float]] = []
        self._recorded = self._recording = False
        self._holds = 0

    @property
    def handled(self) -> bool:
        """Whether this process handles the signals here."""
        return self._owner == os.getpid()

    @property
    def hurried(self) -> bool:
        """In a step: whether a second signal demands that the process ends at once."""
        return len(self._received) > 1

    @property
    def exit_code(self) -> int:
        """In a step: the exit code of the process."""
        return 128 + self._received[0][0]

    def handle(self) -> None:
        """Handle the signals from now on, but for one that is ignored, as under nohup. In the main thread only."""
        self._owner = os.getpid()
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handler)

    def continue_without_terminal(self) -> None:
        """Do not stop when the terminal is closed. Not by ignoring SIGHUP, as programs started from here would too."""
        if _HANGUP is not None and signal.getsignal(_HANGUP) is not signal.SIG_IGN:
            signal.signal(_HANGUP, lambda number, frame: None)

    def ignore(self) -> None:
        """Ignore the signals from now on: all is done, and the exit code is known."""
        if self.handled:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)

    def add(self, stage: Stage, step: Callable[[], object]) -> None:
        """Register a step. It must work wherever this process was interrupted, even in the step itself."""
        self._steps.append((stage, step))

    @contextlib.contextmanager
    def step(self, stage: Stage, step: Callable[[], object]) -> Iterator[None]:
        """Register a step for the body of a `with`."""
        registered = (stage, step)
        self._steps.append(registered)
        try:
            yield
        finally:
            self._steps.remove(registered)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Put the first signal off to the end of the body, which must be short, and complete for the steps' sake."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            if self._received and not self._holds and not self._recorded:  # a step may hold too
                self._stop()

    def _handler(self, number: int, frame: FrameType | None) -> None:
        if not self.handled:
            os._exit(128 + number)  # a child that was forked, with nothing of its own to do
        now = time.monotonic()
        if self._received and now - self._received[-1][1] < (CLEANING if self.hurried else SAME):
            return
        self._received.append((number, now))
        if len(self._received) > 2:
            os._exit(self.exit_code)
        if not self._recording and (self.hurried or not self._holds):
            self._stop()

    def _stop(self) -> None:
        try:
            if not self._recorded:
                self._recorded = self._recording = True
                self._do(Stage.RECORD)
                self._recording = False
            self._do(Stage.PROCESSES)
            self._do(Stage.FILES)
            if not self.hurried:
                self._do(Stage.REPORT)
        finally:
            os._exit(self.exit_code)

    def _do(self, stage: Stage) -> None:
        for of, step in reversed(self._steps):
            if of is stage:
                # Another step must not be lost, and no caller is left to report to.
                with contextlib.suppress(BaseException):
                    step()


#: Of this process. Signals are of a process as a whole, so this is module-level state.
stopping = Stopping()
