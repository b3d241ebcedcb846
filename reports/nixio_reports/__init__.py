"""Reports of a conformance run: the result stream, and pure functions from it to terminal, HTML, JUnit and a badge.

A run writes its stream with `Writer`, and everything else reads it with `read`:

    with Writer("out/results.jsonl") as writer:
        writer.write(Header(...))
    stream = read("out/results.jsonl")
    print_report(Console(), stream)
    write_reports(stream, "out")

Nothing here imports the suite or a port: the records carry all that is shown.
"""

from .badge import badge_data
from .deviations import DeviationView, deviations
from .html import html_page
from .junit import junit_xml
from .outcomes import GROUPS, OUTCOMES, Look, group, word
from .progress import Progress
from .records import FINDINGS, VERSION, Baseline, Deviation, Footer, Header, Host, Implementation, Outcome, Row, Step
from .stream import Problem, Record, Stream, StreamError, Writer, encode, read, schema
from .summary import (
    KINDS,
    METHODS,
    NO_KIND,
    Cell,
    ClauseView,
    Matrix,
    Skip,
    Tally,
    Verdict,
    clauses,
    counted,
    matrix,
    median_ms,
    skips,
    slowest,
    tally,
    totals,
    verdict,
)
from .terminal import (
    FULL,
    failure,
    failure_line,
    failures,
    print_report,
    problems,
    report,
    skipped,
    summary_table,
    verdict_line,
)
from .write import write_reports

__all__ = [
    "FINDINGS",
    "FULL",
    "GROUPS",
    "KINDS",
    "METHODS",
    "NO_KIND",
    "OUTCOMES",
    "VERSION",
    "Baseline",
    "Cell",
    "ClauseView",
    "Deviation",
    "DeviationView",
    "Footer",
    "Header",
    "Host",
    "Implementation",
    "Look",
    "Matrix",
    "Outcome",
    "Problem",
    "Progress",
    "Record",
    "Row",
    "Skip",
    "Step",
    "Stream",
    "StreamError",
    "Tally",
    "Verdict",
    "Writer",
    "badge_data",
    "clauses",
    "counted",
    "deviations",
    "encode",
    "failure",
    "failure_line",
    "failures",
    "group",
    "html_page",
    "junit_xml",
    "matrix",
    "median_ms",
    "print_report",
    "problems",
    "read",
    "report",
    "schema",
    "skipped",
    "skips",
    "slowest",
    "summary_table",
    "tally",
    "totals",
    "verdict",
    "verdict_line",
    "word",
    "write_reports",
]
