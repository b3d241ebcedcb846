"""Writes a baseline: a new one, or an old one updated with its order, reasons and comments kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nixio_conformance.baseline.blocks import blocks, keys, quoted
from nixio_conformance.baseline.collect import Draft, collect
from nixio_conformance.baseline.read import FORMAT, parse
from nixio_fixtures import Spec
from nixio_reports.deviations import lines_in_words
from nixio_reports.records import Baseline
from nixio_reports.stream import Stream


@dataclass(frozen=True, slots=True)
class Written:
    """The text, and what to report about it: the lines of empty reasons, and the rows that were dropped."""

    text: str
    rows: int
    blank: tuple[int, ...]
    dropped: tuple[str, ...]


def make_baseline(stream: Stream, spec: Spec, *, path: str = "", text: str | None = None, reason: str = "") -> Written:
    """The baseline for the run in `stream`; `text` is an old baseline to update, from the file at `path`.

    New rows get `reason`; a run refuses a baseline with an empty reason. Raises `BaselineError` if `text` is not a
    baseline.
    """
    old = parse(path, text) if text is not None else None
    order = {kind.id: number for number, kind in enumerate(spec.kinds)}
    made = _ordered(collect(stream, old))
    whole = _Layout(old, text or "").fill(made, order, reason) if old else _new(stream, made, order, reason)
    again = parse(path, whole)
    kept = {one.old.line for one in made if one.old}
    return Written(
        text=whole,
        rows=len(made),
        blank=tuple(one.lines["reason"] for one in again.deviations if not one.reason),
        dropped=tuple(
            f"{one.clause} ({lines_in_words(one.line, one.last)})"
            for one in (old.deviations if old else ())
            if one.line not in kept
        ),
    )


def _ordered(made: Iterable[Draft]) -> list[Draft]:
    """Old rows keep their order; a new row is put before the first one whose clause follows in alphabetical order."""
    made = tuple(made)
    rows = sorted((one for one in made if one.old), key=lambda one: one.old.line if one.old else 0)
    for new in sorted((one for one in made if not one.old), key=lambda one: (one.clause, one.outcomes)):
        place = next((number for number, one in enumerate(rows) if one.clause > new.clause), len(rows))
        rows.insert(place, new)
    return rows


def _new(stream: Stream, made: list[Draft], order: Mapping[str, int], reason: str) -> str:
    head = [f"format = {FORMAT}", f"port = {quoted(stream.header.implementation.name)}"]
    return _paragraphs([head, *(_rendered(one, order, reason) for one in made)])


class _Layout:
    """The text of an old file in parts: the lines before the rows, of each row, and between rows."""

    def __init__(self, old: Baseline, text: str) -> None:
        lines = text.removeprefix("\ufeff").split("\n")
        places = blocks(lines)
        self._rows = {
            one.line: lines[place.first : place.last + 1] for one, place in zip(old.deviations, places, strict=True)
        }
        starts = [0, *(place.last + 1 for place in places)]
        ends = [*(place.first for place in places), len(lines)]
        self._head, *self._between = [lines[start:end] for start, end in zip(starts, ends, strict=True)]

    def fill(self, made: list[Draft], order: Mapping[str, int], reason: str) -> str:
        """The text with these rows instead of the old ones."""
        kept = {one.old.line for one in made if one.old}
        before: dict[int, list[str]] = {}
        # Lines between two rows, such as a heading, are kept before the next remaining row.
        loose: list[str] = []
        for line, above in zip(self._rows, [[], *self._between], strict=False):
            loose += above
            if line in kept:
                before[line], loose = loose, []
        loose += self._between[-1] if self._between else []
        parts = [self._head]
        for one in made:
            line = one.old.line if one.old else 0
            parts.append(before.get(line, []))
            block = self._rows.get(line, [])
            parts.append(
                block if one.unchanged else _updated(one, order, block) if block else _rendered(one, order, reason)
            )
        return _paragraphs([*parts, loose])


def _paragraphs(parts: Iterable[list[str]]) -> str:
    shown = ["\n".join(part).strip("\n") for part in parts]
    return "\n\n".join(one for one in shown if one.strip()) + "\n"


def _rendered(one: Draft, order: Mapping[str, int], reason: str) -> list[str]:
    """The lines of a new row."""
    made = ["[[deviation]]", f"# {one.seen}", f"clause = {quoted(one.clause)}"]
    made += _kinds(one, order) + _cases(one, [])
    if one.outcomes != ("failed",):
        made.append(f"outcomes = [{', '.join(map(quoted, one.outcomes))}]")
    return [*made, f"reason = {quoted(reason)}"]


def _updated(one: Draft, order: Mapping[str, int], block: list[str]) -> list[str]:
    """The lines of an old row with its kinds and cases updated and everything else unchanged."""
    parts = keys(block)
    if one.old and set(one.old.kinds) != one.kinds:
        parts["kinds"] = _kinds(one, order)
    if one.old and set(one.old.cases) != one.cases:
        parts["cases"] = _cases(one, parts.get("cases", []))
    # A key that the row did not have gets the position that it has in a new row; the others keep their order.
    there = list(keys(block))
    for key, above in (("kinds", "clause"), ("cases", "kinds" if "kinds" in parts else "clause")):
        if key in parts and key not in there:
            there.insert(there.index(above) + 1, key)
    return [line for key in there for line in parts[key]]


def _kinds(one: Draft, order: Mapping[str, int]) -> list[str]:
    kinds = sorted(one.kinds, key=lambda kind: (order.get(kind, len(order)), kind))
    return [f"kinds = [{', '.join(map(quoted, kinds))}]"] if kinds else []


def _cases(one: Draft, before: list[str]) -> list[str]:
    """The key `cases` with one case a line, so that a change is one line of a diff."""
    if not one.cases:
        return []
    # The old line is kept because it may have a comment.
    old = {case: line for case in one.cases for line in before if line.strip().startswith(f"{quoted(case)},")}
    return ["cases = [", *(old.get(case, f"    {quoted(case)},") for case in sorted(one.cases)), "]"]
