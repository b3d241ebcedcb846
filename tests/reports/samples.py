"""Streams for the tests: small, with every outcome, and as large as a real run's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

from nixio_reports import (
    FINDINGS,
    Footer,
    Header,
    Host,
    Implementation,
    Outcome,
    Row,
    Step,
    Stream,
    kinds,
    methods,
    totals,
)

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


def header(**changes: Any) -> Header:
    fields: dict[str, Any] = {
        "suite": "0.1.0",
        "implementation": Implementation(name="sample", version="1.2", language="Lua 5.4", asked="--target a:b"),
        "host": Host(
            system="Linux",
            release="6.8",
            machine="x86_64",
            python="3.12.1",
            user="uid 1000",
            capabilities={"ipv6": "", "raw": "CAP_NET_RAW is missing"},
        ),
        "command": "nixio-conformance run --target a:b",
        "started": "2026-01-02T03:04:05+00:00",
    }
    return Header(**{**fields, **changes})


def row(case: str = "send.offset[inet-stream-tail]", outcome: Outcome = "passed", **changes: Any) -> Row:
    clause = case.partition("[")[0]
    fields: dict[str, Any] = {
        "case": case,
        "clause": clause,
        "method": clause.partition(".")[0],
        "level": "must",
        "kind": "inet-stream",
        "parameters": {"kind": "inet-stream", "cell": "tail"},
        "source": "norm:120",
        "requires": "The `offset` counts from 0.",
        "outcome": outcome,
        "seconds": 0.0012,
    }
    if outcome in FINDINGS:
        fields |= {
            "message": f"what is wrong ({outcome})",
            "expected": "b'cd'",
            "actual": "b'bcd'",
            "steps": (
                Step(at=0.0005, actor="port", call="s1.send(b'abcd', 2)", result="3", seconds=0.0001),
                Step(at=0.0009, actor="peer", call="recv(8192)", result="b'bcd'"),
            ),
            "scripts": {"python": "import socket\nsocket.socket()\n", "lua": "print(1)\n"},
            "stderr": "a warning\n",
            "rerun": f"nixio-conformance run --target a:b --select '{case}'",
        }
    elif outcome == "suite-error":
        fields |= {"message": "the suite itself failed: KeyError: 1", "traceback": "Traceback\n  KeyError: 1\n"}
    elif outcome.endswith("-skip"):
        fields["message"] = "the host or the implementation cannot"
    return Row(**{**fields, **changes})


def stream(*rows: Row, **changes: Any) -> Stream:
    """A stream with a footer."""
    error = any(one.outcome == "suite-error" for one in rows)
    bad = any(one.outcome in FINDINGS for one in rows)
    counts: dict[str, int] = {str(outcome): number for outcome, number in totals(rows).items()}
    footer = Footer(planned=len(rows), counts=counts, seconds=1.5, exit_code=3 if error else int(bad))
    return replace(Stream(header(), rows, footer), **changes)


def every() -> Stream:
    """A stream with every method and every outcome, on several kinds."""
    four = ("inet-stream", "inet6-dgram", "unix-stream", "")
    rows = [
        row(f"{method}.topic{number % 3}[{kind or 'x'}-{outcome}]", outcome, method=method, kind=kind)
        for number, method in enumerate(methods())
        for outcome in OUTCOMES
        for kind in (four[number % 4],)
    ]
    rows.append(row("send.may[x]", "failed", level="may"))
    return stream(*rows)


def large(number: int) -> Stream:
    """`number` passed cases, about five for each clause."""
    six = tuple(kind for kind in kinds() if not kind.endswith("-raw"))
    made = []
    for index in range(number):
        method, kind = methods()[index % 19], six[index // 19 % 6]
        clause = f"{method}.topic.number-{index // 600}"
        requires = "A sentence about as long as those of the tables are, which says in other words what must hold."
        case = f"{clause}[{kind}-{index}]"
        made.append(row(case, clause=clause, method=method, kind=kind, requires=requires))
    return stream(*made)
