"""An agent that is not the process that was started: behind ssh, in a container, or below a shell.

It says so by its process id. Its cases can be judged where it shares this host's network; what is seen of a port
through its process (descriptors, limits, signals, a start without privileges) would be seen of ssh, and is skipped.
"""

from __future__ import annotations

import socket
from pathlib import Path

from nixio_conformance.driver.errors import AgentError, CannotStart
from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.timeouts import PROBE
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.host.workspace import workspace

#: Capabilities that need the port's own process.
_BY_PROCESS = ("descriptors", "kernel-view", "limits", "unprivileged")


def lacking(session: Session, capabilities: dict[str, str]) -> dict[str, str]:
    """The capabilities that this agent takes away, with the reasons; none for one that is a process of the suite's.

    Raises `CannotStart` for an agent in another network: every case would fail for a reason that is not the port's.
    """
    if not session.remote:
        return {}
    process = f"the agent is process {session.welcome.pid}, and {session.pid} was started"
    taken = dict.fromkeys(_BY_PROCESS, f"{process}: what the system tells of the one is not the other's")
    try:
        if not capabilities["ipv4"]:
            _reach(session, process)
        if not capabilities["unix"] and _folder_is_elsewhere(session):
            taken |= dict.fromkeys(("unix",), f"{process}, and it does not see the suite's temporary folder")
    except AgentError as error:
        raise CannotStart(f"{process}; whether it shares this host's network cannot be seen: {error}") from None
    return taken


def _reach(session: Session, process: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        listener.settimeout(PROBE)
        outcome = _connect(session, "inet", *listener.getsockname())
        try:
            listener.accept()[0].close()
        except TimeoutError:
            raise CannotStart(
                f"{process}. It does not reach the suite's peers, which listen on this host's loopback: its connect() "
                f"came to {outcome}. Run the suite where the port is. Where the port is on this host, have the agent "
                "share its network (`--without lab` for an agent that is not a child of the suite; --network=host for "
                "a container)"
            ) from None
        finally:
            session.end_case()


def _folder_is_elsewhere(session: Session) -> bool:
    with workspace() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = str(Path(folder) / "s")
        listener.bind(path)
        listener.listen(1)
        outcome = _connect(session, "unix", path, None)
        session.end_case()
    return isinstance(outcome, Failure) and outcome.name == "ENOENT"


def _connect(session: Session, domain: str, host: str, port: int | None) -> Outcome:
    session.begin_case(Transcript())
    opened = session.open(domain, "stream")
    if isinstance(opened, Failure) or not opened.values or not isinstance(opened.values[0], ImplSocket):
        return opened
    return opened.values[0].connect(host, port)
