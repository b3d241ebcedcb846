"""The keys of the objects that the plugin keeps in pytest's stashes, of items and of the config."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.session import Session
from nixio_conformance.pytest_plugin.case_deadlines import CaseDeadlines
from nixio_conformance.pytest_plugin.expectations import Expectations
from nixio_conformance.pytest_plugin.options import RunOptions
from nixio_conformance.pytest_plugin.planned import Planned
from nixio_conformance.pytest_plugin.verdict import Judgement
from nixio_conformance.target.target import Target

#: An item's verdict, as far as it is known.
JUDGEMENT = pytest.StashKey[Judgement]()
#: An item's case.
PLANNED = pytest.StashKey[Planned]()
#: The config's options of the run.
OPTIONS = pytest.StashKey[RunOptions]()
#: The config's deadlines of cases.
DEADLINES = pytest.StashKey[CaseDeadlines]()
#: The config's known deviations.
EXPECTATIONS = pytest.StashKey[Expectations]()
#: The config's session with the agent that hosts the implementation.
SESSION = pytest.StashKey[Session]()
#: The config's session with an agent that has no privileges, for clauses that need one.
UNPRIVILEGED = pytest.StashKey[Session]()
#: The config's implementation.
TARGET = pytest.StashKey[Target]()
