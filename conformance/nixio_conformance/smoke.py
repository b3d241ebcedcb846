"""`nixio-conformance smoke`: a few calls that show whether an implementation is plugged in right."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import Console
from rich.text import Text

from nixio_conformance import expect
from nixio_conformance.driver.errors import AgentError
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.lab import host
from nixio_conformance.lab.case import Case, workspace
from nixio_conformance.target import Target
from nixio_fixtures import Kind, load


def run(target: Target, console: Console) -> bool:
    """Print one line a step; whether all of them went well. Raises `CannotStart`."""
    session = Session(target.starter)
    fine = True
    with workspace() as folder:
        try:
            session.begin_case(Transcript())
            told = session.welcome
            console.print(Text(f"hello {told.name or target.name} {told.version} ({told.language} on {told.platform})"))
            for kind in load().select_kinds(("cooked",)):
                if reason := host.capabilities()[kind.capability]:
                    console.print(Text(f"skip  {kind.id}: {reason}"))
                    continue
                case = Case(session, folder, kind)
                session.begin_case(case.transcript)
                for title, step in _steps(case, kind):
                    fine &= _try(title, step, console)
                fine &= _try(f"{kind.id}: close all sockets at the end", session.end_case, console)
                case.close()
        finally:
            session.kill()
    return fine


def _steps(case: Case, kind: Kind) -> Iterator[tuple[str, Callable[[], object]]]:
    def exchange() -> None:
        pair = case.pair()
        expect.count(pair.port.send(b"\x00ping\xff", 1, 4), 4)
        expect.holds((got := pair.peer.recv(64)) == b"ping", "what the peer received", b"ping", got)
        pair.peer.send(b"pong")
        expect.data(pair.port.recv(64), b"pong")
        expect.true(pair.port.close(), "close()")

    def refused() -> None:
        expect.refused_argument(case.socket().getopt("nowhere", "nothing"), "getopt() at an unknown level")

    yield f"{kind.id}: connect, send, recv, close", exchange
    yield f"{kind.id}: a bad argument is a failure of its own kind", refused


def _try(title: str, step: Callable[[], object], console: Console) -> bool:
    try:
        step()
    except (expect.Mismatch, AgentError) as error:
        console.print(Text(f"FAIL  {title}\n      {error}"))
        return False
    console.print(Text(f"ok    {title}"))
    return True
