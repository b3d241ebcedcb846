"""How a check names its clause."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

_F = TypeVar("_F", bound=Callable[..., None])


def clause(row: str) -> Callable[[_F], _F]:
    """Mark a check with the header of its row in the clause tables.

    The check is run once for each kind of socket that the row names. Where the row is a family of clauses
    (`{send,write}.data.arrives`), it is also run once for each method, and takes it as its parameter `method`. Where
    the methods of a family need checks of their own, each names its clause alone (`send.data.arrives`).
    """
    mark: Callable[[_F], _F] = pytest.mark.clause(row)
    return mark
