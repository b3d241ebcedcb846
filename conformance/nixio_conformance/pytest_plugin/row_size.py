"""Keeps the rows of the result stream small, whatever an implementation returned. The limits are in driver/text.py."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nixio_conformance.driver.text import MESSAGE, ROW, STEPS, TEXT, cut
from nixio_conformance.driver.transcript import Step
from nixio_reports import encode, records

#: The number of steps that a row keeps: the last ones of the case, which lead to the failure.
STEPS_KEPT = 60
#: Longest texts of a row, by field.
_TEXTS = {"message": MESSAGE, "expected": TEXT, "actual": TEXT, "stderr": MESSAGE, "traceback": MESSAGE}


def last_steps(steps: Sequence[Step]) -> tuple[records.Step, ...]:
    """The last steps of a transcript as a row keeps them: at least the last one, and as many as `STEPS` allows."""
    kept: list[records.Step] = []
    left = STEPS
    for step in reversed(steps[-STEPS_KEPT:]):
        made = records.Step(at=step.at, actor=step.actor, call=step.call, result=step.result, seconds=step.seconds)
        left -= len(made.call) + len(made.result)
        if left < 0 and kept:
            break
        kept.append(made)
    return tuple(reversed(kept))


def fitted(row: records.Row) -> records.Row:
    """The row with each text at its limit, and of at most `ROW` bytes as a line of the stream."""
    row = _with_texts(row, 1)
    # Characters are not bytes: one may take six, or twelve as an escape of an escape.
    for divisor in (1, 4, 16):
        if len(encode(row)) <= ROW:
            return row
        if divisor > 1:
            steps = tuple(_shorter(step, divisor) for step in row.steps[-(32 // divisor) :])
            row = msgspec.structs.replace(_with_texts(row, divisor), steps=steps)
        row = msgspec.structs.replace(row, scripts=dict(list(row.scripts.items())[:1] if divisor == 1 else ()))
    return row


def _with_texts(row: records.Row, divisor: int) -> records.Row:
    short = {name: cut(text, most // divisor) for name, most in _TEXTS.items() if len(text := getattr(row, name)) > 0}
    return msgspec.structs.replace(row, **short)


def _shorter(step: records.Step, divisor: int) -> records.Step:
    most = TEXT // divisor
    return msgspec.structs.replace(step, call=cut(step.call, most), result=cut(step.result, most))
