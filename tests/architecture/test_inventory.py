"""Every clause has a check, every check a clause, and every line of the norm a clause or an exemption."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import pytest

from nixio_conformance import checks
from nixio_conformance.host import capabilities
from nixio_conformance.pytest_plugin.planned import clauses_of
from nixio_fixtures import Clause, Option, lines_of, load

SPEC = load()
CLAUSES = {clause.id: clause for clause in SPEC.clauses}


def check_functions() -> Iterator[FunctionType]:
    for module in pkgutil.iter_modules(checks.__path__):
        if module.name.startswith("test_"):
            namespace = vars(importlib.import_module(f"{checks.__name__}.{module.name}"))
            yield from (
                value
                for name, value in namespace.items()
                if name.startswith("test_") and isinstance(value, FunctionType)
            )


def clause_ids(function: FunctionType) -> list[str]:
    return [mark.args[0] for mark in getattr(function, "pytestmark", []) if mark.name == "clause"]


def named(row: str) -> list[Clause]:
    """The clauses that a check's mark names; none if the tables lack any of them."""
    try:
        return list(clauses_of(row).values())
    except KeyError:
        return []


CHECKS = list(check_functions())


def test_each_check_names_one_clause() -> None:
    assert [function.__name__ for function in CHECKS if len(clause_ids(function)) != 1] == []


def test_each_check_names_a_row_of_the_tables() -> None:
    assert [name for function in CHECKS for name in clause_ids(function) if not named(name)] == []


def test_each_clause_has_exactly_one_check() -> None:
    checked = Counter(clause.id for function in CHECKS for name in clause_ids(function) for clause in named(name))
    assert {name: checked[name] for name in CLAUSES if checked[name] != 1} == {}


def test_each_method_has_clauses_of_its_own() -> None:
    with_clauses = {clause.method for clause in SPEC.clauses}
    assert {method.name for method in SPEC.methods} == with_clauses
    assert len(SPEC.methods) == 18 + 1  # the factory is the nineteenth


def test_each_line_of_the_norm_is_a_clause_or_exempt_with_a_reason() -> None:
    cited = {line for clause in SPEC.clauses for line in lines_of(clause.source)}
    exempt = {line for row in SPEC.exempt for line in lines_of(row.lines)}
    assert sorted(set(range(1, SPEC.norm_lines + 1)) - cited - exempt) == []


def test_no_line_beyond_the_norm_is_cited() -> None:
    assert [clause.id for clause in SPEC.clauses if max(lines_of(clause.source), default=0) > SPEC.norm_lines] == []


def test_a_clause_cites_lines_of_its_own_method() -> None:
    sections = {method.name: set(lines_of(method.source)) for method in SPEC.methods}
    general = set(range(1, 24))
    wrong = [
        clause.id
        for clause in SPEC.clauses
        if not set(lines_of(clause.source))
        <= sections[clause.method] | sections.get(borrowed(clause.method), set()) | general
    ]
    assert wrong == []


def borrowed(method: str) -> str:
    """The method to which the document refers for a description."""
    return {"send": "sendto", "write": "sendto", "recv": "recvfrom", "read": "recvfrom"}.get(method, "")


def test_the_norm_has_as_many_lines_as_the_table_says() -> None:
    norm = Path(os.environ.get("NIXIO_NORM", Path(__file__).parents[3] / "shared/spec/nixio-socket.txt"))
    if not norm.exists():
        pytest.skip("the norm is not beside this checkout (NIXIO_NORM names it)")
    assert len(norm.read_text().splitlines()) == SPEC.norm_lines


def test_there_are_the_documents_29_pairs_of_24_options() -> None:
    assert len(SPEC.options) == 29
    assert len({option.name for option in SPEC.options}) == 24


def test_each_capability_has_a_probe() -> None:
    assert set(capabilities.current()) == {capability.id for capability in SPEC.capabilities}


def test_no_two_platforms_have_the_same_prefix() -> None:
    prefixes = [prefix for platform in SPEC.platforms for prefix in platform.sys_platform]
    assert len(prefixes) == len(set(prefixes))


@pytest.mark.parametrize("option", SPEC.options, ids=lambda option: option.id)
def test_each_option_has_a_check_of_its_effect(option: Option) -> None:
    """Not only a check of its value: for a pair that can be set, the clause about the effect is one of setopt."""
    method = "setopt" if option.set else "getopt"
    wanted = f"{method}.{option.level}-{option.name}.effect."
    assert [clause.id for clause in SPEC.clauses if clause.id.startswith(wanted)]
