"""Where an agent finds a row of the catalogue: `--target tests.mutants.implementation:GROUP/NAME`.

Only the group that is asked for is imported, since an agent is started for each row.
"""

from __future__ import annotations

import importlib
from typing import Any

from tests.mutants.wrapper import reference

#: The start of a `--target` before a row's id.
TARGET = f"{__name__}:"


def __getattr__(name: str) -> Any:
    group, _, row = name.partition("/")
    if not row or not group.isidentifier():
        raise AttributeError(name)
    reference()  # now, since a case may leave no descriptor to import it with the first socket
    try:
        module = importlib.import_module(f"tests.mutants.faults.{group}")
        return module.GROUP.implementation(row)
    except (ModuleNotFoundError, KeyError):
        raise AttributeError(f"the catalogue has no {name!r}") from None
