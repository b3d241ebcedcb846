"""JUnit XML, as Jenkins, GitLab and GitHub's actions read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from .deviations import reasons
from .outcomes import group, word
from .records import Row
from .stream import Stream
from .summary import matrix, verdict
from .text import clip, one_line, visible

# What XML 1.0 has no way to write, not even as a reference.
_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Characters of one text; servers refuse files that are too large.
_LIMIT = 20_000


def junit_xml(stream: Stream) -> bytes:
    """The stream as a document in UTF-8: a suite per method, classname is the clause, name is the case.

    What is only told, known to the baseline or not run counts as skipped, with the reason. A run without a verdict gets
    a suite `stream` with an error for each thing that was wrong, so that it cannot pass for a good one.
    """
    root = ElementTree.Element("testsuites", name="nixio-conformance")
    rows = stream.rows
    known = reasons(stream)
    for method in matrix(rows, stream.header.judged).methods:
        suite = ElementTree.SubElement(root, "testsuite", name=_fit(method), timestamp=_fit(stream.header.started))
        _properties(suite, stream)
        for row in rows:
            if row.method == method:
                _case(suite, row, stream.header.judged, known.get(row.deviation, ""))
    if verdict(stream).state == "no-verdict" or stream.problems:
        _stream(ElementTree.SubElement(root, "testsuite", name="stream"), stream)
    _count(root)
    ElementTree.indent(root)
    made: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return made


def _fit(text: str) -> str:
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", visible(clip(text, _LIMIT)))


def _properties(suite: ElementTree.Element, stream: Stream) -> None:
    header = stream.header
    told = {
        "implementation": header.implementation.name,
        "version": header.implementation.version,
        "language": header.implementation.language,
        "asked": header.implementation.asked,
        "suite": header.suite,
        "host": f"{header.host.system} {header.host.release} {header.host.machine}",
        "command": header.command,
        "baseline": header.baseline.path if header.baseline else "",
        "verdict": verdict(stream).words,
    }
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in told.items():
        ElementTree.SubElement(properties, "property", name=name, value=_fit(value))


def _case(suite: ElementTree.Element, row: Row, judged: tuple[str, ...], known: str) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=_fit(row.clause), name=_fit(row.case), time=f"{row.seconds:.6f}"
    )
    of = group(row, judged)
    if of == "failed":
        # A failure is the port's answer, an error is that there was none (or that the suite is at fault).
        tag = "error" if row.outcome in ("crashed", "timed-out") or row.traceback else "failure"
        made = ElementTree.SubElement(case, tag, message=_fit(one_line(row.message or word(row.outcome))))
        made.set("type", row.outcome)
        made.text = _fit("\n".join(_body(row)))
    elif of != "passed":
        reason = one_line(f"{known} ({row.message})" if of == "known" and known else row.message)
        told = "told, not judged: " if of == "told" else "" if of == "skipped" and reason else f"{word(row.outcome)}. "
        ElementTree.SubElement(case, "skipped", message=_fit((told + reason).strip()))
    if row.stderr:
        ElementTree.SubElement(case, "system-err").text = _fit(row.stderr)


def _body(row: Row) -> Iterator[str]:
    yield f"{row.clause} ({row.level}, {row.source}): {row.requires}"
    for label, text in (("wrong", row.message), ("expected", row.expected), ("actual", row.actual)):
        if text:
            yield f"{label}: {text}"
    if row.steps:
        yield "steps:"
    for step in row.steps:
        yield f"  {step.at * 1000:9.1f} ms  {step.actor:8}  {step.call} -> {step.result}"
    if row.rerun:
        yield f"rerun: {row.rerun}"
    if row.traceback:
        yield f"the suite itself is at fault, please report it:\n{row.traceback}"


def _stream(suite: ElementTree.Element, stream: Stream) -> None:
    wrong = [(f"{one.path}:{one.line}", f"{one.what}; {one.mend}") for one in stream.problems]
    for name, text in wrong or [("verdict", verdict(stream).words)]:
        case = ElementTree.SubElement(suite, "testcase", classname="stream", name=_fit(name), time="0")
        ElementTree.SubElement(case, "error", message=_fit(text))


def _count(root: ElementTree.Element) -> None:
    """The counts and times that servers expect as attributes, of each suite and of the whole."""
    for element in (*root, root):
        cases = element.findall(".//testcase")
        element.set("tests", str(len(cases)))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            element.set(name, str(sum(case.find(tag) is not None for case in cases)))
        element.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.6f}")
