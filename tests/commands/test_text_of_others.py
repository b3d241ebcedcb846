"""Text of an implementation acts neither in a terminal, nor in a log of a CI server, nor in a report."""

from __future__ import annotations

import re
import sys
import unicodedata
from pathlib import Path

import pytest
from tests.runs import Finished, Runs

ATTACK = r"""
ATTACK = (
    "\x1b]0;title\x07\x1b[2J\r\n::error file=x,line=1::text\n ::set-output name=x::y\n##[error]text\n"
    "##vso[task.complete result=Failed]\n##teamcity[buildStop]\n<script>alert(1)</script>\u202e\u200b"
)

class speaking(Wrapped):
    name = version = ATTACK
    def send(self, *arguments):
        print(ATTACK, file=sys.stderr, flush=True)
        raise ValueError(ATTACK)
    def getsockname(self):
        return ATTACK, 1
"""
COMMANDS = re.compile(r"::(error|set-output)|##(\[|vso\[|teamcity\[)", re.IGNORECASE)


@pytest.fixture
def speaking(runs: Runs) -> Runs:
    with (runs.folder / "impls.py").open("a") as file:
        file.write(ATTACK)
    return runs


def acting(text: str) -> list[str]:
    """What would act: control characters and others that have no width, and commands of CI servers."""
    characters = [one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Cs") and one not in "\n\t"]
    return [*characters, *(found[0] for found in COMMANDS.finditer(text))]


def test_of_a_run(speaking: Runs) -> None:
    done = speaking.run("--target", "impls:speaking", "--select", "send")
    assert done.code == 1
    assert "\\x1b]0;title" in done.output
    assert acting(done.output + done.errors) == []
    for name in ("report.html", "junit.xml", "badge.json"):
        assert acting(text := read(done.report / name)) == [], name
        assert "<script>alert" not in text


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("smoke", "--target", "impls:speaking"), id="smoke"),
        pytest.param(("run", "--target", "impls:ATTACK", "--without=lab"), id="not-started"),
        pytest.param(("agent-check", "--target", "impls:speaking", "--select=hello"), id="agent-check"),
    ],
)
def test_of_other_commands(speaking: Runs, words: tuple[str, ...]) -> None:
    done: Finished = speaking.execute([sys.executable, "-m", "nixio_conformance", *words])
    assert "\\x1b]0;title" in done.output + done.errors
    assert acting(done.output + done.errors) == []


@pytest.mark.slow
def test_of_plain_pytest(speaking: Runs) -> None:
    words = ["--nixio-target", "impls:speaking", "--nixio-select=send", "--nixio-without=lab", str(speaking.checks)]
    done = speaking.execute([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words], PYTHONPATH=".")
    assert done.code == 1
    assert "\\x1b]0;title" in done.output
    assert acting(done.output + done.errors) == []
