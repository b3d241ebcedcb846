"""The suite as a pytest plugin: its options, and the parts that are active if they name an implementation.

Otherwise nothing is active, so that the installed package does not change other pytest runs.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest

from nixio_conformance.driver import inherited
from nixio_conformance.driver.errors import CannotStart
from nixio_conformance.driver.limits import Limits, impose, unavailable
from nixio_conformance.driver.temporary import shared_folder, temporary_folder
from nixio_conformance.pytest_plugin import environment, expectations, fixtures, workers
from nixio_conformance.pytest_plugin.cases import Cases
from nixio_conformance.pytest_plugin.collection import Collection
from nixio_conformance.pytest_plugin.controller import Controller
from nixio_conformance.pytest_plugin.options import OptionError, RunOptions, add_to_pytest, option_of_pytest
from nixio_conformance.pytest_plugin.stash import EXPECTATIONS, OPTIONS, TARGET
from nixio_conformance.target.target import Target


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of `nixio-conformance run` as pytest options."""
    add_to_pytest(parser.getgroup("nixio", "nixio conformance"))


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; activate the suite when an implementation is named."""
    config.addinivalue_line("markers", "clause(row): the row of the clause tables that a check is for")
    options = RunOptions.of(config)
    target = _implementation(options)
    if target is None:
        return
    # Hypothesis stores constants of local code in the current folder; if it cannot write there, it does not store them.
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", os.path.join(os.devnull, "hypothesis"))
    _limit(options)
    setup = workers.received(config)
    if setup is not None:
        config.pluginmanager.register(workers.Silent(), "nixio-silent")
    config.stash[OPTIONS] = options
    config.stash[TARGET] = target
    config.stash[EXPECTATIONS] = (
        expectations.of(options) if setup is None else expectations.Expectations(setup.baseline)
    )
    if setup is None:
        inherited.reset()
        if reason := inherited.too_little():
            pytest.exit(reason, returncode=3)
    cleanup = contextlib.ExitStack()
    config.add_cleanup(cleanup.close)
    cleanup.enter_context(_temporary_folder(setup))
    if setup is None:
        environment.set_up(options)
    else:
        environment.follow(setup)
    config.pluginmanager.register(fixtures, "nixio-fixtures")
    config.pluginmanager.register(Cases(config, target), "nixio-cases")
    collection = Collection(config)
    config.pluginmanager.register(collection, "nixio-collection")
    if setup is None:
        config.pluginmanager.register(Controller(config, target, collection), "nixio-controller")


def _implementation(options: RunOptions) -> Target | None:
    try:
        return options.implementation()
    except OptionError as error:
        option = f"{option_of_pytest(error.option)} " if error.option else ""
        raise pytest.UsageError(f"{option}{error}") from None


@contextlib.contextmanager
def _temporary_folder(setup: workers.WorkerSetup | None) -> Iterator[None]:
    """The folder for temporary files of this process; exits with code 3 if none can be made."""
    try:
        with temporary_folder() if setup is None else shared_folder(setup.folder):
            yield
    except CannotStart as error:
        pytest.exit(str(error), returncode=3)


def _limit(options: RunOptions) -> None:
    """Set the limits of agents. Raises `pytest.UsageError` if the system or the process cannot be limited."""
    if options.memory is None:
        return
    if reason := "the implementation is in the suite's own process" if options.in_process else unavailable():
        raise pytest.UsageError(f"--nixio-memory has no effect: {reason}; leave the option out")
    impose(Limits(memory=options.memory))
