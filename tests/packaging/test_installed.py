"""What is shipped works where nothing else of the project is: the wheel, and a port of another project."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Seconds for one command: builds and whole runs, on a loaded machine.
TIMEOUT = 1200


def run(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, timeout=TIMEOUT)


def succeed(*words: object, cwd: Path) -> str:
    done = run(*words, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    succeed(sys.executable, "-m", "hatchling", "build", "-d", folder, cwd=ROOT)
    assert len(list(folder.glob("*.tar.gz"))) == 1
    return next(folder.glob("*.whl"))


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A new virtual environment: its own packages come first, the libraries from the one that runs the tests."""
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=False, symlinks=sys.platform != "win32")
    paths = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", paths))
    libraries = sysconfig.get_path("purelib")
    # addsitedir, because an editable install is itself a file of paths
    (packages / "libraries.pth").write_text(f"import site; site.addsitedir({libraries!r})\n")
    return Path(sysconfig.get_path("scripts", "venv", paths))


def install(environment: Path, what: Path, cwd: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--python", environment / "python"]
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed", "--disable-pip-version-check"]
    succeed(*pip, "install", *options, what, cwd=cwd)


def test_the_wheel_has_everything_that_a_run_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    packages = ("nixio_reference", "nixio_fixtures", "nixio_conformance", "nixio_reports")
    assert {f"{package}/py.typed" for package in packages} <= names
    assert "nixio_conformance/agents/agent.lua" in names
    shipped = {
        Path(*path.relative_to(ROOT).parts[1:]).as_posix()
        for package in packages
        for path in ROOT.glob(f"*/{package}/**/*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shipped - names == set()


def test_the_wheel_runs_the_suite_in_an_empty_environment(wheel: Path, environment: Path, tmp_path: Path) -> None:
    install(environment, wheel, tmp_path)
    where = succeed(environment / "python", "-c", "import nixio_conformance as n; print(n.__file__)", cwd=tmp_path)
    assert str(tmp_path) in where
    command = [environment / "nixio-conformance", "run", "reference", "--select", "getsockname", "--report", "report"]
    succeed(*command, cwd=tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "report" / "results.jsonl").read_text().splitlines()]
    assert {row["outcome"] for row in rows if row["record"] == "row"} <= {"passed", "host-skip"}
    assert "<html" in (tmp_path / "report" / "report.html").read_text()


def test_a_port_of_another_project_is_judged_by_its_name(environment: Path, tmp_path: Path) -> None:
    assert "small" not in succeed(environment / "python", "-m", "nixio_conformance", "list", cwd=tmp_path).split()
    install(environment, ROOT / "examples" / "python-implementation", tmp_path)
    assert "small" in succeed(environment / "python", "-m", "nixio_conformance", "list", cwd=tmp_path).split()
    out = succeed(environment / "python", "-m", "nixio_conformance", "run", "small", "--report", "report", cwd=tmp_path)
    assert "conforming" in out
    header = json.loads((tmp_path / "report" / "results.jsonl").read_text().splitlines()[0])
    assert header["implementation"]["name"] == "small-nixio"
