"""The limits of texts: ordinary values are shown whole, and huge ones with both ends, their size and a hash."""

from __future__ import annotations

import hashlib

import pytest

from nixio_conformance.driver.messages import Foreign
from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.text import LARGE, TEXT, VALUES, cut, show, show_all
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.toolkit.expect import Mismatch

HUGE = LARGE + 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a", "'a'"),
        (b"x" * 48, repr(b"x" * 48)),
        (b"x" * LARGE, f"{b'x' * 32!r}... ({LARGE} bytes)"),
        ("x" * 400, f"'{'x' * 299}... (402 characters)"),
        ((b"abcd", ("127.0.0.1", 80)), "(b'abcd', ('127.0.0.1', 80))"),
        (10**20, "1" + "0" * 20),
        (True, "True"),
    ],
    ids=["text", "data", "much-data", "long-text", "tuple", "number", "bool"],
)
def test_what_checks_send_is_shown_as_ever(value: object, shown: str) -> None:
    assert show(value) == shown


def test_a_long_text_keeps_both_ends_its_length_and_a_hash() -> None:
    text = "a" * 10_000 + "é" + "b" * 10_000
    made = cut(text, 100)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    assert len(made) == 100
    assert made.startswith("aaa")
    assert made.endswith("bbb")
    assert f"... (20001 characters, sha256 {digest}) ..." in made
    assert cut("a" * 100, 100) == "a" * 100
    assert cut("\ud800" * 200, 100).startswith("\ud800"), "a lone surrogate has a hash too"


@pytest.mark.parametrize(
    "value", ["x" * HUGE, b"x" * HUGE, memoryview(b"x" * HUGE)], ids=["text", "data", "memoryview"]
)
def test_a_huge_value_keeps_both_ends_its_length_and_a_hash(value: str | bytes | memoryview) -> None:
    digest = hashlib.sha256(b"x" * HUGE).hexdigest()[:12]
    unit = "characters" if isinstance(value, str) else "bytes"
    assert f"xx'... ({HUGE} {unit}, sha256 {digest}) ..." in show(value)
    assert len(show(value)) < 200


@pytest.mark.parametrize(
    "value",
    [
        10**5000,
        -(10**5000),
        [0] * 100_000,
        ([b"\0" * 70_000],),
        {"x": "y" * 70_000},
        Foreign("n" * 70_000, "r" * 70_000),
    ],
    ids=["digits", "negative", "list", "nested", "dict", "foreign"],
)
def test_any_other_value_is_bounded(value: object) -> None:
    assert len(show(value)) <= TEXT


def test_of_many_values_the_ends_are_shown() -> None:
    assert show_all(range(VALUES)) == ", ".join(map(str, range(VALUES)))
    assert show_all([]) == ""
    many = Returned(tuple(range(100_000)))
    assert str(many).startswith("(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... (100000 values, sha256 ")
    assert str(many).endswith(", 99998, 99999)")
    assert len(str(Returned(("x" * HUGE,) * 3))) <= TEXT
    assert str(many) != str(Returned((*range(50_000), 0, *range(50_001, 100_000)))), "the hash shows the difference"


def test_a_mismatch_is_bounded_and_a_usual_one_as_it_was() -> None:
    usual = Mismatch("recv()", "b'x'", "b'y'")
    assert (str(usual), usual.expected, usual.actual) == ("recv(): expected b'x', got b'y'", "b'x'", "b'y'")
    error = Mismatch("w" * 10**6, "e" * 10**6, "a" * 10**6)
    assert len(error.what) == len(error.expected) == len(error.actual) == TEXT
    assert len(str(error)) <= 2 * TEXT
    assert "(1000000 characters, sha256 " in error.actual


def test_a_step_keeps_what_scripts_need_and_nothing_huge() -> None:
    transcript = Transcript()
    step = transcript.begin("port", "s1", "connect", ("h" * HUGE, 80))
    values = ["h" * HUGE, *range(1_000_000)]
    transcript.end(step, "r" * HUGE, values, ["s2", *[""] * 1_000_000])
    assert len(step.call) < 300
    assert len(step.result) == TEXT
    assert step.values == ("h" * TEXT, 999_999), "the first and the last one: sockets and port numbers"
    assert step.assigns == ("s2", "")
    assert transcript.large
    assert not Transcript().large
