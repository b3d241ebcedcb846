"""Python scripts that repeat a case: pending calls, paths, port numbers chosen by the system, peers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nixio_conformance.agents import python as python_agent
from nixio_conformance.driver.outcome import Returned
from nixio_conformance.driver.session import Session
from nixio_conformance.driver.wire import HeldAs
from nixio_conformance.repro import python
from nixio_conformance.target.target import Target
from nixio_conformance.toolkit import expect
from nixio_conformance.toolkit.case import Case
from nixio_fixtures import load
from nixio_reports import Row

TARGET = Target("entry-point", "reference")
Repeat = Callable[[Callable[[Case], object], str], str]


@pytest.fixture
def repeat(tmp_path: Path) -> Iterator[Repeat]:
    """Runs a case on the reference, then its script by itself, without an error. Returns what the script prints."""
    session = Session(TARGET.starter, 20)

    def run(steps: Callable[[Case], object], kind: str) -> str:
        case = Case(session, load().kind(kind))
        session.begin_case(case.transcript)
        steps(case)
        program = python.write(row(kind), TARGET, case.folder, case.transcript.steps)
        session.end_case()
        case.close()
        # Half a second is long for these calls; the script itself waits longer for a pending call.
        (tmp_path / "shown.py").write_text(program.replace("timeout=5)", "timeout=0.5)"))
        done = subprocess.run(
            [sys.executable, "-W", "error", "shown.py"],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + "\n" + program
        assert case.folder not in program
        return done.stdout

    yield run
    session.kill()


def row(kind: str) -> Row:
    return Row(
        case=f"send.data.arrives[{kind}]", clause="send.data.arrives", method="send", level="must", kind=kind,
        source="norm:1", requires="It's {said}.", outcome="failed", expected='"x"', actual="b'y'",
    )  # fmt: skip


KINDS = ["inet-stream", "unix-stream", "inet-dgram", "unix-dgram"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["client", "server"])
def test_both_ends_of_a_pair(repeat: Repeat, kind: str, role: str) -> None:
    def steps(case: Case) -> None:
        pair = case.pair(role)
        pair.impl.send(b"to the peer\x00")
        pair.peer.recv()
        pair.peer.send(b"to the implementation")
        pair.impl.recv(100)
        pair.impl.close()

    output = repeat(steps, kind)
    assert "peer1.recv(65536) -> b'to the peer\\x00'" in output or "peer2.recv(65536) -> b'to the peer\\x00'" in output
    assert "recv (100,) -> b'to the implementation'" in output
    assert output.endswith("Expected: \"x\"\nActual: b'y'\n")


@pytest.mark.parametrize("kind", ["inet-stream", "unix-stream"])
def test_a_pending_call(repeat: Repeat, kind: str) -> None:
    def steps(case: Case) -> None:
        listener, address = case.listening()
        pending = listener.start("accept")
        assert pending.blocked()
        peer = case.peer().connect(address)
        accepted = expect.socket(expect.returned(pending.outcome())[0])
        waiting = accepted.start("recv", 100)
        assert waiting.blocked()
        peer.send(b"at last")
        assert waiting.outcome() == Returned((b"at last",))
        accepted.close()

    assert "recv (100,) -> b'at last'" in repeat(steps, kind)


def test_a_call_that_never_returned(repeat: Repeat) -> None:
    def steps(case: Case) -> None:
        listener, _ = case.listening()
        listener.start("accept").blocked()
        case.peer()

    assert "a pending call does not return" in repeat(steps, "inet-stream")


def test_addresses_of_datagrams(repeat: Repeat) -> None:
    def steps(case: Case) -> None:
        sock, address = case.bound()
        peer = case.bound_peer()
        peer.sendto(b"hello", address)
        sock.recvfrom(100)
        sock.sendto(b"back", *peer.address)
        peer.recvfrom()
        host, number = peer.address
        sock.sendto(b"again", str(host), str(number))
        peer.recvfrom()

    output = repeat(steps, "inet-dgram")
    assert "recvfrom (100,) -> (b'hello', '127.0.0.1', " in output
    assert "-> (b'back', ('127.0.0.1', " in output or "-> b'back'" in output
    assert "again" in output


def test_failures_buffer_types_and_odd_arguments(repeat: Repeat) -> None:
    def steps(case: Case) -> None:
        pair = case.pair()
        pair.impl.send(HeldAs(b"abcd", "bytearray"), 1)
        pair.impl.send(HeldAs(b"abcd", "array"))
        pair.impl.send(HeldAs(b"abcd", "memoryview"), None, 2)
        pair.impl.setopt("socket", "rcvtimeo", (1, 500000))
        pair.impl.getopt("nowhere", "nothing")
        pair.peer.reset()
        pair.impl.release()

    output = repeat(steps, "inet-stream")
    assert "bytearray(b'abcd'), 1) -> 3" in output
    assert "setopt ('socket', 'rcvtimeo', (1, 500000)) -> True" in output
    assert (
        "getopt ('nowhere', 'nothing') -> ValueError(" in output
        or "getopt ('nowhere', 'nothing') -> TypeError(" in output
    )


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (Target("target", "a.b:c.d"), "nixio = importlib.import_module('a.b').c.d"),
        (Target("target", "a"), "nixio = importlib.import_module('a')"),
        (Target("agent", "lua agent.lua"), "agent = subprocess.Popen(['lua', 'agent.lua'], stdin="),
    ],
)
def test_the_implementation_is_loaded_as_it_was_named(target: Target, line: str) -> None:
    program = python.write(row("inet-stream"), target, "/nowhere", [])
    assert line in program
    compile(program, "shown.py", "exec")


def test_an_agents_script_speaks_to_the_agent_itself(tmp_path: Path) -> None:
    """It starts the program that the user named, and prints requests and replies."""
    program = f"{sys.executable} -P {python_agent.__file__} object nixio_reference"
    session = Session(Target("agent", program).starter, 20)
    case = Case(session, load().kind("inet-dgram"))
    session.begin_case(case.transcript)
    sock, address = case.bound()
    sock.sendto(b"to itself", *address)
    sock.recvfrom(2)
    sock.getpeername()
    text = python.write(row("inet-dgram"), Target("agent", program), case.folder, case.transcript.steps)
    session.end_case()
    session.kill()
    case.close()
    (tmp_path / "shown.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "shown.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr + text
    assert "recvfrom (2,) -> (b'to', '127.0.0.1', " in done.stdout
    assert "getpeername () -> RuntimeError('ENOTCONN')" in done.stdout
    assert '> {"id": 1, "do": "hello", "protocol": 1}' in done.stdout
