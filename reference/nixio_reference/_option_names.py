"""The names of the options by level and type of value, for the overloads of `Socket.getopt` and `Socket.setopt`.

The project's tests compare them with the table in `_options`.
"""

from typing import Literal, TypeAlias

SocketInt: TypeAlias = Literal[
    "keepalive",
    "reuseaddr",
    "sndbuf",
    "rcvbuf",
    "priority",
    "broadcast",
    "linger",
    "dontroute",
    "oobinline",
]
SocketTimeout: TypeAlias = Literal["sndtimeo", "rcvtimeo"]
TcpInt: TypeAlias = Literal["cork", "nodelay"]
IpInt: TypeAlias = Literal["hdrincl", "multicast_ttl", "multicast_loop"]
Ipv6Int: TypeAlias = Literal["mtu", "v6only", "multicast_hops", "multicast_loop", "multicast_if"]
Membership: TypeAlias = Literal["add_membership", "drop_membership"]
