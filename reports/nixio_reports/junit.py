"""JUnit XML in the form that Jenkins, GitLab and GitHub Actions read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from .outcomes import ACTORS, Group, label
from .records import Row
from .summary import Summary
from .text import clip, one_line, visible

# Characters that XML 1.0 cannot contain, not even as a reference.
_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: The longest text, in characters: servers refuse files that are too large.
_LIMIT = 20_000


def junit_xml(summary: Summary) -> bytes:
    """An XML document in UTF-8 with a suite for each method; `classname` is the clause and `name` is the case.

    Cases that are informational, known to the baseline or not run count as skipped, with the reason. A run without a
    verdict gets a suite `stream` with an error for each problem, so that it does not look like a successful run.
    """
    root = ElementTree.Element("testsuites", name="nixio-conformance")
    stream = summary.stream
    for method in summary.matrix.methods:
        suite = ElementTree.SubElement(root, "testsuite", name=_fit(method), timestamp=_fit(stream.header.started))
        _properties(suite, summary)
        for row in stream.rows:
            if row.method == method:
                _case(suite, row, summary.groups[row.case], summary.reasons.get(row.deviation, ""))
    if summary.verdict.state == "no-verdict" or stream.problems:
        _problems(ElementTree.SubElement(root, "testsuite", name="stream"), summary)
    _count(root)
    ElementTree.indent(root)
    made: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _fit(text: str) -> str:
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", visible(clip(text, _LIMIT)))


def _properties(suite: ElementTree.Element, summary: Summary) -> None:
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
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in values.items():
        ElementTree.SubElement(properties, "property", name=name, value=_fit(value))


def _case(suite: ElementTree.Element, row: Row, group: Group, known: str) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=_fit(row.clause), name=_fit(row.case), time=f"{row.seconds:.6f}"
    )
    if group == "failed":
        # A failure is a wrong result; an error means that there is no result, or that the suite itself is at fault.
        tag = "error" if row.outcome in ("crashed", "timed-out") or row.traceback else "failure"
        made = ElementTree.SubElement(case, tag, message=_fit(one_line(row.message or label(row.outcome))))
        made.set("type", row.outcome)
        made.text = _fit("\n".join(_body(row)))
    elif group != "passed":
        ElementTree.SubElement(case, "skipped", message=_fit(_skip_message(row, group, known)))
    if row.stderr:
        ElementTree.SubElement(case, "system-err").text = _fit(row.stderr)


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
        yield f"the suite itself is at fault, please report it:\n{row.traceback}"


def _problems(suite: ElementTree.Element, summary: Summary) -> None:
    wrong = [(f"{one.path}:{one.line}", f"{one.what}; {one.hint}") for one in summary.stream.problems]
    for name, text in wrong or [("verdict", summary.verdict.text)]:
        case = ElementTree.SubElement(suite, "testcase", classname="stream", name=_fit(name), time="0")
        ElementTree.SubElement(case, "error", message=_fit(text))


def _count(root: ElementTree.Element) -> None:
    """Set the counts and times of each suite and of the document, as attributes that servers expect."""
    for element in (*root, root):
        cases = element.findall(".//testcase")
        element.set("tests", str(len(cases)))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            element.set(name, str(sum(case.find(tag) is not None for case in cases)))
        element.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.6f}")
