"""The capabilities of this host: those of the table, each with a reason if the host lacks it.

They are module-level state, because they are the same for all cases of a process: `assume` sets them once at the start
of a run (a worker receives them from the controller), and everything else reads `current`.
"""

from __future__ import annotations

from nixio_conformance.host import probes
from nixio_fixtures import load

#: Filled by `assume`; empty until then.
_known: dict[str, str] = {}


def current() -> dict[str, str]:
    """Each capability of the table, and why this host lacks it; the text is empty if it has it.

    Runs the probes if `assume` was not called before.
    """
    if not _known:
        assume(probe())
    return _known


def names() -> tuple[str, ...]:
    """The names of all capabilities, in the table's order."""
    return tuple(row.id for row in load().capabilities)


def probe() -> dict[str, str]:
    """Run all probes now; the result is as `current` returns it. It differs inside and outside the hermetic network."""
    return {name: probes.reason(name) for name in names()}


def assume(found: dict[str, str]) -> None:
    """Set the capabilities: as probed, as received from the controller, or as overridden by `--without`."""
    _known.clear()
    _known.update(found)
