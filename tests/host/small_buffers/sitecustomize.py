"""With this folder on PYTHONPATH, sockets of Python have buffers as on a host where `net.core.{r,w}mem_*` are 8192.

These settings are the same in all network namespaces, and a test may not change those of its machine.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Any

_LARGEST = 8192
_OPTIONS = (socket.SO_SNDBUF, socket.SO_RCVBUF)
_usual_init = socket.socket.__init__
_usual_setsockopt = socket.socket.setsockopt


def _init(self: socket.socket, *arguments: Any, **named: Any) -> None:
    _usual_init(self, *arguments, **named)
    for option in _OPTIONS:
        with contextlib.suppress(OSError):
            if self.getsockopt(socket.SOL_SOCKET, option) > 2 * _LARGEST:
                _usual_setsockopt(self, socket.SOL_SOCKET, option, _LARGEST // 2)


def _setsockopt(self: socket.socket, level: int, option: int, *value: Any) -> None:
    if level == socket.SOL_SOCKET and option in _OPTIONS and isinstance(value[0], int):
        value = (min(value[0], _LARGEST),) if value[0] >= 0 else (_LARGEST,)
    _usual_setsockopt(self, level, option, *value)


socket.socket.__init__ = _init  # type: ignore[method-assign]
socket.socket.setsockopt = _setsockopt  # type: ignore[method-assign, assignment]
