"""How a check says which clause it proves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

_F = TypeVar("_F", bound=Callable[..., None])


def clause(clause_id: str) -> Callable[[_F], _F]:
    """Mark a check with the id of its clause, by whose kinds it is multiplied."""
    mark: Callable[[_F], _F] = pytest.mark.clause(clause_id)
    return mark
