"""The capabilities that are lost with a remote agent: one behind ssh, in a container or under a shell.

The process that the suite started is then ssh or the shell, and the agent reports another process id. Cases that only
use the network can be judged if the agent shares this host's network. Cases that look at the implementation's process
(descriptors, limits, signals, a start without privileges) would look at ssh, and are skipped.
"""

from __future__ import annotations

import socket

from nixio_conformance.driver.errors import AgentError, CannotStart
from nixio_conformance.driver.outcome import Failure, Outcome
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.socket import ImplSocket
from nixio_conformance.driver.temporary import fresh_folder
from nixio_conformance.driver.timeouts import PROBE
from nixio_conformance.driver.transcript import Transcript

#: Capabilities that need the implementation's own process.
_BY_PROCESS = ("descriptors", "kernel-view", "limits", "unprivileged")


def lacking(session: Session, capabilities: dict[str, str]) -> dict[str, str]:
    """The capabilities that are lost with this agent, each with the reason; empty unless the agent is remote.

    `capabilities` are those of the host, as `host.capabilities.current` returns them. Raises `CannotStart` for an agent
    in another network: every case would fail there, and not because of the implementation.
    """
    if not session.remote:
        return {}
    process = f"the agent is process {session.welcome.pid}, and {session.pid} was started"
    taken = dict.fromkeys(_BY_PROCESS, f"{process}: only the started process can be observed")
    try:
        if not capabilities["ipv4"]:
            _check_reachable(session, process)
        if not capabilities["unix"] and _folder_is_elsewhere(session):
            taken["unix"] = f"{process}, and it does not see the suite's temporary folder"
    except AgentError as error:
        raise CannotStart(f"{process}; it is unknown whether it shares this host's network: {error}") from None
    return taken


def _check_reachable(session: Session, process: str) -> None:
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
                f"returned {outcome}. Run the suite on the host of the implementation. If that is this host, let the "
                "agent share its network (`--without lab` for an agent that is not a child of the suite; "
                "--network=host for a container)"
            ) from None
        finally:
            session.end_case()


def _folder_is_elsewhere(session: Session) -> bool:
    with fresh_folder() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = str(folder / "s")
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
