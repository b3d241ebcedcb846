"""Whatever happens to a stream's file, all intact records are read."""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.reports.samples import every, header, row, stream

from nixio_reports import (
    FINDINGS,
    VERSION,
    Outcome,
    Record,
    Row,
    Stream,
    StreamError,
    Writer,
    encode,
    read,
    schema,
    summarize,
    write_reports,
)
from nixio_reports.stream import HOPELESS, LONGEST, PROBLEMS

#: Made once, because that takes longer than validating a line.
VALIDATOR = Draft202012Validator(schema())


def lines(of: Stream) -> list[bytes]:
    records: list[Record] = [of.header, *of.rows]
    if of.footer:
        records.append(of.footer)
    return [encode(record) + b"\n" for record in records]


def whats(of: Stream) -> list[str]:
    return [problem.what for problem in of.problems]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    sample = every()
    path = tmp_path / "a" / "b" / "results.jsonl"
    with Writer(path) as writer:
        for record in (sample.header, *sample.rows, sample.footer):
            assert record is not None
            writer.write(record)
    assert read(path) == sample


def test_each_record_is_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with Writer(path) as writer:
        writer.write(header())
        assert len(path.read_bytes().splitlines()) == 1
        writer.write(row())
        assert read(path).rows == (row(),)


def test_writer_replaces_an_older_run(tmp_path: Path) -> None:
    for _ in range(2):
        with Writer(tmp_path / "results.jsonl") as writer:
            writer.write(header())
    assert whats(read(tmp_path / "results.jsonl")) == ["the run was stopped before its end"]


def test_writer_goes_on_after_an_interrupt_inside_write(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "results.jsonl")
    writer.write(header())
    file = writer._file

    class Interrupted:
        tell = file.tell  # words: allow, a method of files

        def write(self, data: memoryview) -> int:
            file.write(data[:10])
            raise KeyboardInterrupt

    writer._file = Interrupted()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        writer.write(row("lost.case"))
    writer._file = file
    writer.write(row())
    writer.close()
    writer.close()
    assert read(writer.path).rows == (row(),)


def test_text_that_is_not_unicode_is_escaped(tmp_path: Path) -> None:
    with Writer(tmp_path / "results.jsonl") as writer:
        writer.write(header())
        writer.write(row(message="\udcff", parameters={"path": "\udc80"}))
    assert read(writer.path).rows == (row(message="\\udcff", parameters={"path": "\\udc80"}),)


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        pytest.param(b"nonsense\n", "JSON is malformed", id="no-json"),
        pytest.param(b'{"record":"other"}\n', "Invalid value 'other'", id="unknown-record"),
        pytest.param(b'{"record":"row"}\n', "missing required field `case`", id="missing-field"),
        pytest.param(encode(row("x"))[:-1] + b',"more":1}\n', "unknown field `more`", id="unknown-field"),
        pytest.param(encode(row("x")).replace(b'"passed"', b'"maybe"') + b"\n", "Invalid enum value", id="outcome"),
        pytest.param(b"[1]\n", "Expected `object`", id="array"),
        pytest.param(b"\xff\xfe\n", "not a record", id="no-utf8"),
        pytest.param(b"[" * 100_000 + b"\n", "not a record", id="deep"),
    ],
)
def test_bad_line_is_a_problem_and_the_others_are_kept(bad: bytes, what: str) -> None:
    sample = stream(row("a"), row("b"))
    head, first, *rest = lines(sample)
    found = read([head, first, bad, *rest])
    assert (found.rows, found.footer) == (sample.rows, sample.footer)
    [problem] = found.problems
    assert (problem.line, what in problem.what) == (3, True)
    assert problem.hint
    assert str(problem).startswith("<lines>:3: ")


def test_cut_last_line() -> None:
    found = read([*lines(stream(row("a"), row("b")))[:2], encode(row("b"))[:-9]])
    assert whats(found) == ["the line was cut off", "the run was stopped before its end"]
    assert found.rows == (row("a"),)


def test_stopped_run() -> None:
    found = read(lines(stream(row("a")))[:-1])
    assert whats(found) == ["the run was stopped before its end"]
    assert found.footer is None


def test_last_line_without_newline_is_read() -> None:
    *most, last = lines(stream(row("a")))
    assert read([*most, last.rstrip()]).problems == ()


@pytest.mark.parametrize(
    "order", [pytest.param(("passed", "failed"), id="later"), pytest.param(("failed", "passed"), id="earlier")]
)
def test_second_row_of_a_case_never_hides_a_finding(order: tuple[Outcome, Outcome]) -> None:
    sample = stream(row("a", "failed"))
    head, _, foot = lines(sample)
    found = read([head, *(encode(row("a", outcome)) for outcome in order), foot])
    assert [one.outcome for one in found.rows] == ["failed"]
    assert "has a row already, in line 2" in found.problems[0].what


def test_second_header_and_second_footer() -> None:
    head, first, foot = lines(stream(row("a")))
    assert whats(read([head, head, first, foot, foot])) == ["a second header", "a second footer"]


def test_row_after_the_footer_and_header_after_rows() -> None:
    head, first, second, foot = lines(stream(row("a"), row("b")))
    assert whats(read([first, head, foot, second])) == ["the header is not the first line", "a row after the footer"]


def test_rows_that_were_lost_without_a_trace() -> None:
    head, _, second, foot = lines(stream(row("a"), row("b")))
    assert whats(read([head, second, foot])) == ["the footer counts 2 passed, and the stream has 1"]


def test_newer_version_is_read_as_far_as_it_is_known() -> None:
    first, *rest = lines(stream(row("a")))
    raw = msgspec.json.decode(first)
    raw |= {"version": VERSION + 1, "novelty": 1}
    newer_row = encode(row("b"))[:-1] + b',"novelty":2}'
    found = read([msgspec.json.encode(raw), newer_row, *rest])
    assert [one.case for one in found.rows] == ["b", "a"]
    assert "written by a newer suite" in found.problems[0].what


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param([], "is empty", id="empty"),
        pytest.param([b"\n"], "is empty", id="blank"),
        pytest.param([encode(row()), b"garbage"], "no readable header", id="no-header"),
        pytest.param([b'{"record":"header","version":99}'], "newer suite", id="newer-and-different"),
    ],
)
def test_without_a_header_there_is_a_clear_error(content: list[bytes], message: str) -> None:
    with pytest.raises(StreamError, match=message):
        read(content)


def test_rows_of_a_headless_stream_are_not_lost() -> None:
    with pytest.raises(StreamError) as caught:
        read([encode(row()), b"garbage\n"])
    assert caught.value.rows == (row(),)
    assert len(caught.value.problems) == 1


SAMPLE = stream(*(row(f"case{number}") for number in range(6)))
SAMPLE_LINES = lines(SAMPLE)


@given(cut=st.integers(0, sum(map(len, SAMPLE_LINES))))
def test_any_truncation_keeps_the_intact_rows(cut: int) -> None:
    data = b"".join(SAMPLE_LINES)[:cut]
    intact = data.count(b"\n")
    try:
        found = read(data.splitlines(keepends=True))
    except StreamError:
        assert intact < 1
        return
    assert found.rows[: intact - 1] == SAMPLE.rows[: max(intact - 1, 0)]
    assert found.footer or found.problems


@given(st.data())
def test_any_corrupt_bytes_keep_the_rows_of_the_other_lines(data: st.DataObject) -> None:
    number = data.draw(st.integers(1, len(SAMPLE_LINES) - 1))
    line = SAMPLE_LINES[number]
    start = data.draw(st.integers(0, len(line) - 2))
    stop = data.draw(st.integers(start, len(line) - 1))
    junk = data.draw(st.binary(max_size=20))
    changed = line[:start] + junk.replace(b"\n", b"") + line[stop:]
    found = read([*SAMPLE_LINES[:number], changed, *SAMPLE_LINES[number + 1 :]])
    others = [one for index, one in enumerate(SAMPLE.rows, 1) if index != number]
    assert all(one in found.rows for one in others)


@given(st.binary())
def test_any_bytes_at_all_give_a_stream_or_the_one_error(junk: bytes) -> None:
    found = read([encode(header()), junk])
    assert found.header == header()


@given(
    st.builds(
        row,
        case=st.text(min_size=1),
        outcome=st.sampled_from(get_args(Outcome)),
        message=st.text(),
        parameters=st.dictionaries(st.text(), st.text(), max_size=3),
        scripts=st.dictionaries(st.text(), st.text(), max_size=2),
        seconds=st.floats(0, 1e6),
    )
)
def test_any_row_goes_there_and_back_and_keeps_the_schema(made: Row) -> None:
    line = encode(made)
    assert b"\n" not in line
    assert read([encode(header()), line]).rows == (made,)
    VALIDATOR.validate(msgspec.json.decode(line))


def test_schema_knows_the_three_records() -> None:
    Draft202012Validator.check_schema(schema())
    for line in lines(every()):
        VALIDATOR.validate(msgspec.json.decode(line))
    assert not VALIDATOR.is_valid({"record": "row"})


def test_findings_are_outcomes() -> None:
    assert set(FINDINGS) <= set(get_args(Outcome))


def test_a_light_stream_reads_evidence_again_where_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    rows = (row("send.a[x]", "failed"), row("send.b[x]"), row("send.c[x]", "crashed", stderr="é"))
    with Writer(path) as writer:
        for record in (header(), *rows, row("send.b[x]", "failed")):
            writer.write(record)
    light, full = read(path, light=True), read(path)
    assert [one.outcome for one in light.rows] == ["failed", "failed", "crashed"]
    assert not any(one.steps or one.scripts or one.stderr for one in light.rows)
    assert tuple(light.whole(one) for one in light.rows) == full.rows
    assert full.rows[1] == row("send.b[x]", "failed"), "a finding counts more than a pass"
    assert full.whole(full.rows[0]) is full.rows[0]
    assert light.problems == full.problems


def test_reports_of_a_light_stream_are_those_of_a_full_one(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    sample = every()
    assert sample.footer is not None
    with Writer(path) as writer:
        writer.write(sample.header)
        for one in sample.rows:
            writer.write(one)
        writer.write(sample.footer)
    reports = [write_reports(summarize(read(path, light=light)), tmp_path / str(light)) for light in (True, False)]
    for name in ("html", "junit", "badge"):
        assert reports[0][name].read_bytes() == reports[1][name].read_bytes()


def test_a_light_stream_whose_file_was_overwritten_has_no_evidence(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with Writer(path) as writer:
        writer.write(header())
        writer.write(row("send.a[x]", "failed"))
    light = read(path, light=True)
    path.write_bytes(b"")
    assert light.whole(light.rows[0]) == light.rows[0]


def saved(folder: Path, data: bytes) -> Path:
    path = folder / "results.jsonl"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("light", [True, False])
@pytest.mark.parametrize(("start", "end"), [(b"\xef\xbb\xbf", b"\n"), (b"", b"\r\n")], ids=["mark", "crlf"])
def test_what_an_editor_adds_does_no_harm(tmp_path: Path, start: bytes, end: bytes, light: bool) -> None:
    sample = stream(row("a", "failed"), row("b"))
    path = saved(tmp_path, start + b"".join(lines(sample)).replace(b"\n", end))
    found = read(path, light=light)
    assert (tuple(map(found.whole, found.rows)), found.problems) == (sample.rows, ())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param("x".encode("utf-16"), "UTF-16", id="utf-16"),
        pytest.param("{x}".encode("utf-16-le"), "UTF-16", id="utf-16-unmarked"),
        pytest.param(gzip.compress(b"x"), "is compressed with gzip: decompress it first", id="gzip"),
        pytest.param(b"{}\n", "(line 1: not a record of a stream: ", id="json"),
        pytest.param(b"x\n" * 100_000, "is it a results.jsonl?", id="text"),
    ],
)
def test_a_file_that_is_no_stream_is_one_clear_error(tmp_path: Path, data: bytes, said: str) -> None:
    path = saved(tmp_path, data)
    with pytest.raises(StreamError) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)
    assert len(caught.value.problems) <= PROBLEMS + 1


@pytest.mark.skipif(sys.platform == "win32", reason="there are no FIFOs")
def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name, said in (("pipe", "is a pipe"), ("", "is a directory"), ("absent", "No such"), ("loop", "Too many lev")):
        with pytest.raises(StreamError, match=said):
            read(tmp_path / name)
    with pytest.raises(StreamError, match="is a device"):
        read("/dev/zero")
    with pytest.raises(StreamError, match="standard input"):
        read("-")


def test_a_line_without_end_is_left_out_and_the_next_ones_are_read(tmp_path: Path) -> None:
    sample = stream(row("a", "failed"), row("b", "failed"))
    head, first, second, foot = lines(sample)
    path = tmp_path / "results.jsonl"
    with path.open("wb") as file:
        file.write(head + first)
        file.seek(3 * LONGEST, os.SEEK_CUR)  # a hole, as a crash of the system leaves them
        file.write(b"\n" + second + foot)
    found = read(path, light=True)
    assert tuple(map(found.whole, found.rows)) == sample.rows
    assert [(one.line, "a line of more than" in one.what) for one in found.problems] == [(3, True)]


def test_of_a_file_of_sparse_zeros_only_the_first_line_is_read(tmp_path: Path) -> None:
    with (tmp_path / "results.jsonl").open("wb") as file:
        file.write(b"x\n")
        file.truncate(1 << 36)
    with pytest.raises(StreamError, match="no readable header"):
        read(tmp_path / "results.jsonl")


def test_many_problems_are_counted_and_the_last_one_is_kept() -> None:
    head, first, _ = lines(stream(row("a")))
    found = read([head, *[b"x\n"] * (PROBLEMS + 10), first])
    assert found.rows == (row("a"),)
    assert whats(found)[PROBLEMS:] == ["the run was stopped before its end", "10 more problems"]
    found = read([head, *[b"x\n"] * (HOPELESS + PROBLEMS + 10), first])
    assert f"the lines after {HOPELESS + PROBLEMS + 1} were not read" in whats(found)
    assert found.rows == ()


def test_text_of_a_problem_is_short() -> None:
    head, *_ = lines(stream())
    found = read([head, b'{"record":"' + b"x" * 1_000_000 + b'"}\n'])
    assert len(found.problems[0].what) < 600
