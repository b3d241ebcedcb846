"""JUnit XML in the form that Jenkins, GitLab and GitHub Actions read.

It is written piece by piece: a tree of a run with many failures would take gigabytes. The indentation and the order of
attributes are those of `xml.etree`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .outcomes import ACTORS, PLEASE_REPORT, Group, label
from .records import Row
from .summary import Summary
from .text import clip, one_line, visible

#: The longest text, in characters: servers refuse files that are too large.
_LIMIT = 20_000


def junit_xml(summary: Summary) -> bytes:
    """An XML document in UTF-8 with a suite for each method; `classname` is the clause and `name` is the case.

    Cases that are informational, known to the baseline or not run count as skipped, with the reason. A run without a
    verdict gets a suite `stream` with an error for each problem, so that it does not look like a successful run.
    """
    return b"".join(junit_parts(summary))


def junit_parts(summary: Summary) -> Iterator[bytes]:
    """The document of `junit_xml` in parts."""
    suites = _suites(summary)
    total = _counts([row for suite in suites for row in suite.rows], summary)
    total.tests += sum(len(suite.problems) for suite in suites)
    total.tags["error"] += sum(len(suite.problems) for suite in suites)
    name = {"name": "nixio-conformance"}
    yield b"<?xml version='1.0' encoding='utf-8'?>\n"
    if not suites:
        yield _empty(0, "testsuites", name | total.attributes()).encode()
        return
    yield _start(0, "testsuites", name | total.attributes()).encode() + b"\n"
    for suite in suites:
        yield from (f"{line}\n".encode() for line in _lines(suite, summary))
    yield b"</testsuites>"


@dataclass(slots=True)
class _Counts:
    """What servers expect as attributes of a suite and of the document."""

    tests: int = 0
    seconds: float = 0.0
    tags: Counter[str] = field(default_factory=Counter)

    def attributes(self) -> dict[str, str]:
        found = {"tests": str(self.tests)}
        found |= {name: str(self.tags[tag]) for name, tag in _TAGS.items()}
        return found | {"time": f"{self.seconds:.6f}"}


_TAGS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


@dataclass(slots=True)
class _Suite:
    """One suite: the rows of a method, or the problems of the stream."""

    attributes: dict[str, str]
    rows: list[Row] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    counts: _Counts = field(default_factory=_Counts)


def _suites(summary: Summary) -> list[_Suite]:
    stream = summary.stream
    timestamp = _fit(stream.header.started)
    made = {name: _Suite({"name": _fit(name), "timestamp": timestamp}) for name in summary.matrix.methods}
    for row in stream.rows:
        made[row.method].rows.append(row)
    suites = list(made.values())
    for suite in suites:
        suite.counts = _counts(suite.rows, summary)
    if summary.verdict.state == "no-verdict" or stream.problems:
        wrong = [(f"{one.path}:{one.line}", f"{one.what}; {one.hint}") for one in stream.problems]
        problems = wrong or [("verdict", summary.verdict.text)]
        counts = _Counts(len(problems), 0.0, Counter(error=len(problems)))
        suites.append(_Suite({"name": "stream"}, problems=problems, counts=counts))
    return suites


def _counts(rows: list[Row], summary: Summary) -> _Counts:
    tags = Counter(_tag(row, summary.groups[row.case]) for row in rows)
    return _Counts(len(rows), sum(float(_seconds(row)) for row in rows), tags)


def _lines(suite: _Suite, summary: Summary) -> Iterator[str]:
    yield _start(1, "testsuite", suite.attributes | suite.counts.attributes())
    if suite.rows:
        yield from _properties(summary)
    for row in suite.rows:
        yield from _case(summary.stream.whole(row), summary)
    for name, text in suite.problems:
        yield _start(2, "testcase", {"classname": "stream", "name": _fit(name), "time": "0"})
        yield _empty(3, "error", {"message": _fit(text)})
        yield "    </testcase>"
    yield "  </testsuite>"


def _properties(summary: Summary) -> Iterator[str]:
    header = summary.stream.header
    values = {
        "implementation": header.implementation.name,
        "version": header.implementation.version,
        "language": header.implementation.language,
        "asked": header.implementation.asked,
        "suite": header.suite,
        "host": f"{header.host.system} {header.host.release} {header.host.machine}",
        "command": header.command,
        "baseline": header.baseline.path if header.baseline else "",
        "verdict": summary.verdict.text,
    }
    yield "    <properties>"
    for name, value in values.items():
        yield _empty(3, "property", {"name": name, "value": _fit(value)})
    yield "    </properties>"


def _seconds(row: Row) -> str:
    return f"{row.seconds:.6f}"


def _tag(row: Row, group: Group) -> str:
    """The element that says that a case did not pass; empty for one that did."""
    if group == "failed":
        # A failure is a wrong result; an error means that there is no result.
        return "error" if row.outcome in ("crashed", "timed-out") else "failure"
    tags: dict[Group, str] = {"passed": "", "error": "error"}
    return tags.get(group, "skipped")


def _case(row: Row, summary: Summary) -> Iterator[str]:
    group = summary.groups[row.case]
    inner = list(_inner(row, group, summary.reasons.get(row.deviation, "")))
    attributes = {"classname": _fit(row.clause), "name": _fit(row.case), "time": _seconds(row)}
    if not inner:
        yield _empty(2, "testcase", attributes)
        return
    yield _start(2, "testcase", attributes)
    yield from inner
    yield "    </testcase>"


def _inner(row: Row, group: Group, known: str) -> Iterator[str]:
    if tag := _tag(row, group):
        if tag == "skipped":
            yield _empty(3, tag, {"message": _fit(_skip_message(row, group, known))})
        else:
            attributes = {"message": _fit(one_line(row.message or label(row.outcome))), "type": row.outcome}
            yield _start(3, tag, attributes) + _text("\n".join(_body(row))) + f"</{tag}>"
    if row.stderr:
        yield _start(3, "system-err", {}) + _text(row.stderr) + "</system-err>"


def _skip_message(row: Row, group: Group, known: str) -> str:
    reason = one_line(f"{known} ({row.message})" if group == "known" and known else row.message)
    if group == "informational":
        return f"informational, not judged: {reason}"
    return reason if group == "skipped" and reason else f"{label(row.outcome)}. {reason}".strip()


def _body(row: Row) -> Iterator[str]:
    yield f"{row.clause} ({row.level}, {row.source}): {row.requires}"
    for name, text in (("message", row.message), ("expected", row.expected), ("actual", row.actual)):
        if text:
            yield f"{name}: {text}"
    if row.steps:
        yield "steps:"
    for step in row.steps:
        yield f"  {step.at * 1000:9.1f} ms  {ACTORS[step.actor]:14}  {step.call} -> {step.result}"
    if row.rerun:
        yield f"rerun: {row.rerun}"
    if row.traceback:
        yield f"{PLEASE_REPORT}:\n{row.traceback}"


def _fit(text: str) -> str:
    # What `visible` leaves are characters that XML 1.0 may contain.
    return visible(clip(text, _LIMIT))


def _text(text: str) -> str:
    return _escaped(_fit(text))


def _start(level: int, tag: str, attributes: Mapping[str, str]) -> str:
    return f"{'  ' * level}<{tag}{''.join(_attributes(attributes.items()))}>"


def _empty(level: int, tag: str, attributes: Mapping[str, str]) -> str:
    return f"{'  ' * level}<{tag}{''.join(_attributes(attributes.items()))} />"


def _attributes(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in pairs:
        quoted = _escaped(value).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#09;")
        yield f' {name}="{quoted}"'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
