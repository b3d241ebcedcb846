"""One worker that has collected the suite, for all tests of a process: it is what makes a proof fast."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mutants.pool import Pool


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    """A pool that tests may give jobs one after another."""
    with Pool(1) as started:
        yield started
