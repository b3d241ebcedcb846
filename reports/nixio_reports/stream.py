"""The result stream on disk: written line by line during a run, and readable however the run ended."""

from __future__ import annotations

import contextlib
import errno
import os
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from .files import FileError, open_file
from .lock import locked, writer_of
from .records import FINDINGS, VERSION, Footer, Header, Row
from .text import one_line

Record = Header | Row | Footer

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
#: Bytes of the longest line that is read. A row has 64,000 at most, a header those of its baseline.
LONGEST = 16 << 20
#: Problems that are kept with their text; of more, their number. Without any record before, the file is no stream.
PROBLEMS = 200
#: Problems after which the rest of the file is not read.
HOPELESS = 50_000
#: The fields that a stream may be read without.
EVIDENCE = ("steps", "scripts", "stderr")
_TYPES: dict[str, type[Record]] = {"header": Header, "row": Row, "footer": Footer}


def schema() -> dict[str, Any]:
    """The JSON Schema of one line of a stream."""
    return msgspec.json.schema(Record)


class Writer:
    """Writes a stream to `path`, replacing that of an older run, while it holds the stream's lock.

    Each record is in the file when `write` returns. Nothing is buffered, so that at most the record being written is
    lost when the process ends. The writer stays usable after a KeyboardInterrupt, even one inside `write`. Parent
    directories are created. Raises `StreamInUse`, and OSError when the file cannot be opened or written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as lock:
            lock.enter_context(locked(self.path))
            # A new file, because the old one may be a link to something else.
            self.path.unlink(missing_ok=True)
            self._file = self.path.open("xb", buffering=0)
            self._opened = os.fstat(self._file.fileno())
            self._lock = lock.pop_all()
        self._torn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def write(self, record: Record) -> None:
        """Append one record. Raises ValueError if the writer is closed.

        Raises OSError if the record cannot be written whole, of which nothing is left then, or if the path no longer
        leads to the file.
        """
        line = encode(record) + b"\n"
        if not self.in_place:
            raise FileNotFoundError(errno.ENOENT, "the file was removed or replaced", str(self.path))
        size = self._file.tell()
        # An interrupted write may have written any part of its line. A newline ends that part; if the line was
        # complete, the result is an empty line, which readers skip.
        if torn := self._torn:
            line = b"\n" + line
        self._torn = True
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(size)
                self._file.seek(size)
                self._torn = torn
            raise
        self._torn = False

    @property
    def in_place(self) -> bool:
        """Whether the path leads to the file."""
        try:
            return os.path.samestat(self._opened, os.stat(self.path))
        except OSError:
            return False

    def close(self) -> None:
        """Close the file and release the lock; a second time does nothing."""
        self._file.close()
        self._lock.close()


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
        file = open_file(path).detach()  # unbuffered
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


class StreamError(FileError):
    """Raised for a file that cannot be read, or has no readable header, so that it is unknown what was judged.

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
    Raises `StreamError` when the file cannot be read, or has no readable header.
    """
    if not isinstance(source, str | Path):
        return _Reader("<lines>").read(_with_places(source))
    try:
        with open_file(source) as file:
            return _Reader(str(source), light).read(_lines(file))
    except OSError as error:
        raise StreamError(f"{source} cannot be read: {error.strerror or error}") from None
    except StreamError:
        raise
    except FileError as error:
        raise StreamError(str(error)) from None


def _lines(file: BufferedReader) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their offsets; of one that is too long to be a record, the beginning."""
    while line := file.readline(LONGEST + 1):
        yield file.tell() - len(line), line
        while len(line) > LONGEST and not line.endswith(b"\n"):
            line = file.readline(LONGEST + 1)


def _with_places(lines: Iterable[bytes | str]) -> Iterator[tuple[int, bytes]]:
    for text in lines:
        yield 0, text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text


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
    #: The number of problems that were not kept.
    others: int = 0
    newer: int = 0
    last: int = 0
    #: The offset and the length of the line that is being read, and of lines whose evidence was left there.
    place: tuple[int, int] = (0, 0)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def read(self, lines: Iterable[tuple[int, bytes]]) -> Stream:
        """Read all lines, given with their offsets; of a file that is no stream, the first ones."""
        for number, (offset, line) in enumerate(lines, 1):
            self.place = offset, len(line)
            self.take(number, line)
            if not (self.header or self.rows or self.footer) and (self.others or offset + len(line) > LONGEST):
                break
            if self.others >= HOPELESS:
                self.problem(0, f"the lines after {number} were not read", "too many are no records; run it again")
                break
        return self.finish()

    def problem(self, line: int, what: str, hint: str) -> None:
        if len(self.problems) < PROBLEMS or not line:
            self.problems.append(Problem(self.path, line, one_line(what, 500), hint))
        else:
            self.others += 1

    def take(self, number: int, line: bytes) -> None:
        """Read one line: keep its record, or add a problem."""
        if len(line) <= LONGEST and not line.strip():
            return
        self.last = number
        left_out = "the line is left out; run its case again"
        if len(line) > LONGEST:
            self.problem(number, f"not a record of a stream: a line of more than {LONGEST} bytes", left_out)
            return
        try:
            record = self._decode(line)
        except (ValueError, RecursionError) as error:  # of msgspec; of an int with more digits than Python converts
            if line.endswith(b"\n") or isinstance(error, msgspec.ValidationError):
                self.problem(number, f"not a record of a stream: {error}", left_out)
            else:
                self.problem(number, "the line was cut off", left_out)
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
        if self.footer is not None:
            self._compare(self.footer, rows)
        elif (pid := writer_of(self.path)) is not None:
            run = f"process {pid}" if pid else "another process"
            self.problem(
                0,
                f"the run is still going on, in {run}",
                f"{len(rows)} cases were recorded so far and are shown; wait for its end",
            )
        else:
            self.problem(
                0, "the run was stopped before its end", f"{len(rows)} cases were recorded and are shown; run it again"
            )
        if self.others:
            self.problem(0, f"{self.others} more problems", "run it again")
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
            text += "".join(f" (line {one.line}: {one.what})" for one in self.problems[:1])
        return StreamError(text, tuple(self.problems), rows)
