"""The page: well-formed, complete, and safe whatever an implementation returns."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from tests.reports.samples import OUTCOMES, every, header, large, row, stream

from nixio_fixtures import load
from nixio_reports import (
    Header,
    Host,
    Implementation,
    Outcome,
    Problem,
    Row,
    Step,
    Stream,
    methods,
    summarize,
)
from nixio_reports import html_page as page_of
from nixio_reports.html import DETAILED

VOID = {"meta", "input", "br", "wbr", "link", "img", "hr"}
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>&amp;\x1b[31m\x00\u202e\udc80"


def html_page(sample: Stream) -> str:
    return page_of(summarize(sample))


class Page(HTMLParser):
    """The elements of a page; fails for an element that is not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.contents: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.contents.setdefault(tag, []).append("")
        if tag not in VOID:
            self._open.append(tag)
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.contents[self._open[-1]][-1] += data


def inner(page: Page) -> set[str]:
    """The anchors that the page links to."""
    return {link.removeprefix("#") for link in page.links if link.startswith("#")}


def test_page_is_well_formed_and_its_links_resolve() -> None:
    page = Page(html_page(every()))
    assert page.tags.count("h1") == 1
    assert len(page.ids) == len(set(page.ids))
    assert page.links
    assert inner(page) <= set(page.ids)
    assert all(link.startswith(("#", "https://")) for link in page.links)
    assert {"main", "header", "footer"} <= set(page.tags)
    assert all(value in ("col", "row") for tag, name, value in page.attributes if tag == "th" and name == "scope")
    assert page.tags.count("th") == sum(name == "scope" for tag, name, _ in page.attributes if tag == "th")


def test_page_needs_nothing_from_elsewhere() -> None:
    page = Page(html_page(every()))
    assert not {"link", "img", "iframe", "object", "embed"} & set(page.tags)
    assert not [one for one in page.attributes if one[1] in ("src", "style", "action", "srcset")]
    assert "url(" not in page.contents["style"][0]
    assert "@import" not in page.contents["style"][0]


def test_policy_allows_exactly_our_style_and_script() -> None:
    page = Page(html_page(every()))
    [policy] = [value for tag, name, value in page.attributes if tag == "meta" and "default-src" in value]
    for tag in ("style", "script"):
        [text] = page.contents[tag]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_every_matrix_cell_leads_to_its_details_and_says_words() -> None:
    text = html_page(every())
    for method in methods():
        assert f'<a href="#cell-{method}-' in text
    for words in ("failed", "known deviation", "not run", "skipped", "passed", "informational"):
        assert f'<span class="hush"> {words}</span>' in text


def hostile(outcome: Outcome, number: int) -> Row:
    step = Step(at=0.1, actor="port", call=ATTACK, result=ATTACK)
    return Row(
        case=f"{ATTACK}{number}",
        clause=ATTACK,
        method=ATTACK,
        level="must" if number % 2 else ATTACK,
        kind=ATTACK,
        parameters={ATTACK: ATTACK + "x"},
        source=ATTACK,
        requires=f"`{ATTACK}`",
        outcome=outcome,
        message=ATTACK,
        expected=ATTACK,
        actual=ATTACK,
        steps=(step,),
        scripts={ATTACK: ATTACK},
        stderr=ATTACK,
        rerun=ATTACK,
        traceback=ATTACK,
    )


def test_hostile_text_stays_text() -> None:
    host = Host(
        system=ATTACK, release=ATTACK, machine=ATTACK, python=ATTACK, user=ATTACK, capabilities={ATTACK: ATTACK}
    )
    implementation = Implementation(
        name=ATTACK, version=ATTACK, language=ATTACK, platform=ATTACK, asked=ATTACK, capabilities=(ATTACK,)
    )
    head = Header(
        suite=ATTACK,
        implementation=implementation,
        host=host,
        command=ATTACK,
        started=ATTACK,
        selection=(ATTACK,),
        judged=("must",),
    )
    rows = [hostile(outcome, number) for number, outcome in enumerate(OUTCOMES * 2)]
    problem = Problem(ATTACK, 1, ATTACK, ATTACK)
    text = html_page(stream(*rows, header=head, problems=(problem,)))
    page = Page(text)
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert not [one for one in page.attributes if one[1].startswith("on")]
    assert not re.search("[\x00\x1b\u202e\ud800-\udfff]", text)
    assert "\\x1b[31m\\x00\\u202e\\udc80" in text
    assert len(page.ids) == len(set(page.ids))
    assert inner(page) <= set(page.ids)
    assert not [link for link in page.links if not link.startswith("#")]


def test_failing_case_is_shown_in_full() -> None:
    text = html_page(stream(row("send.offset[inet-stream-tail]", "failed")))
    for part in (
        "what is wrong (failed)",
        "b&#39;cd&#39;",
        "b&#39;bcd&#39;",
        "s1.send(b&#39;abcd&#39;, 2)",
        "0.5 ms",
        "import socket",
        "a warning",
        "--select",
        "norm:120",
        "The <code>offset</code> counts from 0.",
    ):
        assert part in text


def test_passed_case_is_short() -> None:
    steps = (Step(at=0.1, actor="port", call="never-shown", result=""),)
    text = html_page(stream(row(steps=steps, stderr="never-shown", scripts={"python": "never-shown"})))
    assert "never-shown" not in text
    assert "[inet-stream-tail]" in text


def test_problems_stand_before_the_verdict() -> None:
    text = html_page(stream(row(), problems=(Problem("results.jsonl", 7, "cut off", "run it again"),)))
    assert text.index("line 7: cut off") < text.index("No verdict".lower())


def test_stopped_run_has_a_page() -> None:
    assert "stopped before its end" in html_page(stream(row(), footer=None))
    assert "no case was recorded" in html_page(stream())


def test_anchors_stay_apart() -> None:
    rows = [
        row(f"a{number}", method=method, kind=kind) for number, (method, kind) in enumerate([("a b", ""), ("a-b", "")])
    ]
    page = Page(html_page(stream(*rows)))
    assert {"cell-a-b-any", "cell-a-b-any--2"} <= set(page.ids)


def test_four_thousand_passed_cases_stay_moderate() -> None:
    assert len(html_page(large(4000)).encode()) < 3_000_000


@pytest.mark.parametrize("number", [DETAILED + 5])
def test_very_many_failures_are_cut_and_say_so(number: int) -> None:
    rows = [row(f"send.x[{index}]", "failed", stderr="y" * 100_000) for index in range(number)]
    text = html_page(stream(*rows))
    assert text.count("are in results.jsonl: this page") == 5
    assert len(text) < 10_000 * number
    assert text.count('<article class="case') == number


def test_times_of_the_header() -> None:
    assert "2026-01-02 03:04:05 UTC" in html_page(stream(row()))
    assert "no time" in html_page(stream(row(), header=header(started="no time")))


NORM = "https://openwrt.github.io/luci/api/modules/nixio.Socket.html"


def test_a_clause_shows_its_needs_and_the_number_of_its_faults() -> None:
    rows = [row("bind.resolution.first[inet-stream]"), row("send.data.arrives[inet-stream]")]
    page = html_page(stream(*rows, header=header(proven={"bind.resolution.first": 1})))  # words: allow
    assert "norm:120</a>, needs lab, 1 fault declared</p>" in page
    assert page.count("fault declared</p>") == 1
    assert "the suite is tested with N faulty implementations that this clause must report." in page
    assert "declared" not in html_page(stream(*rows))


@pytest.mark.parametrize(
    ("source", "link"),
    [
        pytest.param("norm:46", f"{NORM}#Socket.bind", id="norm"),
        pytest.param("posix:accept", "https://pubs.opengroup.org/", id="posix"),
        pytest.param("posix:unknown", "", id="unknown-page"),
        pytest.param("design:unknown", "", id="unknown-topic"),
        pytest.param("nonsense", "", id="nonsense"),
        pytest.param("norm:" + "9" * 5000, "", id="long-number"),
        pytest.param("norm:9-3", "", id="empty-range"),
        pytest.param("javascript:alert(1)", "", id="script"),
    ],
)
def test_a_clause_links_its_source_where_this_version_knows_it(source: str, link: str) -> None:
    page = Page(html_page(stream(row("unknown.clause", source=source))))
    links = [one for one in page.links if not one.startswith("#")]
    assert [one.startswith(link) for one in links] == ([True] if link else [])


def test_a_decision_is_in_the_page_itself() -> None:
    """The document with the decisions is not part of the installed package."""
    page = html_page(stream(row("send.offset.default", source="design:closed")))
    assert load().source("design:closed").decision in page
    assert "design:unknown:" not in html_page(stream(row("send.offset.default", source="design:unknown")))
