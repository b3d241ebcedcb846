"""The wheel works in an environment without the checkout, and so does an implementation of another project."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.mutants.catalogue import catalogue

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
#: Seconds for one command: a build or a run, on a loaded machine.
TIMEOUT = 300
PACKAGES = ("nixio_reference", "nixio_fixtures", "nixio_conformance", "nixio_reports")
DECLARED = "nixio_conformance/pytest_plugin/declared_faults.json"


def run(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, timeout=TIMEOUT)


def succeed(*words: object, cwd: Path) -> str:
    done = run(*words, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    succeed(sys.executable, "-m", "hatchling", "build", "-d", folder, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def wheel_from_sdist(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel that is built from the unpacked sdist, as an installer does it."""
    folder = tmp_path_factory.mktemp("sdist")
    (sdist,) = built.glob("*.tar.gz")
    safe: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # from 3.11.4 on
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, **safe)
    (source,) = folder.iterdir()
    succeed(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=source)
    (found,) = folder.glob("*.whl")
    return found


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
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    assert "nixio_conformance/agents/agent.lua" in names
    shipped = {
        Path(*path.relative_to(ROOT).parts[1:]).as_posix()
        for package in PACKAGES
        for path in ROOT.glob(f"*/{package}/**/*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shipped - names == set()


@pytest.mark.parametrize("source", ["wheel", "wheel_from_sdist"])
def test_the_wheel_has_the_number_of_declared_faults_and_no_tests(source: str, request: pytest.FixtureRequest) -> None:
    archive = zipfile.ZipFile(request.getfixturevalue(source))
    assert json.loads(archive.read(DECLARED)) == catalogue().declared()
    files = [name for name in archive.namelist() if ".dist-info/" not in name]
    assert {name.partition("/")[0] for name in files} == set(PACKAGES)
    assert not [name for name in files if "mutants" in name or "/tests/" in name]


def test_the_wheel_runs_the_suite_in_an_empty_environment(wheel: Path, environment: Path, tmp_path: Path) -> None:
    install(environment, wheel, tmp_path)
    where = succeed(environment / "python", "-c", "import nixio_conformance as n; print(n.__file__)", cwd=tmp_path)
    assert str(tmp_path) in where
    command = [
        environment / "nixio-conformance",
        "run",
        "reference",
        "--select",
        "clause=getsockname.bound.local",
        "--report",
        "report",
    ]
    succeed(*command, cwd=tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "report" / "results.jsonl").read_text().splitlines()]
    assert {row["outcome"] for row in rows if row["record"] == "row"} <= {"passed", "host-skip"}
    page = (tmp_path / "report" / "report.html").read_text()
    count = catalogue().declared()["getsockname.bound.local"]
    (block,) = re.findall(r"<h4>getsockname\.bound\.local</h4>.*?</p>", page, re.S)[:1]
    assert re.search(rf"\b{count} (declared )?faults?\b", block), block


def test_an_implementation_of_another_project_is_judged_by_its_name(environment: Path, tmp_path: Path) -> None:
    assert "small" not in succeed(environment / "python", "-m", "nixio_conformance", "list", cwd=tmp_path).split()
    install(environment, ROOT / "examples" / "python-implementation", tmp_path)
    assert "small" in succeed(environment / "python", "-m", "nixio_conformance", "list", cwd=tmp_path).split()
    run_small = [
        environment / "python",
        "-m",
        "nixio_conformance",
        "run",
        "small",
        "--select",
        "clause=getsockname.bound.local",
    ]
    assert "conforming" in succeed(*run_small, "--report", "report", cwd=tmp_path)
    header = json.loads((tmp_path / "report" / "results.jsonl").read_text().splitlines()[0])
    assert header["implementation"]["name"] == "small-nixio"
