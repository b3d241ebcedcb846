"""nixio's Socket on Python's `socket` module."""

from small_nixio.sockets import Socket, socket

name = "small-nixio"
version = "1.0.0"
buffersize = 8192

__all__ = ["Socket", "buffersize", "name", "socket", "version"]
