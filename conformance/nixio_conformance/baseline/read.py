"""Reads a baseline's file strictly: an error names the line and says how to fix it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from nixio_conformance.baseline.blocks import TextBlock, blocks
from nixio_fixtures import Spec
from nixio_reports import FileError, open_file
from nixio_reports.deviations import lines_in_words
from nixio_reports.records import Baseline, Deviation, Known
from nixio_reports.text import count

#: The version of the file format.
FORMAT = 1
_FIELDS = ("format", "port", "deviation")
_OUTCOMES: tuple[Known, ...] = ("failed", "crashed", "timed-out", "passed")
#: Bytes of the largest baseline. One with a row for each case has less than half of it.
_LARGEST = 8 << 20
#: What `tomllib` takes very long for, or gives up on: a key of many parts, numbers of more digits than Python converts.
_PARTS = re.compile(r"(?:^|[{,\[])[ \t]*(?:[\w\"'-]+[ \t]*\.[ \t]*){20}", re.MULTILINE)
_DIGITS = re.compile(r"[\d_]{4000}")
#: Brackets that are open at once.
_DEEPEST = 100


class BaselineError(FileError):
    """A baseline that cannot be used; the text names the file and the line, and says how to fix it."""


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row as it is in the file."""

    clause: str
    reason: str
    kinds: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    outcomes: tuple[Known, ...] = ("failed",)


def load_baseline(path: str | Path, spec: Spec, judged: Iterable[str] = ("must", "should")) -> Baseline:
    """Read the baseline at `path`, and check it against the tables, for a run that judges the levels in `judged`.

    Raises `BaselineError` for a file that cannot be read, is not a baseline, or does not match the tables in `spec`.
    """
    made = parse(str(path), read_text(path))
    _Check(made, spec, tuple(judged)).run()
    return made


def read_text(path: str | Path) -> str:
    """The text of a baseline's file, with `\\n` at the end of each line. Raises `BaselineError`."""
    try:
        with open_file(path) as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise BaselineError(f"{path}: not a baseline: it has more than {_LARGEST >> 20} MiB; name another file")
        return data.decode().replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BaselineError(f"{path}:{line}: the baseline is not UTF-8 text: save it as UTF-8") from None
    except OSError as error:
        raise BaselineError(f"{path} cannot be read: {error.strerror or error}") from None
    except BaselineError:
        raise
    except FileError as error:
        raise BaselineError(str(error)) from None


def parse(path: str, text: str) -> Baseline:
    """Parse the text of a baseline, without checking it against the tables. Raises `BaselineError`.

    A reason may be empty here; `load_baseline` refuses that.
    """
    raw = _toml(path, text)
    _known_fields(path, raw)
    rows = raw.get("deviation", [])
    lines = text.split("\n")
    places = blocks(lines)
    if not (isinstance(rows, list) and len(places) == len(rows) and all(isinstance(row, dict) for row in rows)):
        raise BaselineError(f"{path}: write each deviation as a table that begins with a line `[[deviation]]`")
    made = tuple(_deviation(path, row, place, lines) for row, place in zip(rows, places, strict=True))
    return Baseline(path=path, port=raw.get("port", ""), deviations=made)


def _toml(path: str, text: str) -> dict[str, Any]:
    if found := _PARTS.search(text):
        raise BaselineError(f"{path}:{_line(text, found.end())}: not a baseline: none has a key of so many parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise BaselineError(f"{path}:{line[1] if line else _line(text, len(text))}: not TOML: {error}") from None
    except RecursionError:
        line_ = _line(text, _deep(text))
        raise BaselineError(
            f"{path}:{line_}: not a baseline: more than {_DEEPEST} nested brackets; delete them"
        ) from None
    except ValueError:
        found = _DIGITS.search(text)
        where = f"{path}:{_line(text, found.start())}" if found else path
        raise BaselineError(
            f"{where}: not a baseline: a number or a date that no program can read; delete it"
        ) from None


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _deep(text: str) -> int:
    """The position of the first bracket within too many others; brackets within strings are counted too."""
    depth = 0
    for found in re.finditer(r"[\[{\]}]", text):
        depth += 1 if found[0] in "[{" else -1
        if depth > _DEEPEST:
            return found.start()
    return 0


def _known_fields(path: str, raw: dict[str, Any]) -> None:
    if "format" not in raw:
        raise BaselineError(f"{path}:1: not a baseline: the first line must be `format = {FORMAT}`")
    version = raw["format"]
    if type(version) is not int:
        raise BaselineError(f"{path}: `format` must be a whole number: write `format = {FORMAT}`")
    if version != FORMAT:
        newer = f"{version}" if abs(version) < 1_000_000 else "a large number"
        raise BaselineError(
            f"{path}: `format` is {newer}, but this suite reads {FORMAT}: was it written by a newer one?"
        )
    if not isinstance(raw.get("port", ""), str):
        raise BaselineError(f"{path}: `port` must be a string: the name of the implementation that the baseline is for")
    for field in raw.keys() - set(_FIELDS):
        raise BaselineError(f"{path}: there is no field `{field}`{_suggestion(field, _FIELDS)}")


def _deviation(path: str, row: dict[str, Any], place: TextBlock, lines: list[str]) -> Deviation:
    where = f"{path}:{place.heading + 1}"
    for field in row.keys() - set(_Row.__struct_fields__):
        raise BaselineError(f"{where}: a deviation has no field `{field}`{_suggestion(field, _Row.__struct_fields__)}")
    if "clause" not in row:
        raise BaselineError(f'{where}: a deviation must name its clause: `clause = "send.data.arrives"`')
    if "reason" not in row:
        raise BaselineError(f'{where}: a deviation must have a reason: `reason = "..."`')
    for field in ("kinds", "cases", "outcomes"):
        if row.get(field) == []:
            raise BaselineError(f"{where}: `{field}` is empty: name some, or leave the line out")
    try:
        one = msgspec.convert(row, _Row)
    except msgspec.ValidationError as error:
        said, _, at = str(error).partition(" - at ")
        name = "".join(re.findall(r"^`\$\.(\w+)", at)) or "deviation"
        known = f"; expected {', '.join(_OUTCOMES)}" if name == "outcomes" else ""
        raise BaselineError(f"{where}: `{name}`: {said}{known}") from None
    if set(one.outcomes) == {"passed"}:
        raise BaselineError(f"{where}: `outcomes` has only `passed`: delete the row, or add how else the cases can end")
    return Deviation(
        clause=one.clause,
        kinds=one.kinds,
        cases=one.cases,
        outcomes=one.outcomes,
        reason=one.reason.strip(),
        line=place.first + 1,
        last=place.last + 1,
        lines={name: place.find(lines, name) for name in (one.clause, *one.kinds, *one.cases)}
        | {"reason": place.key(lines, "reason")},
    )


class _Check:
    """Compares a baseline with the tables, and its rows with each other."""

    def __init__(self, baseline: Baseline, spec: Spec, judged: tuple[str, ...]) -> None:
        self._baseline = baseline
        self._clauses = {clause.id: clause for clause in spec.clauses}
        self._kinds = tuple(kind.id for kind in spec.kinds)
        self._groups = {group for kind in spec.kinds for group in kind.groups}
        self._judged = judged

    def run(self) -> None:
        """Raise `BaselineError` for the first error."""
        for one in self._baseline.deviations:
            self._clause(one)
            for kind in one.kinds:
                self._kind(one, kind)
            for case in one.cases:
                if case.partition("[")[0] != one.clause:
                    self._wrong(one, case, f"case {case!r} is not one of clause {one.clause}: give it a row of its own")
        self._twice()
        self._reasons()

    def _wrong(self, one: Deviation, name: str, text: str) -> NoReturn:
        raise BaselineError(f"{self._baseline.path}:{one.lines.get(name, one.line)}: {text}")

    def _clause(self, one: Deviation) -> None:
        clause = self._clauses.get(one.clause)
        gone = f"delete {lines_in_words(one.line, one.last)}"
        if clause is None:
            meant = _suggestion(one.clause, self._clauses)
            self._wrong(one, one.clause, f"there is no clause {one.clause!r}{meant or f'; if it is gone, {gone}'}")
        if clause.level == "may" and "may" not in self._judged:
            self._wrong(one, one.clause, f"{one.clause} has level may, which this run does not judge: {gone}")

    def _kind(self, one: Deviation, kind: str) -> None:
        if kind in self._kinds:
            return
        if kind in self._groups:
            self._wrong(
                one, kind, f"{kind!r} is a group of kinds: name those that deviate, of {', '.join(self._kinds)}"
            )
        self._wrong(one, kind, f"there is no kind {kind!r}; the kinds are {', '.join(self._kinds)}")

    def _twice(self) -> None:
        """Check that no kind or case has two rows. (The cases of a kind are not known yet.)"""
        seen: dict[tuple[str, str], Deviation] = {}
        clauses: dict[str, Deviation] = {}
        for one in self._baseline.deviations:
            other = clauses.setdefault(one.clause, one)
            if other is not one and not (_names(one) and _names(other)):
                self._wrong(
                    one,
                    one.clause,
                    f"{one.clause} has a row in line {other.line} already, and one of them has all cases",
                )
            for name in _names(one):
                other = seen.setdefault((one.clause, name), one)
                if other is not one or _names(one).count(name) > 1:
                    line = other.lines.get(name, other.line)
                    self._wrong(one, name, f"{one.clause} on {name} is already in line {line}: delete one of the two")

    def _reasons(self) -> None:
        blank = [one.lines["reason"] for one in self._baseline.deviations if not one.reason]
        if blank:
            where = f"{self._baseline.path}:{blank[0]}: {count(len(blank), 'reason')} still to be written"
            others = f" (lines {', '.join(map(str, blank))})" if len(blank) > 1 else ""
            raise BaselineError(f"{where}{others}: say why the implementation deviates, or where that is tracked")


def _names(one: Deviation) -> tuple[str, ...]:
    return (*one.kinds, *one.cases)


def _suggestion(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, tuple(known), 1)
    return f"; did you mean `{close[0]}`?" if close else ""
