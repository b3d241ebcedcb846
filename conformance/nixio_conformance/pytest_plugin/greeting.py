"""The first exchange with the implementation in a run: its description, and the capabilities lost where it runs."""

from __future__ import annotations

from pathlib import Path

from nixio_conformance.driver.session import Session
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.host import capabilities
from nixio_conformance.target import remote
from nixio_conformance.target.target import Target
from nixio_reports.records import Implementation

#: Programs that start an agent in a different network.
_ELSEWHERE = ("ssh", "docker", "podman", "nsenter")


def greet(session: Session, target: Target, *, keep: bool) -> Implementation:
    """Start an agent, and return its description of the implementation. If not `keep`, the agent is ended afterwards.

    Removes the capabilities that are lost if the agent is not the process that was started. Raises `CannotStart`.
    """
    session.begin_case(Transcript())
    welcome = session.welcome
    capabilities.assume(capabilities.current() | remote.lacking(session, capabilities.current()))
    if not keep:
        session.kill()
    return Implementation(
        name=welcome.name or target.name,
        version=welcome.version,
        language=welcome.language,
        platform=welcome.platform,
        asked=target.shell_text,
        capabilities=tuple(welcome.capabilities),
        buffersize=welcome.buffersize,
    )


def network_hint(target: Target) -> str:
    """A hint for a program that has to leave the hermetic network and cannot; empty for any other."""
    outside = target.form == "agent" and Path(target.argv[0]).name in _ELSEWHERE
    if not outside or capabilities.current()["lab"]:
        return ""
    return "; it was started in the hermetic network: --without lab starts it in this host's"
