"""A baseline's file: an error names the line and says how to fix it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from nixio_conformance.baseline.read import BaselineError, load_baseline
from nixio_fixtures import load
from nixio_reports import Baseline

SPEC = load()
MAY = next(clause.id for clause in SPEC.clauses if clause.level == "may")


def read(folder: Path, *rows: str, head: str = "format = 1") -> Baseline:
    path = folder / "known.toml"
    path.write_text("\n".join([head, *(f"[[deviation]]\n{row}" for row in rows)]), "utf-8")
    return load_baseline(path, SPEC)


def refused(folder: Path, *rows: str, head: str = "format = 1") -> str:
    with pytest.raises(BaselineError) as caught:
        read(folder, *rows, head=head)
    return str(caught.value).removeprefix(str(folder / "known.toml"))


def test_a_row_knows_its_lines(tmp_path: Path) -> None:
    [one] = read(
        tmp_path,
        'clause = "send.data.arrives" # why not\nkinds = [\n  \'inet-dgram\',\n  "unix-dgram",\n]\n'
        'reason = """\nlong\n"""\n\n# the end\n',
        head='format = 1\nport = "p"\n\n# of the file\n\n# of the row',
    ).deviations
    assert (one.line, one.last) == (6, 15)
    assert (one.lines["inet-dgram"], one.lines["unix-dgram"], one.lines["reason"]) == (10, 11, 13)
    assert (one.kinds, one.outcomes, one.reason) == (("inet-dgram", "unix-dgram"), ("failed",), "long")


@pytest.mark.parametrize("text", ["format = 1", "\ufeffformat = 1\n", "# c\nformat = 1\r\n"])
def test_a_baseline_may_be_empty(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, head=text).deviations == ()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (['clause = "send.data.arrivs"\nreason = "x"'], ":3: there is no clause 'send.data.arrivs'; did you mean"),
        (['clause = "nowhere"\nreason = "x"'], ":3: there is no clause 'nowhere'; if it is gone, delete lines 2 to 4"),
        ([f'clause = "{MAY}"\nreason = "x"'], f":3: {MAY} has level may, which this run does not judge: delete"),
        (['clause = "send.data.arrives"\nkinds = ["inet"]\nreason = "x"'], ":4: 'inet' is a group of kinds: name"),
        (['clause = "send.data.arrives"\nkinds = ["ip"]\nreason = "x"'], ":4: 'ip' is a group of kinds"),
        (
            ['clause = "send.data.arrives"\nkinds = ["inet5"]\nreason = "x"'],
            ":4: there is no kind 'inet5'; the kinds are",
        ),
        (['clause = "send.data.arrives"\nkinds = []\nreason = "x"'], ":2: `kinds` is empty: name some, or leave"),
        (['clause = "send.data.arrives"\ncases = ["bind.x[y]"]\nreason = "x"'], ":4: case 'bind.x[y]' is not one of"),
        (['clause = "send.data.arrives"\noutcomes = ["slow"]\nreason = "x"'], ":2: `outcomes`: Invalid enum value"),
        (
            ['clause = "send.data.arrives"\noutcomes = ["passed"]\nreason = "x"'],
            ":2: `outcomes` has only `passed`: delete",
        ),
        (['clause = "send.data.arrives"\nkind = ["x"]\nreason = "x"'], ":2: a deviation has no field `kind`; did you"),
        (['clause = 4\nreason = "x"'], ":2: `clause`: Expected `str`, got `int`"),
        (['reason = "x"'], ":2: a deviation must name its clause"),
        (['clause = "send.data.arrives"'], ":2: a deviation must have a reason"),
        (['clause = "send.data.arrives"\nreason = " "'], ":4: 1 reason still to be written: say why"),
        (
            ['clause = "send.data.arrives"\nreason = ""', 'clause = "send.data.binary"\nreason = ""'],
            ":4: 2 reasons still to be written (lines 4, 7): say",
        ),
        (
            [
                'clause = "send.data.arrives"\nreason = "x"',
                'clause = "send.data.arrives"\nkinds=["inet-dgram"]\nreason = "x"',
            ],
            ":6: send.data.arrives has a row in line 2 already, and one of them has all cases",
        ),
        (
            ['clause = "send.data.arrives"\nkinds=["inet-dgram"]\nreason = "x"'] * 2,
            ":8: send.data.arrives on inet-dgram is already in line 4: delete one of the two",
        ),
        (['clause = "send.data.arrives"\nkinds=["inet-dgram", "inet-dgram"]\nreason = "x"'], ":4: send.data.arr"),
        (['clause = "send.data.arrives\n'], ":3: not TOML: "),
    ],
)
def test_what_is_wrong_with_a_row_is_said_with_its_line(tmp_path: Path, rows: list[str], said: str) -> None:
    assert refused(tmp_path, *rows).startswith(said)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("", ":1: not a baseline: the first line must be `format = 1`"),
        ("format = 2", ": `format` is 2, but this suite reads 1: was it written by a newer one?"),
        ("format = true", ": `format` must be a whole number"),
        ("format = 1\nprot = 'x'", ": there is no field `prot`; did you mean `port`?"),
        ("format = 1\nport = 1", ": `port` must be a string"),
        ("format = 1\ndeviation = [{}]", ": write each deviation as a table that begins with a line `[[deviation]]`"),
        ("format = 1\n[deviation]", ": write each deviation as a table that begins with a line `[[deviation]]`"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, head: str, said: str) -> None:
    assert refused(tmp_path, head=head).startswith(said)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"x = " + b"[" * 100_000, ":2: not a baseline: more than 100 nested brackets", id="nested"),
        pytest.param(b"x" + b".x" * 100_000 + b" = 1", ":2: not a baseline: none has a key of so many", id="key"),
        pytest.param(b"[" + b"x." * 100_000 + b"x]", ":2: not a baseline: none has a key of so many", id="table"),
        pytest.param(b"\nx = " + b"1" * 10_000, ":3: not a baseline: a number or a date that", id="digits"),
        pytest.param(b"x = 2021-02-30", ":2: not TOML: Invalid date", id="date"),
        pytest.param(b"x = 1\nx = 2", ":3: not TOML: Cannot overwrite a value", id="twice"),
        pytest.param(b'"\\u001b]0;x" = 1', ": there is no field `\\x1b]0;x`", id="escape"),
        pytest.param(b'"\\n::error::x" = 1', ": there is no field ` \\x3a:error::x`", id="command"),
        pytest.param(b'"' + b"x" * 1_000_000 + b'" = 1', ": there is no field `xxx", id="long"),
        pytest.param(b'deviation = [3]\nport = """\n[[deviation]]\n"""', ": write each deviation as a", id="number"),
        pytest.param(b"# na\xefve", ":2: the baseline is not UTF-8 text: save it as UTF-8", id="latin-1"),
        pytest.param(b"\0", ":2: not TOML", id="nul"),
    ],
)
def test_what_is_no_baseline_is_one_line(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "known.toml").write_bytes(b"format = 1\n" + data)
    with pytest.raises(BaselineError) as caught:
        load_baseline(tmp_path / "known.toml", SPEC)
    text = str(caught.value).removeprefix(str(tmp_path / "known.toml"))
    assert text.startswith(said)
    assert len(text.splitlines()) == 1
    assert len(text) < 2100


@pytest.mark.parametrize("number", ["0x" + "f" * 10_000, "1.0", "inf", "1979-05-27"])
def test_the_format_is_a_number(tmp_path: Path, number: str) -> None:
    assert refused(tmp_path, head=f"format = {number}").startswith(": `format` ")


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "utf-16").write_bytes("format = 1".encode("utf-16"))
    (tmp_path / "loop").symlink_to("loop")
    with (tmp_path / "huge").open("wb") as file:
        file.write(b"format = 1")
        file.truncate(1 << 36)
    for name, said in (
        ("absent", "cannot be read: No such file"),
        ("loop", "cannot be read: Too many levels"),
        ("", "is a directory"),
        ("utf-16", "is UTF-16 or UTF-32 text: save it as UTF-8"),
        ("huge", "it has more than 8 MiB"),
    ):
        with pytest.raises(BaselineError, match=said):
            load_baseline(tmp_path / name, SPEC)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no FIFOs")
def test_a_pipe_and_a_device_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BaselineError, match="is a pipe: copy its data to a file first"):
        load_baseline(tmp_path / "pipe", SPEC)
    with pytest.raises(BaselineError, match="is a device: name a file"):
        load_baseline("/dev/zero", SPEC)


def test_a_level_that_is_judged_may_have_rows(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text(f'format = 1\n[[deviation]]\nclause = "{MAY}"\nreason = "x"\n')
    assert load_baseline(path, SPEC, ("may",)).deviations[0].clause == MAY


def test_the_guides_example_is_one(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs/baselines.md").read_text("utf-8")
    example = dedent(guide[guide.index("    format = 1") : guide.index("| key |")])
    (tmp_path / "known.toml").write_text(example, "utf-8")
    first, second = load_baseline(tmp_path / "known.toml", SPEC).deviations
    assert (first.kinds, second.outcomes) == (("unix-stream",), ("failed", "passed"))
