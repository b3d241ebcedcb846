"""nixio's Socket in Python: the implementation that the conformance suite itself is tested with.

The norm is nixio's documentation of the Socket, cited as ``norm:LINES``. Where it is silent, a decision of this project
is cited as ``design:TOPIC``; docs/decisions.md explains each.

    >>> import nixio_reference as nixio
    >>> with nixio.bind("127.0.0.1", 0, "inet", "dgram") as server:
    ...     host, port = server.getsockname()
    ...     with nixio.connect(host, port, "inet", "dgram") as client:
    ...         client.send(b"hello")
    ...         server.recv(100)
    5
    b'hello'

A failure is an ``OSError`` with the system's errno (where a call would have to wait: ``BlockingIOError``), a
``socket.gaierror`` of the resolver, or a ``ValueError`` or ``TypeError`` for a bad argument. Nothing else is raised.
"""

from typing import Final

from nixio_reference import const
from nixio_reference._shortcuts import bind, connect, socket
from nixio_reference._socket import Socket
from nixio_reference.const import buffersize

name: Final = "reference"
version: Final = "0.1.0"
__version__: Final = version

__all__ = ["Socket", "bind", "buffersize", "connect", "const", "name", "socket", "version"]
