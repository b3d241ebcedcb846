"""Hatch's build hook: writes how many faults each clause is declared to report into the package.

The catalogue is not in the wheel, but the HTML report shows the numbers (`pytest_plugin/faults.py` reads the file). Run
for wheels and editable installs, from a checkout and from an sdist alike. The project is not installed where this runs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DECLARED = "conformance/nixio_conformance/pytest_plugin/declared_faults.json"


class DeclaredFaults(BuildHookInterface[Any]):
    """Writes `DECLARED` before the files of a wheel are collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        # From the tree that is being built, not from an installed version.
        sys.path[:0] = [str(root), *(str(root / folder) for folder in ("fixtures", "conformance"))]
        from tests.mutants.catalogue import catalogue

        counts = catalogue().declared()
        (root / DECLARED).write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
        # Git ignores the file, and so would the build.
        build_data["artifacts"].append(f"/{DECLARED}")
