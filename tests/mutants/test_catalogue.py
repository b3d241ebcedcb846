"""The catalogue: rows are consistent, implementations can be found, patterns select rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nixio_fixtures import load
from tests.mutants import implementation
from tests.mutants.catalogue import Catalogue, CatalogueError, NoSuchRow, catalogue, collect, matching
from tests.mutants.hooks import Sender
from tests.mutants.registry import Fault, Group, TableGroup, Variant
from tests.mutants.wrapper import METHODS, Wrapped

SPEC = load()
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return catalogue()


def group(fault: Fault | None = None, variant: Variant | None = None) -> Group:
    made = Group("somewhere.made")
    made.faults += [fault] if fault else []
    made.variants += [variant] if variant else []
    return made


def test_the_catalogue_keeps_its_size(shipped: Catalogue) -> None:
    assert len(shipped.faults) >= 1447
    assert len(shipped.variants) >= 40


def test_each_row_has_an_implementation(shipped: Catalogue) -> None:
    for row in shipped.rows:
        assert callable(getattr(implementation, row.id)) or callable(getattr(implementation, row.id).socket), row.id


def test_no_two_faults_have_the_same_sentence(shipped: Catalogue) -> None:
    sentences = [fault.does for fault in shipped.faults]
    assert sorted({does for does in sentences if sentences.count(does) > 1}) == []


def test_an_id_begins_with_the_name_of_its_file(shipped: Catalogue) -> None:
    assert "chunks/swapped-send" in {fault.id for fault in shipped.faults}
    with pytest.raises(AttributeError):
        getattr(implementation, "chunks/no-such-fault")
    with pytest.raises(AttributeError):
        getattr(implementation, "no_such_group/swapped-send")


def test_each_option_and_each_method_has_faults_from_the_tables(shipped: Catalogue) -> None:
    ids = {fault.id for fault in shipped.faults}
    for option in SPEC.options:
        assert any(f"/{option.level}-{option.name}" in name for name in ids), option.id
    for method in SPEC.methods[1:]:
        assert f"of_methods/missing/{method.name}" in ids
        assert f"of_methods/after-close/{method.name}" in ids


def test_a_function_replaces_a_method_of_the_class_that_self_names() -> None:
    made = Group("somewhere.made")

    @made.fault("one", "", "send.data.arrives", methods=("send",))
    def applies(self: Sender) -> bool:
        return False

    built = made.implementation("one")
    assert issubclass(built, Sender)
    assert (built.applies, built.methods) == (applies, ("send",))


def test_rows_with_methods_are_a_fault_for_each() -> None:
    made = Group("somewhere.made")
    each = made.rows(Sender, "{}-{method}", "{method} {}", "{method}.{}", methods=("send", "write"))
    each("late", "is late", "data.arrives").override(applies=lambda sock: False)
    assert made.faults == [
        Fault("made/late-send", "send is late", ("send.data.arrives",)),
        Fault("made/late-write", "write is late", ("write.data.arrives",)),
    ]
    assert made.implementation("late-write").methods == ("write",)


def test_a_member_that_the_base_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="made/one overrides 'apply', which Sender does not have"):
        Group("somewhere.made").fault("one", "", "send.data.arrives").override(Sender, apply=True)


def test_a_row_that_is_only_declared_does_not_load() -> None:
    made = Group("somewhere.made")
    made.fault("one", "", "close.result.true")
    with pytest.raises(CatalogueError, match="made/one does not say what differs"):
        collect([made], SPEC)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Fault("made/wrong", "", ("send.nonsense",)), r"made/wrong names clause 'send\.nonsense'"),
        (Fault("made/wrong", "", ()), "made/wrong names no clause"),
        (Variant("made/odd", "", ("sned",)), "made/odd names method 'sned'"),
    ],
)
def test_a_row_with_a_wrong_name_does_not_load(row: Any, message: str) -> None:
    made = group(variant=row) if isinstance(row, Variant) else group(row)
    with pytest.raises(CatalogueError, match=message):
        collect([made], SPEC)


def test_an_id_that_is_declared_twice_does_not_load() -> None:
    row = Fault("made/twice", "", ("close.result.true",))
    with pytest.raises(CatalogueError, match="made/twice is declared twice"):
        collect([group(row), group(row)], SPEC)
    made = Group("somewhere.made")
    made.fault("one", "", "close.result.true").use(Wrapped)
    with pytest.raises(ValueError, match="made/one is declared twice"):
        made.fault("one", "", "close.result.true")


def test_rows_from_a_table_get_the_name_of_their_group() -> None:
    made = TableGroup("somewhere.made", lambda: iter([Fault("a/b", "", ("close.result.true",))]), lambda a, b: Wrapped)
    assert [fault.id for fault in collect([made], SPEC).faults] == ["made/a/b"]
    assert made.implementation("a/b") is Wrapped


def test_patterns_select_rows_by_group_id_and_asterisk(shipped: Catalogue) -> None:
    assert {fault.id.partition("/")[0] for fault in shipped.chosen(["walking"]).faults} == {"walking"}
    assert [fault.id for fault in shipped.chosen(["chunks/swapped-send"]).faults] == ["chunks/swapped-send"]
    assert len(shipped.chosen(["chunks/swapped-*"]).faults) == 3
    with pytest.raises(NoSuchRow, match=r"'chunk' is not in the catalogue.*chunks"):
        shipped.chosen(["chunk"])


def test_parts_are_disjoint_and_complete(shipped: Catalogue) -> None:
    parts = [shipped.part(number, 7) for number in range(1, 8)]
    assert sorted(fault.id for part in parts for fault in part.faults) == sorted(fault.id for fault in shipped.faults)


def test_a_pattern_stands_for_judged_clauses_only() -> None:
    assert all(SPEC.clause(name).level != "may" for name in matching("connect.host.*", SPEC))


def test_the_methods_of_faults_are_those_of_the_tables() -> None:
    assert {*METHODS, "socket"} == {method.name for method in SPEC.methods}


def test_an_agent_does_not_load_the_tables() -> None:
    """They take as long to read as the rest of an agent's start, and a run starts more than a thousand agents."""
    code = (
        "import sys; from tests.mutants import implementation as m; [getattr(m, row) for row in sys.argv[1:]]; "
        "print(*sys.modules)"
    )
    rows = ("chunks/swapped-send", "of_options/ignored/tcp-nodelay", "of_methods/missing/send")
    command = [sys.executable, "-c", code, *rows]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"nixio_fixtures", "msgspec", "pytest"} & set(done.stdout.split())


#: Names that only some systems have.
NOT_EVERYWHERE = (
    *("socket.AF_UNIX", "socket.SO_BINDTODEVICE", "select.poll", "select.POLLRDHUP", "select.POLLIN", "signal.SIGUSR1"),
    *("signal.SIGPIPE", "signal.setitimer", "signal.ITIMER_REAL", "os.set_blocking", "os.fork", "os.O_CLOEXEC"),
)


def test_the_catalogue_loads_where_a_package_is_built() -> None:
    """An installation from source counts the declared faults on any system."""
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    module, attribute = name.split('.')\n"
        "    vars(importlib.import_module(module)).pop(attribute, None)\n"
        "sys.modules.update(fcntl=None, resource=None)\n"
        "from tests.mutants.catalogue import catalogue\n"
        "print(len(catalogue().faults))"
    )
    command = [sys.executable, "-c", code, *NOT_EVERYWHERE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 1000
