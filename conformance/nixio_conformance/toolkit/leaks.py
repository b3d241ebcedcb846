"""Leak check: after each case, compare the agent's descriptors, children, files and network with those before it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nixio_conformance.driver.orphan_guard import guard
from nixio_conformance.driver.session import Session
from nixio_conformance.host import capabilities, observer
from nixio_conformance.netns import hermetic
from nixio_conformance.toolkit.case import Case
from nixio_conformance.toolkit.expect import Mismatch, holds


class Leaked(Mismatch):
    """The agent holds more descriptors or child processes than before the case.

    An implementation may open a helper socket when it first needs one, but not again and again: only a case that leaks
    a second time on the same agent fails. The plugin repeats the case at once, so that its verdict does not depend on
    the cases before it.
    """


class NetworkChanged(Mismatch):
    """Links or addresses of the network namespace changed. The plugin makes a new one for the cases that follow."""


@contextmanager
def watched(case: Case) -> Iterator[None]:
    """Run a case, close the implementation's sockets at its end, and check for leaks.

    Raises `Leaked` for descriptors and child processes that are left after all sockets were closed, `Mismatch` for
    files in the case's folder that no call named and for changes of that folder itself, `NetworkChanged` for a network
    that is not as before. Descriptors and children are compared only where the host can show them (capability
    `descriptors`) and the implementation has a process of its own.
    """
    session = case.session
    before = _held(session)
    yield
    session.end_case()
    left = _new(session, before)
    if left and "gc" in session.welcome.capabilities:
        session.collect_garbage()
        left = _new(session, before)
    if left:
        raise Leaked(
            "the implementation's descriptors and children after the case, with all sockets closed",
            "no more than before it",
            f"{len(left)} more: {', '.join(sorted(left))}",
        )
    if change := case.folder_change():
        raise Mismatch("the case's folder afterwards", "the folder as it was made", change)
    if files := case.unexpected_files():
        raise Mismatch(
            "the files in the case's folder afterwards", "only those that a call named", ", ".join(sorted(files))
        )
    if changes := _network_changes():
        raise NetworkChanged("the hermetic network after the case", "no changes", ", ".join(sorted(changes)))


def _network_changes() -> set[str]:
    lab = hermetic.entered()
    return lab.watch.changes() if lab else set()


def _new(session: Session, before: set[str]) -> set[str]:
    """What is held now and was not before; empty if the number did not grow, because one thing may replace another."""
    now = _held(session)
    return now - before if len(now) > len(before) else set()


def _held(session: Session) -> set[str]:
    """Names of the agent's descriptors and child processes, with orphans of these; empty if they cannot be seen."""
    if capabilities.current()["descriptors"] or not session.alive or session.pid == os.getpid():
        return set()
    try:
        return observer.belongings(session.pid) | {f"child process {pid}" for pid in guard().adopted()}
    except observer.Hidden:
        return set()


def leaves_no_descriptors(case: Case, call: Callable[[], object]) -> None:
    """Check that a failing call, repeated, leaves the agent with no more descriptors than before (`descriptors`).

    The first call does not count: an implementation may keep a descriptor that it opens only once.
    """
    call()
    before = case.descriptors()
    for _ in range(8):
        call()
    after = case.descriptors()
    holds(after <= before, "descriptors of the implementation after 8 failing calls", before, after)
