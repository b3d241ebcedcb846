"""Options: level and name, and missing arguments."""

from __future__ import annotations

from typing import Any

from tests.mutants.registry import Group
from tests.mutants.wrapper import LEVELS, Wrapped

GROUP = Group(__name__)
fault = GROUP.fault


class Named(Wrapped):
    """Level and option, with one hook."""

    def named(self, level: Any, option: Any) -> tuple[Any, Any]:
        """The level and option to use."""
        return level, option

    def setopt(self, *arguments: Any) -> Any:
        return (
            self.inner.setopt(*self.named(*arguments[:2]), *arguments[2:])
            if len(arguments) > 1
            else self.inner.setopt(*arguments)
        )

    def getopt(self, *arguments: Any) -> Any:
        return self.inner.getopt(*self.named(*arguments)) if len(arguments) == 2 else self.inner.getopt(*arguments)


def lower(word: Any) -> Any:
    """A string in lower case."""
    return word.lower() if isinstance(word, str) else word


SAME = {
    "keepalive": "socket",
    "sndbuf": "socket",
    "nodelay": "tcp",
    "cork": "tcp",
    "multicast_ttl": "ip",
    "v6only": "ipv6",
}
fault("level-ignored", "the level is ignored", "setopt.option.other-level", "getopt.option.other-level").override(
    Named, named=lambda s, level, o: (SAME.get(o, level) if isinstance(o, str) and level in LEVELS else level, o)
)
fault("level-any", "an unknown level means socket", "setopt.level.unknown", "getopt.level.unknown").override(
    Named, named=lambda s, level, o: (level if not isinstance(level, str) or level in LEVELS else "socket", o)
)
fault(
    "level-number", "a level that is not text means socket", "setopt.level.not-text", "getopt.level.not-text"
).override(Named, named=lambda s, level, o: (level if isinstance(level, str) else "socket", o))
fault(
    "option-number",
    "an option that is not text means keepalive",
    "setopt.option.not-text",
    "getopt.option.not-text",
).override(Named, named=lambda s, level, o: (level, o if isinstance(o, str) else "keepalive"))
fault("upper-case", "level and option may be in upper case", "setopt.level.unknown", "setopt.option.unknown").override(
    Named, named=lambda s, level, o: (lower(level), lower(o))
)


@fault("level-alone", "a missing option means keepalive", "setopt.arguments.missing", "getopt.arguments.missing")
class LevelAlone(Wrapped):
    def setopt(self, level: Any = "socket", option: Any = "keepalive", value: Any = 1) -> Any:
        return self.inner.setopt(level, option, value)

    def getopt(self, level: Any = "socket", option: Any = "keepalive") -> Any:
        return self.inner.getopt(level, option)


@fault("value-optional", "a missing value means 1", "setopt.value.missing")
def setopt(self: Wrapped, level: Any, option: Any, value: Any = 1) -> Any:
    return self.inner.setopt(level, option, value)
