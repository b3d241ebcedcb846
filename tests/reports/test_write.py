"""The files of a report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.reports.samples import every, row, stream

from nixio_reports import junit_xml, summarize, write_reports


def test_reports_are_written_into_a_new_directory(tmp_path: Path) -> None:
    made = write_reports(summarize(every()), tmp_path / "a" / "b")
    assert {name: path.name for name, path in made.items()} == {
        "html": "report.html",
        "junit": "junit.xml",
        "badge": "badge.json",
    }
    assert made["html"].read_text("utf-8").startswith("<!doctype html>")
    assert made["junit"].read_bytes() == junit_xml(summarize(every()))
    assert json.loads(made["badge"].read_text())["color"] == "red"
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == ["badge.json", "junit.xml", "report.html"]


def test_failed_write_leaves_the_old_report_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = write_reports(summarize(stream(row())), tmp_path)
    before = made["html"].read_bytes()

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_reports(summarize(every()), tmp_path)
    assert made["html"].read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 3
