"""The page: well-formed, complete, and safe whatever a port answers."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from tests.reports.samples import OUTCOMES, every, header, large, row, stream

from nixio_reports import METHODS, Header, Host, Implementation, Outcome, Problem, Row, Step, html_page
from nixio_reports.html import DETAILED

VOID = {"meta", "input", "br", "wbr", "link", "img", "hr"}
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>&amp;\x1b[31m\x00\u202e\udc80"


class Page(HTMLParser):
    """A page taken apart, complaining about what is not closed in order."""

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


def test_page_is_well_formed_and_its_links_resolve() -> None:
    page = Page(html_page(every()))
    assert page.tags.count("h1") == 1
    assert len(page.ids) == len(set(page.ids))
    assert page.links
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert all(link.startswith("#") for link in page.links)
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
    for method in METHODS:
        assert f'<a href="#cell-{method}-' in text
    for words in ("failed", "known deviation", "not run", "skipped", "passed", "told, not judged"):
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
    port = Implementation(
        name=ATTACK, version=ATTACK, language=ATTACK, platform=ATTACK, asked=ATTACK, capabilities=(ATTACK,)
    )
    head = Header(
        suite=ATTACK,
        implementation=port,
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
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_failing_case_is_told_in_full() -> None:
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


def test_a_clause_tells_what_it_needs_and_by_how_many_faults_it_is_proven() -> None:
    rows = [row("bind.resolution.first[inet-stream]"), row("send.data.arrives[inet-stream]")]
    page = html_page(stream(*rows, header=header(proven={"bind.resolution.first": 1})))
    assert "norm:120, needs lab, proven by 1 fault</p>" in page
    assert page.count("proven by") == 1
