"""Reports of a conformance run: the result stream, and pure functions that turn it into reports and a badge.

A run writes its stream with `Writer`. To report it, read it, summarize it once, and pass the summary on:

    with Writer("out/results.jsonl") as writer:
        writer.write(Header(...))
    summary = summarize(read("out/results.jsonl"))
    write_reports(summary, "out")
    print_report(Console(), summary)

Nothing here imports the suite or an implementation: the records carry everything that is shown.
"""

from .badge import badge_data
from .deviations import DeviationView, deviations
from .files import FileError, open_file
from .html import html_page
from .junit import junit_xml
from .lock import StreamInUse
from .matrix import Matrix, MatrixCell, Tally
from .order import NO_KIND, kinds, methods
from .outcomes import GROUPS, OUTCOMES, Look, group, label
from .progress import Progress
from .records import FINDINGS, VERSION, Baseline, Deviation, Footer, Header, Host, Implementation, Outcome, Row, Step
from .stream import Problem, Record, Stream, StreamError, Writer, encode, read, schema
from .summary import ClauseView, Skip, Summary, summarize
from .terminal import FULL, failure_line, print_report
from .totals import totals
from .verdict import Verdict
from .write import remove_drafts, write_reports

__all__ = [
    "FINDINGS",
    "FULL",
    "GROUPS",
    "NO_KIND",
    "OUTCOMES",
    "VERSION",
    "Baseline",
    "ClauseView",
    "Deviation",
    "DeviationView",
    "FileError",
    "Footer",
    "Header",
    "Host",
    "Implementation",
    "Look",
    "Matrix",
    "MatrixCell",
    "Outcome",
    "Problem",
    "Progress",
    "Record",
    "Row",
    "Skip",
    "Step",
    "Stream",
    "StreamError",
    "StreamInUse",
    "Summary",
    "Tally",
    "Verdict",
    "Writer",
    "badge_data",
    "deviations",
    "encode",
    "failure_line",
    "group",
    "html_page",
    "junit_xml",
    "kinds",
    "label",
    "methods",
    "open_file",
    "print_report",
    "read",
    "remove_drafts",
    "schema",
    "summarize",
    "totals",
    "write_reports",
]
