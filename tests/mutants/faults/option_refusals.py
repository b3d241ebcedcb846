"""Options that must be refused: failures ignored, changed, or raised too late."""

from __future__ import annotations

import contextlib
import errno
from typing import Any

from tests.mutants.errors import answer, bad_argument, substitute
from tests.mutants.hooks import Optioned
from tests.mutants.registry import Group
from tests.mutants.wrapper import LEVELS, raising, with_effect

GROUP = Group(__name__)
fault = GROUP.fault
DEVICE, ERROR = ("socket", "bindtodevice"), ("socket", "error")


option = GROUP.rows(Optioned)


def zeroed(sock: Any) -> None:
    """Set 0 for some options."""
    for name in ("multicast_ttl", "multicast_hops", "priority"):
        for level in LEVELS:
            with contextlib.suppress(OSError, ValueError):
                sock.inner.setopt(level, name, 0)


option(
    "errors-swallowed",
    "each system error of setopt counts as success",
    "setopt.wrong-kind.refused",
    "setopt.invalid.refused",
).override(set_failed=lambda s, e, v: True if isinstance(e, OSError) and s.number >= 0 else raising(e))
option("types-swallowed", "a value of a wrong type counts as set", "setopt.value.wrong-type").override(
    set_failed=answer(True, bad_argument)
)
option("read-only-swallowed", "setting a read-only option counts as success", "setopt.read-only.refused").override(
    pairs=(ERROR, ("ip", "mtu")), set_failed=answer(True, errno.ENOPROTOOPT)
)
option("privilege-swallowed", "EPERM counts as success", "setopt.privileged.refused").override(
    set_failed=answer(True, errno.EPERM)
)
option("unknown-key-error", "an unknown option raises KeyError", "setopt.option.unknown").override(
    set_failed=substitute(KeyError("option"), bad_argument)
)
option("unknown-swallowed", "an unknown option counts as set", "setopt.option.unknown").override(
    set_failed=answer(True, bad_argument)
)
option("unknown-none", "an unknown option reads as None", "getopt.option.unknown", "getopt.level.unknown").override(
    get_failed=answer(None, bad_argument)
)
option("unknown-attribute-error", "an unknown option raises AttributeError", "getopt.option.unknown").override(
    get_failed=substitute(AttributeError("option"), bad_argument)
)
option("refused-sets", "a refused value sets 0", "setopt.invalid.refused").override(
    set_failed=lambda s, e, v: with_effect(raising, lambda: zeroed(s))(e)
)
option("device-unknown-swallowed", "an unknown device counts as set", "setopt.invalid.refused").override(
    pairs=(DEVICE,), set_failed=answer(True, errno.ENODEV)
)
option("get-none", "a failed getopt returns None", "getopt.wrong-kind.refused", "getopt.set-only.refused").override(
    get_failed=answer(None, OSError)
)
option("get-zero", "a failed getopt returns 0", "getopt.wrong-kind.refused", "getopt.mtu.unconnected").override(
    get_failed=answer(0, OSError)
)
option("v6only-swallowed", "v6only of a bound socket counts as set", "setopt.ipv6-v6only.bound").override(
    pairs=(("ipv6", "v6only"),), set_failed=answer(True, errno.EINVAL)
)
