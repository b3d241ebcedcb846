"""Arguments of send, write and sendto for checks: buffers of several types, and values that are not allowed."""

from __future__ import annotations

import pytest

#: Parameter `held_as`: bytes-like types besides bytes, as `transfer.held` takes them.
each_bytes_like_type = pytest.mark.parametrize("held_as", ["bytearray", "memoryview", "array"])
#: Parameter `buffer`: the arguments of a call without a buffer, and values that no language takes for one.
each_wrong_buffer = pytest.mark.parametrize(
    "buffer",
    [
        pytest.param((), id="missing"),
        pytest.param((None,), id="none"),
        pytest.param((True,), id="bool"),
        pytest.param(((97, 98),), id="tuple"),
    ],
)
#: Parameter `buffer`: values that Lua converts into a buffer.
each_converted_buffer = pytest.mark.parametrize(
    "buffer", [pytest.param("text", id="text"), pytest.param(3, id="int"), pytest.param(1.5, id="float")]
)
#: Parameter `value`: values that are not a number. Digits and fractions are not among them: Lua takes both as numbers.
each_non_number = pytest.mark.parametrize("value", [pytest.param("x", id="text"), pytest.param((1,), id="tuple")])
