"""`agent-check` finds typical mistakes in agents and says what to change; a correct agent passes."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nixio_conformance.agentcheck import cases, runner
from nixio_conformance.agentcheck.exchange import Exchange
from nixio_conformance.cli import main

Cli = Callable[..., Result]

posix = pytest.mark.skipif(sys.platform == "win32", reason="UNIX sockets and signals")


@pytest.fixture
def cli() -> Cli:
    return lambda *words: CliRunner().invoke(main, ["agent-check", *words], prog_name="nixio-conformance")


@pytest.fixture
def mistaken(cli: Cli) -> Cli:
    """Run `agent-check` over `agents/mistaken.py` with one mistake."""
    program = Path(__file__).parent / "agents" / "mistaken.py"

    def check(mistake: str, *words: str) -> Result:
        return cli("--agent", shlex.join([sys.executable, str(program), mistake]), *words)

    return check


def test_an_agent_without_capabilities_passes(mistaken: Cli) -> None:
    done = mistaken("none")
    assert done.exit_code == 0, done.output


#: A mistake, a case that finds it, and a part of the output.
MISTAKES = [
    ("text-for-a-buffer", "values.buffer-in", 'is sent as {"type": "buffer", "hex": "00ff"}, not as text'),
    ("number-as-text", "values.buffer-out", 'a number is sent as a JSON number: 4, not as text ("4")'),
    ("no-true", "values.flags", "the documented `true` is sent as true: `[true]`, not 1, null or []"),
    ("one-for-true", "values.flags", "the documented `true` is sent as true"),
    ("port-before-host", "values.several", "send the host first, then the port"),
    ("port-as-null", "sockets.accepted", "send the number that getsockname returned, 1 to 65535"),
    ("one-hello", "hello.capabilities", "a second hello should be answered like the first"),
    ("a-list-of-values", "values.several", "several results are several elements of `values`"),
    ("bare-value", "values.flags", "`values` is a list even for one value or none"),
    ("bare-socket-number", "sockets.numbers", 'sends it as {"type": "socket", "socket": NUMBER}'),
    ("socket-without-number", "sockets.numbers", 'a socket is {"type": "socket", "socket": 1}'),
    ("same-number", "sockets.numbers", "count upwards"),
    ("accept-without-address", "sockets.accepted", "send the socket, the peer's host and the peer's port"),
    ("empty-list-as-object", "reset.closed", "an empty table of Lua becomes {} in some JSON libraries"),
    ("never-missing", "requests.unknown-method", "`missing` should be true"),
    ("always-missing", "requests.unknown-do", "`missing` should be false"),
    ("text-as-failure", "requests.unknown-method", "this should be `unsupported`"),
    ("hello-without-protocol", "hello.fields", 'say which version the agent speaks: "protocol": 1'),
    ("hello-without-name", "hello.fields", 'name the implementation: "name": "my-nixio"'),
    ("capabilities-as-object", "hello.fields", "`capabilities` is a list of names"),
    ("unknown-capability", "hello.capabilities", "the protocol has no capability 'signal'"),
    ("checks-protocol", "hello.version", "do not look at the request's `protocol`"),
    ("no-signal-handler", "signals.idle", "killed by SIGUSR1"),
    ("no-signal-handler", "signals.busy", "killed by SIGUSR1"),
    ("kind-missing", "failures.system", "a failure needs its `kind`: system, would-block, resolver"),
    ("kind-unknown", "failures.system", "a failure needs its `kind`: system, would-block, resolver"),
    ("would-block-as-system", "failures.would-block", "check for EAGAIN and EWOULDBLOCK before the other errors"),
    ("resolver-as-system", "failures.resolver", "this should be a failure of kind resolver"),
    ("argument-as-exception", "failures.argument", "map the exception or error that the implementation raises"),
    ("no-errno", "failures.system", "the failure has neither `name` nor `number`"),
    ("stale-errno", "failures.system", "a refused connection is ECONNREFUSED, but the reply has ENOENT"),
    ("nulls-dropped", "values.null", "keep the position of null in `args`"),
    ("32-bit-numbers", "values.large-numbers", "read numbers as 64 bits"),
    ("buffer-through-utf-8", "values.buffer-out", "convert hex into bytes, not into encoded text"),
    ("ends-at-nul", "values.buffer-out", "avoid functions that stop at NUL"),
    ("dies-of-garbage", "requests.no-json", "the agent ended with exit status 1"),
    ("dies-of-odd-requests", "requests.unknown-do", "the agent ended with exit status 1"),
    ("dies-of-odd-requests", "requests.missing-field", "the agent ended with exit status 1"),
    ("closed-is-gone", "failures.after-close", "keep a socket in the agent's table after close()"),
    ("reset-forgets-to-close", "reset.closes", "socket is still open after reset"),
    ("reset-keeps-numbers", "reset.forgets", "empty the agent's table on reset"),
    ("id-not-repeated", "hello.fields", "repeat the request's id exactly"),
    ("id-as-text", "hello.fields", "repeat the request's `id` in the reply, as a number"),
    ("one-line-a-read", "requests.together", "keep the bytes after a newline for the next line"),
    ("line-a-read", "requests.pieces", "read until the newline before parsing the line"),
    ("short-lines", "requests.large", "read lines of any length"),
    ("prints", "sockets.numbers", "standard output is for replies only"),
    ("latin-1", "values.text", "this is not a reply"),
    ("no-newline", "hello.fields", "end each reply with a newline, and flush"),
    ("not-flushed", "hello.fields", "flush standard output after each reply"),
    ("twice", "hello.fields", "answer each request once"),
    ("reads-on-at-the-end", "end.input", "after the end of its input"),
    ("talks-at-the-end", "end.at-once", "it wrote a line after the end of its input"),
]


#: Seconds. A Python process has to start before its hello.
TIMEOUTS = {"checked_agent.HELLO": 1.0, "checked_agent.CALL": 0.5, "exchange.CALL": 0.5, "case_ending.CALL": 0.5}


@posix
@pytest.mark.parametrize(
    ("mistake", "case", "printed"), [pytest.param(*row, id=f"{row[0]}-{row[1]}") for row in MISTAKES]
)
def test_a_mistake_is_found_and_explained(
    mistaken: Cli, mistake: str, case: str, printed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in TIMEOUTS.items():
        monkeypatch.setattr(f"nixio_conformance.agentcheck.{name}", seconds)
    done = mistaken(mistake, "--select", case)
    if done.exit_code == 3:  # the handshake failed already
        assert printed in done.stderr
        return
    assert done.exit_code == 1, done.output
    assert f"FAIL  {case}: " in done.output
    assert printed in done.output


def test_a_failure_is_printed_with_the_exchange_the_rule_and_a_hint(mistaken: Cli) -> None:
    done = mistaken("one-for-true", "--select", "values.pairs")
    rows = dict(re.findall(r"^      (\w+) +(.*)$", done.output, re.MULTILINE))
    assert list(rows) == ["sent", "received", "wrong", "protocol", "hint"]
    sent = re.findall(r"^      sent +(.*)$", done.output, re.MULTILINE)
    assert [json.loads(line).get("method", "socket") for line in sent] == ["socket", "bind"]
    assert json.loads(rows["received"])["values"] == [1]
    assert rows["wrong"] == "bind: 1 should be true"


def test_the_cases_after_a_failure_are_run(mistaken: Cli) -> None:
    done = mistaken("dies-of-garbage", "--select", "requests")
    assert "FAIL  requests.no-json" in done.output
    assert "ok    requests.large" in done.output


def test_a_case_that_needs_a_missing_method_is_skipped(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "begun.py").write_text("class socket:\n    def __init__(self, *a): pass\n    def close(self): pass\n")
    monkeypatch.chdir(tmp_path)
    done = cli("--target", "begun", "--select", "values.buffer-in")
    assert "skip  values.buffer-in: connect: socket has no method connect" in done.output
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "printed"),
    [
        (("--agent", "/nowhere/agent"), 3, "cannot be started"),
        (("--agent", "false"), 3, "the agent did not say hello: the agent ended with exit status 1"),
        (("reference", "--select", "levitation"), 2, "no case's id contains 'levitation'"),
        ((), 2, "name one implementation"),
    ],
)
def test_exit_codes(cli: Cli, words: tuple[str, ...], code: int, printed: str) -> None:
    done = cli(*words)
    assert done.exit_code == code
    assert printed in " ".join(done.stderr.split())


def test_the_cases_can_be_listed(cli: Cli) -> None:
    done = cli("--list")
    assert done.exit_code == 0
    assert "hello.fields: hello is answered with a version and a name" in done.output


def test_each_case_has_a_title_a_rule_and_a_hint() -> None:
    cases = runner.chosen(())
    assert len({case.id for case in cases}) == len(cases)
    for case in cases:
        assert case.title
        assert case.rule.endswith(".")
        assert case.hint


def test_an_agent_that_redirects_for_ever_cannot_be_started(cli: Cli, tmp_path: Path) -> None:
    program = tmp_path / "agent.py"
    program.write_text(
        "import json, sys\n"
        "next_one = [sys.executable, __file__, sys.argv[1] + 'x']\n"
        "identifier = json.loads(sys.stdin.readline())['id']\n"
        "print(json.dumps({'id': identifier, 'reply': 'instead', 'argv': next_one}), flush=True)\n"
    )
    done = cli("--agent", shlex.join([sys.executable, str(program), "x"]))
    assert done.exit_code == 3, done.output
    assert "it answered hello with Instead(" in done.output


@pytest.mark.slow
@posix
@pytest.mark.parametrize(
    "turn",
    [pytest.param(lambda exchange: exchange.agent.request("reset"), id="calls"), pytest.param(id, id="calls-nothing")],
)
def test_a_case_that_does_not_end_costs_one_failure(
    mistaken: Cli, monkeypatch: pytest.MonkeyPatch, turn: Callable[[Exchange], object]
) -> None:
    def endless(exchange: Exchange) -> None:
        while True:
            turn(exchange)

    first = cases.ProtocolCase("hello.endless", "It ends", "A rule.", "a hint", "", endless)
    after = [case for case in cases.registered() if case.id == "hello.fields"]
    monkeypatch.setattr(cases, "registered", lambda: [first, *after])
    monkeypatch.setattr(runner, "CASE", 1.0)
    done = mistaken("none")
    assert done.exit_code == 1, done.output
    assert "the case did not end within 1 s" in done.output
    assert "ok    hello.fields: " in done.output
