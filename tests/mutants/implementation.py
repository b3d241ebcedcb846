"""Where an agent finds a port of the catalogue: `--target tests.mutants.implementation:chapter/name`.

Only the chapter that is asked for is imported: an agent is started for each.
"""

from __future__ import annotations

import importlib
from typing import Any

#: What stands before the id of a fault or a variety in the name of its target.
TARGET = f"{__name__}:"


def __getattr__(name: str) -> Any:
    chapter, _, row = name.partition("/")
    if not row or not chapter.isidentifier():
        raise AttributeError(name)
    try:
        module = importlib.import_module(f"tests.mutants.faults.{chapter}")
        return module.CHAPTER.port(row)
    except (ModuleNotFoundError, KeyError):
        raise AttributeError(f"the catalogue has no {name!r}") from None
