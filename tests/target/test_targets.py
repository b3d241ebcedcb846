"""The forms in which an implementation is named, in an agent and in-process; the agent's file needs no project."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nixio_conformance import Agent
from nixio_conformance.agents import python
from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.session import Session
from nixio_conformance.target.python import installed_implementations, python_agent
from nixio_conformance.target.target import Target

Begin = Callable[..., Session]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, source: str) -> None:
    (folder / "mine.py").write_text(source)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("mine", ""),
        ("mine:make", ""),
        ("mine:Sockets", ""),
        ("mine:instance", "an instance"),
        ("mine:Outer.sockets", ""),
    ],
)
def test_a_target_is_a_factory_or_has_one(begin: Begin, folder: Path, target: str, name: str) -> None:
    write(
        folder,
        "def make(domain, type, protocol=None): pass\nsocket = make\n"
        "class Sockets:\n    socket = staticmethod(make)\n"
        "class Outer:\n    sockets = Sockets()\n"
        "instance = Sockets()\ninstance.name = 'an instance'\n",
    )
    assert begin(start=Target("target", target).starter).welcome.name == name


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("absent", "absent cannot be imported: ModuleNotFoundError: No module named 'absent'"),
        ("mine:absent", "mine:absent cannot be imported: AttributeError: module 'mine' has no attribute 'absent'"),
        ("mine:x", "1 is neither a factory"),
        (":x", ":x cannot be imported: ValueError"),
    ],
)
@pytest.mark.parametrize("in_process", [False, True])
def test_a_target_that_is_none_says_why(
    begin: Begin, folder: Path, monkeypatch: pytest.MonkeyPatch, target: str, said: str, in_process: bool
) -> None:
    write(folder, "x = 1\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    try:
        with pytest.raises(CannotStart) as caught:
            begin(start=Target("target", target, in_process).starter)
    finally:
        sys.modules.pop("mine", None)
    assert said in str(caught.value)


def test_an_agent_in_python_is_started_instead(begin: Begin, folder: Path, faulty: tuple[str, ...]) -> None:
    write(folder, f"from nixio_conformance import Agent\nagent = Agent({[*faulty, 'honest']!r})\n")
    assert begin(start=Target("target", "mine:agent").starter).welcome.name == "faulty"


def test_an_agent_has_a_process_of_its_own(begin: Begin, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "from nixio_conformance import Agent\nother = Agent(['lua', 'agent.lua'])\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    try:
        with pytest.raises(CannotStart, match=r"mine:other is an agent program \(lua agent.lua\)"):
            begin(start=Target("target", "mine:other", in_process=True).starter)
    finally:
        sys.modules.pop("mine", None)


@pytest.mark.parametrize("argv", ["lua agent.lua", [], ()])
def test_an_agents_argv_is_a_sequence_of_words(argv: object) -> None:
    with pytest.raises(TypeError, match="argv is a sequence of words"):
        Agent(argv)  # type: ignore[arg-type]


def test_the_reference_is_installed(begin: Begin) -> None:
    assert "reference" in installed_implementations()
    assert begin(start=Target("entry-point", "reference").starter).welcome.language.startswith("Python 3.")


@pytest.mark.parametrize("broken", ["no value", "[", "[nixio.implementations]\nno value"])
def test_broken_metadata_of_another_package_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    for name, points in (("broken", broken), ("right", "[nixio.implementations]\nmine = mine:socket")):
        package = tmp_path / f"{name}-1.0.dist-info"
        package.mkdir()
        (package / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (package / "entry_points.txt").write_text(points)
    (tmp_path / "empty-1.0.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    found = installed_implementations()
    assert found["mine"] == "right 1.0"
    assert "reference" in found
    assert Target("entry-point", "mine").argv[-2:] == ["object", "mine:socket"]


def test_the_error_for_an_unknown_name_lists_the_installed_ones(begin: Begin) -> None:
    with pytest.raises(CannotStart, match=r"no implementation is called 'unknown'; installed are: .*reference"):
        begin(start=Target("entry-point", "unknown").starter)


def test_the_current_folder_is_importable_for_targets_only(begin: Begin, folder: Path) -> None:
    write(folder, "def socket(domain, type, protocol=None): pass\n")
    argv = [word if word != "target" else "object" for word in python_agent("target", "mine")]
    with pytest.raises(CannotStart, match="No module named 'mine'"):
        begin(start=lambda: AgentProcess(argv))


@pytest.mark.parametrize(("command", "said"), [("lua 'agent.lua", "No closing quotation"), ("  ", "is empty")])
def test_a_command_line_that_no_shell_would_take(command: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Target("agent", command)


def test_a_command_line_is_split_as_a_shell_does(begin: Begin, faulty: tuple[str, ...]) -> None:
    import shlex

    target = Target("agent", shlex.join([*faulty, "correct"]))
    assert begin(start=target.starter).welcome.name == "faulty"


def test_the_agents_file_can_be_copied_and_run_alone(folder: Path) -> None:
    shutil.copy(python.__file__, folder / "agent.py")
    write(folder, "def socket(domain, type, protocol=None): raise ValueError('not today')\n")
    requests = [
        {"id": 1, "do": "hello", "protocol": 1},
        {"id": 2, "do": "socket", "args": ["inet", "stream"]},
        {"id": 3, "do": "dance"},
        {"id": 4, "do": "call", "socket": 9, "method": "recv", "args": []},
        {"id": 5, "do": "reset"},
    ]
    # -I ignores the environment; if the agent imports the project, that raises.
    (folder / "nixio_conformance.py").write_text("raise RuntimeError('the agent imports the project')")
    (folder / "nixio_fixtures.py").write_text("raise RuntimeError('the agent imports the project')")
    done = subprocess.run(
        [sys.executable, "-I", "agent.py", "target", "mine"],
        input="".join(json.dumps(request) + "\n" for request in requests),
        capture_output=True,
        text=True,
        timeout=30,
        cwd=folder,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(reply["id"], reply["reply"]) for reply in replies] == [
        (1, "hello"),
        (2, "failure"),
        (3, "unsupported"),
        (4, "unsupported"),
        (5, "values"),
    ]
    assert replies[1]["message"] == "ValueError: not today"
    assert [reply["missing"] for reply in replies[2:4]] == [False, False]
