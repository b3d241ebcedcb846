"""JUnit XML, parsed back."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reports.samples import every, row, stream

from nixio_reports import Problem, Stream, methods, summarize
from nixio_reports import junit_xml as xml_of


def junit_xml(sample: Stream) -> bytes:
    return xml_of(summarize(sample))


def test_suites_are_methods_and_the_counts_add_up() -> None:
    root = ElementTree.fromstring(junit_xml(every()))
    suites = root.findall("testsuite")
    assert tuple(suite.get("name") for suite in suites if suite.get("name") != "stream") == methods()
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        for element in (root, *suites):
            assert int(element.get(name, "")) == len(element.findall(f".//{tag}"))
    assert int(root.get("tests", "")) == len(root.findall(".//testcase"))
    assert float(root.get("time", "")) == pytest.approx(sum(one.seconds for one in every().rows))


@pytest.mark.parametrize(
    ("outcome", "level", "tag"),
    [
        ("passed", "must", None),
        ("failed", "must", "failure"),
        ("failed", "may", "skipped"),
        ("unexpected-pass", "must", "failure"),
        ("crashed", "must", "error"),
        ("timed-out", "should", "error"),
        ("host-skip", "must", "skipped"),
        ("port-skip", "must", "skipped"),
        ("expected-failure", "must", "skipped"),
        ("not-run", "must", "skipped"),
        ("suite-error", "may", "error"),
    ],
)
def test_outcome_becomes_its_element(outcome: str, level: str, tag: str | None) -> None:
    made = row("send.offset[tail]", outcome, level=level)  # type: ignore[arg-type]
    case = ElementTree.fromstring(junit_xml(stream(made))).find("testsuite[@name='send']/testcase")
    assert case is not None
    assert (case.get("classname"), case.get("name"), case.get("time")) == ("send.offset", made.case, "0.001200")
    assert [child.tag for child in case if child.tag != "system-err"] == ([tag] if tag else [])
    if tag == "skipped":
        assert case[0].get("message")


def test_failure_has_message_and_body() -> None:
    case = ElementTree.fromstring(junit_xml(stream(row("send.offset[tail]", "failed")))).find(".//failure")
    assert case is not None
    assert case.get("message") == "what is wrong (failed)"
    body = case.text or ""
    for part in ("norm:120", "expected: b'cd'", "actual: b'bcd'", "s1.send(b'abcd', 2) -> 3", "rerun: "):
        assert part in body


def test_fault_of_the_suite_is_an_error() -> None:
    case = ElementTree.fromstring(junit_xml(stream(row("a", "suite-error", traceback="Traceback")))).find(".//error")
    assert case is not None
    said = "an error of the suite itself, please report it as an issue of nixio-conformance"
    assert f"{said}:\nTraceback" in (case.text or "")


def test_stopped_run_is_not_green() -> None:
    root = ElementTree.fromstring(junit_xml(stream(row(), footer=None)))
    assert root.get("errors") == "1"
    problem = Problem("results.jsonl", 3, "cut off", "run it again")
    case = ElementTree.fromstring(junit_xml(stream(row(), problems=(problem,)))).find("*[@name='stream']/testcase")
    assert case is not None
    assert case.get("name") == "results.jsonl:3"


@given(st.text(st.characters(), max_size=40))
def test_any_text_can_be_parsed_back(text: str) -> None:
    made = row("a", "failed", message=text, actual=text, stderr=text, method=text or "x")
    root = ElementTree.fromstring(junit_xml(stream(made)))
    assert root.get("failures") == "1"


@pytest.mark.parametrize(
    "sample",
    [every(), stream(), Stream(stream(row()).header), stream(row(outcome="crashed", stderr='<&>"\t\n\r é\x00'))],
    ids=["every", "empty", "stopped", "hostile"],
)
def test_the_document_is_as_etree_writes_it(sample: Stream) -> None:
    made = junit_xml(sample)
    root = ElementTree.fromstring(made)
    assert made == ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    ElementTree.indent(root)
    assert made == ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def test_no_character_is_left_that_xml_cannot_contain() -> None:
    text = "".join(map(chr, [*range(0x300), *range(0x2000, 0x2100), *range(0xD7F0, 0xE010), *range(0xFFF0, 0x10010)]))
    made = junit_xml(stream(row(outcome="failed", message=text, actual=text, stderr=text)))
    assert ElementTree.fromstring(made).find(".//failure") is not None
