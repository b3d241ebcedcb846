"""How many faults of the catalogue each clause is declared to report, for reports to show.

The catalogue is not part of the installed package. Its counts are written into the package when it is built.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

#: Written by the build: clause id -> number of faults that the clause must report.
DECLARED = "declared_faults.json"


@cache
def declared_faults() -> dict[str, int]:
    """The number of declared faults by clause; empty if the package was not built from a whole source tree."""
    try:
        text = (resources.files(__package__) / DECLARED).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    return {str(clause): int(count) for clause, count in json.loads(text).items()}
