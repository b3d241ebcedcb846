"""The result stream on disk: written line by line during a run, and readable however the run ended."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from .records import FINDINGS, VERSION, Footer, Header, Row

Record = Header | Row | Footer

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
#: The fields that a stream may be read without.
EVIDENCE = ("steps", "scripts", "stderr")
_TYPES: dict[str, type[Record]] = {"header": Header, "row": Row, "footer": Footer}


def schema() -> dict[str, Any]:
    """The JSON Schema of one line of a stream."""
    return msgspec.json.schema(Record)


class Writer:
    """Writes a stream to `path`, replacing that of an older run.

    Each record is in the file when `write` returns. Nothing is buffered, so that at most the record being written is
    lost when the process ends. The writer stays usable after a KeyboardInterrupt, even one inside `write`. Parent
    directories are created. Raises OSError when the file cannot be opened or written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("wb", buffering=0)
        self._torn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def write(self, record: Record) -> None:
        """Append one record. Raises ValueError if the writer is closed."""
        line = encode(record) + b"\n"
        # An interrupted write may have written any part of its line. A newline ends that part; if the line was
        # complete, the result is an empty line, which readers skip.
        if self._torn:
            line = b"\n" + line
        self._torn = True
        rest = memoryview(line)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._torn = False

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._file.close()


def encode(record: Record) -> bytes:
    """One line of a stream, without its newline. Lone surrogates are written as escapes."""
    try:
        return _ENCODER.encode(record)
    except UnicodeEncodeError:
        return _ENCODER.encode(_encodable(msgspec.to_builtins(record)))


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Problem:
    """An error in a stream: its line, what is wrong, and what to do about it. Line 0 means the stream as a whole."""

    path: str
    line: int
    what: str
    hint: str

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.what}; {self.hint}"


@dataclass(frozen=True, slots=True)
class Stream:
    """The records of a run, and the problems found while reading them. Without a footer, the run was interrupted."""

    header: Header
    rows: tuple[Row, ...] = ()
    footer: Footer | None = None
    problems: tuple[Problem, ...] = ()
    #: Where the evidence of rows is that were read without it.
    evidence: Evidence | None = field(default=None, compare=False, repr=False)

    def whole(self, row: Row) -> Row:
        """The row with its evidence, if the stream was read without it; raises OSError if the file cannot be read."""
        return self.evidence.add_to(row) if self.evidence else row


class Evidence:
    """Steps, scripts and standard error of rows, left in the file: they are nine tenths of a stream of failures."""

    def __init__(self, path: Path, places: dict[str, tuple[int, int]], decode: Callable[[bytes], Record]) -> None:
        """`places` has the offset and the length of the line of each case that has evidence."""
        self._places = places
        self._decode = decode
        file = path.open("rb", buffering=0)
        self._file = file
        weakref.finalize(self, file.close)

    def add_to(self, row: Row) -> Row:
        """The row with its evidence."""
        if row.case not in self._places:
            return row
        offset, length = self._places[row.case]
        self._file.seek(offset)
        try:
            record = self._decode(self._file.read(length))
        except (msgspec.DecodeError, UnicodeError):
            return row  # another run has overwritten the file
        if not isinstance(record, Row) or record.case != row.case:
            return row
        return msgspec.structs.replace(row, **{name: getattr(record, name) for name in EVIDENCE})


class StreamError(Exception):
    """Raised for a stream without a readable header, so that it is unknown what was judged.

    `problems` are those of its lines, `rows` the rows that could be read nevertheless.
    """

    def __init__(self, message: str, problems: tuple[Problem, ...] = (), rows: tuple[Row, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems
        self.rows = rows


def read(source: str | Path | Iterable[bytes | str], *, light: bool = False) -> Stream:
    """Read a stream from a file (a path) or from lines.

    With `light`, the rows of a file have neither steps nor scripts nor standard error: `Stream.whole` reads those of
    one row again. This takes a tenth of the memory. Each corrupt line becomes a `Problem`, and all others are kept.
    Raises StreamError without a readable header, and OSError when the file cannot be read.
    """
    if isinstance(source, str | Path):
        with Path(source).open("rb") as file:
            return _Reader(str(source), light).read(file)
    return _Reader("<lines>").read(source)


@dataclass(slots=True)
class _Reader:
    """The records and problems read so far."""

    path: str
    light: bool = False
    header: Header | None = None
    footer: Footer | None = None
    footer_line: int = 0
    rows: dict[str, Row] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    newer: int = 0
    last: int = 0
    #: The offset and the length of the line that is being read, and of lines whose evidence was left there.
    place: tuple[int, int] = (0, 0)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def read(self, lines: Iterable[bytes | str]) -> Stream:
        """Read all lines."""
        offset = 0
        for number, text in enumerate(lines, 1):
            line = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
            self.place = offset, len(line)
            offset += len(line)
            self.take(number, line)
        return self.finish()

    def problem(self, line: int, what: str, hint: str) -> None:
        self.problems.append(Problem(self.path, line, what, hint))

    def take(self, number: int, line: bytes) -> None:
        """Read one line: keep its record, or add a problem."""
        if not line.strip():
            return
        self.last = number
        try:
            record = self._decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            if line.endswith(b"\n") or isinstance(error, msgspec.ValidationError):
                self.problem(number, f"not a record of a stream: {error}", "the line is left out; run its case again")
            else:
                self.problem(number, "the line was cut off", "the line is left out; run its case again")
            return
        if isinstance(record, Header):
            self._header(number, record)
        elif isinstance(record, Row):
            self._row(number, record)
        elif self.footer is not None:
            self.problem(number, "a second footer", "the last one counts; give each run a directory of its own")
            self._footer(number, record)
        else:
            self._footer(number, record)

    def _decode(self, line: bytes) -> Record:
        try:
            return _DECODER.decode(line)
        except msgspec.ValidationError as error:
            return self._newer(line, error)

    def _newer(self, line: bytes, error: msgspec.ValidationError) -> Record:
        """Decode a line of a newer suite by its known fields; raises `error` when those do not suffice."""
        raw = msgspec.json.decode(line)
        kind = _TYPES.get(str(raw.get("record"))) if isinstance(raw, dict) else None
        if kind is None:
            raise error
        version = raw.get("version")
        if kind is Header and isinstance(version, int) and version > VERSION:
            self.newer = version
        if not self.newer:
            raise error
        known = {"record", *kind.__struct_fields__}
        return msgspec.convert({key: value for key, value in raw.items() if key in known}, kind)

    def _header(self, number: int, header: Header) -> None:
        if self.header is not None:
            self.problem(number, "a second header", "the first one counts; give each run a directory of its own")
            return
        if self.rows or self.footer:
            self.problem(
                number, "the header is not the first line", "it is used; the lines are not in their first order"
            )
        if header.version > VERSION:
            self.newer = header.version
            self.problem(
                number,
                f"written by a newer suite (version {header.version} of the stream, this one reads {VERSION})",
                "update nixio-conformance to read all of it",
            )
        self.header = header

    def _row(self, number: int, row: Row) -> None:
        kept = self.rows.get(row.case)
        if kept is None:
            if self.footer is not None:
                self.problem(number, "a row after the footer", "it is used; give each run a directory of its own")
            self._keep(row)
            self.lines[row.case] = number
            return
        # A finding or an error must not be hidden by a pass, whatever their order.
        bad = (*FINDINGS, "suite-error")
        worse = row.outcome in bad and kept.outcome not in bad
        if worse:
            self._keep(row)
        used = f"this one ({row.outcome})" if worse else f"the first one ({kept.outcome})"
        self.problem(
            number,
            f"case {row.case!r} has a row already, in line {self.lines[row.case]}",
            f"{used} counts; give each run a directory of its own",
        )

    def _keep(self, row: Row) -> None:
        if self.light:
            self.places.pop(row.case, None)
            if row.steps or row.scripts or row.stderr:
                self.places[row.case] = self.place
                row = msgspec.structs.replace(row, steps=(), scripts={}, stderr="")
        self.rows[row.case] = row

    def _footer(self, number: int, footer: Footer) -> None:
        self.footer, self.footer_line = footer, number

    def finish(self) -> Stream:
        """The stream of all lines. Raises StreamError without a header."""
        rows = tuple(self.rows.values())
        if self.header is None:
            raise self._headless(rows)
        if self.footer is None:
            self.problem(
                0, "the run was stopped before its end", f"{len(rows)} cases were recorded and are shown; run it again"
            )
        else:
            self._compare(self.footer, rows)
        evidence = Evidence(Path(self.path), self.places, self._decode) if self.places else None
        return Stream(self.header, rows, self.footer, tuple(self.problems), evidence)

    def _compare(self, footer: Footer, rows: tuple[Row, ...]) -> None:
        """Compare the footer's counts with the rows, to detect rows that were lost or added."""
        found = Counter[str](row.outcome for row in rows)
        for outcome in sorted({*found, *footer.counts}):
            expected = footer.counts.get(outcome, 0)
            if expected != found[outcome]:
                self.problem(
                    self.footer_line,
                    f"the footer counts {expected} {outcome}, and the stream has {found[outcome]}",
                    "rows were lost or added; run it again",
                )

    def _headless(self, rows: tuple[Row, ...]) -> StreamError:
        if not self.last:
            text = f"{self.path} is empty: the run ended before its first record; run it again"
        elif self.newer:
            text = f"{self.path} was written by a newer suite (version {self.newer} of the stream); update this one"
        else:
            text = f"{self.path} has no readable header, so it is unknown what was judged; is it a results.jsonl?"
        return StreamError(text, tuple(self.problems), rows)
