"""Where a run happens: in the lab or on plain loopback; and what can be shown there.

The process that the user started decides, and its workers follow: each enters a lab of its own.
"""

from __future__ import annotations

import json

import pytest

from nixio_conformance.host import capabilities
from nixio_conformance.netns import hermetic

#: What a worker is told, as JSON: the capabilities, with the reasons for those that are lacking.
_PLACE = "nixio_place"


def settle(config: pytest.Config) -> None:
    """Enter the lab where there is one, and find out what this host can.

    Raises `pytest.UsageError` for a capability that there is none of, and ends the run (exit code 3) where one that is
    required is lacking.
    """
    work = getattr(config, "workerinput", None)
    if work is not None:
        found: dict[str, str] = json.loads(work[_PLACE])
        _enter_lab(found["lab"])
        capabilities.assume(found)
        return
    taken = {name: f"taken away by --without {name}" for name in config.getoption("--nixio-without")}
    required = config.getoption("--nixio-require")
    if unknown := ({*taken, *required} - set(capabilities.names())):
        known = ", ".join(capabilities.names())
        raise pytest.UsageError(f"no capability is called {', '.join(sorted(unknown))}: there are {known}")
    way = hermetic.Entry(taken["lab"]) if "lab" in taken else hermetic.probe_entry()
    if not way.reason:
        hermetic.prepare(way)
    _enter_lab(way.reason)
    capabilities.assume(capabilities.probe() | taken)
    for name in required:
        if reason := capabilities.current()[name]:
            pytest.exit(f"this host lacks {name}, which --require asks for: {reason}", returncode=3)


def tell(worker: object) -> None:
    """xdist: tell a worker what was found."""
    worker.workerinput[_PLACE] = json.dumps(capabilities.current())  # type: ignore[attr-defined]


def _enter_lab(reason: str) -> None:
    if reason:
        hermetic.stay_out(reason)
    else:
        hermetic.enter()
