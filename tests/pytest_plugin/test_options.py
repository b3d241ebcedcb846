"""The options of a run: declared once, given to click and to pytest, and written back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from nixio_conformance.pytest_plugin.options import (
    ImplementationOptions,
    OptionError,
    RunOptions,
    add_to_pytest,
    command_options,
    declared,
)

EVERY = RunOptions(
    lua="nixio",
    lua_program="luajit",
    lua_path="a b",
    lua_cpath="/c/?.so",
    select=("send", "level=must"),
    level=("must", "may"),
    baseline=Path("known.toml"),
    fail_fast=True,
    report=Path("out"),
    deadline=2.5,
    case_deadline=90.0,
    max_timeouts=3,
    memory=64,
    require=("ipv6",),
    without=("lab", "raw"),
    seed=7,
    shuffle="x",
)


def parsed_by_click(*words: str) -> RunOptions:
    found: list[RunOptions] = []

    @click.command()
    @command_options(RunOptions)
    def command(**values: Any) -> None:
        found.append(RunOptions(**values))

    done = CliRunner().invoke(command, words)
    assert done.exit_code == 0, done.output
    return found[0]


def parsed_by_pytest(*words: str) -> RunOptions:
    parser = pytest.Parser(_ispytest=True)
    add_to_pytest(parser.getgroup("nixio"))
    namespace = parser.parse(words)

    class Config:
        def getoption(self, name: str) -> Any:
            return getattr(namespace, name.removeprefix("--").replace("-", "_"))

    return RunOptions.of(Config())  # type: ignore[arg-type]


def test_the_example_has_every_option_that_can_stand_beside_the_others() -> None:
    unset = {name for name, default, _ in declared(RunOptions) if getattr(EVERY, name) == default}
    assert unset == {"name", "target", "agent", "in_process"}


def test_what_is_written_for_the_command_line_is_read_the_same() -> None:
    assert parsed_by_click(*EVERY.command_line()) == EVERY
    assert parsed_by_click("reference").command_line("report") == ["reference"]


def test_what_is_written_for_pytest_is_read_the_same() -> None:
    assert parsed_by_pytest(*EVERY.pytest_arguments()) == EVERY
    assert parsed_by_pytest("--nixio=reference", "--nixio-in-process") == RunOptions(name="reference", in_process=True)
    assert parsed_by_pytest() == RunOptions()


def test_only_the_command_has_a_report_by_default() -> None:
    assert parsed_by_click().report == Path("nixio-report")
    assert parsed_by_pytest().report is None


@pytest.mark.parametrize(("option", "value"), [("deadline", "0"), ("memory", "1"), ("level", "most"), ("seed", "x")])
def test_a_value_is_checked_in_both_ways(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = pytest.Parser(_ispytest=True)
    add_to_pytest(parser.getgroup("nixio"))
    with pytest.raises(pytest.UsageError, match=f"--nixio-{option}"):
        parser.parse([f"--nixio-{option}={value}"])

    @click.command()
    @command_options(RunOptions)
    def command(**values: Any) -> None: ...

    done = CliRunner().invoke(command, [f"--{option}={value}"])
    assert done.exit_code == 2
    assert f"--{option}" in done.output


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        (ImplementationOptions(name="a", target="b:c"), "", "name and target are given"),
        (ImplementationOptions(lua="a", in_process=True), "in_process", "is for Python implementations"),
        (ImplementationOptions(name="a", lua_path="b"), "lua_path", "belongs to --lua MODULE"),
        (ImplementationOptions(agent="x 'y"), "agent", "No closing quotation"),
    ],
)
def test_options_that_contradict_each_other(options: ImplementationOptions, option: str, message: str) -> None:
    with pytest.raises(OptionError, match=message) as caught:
        options.implementation()
    assert caught.value.option == option


def test_no_implementation_is_no_error() -> None:
    assert ImplementationOptions().implementation() is None
