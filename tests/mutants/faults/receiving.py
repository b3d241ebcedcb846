"""What recv, read and recvfrom ask for and return: data, lengths, failures."""

from __future__ import annotations

import errno

from tests.mutants.errors import WOULD_BLOCK, answer, substitute
from tests.mutants.hooks import Receiver
from tests.mutants.registry import Group
from tests.mutants.wrapper import RECEIVING, is_int, positive, raising, would_block

GROUP = Group(__name__)
fault = GROUP.fault


each = GROUP.rows(Receiver, "{}-{method}", "{method} {}", "{method}.{}", methods=RECEIVING)
each("text", "returns a string", "data.binary").override(result=lambda s, d, n: d.decode("latin-1"))
each("bytearray", "returns a bytearray", "data.arrives").override(result=lambda s, d, n: bytearray(d))
each("stripped", "strips white space from the end of the data", "data.binary").override(
    result=lambda s, d, n: d.rstrip()
)
each("nul-ends", "ends the data at its first NUL", "data.binary").override(result=lambda s, d, n: d.split(b"\0")[0])
each("crlf", "turns CR and LF into newlines", "data.binary").override(
    result=lambda s, d, n: d.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
)
each("seven-bits", "loses the eighth bit", "data.binary").override(result=lambda s, d, n: bytes(c & 127 for c in d))
each("padded", "appends a NUL to the data", "data.arrives").override(result=lambda s, d, n: d + b"\0" if d else d)
each("stringified", "returns the data as str() prints it", "data.arrives").override(result=lambda s, d, n: str(d))
data_only = GROUP.rows(Receiver, "{}-{method}", "{method} {}", "{method}.{}", methods=("recv", "read"))
data_only("with-sender", "returns the data and two times None", "result.only-data").override(
    result=lambda s, d, n: (d, None, None)
)
data_only("in-a-list", "returns a list with the data", "result.only-data").override(result=lambda s, d, n: [d])
data_only("with-length", "returns the data and its length", "result.only-data").override(
    result=lambda s, d, n: (d, len(d))
)

row = GROUP.rows(Receiver, does="receiving {}")
row("one-more", "asks for one byte more", "recv.length.at-most").override(
    pass_on=lambda s, n: n + 1 if positive(n) and n < 8192 else n
)
row("one-less", "asks for one byte less", "recv.length.steps").override(
    pass_on=lambda s, n: n - 1 if positive(n) and n > 1 and s.dgram else n
)
row("length-ignored", "always asks for 8192 bytes", "recv.length.at-most").override(
    pass_on=lambda s, n: 8192 if positive(n) else n
)
row("length-optional", "defaults to length 8192", "recv.length.required").override(
    pass_on=lambda s, n: 8192 if n is None else n
)
row("length-wraps", "wraps a length of 2^32 and more", "recvfrom.limit.safe").override(
    pass_on=lambda s, n: n & 0xFFFFFFFF if positive(n) else n
)
row("length-over-refused", "refuses a length above buffersize", "recvfrom.limit.safe").override(
    pass_on=lambda s, n: raising(ValueError("too long")) if positive(n) and n > 8192 else n
)
row("limit-half", "returns at most 4096 bytes of a datagram", "recvfrom.limit.reached").override(
    pass_on=lambda s, n: min(n, 4096) if positive(n) and s.dgram else n
)
row("negative-one", "treats a negative length as 1", "recv.negative.refused-or-all").override(
    pass_on=lambda s, n: 1 if is_int(n) and n < 0 else n
)
row("negative-zero", "treats a negative length as 0", "recv.negative.refused-or-all").override(
    pass_on=lambda s, n: 0 if is_int(n) and n < 0 else n
)
row("zero-refused", "refuses length 0", "recv.zero.stream").override(
    pass_on=lambda s, n: raising(ValueError("length")) if is_int(n) and n == 0 else n
)
row("zero-all", "treats length 0 as 8192", "recv.zero.data-stay").override(
    pass_on=lambda s, n: 8192 if is_int(n) and n == 0 else n
)
row("half-of-datagram", "asks for half of the length, so that a datagram's rest is lost", "recv.length.steps").override(
    pass_on=lambda s, n: (n + 1) // 2 if positive(n) and s.dgram else n
)


row(
    "block-empty",
    "returns empty data instead of would-block",
    "recv.would-block.drained",
    "recv.unbound.would-block",
    "recv.would-block.empty",
).override(failed=answer(b"", WOULD_BLOCK))
row("block-none", "returns None instead of would-block", "recv.would-block.empty").override(
    failed=answer(None, WOULD_BLOCK)
)
row("block-timeout", "reports a timeout as ETIMEDOUT", "recv.timeout.would-block").override(
    failed=substitute(errno.ETIMEDOUT, WOULD_BLOCK)
)
row("reset-as-end", "treats a reset as the end", "recv.reset.while-waiting", "recv.reset.told").override(
    failed=answer(b"", errno.ECONNRESET)
)
row("reset-value", "reports a reset as ValueError", "recv.reset.told").override(
    failed=substitute(ValueError("reset"), errno.ECONNRESET)
)
row("refused-block", "reports a refused datagram as would-block", "recv.refused.told").override(
    failed=substitute(errno.EAGAIN, errno.ECONNREFUSED)
)
row("unconnected-empty", "returns empty data on an unconnected socket", "recv.unconnected.stream").override(
    failed=answer(b"", errno.ENOTCONN, errno.EINVAL)
)
row("listening-block", "reports would-block on a listener", "recv.listening.fails").override(
    failed=substitute(errno.EAGAIN, errno.ENOTCONN)
)
row("no-errno", "raises an OSError without errno", "recv.reset.told").override(
    failed=lambda s, e, n: raising(e if would_block(e) else OSError("it failed"))
)
