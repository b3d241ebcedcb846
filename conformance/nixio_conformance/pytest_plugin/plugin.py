"""The suite as a pytest plugin: its options, and what is active when they name an implementation.

Nothing of it is active otherwise, so that having the package installed changes no other pytest run.
"""

from __future__ import annotations

import os

import pytest

from nixio_conformance.driver.limits import Limits, impose, unavailable
from nixio_conformance.driver.timeouts import CALL
from nixio_conformance.pytest_plugin import environment, expectations, fixtures
from nixio_conformance.pytest_plugin.cases import Cases, judged_levels
from nixio_conformance.pytest_plugin.controller import Controller
from nixio_conformance.pytest_plugin.stash import TARGET
from nixio_conformance.target.lua import Lua
from nixio_conformance.target.target import Form, Target

_FORMS: tuple[tuple[str, Form], ...] = (
    ("--nixio", "entry-point"),
    ("--nixio-target", "target"),
    ("--nixio-agent", "agent"),
    ("--nixio-lua", "lua"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The choices of `nixio-conformance run`, as pytest options."""
    group = parser.getgroup("nixio", "nixio conformance")
    group.addoption("--nixio", metavar="NAME", help="judge an installed implementation by its entry point's name")
    group.addoption("--nixio-target", metavar="MODULE:OBJECT", help="judge a Python object")
    group.addoption("--nixio-agent", metavar="COMMAND", help="judge what an agent program hosts")
    group.addoption("--nixio-lua", metavar="MODULE", help="judge a Lua module, by its name or as a .lua file")
    group.addoption("--nixio-lua-program", metavar="PROGRAM", default="", help="which Lua runs it")
    group.addoption("--nixio-lua-path", metavar="PATH", default="", help="folders or templates before LUA_PATH's")
    group.addoption("--nixio-lua-cpath", metavar="PATH", default="", help="the same for modules in C")
    group.addoption("--nixio-in-process", action="store_true", help="host a Python port in the test process")
    group.addoption("--nixio-select", metavar="TERM", action="append", default=[], help="clause, method, family, level")
    group.addoption("--nixio-level", action="append", default=[], choices=["must", "should", "may"], help="judge these")
    group.addoption("--nixio-report", metavar="DIR", help="write the result stream and the reports there")
    group.addoption("--nixio-baseline", metavar="FILE", help="known deviations: expected to fail, and only they")
    group.addoption("--nixio-shuffle", metavar="SEED", help="run the cases in an order that this seed decides")
    group.addoption(
        "--nixio-seed", metavar="N", type=int, default=0, help="what the random sequences of calls are drawn from"
    )
    group.addoption("--nixio-fail-fast", action="store_true", help="stop at the first finding of a judged level")
    group.addoption("--nixio-deadline", metavar="SECONDS", type=float, default=CALL, help="what a call may take")
    group.addoption(
        "--nixio-memory", metavar="MIB", type=int, help=f"what a port's process may use (default: {Limits().memory})"
    )
    group.addoption(
        "--nixio-without", metavar="CAPABILITY", action="append", default=[], help="as if this host lacked it"
    )
    group.addoption(
        "--nixio-require", metavar="CAPABILITY", action="append", default=[], help="end the run if this host lacks it"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; activate the suite when an implementation is named."""
    config.addinivalue_line("markers", "clause(id): the clause of the specification that a check proves")
    target = target_of(config)
    if target is not None:
        # Hypothesis keeps notes on local code in the current folder. Where nothing can be written it does without.
        os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", os.path.join(os.devnull, "hypothesis"))
        config.stash[TARGET] = target
        _limit(config)
        config.stash[expectations.EXPECTING] = expectations.of(config, judged_levels(config))
        environment.settle(config)
        config.pluginmanager.register(fixtures, "nixio-fixtures")
        config.pluginmanager.register(Cases(config, target), "nixio-cases")
        if not hasattr(config, "workerinput"):
            config.pluginmanager.register(Controller(config, target), "nixio-controller")


def _limit(config: pytest.Config) -> None:
    """Hold agents to what the user says they may use. Raises `pytest.UsageError` where nobody can be held to it."""
    memory = config.getoption("--nixio-memory")
    if memory is None:
        return
    if reason := "the port is in the suite's own process" if config.getoption("--nixio-in-process") else unavailable():
        raise pytest.UsageError(f"--nixio-memory cannot be held to: {reason}; leave the option out")
    impose(Limits(memory=memory))


def target_of(config: pytest.Config) -> Target | None:
    """The implementation that the options name; None for a pytest run that is not about one."""
    in_process = bool(config.getoption("--nixio-in-process"))
    lua = Lua(*(config.getoption(f"--nixio-lua-{name}") for name in ("program", "path", "cpath")))
    for option, way in _FORMS:
        if name := config.getoption(option):
            try:
                return Target(way, name, in_process, lua)
            except ValueError as error:
                raise pytest.UsageError(f"{option} {name!r}: {error}") from None
    return None
