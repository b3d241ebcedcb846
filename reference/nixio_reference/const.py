"""Constants of the library, as in ``nixio.const``."""

from typing import Final

buffersize: Final = 8192
"""The most bytes that one ``recv``, ``read`` or ``recvfrom`` returns (norm:128).

A compile-time constant in nixio: rebinding this name has no effect.
"""
