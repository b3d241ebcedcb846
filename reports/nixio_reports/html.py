"""The report as one HTML page that loads nothing else and is readable without its script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from itertools import islice

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from nixio_fixtures import load

from .matrix import MatrixCell
from .order import NO_KIND
from .outcomes import ACTORS, GROUPS, PLEASE_REPORT, Group, label
from .records import Row
from .summary import Summary
from .text import clip, count, duration, visible

#: The number of cases shown with transcript and scripts. The others show expected and actual, and refer to the stream.
DETAILED = 500
#: The longest text, in characters. An implementation may return megabytes; the stream has more of it.
TEXT = 8_000
#: The maximum number of steps of a transcript.
STEPS = 200
#: The groups whose cases are shown with their evidence.
_WITH_EVIDENCE: tuple[Group, ...] = ("error", "failed", "informational", "known")


@dataclass(frozen=True, slots=True)
class CaseView:
    """One row on the page. `detailed`: with transcript, scripts and stderr."""

    row: Row
    anchor: str
    group: Group
    name: str
    parameters: str
    detailed: bool


@dataclass(frozen=True, slots=True)
class ClauseInCell:
    """One clause within a cell: its findings and known deviations, its skipped cases by reason, its passed cases."""

    id: str
    level: str
    source: str
    requires: str
    #: The address of its source, and the decision that it cites; empty if this version has none.
    link: str
    decision: str
    #: The number of faults declared for it as text, and the capabilities that it needs; empty if there are none.
    faults: str
    needs: str
    shown: tuple[CaseView, ...]
    skipped: tuple[tuple[str, tuple[CaseView, ...]], ...]
    passed: tuple[CaseView, ...]


@dataclass(frozen=True, slots=True)
class CellSection:
    """One cell of the matrix, as a section of the details."""

    cell: MatrixCell
    anchor: str
    clauses: tuple[ClauseInCell, ...]

    @property
    def urgent(self) -> bool:
        """Whether it is expanded initially, because a case failed or an error of the suite stopped it."""
        return bool(self.cell.tally.failed or self.cell.tally.error)


def html_page(summary: Summary) -> str:
    """The report as a self-contained page, usable without scripts, colours or a network."""
    return b"".join(html_parts(summary)).decode()


def html_parts(summary: Summary) -> Iterator[bytes]:
    """The page of `html_page` in UTF-8, in parts."""
    parts = _render(summary)
    while part := "".join(islice(parts, 1000)):
        yield part.encode()


def _render(summary: Summary) -> Iterator[str]:
    stream, verdict = summary.stream, summary.verdict
    cases = _cases(summary)
    style, script = _file("report.css"), _file("report.js")
    return template().generate(
        header=stream.header,
        footer=stream.footer,
        problems=stream.problems,
        summary=summary,
        look={"conforming": "passed", "not-conforming": "failed", "no-verdict": "unrun"}[verdict.state],
        matrix=summary.matrix,
        headline=verdict.text.split(": ", 1),
        started=_moment(stream.header.started),
        blocks=_blocks(summary, cases),
        suite_errors=_by_clause(verdict.suite_errors, summary, cases),
        findings=_by_clause(verdict.findings, summary, cases),
        informational=_by_clause(verdict.informational, summary, cases),
        cases=cases,
        style=Markup(style),  # this is a file of the package, not text of the stream
        script=Markup(script),
        policy=f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'; "
        "form-action 'none'",
    )


def _moment(text: str) -> str:
    """An ISO 8601 time in a readable form; any other text unchanged."""
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S %Z").strip()
    except ValueError:
        return text


def _cases(summary: Summary) -> dict[str, CaseView]:
    made: dict[str, CaseView] = {}
    detailed = 0
    for number, row in enumerate(summary.stream.rows, 1):
        group = summary.groups[row.case]
        needs = group in _WITH_EVIDENCE
        detailed += needs
        name = row.case.removeprefix(row.clause) if row.case.startswith(f"{row.clause}[") else row.case
        # The cell shows the kind, and the case's name may already show the value.
        parameters = ", ".join(
            f"{key}={value}" for key, value in row.parameters.items() if value and value not in (row.kind, name)
        )
        full = needs and detailed <= DETAILED
        shown = summary.stream.whole(row) if full else row
        made[row.case] = CaseView(shown, f"case-{number}", group, name, clip(parameters, 200), full)
    return made


def _blocks(summary: Summary, cases: dict[str, CaseView]) -> dict[tuple[str, str], CellSection]:
    """The cells in the order of the page. Anchors are unique, and the same in every run."""
    found, faults = summary.matrix, summary.stream.header.proven  # words: allow
    made: dict[tuple[str, str], CellSection] = {}
    taken: set[str] = set()
    for method in found.methods:
        for kind in found.kinds:
            cell = found.cells.get((method, kind))
            if cell is not None:
                made[method, kind] = CellSection(cell, _anchor(method, kind, taken), _clauses(cell, cases, faults))
    return made


def _anchor(method: str, kind: str, taken: set[str]) -> str:
    start = re.sub(r"[^a-z0-9]+", "-", f"cell-{method}-{'any' if kind == NO_KIND else kind}".lower())
    anchor, number = start, 1
    while anchor in taken:
        number += 1
        anchor = f"{start}--{number}"
    taken.add(anchor)
    return anchor


def _clauses(cell: MatrixCell, cases: dict[str, CaseView], faults: dict[str, int]) -> tuple[ClauseInCell, ...]:
    found: dict[str, list[CaseView]] = {}
    for row in cell.rows:
        found.setdefault(row.clause, []).append(cases[row.case])
    made = [_clause(of, faults.get(clause, 0)) for clause, of in found.items()]
    # Clauses with failures and errors come first; the others keep the order of the run.
    return tuple(sorted(made, key=lambda one: not any(case.group in ("error", "failed") for case in one.shown)))


def _clause(cases: list[CaseView], faults: int) -> ClauseInCell:
    reasons: dict[str, list[CaseView]] = {}
    for case in cases:
        if case.group in ("skipped", "unrun"):
            reason = f"{label(case.row.outcome)}: {case.row.message or 'no reason given'}"
            reasons.setdefault(reason, []).append(case)
    row = cases[0].row
    return ClauseInCell(
        row.clause,
        row.level,
        row.source,
        row.requires,
        link=_link(row.source),
        decision=_decision(row.source),
        faults=f"{count(faults, 'fault')} declared" if faults else "",
        needs=", ".join(_needs().get(row.clause, ())),
        shown=tuple(case for case in cases if case.group in _WITH_EVIDENCE),
        skipped=tuple((reason, tuple(of)) for reason, of in reasons.items()),
        passed=tuple(case for case in cases if case.group == "passed"),
    )


@cache
def _link(source: str) -> str:
    """The web address of a clause's source; empty if the tables of this version have none.

    The text is from the stream, which another version may have written, so it may be anything.
    """
    try:
        address = load().link(source)
    except (KeyError, ValueError):
        return ""
    return address if address.startswith(("https://", "http://")) else ""


@cache
def _decision(source: str) -> str:
    """What this project decided where the norm is silent, in one sentence; empty for other sources."""
    try:
        return load().source(source).decision
    except KeyError:
        return ""


@dataclass(frozen=True, slots=True)
class ListedClause:
    """One clause in a list of findings: its cases with a finding, and the number of all its cases in the run."""

    id: str
    level: str
    requires: str
    cases: tuple[CaseView, ...]
    total: int


@cache
def _needs() -> dict[str, tuple[str, ...]]:
    """The capabilities that each clause needs, from the tables, because rows of a stream do not have them."""
    return {clause.id: clause.needs for clause in load().clauses}


def _by_clause(findings: Iterable[Row], summary: Summary, cases: dict[str, CaseView]) -> tuple[ListedClause, ...]:
    found: dict[str, list[Row]] = {}
    for row in findings:
        found.setdefault(row.clause, []).append(row)
    return tuple(
        ListedClause(
            clause, of[0].level, of[0].requires, tuple(cases[row.case] for row in of), len(summary.clauses[clause].rows)
        )
        for clause, of in found.items()
    )


@cache
def template() -> Template:
    """The page's template, which takes longer to compile than a page of a short run to render."""
    return _environment().get_template("report.html.j2")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("nixio_reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals.update(groups=GROUPS, actors=ACTORS, please_report=PLEASE_REPORT)
    environment.globals.update(text_limit=TEXT, detailed=DETAILED, steps_limit=STEPS)
    environment.filters.update(clip=clip, duration=duration, counted=count, label=label, prose=_prose)
    return environment


def _shown(value: object) -> object:
    """A value for the page: in texts, invisible characters become escapes, before HTML is escaped."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _prose(text: str) -> Markup:
    """A sentence as HTML: code is in backticks, as in Markdown."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(visible(text)))))


@cache
def _file(name: str) -> str:
    return files("nixio_reports").joinpath("templates", name).read_text("utf-8")


def _digest(text: str) -> str:
    """The hash of an inline script or style for the content security policy, so that no other script can run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
