"""Known deviations in each report: separate from failures, with the lines to delete when they pass."""

from __future__ import annotations

import io
from xml.etree import ElementTree

import pytest
from rich.console import Console
from tests.reports.samples import header, row, stream

from nixio_reports import (
    Baseline,
    Deviation,
    Row,
    Stream,
    badge_data,
    deviations,
    html_page,
    junit_xml,
    print_report,
    summarize,
)
from nixio_reports.deviations import edit

WHOLE = Deviation(clause="send.a", reason="it <is> so", line=3, last=5)
KINDS = Deviation(
    clause="send.b",
    kinds=("inet-stream", "unix-stream"),
    cases=("send.b[x]",),
    reason="not `yet`",
    line=7,
    last=12,
    lines={"inet-stream": 9, "unix-stream": 9, "send.b[x]": 10},
)


def sample(*rows: Row, selection: tuple[str, ...] = ()) -> Stream:
    baseline = Baseline(path="known.toml", port="sample", deviations=(WHOLE, KINDS))
    return stream(*rows, header=header(baseline=baseline, selection=selection))


KNOWN = row("send.a[1]", "expected-failure", found="failed", deviation=3, message="4 for 5")
GONE = row("send.b[1]", "unexpected-pass", found="passed", deviation=7, message="it passes, delete it")
CRASHED = row("send.b[2]", "crashed", deviation=7, kind="unix-stream")


def printed(sample: Stream) -> str:
    file = io.StringIO()
    print_report(Console(file=file, width=200, force_terminal=False), summarize(sample))
    return file.getvalue()


def test_rows_without_a_case_in_the_run_are_left_out() -> None:
    assert [view.deviation for view in deviations(sample(KNOWN))] == [WHOLE]
    assert deviations(stream(row())) == ()


def test_a_row_is_described_by_the_outcomes_of_its_cases() -> None:
    allowed = row("send.b[3]", deviation=7)
    skipped = row("send.b[4]", "host-skip", deviation=7)
    [view] = deviations(sample(GONE, CRASHED, allowed, skipped))
    assert (view.passing, view.changed, view.allowed, view.unproven) == ((GONE,), (CRASHED,), (allowed,), (skipped,))
    assert view.known == ()
    assert view.where == "known.toml:7"
    assert view.covers == "inet-stream, unix-stream and [x]"


@pytest.mark.parametrize(
    ("one", "gone", "rest", "said"),
    [
        pytest.param(WHOLE, [], ["send.a[1] inet-stream"], "", id="nothing"),
        pytest.param(WHOLE, ["send.a[1] inet-stream"], [], "in f, delete lines 3 to 5", id="whole"),
        pytest.param(
            WHOLE,
            ["send.a[1] inet-stream"],
            ["send.a[1] unix-stream"],
            'in f, list the kinds that still fail under kinds, after line 3: "inet-stream" passes',
            id="whole-but-a-kind",
        ),
        pytest.param(
            WHOLE,
            ["send.a[1] "],
            ["send.a[2] "],
            "in f, list the cases that still fail under cases, after line 3, 1 of 2",
            id="whole-but-a-case",
        ),
        pytest.param(
            KINDS,
            ["send.b[1] inet-stream"],
            ["send.b[2] unix-stream"],
            'in f, delete "inet-stream" from kinds, line 9',
            id="kind",
        ),
        pytest.param(
            KINDS,
            ["send.b[x] inet-dgram"],
            ["send.b[2] unix-stream"],
            'in f, delete "send.b[x]" from cases, line 10',
            id="case",
        ),
        pytest.param(
            KINDS,
            ["send.b[1] inet-stream"],
            ["send.b[2] inet-stream", "send.b[3] inet-stream"],
            'in f, delete "inet-stream" from kinds, line 9, and list the cases that still fail under cases, 2 of 3',
            id="part-of-a-kind",
        ),
    ],
)
def test_an_edit_names_the_lines(one: Deviation, gone: list[str], rest: list[str], said: str) -> None:
    def pairs(words: list[str]) -> list[tuple[str, str]]:
        return [(case, kind) for case, _, kind in (word.partition(" ") for word in words)]

    assert edit("f", one, pairs(gone), pairs(rest)) == said


def test_a_run_of_a_selection_deletes_no_more_than_it_saw() -> None:
    only = row("send.b[1]", "unexpected-pass", deviation=7, kind="inet-stream")
    others = [row(f"send.b[{name}]", "unexpected-pass", deviation=7, kind="unix-stream") for name in ("y", "x")]
    [view] = deviations(sample(only, selection=("inet-stream",)))
    assert view.edit == 'in known.toml, delete "inet-stream" from kinds, line 9'
    [view] = deviations(sample(only, *others))
    assert view.edit == "in known.toml, delete lines 7 to 12"
    [view] = deviations(sample(only, *others, selection=("send.b[1]",)))
    assert "and list the cases that still fail under cases" in view.edit
    whole = row("send.a[1]", "unexpected-pass", deviation=3)
    [view] = deviations(sample(whole, selection=("send.a[1]",)))
    assert view.edit == (
        "in known.toml, delete lines 3 to 5 if the whole clause passes: this run selected only a part of it"
    )


def test_known_deviations_conform_and_say_so() -> None:
    made = summarize(sample(KNOWN, row("b"))).verdict
    assert made.conforming
    assert made.text.startswith("conforming except for known deviations from 1 clause: ")
    assert badge_data(summarize(sample(KNOWN, row("b")))) == {
        "schemaVersion": 1,
        "label": "nixio.Socket",
        "message": "conforming except for 1 known clause, 1 passed",
        "color": "yellowgreen",
    }
    assert not summarize(sample(KNOWN, GONE)).verdict.conforming


def test_terminal_lists_deviations_with_their_reasons() -> None:
    text = printed(sample(KNOWN, GONE, CRASHED, row("b")))
    assert "≈1        send.a on every case: it <is> so" in text
    assert "✗2        send.b on inet-stream, unix-stream and [x]: not `yet`" in text
    assert "the baseline is out of date:" in text
    assert "known.toml:7 send.b: 1 case passed: in known.toml, delete" in text
    assert "known.toml:7 send.b: 1 case crashed, which the row does not allow" in text
    assert "out of date" not in printed(sample(KNOWN, row("b")))


def test_junit_skips_what_is_known_with_the_reason() -> None:
    root = ElementTree.fromstring(junit_xml(summarize(sample(KNOWN, GONE))))
    [skipped] = root.findall(".//skipped")
    assert skipped.get("message") == "failed as the baseline says. known.toml:3: it <is> so (4 for 5)"
    [failure] = root.findall(".//failure")
    assert (failure.get("type"), failure.get("message")) == ("unexpected-pass", "it passes, delete it")
    assert root.find(".//property[@name='baseline']").get("value") == "known.toml"  # type: ignore[union-attr]


def test_page_has_known_deviations_in_a_section_of_their_own() -> None:
    text = html_page(summarize(sample(KNOWN, GONE, CRASHED)))
    failed, _, known = text.partition('<h2 id="known">Known deviations')
    assert '<h2 id="failed">' in failed
    assert "it &lt;is&gt; so" in known
    assert "it &lt;is&gt; so" not in failed
    assert "send.b" in failed.partition('<h2 id="failed">')[2]
    assert "The baseline is out of date" in text
    assert "delete &#34;inet-stream&#34; from kinds, line 9" in text
    assert '<input type="checkbox" value="known" checked>' in text
    assert "<dt>Baseline</dt><dd>known.toml, for sample</dd>" in text


def test_page_without_a_baseline_says_nothing_of_one() -> None:
    text = html_page(summarize(stream(row())))
    assert "Known deviations" not in text
    assert "aseline" not in text.partition("</style>")[2]
