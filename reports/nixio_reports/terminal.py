"""The report on the terminal, as rich renderables. Texts are untrusted; colour is never the only indication."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from .deviations import DeviationView
from .matrix import Tally
from .order import NO_KIND
from .outcomes import ACTORS, GROUPS, PLEASE_REPORT, label
from .outcomes import Group as OutcomeGroup
from .records import Row, Step
from .stream import Problem
from .summary import Summary
from .text import clip, count, duration, one_line, visible

#: Failures shown in full before the others get one line each.
FULL = 20
#: Failures, and informational ones, that get a line: more than the suite has cases, in a stream of many runs.
LINES = 10_000
#: Steps of a transcript that are shown: the last ones, which lead to the failure.
STEPS = 30

# Replacements for terminals without Unicode.
_PLAIN = str.maketrans(
    {"‼": "!!", "✗": "x", "✓": "+", "△": "!", "≈": "~", "○": "o", "»": ">", "…": "...", "→": "->", "·": "."}
)


class Encodable:
    """A renderable whose text is converted to the console's encoding if that is not Unicode."""

    def __init__(self, renderable: RenderableType) -> None:
        self.renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        segments = console.render(self.renderable, options)
        if not options.ascii_only:
            yield from segments
            return
        for segment in segments:
            text = segment.text.translate(_PLAIN).encode(options.encoding, "backslashreplace").decode(options.encoding)
            yield Segment(text, segment.style, segment.control)


def print_report(console: Console, summary: Summary, *, limit: int = FULL, html: str | Path | None = None) -> None:
    """Print problems, errors of the suite, failures, known deviations, a table of methods, skips, and the verdict.

    Failures beyond `limit` get one line each; `html` is the path of the HTML report for the hint to it. Commands to
    run a case again stay on one line, however long, so that they can be copied.
    """
    console.print(Encodable(Group(*_sections(summary, limit, html))), crop=False, highlight=False)


def _sections(summary: Summary, limit: int, html: str | Path | None) -> Iterator[RenderableType]:
    if summary.stream.problems:
        yield from (_problems(summary.stream.problems), Text())
    yield from _findings(summary, limit, html)
    if summary.deviations:
        yield from (_known_deviations(summary), Text())
    yield from (_table(summary), Text())
    if summary.skips:
        yield from (_skipped(summary), Text())
    yield _verdict_line(summary)


def _verdict_line(summary: Summary) -> Text:
    """`✓ conforming: 2431 passed, 12 skipped by the host`."""
    groups: dict[str, OutcomeGroup] = {"conforming": "passed", "not-conforming": "failed", "no-verdict": "unrun"}
    look = GROUPS[groups[summary.verdict.state]]
    return Text.assemble((f"{look.symbol} ", look.colour), (visible(summary.verdict.text), f"bold {look.colour}"))


def _known_deviations(summary: Summary) -> RenderableType:
    """Each row of the baseline that covers a case of the run, with its reason; and the changes that the file needs."""
    grid = _grid()
    for view in summary.deviations:
        what = Text.assemble((one_line(view.deviation.clause), "bold"), f" on {one_line(view.covers)}: ")
        grid.add_row(_standing(view), what + Text(one_line(view.deviation.reason, 600)))
    parts: list[RenderableType] = [Text("known deviations", "bold magenta"), _indented(grid)]
    if summary.stale:
        parts += [Text(), Text("the baseline is out of date:", "bold red")]
        for view in summary.stale:
            parts += [Text(f"  {line}") for line in _edits(view)]
        baseline = summary.stream.header.baseline
        path = baseline.path if baseline else ""
        parts.append(_uncut("  ", f"or: nixio-conformance baseline RESULTS.JSONL -o {path}"))
    return Group(*parts)


def _standing(view: DeviationView) -> Text:
    """The number of contradicting cases, else of cases that failed as the row says, else why there are none."""
    if view.stale:
        return Text(f"✗{len(view.passing) + len(view.changed)}", GROUPS["failed"].colour)
    if view.known:
        return Text(f"≈{len(view.known)}", GROUPS["known"].colour)
    return Text("unproven" if view.unproven else "passed", "bright_black")


def _edits(view: DeviationView) -> Iterator[str]:
    where = f"{view.where} {view.deviation.clause}"
    if view.passing:
        yield one_line(f"{where}: {count(len(view.passing), 'case')} passed: {view.edit}", 2000)
    if view.changed:
        outcomes = " and ".join(sorted({label(row.outcome) for row in view.changed}))
        yield one_line(f"{where}: {count(len(view.changed), 'case')} {outcomes}, which the row does not allow", 2000)


def _problems(found: Sequence[Problem]) -> RenderableType:
    """The errors in the stream itself, and what to do about them."""
    grid = _grid()
    for problem in found:
        grid.add_row(Text("!", "yellow"), Text(visible(str(problem))))
    return Group(Text(f"{count(len(found), 'problem')} in the result stream", "bold yellow"), _indented(grid))


def _table(summary: Summary) -> RenderableType:
    """Methods by families: each cell has the failed and the executed cases, and the last columns have the totals."""
    found = summary.matrix
    families = tuple(dict.fromkeys(map(_family, found.kinds)))
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", expand=False)
    table.add_column("method", no_wrap=True)
    for family in families:
        table.add_column(Text("no kind" if family == NO_KIND else one_line(family)), justify="right", no_wrap=True)
    for title in ("failed", "other", "skipped", "passed"):
        table.add_column(title, justify="right", no_wrap=True)
    for method in found.methods:
        cells = [(_family(kind), found.cells[method, kind]) for kind in found.kinds if (method, kind) in found.cells]
        tallies = [sum((cell.tally for of, cell in cells if of == family), Tally()) for family in families]
        table.add_row(Text(one_line(method)), *map(_cell, tallies), *_columns(found.by_method[method]))
    sums = [
        sum((found.by_kind[kind] for kind in found.kinds if _family(kind) == family), Tally()) for family in families
    ]
    table.add_row(Text("all", "bold"), *map(_cell, sums), *_columns(found.total))
    return Group(table, Text(_legend(summary), "bright_black"))


def _legend(summary: Summary) -> str:
    stream, total = summary.stream, summary.matrix.total
    parts = [f"{count(len(stream.rows), 'case')}"]
    if stream.footer:
        parts.append(f"in {duration(stream.footer.seconds)}")
    parts.append(f"median {duration(summary.median)}")
    if total.failed:
        parts.append("✗1/9: 1 of 9 failed")
    others = {
        f"{count(total.error, 'error')} of the suite": total.error,
        count(total.known, "known deviation"): total.known,
        f"{total.informational} informational": total.informational,
        f"{total.unrun} not run": total.unrun,
    }
    if any(others.values()):
        parts.append("other: " + " and ".join(text for text, number in others.items() if number))
    return "; ".join(parts)


def _cell(tally: Tally) -> Text:
    """The most important number of a cell: the failed cases, else the passed ones, else those that did not run."""
    if tally.failed:
        return Text(f"✗{tally.failed}/{tally.total - tally.skipped - tally.unrun}", GROUPS["failed"].colour)
    for name, number in reversed(tally.parts()):
        if name != "skipped" or tally.skipped == tally.total:
            return Text(f"{GROUPS[name].symbol}{number}", GROUPS[name].colour)
    return Text("·", "bright_black")


def _columns(tally: Tally) -> list[Text]:
    other = tally.error + tally.informational + tally.known + tally.unrun
    numbers = ((tally.failed, "red"), (other, "yellow"), (tally.skipped, "bright_black"), (tally.passed, "green"))
    return [Text(str(number), colour) if number else Text("·", "bright_black") for number, colour in numbers]


def _family(kind: str) -> str:
    return kind if kind == NO_KIND else kind.split("-")[0]


def _skipped(summary: Summary) -> RenderableType:
    """The reasons for skips, each with its number of cases."""
    grid = _grid()
    for skip in summary.skips:
        reason = one_line(skip.reason) or "no reason was given"
        grid.add_row(Text(str(len(skip.rows)), justify="right"), Text(f"by the {skip.by}: {reason}"))
    return Group(Text("skipped", "bold"), _indented(grid))


def _findings(summary: Summary, limit: int, html: str | Path | None) -> Iterator[RenderableType]:
    """Full details for the first `limit` errors of the suite and failures; one line for most of the rest."""
    verdict = summary.verdict
    for row in (*verdict.suite_errors[:limit], *verdict.findings[:limit]):
        yield from (_failure(summary.stream.whole(row), summary.groups[row.case]), Text())
    if rest := verdict.suite_errors[limit:]:
        yield Text(f"and {count(len(rest), 'more error')} of the suite", "bold")
        yield Text()
    if rest := verdict.findings[limit:]:
        where = f"in full in {html}" if html else "for full details, use --report DIR and open its report.html"
        yield Text(f"{count(len(rest), 'more failure')}, {where}:", "bold")
        yield from (failure_line(row, "failed") for row in rest[:LINES])
        if len(rest) > LINES:
            yield Text(f"and {count(len(rest) - LINES, 'more failure')}", "bold")
        yield Text()
    if verdict.informational:
        yield Text("informational, not judged:", "bold yellow")
        yield from (failure_line(row, "informational") for row in verdict.informational[:LINES])
        if len(verdict.informational) > LINES:
            yield Text(f"and {len(verdict.informational) - LINES} more", "bold")
        yield Text()


def failure_line(row: Row, group: OutcomeGroup) -> Text:
    """One finding on one line: symbol, case and message."""
    look = GROUPS[group]
    start = Text.assemble((f"{look.symbol} ", look.colour), (one_line(row.case), "bold"))
    message = one_line(row.message or row.actual or label(row.outcome))
    line = Text.assemble(start, f" {label(row.outcome)}: {message}" if row.outcome != "failed" else f" {message}")
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _failure(row: Row, group: OutcomeGroup) -> RenderableType:
    """One finding or error in full: the requirement, its source, the calls with results, and how to run it again."""
    look = GROUPS[group]
    head = Text.assemble((f"{look.symbol} ", look.colour), (one_line(row.case), "bold"))
    grid = _grid()
    for name, value in _facts(row):
        grid.add_row(Text(name, "bright_black"), value)
    parts: list[RenderableType] = [head, _indented(grid)]
    if row.rerun:
        parts.append(_uncut("  rerun     ", row.rerun))
    return Group(*parts)


def _facts(row: Row) -> Iterator[tuple[str, RenderableType]]:
    yield "outcome", Text(label(row.outcome), "red")
    yield "clause", Text(one_line(f"{row.clause} ({row.level}, {row.source})"))
    yield "requires", Text(one_line(row.requires, 600))
    for name, text in (("message", row.message), ("expected", row.expected), ("actual", row.actual)):
        if text:
            yield name, Text(visible(clip(text, 2000)), "bold" if name == "actual" else "")
    if row.steps:
        yield "steps", _transcript(row.steps)
    if row.scripts:
        languages = " and ".join(one_line(language, 20) for language in row.scripts)
        yield "script", Text(f"repeats it in {languages}: see the HTML report", "bright_black")
    if row.stderr:
        yield "stderr", Text(visible(row.stderr[-1000:].strip()))
    if row.traceback:
        yield "suite", Text(f"{PLEASE_REPORT}; the traceback is in the HTML report", "yellow")


def _transcript(steps: tuple[Step, ...]) -> RenderableType:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(justify="right", no_wrap=True, style="bright_black")
    grid.add_column(no_wrap=True, style="bright_black")
    grid.add_column(overflow="fold")
    if len(steps) > STEPS:
        grid.add_row("", "", Text(f"… {len(steps) - STEPS} earlier steps are in the report", "bright_black"))
    for step in steps[-STEPS:]:
        call = Text.assemble(one_line(step.call), (" → ", "bright_black"), one_line(step.result))
        grid.add_row(f"{step.at * 1000:.1f} ms", ACTORS[step.actor], call)
    return grid


def _grid() -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(min_width=9, no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _indented(grid: Table) -> Padding:
    return Padding(grid, (0, 0, 0, 2))


def _uncut(start: str, command: str) -> RenderableType:
    text = Text.assemble((start, "bright_black"), one_line(command, 4000))
    text.no_wrap, text.overflow = True, "ignore"
    return text
