"""The files that the documents name exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.architecture.words import ROOT, tracked

#: The changelog also names files that were removed.
EXEMPT = {"CHANGELOG.md"}
DOCUMENTS = [name for name in tracked() if name.endswith(".md") and name not in EXEMPT]
#: The folders that a path in a document may be relative to: the root, or the suite's package.
ROOTS = (ROOT, ROOT / "conformance" / "nixio_conformance")


def links(text: str) -> Iterator[str]:
    """The relative links of a document, without their anchors."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target and not target.startswith("#"):
            yield target.partition("#")[0]


def paths(text: str) -> Iterator[str]:
    """The paths of source files and documents in backquotes, such as `driver/process.py`."""
    yield from re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|lua|c|toml|md))`", text)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    document = ROOT / name
    assert [link for link in links(document.read_text()) if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_paths_exist(name: str) -> None:
    document = ROOT / name
    roots = (*ROOTS, document.parent)
    missing = [path for path in paths(document.read_text()) if not any((root / path).exists() for root in roots)]
    assert missing == []
