"""Find unclear words: `python -m tests.architecture.words [FILE...]`, a hook of pre-commit.

Without files it reads all tracked files with one of `SUFFIXES`. For each finding it prints `FILE:LINE: word -> what to
write instead`, and it exits with 1 if there is one. Parts of identifiers count (`tell_all`), case does not.

Exempt are text in `backquotes`, which quotes names and fields (`port-skip`); ids of clauses, which never change; and a
line with `words: allow` in a comment, for quotations; such a comment is itself a finding if its line has no such word.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SUFFIXES = {".py", ".lua", ".c", ".md", ".toml", ".ini", ".yml", ".yaml", ".j2"}
#: They have the banned words as data.
EXEMPT = {"tests/architecture/words.py", "tests/architecture/test_words.py"}
ALLOW = "words: allow"

#: Verbs and nouns that show that `port`, before or after them, does not mean a port number.
_DOES = "returns?|raises?|does|did|said|says|sends?|receive[sd]?|opens?|refuse[sd]?|lacks?|wrote|under test"
_OF = "own|socket|sockets|end|process|language|code|fault|getopt|setopt|roles|reach|form|business|descriptors?|listener"
_PORT = "implementation (port alone is a TCP or UDP port number)"

#: A pattern and what to write instead. A space in a pattern also matches a line break.
BANNED: dict[str, str] = {
    r"tell|tells|told|telling": "return, raise, print, report, send; for level may: informational",
    r"(?:no|some|any)bod(?:y|ies)": "no socket, no process; the user, the caller, another program",
    r"comes? to|came to|comes? of|came of|coming of": "returns, results in, result",
    r"what there is|what is there": "name the things",
    r"meanwhile": "during, while; inside the `with` block",
    r"hygiene": "leak check",
    r"im?patien(?:ce|t|tly)": "timeout",
    r"mend(?:s|ed|ing)?": "fix; a text for the user: hint",
    r"chapters?": "module, group",
    r"variet(?:y|ies)": "conforming variant",
    r"proofs?|proves?|proved|proven|proving": "mutation testing, mutants; show, check, verify",
    r"ledger": "coverage table",
    r"steer(?:s|ed|ing)?": "controller, control",
    r"nixio-judging|class Judging|\.judging|judging\.py": "cases",
    r"plays?|played|playing|player": "sequence, run, make a call",
    r"lets? go|let go of": "close, release",
    r"for luck": "without a reason",
    rf"(?:the|a|an|this|each|every|any|no|one) port (?:{_DOES})": _PORT,
    rf"ports?'s? (?:{_OF})": _PORT,
    r"(?:faulty|right|unusual|conforming|python|lua|luajit|c|go|rust) ports?": _PORT,
    r"ports? of (?:ours|one's own|its own)": _PORT,
    r"ports? that (?:are|is) (?:wrong|right|faulty|judged)": _PORT,
    r"judges? (?:a|the|one) port": _PORT,
    r"class \w*Port\b|PortSocket|PortValue": _PORT,
}


class BannedWord(NamedTuple):
    """A banned word at a place."""

    file: str
    line: int
    word: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.word} -> {self.instead}"


def _compile(pattern: str) -> re.Pattern[str]:
    """The pattern, matching only whole words, which includes parts of names in CamelCase (`NoneTold`)."""
    # In a comment, a line break is followed by the comment's mark.
    spaced = pattern.replace(" ", r"(?:[ \t]+|[ \t]*\n[ \t]*(?:#:?[ \t]*)?)")
    return re.compile(rf"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))(?i:{spaced})(?![a-z])")


_PATTERNS = [(_compile(pattern), instead) for pattern, instead in BANNED.items()]
_METHODS = (
    "getsockname|getpeername|bind|connect|listen|accept|sendto|send|write|recvfrom|recv|read|close|shutdown|fileno"
    "|setblocking|setopt|getopt|socket"
)
#: Quoted text, ids of clauses and families of them, and the method of the standard library's files.
_QUOTED = re.compile(rf"`[^`\n]+`|\b(?:{_METHODS})\.[a-z0-9.*-]+|\{{[a-z,]+\}}\.[a-z0-9.*-]+|\.tell\(\)")


def findings(file: str, text: str) -> list[BannedWord]:
    """All findings in a text, in the order of its lines."""
    readable = _QUOTED.sub(lambda match: "`" * len(match[0]), text)
    allowed = {number for number, line in enumerate(readable.split("\n"), 1) if ALLOW in line}
    found = []
    excused = set()
    for pattern, instead in _PATTERNS:
        for match in pattern.finditer(readable):
            line = readable.count("\n", 0, match.start()) + 1
            if line in allowed:
                excused.add(line)
            else:
                found.append(BannedWord(file, line, " ".join(match[0].split()), instead))
    stale = [BannedWord(file, line, ALLOW, "nothing: the line has no banned word") for line in allowed - excused]
    return sorted(found + stale)


def tracked() -> list[str]:
    """The files of the repository, as paths from its root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def check(files: Sequence[str]) -> Iterator[BannedWord]:
    """The findings in these files, except those of other types and exempt ones."""
    for name in files:
        if Path(name).suffix in SUFFIXES and name not in EXEMPT:
            yield from findings(name, (ROOT / name).read_text(encoding="utf-8"))


def main(files: Sequence[str]) -> int:
    """Print the findings. Returns 1 if there is one, else 0."""
    found = list(check(files or tracked()))
    for finding in found:
        print(finding)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
