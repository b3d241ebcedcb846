"""The tree has no banned word, and the checker of words finds what it should."""

from __future__ import annotations

import pytest
from tests.architecture import words


@pytest.mark.parametrize(
    "text",
    [
        "What recv() told before.",
        "def _tell_all() -> None: ...",
        "class ToldPort:",
        "class NoneTold:",
        "TOLD = 1",
        "the port's own\ngetopt",
        "#: What came\n    #: of the call.",
        "A faulty port is reported.",
        "the port raises ValueError",
        "class Port:",
    ],
)
def test_a_banned_word_is_found(text: str) -> None:
    assert words.findings("a.py", text)


@pytest.mark.parametrize(
    "text",
    [
        "bind() takes a port number; port 0 chooses one.",
        "the port is out of range, the wrong port, another port",
        "a port of nixio to Rust",
        "file.tell()",
        'REPORTED = "recv.reset.told", "{send,write}.vanished.told", f"{method}.nobody"',
        "the outcome `port-skip` and the request `forget` are fields, so is `told`",
        "intelligence, foretold, recommended, proofread",
    ],
)
def test_plain_words_are_not_found(text: str) -> None:
    assert words.findings("a.py", text) == []


def test_a_finding_says_where_and_what_to_write_instead() -> None:
    (finding,) = words.findings("docs/a.md", "One.\nWhat it proves.\n")
    assert str(finding) == "docs/a.md:2: proves -> mutation testing, mutants; show, check, verify"


def test_a_line_is_allowed_by_a_comment_and_only_where_it_needs_that() -> None:
    assert words.findings("a.py", 'TITLE = "The house"  # told; words: allow') == []
    assert words.findings("a.md", "It says so. <!-- words: allow -->") == [
        words.BannedWord("a.md", 1, "words: allow", "nothing: the line has no banned word")
    ]


def test_a_file_of_another_kind_is_not_read() -> None:
    assert list(words.check(["LICENSE", "tests/architecture/words.py"])) == []


@pytest.mark.slow
def test_the_tree_has_no_banned_word() -> None:
    assert [str(finding) for finding in words.check(words.tracked())] == []
