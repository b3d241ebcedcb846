"""One worker that has collected the suite, shared by all tests of a process, since starting it takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mutants.pool import Pool


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    """A pool with one worker, which tests give jobs one after another."""
    with Pool(1) as started:
        yield started
