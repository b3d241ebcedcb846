"""bind and connect: how failures are reported."""

from __future__ import annotations

import errno
import socket

from tests.mutants.errors import RESOLVER, answer, bad_argument, substitute
from tests.mutants.hooks import Opener
from tests.mutants.registry import Group
from tests.mutants.wrapper import raising

GROUP = Group(__name__)
fault = GROUP.fault


bind = GROUP.rows(Opener, "{}-bind", "bind {}", methods=("bind",))
connect = GROUP.rows(Opener, "{}-connect", "connect {}", methods=("connect",))
bind(
    "used-swallowed",
    "swallows EADDRINUSE",
    "bind.used.second",
    "bind.used.wildcard",
    "bind.used.listening",
    "bind.unix.existing",
).override(failed=answer(True, errno.EADDRINUSE))
bind("used-eacces", "reports EADDRINUSE as EACCES", "bind.used.listening").override(
    failed=substitute(errno.EACCES, errno.EADDRINUSE)
)
bind("used-exists", "reports EADDRINUSE as EEXIST", "bind.unix.existing").override(
    failed=substitute(errno.EEXIST, errno.EADDRINUSE)
)
bind("not-local-swallowed", "swallows EADDRNOTAVAIL", "bind.host.not-local").override(
    failed=answer(True, errno.EADDRNOTAVAIL)
)
bind(
    "twice-swallowed", "reports success when it is called again", "bind.connected.refused", "bind.twice.refused"
).override(failed=answer(True, errno.EINVAL))
bind("privilege-swallowed", "swallows EACCES", "bind.privileged.refused").override(failed=answer(True, errno.EACCES))
bind("folder-as-used", "reports ENOENT as EADDRINUSE", "bind.unix.no-folder").override(
    failed=substitute(errno.EADDRINUSE, errno.ENOENT)
)
bind("resolver-system", "reports an unknown name as EINVAL", "bind.host.unknown").override(
    failed=substitute(errno.EINVAL, RESOLVER)
)
bind("resolver-no-code", "reports an unknown name as RuntimeError", "bind.host.unknown").override(
    failed=substitute(RuntimeError("no name"), RESOLVER)
)
bind("argument-key-error", "reports a bad argument as KeyError", "bind.port.types").override(
    failed=substitute(KeyError("port"), bad_argument)
)
bind("argument-overflow", "reports a port out of range as OverflowError", "bind.port.out-of-range").override(
    failed=substitute(OverflowError("port"), bad_argument)
)
connect("refused-false", "returns false where it is refused", "connect.refused.error").override(
    failed=answer(False, errno.ECONNREFUSED)
)
connect(
    "refused-true",
    "returns true where it is refused",
    "connect.unix.abstract-unknown",
    "connect.refused.error",
    "connect.unix.no-socket",
).override(failed=answer(True, errno.ECONNREFUSED))
connect("refused-timeout", "reports a refusal as ETIMEDOUT", "connect.refused.error").override(
    failed=substitute(errno.ETIMEDOUT, errno.ECONNREFUSED)
)
connect("refused-no-errno", "reports a refusal without its errno", "connect.refused.error").override(
    failed=substitute(ConnectionError("refused"), errno.ECONNREFUSED)
)
connect("refused-resolver", "reports a refusal as a resolver failure", "connect.refused.error").override(
    failed=substitute(socket.gaierror(-2, "refused"), errno.ECONNREFUSED)
)
connect("prototype-refused", "reports EPROTOTYPE as ECONNREFUSED", "connect.unix.other-type").override(
    failed=substitute(errno.ECONNREFUSED, errno.EPROTOTYPE)
)
connect("enoent-refused", "reports ENOENT as ECONNREFUSED", "connect.unix.nothing").override(
    failed=substitute(errno.ECONNREFUSED, errno.ENOENT)
)
connect("twice-swallowed", "reports success when it is called again", "connect.twice.refused").override(
    failed=answer(True, errno.EISCONN)
)
connect("listening-swallowed", "reports success on a listener", "connect.listening.refused").override(
    failed=answer(True, errno.EISCONN, errno.EOPNOTSUPP, errno.EINVAL)
)
connect("progress-true", "returns true while it is in progress", "connect.nonblocking.returns").override(
    failed=answer(True, errno.EINPROGRESS)
)
connect("progress-again", "reports EINPROGRESS as EAGAIN", "connect.nonblocking.returns").override(
    failed=substitute(errno.EAGAIN, errno.EINPROGRESS)
)
connect("full-refused", "reports a full queue as a refusal", "connect.nonblocking.full").override(
    failed=substitute(errno.ECONNREFUSED, errno.EAGAIN)
)
connect("resolver-system", "reports an unknown name as EHOSTUNREACH", "connect.host.unknown").override(
    failed=substitute(errno.EHOSTUNREACH, RESOLVER)
)
connect("argument-key-error", "reports a bad argument as KeyError", "connect.port.types").override(
    failed=substitute(KeyError("port"), bad_argument)
)
connect("argument-overflow", "reports a port out of range as OverflowError", "connect.port.out-of-range").override(
    failed=substitute(OverflowError("port"), bad_argument)
)
connect(
    "unencodable-raises", "raises LookupError for a host that DNS cannot encode", "connect.host.unencodable"
).override(failed=substitute(LookupError("idna"), RESOLVER))
bind("unencodable-raises", "raises LookupError for a host that DNS cannot encode", "bind.host.unencodable").override(
    failed=substitute(LookupError("idna"), RESOLVER)
)
bind("family-swallowed", "binds to all addresses for an address of another family", "bind.host.other-family").override(
    failed=lambda s, e: s.inner.bind(None, 0) if isinstance(e, socket.gaierror) else raising(e)
)
connect(
    "unknown-default", "reports an unknown name as ECONNREFUSED", "connect.host.unknown", "connect.host.other-family"
).override(failed=substitute(errno.ECONNREFUSED, RESOLVER))


fault(
    "wrong-type-swallowed-connect",
    "connect reports success where a socket of another type is bound",
    "connect.dgram.wrong-type",
).override(Opener, methods=("connect",), failed=answer(True, errno.EPROTOTYPE, errno.ECONNREFUSED))
