"""All reports of a run, beside its stream."""

from __future__ import annotations

import json
import os
from pathlib import Path

from .badge import badge_data
from .html import html_page
from .junit import junit_xml
from .stream import Stream


def write_reports(stream: Stream, directory: str | Path) -> dict[str, Path]:
    """Write `report.html`, `junit.xml` and `badge.json` into `directory`, made where it is missing.

    Each is complete or not there: a reader never meets half a file. Returns the paths by `html`, `junit` and `badge`.
    Raises OSError when the directory cannot be written.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    made = {
        "html": (directory / "report.html", html_page(stream).encode()),
        "junit": (directory / "junit.xml", junit_xml(stream)),
        "badge": (directory / "badge.json", json.dumps(badge_data(stream), indent=2).encode() + b"\n"),
    }
    for path, content in made.values():
        _replace(path, content)
    return {name: path for name, (path, _) in made.items()}


def _replace(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step."""
    # The name differs by process and not by chance: a leftover of a killed run is overwritten, not added to.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
