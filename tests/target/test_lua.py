"""`--lua`: how a Lua module is named on the command line and to pytest, and the errors for wrong names."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.agents.support import FAKE
from tests.command_line import nixio_conformance

from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.target.lua import AGENT, PROGRAMS, Lua
from nixio_conformance.target.target import Target
from nixio_reports import read

needs_lua = pytest.mark.skipif(not any(map(shutil.which, PROGRAMS)), reason="no Lua is installed")


def run(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return nixio_conformance(words, cwd, **environment)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The current folder: the fake module is in it, and another module that is found only through a search path."""
    (tmp_path / "fake.lua").write_text(FAKE.read_text())
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "deeper.lua").write_text(FAKE.read_text())
    return tmp_path


@needs_lua
@pytest.mark.parametrize(
    "words",
    [
        ("--lua", "fake"),
        ("--lua", "./fake.lua"),
        ("--lua", "deeper", "--lua-path", "deep"),
        ("--lua", "deeper", "--lua-path", "deep/?.lua", "--lua-cpath", "/nowhere"),
    ],
)
def test_a_module_is_named_by_its_name_or_file(folder: Path, words: tuple[str, ...]) -> None:
    done = run("smoke", *words, cwd=folder)
    assert done.stdout.startswith(f"hello {words[1]} 0.9 (Lua"), done.stdout + done.stderr
    assert "has no method connect" in " ".join(done.stdout.split())  # the fake module has only some methods
    assert done.returncode == 1


def test_the_program_is_chosen(folder: Path, interpreter: str) -> None:
    done = run("smoke", "--lua", "fake", "--lua-program", interpreter, cwd=folder)
    assert done.stdout.lower().replace("lua 5", "lua5").startswith(f"hello fake 0.9 ({interpreter}")
    again = run("smoke", "--lua", "fake", "--lua-program", str(shutil.which(interpreter)), cwd=folder)
    assert again.stdout == done.stdout


@pytest.mark.parametrize("command", ["smoke", "run"])
def test_no_lua_is_installed(folder: Path, command: str) -> None:
    named = run(command, "--lua", "fake", "--lua-program", "no-such-lua", cwd=folder)
    assert named.returncode == 3
    assert "the program 'no-such-lua' in PATH. Install one" in named.stderr.replace("\n", " ")
    found = run(command, "--lua", "fake", cwd=folder, PATH="/nowhere")
    assert found.returncode == 3
    assert "looked for any of lua, lua5.1, luajit" in found.stderr.replace("\n", " ")


@needs_lua
@pytest.mark.parametrize("command", ["smoke", "run"])
def test_no_such_module(folder: Path, command: str) -> None:
    done = run(command, "--lua", "nowhere.at.all", cwd=folder)
    assert done.returncode == 3
    assert "--lua nowhere.at.all: nowhere.at.all cannot be loaded by Lua" in done.stderr.replace("\n", " ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("reference", "--lua", "fake"), "name one implementation"),
        (("--target", "a:b", "--lua", "fake"), "name one implementation"),
        (("reference", "--lua-program", "luajit"), "--lua-program belongs to --lua MODULE"),
        (("--agent", "x", "--lua-path", "y"), "--lua-path belongs to --lua MODULE"),
        (("--lua", "fake", "--in-process"), "--in-process is for Python implementations"),
    ],
)
def test_words_that_do_not_go_together(folder: Path, words: tuple[str, ...], said: str) -> None:
    done = run("run", *words, cwd=folder)
    assert done.returncode == 2
    assert said in done.stderr


@needs_lua
def test_a_run_records_how_the_module_was_named_and_repeats_failures_in_lua(folder: Path) -> None:
    words = ("--lua", "deeper", "--lua-path", "deep")
    done = run("run", *words, "--select", "recv.data.arrives", "--without", "lab", "--report", "out", cwd=folder)
    assert done.returncode == 1, done.stdout + done.stderr
    stream = read(folder / "out" / "results.jsonl")
    assert stream.header.implementation.asked == "--lua deeper --lua-path deep"
    assert stream.header.implementation.name == "deeper"
    failed = [row for row in stream.rows if row.outcome == "failed"]
    assert failed
    assert "--lua deeper --lua-path deep --select" in failed[0].rerun
    assert list(failed[0].scripts) == ["lua", "python"]
    assert 'nixio = require("deeper")' in failed[0].scripts["lua"]
    (folder / "again.lua").write_text(failed[0].scripts["lua"])
    again = subprocess.run(
        [Lua().interpreter(), "again.lua"], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert again.returncode == 0, again.stderr
    assert "Expected: " in again.stdout


@pytest.mark.slow
@needs_lua
def test_the_same_as_options_of_pytest(folder: Path) -> None:
    checks = ["-q", "-p", "no:cacheprovider", "--pyargs", "nixio_conformance.checks", "--nixio-without=lab"]
    words = ["--nixio-lua=deeper", "--nixio-lua-path=deep", "--nixio-select=recv.data.arrives", "--nixio-report=out"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *checks, *words],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert read(folder / "out" / "results.jsonl").header.implementation.asked == "--lua deeper --lua-path deep"


def test_agent_path_prints_the_file_of_the_agent(tmp_path: Path) -> None:
    done = run("agent-path", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{AGENT}\n")
    assert AGENT.read_text().startswith("--[[")


def test_the_arguments_of_a_target() -> None:
    target = Target("lua", "nixio", lua=Lua("luajit", "a b", "/c/?.so"))
    assert target.shell_text == "--lua nixio --lua-program luajit --lua-path 'a b' --lua-cpath '/c/?.so'"
    assert target.lua.templates == ("a b/?.lua;a b/?/init.lua;", "/c/?.so;")


def test_no_lua_is_in_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CannotStart, match="Install one"):
        Lua().argv("nixio")
