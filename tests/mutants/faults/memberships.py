"""Options that join and leave multicast groups."""

from __future__ import annotations

import contextlib
import errno
from typing import Any, ClassVar

from tests.mutants.errors import answer
from tests.mutants.hooks import Optioned
from tests.mutants.registry import Group
from tests.mutants.wrapper import Wrapped, is_int, raising, system

GROUP = Group(__name__)
fault = GROUP.fault
JOIN, LEAVE, JOIN6, LEAVE6 = (
    ("ip", "add_membership"),
    ("ip", "drop_membership"),
    ("ipv6", "add_membership"),
    ("ipv6", "drop_membership"),
)


option = GROUP.rows(Optioned)


def group(value: Any) -> Any:
    """The group of a value."""
    return value[0] if isinstance(value, tuple) and value else value


option("join-anywhere", "the interface of an IPv4 membership is ignored", "setopt.membership.interface").override(
    pairs=(JOIN, LEAVE), pass_on=lambda s, v: group(v)
)
option("join-anywhere-ipv6", "the interface of an IPv6 membership is ignored", "setopt.membership.interface").override(
    pairs=(JOIN6, LEAVE6), pass_on=lambda s, v: group(v)
)
option("join-pair-only", "a group alone is refused", "setopt.membership.group-alone").override(
    pairs=(JOIN, JOIN6), pass_on=lambda s, v: raising(TypeError("two")) if isinstance(v, str) else v
)
option("leave-pair-only", "a group alone cannot be left", "setopt.membership.group-alone-left").override(
    pairs=(LEAVE, LEAVE6), pass_on=lambda s, v: raising(TypeError("two")) if isinstance(v, str) else v
)
option("join-again-swallowed", "joining a group again counts as success", "setopt.membership.again").override(
    pairs=(JOIN, JOIN6), set_failed=answer(True, errno.EADDRINUSE)
)
option(
    "leave-not-joined-swallowed",
    "leaving a group that was not joined counts as success",
    "setopt.membership.not-joined",
).override(pairs=(LEAVE, LEAVE6), set_failed=answer(True, errno.EADDRNOTAVAIL))
option(
    "join-no-group-swallowed", "joining an address that is not a group counts as success", "setopt.invalid.refused"
).override(pairs=(JOIN, JOIN6), set_failed=answer(True, errno.EINVAL))
option("join-index-wraps", "an interface index is truncated to 32 bits", "setopt.membership.wrapping-index").override(
    pairs=(JOIN6,),
    pass_on=lambda s, v: (
        (v[0], v[1] & 0xFFFFFFFF) if isinstance(v, tuple) and len(v) == 2 and is_int(v[1]) and v[1] > 0 else v
    ),
)
option("join-read", "memberships read as None", "getopt.set-only.refused").override(
    pairs=(JOIN, LEAVE, JOIN6, LEAVE6), get_failed=lambda s, e: None
)


class Membership(Wrapped):
    """Joining and leaving groups, with one hook."""

    def start(self) -> None:
        self.joined: list[Any] = []

    def member(self, level: str, option: str, value: Any) -> Any:
        """Join or leave."""
        return self.inner.setopt(level, option, value)

    def setopt(self, *arguments: Any) -> Any:
        if len(arguments) == 3 and arguments[1] in ("add_membership", "drop_membership"):
            return self.member(*arguments)
        return self.inner.setopt(*arguments)


@fault(
    "leave-nothing", "leaving a group does nothing", "setopt.membership.left", "setopt.ip-drop_membership.effect.silent"
)
def member(self: Membership, level: str, option: str, value: Any) -> Any:
    if option == "drop_membership" and value in self.joined:
        self.joined.remove(value)
        return True
    result = self.inner.setopt(level, option, value)
    self.joined.append(value)
    return result


@fault("leave-all", "leaving a group leaves all", "setopt.membership.others-stay")
class LeaveAll(Membership):
    def member(self, level: str, option: str, value: Any) -> Any:
        result = self.inner.setopt(level, option, value)
        if option == "add_membership":
            self.joined.append(value)
        else:
            for other in self.joined:
                with contextlib.suppress(OSError):
                    self.inner.setopt(level, option, other)
            self.joined.clear()
        return result


@fault("leave-group", "leaving a group leaves it on every interface", "setopt.membership.interfaces")
class LeaveGroup(LeaveAll):
    def member(self, level: str, option: str, value: Any) -> Any:
        if option == "drop_membership":
            self.joined = [other for other in self.joined if group(other) == group(value)]
        return super().member(level, option, value)


@fault(
    "join-list",
    "memberships are only a list, and no group is joined",
    "setopt.membership.joined",
    "setopt.membership.left-from-outside",
)
def member(self: Membership, level: str, option: str, value: Any) -> Any:
    if option == "drop_membership" and value in self.joined:
        self.joined.remove(value)
        return True
    with self.twin() as other:
        result = other.setopt(level, option, value)
    if value in self.joined:
        raise system(errno.EADDRINUSE)
    self.joined.append(value)
    return result


@fault("join-once", "a group that was left cannot be joined again", "setopt.membership.rejoined")
def member(self: Membership, level: str, option: str, value: Any) -> Any:
    if option == "add_membership" and value in self.joined:
        raise system(errno.EADDRINUSE)
    result = self.inner.setopt(level, option, value)
    self.joined.append(value)
    return result


@fault("join-for-all", "a group is joined by all sockets of the implementation", "setopt.membership.own")
class JoinForAll(Membership):
    all: ClassVar[list[Any]] = []

    def start(self) -> None:
        self.all.append(self.inner)
        del self.all[:-6]

    def member(self, level: str, option: str, value: Any) -> Any:
        result = self.inner.setopt(level, option, value)
        for other in self.all:
            if other is not self.inner:
                with contextlib.suppress(OSError, ValueError):
                    other.setopt(level, option, value)
        return result


@fault("join-one-group", "joining a group leaves the one before", "setopt.membership.others-stay")
class JoinOneGroup(Membership):
    def member(self, level: str, option: str, value: Any) -> Any:
        result = self.inner.setopt(level, option, value)
        if option == "add_membership":
            for other in self.joined:
                with contextlib.suppress(OSError):
                    self.inner.setopt(level, "drop_membership", other)
            self.joined = [value]
        return result
