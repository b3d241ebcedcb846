"""Long data in scripts: short expressions that make the same data, and scripts of a bounded length."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest
from tests.agents.support import INTERPRETERS
from tests.reports.samples import row

from nixio_conformance.driver.text import SCRIPT
from nixio_conformance.driver.transcript import Transcript
from nixio_conformance.driver.wire import HeldAs
from nixio_conformance.repro import long_data, lua, python
from nixio_conformance.target.target import Target
from nixio_conformance.toolkit.transfer import numbered
from nixio_reports import Row

TARGET = Target("entry-point", "reference")
NOISE = random.Random(1).randbytes(100_000)
DATA = {
    "one-byte": b"x" * 65_508,
    "zeros": bytes(262_144),
    "hexadecimal": b"0123456789abcdef" * 16_384 + b"012",
    "numbers": numbered(65_536),
    "numbers-from-the-middle": numbered(65_536)[70_001:200_003],
}


def script(data: object, *, peer: bool = False) -> str:
    transcript = Transcript()
    step = transcript.begin("peer" if peer else "port", "peer1" if peer else "s1", "send", (data,))
    step.code = f"peer1.send({data!r})" if peer else ""
    transcript.end(step, "True")
    return python.write(failed(), TARGET, "/nowhere", transcript.steps)


def failed() -> Row:
    return row(outcome="failed")


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("peer", [False, True], ids=["implementation", "peer"])
def test_a_python_script_makes_the_same_data(name: str, peer: bool) -> None:
    program = script(DATA[name], peer=peer)
    assert len(program) < 5_000
    (line,) = [line for line in program.splitlines() if line.startswith(("call(s1", 'peer("peer1', "peer('peer1"))]
    sent: list[object] = []
    scope = {
        "call": lambda _, data: sent.append(data),
        "peer": lambda _, action: action(),
        "s1": type("S", (), {"send": None}),
        "peer1": type("P", (), {"send": staticmethod(sent.append)}),
    }
    exec(line, scope)
    assert sent == [DATA[name]]


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_a_lua_script_makes_the_same_data(name: str, interpreter: str) -> None:
    if shutil.which(interpreter) is None:
        pytest.skip(f"{interpreter} is not installed")
    transcript = Transcript()
    transcript.end(transcript.begin("port", "s1", "send", (DATA[name],)), "True")
    program = lua.write(failed(), TARGET, "fake", "/nowhere", transcript.steps)
    assert len(program) < 6_000
    (line,) = [line for line in program.splitlines() if line.startswith("call(")]
    source = f"local function call(_, _, _, data) io.write(data) end\n{line}"
    done = subprocess.run([interpreter, "-e", source], capture_output=True, timeout=60, check=True)
    assert done.stdout == DATA[name]


def test_other_data_keep_their_ends_and_their_length() -> None:
    program = script(NOISE)
    (line,) = [line for line in program.splitlines() if line.startswith("call(s1")]
    data = eval(line.removeprefix("call(s1.send, ").removesuffix(")"))
    assert (len(data), data[:16], data[-16:]) == (len(NOISE), NOISE[:16], NOISE[-16:])
    assert "# zeros stand for 99968 of 100000 bytes (sha256 " in program


def test_texts_tuples_and_held_data_are_shortened_too() -> None:
    for data in ("x" * 10**6, ("x" * 10**6, 80), HeldAs(bytes(10**6), "array")):
        assert len(script(data)) < 5_000
        assert len(script(data, peer=not isinstance(data, HeldAs))) < 5_000
    assert "call(s1.send, 'x' * 1000000)" in script("x" * 10**6)
    assert "call(s1.send, '" + "9" * 16 in script("9" * 16 + "12345678" * 10**5), "no port number"


def test_usual_data_are_written_in_full() -> None:
    data = bytes(range(256)) * 8
    assert f"call(s1.send, {data!r})" in script(data)


def test_a_script_of_many_steps_leaves_out_its_middle() -> None:
    transcript = Transcript()
    transcript.end(transcript.begin("port", "", "socket", ("inet", "dgram")), "s1", (), ("s1",))
    for number in range(1_000):
        transcript.end(transcript.begin("port", "s1", "send", (f"{number:04}",)), "4")
    for program in (
        python.write(failed(), TARGET, "/nowhere", transcript.steps),
        lua.write(failed(), TARGET, "fake", "/nowhere", transcript.steps),
    ):
        assert len(program) < SCRIPT + 5_000
        assert "lines are left out here" in program
        assert "0000" in program
        assert "0999" in program
    compile(python.write(failed(), TARGET, "/nowhere", transcript.steps), "script", "exec")


def test_a_line_that_stays_long_becomes_a_comment() -> None:
    lines = long_data.fitted(lambda longest: ["x" * 20_000, "last()"], "# {}".format)
    assert lines[0].startswith("# left out, too long: xxx")
    assert lines[1] == "last()"
