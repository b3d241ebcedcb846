"""The exchange in the guide is a real one with the agent of the reference."""

from __future__ import annotations

import json
import sys
from typing import Any

import jsonschema
import pytest
from tests.docs.transcript import BLOCK, GUIDE, transcript

from nixio_conformance.driver import messages


def shown() -> str:
    found = BLOCK.search(GUIDE.read_text())
    assert found, "the guide has no transcript"
    return found[0].removeprefix(found[1]).removesuffix(found[2])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other error numbers")
def test_it_is_up_to_date() -> None:
    assert shown() == transcript(), "python tests/docs/transcript.py updates it"


def test_each_line_is_valid() -> None:
    definitions = messages.schema()["$defs"]

    def valid(side: str, message: Any) -> bool:
        return bool(
            jsonschema.Draft202012Validator({"$ref": f"#/$defs/{side}", "$defs": definitions}).is_valid(message)
        )

    lines = [line for line in shown().splitlines() if not line.startswith("  (")]
    assert len(lines) > 40
    for line in lines:
        side = {">": "request", "<": "reply"}[line[0]]
        message = json.loads(line[2:])
        assert valid(side, message) or message.get("do") == "dance", line


def test_it_shows_each_reply_and_each_kind_of_failure() -> None:
    replies = [json.loads(line[2:]) for line in shown().splitlines() if line.startswith("< ")]
    assert {reply["reply"] for reply in replies} == {"hello", "values", "failure", "unsupported"}
    kinds = {reply["kind"] for reply in replies if reply["reply"] == "failure"}
    assert kinds == {"system", "would-block", "resolver", "argument"}
    assert {reply["missing"] for reply in replies if reply["reply"] == "unsupported"} == {True, False}
