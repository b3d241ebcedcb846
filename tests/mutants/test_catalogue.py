"""The catalogue: rows that hold together, ports that can be made, words that choose."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nixio_fixtures import load
from tests.mutants import implementation
from tests.mutants.catalogue import Catalogue, CatalogueError, NoSuchRow, catalogue, collect, stands_for
from tests.mutants.registry import Chapter, Fault, Tabled, Variety
from tests.mutants.wrapper import Port

SPEC = load()


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return catalogue()


def chapter(fault: Fault | None = None, variety: Variety | None = None) -> Chapter:
    made = Chapter("somewhere.made")
    made.faults += [fault] if fault else []
    made.varieties += [variety] if variety else []
    return made


def test_there_are_faults_enough(shipped: Catalogue) -> None:
    assert len(shipped.faults) >= 1000
    assert len(shipped.varieties) >= 35


def test_each_port_can_be_had(shipped: Catalogue) -> None:
    for row in shipped.rows:
        assert callable(getattr(implementation, row.id)) or callable(getattr(implementation, row.id).socket), row.id


def test_no_two_faults_say_the_same(shipped: Catalogue) -> None:
    said = [fault.does for fault in shipped.faults]
    assert sorted({does for does in said if said.count(does) > 1}) == []


def test_an_id_names_the_file_that_it_stands_in(shipped: Catalogue) -> None:
    assert "chunks/swapped-send" in {fault.id for fault in shipped.faults}
    with pytest.raises(AttributeError):
        getattr(implementation, "chunks/no-such-fault")
    with pytest.raises(AttributeError):
        getattr(implementation, "no_such_chapter/swapped-send")


def test_each_option_and_each_method_has_faults_by_itself(shipped: Catalogue) -> None:
    ids = {fault.id for fault in shipped.faults}
    for option in SPEC.options:
        assert any(f"/{option.level}-{option.name}" in name for name in ids), option.id
    for method in SPEC.methods[1:]:
        assert f"of_methods/missing/{method.name}" in ids
        assert f"of_methods/after-close/{method.name}" in ids


def test_a_row_that_names_no_clause_there_is_does_not_load() -> None:
    with pytest.raises(CatalogueError, match=r"made/wrong names clause 'send\.nonsense'"):
        collect([chapter(Fault("made/wrong", "", ("send.nonsense",)))], SPEC)


def test_a_row_without_a_clause_does_not_load() -> None:
    with pytest.raises(CatalogueError, match="made/wrong names no clause"):
        collect([chapter(Fault("made/wrong", "", ()))], SPEC)


def test_a_variety_of_a_method_that_there_is_not_does_not_load() -> None:
    with pytest.raises(CatalogueError, match="made/odd names method 'sned'"):
        collect([chapter(variety=Variety("made/odd", "", ("sned",)))], SPEC)


def test_a_row_that_stands_twice_does_not_load() -> None:
    row = Fault("made/twice", "", ("close.result.true",))
    with pytest.raises(CatalogueError, match="made/twice stands twice"):
        collect([chapter(row), chapter(row)], SPEC)


def test_a_port_that_stands_twice_in_a_chapter_is_refused() -> None:
    made = Chapter("somewhere.made")
    made.fault("one", "", "close.result.true")(Port)
    with pytest.raises(ValueError, match="made/one stands twice"):
        made.fault("one", "", "close.result.true")(Port)


def test_rows_from_a_table_have_their_chapter_s_name() -> None:
    made = Tabled("somewhere.made", lambda: iter([Fault("a/b", "", ("close.result.true",))]), lambda a, b: Port)
    assert [fault.id for fault in collect([made], SPEC).faults] == ["made/a/b"]
    assert made.port("a/b") is Port


def test_words_choose_rows_by_chapter_id_and_pattern(shipped: Catalogue) -> None:
    assert {fault.id.partition("/")[0] for fault in shipped.chosen(["walking"]).faults} == {"walking"}
    assert [fault.id for fault in shipped.chosen(["chunks/swapped-send"]).faults] == ["chunks/swapped-send"]
    assert len(shipped.chosen(["chunks/swapped-*"]).faults) == 3
    with pytest.raises(NoSuchRow, match=r"'chunk' is no row.*chunks"):
        shipped.chosen(["chunk"])


def test_parts_are_disjoint_and_leave_nothing_out(shipped: Catalogue) -> None:
    parts = [shipped.part(number, 7) for number in range(1, 8)]
    assert sorted(fault.id for part in parts for fault in part.faults) == sorted(fault.id for fault in shipped.faults)


def test_a_pattern_stands_for_judged_clauses_only() -> None:
    assert all(SPEC.clause(name).level != "may" for name in stands_for("connect.host.*", SPEC))


def test_an_agent_does_without_the_tables() -> None:
    """They take as long to read as everything else that an agent does to begin, and there are a thousand agents."""
    code = "import sys; from tests.mutants import implementation as m; getattr(m, sys.argv[1]); print(*sys.modules)"
    for row in ("chunks/swapped-send", "of_options/ignored/tcp-nodelay", "of_methods/missing/send"):
        done = subprocess.run([sys.executable, "-c", code, row], capture_output=True, text=True, check=True)
        assert not {"nixio_fixtures", "msgspec", "pytest"} & set(done.stdout.split())
