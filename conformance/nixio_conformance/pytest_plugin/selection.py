"""`--select`: which cases a run has. Terms on the same axis are ORed; different axes are ANDed."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from nixio_fixtures import Clause, Kind, Spec

AXES = ("case", "clause", "method", "family", "kind", "level")


class UnknownSelection(ValueError):
    """A term that cannot match anything; the message names what can be selected, or what was probably meant."""


def parse(terms: Sequence[str], spec: Spec) -> dict[str, tuple[str, ...]]:
    """The patterns by axis. A term is `axis=pattern`, or a bare word whose axis is looked up in the tables.

    Raises `UnknownSelection` for a term that cannot match anything.
    """
    chosen: dict[str, list[str]] = {}
    for term in terms:
        axis, separator, pattern = term.partition("=")
        if not separator or axis not in AXES:
            axis, pattern = _axis_of(term, spec), term
        _check(axis, pattern, spec)
        chosen.setdefault(axis, []).append(pattern)
    return {axis: tuple(patterns) for axis, patterns in chosen.items()}


def matches(chosen: dict[str, tuple[str, ...]], case: str, clause: Clause, kind: Kind | None) -> bool:
    """Whether a case is selected: it matches a pattern of every axis that was named."""
    found = {
        "case": case,
        "clause": clause.id,
        "method": clause.method,
        "level": clause.level,
        "kind": kind.id if kind else "",
        "family": kind.domain if kind else "",
    }
    return all(any(_fits(found[axis], pattern, axis) for pattern in patterns) for axis, patterns in chosen.items())


def touches(chosen: dict[str, tuple[str, ...]], clause: Clause) -> bool:
    """Whether any case of a clause may be selected."""
    found = {"clause": clause.id, "method": clause.method, "level": clause.level}
    if not all(any(_fits(found[axis], word, axis) for word in chosen[axis]) for axis in found.keys() & chosen.keys()):
        return False
    return "case" not in chosen or clause.id in {case.partition("[")[0] for case in chosen["case"]}


def _fits(text: str, pattern: str, axis: str) -> bool:
    if axis == "case":  # ids of cases contain brackets, which patterns would interpret
        return text == pattern
    return fnmatchcase(text, pattern) or (axis == "clause" and text.startswith(f"{pattern}."))


def _names(spec: Spec) -> dict[str, tuple[str, ...]]:
    return {
        "method": tuple(method.name for method in spec.methods),
        "family": tuple(dict.fromkeys(kind.domain for kind in spec.kinds)),
        "kind": tuple(kind.id for kind in spec.kinds),
        "level": ("must", "should", "may"),
        "clause": tuple(clause.id for clause in spec.clauses),
    }


def _axis_of(word: str, spec: Spec) -> str:
    if word.endswith("]"):
        return "case"
    for axis, names in _names(spec).items():
        if any(_fits(name, word, axis) for name in names):
            return axis
    close = get_close_matches(word, [name for names in _names(spec).values() for name in names], 3)
    raise UnknownSelection(
        f"--select {word!r} matches nothing: it is not a clause, method, family, kind or level"
        + (f"; did you mean {' or '.join(close)}?" if close else "; `nixio-conformance spec` lists the clauses")
    )


def _check(axis: str, pattern: str, spec: Spec) -> None:
    if axis == "case":
        names: tuple[str, ...] = _names(spec)["clause"]
        if pattern.partition("[")[0] in names:
            return
        raise UnknownSelection(f"--select case={pattern!r} matches nothing: it does not begin with a clause's id")
    names = _names(spec)[axis]
    if not any(_fits(name, pattern, axis) for name in names):
        known = f"; expected one of {', '.join(names)}" if len(names) < 25 else ""
        raise UnknownSelection(f"--select {axis}={pattern!r} matches nothing{known}")
