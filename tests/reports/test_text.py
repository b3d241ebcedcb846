"""Text of others commands neither a terminal nor a CI server."""

from __future__ import annotations

import pytest

from nixio_reports.text import duration, one_line, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error file=a.py,line=1::text", "\\x3a:error file=a.py,line=1::text"),
        ("wrapped anywhere ::set-output name=x::y", "wrapped anywhere \\x3a:set-output name=x::y"),
        ("::ADD-MASK::secret", "\\x3a:ADD-MASK::secret"),
        (":::warning::x", ":\\x3a:warning::x"),
        ("##[error]x", "\\x23#[error]x"),
        ("x ##vso[task.complete result=Failed]", "x \\x23#vso[task.complete result=Failed]"),
        ("##teamcity[buildStop]", "\\x23#teamcity[buildStop]"),
        ("###[group]", "#\\x23#[group]"),
        ("\x1b]0;title\x07\r\b", "\\x1b]0;title\\x07\\x0d\\x08"),
        ("a\u200bb\u202ec\ufeffd\U000e0041\u00ad", "a\\u200bb\\u202ec\\ufeffd\\U000e0041\\xad"),
    ],
)
def test_what_would_act_is_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert one_line(f"\n{text}") == shown


@pytest.mark.parametrize(
    "text", ["::1", "::ffff:127.0.0.1", "fe80::add:1", "std::io::Result", "a # b ## c", "é ✓ 日本"]
)
def test_what_does_not_act_is_unchanged(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize("number", [1.7e308, float("inf"), float("nan"), -1.0])
def test_a_number_that_is_no_duration_is_shown(number: float) -> None:
    assert duration(number) == f"{number:g} s"
