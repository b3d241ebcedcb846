"""Rows are small, whatever an implementation returns; the limits of texts are tested in driver/test_text.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.reports.samples import row
from tests.runs import Runs

from nixio_conformance.driver.text import ROW
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.pytest_plugin.row_size import STEPS_KEPT, fitted, last_steps
from nixio_reports import Row, encode

#: What send() returns in these implementations, and what the message says of it.
HUGE = {
    "values": ("(True, *range(100_000))", "(100001 values, sha256 "),
    "text": ("'é' * 2_500_000", "(2500000 characters, sha256 "),
    "data": ("bytes(2_500_000)", "(2500000 bytes, sha256 "),
    "foreign": ("[bytes(2_500_000)]", "(a list)"),
}
CHECK = """
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Pair
from nixio_conformance.toolkit.marks import clause

@clause("send.data.arrives")
def test_data_arrives(either_pair: Pair) -> None:
    expect.count(either_pair.impl.send(b"abcd"), 4)
"""
IMPLEMENTATION = """
import nixio_reference

VALUES = {values}

class socket:
    def __init__(self, domain, type, protocol=None):
        self.inner = nixio_reference.socket(domain, type, protocol)
        self.kind = f"{{domain}}-{{type}}"

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def send(self, *arguments):
        self.inner.send(*arguments)
        return eval(VALUES.pop())
"""


@pytest.fixture
def big(tmp_path: Path, make_checks: Callable[[str], Path]) -> Runs:
    runs = Runs(tmp_path, make_checks(CHECK))
    values = [value for value, _ in HUGE.values()]
    (tmp_path / "big.py").write_text(IMPLEMENTATION.format(values=[*["4"] * 20, *values[::-1]]))
    return runs


def test_huge_replies_end_in_small_rows(big: Runs) -> None:
    done = big.run("--target", "big:socket", "--select", "send.data.arrives", "-n", "0")
    assert done.code == 1, done.output + done.errors
    failed = [one for one in done.stream.rows if one.outcome == "failed"]
    assert len(failed) >= len(HUGE)
    for one, (_, note) in zip(failed, HUGE.values(), strict=False):
        assert note in one.actual
        assert note in one.steps[-1].result
        assert not one.traceback
    assert max(len(encode(one)) for one in failed) < 16_000


def test_a_usual_row_stays_as_it_is() -> None:
    usual = row(outcome="failed", traceback="Traceback", message="x" * 3000)
    assert fitted(usual) == usual


@pytest.mark.parametrize("letter", ["a", "é", "\N{GRINNING FACE}", "\x01", '"', "\ud800"])
def test_a_row_is_small_in_bytes(letter: str) -> None:
    text = letter * 100_000
    transcript = Transcript()
    for _ in range(200):
        transcript.end(transcript.begin("port", "s1", "send", (text,)), text)
    big = row(
        outcome="failed", message=text, expected=text, actual=text, stderr=text, traceback=text,
        steps=last_steps(transcript.steps), scripts={"python": letter * 16_000, "lua": letter * 16_000},
    )  # fmt: skip
    made = fitted(big)
    assert len(encode(made)) <= ROW
    assert "(100000 characters, sha256 " in made.actual
    assert made.steps
    kept = ("case", "clause", "outcome", "requires", "rerun")
    assert all(getattr(made, name) == getattr(big, name) for name in kept)


def test_the_last_steps_are_kept() -> None:
    transcript = Transcript()
    for number in range(100):
        transcript.end(transcript.begin("port", "s1", "send", (number,)), str(number))
    assert [step.result for step in last_steps(transcript.steps)] == [str(n) for n in range(100 - STEPS_KEPT, 100)]
    for _ in range(10):
        transcript.end(transcript.begin("port", "s1", "send", (b"",)), "x" * 2500)
    assert len(last_steps(transcript.steps)) == 4
    assert isinstance(msgspec.convert(msgspec.to_builtins(row(steps=last_steps(transcript.steps))), Row), Row)
    assert last_steps([]) == ()
