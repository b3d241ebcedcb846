"""How a Python implementation is hosted: the command line of its agent, and the entry points that are installed."""

from __future__ import annotations

import importlib.metadata
import os
import sys

from nixio_conformance.agents import python


def python_agent(form: str, name: str) -> list[str]:
    """The command line of the Python agent for `name`: an entry point's name or a `module:object`.

    `form` is `entry-point` or `target`.
    """
    # Resolved here, where importlib.metadata is imported anyway: in the agent it would take most of the start.
    if form == "entry-point" and (points := importlib.metadata.entry_points(group=python.GROUP, name=name)):
        form, name = "object", next(iter(points)).value
    # -P keeps the agent's own folder out of sys.path; faulthandler prints a traceback to stderr when C code crashes.
    argv = [sys.executable, "-P", "-X", "faulthandler", python.__file__, form, name]
    return [*argv, os.getcwd()] if form == "target" else argv


def installed_implementations() -> dict[str, str]:
    """Names of the installed entry points of group `nixio.implementations`, each with its distribution and version."""
    return {
        point.name: f"{point.dist.name} {point.dist.version}" if point.dist else "?"
        for point in importlib.metadata.entry_points(group=python.GROUP)
    }
