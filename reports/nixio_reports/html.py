"""A stream as one HTML page that needs nothing else: no network, no script to be read."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from nixio_fixtures import load

from .deviations import deviations, reasons, stale
from .outcomes import GROUPS, Group, group, word
from .records import Row
from .stream import Stream
from .summary import NO_KIND, Cell, Matrix, matrix, median_ms, skips, slowest, verdict
from .text import clip, count, duration, visible

#: Cases shown with transcript and scripts; the others tell expected and actual, and where the rest is.
DETAILED = 500
#: Characters of one text. A port may answer with megabytes; the stream has them all.
TEXT = 8_000
STEPS = 200


@dataclass(frozen=True, slots=True)
class Case:
    """One row as the page shows it. `detailed`: with transcript, scripts and stderr."""

    row: Row
    anchor: str
    group: Group
    name: str
    parameters: str
    detailed: bool


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause within a cell: what needs the reader's eye, what was skipped by reason, and what passed."""

    id: str
    level: str
    source: str
    requires: str
    #: How many faulty ports it is known to report, and what a host must have for it; empty where nobody knows.
    proven: str
    needs: str
    shown: tuple[Case, ...]
    skipped: tuple[tuple[str, tuple[Case, ...]], ...]
    passed: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One cell of the matrix with its details."""

    cell: Cell
    anchor: str
    clauses: tuple[Clause, ...]

    @property
    def urgent(self) -> bool:
        """Open from the start: something in it failed."""
        return bool(self.cell.tally.failed)


def html_page(stream: Stream) -> str:
    """The report of `stream` as a self-contained page, usable without scripts, colours, or a network."""
    judged = stream.header.judged
    found = matrix(stream.rows, judged)
    made = verdict(stream)
    cases = _cases(stream)
    proven = stream.header.proven
    style, script = _file("report.css"), _file("report.js")
    template = _environment().get_template("report.html.j2")
    return template.render(
        header=stream.header,
        footer=stream.footer,
        problems=stream.problems,
        verdict=made,
        look={"conforming": "passed", "not-conforming": "failed", "no-verdict": "unrun"}[made.state],
        matrix=found,
        headline=made.words.split(": ", 1),
        started=_moment(stream.header.started),
        blocks=_blocks(found, cases, proven),
        findings=_by_clause(made.findings, stream.rows, cases),
        deviations=deviations(stream),
        stale=stale(deviations(stream)),
        reasons=reasons(stream),
        told=_by_clause(made.told, stream.rows, cases),
        skips=skips(stream.rows),
        slowest=slowest(stream.rows),
        median=duration(median_ms(stream.rows) / 1000),
        cases=cases,
        style=Markup(style),  # ours, not the port's
        script=Markup(script),
        policy=f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'; "
        "form-action 'none'",
    )


def _moment(text: str) -> str:
    """A time as people write it; what is no time stays as it is."""
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S %Z").strip()
    except ValueError:
        return text


def _cases(stream: Stream) -> dict[str, Case]:
    made: dict[str, Case] = {}
    detailed = 0
    for number, row in enumerate(stream.rows, 1):
        of = group(row, stream.header.judged)
        needs = of in ("failed", "told", "known")
        detailed += needs
        name = row.case.removeprefix(row.clause) if row.case.startswith(f"{row.clause}[") else row.case
        # The kind is the cell's, and what the name says need not be said again.
        parameters = ", ".join(
            f"{key}={value}" for key, value in row.parameters.items() if value and value not in (row.kind, name)
        )
        made[row.case] = Case(row, f"case-{number}", of, name, clip(parameters, 200), needs and detailed <= DETAILED)
    return made


def _blocks(found: Matrix, cases: dict[str, Case], proven: dict[str, int]) -> dict[tuple[str, str], Block]:
    """Cells in the order of the page, with anchors that stay the same from run to run and are unique."""
    made: dict[tuple[str, str], Block] = {}
    taken: set[str] = set()
    for method in found.methods:
        for kind in found.kinds:
            cell = found.cells.get((method, kind))
            if cell is not None:
                made[method, kind] = Block(cell, _anchor(method, kind, taken), _clauses(cell, cases, proven))
    return made


def _anchor(method: str, kind: str, taken: set[str]) -> str:
    start = re.sub(r"[^a-z0-9]+", "-", f"cell-{method}-{'any' if kind == NO_KIND else kind}".lower())
    anchor, number = start, 1
    while anchor in taken:
        number += 1
        anchor = f"{start}--{number}"
    taken.add(anchor)
    return anchor


def _clauses(cell: Cell, cases: dict[str, Case], proven: dict[str, int]) -> tuple[Clause, ...]:
    found: dict[str, list[Case]] = {}
    for row in cell.rows:
        found.setdefault(row.clause, []).append(cases[row.case])
    made = []
    for clause, of in found.items():
        reasons: dict[str, list[Case]] = {}
        for case in of:
            if case.group in ("skipped", "unrun"):
                reason = f"{word(case.row.outcome)}: {case.row.message or 'no reason given'}"
                reasons.setdefault(reason, []).append(case)
        first = of[0].row
        made.append(
            Clause(
                clause,
                first.level,
                first.source,
                first.requires,
                count(proven[clause], "fault") if clause in proven else "",
                ", ".join(_needs().get(clause, ())),
                shown=tuple(case for case in of if case.group in ("failed", "told", "known")),
                skipped=tuple((reason, tuple(which)) for reason, which in reasons.items()),
                passed=tuple(case for case in of if case.group == "passed"),
            )
        )
    # Clauses with something to see come first; the others keep the run's order.
    return tuple(sorted(made, key=lambda one: not any(case.group == "failed" for case in one.shown)))


@dataclass(frozen=True, slots=True)
class Finding:
    """One clause of the list of findings: how many of its cases, and the first of them."""

    id: str
    level: str
    requires: str
    cases: tuple[Case, ...]
    total: int


@cache
def _needs() -> dict[str, tuple[str, ...]]:
    return {clause.id: clause.needs for clause in load().clauses}


def _by_clause(findings: Iterable[Row], rows: Iterable[Row], cases: dict[str, Case]) -> tuple[Finding, ...]:
    total: dict[str, int] = {}
    for row in rows:
        total[row.clause] = total.get(row.clause, 0) + 1
    found: dict[str, list[Row]] = {}
    for row in findings:
        found.setdefault(row.clause, []).append(row)
    return tuple(
        Finding(clause, of[0].level, of[0].requires, tuple(cases[row.case] for row in of), total[clause])
        for clause, of in found.items()
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("nixio_reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals.update(groups=GROUPS, text_limit=TEXT, steps_limit=STEPS)
    environment.filters.update(clip=clip, duration=duration, counted=count, word=word, prose=_prose)
    return environment


def _shown(value: object) -> object:
    """Every value on its way into the page, before it is escaped."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _prose(text: str) -> Markup:
    """Our sentences mark code with backticks, as Markdown does."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(visible(text)))))


@cache
def _file(name: str) -> str:
    return files("nixio_reports").joinpath("templates", name).read_text("utf-8")


def _digest(text: str) -> str:
    """How a content security policy names an inline script or style: even a hole in the escaping runs nothing."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
