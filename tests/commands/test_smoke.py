"""`smoke` reports what to change in a faulty agent, at the first step that shows the mistake."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nixio_conformance.cli import main

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="UNIX sockets and signals")

Smoke = Callable[[str], Result]


@pytest.fixture
def smoke(monkeypatch: pytest.MonkeyPatch) -> Smoke:
    monkeypatch.setattr("nixio_conformance.driver.hello.HELLO", 2.0)
    program = Path(__file__).parents[1] / "agentcheck" / "agents" / "mistaken.py"

    def run(mistake: str) -> Result:
        command = shlex.join([sys.executable, str(program), mistake])
        return CliRunner().invoke(main, ["smoke", "--agent", command], prog_name="nixio-conformance")

    return run


def test_a_right_agent_has_nothing_to_fix(smoke: Smoke) -> None:
    done = smoke("none")
    assert done.exit_code == 0, done.output
    assert "FAIL" not in done.output
    assert "ok    end.input: " in done.output


@pytest.mark.parametrize(
    ("mistake", "code", "said"),
    [
        (
            "text-for-a-buffer",
            1,
            "fix the agent: s1.recv(64): 'pong' should be a buffer; the data of recv, read",
        ),
        ("number-as-text", 1, "fix the agent: s1.getsockname(): "),
        ("one-for-true", 1, "1 should be true; the documented `true` is sent as true"),
        ("no-true", 1, "`values` should be one value (true), but is 0: []"),
        ("port-before-host", 1, "the port comes before the host; send the host first, then the port"),
        ("bare-socket-number", 1, "1 should be a socket; the agent keeps a socket in a table"),
        ("socket-without-number", 1, 'a socket is {"type": "socket", "socket": 1}'),
        ("a-list-of-values", 1, "fix the agent: several results are several elements of `values`"),
        ("argument-as-exception", 1, "which no implementation should need; if an argument was refused"),
        ("kind-missing", 1, "fix the agent: a failure needs its `kind`"),
        ("kind-unknown", 1, "fix the agent: a failure needs its `kind`"),
        ("prints", 1, "fix the agent: standard output is for replies only"),
        ("twice", 1, "fix the agent: answer each request once"),
        ("never-missing", 1, "FAIL  requests.unknown-method"),
        ("nulls-dropped", 1, "FAIL  values.null"),
        ("closed-is-gone", 1, "keep a socket in the agent's table after close()"),
        pytest.param("reads-on-at-the-end", 1, "FAIL  end.input", marks=pytest.mark.slow),
        ("id-not-repeated", 3, "fix the agent: repeat the request's `id` in the reply"),
        ("id-as-text", 3, "fix the agent: repeat the request's `id` in the reply, as a number"),
        ("hello-without-protocol", 3, "fix the agent: say which version the agent speaks"),
        ("hello-without-name", 3, "fix the agent: name the implementation"),
        pytest.param("no-newline", 3, "and no end of line (a reply ends with a newline)", marks=pytest.mark.slow),
        pytest.param(
            "not-flushed",
            3,
            "fix the agent: answer hello at once, and flush standard output after each reply",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_mistake_is_reported_as_the_agents(smoke: Smoke, mistake: str, code: int, said: str) -> None:
    done = smoke(mistake)
    assert done.exit_code == code, done.output
    assert said in done.output


def test_a_step_after_the_end_of_the_agent_is_tried_with_a_new_one(smoke: Smoke) -> None:
    assert "the agent is gone" not in smoke("prints").output
