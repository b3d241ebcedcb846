"""Where an agent finds a row of the catalogue: `--target tests.mutants.implementation:GROUP/NAME`.

Only the group that is asked for is imported, since an agent is started for each row.
"""

from __future__ import annotations

import importlib
from typing import Any

#: The start of a `--target` before a row's id.
TARGET = f"{__name__}:"


def __getattr__(name: str) -> Any:
    group, _, row = name.partition("/")
    if not row or not group.isidentifier():
        raise AttributeError(name)
    try:
        module = importlib.import_module(f"tests.mutants.faults.{group}")
        return module.GROUP.implementation(row)
    except (ModuleNotFoundError, KeyError):
        raise AttributeError(f"the catalogue has no {name!r}") from None
