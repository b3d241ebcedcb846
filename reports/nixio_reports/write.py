"""Writes the report files of a run: HTML, JUnit and badge."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from .badge import badge_data
from .html import html_parts
from .junit import junit_parts
from .lock import is_running, remove_free
from .summary import Summary

#: The name of a file that is being written; the number is the id of the process.
_DRAFT = re.compile(r"\.(?:report\.html|junit\.xml|badge\.json)\.([0-9]{1,9})")


def write_reports(summary: Summary, directory: str | Path) -> dict[str, Path]:
    """Write `report.html`, `junit.xml` and `badge.json` into `directory`, which is created if it is missing.

    Each file is replaced in one step, so that no reader sees half of it. Returns the paths by `html`, `junit` and
    `badge`. Raises OSError, with the path, when a file cannot be written, after it has written the others.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    remove_drafts(directory)
    made = {
        "html": (directory / "report.html", html_parts(summary)),
        "junit": (directory / "junit.xml", junit_parts(summary)),
        "badge": (directory / "badge.json", [json.dumps(badge_data(summary), indent=2).encode() + b"\n"]),
    }
    failed = None
    for path, content in made.values():
        try:
            _replace(path, content)
        except OSError as error:
            failed = failed or OSError(error.errno, error.strerror or str(error), str(path))
    if failed is not None:
        raise failed
    return {name: path for name, (path, _) in made.items()}


def remove_drafts(directory: str | Path) -> None:
    """Remove the halves of report files that killed processes have left in a folder, and the lock of its stream."""
    directory = Path(directory)
    for draft in directory.glob(".*.*") if sys.platform != "win32" else ():
        named = _DRAFT.fullmatch(draft.name)
        if named and not is_running(int(named[1])):
            with contextlib.suppress(OSError):
                draft.unlink()
    remove_free(directory / "results.jsonl")


def _replace(path: Path, content: Iterable[bytes]) -> None:
    """Put `content` at `path` in one step."""
    # The process id, not random text: it shows whose draft it is.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            file.writelines(content)
        draft.replace(path)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
