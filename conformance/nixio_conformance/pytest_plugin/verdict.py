"""Turns the exceptions of a case's phases into its verdict: a row of the result stream."""

from __future__ import annotations

import gc
import traceback
from dataclasses import dataclass

import msgspec
import pytest

from nixio_conformance.driver.errors import (
    AgentCannot,
    AgentError,
    AgentHung,
    CannotStart,
    CaseTimedOut,
    out_of_resources,
)
from nixio_conformance.host.observer import Hidden
from nixio_conformance.pytest_plugin import row_size
from nixio_conformance.repro import lua, python
from nixio_conformance.target.target import Target
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.expect import Mismatch
from nixio_conformance.toolkit.leaks import Leaked, NetworkChanged
from nixio_reports import records

#: Outcomes of a case that an error in a later phase replaces: nothing was wrong until then.
_OPEN = ("not-run", "passed", "host-skip", "port-skip")


@dataclass
class Judgement:
    """The verdict of one case, completed phase by phase."""

    row: records.Row
    target: Target
    case: Case | None = None
    #: Whether the leak check failed, and nothing before it.
    leaked: bool = False
    #: Whether the hermetic network was changed, so that it has to be renewed.
    network_changed: bool = False

    def phase(self, when: str, seconds: float, error: BaseException | None) -> None:
        """Add one of pytest's phases. The first error of a case decides its verdict."""
        self._judge(when, seconds, error if when == "teardown" else self._cause(error))
        if error is not None:
            self.row = row_size.fitted(self.row)
        if when == "teardown" and self.case is not None and self.case.transcript.large:
            # Exceptions and frames of pytest refer to each other, and keep the long results of many cases alive.
            gc.collect()

    def _cause(self, error: BaseException | None) -> BaseException | None:
        """The error, or what the implementation did to the case's folder, so that a call of the suite failed."""
        if isinstance(error, OSError) and self.case is not None and (change := self.case.folder_change()):
            return Mismatch(
                "the case's folder", "the folder as it was made", f"{change}, and the suite failed: {error}"
            )
        return error

    def _judge(self, when: str, seconds: float, error: BaseException | None) -> None:
        self.row = msgspec.structs.replace(self.row, seconds=self.row.seconds + seconds)
        if error is not None and self.row.outcome in _OPEN:
            self.leaked = isinstance(error, Leaked)
            self.network_changed = isinstance(error, NetworkChanged)
            self.row = msgspec.structs.replace(self.row, **_verdict(error))
            if self.case is not None:
                self.row = msgspec.structs.replace(self.row, **self._evidence(self.case))
        elif isinstance(error, AgentError) and self.row.outcome in ("failed", "suite-error"):
            # The agent died, and the check only noticed what followed from that.
            message = f"{error}; the check reported: {self.row.message}"
            self.row = msgspec.structs.replace(self.row, **{**_verdict(error), "message": message, "traceback": ""})
        elif isinstance(error, Leaked):
            self.kill_agent()  # descriptors or children of a failed case must not disturb the next one
        elif when == "call" and self.row.outcome == "not-run":
            self.row = msgspec.structs.replace(self.row, outcome="passed")

    def kill_agent(self) -> None:
        """End the agent, so that the next case starts a new one."""
        if self.case is not None:
            self.case.session.kill()

    def _evidence(self, case: Case) -> dict[str, object]:
        if self.row.outcome == "host-skip":
            return {}
        steps = case.transcript.steps
        scripts = {"python": python.write(self.row, self.target, case.folder, steps)}
        # Once there are steps, the agent has replied to hello.
        if steps and lua.applies(self.target, case.session.welcome.language):
            text = lua.write(self.row, self.target, case.session.welcome.name, case.folder, steps)
            scripts = {"lua": text, **scripts}
        return {
            "steps": row_size.last_steps(steps),
            "scripts": scripts,
            "stderr": case.session.current_stderr().strip(),
        }


def _verdict(error: BaseException) -> dict[str, str]:
    """The fields of a row that an exception decides."""
    if reason := _host_lacks(error):
        return {"outcome": "host-skip", "message": reason}
    if isinstance(error, AgentCannot):
        return {"outcome": "port-skip", "message": f"the agent cannot make this call: {error}"}
    if isinstance(error, CaseTimedOut):
        return {"outcome": "timed-out", "message": str(error), "expected": "the case ends", "actual": "it does not"}
    if isinstance(error, AgentHung):
        return {"outcome": "timed-out", "message": str(error), "expected": "the call returns", "actual": "it does not"}
    if isinstance(error, (AgentError, CannotStart)):
        return {"outcome": "crashed", "message": str(error), "expected": "the agent continues", "actual": str(error)}
    if isinstance(error, Mismatch):
        return {"outcome": "failed", "message": str(error), "expected": error.expected, "actual": error.actual}
    trace = "".join(traceback.format_exception(error, limit=-8, chain=False))
    said = f": {error}" if str(error) else ""
    return {
        "outcome": "suite-error",
        "message": f"the suite itself failed: {type(error).__name__}{said}",
        "traceback": trace[-6000:],
    }


def _host_lacks(error: BaseException) -> str:
    """Why this host cannot run the case, if that is what the exception says; empty for any other."""
    if isinstance(error, (pytest.skip.Exception, Hidden)):
        return str(error) or "no reason was given"
    cause = error.__cause__ if isinstance(error, CannotStart) else error
    # No room for another process is EAGAIN, which only the start of a program has as a lack of resources.
    full = isinstance(cause, BlockingIOError) and cause is not error
    if cause is not None and (full or out_of_resources(cause)):
        return f"the suite ran out of resources: {str(error) or type(error).__name__}"
    return ""
