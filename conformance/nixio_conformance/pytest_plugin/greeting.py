"""The first exchange with the implementation in a run: what it is, and what cannot be shown of where it runs."""

from __future__ import annotations

from pathlib import Path

from nixio_conformance.driver.session import Session
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.host import capabilities
from nixio_conformance.target import remote
from nixio_conformance.target.target import Target
from nixio_reports.records import Implementation

#: Programs that start an agent in another network than their own.
_ELSEWHERE = ("ssh", "docker", "podman", "nsenter")


def greet(session: Session, target: Target, *, keep: bool) -> Implementation:
    """Start an agent and take down what it says of itself; `keep` is whether the session is used afterwards.

    Takes away the capabilities that an agent in another process than the started one does not have. Raises
    `CannotStart`.
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
    """What to do about a program that has to leave the hermetic network and cannot; empty for any other."""
    outside = target.form == "agent" and Path(target.argv[0]).name in _ELSEWHERE
    if not outside or capabilities.current()["lab"]:
        return ""
    return "; it was started in the hermetic network: --without lab starts it in this host's"
