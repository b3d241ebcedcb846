"""A stream on the terminal: rich renderables, none of which trusts a text or needs colour to be understood."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from .deviations import DeviationView, deviations, stale
from .outcomes import GROUPS, group, word
from .records import Row, Step
from .stream import Problem, Stream
from .summary import NO_KIND, Tally, matrix, median_ms, skips, verdict
from .text import clip, count, duration, one_line, visible

#: Failures shown in full before the others get one line each.
FULL = 20
#: Steps of a transcript shown on the terminal: the last ones lead to the failure.
STEPS = 30

# For terminals that cannot show more than ASCII.
_PLAIN = str.maketrans({"✗": "x", "✓": "+", "△": "!", "≈": "~", "○": "o", "»": ">", "…": "...", "→": "->", "·": "."})


class Encodable:
    """A renderable whose text is brought into the console's encoding, where that is not Unicode."""

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


def report(stream: Stream, *, limit: int = FULL, html: str | Path | None = None) -> RenderableType:
    """All of it, in the order to read it: problems, failures, summary, skips, and last the verdict.

    `html` is where the HTML report is, for the hint when failures beyond `limit` are cut short.
    """
    parts: list[RenderableType] = []
    if stream.problems:
        parts += [problems(stream.problems), Text()]
    if verdict(stream).findings or verdict(stream).told:
        parts += [failures(stream, limit=limit, html=html)]
    if deviations(stream):
        parts += [known_deviations(stream), Text()]
    parts += [summary_table(stream), Text()]
    if skips(stream.rows):
        parts += [skipped(stream), Text()]
    parts.append(verdict_line(stream))
    return Encodable(Group(*parts))


def print_report(console: Console, stream: Stream, *, limit: int = FULL, html: str | Path | None = None) -> None:
    """Print `report`; commands to run again stay on one line each, however long, so that they can be copied."""
    console.print(report(stream, limit=limit, html=html), crop=False, highlight=False)


def verdict_line(stream: Stream) -> Text:
    """The verdict in words, `conforming: 2431 passed, 12 skipped by the host`."""
    made = verdict(stream)
    name = "passed" if made.conforming else "unrun" if made.state == "no-verdict" else "failed"
    symbol = {"passed": "✓", "unrun": "○", "failed": "✗"}[name]
    colour = {"passed": "green", "unrun": "yellow", "failed": "red"}[name]
    return Text.assemble((f"{symbol} ", colour), (visible(made.words), f"bold {colour}"))


def known_deviations(stream: Stream) -> RenderableType:
    """Each row of the baseline that had a case in the run, with its reason; and what to change in the file."""
    views = deviations(stream)
    grid = _grid()
    for view in views:
        what = Text.assemble((one_line(view.deviation.clause), "bold"), f" on {one_line(view.covers)}: ")
        grid.add_row(_standing(view), what + Text(one_line(view.deviation.reason, 600)))
    parts: list[RenderableType] = [Text("known deviations", "bold magenta"), _indented(grid)]
    if stale(views):
        parts += [Text(), Text("the baseline does not fit any more:", "bold red")]
        for view in stale(views):
            parts += [Text(f"  {line}") for line in _mends(view)]
        parts.append(_uncut("  ", "or: nixio-conformance baseline RESULTS.JSONL -o " + _path(stream)))
    return Group(*parts)


def _path(stream: Stream) -> str:
    return stream.header.baseline.path if stream.header.baseline else ""


def _standing(view: DeviationView) -> Text:
    """How many cases failed as it says, else why none did."""
    if view.passing or view.changed:
        return Text(f"✗{len(view.passing) + len(view.changed)}", GROUPS["failed"].colour)
    if view.known:
        return Text(f"≈{len(view.known)}", GROUPS["known"].colour)
    return Text("unproven" if view.unproven else "passed", "bright_black")


def _mends(view: DeviationView) -> Iterator[str]:
    where = f"{view.where} {view.deviation.clause}"
    if view.passing:
        yield one_line(f"{where}: {count(len(view.passing), 'case')} passed: {view.edit}", 2000)
    if view.changed:
        outcomes = " and ".join(sorted({word(row.outcome) for row in view.changed}))
        yield one_line(f"{where}: {count(len(view.changed), 'case')} {outcomes}, which the row does not say", 2000)


def problems(found: Sequence[Problem]) -> RenderableType:
    """What is wrong with the stream itself, and how to mend it."""
    grid = _grid()
    for problem in found:
        grid.add_row(Text("!", "yellow"), Text(visible(str(problem))))
    return Group(Text(f"{count(len(found), 'problem')} of the results' stream", "bold yellow"), _indented(grid))


def summary_table(stream: Stream) -> RenderableType:
    """A compact table: methods by families, each with what failed of what was run, and the totals beside it."""
    found = matrix(stream.rows, stream.header.judged)
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
    return Group(table, Text(_legend(stream, found.total), "bright_black"))


def _legend(stream: Stream, total: Tally) -> str:
    parts = [f"{count(len(stream.rows), 'case')}"]
    if stream.footer:
        parts.append(f"in {duration(stream.footer.seconds)}")
    parts.append(f"median {duration(median_ms(stream.rows) / 1000)}")
    if total.failed:
        parts.append("✗1/9: 1 of 9 failed")
    others = {"known deviations": total.known, "told, not judged": total.told, "not run": total.unrun}
    if any(others.values()):
        parts.append("other: " + " and ".join(f"{number} {name}" for name, number in others.items() if number))
    return "; ".join(parts)


def _cell(tally: Tally) -> Text:
    """What matters most of a cell: what failed, else what passed, else that nothing was shown."""
    if tally.failed:
        return Text(f"✗{tally.failed}/{tally.total - tally.skipped - tally.unrun}", GROUPS["failed"].colour)
    for name, number in reversed(tally.parts()):
        if name != "skipped" or tally.skipped == tally.total:
            return Text(f"{GROUPS[name].symbol}{number}", GROUPS[name].colour)
    return Text("·", "bright_black")


def _columns(tally: Tally) -> list[Text]:
    other = tally.told + tally.known + tally.unrun
    numbers = ((tally.failed, "red"), (other, "yellow"), (tally.skipped, "bright_black"), (tally.passed, "green"))
    return [Text(str(number), colour) if number else Text("·", "bright_black") for number, colour in numbers]


def _family(kind: str) -> str:
    return kind if kind == NO_KIND else kind.split("-")[0]


def skipped(stream: Stream) -> RenderableType:
    """Why cases were skipped, and how many for each reason."""
    grid = _grid()
    for skip in skips(stream.rows):
        reason = one_line(skip.reason) or "no reason was given"
        grid.add_row(Text(str(len(skip.rows)), justify="right"), Text(f"by the {skip.by}: {reason}"))
    return Group(Text("skipped", "bold"), _indented(grid))


def failures(stream: Stream, *, limit: int = FULL, html: str | Path | None = None) -> RenderableType:
    """Findings of judged levels in full up to `limit`, the others and what is only told on one line each."""
    made = verdict(stream)
    parts: list[RenderableType] = []
    for row in made.findings[:limit]:
        parts += [failure(row), Text()]
    rest = made.findings[limit:]
    if rest:
        where = f"in full in {html}" if html else "for all in full, use --report DIR and open its report.html"
        parts.append(Text(f"{count(len(rest), 'more failure')}, {where}:", "bold"))
        parts += [failure_line(row) for row in rest]
        parts.append(Text())
    if made.told:
        parts.append(Text("told, not judged:", "bold yellow"))
        parts += [failure_line(row, stream.header.judged) for row in made.told]
        parts.append(Text())
    return Group(*parts)


def failure_line(row: Row, judged: Collection[str] = ("must", "should", "may")) -> Text:
    """One finding on one line: symbol, case, what is wrong."""
    look = GROUPS[group(row, judged)]
    start = Text.assemble((f"{look.symbol} ", look.colour), (one_line(row.case), "bold"))
    said = one_line(row.message or row.actual or word(row.outcome))
    line = Text.assemble(start, f" {word(row.outcome)}: {said}" if row.outcome != "failed" else f" {said}")
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def failure(row: Row) -> RenderableType:
    """One finding in full: what was required by whom, what was called, what came back, and how to see it again."""
    head = Text.assemble(("✗ ", "red"), (one_line(row.case), "bold"))
    grid = _grid()
    for label, value in _facts(row):
        grid.add_row(Text(label, "bright_black"), value)
    parts: list[RenderableType] = [head, _indented(grid)]
    if row.rerun:
        parts.append(_uncut("  rerun     ", row.rerun))
    return Group(*parts)


def _facts(row: Row) -> Iterator[tuple[str, RenderableType]]:
    yield "outcome", Text(word(row.outcome), "red")
    yield "clause", Text(one_line(f"{row.clause} ({row.level}, {row.source})"))
    yield "requires", Text(one_line(row.requires, 600))
    for label, text in (("wrong", row.message), ("expected", row.expected), ("actual", row.actual)):
        if text:
            yield label, Text(visible(clip(text, 2000)), "bold" if label == "actual" else "")
    if row.steps:
        yield "steps", _transcript(row.steps)
    if row.scripts:
        languages = " and ".join(one_line(language, 20) for language in row.scripts)
        yield "script", Text(f"shows it again in {languages}: see the HTML report", "bright_black")
    if row.stderr:
        yield "stderr", Text(visible(row.stderr[-1000:].strip()))
    if row.traceback:
        yield "suite", Text("the suite itself is at fault, please report it:", "yellow")
        yield "", Text(visible(row.traceback[-4000:].strip()))


def _transcript(steps: tuple[Step, ...]) -> RenderableType:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(justify="right", no_wrap=True, style="bright_black")
    grid.add_column(no_wrap=True, style="bright_black")
    grid.add_column(overflow="fold")
    if len(steps) > STEPS:
        grid.add_row("", "", Text(f"… {len(steps) - STEPS} earlier steps are in the report", "bright_black"))
    for step in steps[-STEPS:]:
        said = Text.assemble(one_line(step.call), (" → ", "bright_black"), one_line(step.result))
        grid.add_row(f"{step.at * 1000:.1f} ms", step.actor, said)
    return grid


def _grid() -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(min_width=9, no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _indented(grid: Table) -> Padding:
    return Padding(grid, (0, 0, 0, 2))


def _uncut(label: str, command: str) -> RenderableType:
    text = Text.assemble((label, "bright_black"), one_line(command, 4000))
    text.no_wrap, text.overflow = True, "ignore"
    return text
