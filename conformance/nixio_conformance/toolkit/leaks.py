"""After each case: the agent closes its sockets, and what is there more than before was left or changed by the port."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from nixio_conformance.driver.session import Session
from nixio_conformance.host import capabilities, observer
from nixio_conformance.netns import hermetic
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.expect import Mismatch


class Leaked(Mismatch):
    """More descriptors or child processes than before the case.

    A port may open a helper socket when it first needs one, but not again and again: only a case that leaks a second
    time on the same agent is wrong. The plugin runs it that second time, so that the verdict depends on no other case.
    """


class NetworkChanged(Mismatch):
    """Links or addresses of the lab are not what they were. The plugin takes a new lab for the cases that follow."""


@contextmanager
def watched(case: Case) -> Iterator[None]:
    """End the case on the agent's side.

    Raises `Leaked` when the port holds something that no handle knows any more, `Mismatch` for files that nobody
    asked for, `NetworkChanged` for a lab that is not as before.
    """
    session = case.session
    before = _belongings(session)
    yield
    session.end_case()
    left = _more(session, before)
    if left and "gc" in session.welcome.capabilities:
        session.collect_garbage()
        left = _more(session, before)
    if left:
        raise Leaked(
            "after the case and a close() of every socket, the port holds",
            "no more than before it",
            f"{len(left)} more: {', '.join(sorted(left))}",
        )
    if files := case.unasked_files():
        raise Mismatch("after the case, its folder has", "only files that a call named", ", ".join(sorted(files)))
    if changes := _changes():
        raise NetworkChanged("after the case, the network of the lab is", "as before it", ", ".join(sorted(changes)))


def _changes() -> set[str]:
    lab = hermetic.entered()
    return lab.watch.changes() if lab else set()


def _more(session: Session, before: set[str]) -> set[str]:
    """What there is now and was not; nothing where it came in the place of something else."""
    now = _belongings(session)
    return now - before if len(now) > len(before) else set()


def _belongings(session: Session) -> set[str]:
    if capabilities.current()["descriptors"] or not session.alive or session.pid == os.getpid():
        return set()
    return observer.belongings(session.pid)
