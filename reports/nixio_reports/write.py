"""Writes the report files of a run: HTML, JUnit and badge."""

from __future__ import annotations

import json
import os
from pathlib import Path

from .badge import badge_data
from .html import html_page
from .junit import junit_xml
from .summary import Summary


def write_reports(summary: Summary, directory: str | Path) -> dict[str, Path]:
    """Write `report.html`, `junit.xml` and `badge.json` into `directory`, which is created if it is missing.

    Each file is replaced in one step, so that no reader sees half of it. Returns the paths by `html`, `junit` and
    `badge`. Raises OSError when the directory cannot be written.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    made = {
        "html": (directory / "report.html", html_page(summary).encode()),
        "junit": (directory / "junit.xml", junit_xml(summary)),
        "badge": (directory / "badge.json", json.dumps(badge_data(summary), indent=2).encode() + b"\n"),
    }
    for path, content in made.values():
        _replace(path, content)
    return {name: path for name, (path, _) in made.items()}


def _replace(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step."""
    # The process id, not random text: the draft of a killed run is overwritten when the id is reused.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
