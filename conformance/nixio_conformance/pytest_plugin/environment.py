"""Enters the hermetic network, or stays on the host's network, and probes the capabilities there."""

from __future__ import annotations

import pytest

from nixio_conformance.host import capabilities
from nixio_conformance.netns import hermetic, namespaces
from nixio_conformance.pytest_plugin.options import RunOptions
from nixio_conformance.pytest_plugin.workers import WorkerSetup


def set_up(options: RunOptions) -> None:
    """In the controller: enter the hermetic network if this host allows it, and probe the capabilities there.

    Raises `pytest.UsageError` for a capability that does not exist; exits with code 3 if a required one is lacking.
    """
    excluded = {name: f"excluded by --without {name}" for name in options.without}
    if unknown := ({*excluded, *options.require} - set(capabilities.names())):
        known = ", ".join(capabilities.names())
        raise pytest.UsageError(f"no capability is called {', '.join(sorted(unknown))}; the capabilities are {known}")
    enter(excluded)
    for name in options.require:
        if reason := capabilities.current()[name]:
            pytest.exit(f"this host lacks {name}, which --require demands: {reason}", returncode=3)


def enter(excluded: dict[str, str]) -> None:
    """Enter the hermetic network if this host allows it, and probe the capabilities there.

    `excluded` are capabilities that count as lacking, each with the reason.
    """
    entry = hermetic.Entry(excluded["lab"]) if "lab" in excluded else hermetic.probe_entry()
    try:
        if not entry.reason:
            hermetic.prepare(entry)
        namespaces.isolate()
        _enter(entry.reason)
    except OSError as error:  # what the probe could do a moment ago; this process is in half of it
        advice = "run again, or with --without lab in this host's own network"
        pytest.exit(f"the hermetic network cannot be entered: {error}; {advice}", returncode=3)
    capabilities.assume(capabilities.probe() | excluded)


def follow(setup: WorkerSetup) -> None:
    """In a worker: enter a hermetic network of its own if the controller did, and take over its capabilities."""
    namespaces.isolate(shared_memory=False)  # it is in the controller's mounts
    _enter(setup.capabilities["lab"])
    capabilities.assume(setup.capabilities)


def _enter(reason_not_to: str) -> None:
    if reason_not_to:
        hermetic.stay_out(reason_not_to)
    else:
        hermetic.enter()
