"""Imports run one way, between packages and between the folders of the suite; the reference needs no other package."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "conformance" / "nixio_conformance"
#: Which packages of the project each package may import.
PACKAGES: dict[str, set[str]] = {
    "nixio_reference": set(),
    "nixio_fixtures": set(),
    "nixio_reports": {"nixio_fixtures"},
    "nixio_conformance": {"nixio_fixtures", "nixio_reports"},
}
#: What each folder of the suite may import, from the command line down. `""` is the package itself.
FOLDERS: dict[str, set[str]] = {
    "cli": {"", "commands"},
    "commands": {
        "",
        "agentcheck",
        "baseline",
        "checks",  # where they are: it imports none of them
        "driver",
        "host",
        "model",
        "netns",
        "pytest_plugin",
        "repro",
        "target",
        "toolkit",
    },
    "pytest_plugin": {"", "baseline", "driver", "host", "netns", "repro", "target", "toolkit"},
    "checks": {"driver", "host", "model", "netns", "toolkit"},
    "agentcheck": {"driver", "host", "target", "toolkit"},
    "model": {"driver", "host", "toolkit"},
    "toolkit": {"driver", "host", "netns"},
    "repro": {"driver", "target"},
    "target": {"agents", "driver", "host"},
    "baseline": set(),
    "host": {"driver", "netns"},
    "netns": set(),
    "driver": {"agents"},
    "agents": set(),
    "": set(),
}
#: The maximum number of folders in a chain of imports.
LEVELS = 10
#: Modules that some systems lack: they must be imported where they are used.
NOT_EVERYWHERE = {"fcntl", "grp", "pwd", "resource", "termios", "tty", "pty", "syslog", "msvcrt", "winreg", "_winapi"}


def sources(package: str) -> list[Path]:
    found = [path for path in ROOT.glob(f"*/{package}/**/*.py") if "__pycache__" not in path.parts]
    assert found, f"no sources of {package}"
    return sorted(found)


def imported(tree: ast.AST) -> Iterator[str]:
    """The full names of imported modules; for `from package import name` also that of `name`, which may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def roots(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(ast.parse(path.read_text()))}


@cache
def modules() -> dict[str, set[str]]:
    """Each module of the suite, with the modules of the suite that it imports."""
    paths = {".".join(path.relative_to(SUITE.parent).with_suffix("").parts): path for path in sources(SUITE.name)}
    names = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    return {name: set(imported(ast.parse(path.read_text()))) & names.keys() for name, path in names.items()}


def folder(module: str) -> str:
    """The folder of a module: `driver` for `nixio_conformance.driver.session`, `cli` for `nixio_conformance.cli`."""
    return module.removeprefix(SUITE.name).removeprefix(".").partition(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_stands_below_it(package: str) -> None:
    ours = set(PACKAGES)
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(package)
        for name in roots(path) & ours - {package} - PACKAGES[package]
    }
    assert not wrong


def test_no_package_imports_the_tests() -> None:
    wrong = {str(path) for package in PACKAGES for path in sources(package) if "tests" in roots(path)}
    assert not wrong


def test_a_folder_imports_only_those_that_the_table_allows() -> None:
    wrong = {
        f"{module} imports {target}"
        for module, targets in modules().items()
        if folder(module) != "__main__"
        for target in targets
        if folder(target) not in FOLDERS[folder(module)] | {folder(module)}
        # `from nixio_conformance.driver import ...` imports the package, which does not count as an edge.
        and target != SUITE.name
    }
    assert not wrong


def test_the_table_of_folders_allows_no_more_than_there_is() -> None:
    there = {(folder(module), folder(target)) for module, targets in modules().items() for target in targets}
    allowed = {(above, below) for above, folders in FOLDERS.items() for below in folders}
    assert sorted(allowed - there) == []


def test_the_folders_have_an_order() -> None:
    order = list(TopologicalSorter(FOLDERS).static_order())  # raises CycleError if there is none
    level: dict[str, int] = {}
    for name in order:
        level[name] = 1 + max((level[below] for below in FOLDERS[name] if below), default=0)
    assert max(level.values()) <= LEVELS, level


def test_no_modules_import_each_other_in_a_circle() -> None:
    without_packages = {
        module: {target for target in targets if target.count(".") != 1 or target.endswith(".cli")}
        for module, targets in modules().items()
    }
    try:
        TopologicalSorter(without_packages).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_package_has_folders_and_few_files_beside_them() -> None:
    files = {path.name for path in SUITE.iterdir() if path.is_file() and not path.name.startswith(".")}
    assert files == {"cli.py", "__init__.py", "__main__.py", "py.typed"}


def test_the_reference_needs_only_the_standard_library() -> None:
    foreign = {
        f"{path.name}: {name}"
        for path in sources("nixio_reference")
        for name in roots(path)
        # _typeshed exists only for type checkers
        if name not in sys.stdlib_module_names | {"nixio_reference", "_typeshed"}
    }
    assert not foreign


def test_an_agent_imports_only_the_standard_library() -> None:
    agents = [path for path in sources("nixio_conformance") if path.parent.name == "agents"]
    foreign = {f"{path.name}: {name}" for path in agents for name in roots(path) if name not in sys.stdlib_module_names}
    assert not foreign


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_is_imported_at_import_time_that_other_systems_lack(package: str) -> None:
    wrong = set()
    for path in sources(package):
        top = ast.Module([node for node in ast.parse(path.read_text()).body if not guarded(node)], [])
        wrong |= {f"{path.relative_to(ROOT)}: {name}" for name in NOT_EVERYWHERE & set(top_imports(top))}
    assert not wrong


def guarded(node: ast.stmt) -> bool:
    """Whether an import is in a function or class, or in an `if` or `try` at the top of the module."""
    return isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.If, ast.Try))


def top_imports(tree: ast.Module) -> Iterator[str]:
    return (name.partition(".")[0] for name in imported(tree))
