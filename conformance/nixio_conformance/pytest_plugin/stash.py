"""What the parts of the plugin keep in pytest's stashes, by key."""

from __future__ import annotations

import pytest

from nixio_conformance.driver.session import Session
from nixio_conformance.pytest_plugin.case_deadlines import CaseDeadlines
from nixio_conformance.pytest_plugin.expectations import Expectations
from nixio_conformance.pytest_plugin.options import RunOptions
from nixio_conformance.pytest_plugin.planned import Planned
from nixio_conformance.pytest_plugin.verdict import Judgement
from nixio_conformance.target.target import Target

#: Of an item: the verdict of its case as it forms.
JUDGEMENT = pytest.StashKey[Judgement]()
#: Of an item: its case as the tables and pytest's parameters describe it.
PLANNED = pytest.StashKey[Planned]()
#: Of the config: what the user chose.
OPTIONS = pytest.StashKey[RunOptions]()
#: Of the config: how long each case may take.
DEADLINES = pytest.StashKey[CaseDeadlines]()
#: Of the config: the known deviations.
EXPECTATIONS = pytest.StashKey[Expectations]()
#: Of the config: the agent that hosts the implementation.
SESSION = pytest.StashKey[Session]()
#: Of the config: an agent of the same implementation without its user's privileges, for clauses that need it.
UNPRIVILEGED = pytest.StashKey[Session]()
#: Of the config: the implementation.
TARGET = pytest.StashKey[Target]()
