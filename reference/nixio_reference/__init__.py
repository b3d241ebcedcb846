"""nixio's Socket in Python: the reference that the conformance suite is proven against.

The norm is the ``nixio.Socket`` page; where it is silent, ``design.md`` ("the contract", "Decided where the document
is silent") decides, and the docstrings say which of the two a rule comes from.

    >>> import nixio_reference as nixio
    >>> with nixio.bind("127.0.0.1", 0, "inet", "dgram") as server:
    ...     host, port = server.getsockname()
    ...     with nixio.connect(host, port, "inet", "dgram") as client:
    ...         client.send(b"hello")
    ...         server.recv(100)
    5
    b'hello'

Failures are ``OSError`` with its errno (would-block: ``BlockingIOError``), ``socket.gaierror`` from the resolver, and
``ValueError`` or ``TypeError`` for an argument that cannot be meant. Nothing else is raised.
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
