"""The order of methods and socket kinds in reports, from the tables of the specification."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import get_args

from nixio_fixtures import load
from nixio_fixtures.records import Domain, Type

#: The column of cases that have no kind.
NO_KIND = "-"


@cache
def methods() -> tuple[str, ...]:
    """The methods in the order of nixio's document, then the factory, which the document only implies."""
    rows = sorted(load().methods, key=lambda method: not method.source.startswith("norm:"))
    return tuple(method.name for method in rows)


@cache
def kinds() -> tuple[str, ...]:
    """The socket kinds, family by family: `inet-stream`, `inet-dgram`, `inet-raw`, `inet6-stream` and so on."""
    domains, types = get_args(Domain), get_args(Type)
    rows = sorted(load().kinds, key=lambda kind: (domains.index(kind.domain), types.index(kind.type)))
    return tuple(kind.id for kind in rows)


def in_order(names: Collection[str], known: tuple[str, ...]) -> tuple[str, ...]:
    """The known names in their order, then the others sorted (a newer suite wrote the stream), then `NO_KIND`."""
    others = sorted(set(names) - set(known) - {NO_KIND})
    return (*(name for name in known if name in names), *others, *([NO_KIND] if NO_KIND in names else []))
