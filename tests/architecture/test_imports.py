"""Imports run one way, and the reference stays on the standard library."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: What each package may import of ours.
ALLOWED: dict[str, set[str]] = {
    "nixio_reference": set(),
    "nixio_fixtures": set(),
    "nixio_reports": {"nixio_fixtures"},
    "nixio_conformance": {"nixio_fixtures", "nixio_reports"},
}
#: Modules that are not there on every system: to be imported where they are used.
NOT_EVERYWHERE = {"fcntl", "grp", "pwd", "resource", "termios", "tty", "pty", "syslog", "msvcrt", "winreg", "_winapi"}


def sources(package: str) -> list[Path]:
    found = [path for path in ROOT.glob(f"*/{package}/**/*.py") if "__pycache__" not in path.parts]
    assert found, f"no sources of {package}"
    return sorted(found)


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def roots(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(ast.parse(path.read_text()))}


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_stands_below_it(package: str) -> None:
    ours = set(ALLOWED)
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(package)
        for name in roots(path) & ours - {package} - ALLOWED[package]
    }
    assert not wrong


def test_the_reference_needs_only_the_standard_library() -> None:
    foreign = {
        f"{path.name}: {name}"
        for path in sources("nixio_reference")
        for name in roots(path)
        # _typeshed is there for type checkers only
        if name not in sys.stdlib_module_names | {"nixio_reference", "_typeshed"}
    }
    assert not foreign


def test_an_agent_imports_nothing_of_the_project_nor_of_anybody_else() -> None:
    agents = [path for path in sources("nixio_conformance") if path.parent.name == "agents"]
    foreign = {f"{path.name}: {name}" for path in agents for name in roots(path) if name not in sys.stdlib_module_names}
    assert not foreign


@pytest.mark.parametrize("package", ALLOWED)
def test_nothing_is_imported_at_import_time_that_other_systems_lack(package: str) -> None:
    wrong = set()
    for path in sources(package):
        top = ast.Module([node for node in ast.parse(path.read_text()).body if not guarded(node)], [])
        wrong |= {f"{path.relative_to(ROOT)}: {name}" for name in NOT_EVERYWHERE & set(top_imports(top))}
    assert not wrong


def guarded(node: ast.stmt) -> bool:
    """A function or class body runs later; an `if` or `try` at the top asks first."""
    return isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.If, ast.Try))


def top_imports(tree: ast.Module) -> Iterator[str]:
    return (name.partition(".")[0] for name in imported(tree))
