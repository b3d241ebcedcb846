"""How a check names its clauses, and the parameters that many checks share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeVar

import pytest

from nixio_fixtures import Clause, load

_F = TypeVar("_F", bound=Callable[..., None])

#: Parameter `method`: each method that sends to the connected peer, and each that receives. It is part of a case's id.
each_sender = pytest.mark.parametrize("method", ["send", "write"])
each_receiver = pytest.mark.parametrize("method", ["recv", "read", "recvfrom"])


def clause(row: str) -> Callable[[_F], _F]:
    """Mark a check with the header of its row in the clause tables.

    The check is run once for each kind of socket that the row names. Where the row is a family of clauses
    (`{send,write}.data.arrives`), it is also run once for each method, and takes it as its parameter `method`, which
    is not part of the case's id. Where some methods of a family need a check of their own, each check names only its
    methods (`{send,write}.result.count` and `sendto.result.count` for the row `{send,write,sendto}.result.count`).
    """
    mark: Callable[[_F], _F] = pytest.mark.clause(row)
    return mark


@cache
def clauses_of(row: str) -> dict[str, Clause]:
    """The clauses that a check's mark names, by method.

    Raises `KeyError` where one is not in the tables, or where they are not of one row.
    """
    methods, brace, suffix = row.removeprefix("{").partition("}")
    names = [f"{method}{suffix}" for method in methods.split(",")] if brace else [row]
    found = [clause for clause in load().clauses if clause.id in names]
    if len(found) != len(names) or len({clause.family for clause in found}) != 1:
        raise KeyError(row)
    return {clause.method: clause for clause in found}
