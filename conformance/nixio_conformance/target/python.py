"""How a Python implementation is hosted: the command line of its agent, and the entry points that are installed."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import sys

from nixio_conformance.agents import python


def python_agent(form: str, name: str) -> list[str]:
    """The command line of the Python agent for `name`: an entry point's name or a `module:object`.

    `form` is `entry-point` or `target`.
    """
    # Resolved here, where importlib.metadata is imported anyway: in the agent it would take most of the start.
    if form == "entry-point" and (point := _entry_points().get(name)):
        form, name = "object", point.value
    # -P keeps the agent's own folder out of sys.path; faulthandler prints a traceback to stderr when C code crashes.
    argv = [sys.executable, "-P", "-X", "faulthandler", python.__file__, form, name]
    if form == "target":
        with contextlib.suppress(OSError):  # there is no current folder any more, and nothing to import from it
            argv.append(os.getcwd())
    return argv


def installed_implementations() -> dict[str, str]:
    """Names of the installed entry points of group `nixio.implementations`, each with its distribution and version."""
    return {
        point.name: f"{point.dist.name} {point.dist.version}" if point.dist else "?"
        for point in _entry_points().values()
    }


def _entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    """By name. A package with broken metadata, of whatever group, has none: it must not hide those of the others."""
    found: dict[str, importlib.metadata.EntryPoint] = {}
    for package in importlib.metadata.distributions():
        with contextlib.suppress(Exception):  # any: `importlib.metadata` assumes that the files are right
            points = package.entry_points.select(group=python.GROUP)
            if points and package.name and package.version:
                for point in points:
                    found.setdefault(point.name, point)
    return found
