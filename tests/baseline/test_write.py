"""Baselines written from runs: new failures are added, and an old baseline keeps everything that still applies."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from nixio_conformance.baseline.read import parse
from nixio_conformance.baseline.write import make_baseline
from nixio_fixtures import load
from nixio_reports import Footer, Header, Host, Implementation, Outcome, Row, Stream

SPEC = load()
HOST = Host(system="Linux", release="6", machine="m", python="3", user="u")


def run(*rows: tuple[str, str, Outcome], selection: tuple[str, ...] = ()) -> Stream:
    """A run with these cases, each given by its id, its kind and its outcome."""
    made = tuple(
        Row(
            case=case, clause=case.partition("[")[0], method="send", level="must", kind=kind, source="norm:1",
            requires="", outcome=outcome, message="4 for\n5",
        )
        for case, kind, outcome in rows
    )  # fmt: skip
    header = Header(
        suite="1", implementation=Implementation(name="one"), host=HOST, command="", started="", selection=selection
    )
    return Stream(header, made, Footer(planned=len(made), counts={}, seconds=1, exit_code=1))


WHOLE = [
    ("send.b[inet-stream-1]", "inet-stream"),
    ("send.b[inet-stream-2]", "inet-stream"),
    ("send.b[unix-stream]", "unix-stream"),
]


def outcomes(*given: Outcome, selection: tuple[str, ...] = ()) -> Stream:
    return run(*((case, kind, one) for (case, kind), one in zip(WHOLE, given, strict=True)), selection=selection)


def rows(text: str) -> str:
    """The rows of a file, without the lines before them."""
    return text[text.index("[[deviation]]") :]


def test_a_kind_that_fails_throughout_is_named_and_else_its_cases() -> None:
    assert make_baseline(outcomes("failed", "failed", "passed"), SPEC).text == (
        'format = 1\nport = "one"\n\n'
        '[[deviation]]\n# [inet-stream-1] 4 for 5\nclause = "send.b"\nkinds = ["inet-stream"]\nreason = ""\n'
    )
    assert (
        'cases = [\n    "send.b[inet-stream-2]",\n]\n'
        in make_baseline(outcomes("passed", "failed", "passed"), SPEC).text
    )
    both = rows(make_baseline(outcomes("passed", "failed", "failed"), SPEC).text)
    assert 'kinds = ["unix-stream"]\ncases = [\n    "send.b[inet-stream-2]",\n]\n' in both
    assert both.count("[[deviation]]") == 1


def test_a_kind_of_which_not_all_was_shown_is_not_named() -> None:
    assert "kinds" not in make_baseline(outcomes("failed", "host-skip", "passed"), SPEC).text
    assert "kinds" not in make_baseline(outcomes("failed", "failed", "passed", selection=(WHOLE[0][0],)), SPEC).text
    assert "kinds" in make_baseline(outcomes("failed", "failed", "passed", selection=("send",)), SPEC).text


def test_each_way_to_fail_has_a_row() -> None:
    made = make_baseline(outcomes("crashed", "crashed", "failed"), SPEC)
    assert made.rows == 2
    assert 'kinds = ["inet-stream"]\noutcomes = ["crashed"]\n' in made.text


def test_a_clause_without_kinds_is_named_alone() -> None:
    made = rows(make_baseline(run(("socket.a", "", "failed")), SPEC, reason='say "no"\\').text)
    assert made == '[[deviation]]\n# 4 for 5\nclause = "socket.a"\nreason = "say \\"no\\"\\\\"\n'


def test_what_is_not_judged_or_an_error_of_the_suite_is_left_out() -> None:
    stream = run(("send.a[x]", "", "failed"), ("send.b[x]", "", "passed"))
    assert make_baseline(stream, SPEC).rows == 1
    for changes in ({"level": "may"}, {"outcome": "suite-error"}):
        row = replace(stream.rows[0], **changes)
        assert make_baseline(Stream(stream.header, (row,), stream.footer), SPEC).rows == 0


OLD = '''\
# Ours.
format = 1

# ---- sending

# of the row
[[deviation]]
clause = "send.b"
kinds = ["inet-stream", "unix-stream"]   # by hand
reason = """
as long
as it takes"""

# ---- the end
'''


def update(stream: Stream, text: str = OLD) -> str:
    return make_baseline(stream, SPEC, path="known.toml", text=text).text


def test_what_is_still_true_stays_to_the_letter() -> None:
    assert update(outcomes("failed", "failed", "failed")) == OLD
    assert update(outcomes("failed", "host-skip", "not-run")) == OLD
    assert update(outcomes("host-skip", "host-skip", "host-skip")) == OLD


def test_what_passes_goes_and_the_reason_stays() -> None:
    made = make_baseline(outcomes("failed", "failed", "passed"), SPEC, path="known.toml", text=OLD)
    assert made.text == OLD.replace('kinds = ["inet-stream", "unix-stream"]   # by hand', 'kinds = ["inet-stream"]')
    assert (made.blank, made.dropped) == ((), ())
    part = update(outcomes("passed", "failed", "failed"))
    assert 'kinds = ["unix-stream"]\ncases = [\n    "send.b[inet-stream-2]",\n]\nreason = """\nas long\n' in part
    none = make_baseline(outcomes("passed", "passed", "passed"), SPEC, path="known.toml", text=OLD)
    assert none.text == "# Ours.\nformat = 1\n\n# ---- sending\n\n# ---- the end\n"
    assert none.dropped == ("send.b (lines 6 to 12)",)


def test_what_fails_in_another_way_wants_a_reason_of_its_own() -> None:
    made = make_baseline(outcomes("failed", "failed", "crashed"), SPEC, path="known.toml", text=OLD)
    assert 'kinds = ["unix-stream"]\noutcomes = ["crashed"]\nreason = ""' in made.text
    assert made.blank == (made.text.split("\n").index('reason = ""') + 1,)


def test_what_depends_on_chance_stays_when_it_passes() -> None:
    text = OLD.replace("reason", 'outcomes = ["failed", "passed"]\nreason')
    assert update(outcomes("passed", "failed", "passed"), text) == text


@pytest.mark.parametrize(
    "selection",
    [("inet-stream",), ("send.b[inet-stream-1]",), ("send.a",)],
)
def test_what_was_not_selected_stays(selection: tuple[str, ...]) -> None:
    others = run(("send.a[inet-stream]", "inet-stream", "passed"), selection=selection)
    assert update(others) == OLD
    only = run((*WHOLE[0], "failed"), selection=selection)
    assert update(only) == OLD


def test_single_cases_do_not_narrow_a_kind() -> None:
    assert update(run((*WHOLE[0], "passed"), selection=(WHOLE[0][0],))) == OLD


def test_what_is_gone_from_the_suite_goes_from_the_file() -> None:
    assert "deviation" not in update(run(("send.a[x]", "", "passed")))


def test_a_row_for_all_of_a_clause_stays_one() -> None:
    text = 'format = 1\n\n[[deviation]]\nclause = "send.b"\nreason = "x"\n'
    assert update(outcomes("failed", "failed", "failed"), text) == text
    assert update(run((*WHOLE[0], "passed"), selection=("inet-stream",)), text) == text
    assert update(outcomes("failed", "failed", "passed"), text) == text.replace(
        "reason", 'kinds = ["inet-stream"]\nreason'
    )


def test_new_rows_come_in_the_alphabets_order_and_older_ones_stay() -> None:
    text = update(run(("send.c[x]", "", "failed"), ("send.a[x]", "", "failed"), *((*one, "failed") for one in WHOLE)))
    assert [one.clause for one in parse("f", text).deviations] == ["send.a", "send.b", "send.c"]
    assert text.index("of the row") < text.index('"send.b"')


def test_a_line_of_a_case_keeps_its_comment() -> None:
    text = OLD.replace(
        'kinds = ["inet-stream", "unix-stream"]   # by hand',
        'cases = [\n  "send.b[inet-stream-1]", # first\n  "send.b[inet-stream-2]",\n]',
    )
    made = update(outcomes("failed", "passed", "passed"), text)
    assert made == text.replace('  "send.b[inet-stream-2]",\n', "")


def test_whatever_a_message_says_the_file_can_be_read() -> None:
    made = outcomes("failed", "failed", "passed")
    wild = 'x\x00\x7f\u202e]] """ \\ \n[[deviation]]\nformat = 2'
    stream = Stream(made.header, tuple(replace(row, message=wild) for row in made.rows), made.footer)
    [one] = parse("f", make_baseline(stream, SPEC, reason=wild).text).deviations
    assert one.reason == wild


def test_what_stands_between_rows_stays_before_the_next() -> None:
    second = '\n\n# ---- receiving\n\n[[deviation]]\nclause = "send.c"\nreason = "x"\n\n# ---- the end\n'
    text = OLD.replace("\n\n# ---- the end\n", second)
    fails = run(*((*one, "failed") for one in WHOLE), ("send.c[x]", "", "failed"))
    assert update(fails, text) == text
    gone = run(*((*one, "passed") for one in WHOLE), ("send.c[x]", "", "failed"))
    assert update(gone, text) == "# Ours.\nformat = 1\n\n# ---- sending" + second
