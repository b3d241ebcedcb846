"""How a check names its clauses, and the parameters that many checks share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

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
