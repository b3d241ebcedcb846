"""An agent starts in a folder of its own, in which the user's relative paths mean what they mean to the user."""

from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path

import pytest
from tests.conftest import Begin

from nixio_conformance.driver.process import AgentProcess
from nixio_conformance.driver.scratch import Scratch, absolute_paths
from nixio_conformance.driver.transcript import Transcript

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links")

#: An agent whose name is its folder, and its version that of temporary files.
AGENT = f"""#!{sys.executable}
import json, os, sys, tempfile
for line in sys.stdin:
    request = json.loads(line)
    reply = {{"reply": "values", "id": request["id"], "values": []}}
    if request["do"] == "hello":
        named = {{"name": os.getcwd(), "version": tempfile.gettempdir()}}
        reply = {{"reply": "hello", "id": request["id"], "protocol": 1, "capabilities": [], **named}}
    print(json.dumps(reply), flush=True)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's current folder, in it and beside it agents in several places."""
    folder = tmp_path / "here"
    for place in ("agent", "agent.py", "package/agent.py", "../beside/agent.py", "../library/searched.py"):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(AGENT)
        path.chmod(0o755)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    "argv",
    [
        ("./agent",),
        ("../beside/agent.py",),
        ("sh", "-c", "exec ./agent"),
        (sys.executable, "agent.py"),
        (sys.executable, "package/agent.py"),
        (sys.executable, "../beside/agent.py"),
        (sys.executable, "-m", "package.agent"),
        (sys.executable, "-m", "searched"),
    ],
    ids=" ".join,
)
def test_a_command_is_found_from_where_the_user_stands(
    here: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PYTHONPATH", f"../library{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    session = begin(start=lambda: AgentProcess(argv))
    folder = Path(session.welcome.name)
    assert folder not in (here, *here.parents)
    assert session.welcome.version == str(folder)
    assert folder.is_dir()
    session.kill()
    assert not folder.exists()
    assert sorted(path.name for path in here.iterdir()) == ["agent", "agent.py", "package"]


def test_socket_files_are_removed_before_the_next_case(here: Path, begin: Begin) -> None:
    session = begin(start=lambda: AgentProcess(["./agent"]))
    folder = Path(session.welcome.name)
    (folder / "log").touch()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "left"))
    assert stat.S_ISSOCK((folder / "left").lstat().st_mode)
    session.begin_case(Transcript())
    assert not (folder / "left").exists()
    assert (folder / "log").exists()


def test_what_is_there_before_the_first_case_stays(here: Path) -> None:
    scratch = Scratch()
    folder = Path(scratch.environment["TMPDIR"])
    with socket.socket(socket.AF_UNIX) as kept:
        kept.bind(str(folder / "kept"))
    scratch.clear()
    (folder / "change").touch()
    scratch.clear()
    assert (folder / "kept").exists()
    scratch.remove()
    assert not folder.exists()
    assert (here / "agent").exists()


def test_an_agent_starts_where_there_is_no_current_folder(
    tmp_path: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch, faulty: tuple[str, ...]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert begin().welcome


def test_empty_paths_of_a_list_stay(here: Path) -> None:
    assert absolute_paths("?.lua;;/x/?.lua", ";") == f"{here}/?.lua;;/x/?.lua"
