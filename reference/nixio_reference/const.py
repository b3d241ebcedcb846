"""Constants of the library, as in ``nixio.const``."""

from typing import Final

buffersize: Final = 8192
"""The most bytes that one ``recv``, ``read`` or ``recvfrom`` returns (the norm, recvfrom: "8192 by default").

It is fixed when the library is made, as in the original: changing this name changes nothing.
"""
